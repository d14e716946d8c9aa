//! A command that we start and supervise: its lines, its end, and that nothing of it stays behind.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::{Child, ChildStdin};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::attached::AttachError;
use super::desk::{ConsoleId, Desk};
use super::pipe::PipeLane;
use super::process_group::{self, Force};
use crate::observation::ConsoleKind;

/// How long a server may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_millis(500);
/// How much of a command line names its console.
const NAME_CHARS: usize = 60;

/// A command whose lines go to the desk.
pub(super) struct CommandLane {
    pipe: PipeLane,
    ends: mpsc::Sender<oneshot::Sender<()>>,
}

impl CommandLane {
    /// Starts the command line.
    pub(super) fn start(command: &str, desk: Arc<Desk>, console: ConsoleId) -> Result<Self, AttachError> {
        // Both streams in one pipe, so that their lines come in the order in which they were written.
        let (reader, writer) = std::io::pipe().map_err(AttachError::Pipe)?;
        let second = writer.try_clone().map_err(AttachError::Pipe)?;
        let mut shell = process_group::shell(command);
        // Tools that watch files end when their standard input does: it stays open as long as the lane.
        shell.stdin(Stdio::piped()).stdout(writer).stderr(second).kill_on_drop(true);
        // Python keeps lines back where nobody reads along.
        shell.env("PYTHONUNBUFFERED", "1");
        let mut child = shell.spawn().map_err(AttachError::Start)?;
        // Our ends for writing go with it, so that the pipe ends when the last process of the command does.
        drop(shell);
        desk.attach(console, &name(command), ConsoleKind::Command, child.id());
        let stdin = child.stdin.take();
        let pipe = PipeLane::start(reader, Arc::clone(&desk), console).map_err(AttachError::Pipe)?;
        let (ends, inbox) = mpsc::channel(1);
        tokio::spawn(supervise(child, stdin, inbox, desk, console));
        Ok(Self { pipe, ends })
    }

    /// Waits until what it has written is told.
    pub(super) async fn catch_up(&self) {
        self.pipe.catch_up().await;
    }

    /// Ends it and everything that it has started.
    pub(super) async fn end(&self) {
        let (done, told) = oneshot::channel();
        if self.ends.send(done).await.is_ok() {
            // Whoever supervises answers, or is gone with the command.
            told.await.ok();
        }
    }
}

/// What a console of this command is named after.
fn name(command: &str) -> String {
    let line: String = command.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = line.chars().take(NAME_CHARS).collect();
    if short.len() < line.len() { format!("{short}…") } else { short }
}

async fn supervise(
    mut child: Child,
    stdin: Option<ChildStdin>,
    mut ends: mpsc::Receiver<oneshot::Sender<()>>,
    desk: Arc<Desk>,
    console: ConsoleId,
) {
    let pid = child.id();
    let wanted = tokio::select! {
        ended = process_group::wait(&mut child) => {
            match ended {
                Ok(status) => desk.exited(console, status),
                // It is not known how it ended, and nobody waits for it any more.
                Err(_) => desk.ready(console),
            }
            let wanted = ends.recv().await;
            // Processes that outlive their parent hold the pipe.
            let has_members = !desk.is_over(console);
            if let Some(pid) = pid.filter(|_| has_members) {
                end(pid, Vec::new(), Force::Kill).await;
            }
            wanted
        }
        wanted = ends.recv() => {
            if let Some(pid) = pid {
                // Whoever has lost its parent is not found any more.
                let also = descendants(pid).await;
                end(pid, also.clone(), Force::Ask).await;
                // One that does not listen is not asked again.
                timeout(PATIENCE, process_group::wait(&mut child)).await.ok();
                end(pid, also, Force::Kill).await;
            }
            // It is dead by now; the system wants to be asked.
            timeout(PATIENCE, process_group::wait(&mut child)).await.ok();
            wanted
        }
    };
    drop(stdin);
    if let Some(done) = wanted {
        done.send(()).ok();
    }
}

async fn end(pid: u32, also: Vec<u32>, force: Force) {
    // A helper of the system that cannot be started ends nothing.
    tokio::task::spawn_blocking(move || process_group::end(pid, &also, force)).await.ok();
}

async fn descendants(pid: u32) -> Vec<u32> {
    tokio::task::spawn_blocking(move || process_group::descendants(pid)).await.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_its_console_shortly() {
        assert_eq!(name("npm  run\n dev:websocket"), "npm run dev:websocket");
        let long = name(&"x".repeat(100));
        assert_eq!(long.chars().count(), NAME_CHARS + 1);
    }
}
