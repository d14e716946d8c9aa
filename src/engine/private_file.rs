//! Files that only their owner may read, and where journals without a name go.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

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

/// Where journals without a name go.
pub(super) fn sessions_folder() -> PathBuf {
    directories::ProjectDirs::from("", "", "sockeye")
        .map_or_else(|| std::env::temp_dir().join("sockeye"), |dirs| dirs.data_local_dir().to_owned())
        .join("sessions")
}

/// Creates a journal without a name in a folder, which is created if need be.
pub(super) fn create_unnamed(folder: &Path, began_unix_millis: i64) -> io::Result<(PathBuf, File)> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    permissions::folder_for_owner(&mut builder);
    builder.create(folder)?;
    let process = std::process::id();
    let mut number = 0_u32;
    loop {
        let path = folder.join(format!("{began_unix_millis}-{process}-{number}.sockeye"));
        match create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 10_000 => number += 1,
            Err(error) => return Err(error),
            Ok(file) => return Ok((path, file)),
        }
    }
}

#[cfg(unix)]
mod permissions {
    use std::fs::{DirBuilder, File, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};

    pub(super) fn for_owner(options: &mut OpenOptions) {
        options.mode(0o600);
    }

    pub(super) fn folder_for_owner(builder: &mut DirBuilder) {
        builder.mode(0o700);
    }

    pub(super) fn restrict(file: &File) -> io::Result<()> {
        file.set_permissions(Permissions::from_mode(0o600))
    }
}

#[cfg(not(unix))]
mod permissions {
    use std::fs::{DirBuilder, File, OpenOptions};
    use std::io;

    // A profile's folder belongs to its owner there.
    pub(super) fn for_owner(_options: &mut OpenOptions) {}

    pub(super) fn folder_for_owner(_builder: &mut DirBuilder) {}

    pub(super) fn restrict(_file: &File) -> io::Result<()> {
        Ok(())
    }
}
