//! The server's console: where its lines come from, and how the process behind it ends.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where the lines of a server's console come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleKind {
    /// A log file that is followed.
    File,
    /// A command that we started.
    Command,
    /// Our standard input.
    StandardInput,
}

/// Which console a text was copied from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PastedConsole {
    /// The server's.
    Server,
    /// The browser's, or that of another client.
    Browser,
}

impl PastedConsole {
    /// The word for it: `server` or `browser`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Browser => "browser",
        }
    }
}

/// How a process ended, as the system told its parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitStatus {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

impl ExitStatus {
    /// The signal that ended it: the system's word, or what a shell makes of it (128 and the signal's number).
    pub fn signal_number(self) -> Option<i32> {
        let of_shell = self.code.filter(|code| (129..=192).contains(code)).map(|code| code - 128);
        self.signal.or(of_shell)
    }

    /// Whether the process said that all was well.
    pub fn is_success(self) -> bool {
        self.code == Some(0)
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (_, Some(signal)) => write!(f, "signal {signal}")?,
            (Some(code), None) => write!(f, "exit code {code}")?,
            (None, None) => return f.write_str("no exit code"),
        }
        match self.signal_number().and_then(signal_name) {
            Some(name) => write!(f, " ({name})"),
            None => Ok(()),
        }
    }
}

/// The name of a signal by its number, as every Unix numbers these.
fn signal_name(number: i32) -> Option<&'static str> {
    Some(match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_of_shells_name_their_signal() {
        let code = |code| ExitStatus { code: Some(code), signal: None };
        assert_eq!(code(1).to_string(), "exit code 1");
        assert_eq!(code(137).to_string(), "exit code 137 (SIGKILL)");
        assert_eq!((code(143).signal_number(), code(128).signal_number()), (Some(15), None));
        assert_eq!(ExitStatus { code: None, signal: Some(11) }.to_string(), "signal 11 (SIGSEGV)");
        assert!(code(0).is_success() && !code(1).is_success());
    }
}
