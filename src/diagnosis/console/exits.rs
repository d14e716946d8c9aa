//! What the end of a process means, as far as its exit code or signal tells.

use crate::observation::ExitStatus;

/// What an exit code or a signal usually stands for, as a clause; `None` where it says nothing.
pub(in crate::diagnosis) fn exit_meaning(status: ExitStatus) -> Option<&'static str> {
    if let Some(signal) = status.signal_number() {
        return SIGNALS.iter().find(|(number, _)| *number == signal).map(|(_, words)| *words);
    }
    let code = status.code?;
    CODES.iter().find(|(number, _)| *number == code).map(|(_, words)| *words)
}

const SIGNALS: &[(i32, &str)] = &[
    (1, "its terminal was closed"),
    (2, "somebody pressed Ctrl-C"),
    (4, "it met an illegal instruction"),
    (6, "it aborted itself: out of memory in Node, or a failed assertion"),
    (9, "it was killed: by kill -9, or by the system for want of memory"),
    (11, "it touched memory that is not its own"),
    (15, "it was asked to end: by kill, docker stop, or a watcher that restarts it"),
];

const CODES: &[(i32, &str)] = &[
    (0, "it ended by itself, as if its work were done"),
    (1, "an exception that nobody caught, or exit(1)"),
    (2, "a panic in Go, or wrong arguments"),
    (3, "its start failed"),
    (7, "Node's handler of uncaught exceptions failed itself"),
    (13, "Node's top-level await was never settled"),
    (101, "a panic in Rust"),
    (126, "the program may not be run"),
    (127, "the shell does not find the program"),
    // NTSTATUS values, as Windows gives them.
    (-1_073_741_819, "it touched memory that is not its own (0xC0000005)"),
    (-1_073_741_510, "somebody pressed Ctrl-C (0xC000013A)"),
    (-1_073_740_791, "it aborted itself (0xC0000409)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_signals_are_told_apart() {
        let code = |code| exit_meaning(ExitStatus { code: Some(code), signal: None });
        assert!(code(1).is_some_and(|words| words.contains("nobody caught")));
        assert_eq!(code(137), exit_meaning(ExitStatus { code: None, signal: Some(9) }));
        assert!(code(134).is_some_and(|words| words.contains("out of memory")));
        assert_eq!((code(42), exit_meaning(ExitStatus::default())), (None, None));
    }
}
