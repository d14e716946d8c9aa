//! Follow-up probes: one question each to the target, at most two seconds, without the token unless it says so.

mod handshake;
mod hello;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::client::failure::{io_failure, read_end, timed_out};
use super::client::tls;
use super::sink::Sink;
use super::{ConnectOptions, port};
use crate::observation::{IoKind, Probe, ProbeOutcome, ReadEnd, TlsFailureKind};
use crate::store::Story;
use crate::wire::{HeadOutcome, framing, is_complete, parse_response};

/// How long a probe may take.
const LIMIT: Duration = Duration::from_secs(2);
/// How long is waited before a port is asked whether its process still lives: a dying process needs a moment.
const SETTLE: Duration = Duration::from_millis(120);
/// How often a port that refused is asked whether it came back, and how long is waited before each time.
const COMES_BACK: (usize, Duration) = (5, Duration::from_millis(300));
/// How much of an answer is kept.
const PREVIEW_BYTES: usize = 1024;

/// A probe of a connection that is over, with what is needed to ask as that connection did.
pub(crate) struct Asker<'a> {
    /// The connection.
    pub(crate) story: &'a Story,
    /// How it was made.
    pub(crate) options: &'a ConnectOptions,
    /// Where it is recorded.
    pub(crate) sink: &'a Sink,
}

impl Asker<'_> {
    /// Asks the question; no answer within `limit`, at most two seconds, is an answer as well.
    pub(crate) async fn run(&self, probe: &Probe, limit: Duration) -> ProbeOutcome {
        let limit = limit.min(LIMIT);
        match timeout(limit, self.ask(probe)).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => match probe {
                Probe::Tcp { .. } | Probe::ComesBack { .. } => {
                    ProbeOutcome::Failed(timed_out(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)))
                }
                Probe::Listeners { .. } | Probe::PlainGet { .. } | Probe::TlsHello { .. } | Probe::Handshake { .. } => {
                    ProbeOutcome::Silent
                }
            },
        }
    }

    async fn ask(&self, probe: &Probe) -> ProbeOutcome {
        match probe {
            Probe::Tcp { address } => {
                sleep(SETTLE).await;
                match connect(*address).await {
                    Ok(_stream) => ProbeOutcome::Accepted,
                    Err(outcome) => outcome,
                }
            }
            Probe::ComesBack { address } => {
                let outcome = comes_back(*address).await;
                if outcome == ProbeOutcome::Accepted && address.ip().is_loopback() {
                    return who_listens(address.port()).await;
                }
                outcome
            }
            Probe::Listeners { port } => who_listens(*port).await,
            Probe::PlainGet { address, host, path, tls } => {
                let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
                match (connect(*address).await, tls) {
                    (Err(outcome), _) => outcome,
                    (Ok(stream), false) => ask(stream, request.as_bytes()).await,
                    (Ok(stream), true) => match self.inside_tls(stream).await {
                        Ok(stream) => ask(stream, request.as_bytes()).await,
                        Err(outcome) => outcome,
                    },
                }
            }
            Probe::TlsHello { address, server_name } => match connect(*address).await {
                Ok(stream) => ask_for_tls(stream, &hello::client_hello(server_name)).await,
                Err(outcome) => outcome,
            },
            Probe::Handshake { address, change, with_token } => self.handshake(*address, change, *with_token).await,
        }
    }

    async fn inside_tls(&self, stream: TcpStream) -> Result<impl AsyncRead + AsyncWrite + Unpin, ProbeOutcome> {
        let target = self.story.plan.as_ref().and_then(|plan| plan.target.as_ref());
        let Some(target) = target else { return Err(ProbeOutcome::Silent) };
        let failure = self.story.tls.as_ref().and_then(|tls| tls.failure.as_ref()).map(|failure| failure.kind);
        // Only the Date of the answer is wanted; the question holds nothing that the certificate would have to protect.
        let is_about_dates = matches!(failure, Some(TlsFailureKind::Expired | TlsFailureKind::NotYetValid));
        let mut options = self.options.clone();
        options.insecure |= is_about_dates;
        let session = tls::connect_quietly(stream, target, &options, self.sink).await;
        session.map_err(|error| ProbeOutcome::Failed(io_failure(&error)))
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream, ProbeOutcome> {
    TcpStream::connect(address).await.map_err(|error| ProbeOutcome::Failed(io_failure(&error)))
}

async fn who_listens(port: u16) -> ProbeOutcome {
    // A look at the system's tables cannot be cut short; a panic in it has been reported by its thread.
    let listeners = tokio::task::spawn_blocking(move || port::listeners(port)).await.unwrap_or_default();
    ProbeOutcome::Listening { listeners }
}

/// Asks a port that refused again and again, until it accepts or patience ends.
async fn comes_back(address: SocketAddr) -> ProbeOutcome {
    let (times, pause) = COMES_BACK;
    let mut last = ProbeOutcome::Silent;
    for _ in 0..times {
        sleep(pause).await;
        match connect(address).await {
            Ok(_stream) => return ProbeOutcome::Accepted,
            Err(outcome) => last = outcome,
        }
        if !matches!(&last, ProbeOutcome::Failed(failure) if failure.kind == IoKind::Refused) {
            break;
        }
    }
    last
}

/// Sends a question and keeps the beginning of the answer.
async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, question: &[u8]) -> ProbeOutcome {
    answered(&mut stream, question, |answer| answer.len() >= PREVIEW_BYTES || is_whole(answer)).await
}

/// Whether a response with its body is there, for servers that leave the connection open after it.
fn is_whole(answer: &[u8]) -> bool {
    match parse_response(answer) {
        HeadOutcome::Head(head) => {
            head.status >= 200 && is_complete(framing(&head), answer.get(head.len_bytes..).unwrap_or(&[]))
        }
        HeadOutcome::Partial | HeadOutcome::NotHttp | HeadOutcome::TooBig => false,
    }
}

/// The same; five bytes are enough to know a record of TLS, whose server may wait for more of us.
async fn ask_for_tls(mut stream: impl AsyncRead + AsyncWrite + Unpin, question: &[u8]) -> ProbeOutcome {
    answered(&mut stream, question, |answer| answer.len() >= 5).await
}

async fn answered(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    question: &[u8],
    is_enough: impl Fn(&[u8]) -> bool,
) -> ProbeOutcome {
    let mut answer = Vec::new();
    let reading = timeout(LIMIT.mul_f64(0.9), async {
        stream.write_all(question).await?;
        stream.flush().await?;
        let mut buffer = [0; PREVIEW_BYTES];
        while !is_enough(&answer) {
            match stream.read(&mut buffer).await? {
                0 => break,
                read => answer.extend_from_slice(buffer.get(..read).unwrap_or(&[])),
            }
        }
        Ok::<(), std::io::Error>(())
    });
    let end = match reading.await {
        Ok(Ok(())) => Some(ReadEnd::Fin),
        Ok(Err(error)) => Some(read_end(&error)),
        Err(_elapsed) => None,
    };
    match (answer.is_empty(), end) {
        (true, None) => ProbeOutcome::Silent,
        (true, Some(end)) => ProbeOutcome::Ended(end),
        (false, _) => {
            let status = answer.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5));
            let status = status.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
            // A TLS record: handshake or alert, version 3.x (RFC 8446 §5.1).
            let tls = matches!(answer.as_slice(), [0x15 | 0x16, 0x03, ..]);
            ProbeOutcome::Answered { status, preview: if tls { String::new() } else { preview(&answer) }, tls }
        }
    }
}

fn preview(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..PREVIEW_BYTES).unwrap_or(bytes)).into_owned()
}
