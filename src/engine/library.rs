//! Sessions on disk: those without a name that are kept for a while, and the files that were opened or saved last.
//!
//! Blocks; never on the runtime's threads. A list of paths is all that is remembered, in a file beside the journals.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::private_file::{create_folder, is_in_use, replace};
use super::unsaved::{is_unnamed, sweep};
use crate::journal::{ReadError, Summary, summary};

/// A session on disk.
#[derive(Clone, Debug)]
pub struct SavedSession {
    /// Its file.
    pub path: PathBuf,
    /// Whether somebody gave it a name; the others are removed when they get too many.
    pub is_named: bool,
    /// Whether it was not ended, nobody writes it, and nobody has looked at it since: Sockeye was killed.
    pub is_orphan: bool,
    /// Whether somebody writes it at the moment.
    pub is_in_use: bool,
    /// When it was written last, Unix milliseconds.
    pub modified_unix_millis: i64,
    /// Its length in bytes.
    pub len_bytes: u64,
    /// What it is about, or why that cannot be read.
    pub summary: Result<Box<Summary>, String>,
}

/// How much the sessions without a name take, and may take, together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnnamedRoom {
    /// What they take, in bytes.
    pub taken_bytes: u64,
    /// What they may take, in bytes; beyond, the oldest are removed, but none that is being written.
    pub limit_bytes: u64,
}

impl UnnamedRoom {
    /// What they may take unless the user says otherwise, in bytes.
    pub const LIMIT_BYTES: u64 = 10 * 1024 * 1024 * 1024;
}

/// Where sessions lie, and what is remembered of them.
#[derive(Clone, Debug)]
pub(super) struct Library {
    folder: PathBuf,
}

/// What is remembered.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Remembered {
    schema: u32,
    /// Files elsewhere that were opened or saved, the newest first.
    files: Vec<PathBuf>,
    /// Journals without a name that the user has looked at.
    seen: Vec<PathBuf>,
    /// How much journals without a name may take together, if the user has said so.
    unnamed_limit_bytes: Option<u64>,
}

impl Library {
    /// The sessions of this folder.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Every session, the newest first.
    pub(super) fn list(&self) -> Vec<SavedSession> {
        let remembered = self.remembered();
        let own = fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let own = own.filter(|path| path.extension().is_some_and(|extension| extension == "sockeye"));
        let elsewhere = remembered.files.iter().filter(|path| !path.starts_with(&self.folder)).cloned();
        let mut all: Vec<SavedSession> =
            own.chain(elsewhere).filter_map(|path| self.look_at(path, &remembered)).collect();
        all.sort_by(|one, other| (other.modified_unix_millis, &other.path).cmp(&(one.modified_unix_millis, &one.path)));
        all.truncate(MAX_LISTED);
        all
    }

    /// Removes the oldest sessions without a name until they take no more than they may.
    pub(super) fn sweep(&self) -> UnnamedRoom {
        let limit_bytes = self.remembered().unnamed_limit_bytes.unwrap_or(UnnamedRoom::LIMIT_BYTES);
        UnnamedRoom { taken_bytes: sweep(&self.folder, limit_bytes), limit_bytes }
    }

    /// Remembers how much sessions without a name may take together.
    pub(super) fn limit_unnamed(&self, limit_bytes: u64) -> io::Result<()> {
        self.write(&Remembered { unnamed_limit_bytes: Some(limit_bytes), ..self.remembered() })
    }

    /// Remembers that the user has opened or saved a file.
    pub(super) fn remember(&self, path: &Path) -> io::Result<()> {
        let mut remembered = self.remembered();
        let is_own = path.starts_with(&self.folder);
        let path = if is_own { path.to_owned() } else { fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()) };
        let list = if is_own { &mut remembered.seen } else { &mut remembered.files };
        list.retain(|known| *known != path);
        list.insert(0, path);
        list.truncate(MAX_REMEMBERED);
        self.write(&remembered)
    }

    /// Gives a session another name, in the same folder; one that is there already stays. Gives the new path.
    pub(super) fn rename(&self, path: &Path, name: &str) -> io::Result<PathBuf> {
        let name = name.trim();
        let is_name = !name.is_empty() && name.len() <= 200 && !name.starts_with('.');
        if !is_name || name.chars().any(|c| c.is_control() || r#"/\:*?"<>|"#.contains(c)) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a name has no signs such as / \\ : * ? \" < > |"));
        }
        if is_in_use(path) {
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, "it is being written"));
        }
        let stem = name.strip_suffix(".sockeye").unwrap_or(name);
        let to = path.with_file_name(format!("{stem}.sockeye"));
        // Linking fails where something is there, which renaming would overwrite.
        if fs::hard_link(path, &to).is_ok() {
            fs::remove_file(path)?;
        } else if to.exists() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a session of this name"));
        } else {
            fs::rename(path, &to)?;
        }
        let mut remembered = self.remembered();
        for known in remembered.files.iter_mut().chain(&mut remembered.seen).filter(|known| *known == path) {
            known.clone_from(&to);
        }
        self.write(&remembered)?;
        Ok(to)
    }

    /// Deletes a session that nobody writes.
    pub(super) fn delete(&self, path: &Path) -> io::Result<()> {
        if !path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sockeye")) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no session"));
        }
        if is_in_use(path) {
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, "it is being written"));
        }
        fs::remove_file(path)?;
        let mut remembered = self.remembered();
        remembered.files.retain(|known| known != path);
        remembered.seen.retain(|known| known != path);
        self.write(&remembered)
    }

    fn look_at(&self, path: PathBuf, remembered: &Remembered) -> Option<SavedSession> {
        let about = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
        let modified = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let is_named = !path.starts_with(&self.folder) || !is_unnamed(&path);
        let is_in_use = is_in_use(&path);
        let summary = File::open(&path)
            .map_err(|error| error.to_string())
            .and_then(|file| summary(file).map(Box::new).map_err(|error| words(&error)));
        let is_unfinished = summary.as_ref().is_ok_and(|summary| !summary.is_ended && summary.plan.is_some());
        Some(SavedSession {
            is_orphan: is_unfinished && !is_named && !is_in_use && !remembered.seen.contains(&path),
            path,
            is_named,
            is_in_use,
            modified_unix_millis: modified.map_or(0, |at| i64::try_from(at.as_millis()).unwrap_or(i64::MAX)),
            len_bytes: about.len(),
            summary,
        })
    }

    fn remembered(&self) -> Remembered {
        // What cannot be read is forgotten.
        let text = fs::read(self.file()).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    fn write(&self, remembered: &Remembered) -> io::Result<()> {
        create_folder(&self.folder)?;
        let text = serde_json::to_vec_pretty(&Remembered {
            schema: 1,
            files: remembered.files.clone(),
            seen: remembered.seen.clone(),
            unnamed_limit_bytes: remembered.unnamed_limit_bytes,
        })?;
        replace(&self.file(), &text)
    }

    fn file(&self) -> PathBuf {
        self.folder.join("recent.json")
    }
}

