//! What the recorder costs by itself: reads from memory go into its sink, beside tokio-tungstenite on the same bytes.
//!
//! Each measurement is a process of its own: CPU is the sum over its threads, peak memory is its own. Without arguments all
//! of them run. Linux only (it reads `/proc`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, measures real time, and ends by panicking"
)]

mod load;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::StreamExt as _;
use load::{report, run_self};
use sockeye::engine::{JournalPlace, Recorder, Sink};
use sockeye::observation::{ConnId, Direction, Fact};
use sockeye::store::Page;
use sockeye::wire::encode_frame;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

const PAYLOAD_BYTES: usize = 120;
const READ_BYTES: usize = 128 * 1024;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["bare", frames] => bare(frames.parse().unwrap()),
        ["record", frames, place, watched] => record(frames.parse().unwrap(), place, *watched == "watched"),
        [] => all(),
        _ => println!("usage: recorder [bare FRAMES | record FRAMES file|memory watched|alone]"),
    }
}

/// Every comparison.
fn all() {
    let frames = 1_000_000;
    let best = |words: &[&str]| {
        let mut results: Vec<f64> = (0..3).map(|_| run_self(words).millis * 1e6 / f64::from(frames)).collect();
        results.sort_by(f64::total_cmp);
        results[0]
    };
    let count = frames.to_string();
    let bare = best(&["bare", &count]);
    println!("{frames} × {PAYLOAD_BYTES} B from memory: bare tokio-tungstenite {bare:.0} ns/frame");
    for (place, watched) in [("file", "alone"), ("memory", "alone"), ("file", "watched")] {
        let ours = best(&["record", &count, place, watched]);
        println!("  recorder alone, {place}, {watched}: {ours:.0} ns/frame, {:.2} of it", ours / bare);
    }
}

/// The bytes of so many text frames, in reads; a frame may be cut by their border, as on a socket.
struct Reads {
    frame: Vec<u8>,
    at: usize,
    left: u64,
}

impl Reads {
    fn new(frames: u64) -> Self {
        let frame = encode_frame(0x81, None, &[b'x'; PAYLOAD_BYTES]);
        let left = frames * frame.len() as u64;
        Self { frame, at: 0, left }
    }

    /// Fills `buffer` as far as there is something; gives how far.
    fn fill(&mut self, buffer: &mut [u8]) -> usize {
        let len = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let mut done = 0;
        while done < len {
            let piece = (self.frame.len() - self.at).min(len - done);
            buffer[done..done + piece].copy_from_slice(&self.frame[self.at..self.at + piece]);
            self.at = (self.at + piece) % self.frame.len();
            done += piece;
        }
        self.left -= len as u64;
        len
    }
}

impl AsyncRead for Reads {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let room = buffer.remaining().min(READ_BYTES);
        let len = self.get_mut().fill(buffer.initialize_unfilled_to(room));
        buffer.advance(len);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Reads {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A loop that only counts.
fn bare(frames: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let counted = runtime.block_on(async {
        let mut socket = WebSocketStream::from_raw_socket(Reads::new(frames), Role::Client, None).await;
        let mut counted = 0;
        while let Some(Ok(message)) = socket.next().await {
            assert_eq!(message.len(), PAYLOAD_BYTES);
            counted += 1;
        }
        counted
    });
    assert_eq!(counted, frames);
    report();
}

/// The recorder, fed as a tap feeds it; perhaps with somebody who looks at the newest rows all the time.
fn record(frames: u64, place: &str, watched: bool) {
    let folder = tempfile::tempdir().unwrap();
    let (wakes, woken) = std::sync::mpsc::sync_channel(1);
    let recorder = &Recorder::start(Arc::new(move || wakes.try_send(()).unwrap_or_default())).unwrap();
    let place = match place {
        "memory" => JournalPlace::Memory,
        _ => JournalPlace::File(folder.path().join("ingest.sockeye")),
    };
    let conn = ConnId(1);
    let sink = recorder.open(conn, &place).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    std::thread::scope(|scope| {
        if watched {
            scope.spawn(move || {
                loop {
                    woken.recv().unwrap();
                    let view = recorder.view(conn).unwrap();
                    let page = view.page(view.rows.saturating_sub(60)..view.rows);
                    if view.story.finished.is_some() && matches!(page, Page::Ready(_)) {
                        break;
                    }
                }
            });
        }
        runtime.block_on(async {
            feed(&sink, frames).await;
            let story = recorder.settle(conn).await.unwrap();
            assert_eq!(story.received.messages, frames);
        });
    });
    report();
}

async fn feed(sink: &Sink, frames: u64) {
    let bytes = |direction, data: &'static [u8]| Fact::Bytes { direction, data: Bytes::from_static(data) };
    sink.push(bytes(Direction::ClientToServer, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    sink.push(bytes(Direction::ServerToClient, b"HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    let mut reads = Reads::new(frames);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        std::future::poll_fn(|context| sink.poll_room(context)).await;
        let len = reads.fill(&mut buffer);
        if len == 0 {
            break;
        }
        sink.push_bytes(Direction::ServerToClient, &buffer[..len]);
    }
    sink.push(Fact::Finished);
}
