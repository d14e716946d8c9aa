//! Shows a file in the system's file manager.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// Opens the folder of a file, with the file selected where the system can do that.
pub(super) fn reveal(path: &Path) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    if !path.exists() {
        return Err(io::Error::from(io::ErrorKind::NotFound));
    }
    let mut command = platform::command(&path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    // Nobody waits for it, but it must not stay as a zombie.
    let wait = move || child.wait().ok();
    std::thread::Builder::new().name("job-reveal".to_owned()).spawn(wait).map(drop)
}

#[cfg(target_os = "macos")]
mod platform {
    use super::{Command, Path};

    pub(super) fn command(path: &Path) -> Command {
        let mut command = Command::new("open");
        command.arg("-R").arg(path);
        command
    }
}

#[cfg(windows)]
mod platform {
    use super::{Command, Path};
    use std::os::windows::process::CommandExt as _;

    pub(super) fn command(path: &Path) -> Command {
        let mut command = Command::new("explorer.exe");
        // It takes the path in quotes behind a comma, which ordinary quoting would break.
        command.raw_arg(format!("/select,\"{}\"", path.display()));
        command
    }
}

#[cfg(not(any(windows, target_os = "macos")))]
mod platform {
    use super::{Command, Path};

    pub(super) fn command(path: &Path) -> Command {
        let mut command = Command::new("xdg-open");
        command.arg(path.parent().unwrap_or(Path::new("/")));
        command
    }
}
