//! The rules of the tree: who may use what, how long a file may be, what every file begins with.
//!
//! A failure names the file, the line and the rule.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sockeye::diagnosis::catalogue;
use sockeye::engine::practice::FAULTS;
use sockeye::export::check_json::SCHEMA;

/// A word that only some folders may use.
struct Rule {
    words: &'static [&'static str],
    only_under: &'static [&'static str],
    in_folders: &'static [&'static str],
    says: &'static str,
}

const EVERYWHERE: &[&str] = &["src/"];
const CORE: &[&str] = &[
    "src/observation",
    "src/wire",
    "src/store",
    "src/diagnosis",
    "src/token",
    "src/journal",
    "src/export",
    "src/compare",
];

const RULES: &[Rule] = &[
    Rule {
        words: &["tokio"],
        only_under: &["src/engine/"],
        in_folders: EVERYWHERE,
        says: "tokio lives under src/engine and nowhere else",
    },
    Rule {
        words: &["egui", "eframe", "rfd"],
        only_under: &["src/ui/"],
        in_folders: EVERYWHERE,
        says: "egui, eframe and rfd live under src/ui and nowhere else",
    },
    Rule {
        words: &["jsonwebtoken"],
        only_under: &["src/token/", "src/engine/practice/"],
        in_folders: EVERYWHERE,
        says: "jsonwebtoken lives under src/token, and in the practice server, which is the other end",
    },
    Rule {
        words: &["println!", "eprintln!", "print!", "eprint!", "stdout", "stderr"],
        only_under: &["src/cli/print.rs", "src/engine/console/", "src/engine/file_manager.rs"],
        in_folders: EVERYWHERE,
        says: "only src/cli/print.rs writes to the terminal, and src/engine/console reads what a command writes",
    },
    Rule {
        words: &["crate::engine", "crate::ui", "crate::cli", "super::engine"],
        only_under: &[],
        in_folders: CORE,
        says: "arrows point inwards: the core knows neither the engine nor the faces",
    },
    Rule {
        words: &["TcpStream", "UdpSocket", "std::fs", "std::thread", "std::process", "Instant::now", "SystemTime::now"],
        only_under: &[],
        in_folders: CORE,
        says: "the core is given bytes and moments; it never opens, asks or draws",
    },
    Rule {
        words: &["crate::ui", "crate::cli"],
        only_under: &[],
        in_folders: &["src/engine/"],
        says: "arrows point inwards: the engine knows no face",
    },
    Rule {
        words: &["crate::ui"],
        only_under: &["src/cli/mod.rs"],
        in_folders: &["src/cli/"],
        says: "the command line knows the window only to open it",
    },
    Rule {
        words: &["crate::cli"],
        only_under: &[],
        in_folders: &["src/ui/"],
        says: "the window does not know the command line",
    },
    Rule {
        words: &["crate::wire", "crate::diagnosis", "crate::store", "engine::client", "super::client"],
        only_under: &[],
        in_folders: &["src/engine/practice/"],
        says: "the practice server knows of us the token alone: no client is tested against its own misunderstanding",
    },
    Rule {
        words: &["crate::store", "crate::diagnosis", "crate::export", "crate::journal", "crate::token"],
        only_under: &[],
        in_folders: &["src/wire/"],
        says: "wire is pure functions over bytes and knows of us only directions and moments",
    },
    Rule { words: &["crate::"], only_under: &[], in_folders: &["src/token/"], says: "token knows nothing else of us" },
];

/// Lines that a file may have before its tests.
const CEILING: usize = 500;

struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The lines before the tests, with their numbers.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = if self.is_test() { 0 } else { self.text.lines().count() };
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line)).take(end);
        lines.take_while(|(_, line)| !line.starts_with("#[cfg(test)]") && !line.starts_with("#![cfg(test)]"))
    }

    /// Whether the whole file is tests.
    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.ends_with("/testing.rs") || self.path.contains("/tests/")
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<Source> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    paths.sort();
    let source = |path: PathBuf| Source {
        path: path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/"),
        text: fs::read_to_string(&path).unwrap(),
    };
    paths.into_iter().map(source).collect()
}

