//! Lines of a pipe: our standard input, or what a command writes.

use std::io::Read;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::desk::{ConsoleId, Desk};
use super::follow::LAST_LIMIT;
use super::lines::{Encoding, Lines};
use super::outlet::Outlet;

/// How much is read at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// How many chunks may wait; beyond, the writer of the pipe waits.
const CHUNKS: usize = 4;

/// A pipe whose lines go to the desk; dropping it ends that.
pub(super) struct PipeLane {
    asks: mpsc::Sender<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl PipeLane {
    /// Begins to read on a thread of its own: a pipe cannot be waited for otherwise on every platform.
    pub(super) fn start(
        mut pipe: impl Read + Send + 'static,
        desk: Arc<Desk>,
        console: ConsoleId,
    ) -> std::io::Result<Self> {
        let (chunks, inbox) = mpsc::channel(CHUNKS);
        let read = move || {
            let mut buffer = vec![0; CHUNK_BYTES];
            loop {
                let read = match pipe.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(read) => Ok(buffer.get(..read).unwrap_or_default().to_vec()),
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let is_error = read.is_err();
                // The lane is gone if nobody takes it.
                if chunks.blocking_send(read).is_err() || is_error {
                    return;
                }
            }
        };
        // The thread ends with the pipe, or at the first bytes after the lane is gone.
        std::thread::Builder::new().name("console-pipe".to_owned()).spawn(read)?;
        let (asks, asked) = mpsc::channel(1);
        Ok(Self { asks, task: tokio::spawn(run(inbox, asked, desk, console)) })
    }

    /// Waits until what has been written is told, the line that has not ended too.
    pub(super) async fn catch_up(&self) {
        let (done, told) = oneshot::channel();
        let asked = async {
            if self.asks.send(done).await.is_ok() {
                // The lane has gone if nobody answers.
                told.await.ok();
            }
        };
        // A pipe that is written faster than it can be read must not hold up the verdict.
        timeout(LAST_LIMIT * 2, asked).await.ok();
    }
}

impl Drop for PipeLane {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    mut chunks: mpsc::Receiver<std::io::Result<Vec<u8>>>,
    mut asks: mpsc::Receiver<oneshot::Sender<()>>,
    desk: Arc<Desk>,
    console: ConsoleId,
) {
    let outlet = Outlet::Desk { desk: Arc::clone(&desk), console };
    let mut lines: Option<Lines> = None;
    loop {
        tokio::select! {
            biased;
            ask = asks.recv() => {
                let Some(done) = ask else { return };
                // What was read by now; under a flood there is always more.
                let waiting: Vec<_> = std::iter::from_fn(|| chunks.try_recv().ok()).take(CHUNKS).collect();
                let is_quiet = waiting.len() < CHUNKS;
                for chunk in waiting {
                    take(chunk, &mut lines, &outlet).await;
                }
                if is_quiet {
                    end_line(&mut lines, &outlet);
                }
                // Who asked may have given up waiting.
                done.send(()).ok();
            }
            chunk = chunks.recv() => match chunk {
                Some(chunk) => take(chunk, &mut lines, &outlet).await,
                None => break,
            },
        }
    }
    end_line(&mut lines, &outlet);
    desk.over(console);
    while let Some(done) = asks.recv().await {
        done.send(()).ok();
    }
}

/// Hands on the lines of what was read.
async fn take(chunk: std::io::Result<Vec<u8>>, lines: &mut Option<Lines>, outlet: &Outlet) {
    match chunk {
        Ok(bytes) => {
            outlet.room().await;
            let lines = lines.get_or_insert_with(|| Lines::new(Encoding::of(&bytes)));
            lines.push(&bytes, &mut |text| outlet.line(text));
        }
        Err(error) => outlet.note(format!("The console cannot be read on: {error}")),
    }
}

fn end_line(lines: &mut Option<Lines>, outlet: &Outlet) {
    if let Some(lines) = lines {
        lines.finish(&mut |text| outlet.line(text));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::mailbox::Mailbox;
    use crate::observation::ConsoleKind;

    /// A pipe whose writer never stops.
    struct Flood;

    impl Read for Flood {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let line = b"one more line of the flood\n";
            buffer.iter_mut().zip(line.iter().cycle()).for_each(|(to, from)| *to = *from);
            Ok(buffer.len())
        }
    }

    #[test]
    fn who_asks_under_a_flood_is_answered_each_time() {
        let desk = Desk::new(Arc::new(Mailbox::new(Arc::new(|| {}))));
        let console = ConsoleId(1);
        desk.attach(console, "flood", ConsoleKind::StandardInput, None);
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let lane = PipeLane::start(Flood, Arc::clone(&desk), console).unwrap();
            for _ in 0..3 {
                timeout(Duration::from_secs(30), lane.catch_up()).await.expect("an answer");
            }
            let has_lines = async {
                while desk.tail(0).next <= 1 {
                    lane.catch_up().await;
                    tokio::task::yield_now().await;
                }
            };
            timeout(Duration::from_secs(30), has_lines).await.expect("lines beside the answers");
        });
    }
}
