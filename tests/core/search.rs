//! `sockeye search` and `sockeye export --filter`: the filter of the log on the command line.

use serde_json::Value;

use crate::cli::{checked, run, status, text};

/// A folder with a saved session in which three texts were sent and confirmed.
fn saved() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sockeye").to_str().unwrap().to_owned();
    let send = ["--send", "alpha one", "--send", "beta two", "--send", "{\"type\":\"alpha\",\"id\":3}"];
    let arguments = [&["practice", "--watch", "0.3", "--save", &path], &send[..]].concat();
    checked(&arguments);
    (folder, path)
}

/// The objects of JSON Lines.
fn rows(output: &str) -> Vec<Value> {
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn rows_that_fit_are_printed_with_time_direction_kind_and_preview() {
    let (_folder, path) = saved();
    let output = run(&["search", &path, "dir:sent kind:text alpha"]);
    let printed = text(&output.stdout);
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!((lines.len(), status(&output)), (2, 0), "{printed}");
    assert!(lines[0].contains(" ms  → text, 9 bytes  alpha one"), "{printed}");
    assert!(lines[1].ends_with("{\"type\":\"alpha\",\"id\":3}"), "{printed}");
    assert!(text(&output.stderr).starts_with("2 of "), "{}", text(&output.stderr));
    let number = lines[0].split_whitespace().next().unwrap();
    let row = text(&run(&["export", &path, "--to", "jsonl", "--rows", number]).stdout);
    assert_eq!(rows(&row)[0]["text"], "alpha one");
}

#[test]
fn the_exit_status_is_that_of_grep() {
    let (folder, path) = saved();
    assert_eq!(status(&run(&["search", &path, "alpha"])), 0);
    let none = run(&["search", &path, "alpha gamma"]);
    assert_eq!((status(&none), none.stdout.is_empty()), (1, true));
    assert_eq!(status(&run(&["search", &path, "kind:nothing"])), 2);
    let other = folder.path().join("other.sockeye");
    std::fs::write(&other, "no journal").unwrap();
    assert_eq!(status(&run(&["search", other.to_str().unwrap(), "alpha"])), 2);
}

#[test]
fn every_row_is_either_found_or_taken_away() {
    let (_folder, path) = saved();
    let count = |query: &str| -> u64 {
        let output = run(&["search", &path, query, "--count"]);
        text(&output.stdout).trim().parse().unwrap_or_else(|_| panic!("{query}: {}", text(&output.stderr)))
    };
    let all = count("");
    for query in ["kind:text", "alpha", "dir:sent", "/a.p/", "size:>9", "json:/type=alpha", "time:<1s", "kind:event"] {
        let (with, without) = (count(query), count(&format!("-{query}")));
        assert_eq!(with + without, all, "{query}");
        assert!(with > 0, "{query}");
    }
    assert_eq!(count("alpha OR beta"), count("alpha") + count("beta"));
}

#[test]
fn hits_are_one_json_object() {
    let (_folder, path) = saved();
    let output = run(&["search", &path, "json:/id=3 dir:sent", "--json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&value["schema"], &value["query"]), (&1.into(), &"json:/id=3 dir:sent".into()));
    let hits = value["hits"].as_array().unwrap();
    assert_eq!((value["found"].as_u64().unwrap(), hits.len()), (1, 1), "{value:#}");
    let row = hits[0]["row"].as_u64().unwrap().to_string();
    let line = text(&run(&["export", &path, "--to", "jsonl", "--rows", &row]).stdout);
    assert_eq!(hits[0], rows(&line)[0]);
    let output = run(&["search", &path, "json:/id=4", "--json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((status(&output), &value["found"], &value["hits"]), (1, &0.into(), &Value::Array(Vec::new())));
}

#[test]
fn an_export_takes_the_rows_that_fit_and_no_others() {
    let (folder, path) = saved();
    let export = |more: &[&str]| rows(&text(&run(&[&["export", &path, "--to", "jsonl"], more].concat()).stdout));
    let all = export(&[]);
    let texts = export(&["--filter", "kind:text dir:sent"]);
    let wanted: Vec<&Value> =
        all.iter().filter(|row| row["opcode"] == "text" && row["direction"] == "client_to_server").collect();
    assert_eq!(texts.iter().collect::<Vec<_>>(), wanted);
    assert_eq!(texts.len(), 3);
    let second = texts[1]["row"].as_u64().unwrap();
    let from = format!("{second}-");
    let both = export(&["--filter", "kind:text dir:sent", "--rows", &from]);
    assert_eq!(both.iter().collect::<Vec<_>>(), wanted[1..]);
    let others = export(&["--filter", "-kind:text"]);
    assert!(others.iter().all(|row| row["opcode"] != "text") && !others.is_empty());
    let none = folder.path().join("none.jsonl");
    let output = run(&["export", &path, "-o", none.to_str().unwrap(), "--filter", "gamma"]);
    assert_eq!(status(&output), 0);
    assert!(text(&output.stderr).contains("no row fits"), "{}", text(&output.stderr));
    assert_eq!(std::fs::read(&none).unwrap(), b"");
    for to in ["html", "md", "text", "har", "bundle", "pcapng"] {
        let output = run(&["export", &path, "--to", to, "--filter", "beta"]);
        assert_eq!(status(&output), 0, "{to}: {}", text(&output.stderr));
        let holds = |word: &[u8]| output.stdout.windows(word.len()).any(|window| window == word);
        assert!(to == "bundle" || to == "pcapng" || holds(b"beta two"), "{to}");
        // The reports also say who listens, which is this very program with its command line.
        assert!(to != "har" || !holds(b"alpha one"), "{to}");
    }
}