fn words(error: &ReadError) -> String {
    match error {
        ReadError::NotAJournal => error.to_string(),
        ReadError::Read { source, .. } => source.to_string(),
    }
}

const MAX_LISTED: usize = 500;
const MAX_REMEMBERED: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::unsaved;
    use crate::journal::{Header, Writer};
    use crate::observation::{ConnId, Fact, Moment};

    fn write(file: File, is_ended: bool) {
        let mut writer = Writer::create(file, &Header::new(ConnId(1), 1)).unwrap();
        let told = crate::export::testing::opening();
        for fact in told.iter().chain(is_ended.then_some(&Fact::Finished)) {
            writer.append(Moment(1), fact).unwrap();
        }
        writer.flush().unwrap();
    }

    #[test]
    fn a_killed_session_is_offered_once() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::new(fs::canonicalize(folder.path()).unwrap().join("sessions"));
        let (killed, file) = unsaved::create(&library.folder, 1).unwrap();
        write(file, false);
        let (ended, file) = unsaved::create(&library.folder, 2).unwrap();
        write(file, true);
        let (live, held) = unsaved::create(&library.folder, 3).unwrap();
        write(held.try_clone().unwrap(), false);
        let orphans = || library.list().into_iter().filter(|s| s.is_orphan).map(|s| s.path).collect::<Vec<_>>();
        assert_eq!(orphans(), std::slice::from_ref(&killed));
        assert_eq!(library.list().len(), 3);
        assert!(library.list().iter().any(|s| s.path == live && s.is_in_use));
        library.remember(&killed).unwrap();
        assert_eq!(orphans(), Vec::<PathBuf>::new());
        assert!(library.list().iter().all(|s| !s.is_named));
        drop(held);
        let named = library.rename(&ended, "login fails").unwrap();
        assert!(library.list().iter().any(|s| s.path == named && s.is_named));
        library.delete(&named).unwrap();
        assert_eq!(library.list().len(), 2);
    }

    #[test]
    fn the_room_of_sessions_without_a_name_is_a_setting_that_stays() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::new(folder.path().to_owned());
        assert_eq!(library.sweep(), UnnamedRoom { taken_bytes: 0, limit_bytes: UnnamedRoom::LIMIT_BYTES });
        let paths: Vec<PathBuf> = (1..=3)
            .map(|age| {
                let (path, file) = unsaved::create(folder.path(), age).unwrap();
                write(file, true);
                path
            })
            .collect();
        let one = paths[0].metadata().unwrap().len();
        library.limit_unnamed(2 * one).unwrap();
        library.remember(&paths[2]).unwrap();
        assert_eq!(library.sweep(), UnnamedRoom { taken_bytes: 2 * one, limit_bytes: 2 * one });
        assert_eq!(paths.iter().filter(|path| path.exists()).count(), 2);
        assert_eq!(Library::new(folder.path().to_owned()).sweep().limit_bytes, 2 * one);
    }

    #[test]
    fn names_stay_names_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::new(folder.path().to_owned());
        let (one, file) = unsaved::create(folder.path(), 1).unwrap();
        write(file, true);
        let (two, file) = unsaved::create(folder.path(), 2).unwrap();
        write(file, true);
        let one = library.rename(&one, "a.sockeye").unwrap();
        assert_eq!(one.file_name().unwrap(), "a.sockeye");
        assert!(library.rename(&two, "a").is_err() && two.exists());
        for bad in ["", "../x", "a/b", ".hidden", "c:d", "x\u{7}"] {
            assert!(library.rename(&one, bad).is_err(), "{bad}");
        }
        assert!(library.delete(folder.path()).is_err());
        assert!(library.delete(&folder.path().join("recent.json")).is_err());
    }

    #[test]
    fn files_elsewhere_are_remembered_the_newest_first() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::new(folder.path().join("sessions"));
        let path = folder.path().join("mine.sockeye");
        write(File::create(&path).unwrap(), true);
        library.remember(&path).unwrap();
        library.remember(&path).unwrap();
        let listed = library.list();
        assert!(listed.len() == 1 && listed[0].is_named && listed[0].summary.as_ref().unwrap().plan.is_some());
        fs::remove_file(&path).unwrap();
        assert_eq!(library.list().len(), 0);
        fs::write(library.file(), b"{broken").unwrap();
        assert_eq!(library.list().len(), 0);
    }
}
