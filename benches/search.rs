//! Opening and searching a session of 1 GiB, beside ripgrep over the same payloads as JSON Lines.
//!
//! CPU is that of the whole process that searches, of ripgrep's process likewise; both read from the page cache, and every
//! count of hits must be the same. Needs `rg` (Debian: `apt-get install ripgrep`) for the baseline; Linux only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, measures real time, and ends by panicking"
)]

mod load;

use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use load::{children_ticks, output_of_self, process_cpu};
use sockeye::diagnosis::{Case, diagnose};
use sockeye::engine::Recorder;
use sockeye::observation::ConnId;
use sockeye::store::{Filter, Page, View};

const SESSION_BYTES: u64 = 1 << 30;
const CONN: ConnId = ConnId(1);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["find", path, query] => find(Path::new(path), query),
        ["open", path] => open(Path::new(path)),
        [] => all(&[120, 1024]),
        [size] => all(&[size.parse().unwrap()]),
        _ => println!("usage: search [BYTES | find FILE QUERY | open FILE]"),
    }
}

/// What is looked for: our query, ripgrep's arguments.
const SEARCHES: &[(&str, &str, &[&str])] = &[
    ("literal, rare", "exact:\"\\\"number\\\":0000123456,\"", &["-F", "\"number\":0000123456,"]),
    ("literal, one in a thousand", "exact:777,", &["-F", "777,"]),
    ("literal, any case", "\"NUMBER\\\":0000123456,\"", &["-F", "-i", "NUMBER\":0000123456,"]),
    ("literal, not there", "exact:zebra", &["-F", "zebra"]),
    ("regex, rare", "/0000123[45]\\d6,/", &["0000123[45]\\d6,"]),
    ("regex, one in a hundred", "/\"number\":\\d+77,/", &["\"number\":\\d+77,"]),
    ("regex, words", "/queue (metric|agent) session/", &["queue (metric|agent) session"]),
];

fn all(sizes: &[usize]) {
    let folder = tempfile::tempdir().unwrap();
    for &size in sizes {
        let frames = SESSION_BYTES / size as u64;
        let session = folder.path().join("search.sockeye");
        let lines = folder.path().join("search.jsonl");
        load::write_session(&session, frames, size);
        let mut out = BufWriter::new(std::fs::File::create(&lines).unwrap());
        for number in 0..frames {
            out.write_all(&load::payload(number, size)).unwrap();
            out.write_all(b"\n").unwrap();
        }
        out.flush().unwrap();
        println!(
            "{frames} frames × {size} B, {:.2} GiB",
            session.metadata().unwrap().len() as f64 / (1_u64 << 30) as f64
        );
        print!("{}", output_of_self(&["open", session.to_str().unwrap()]));
        for (name, query, args) in SEARCHES {
            let ours = best(3, || numbers(&output_of_self(&["find", session.to_str().unwrap(), query])));
            let Some(theirs) = ripgrep(&lines, args) else {
                println!("  {name}: {:.0} ms CPU, {} hits; no rg to compare with", ours[0], ours[1]);
                continue;
            };
            assert_eq!(ours[1] as u64, theirs[1] as u64, "{name}: the hits of ripgrep");
            println!(
                "  {name}: {:.0} ms CPU, ripgrep {:.0} ms, ratio {:.2}; {} hits",
                ours[0],
                theirs[0],
                ours[0] / theirs[0],
                ours[1]
            );
        }
        std::fs::remove_file(&session).unwrap();
    }
}

fn best(runs: usize, mut run: impl FnMut() -> Vec<f64>) -> Vec<f64> {
    (0..runs).map(|_| run()).min_by(|one, other| one[0].total_cmp(&other[0])).unwrap()
}

fn numbers(text: &str) -> Vec<f64> {
    text.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

/// CPU milliseconds of ripgrep and its count, the best of several runs; one thread, as ours.
fn ripgrep(lines: &Path, args: &[&str]) -> Option<Vec<f64>> {
    let run = || {
        let before = children_ticks();
        let mut command = Process::new("rg");
        command.args(["-j1", "-c", "--no-config"]).args(args).arg(lines).stderr(Stdio::null());
        let out = command.output().ok()?;
        let count = String::from_utf8(out.stdout).ok()?.trim().parse().unwrap_or(0.0);
        Some(vec![(children_ticks() - before) as f64 * 10.0, count])
    };
    run()?;
    Some(best(5, || run().unwrap()))
}

fn recorder() -> Recorder {
    Recorder::start_in(Arc::new(|| {}), std::env::temp_dir().join("sockeye-bench")).unwrap()
}

/// Opens a session and tells when its first rows, its last rows and its verdict were there.
fn open(path: &Path) {
    let recorder = recorder();
    let began = Instant::now();
    std::thread::scope(|scope| {
        let opener = scope.spawn(|| recorder.open_file(CONN, path).unwrap());
        let mut first = None;
        let mut last = None;
        let (view, last) = loop {
            let is_over = opener.is_finished();
            if let Some(view) = recorder.view(CONN) {
                if first.is_none() && matches!(view.page(0..40), Page::Ready(rows) if rows.len() == 40) {
                    first = Some(began.elapsed());
                }
                if last.as_ref().is_none_or(|(of, _, _)| *of != view.rows)
                    && let Page::Ready(rows) = view.page(view.rows.saturating_sub(40)..view.rows)
                {
                    last = Some((view.rows, rows, began.elapsed()));
                }
                // Those that were seen early are the last ones if they still are when all was read.
                if is_over
                    && let Some((_, seen, then)) = last.take_if(|(of, _, _)| *of == view.rows)
                    && let Page::Ready(rows) = view.page(view.rows - 40..view.rows)
                {
                    assert_eq!(rows, seen);
                    break (view, then);
                }
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let verdict = diagnose(&Case { story: &view.story, probes_pending: false });
        println!(
            "  opened: first rows after {:.0} ms, last rows after {:.0} ms, verdict {} after {:.0} ms, CPU {:.0} ms, peak memory {} MiB",
            first.unwrap_or(last).as_secs_f64() * 1e3,
            last.as_secs_f64() * 1e3,
            verdict.cause,
            began.elapsed().as_secs_f64() * 1e3,
            process_cpu().as_secs_f64() * 1e3,
            load::peak_mib()
        );
    });
}

/// Searches an opened session; prints CPU milliseconds and the number of hits.
fn find(path: &Path, query: &str) {
    let recorder = recorder();
    recorder.open_file(CONN, path).unwrap();
    let view: Arc<View> = recorder.view(CONN).unwrap();
    let filter = Arc::new(Filter::parse(query, |_| String::new()).unwrap());
    let began = process_cpu();
    let hits = loop {
        let hits = view.source.search(&filter);
        if hits.is_done {
            break hits;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    println!("{} {}", process_cpu().saturating_sub(began).as_secs_f64() * 1e3, hits.matches.len());
}