/// Whether a line of code uses a word as a whole word, outside of comments.
fn uses(line: &str, word: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins_with_sign = word.starts_with(|c| !is_part(c));
    let ends_with_sign = word.ends_with(|c| !is_part(c));
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        // A crate's relatives count too: `egui_extras`, `tokio_tungstenite`.
        (begins_with_sign || !before.is_some_and(is_part))
            && (ends_with_sign || !after.is_some_and(|c| is_part(c) && c != '_'))
            && code[..at].matches('"').count().is_multiple_of(2)
    })
}

#[test]
fn every_folder_uses_what_it_may() {
    let mut broken = Vec::new();
    for source in sources("src") {
        for rule in RULES {
            let concerns = rule.in_folders.iter().any(|folder| source.path.starts_with(folder));
            let may = rule.only_under.iter().any(|folder| source.path.starts_with(folder));
            if !concerns || may {
                continue;
            }
            for (number, line) in source.lines() {
                if let Some(word) = rule.words.iter().find(|word| uses(line, word)) {
                    broken.push(format!("{}:{number} uses {word}: {}", source.path, rule.says));
                }
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn no_file_is_longer_than_the_ceiling() {
    let mut broken = Vec::new();
    for source in sources("src") {
        let lines = source.lines().count();
        if lines > CEILING {
            broken.push(format!("{}:{lines} lines: at most {CEILING}; split it by meaning", source.path));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_file_begins_by_saying_what_it_is() {
    let mut broken = Vec::new();
    for source in sources("src").into_iter().chain(sources("tests")) {
        if !source.text.starts_with("//! ") {
            broken.push(format!("{}:1 a file begins with //! and what it is", source.path));
        }
        for (index, line) in source.text.lines().enumerate() {
            let comment = line.split_once("//").map_or("", |(_, comment)| comment);
            if ["TODO", "FIXME", "XXX"].iter().any(|word| comment.contains(word))
                && !source.path.ends_with("architecture.rs")
            {
                broken.push(format!("{}:{} no unfinished business in comments", source.path, index + 1));
            }
        }
        for name in ["utils.rs", "helpers.rs", "common.rs", "types.rs"] {
            if source.path.ends_with(&format!("/{name}")) {
                broken.push(format!("{}:1 split by meaning, never into {name}", source.path));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// The texts of an enum in the schema.
fn schema_enum(name: &str) -> BTreeSet<String> {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
    let texts = schema["$defs"][name]["enum"].as_array().unwrap().iter();
    texts.map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn schema_catalogue_and_faults_name_the_same_causes() {
    let in_schema = schema_enum("cause");
    let in_catalogue: BTreeSet<String> = catalogue::causes().map(|cause| cause.id.to_owned()).collect();
    let missing: Vec<_> = in_catalogue.difference(&in_schema).collect();
    assert!(missing.is_empty(), "assets/check.schema.json does not allow {missing:?}");
    let extra: Vec<_> = in_schema.difference(&in_catalogue).collect();
    assert!(extra.is_empty(), "assets/check.schema.json allows {extra:?}, which no cause is");
    for fault in FAULTS {
        assert!(in_schema.contains(fault.cause), "the fault {} teaches {}, which is no cause", fault.id, fault.cause);
    }
    let endings: BTreeSet<String> = catalogue::endings().map(|ending| ending.id.to_owned()).collect();
    assert_eq!(endings, schema_enum("ending"));
}

#[test]
fn words_are_found_as_whole_words() {
    assert!(
        uses("use tokio::net;", "tokio") && uses("use egui_extras::X;", "egui") && uses("std::print!(x)", "print!")
    );
    assert!(!uses("// tokio", "tokio") && !uses("let atokio = 1;", "tokio") && !uses("\"tokio\"", "tokio"));
    assert!(!uses("eprint!(x)", "print!") && !uses("pub mod wirefdx;", "rfd"));
}
