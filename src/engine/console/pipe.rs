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
        if self.asks.send(done).await.is_ok() {
            timeout(LAST_LIMIT * 2, told).await.ok();
        }
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
            chunk = chunks.recv() => match chunk {
                Some(Ok(bytes)) => {
                    outlet.room().await;
                    let lines = lines.get_or_insert_with(|| Lines::new(Encoding::of(&bytes)));
                    lines.push(&bytes, &mut |text| outlet.line(text));
                }
                Some(Err(error)) => outlet.note(format!("The console cannot be read on: {error}")),
                None => break,
            },
            ask = asks.recv() => {
                end_line(&mut lines, &outlet);
                match ask {
                    // Who asked may have given up waiting.
                    Some(done) => done.send(()).ok(),
                    None => return,
                };
            }
        }
    }
    end_line(&mut lines, &outlet);
    desk.over(console);
    while let Some(done) = asks.recv().await {
        done.send(()).ok();
    }
}

fn end_line(lines: &mut Option<Lines>, outlet: &Outlet) {
    if let Some(lines) = lines {
        lines.finish(&mut |text| outlet.line(text));
    }
}
