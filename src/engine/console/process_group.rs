//! A process and everything that it has started, as one thing that can be ended.

use std::process::Stdio;

use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::process::{Child, Command};

use crate::observation::ExitStatus;

/// A command line as the platform's shell runs it, at the head of a group of its own.
#[cfg(unix)]
pub(super) fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).process_group(0);
    shell
}

/// A command line as the platform's shell runs it.
#[cfg(windows)]
pub(super) fn shell(command: &str) -> Command {
    /// No console window of its own.
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    let mut shell = Command::new("cmd");
    shell.raw_arg("/S /C").raw_arg(format!("\"{command}\"")).creation_flags(CREATE_NO_WINDOW);
    shell
}

/// A command line, its words parted by white space, where there is no shell that we know.
#[cfg(not(any(unix, windows)))]
pub(super) fn shell(command: &str) -> Command {
    let mut words = command.split_whitespace();
    let mut program = Command::new(words.next().unwrap_or_default());
    program.args(words);
    program
}

/// How hard a group is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Force {
    /// Its members may tidy up.
    Ask,
    /// They may not.
    Kill,
}

/// The processes that this one has started, and those have, also where they left the group; none where nobody tells.
pub(super) fn descendants(pid: u32) -> Vec<u32> {
    let Ok(mut system) = System::new() else { return Vec::new() };
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, ProcessRefreshKind::nothing().without_tasks());
    let mut found = vec![Pid::from_u32(pid)];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        next += 1;
        let children = system.processes().values().filter(|process| process.parent() == Some(parent));
        let children: Vec<_> = children.map(Process::pid).filter(|pid| !found.contains(pid)).collect();
        found.extend(children);
    }
    found.into_iter().skip(1).map(Pid::as_u32).collect()
}

/// Ends every process of the group that this one is the head of, and these; those that have gone on their own do no harm.
#[cfg(unix)]
pub(super) fn end(pid: u32, also: &[u32], force: Force) {
    let signal = match force {
        Force::Ask => "TERM",
        Force::Kill => "KILL",
    };
    let also: Vec<String> = also.iter().map(ToString::to_string).collect();
    // The shell's own `kill`: no library of ours may call the system without checks.
    run(std::process::Command::new("sh").arg("-c").arg(format!("kill -s {signal} -- -{pid} {}", also.join(" "))));
}

/// Ends this process and those that it has started.
#[cfg(windows)]
pub(super) fn end(pid: u32, _also: &[u32], force: Force) {
    let mut command = std::process::Command::new("taskkill");
    command.args(["/PID", &pid.to_string(), "/T"]);
    // Programs without a window do not hear the polite word.
    match force {
        Force::Ask | Force::Kill => command.arg("/F"),
    };
    run(&mut command);
}

/// Ends nothing: the process itself ends when its handle is dropped.
#[cfg(not(any(unix, windows)))]
pub(super) fn end(_pid: u32, _also: &[u32], _force: Force) {}

#[cfg(any(unix, windows))]
fn run(command: &mut std::process::Command) {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Whoever is gone already cannot be told to go.
    command.status().ok();
}

/// Waits for the head of the group to end.
pub(super) async fn wait(child: &mut Child) -> std::io::Result<ExitStatus> {
    child.wait().await.map(of)
}

#[cfg(unix)]
fn of(status: std::process::ExitStatus) -> ExitStatus {
    use std::os::unix::process::ExitStatusExt as _;
    ExitStatus { code: status.code(), signal: status.signal() }
}

#[cfg(not(unix))]
fn of(status: std::process::ExitStatus) -> ExitStatus {
    ExitStatus { code: status.code(), signal: None }
}
