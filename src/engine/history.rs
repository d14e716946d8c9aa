//! How earlier connections ended, by target: a few lines in a private file, so that a repetition across runs counts.
//!
//! Kept are times, ids and codes of ends that a clock may have brought about; the target is kept as a hash alone.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};

use super::private_file::{create_folder, create_new};
use crate::diagnosis::{Case, end_of};
use crate::observation::PastEnd;
use crate::store::Story;
use crate::wire::Target;

/// How many ends of one target are kept.
const MOST_ENDS: usize = 8;
/// Beyond this many lines the file is written anew with the newest half.
const MOST_LINES: usize = 400;
/// A file longer than this is none of ours.
const MOST_BYTES: u64 = 1024 * 1024;

/// The earlier ends, in memory and in the file.
pub(super) struct History {
    path: PathBuf,
    by_target: BTreeMap<String, VecDeque<PastEnd>>,
    lines: usize,
}

#[derive(Serialize, Deserialize)]
struct Line {
    target: String,
    #[serde(flatten)]
    end: PastEnd,
}

impl History {
    /// Reads what earlier runs left in a folder; what cannot be read is not there.
    pub(super) fn read(folder: &Path) -> Self {
        let path = folder.join("earlier-ends.jsonl");
        let is_small = fs::metadata(&path).is_ok_and(|there| there.is_file() && there.len() <= MOST_BYTES);
        let text = if is_small { fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
        let mut history = Self { path, by_target: BTreeMap::new(), lines: 0 };
        for line in text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
            history.lines += 1;
            history.keep(line.target, line.end);
        }
        history
    }

    /// How the last connections to a target ended, the newest last.
    pub(super) fn of(&self, target: &Target) -> Vec<PastEnd> {
        self.by_target.get(&key(target)).map_or_else(Vec::new, |ends| ends.iter().cloned().collect())
    }

    /// Keeps an end for the next connection to the same target.
    pub(super) fn add(&mut self, target: &Target, end: PastEnd) {
        let target = key(target);
        if let Err(error) = self.append(&Line { target: target.clone(), end: end.clone() }) {
            tracing::debug!(%error, "an end could not be kept for later runs");
        }
        self.keep(target, end);
    }

    fn keep(&mut self, target: String, end: PastEnd) {
        let ends = self.by_target.entry(target).or_default();
        ends.push_back(end);
        while ends.len() > MOST_ENDS {
            ends.pop_front();
        }
    }

    fn append(&mut self, line: &Line) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent() {
            create_folder(folder)?;
        }
        if self.lines >= MOST_LINES {
            self.shorten()?;
        }
        let mut file = match fs::OpenOptions::new().append(true).open(&self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => create_new(&self.path)?,
            other => other?,
        };
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.lines += 1;
        file.write_all(text.as_bytes())
    }

    fn shorten(&mut self) -> std::io::Result<()> {
        let text = fs::read_to_string(&self.path)?;
        let kept: Vec<&str> = text.lines().rev().take(MOST_LINES / 2).collect();
        let text: String = kept.iter().rev().flat_map(|line| [*line, "\n"]).collect();
        self.lines = kept.len();
        fs::write(&self.path, text)
    }
}

/// The end of a connection that a clock may have brought about, with its target.
pub(super) fn timed_end(story: &Story) -> Option<(Target, PastEnd)> {
    let plan = story.plan.as_deref()?;
    let end = end_of(&Case { story, probes_pending: false })?;
    Some((plan.target.clone()?, end))
}

/// Names a target without saying it: scheme, host, port and path, hashed.
fn key(target: &Target) -> String {
    let text = format!("{}://{}:{}{}", target.scheme(), target.host.to_ascii_lowercase(), target.port, target.path());
    let (begin, _) = Sha1::digest(text.as_bytes()).iter().fold((0_u128, 0), |(sum, taken), byte| {
        if taken < 16 { (sum << 8 | u128::from(*byte), taken + 1) } else { (sum, taken) }
    });
    format!("{begin:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse_url;

    fn end(age_millis: f64) -> PastEnd {
        PastEnd {
            began_unix_millis: 1,
            ending: "fin".to_owned(),
            cause: "connection-terminated".to_owned(),
            age_millis,
            silence_millis: 1.0,
            close_code: None,
        }
    }

    #[test]
    fn ends_are_kept_by_target_and_across_runs() {
        let folder = tempfile::tempdir().unwrap();
        let target = |url: &str| parse_url(url).unwrap();
        let one = target("ws://h:1/secret-path?token=abc");
        let mut history = History::read(&folder.path().join("new"));
        for age in 0..10 {
            history.add(&one, end(f64::from(age)));
        }
        assert_eq!(history.of(&target("ws://H:1/secret-path?token=other")).len(), MOST_ENDS);
        assert!(history.of(&target("ws://h:1/other")).is_empty());
        let later = History::read(&folder.path().join("new"));
        assert_eq!(later.of(&one).last(), Some(&end(9.0)));
        let text = fs::read_to_string(folder.path().join("new/earlier-ends.jsonl")).unwrap();
        assert!(!text.contains("secret-path") && !text.contains("abc"), "{text}");
    }

    #[test]
    fn a_long_or_broken_file_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("earlier-ends.jsonl");
        fs::write(&path, "{\"target\":1}\nnot json\n\u{0}\n").unwrap();
        let one = parse_url("ws://h:1/").unwrap();
        let mut history = History::read(folder.path());
        assert!(history.of(&one).is_empty());
        for age in 0..1_000 {
            history.add(&one, end(f64::from(age)));
        }
        assert!(fs::read_to_string(&path).unwrap().lines().count() <= MOST_LINES + 3);
        assert_eq!(History::read(folder.path()).of(&one).last(), Some(&end(999.0)));
    }
}
