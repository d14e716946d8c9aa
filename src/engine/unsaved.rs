//! Journals that nobody gave a name: where they go, which are left from earlier runs, and how much they may take.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::clock::wall_clock_unix_millis;
use super::private_file::{create_folder, create_new, is_in_use, mark_in_use};

/// Where they go.
pub(super) fn sessions_folder() -> PathBuf {
    directories::ProjectDirs::from("", "", "sockeye")
        .map_or_else(|| std::env::temp_dir().join("sockeye"), |dirs| dirs.data_local_dir().to_owned())
        .join("sessions")
}

/// Where they go if that folder cannot be had: one of this process alone, since others may write beside it.
pub(super) fn last_resort() -> PathBuf {
    std::env::temp_dir().join(format!("sockeye-{}-{}", std::process::id(), wall_clock_unix_millis()))
}

/// Creates one in a folder, which is created if need be.
pub(super) fn create(folder: &Path, began_unix_millis: i64) -> io::Result<(PathBuf, File)> {
    create_folder(folder)?;
    let process = std::process::id();
    let mut number = 0_u32;
    loop {
        let path = folder.join(format!("{began_unix_millis}-{process}-{number}.sockeye"));
        match create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 10_000 => number += 1,
            Err(error) => return Err(error),
            Ok(file) => {
                mark_in_use(&file);
                return Ok((path, file));
            }
        }
    }
}

/// Whether a file has the name that [`create`] gives, so that nobody gave it one.
pub(super) fn is_unnamed(path: &Path) -> bool {
    let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else { return false };
    let parts: Vec<&str> = stem.trim_start_matches('-').split('-').collect();
    parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Removes the oldest that nobody writes, until all together take no more than `limit_bytes`; gives how much is left.
pub(super) fn sweep(folder: &Path, limit_bytes: u64) -> u64 {
    let mut files = list(folder);
    let mut taken: u64 = files.iter().map(|file| file.len_bytes).sum();
    while taken > limit_bytes
        && let Some(oldest) = files.pop()
    {
        if is_in_use(&oldest.path) {
            continue;
        }
        match std::fs::remove_file(&oldest.path) {
            Ok(()) => {
                taken -= oldest.len_bytes;
                tracing::warn!(len_bytes = oldest.len_bytes, "an old unsaved session was removed to make room");
            }
            Err(error) => tracing::warn!(%error, "an old unsaved session could not be removed"),
        }
    }
    taken
}

struct Unsaved {
    modified: SystemTime,
    len_bytes: u64,
    path: PathBuf,
}

/// All of them, the newest first; what cannot be read is not there.
fn list(folder: &Path) -> Vec<Unsaved> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<Unsaved> = entries
        .filter_map(|entry| {
            let path = entry.path();
            let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            let is_journal = path.extension().is_some_and(|extension| extension == "sockeye") && is_unnamed(&path);
            is_journal.then_some(Unsaved { modified: metadata.modified().ok()?, len_bytes: metadata.len(), path })
        })
        .collect();
    files.sort_by(|one, other| (other.modified, &other.path).cmp(&(one.modified, &one.path)));
    files
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::time::Duration;

    use super::*;

    #[test]
    fn oldest_go_first_and_those_being_written_stay() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("sessions");
        let mut files = Vec::new();
        for age in [40, 30, 20, 10] {
            let (path, mut file) = create(&folder, age).unwrap();
            file.write_all(&[0; 100]).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000 - age as u64)).unwrap();
            files.push((path, file));
        }
        let left_over = |folder: &Path| {
            let free = list(folder).into_iter().map(|file| file.path).filter(|path| !is_in_use(path));
            free.collect::<Vec<_>>()
        };
        assert_eq!(left_over(&folder), Vec::<PathBuf>::new());
        let being_written = files.remove(0);
        let paths: Vec<PathBuf> = files.into_iter().map(|(path, _)| path).collect();
        std::fs::write(folder.join("notes.txt"), "not ours").unwrap();
        std::fs::write(folder.join("login fails.sockeye"), "named").unwrap();
        sweep(&folder, 400);
        assert_eq!(left_over(&folder), [paths[2].clone(), paths[1].clone(), paths[0].clone()]);
        sweep(&folder, 250);
        assert_eq!(left_over(&folder), [paths[2].clone()]);
        sweep(&folder, 0);
        assert_eq!(left_over(&folder), Vec::<PathBuf>::new());
        assert!(being_written.0.exists() && folder.join("notes.txt").exists());
        assert!(folder.join("login fails.sockeye").exists(), "what has a name is not swept away");
        assert!(!is_unnamed(Path::new("a-1-2.sockeye")) && is_unnamed(Path::new("1763800000123-77-0.sockeye")));
    }
}
