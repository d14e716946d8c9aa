//! Files that only their owner may read, and that say when somebody writes them.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// Creates a file that must not exist, readable and writable by its owner alone.
pub(super) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    permissions::for_owner(&mut options);
    options.open(path)
}

/// Creates a file, or takes an existing one if it is an ordinary file and empty.
pub(super) fn create_or_take_empty(path: &Path) -> io::Result<File> {
    match create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let there = path.symlink_metadata()?;
            if !there.is_file() || there.len() > 0 {
                return Err(error);
            }
            let file = OpenOptions::new().write(true).open(path)?;
            permissions::restrict(&file)?;
            Ok(file)
        }
        other => other,
    }
}

/// Opens a file to write at its end, or creates it, readable by its owner alone.
pub(super) fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    permissions::for_owner(&mut options);
    let file = options.open(path)?;
    permissions::restrict(&file)?;
    Ok(file)
}

/// Puts a file with these contents in the place of another one, whole or not at all, readable by its owner alone.
pub(super) fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let beside = Path::new(&beside);
    // What an earlier process of this number left there is nobody's.
    std::fs::remove_file(beside).ok();
    let mut file = create_new(beside)?;
    file.write_all(contents)?;
    file.sync_all()?;
    std::fs::rename(beside, path)
}

/// Creates a folder, and those above it, for its owner alone.
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    permissions::folder_for_owner(&mut builder);
    builder.create(path)
}

/// Marks a file as being written, until it is closed; for other processes, which [`is_in_use`] tells.
pub(super) fn mark_in_use(file: &File) {
    if let Err(error) = permissions::mark_in_use(file) {
        tracing::debug!(%error, "a journal could not be marked as being written");
    }
}

/// Whether somebody writes the file; `true` in doubt.
pub(super) fn is_in_use(path: &Path) -> bool {
    permissions::is_in_use(path)
}

#[cfg(unix)]
mod permissions {
    use std::fs::{DirBuilder, File, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
    use std::path::Path;

    pub(super) fn for_owner(options: &mut OpenOptions) {
        options.mode(0o600);
    }

    pub(super) fn folder_for_owner(builder: &mut DirBuilder) {
        builder.mode(0o700);
    }

    pub(super) fn restrict(file: &File) -> io::Result<()> {
        file.set_permissions(Permissions::from_mode(0o600))
    }

    pub(super) fn mark_in_use(file: &File) -> io::Result<()> {
        file.try_lock().map_err(io::Error::from)
    }

    pub(super) fn is_in_use(path: &Path) -> bool {
        !File::open(path).is_ok_and(|file| file.try_lock().is_ok())
    }
}

#[cfg(windows)]
mod permissions {
    use std::fs::{DirBuilder, File, OpenOptions};
    use std::io;
    use std::os::windows::fs::OpenOptionsExt as _;
    use std::path::Path;

    // A profile's folder belongs to its owner there.
    pub(super) fn for_owner(_options: &mut OpenOptions) {}

    pub(super) fn folder_for_owner(_builder: &mut DirBuilder) {}

    pub(super) fn restrict(_file: &File) -> io::Result<()> {
        Ok(())
    }

    // An open handle is mark enough; a lock would keep our own reader out.
    pub(super) fn mark_in_use(_file: &File) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn is_in_use(path: &Path) -> bool {
        OpenOptions::new().read(true).share_mode(0).open(path).is_err()
    }
}
