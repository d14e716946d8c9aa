//! The bytes between a client of somebody else and its server: each goes through as it came, and is recorded on the
//! server's side.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, Interest, Ready, split};
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::guest::Guest;
use super::witness::Witness;
use crate::engine::ConnectOptions;
use crate::engine::client::Wish;
use crate::engine::client::failure::read_end;
use crate::engine::client::tap::{OverTcp, Tap};
use crate::engine::sink::Sink;
use crate::observation::{CloseOrigin, Deadline, Fact, ReadEnd, TimeOuts};

/// Moves bytes both ways until both sides are over; every end of one side is passed on to the other.
pub(crate) async fn run<S>(
    upstream: Tap<S>,
    guest: &mut Guest,
    options: &ConnectOptions,
    sink: &Sink,
    wishes: &mut mpsc::Receiver<Wish>,
) where
    S: AsyncRead + AsyncWrite + OverTcp + Unpin,
{
    let Some(mut client) = guest.stream.take() else { return };
    let witness = Witness::new(&guest.first, guest.between.tells, sink);
    let relay = Relay { witness: &witness, sink, limits: options.time_outs };
    let (mut from_server, mut to_server) = split(upstream);
    let (mut from_client, mut to_client) = client.split();
    let over = {
        let up = pin!(relay.up(&guest.first, &mut from_client, &mut to_server));
        let down = pin!(relay.down(&mut from_server, &mut to_client));
        relay.until_over(up, down, wishes).await
    };
    let mut upstream = from_server.unsplit(to_server);
    match over {
        Over::ClientReset => {
            if let Some(tcp) = upstream.tcp() {
                reset(tcp);
            }
        }
        Over::ServerReset if !witness.lock().tells => reset(&client),
        Over::ServerReset | Over::Ended | Over::Stopped => {}
    }
    guest.state = witness.take().client_saw();
    guest.stream = (!matches!(over, Over::Stopped | Over::ClientReset)).then_some(client);
    guest.part();
    if upstream.has_ended() {
        let deadline = Instant::now() + Duration::from_millis(options.time_outs.grace_millis);
        if upstream.see_transport_end(deadline).await.is_err() {
            sink.push(Fact::TimedOut { deadline: Deadline::TcpEnd, millis: options.time_outs.grace_millis });
        }
        upstream.look_for_reset().await;
    }
    upstream.farewell().await;
}

/// Why nothing goes through any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// Both sides have ended, or one has and the other took too long.
    Ended,
    ClientReset,
    ServerReset,
    /// The user or the program wished it.
    Stopped,
}

/// What became of bytes for the server.
enum Passed {
    Yes,
    ServerIsGone,
    ClientIsGone(ReadEnd),
}

/// How one side ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Ended,
    Reset,
}

struct Relay<'a> {
    witness: &'a Witness<'a>,
    sink: &'a Sink,
    limits: TimeOuts,
}

impl Relay<'_> {
    async fn until_over(
        &self,
        mut up: std::pin::Pin<&mut impl Future<Output = Side>>,
        mut down: std::pin::Pin<&mut impl Future<Output = Side>>,
        wishes: &mut mpsc::Receiver<Wish>,
    ) -> Over {
        let limits = &self.limits;
        let mut upgrade = Some(Instant::now() + Duration::from_millis(limits.upgrade_millis));
        let (mut client, mut server) = (None, None);
        let mut grace = None;
        while client.is_none() || server.is_none() {
            let close = self.witness.lock().close_due;
            let due = [upgrade, close, grace].into_iter().flatten().min();
            tokio::select! {
                biased;
                wish = wishes.recv() => {
                    let by = match wish {
                        // What the client sends is the client's own.
                        Some(Wish::Send(_)) => continue,
                        Some(Wish::Close { .. } | Wish::Abort) => CloseOrigin::Abort,
                        Some(Wish::Shutdown) | None => CloseOrigin::Shutdown,
                    };
                    self.sink.push(Fact::CloseBegun { by });
                    return Over::Stopped;
                }
                side = &mut up, if client.is_none() => {
                    if side == Side::Reset {
                        return Over::ClientReset;
                    }
                    client = Some(side);
                    let answer = self.witness.lock().close_due;
                    let grace_ends = Instant::now() + Duration::from_millis(limits.grace_millis);
                    grace = grace.or(Some(answer.map_or(grace_ends, |answer| answer.max(grace_ends))));
                }
                side = &mut down, if server.is_none() => {
                    if side == Side::Reset {
                        return Over::ServerReset;
                    }
                    if self.witness.lock().tells {
                        return Over::Ended;
                    }
                    server = Some(side);
                    grace.get_or_insert(Instant::now() + Duration::from_millis(limits.grace_millis));
                }
                () = self.witness.changed.notified() => {}
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    let is_due = |at: Option<Instant>| at.is_some() && at == due;
                    if is_due(upgrade) {
                        upgrade = None;
                        if !self.witness.lock().is_answered {
                            let millis = limits.upgrade_millis;
                            self.sink.push(Fact::TimedOut { deadline: Deadline::Upgrade, millis });
                        }
                    } else if is_due(close) {
                        // It may have been answered since.
                        if self.witness.lock().close_due.take().is_some() {
                            let millis = limits.close_millis;
                            self.sink.push(Fact::TimedOut { deadline: Deadline::Close, millis });
                        }
                    } else {
                        if server.is_none() {
                            let millis = limits.grace_millis;
                            self.sink.push(Fact::TimedOut { deadline: Deadline::TcpEnd, millis });
                        }
                        return Over::Ended;
                    }
                }
            }
        }
        Over::Ended
    }

    /// Waits until the recorder keeps up with the client; a wait that a server could notice is recorded.
    async fn room(&self) {
        let began = Instant::now();
        poll_fn(|context| self.sink.poll_room(context)).await;
        let waited = began.elapsed();
        if waited >= NOTABLE_WAIT {
            let text = format!("the client waited {} ms until the recorder took more of it", waited.as_millis());
            self.sink.push(Fact::Note { text });
        }
    }

    /// Passes bytes to the server; while it does not read, sees whether the client has gone meanwhile.
    async fn pass_up(&self, client: &ReadHalf<'_>, server: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Passed {
        let (mut rest, mut looks) = (bytes, 0);
        loop {
            let is_written = rest.is_empty();
            let step = async { if is_written { server.flush().await.map(|()| 0) } else { server.write(rest).await } };
            match timeout(LOOK_EVERY, step).await {
                Ok(Ok(0)) if !is_written => return Passed::ServerIsGone,
                Ok(Ok(_)) if is_written => return Passed::Yes,
                Ok(Ok(len)) => (rest, looks) = (rest.get(len..).unwrap_or_default(), 0),
                Ok(Err(_)) => return Passed::ServerIsGone,
                Err(_elapsed) => {
                    // Only a look: a client that is there and silent is never ready.
                    let ready = timeout(Duration::ZERO, client.ready(Interest::READABLE.add(Interest::ERROR))).await;
                    let ready = ready.ok().and_then(Result::ok).unwrap_or(Ready::EMPTY);
                    if ready.is_error() {
                        return Passed::ClientIsGone(ReadEnd::Reset);
                    }
                    looks = if ready.is_read_closed() { looks + 1 } else { 0 };
                    if looks >= LOOKS {
                        let text =
                            format!("the client is gone, and {} bytes of it were not read by the server", rest.len());
                        self.sink.push(Fact::Note { text });
                        return Passed::ClientIsGone(ReadEnd::Fin);
                    }
                }
            }
        }
    }

    /// Passes bytes to the client; that it does not read is recorded, since the server is not read meanwhile.
    async fn pass_down(&self, client: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
        let mut passing = pin!(pass(client, bytes));
        if let Ok(passed) = timeout(NOTABLE_WAIT, &mut passing).await {
            return passed;
        }
        self.sink.push(Fact::ReadPaused);
        let passed = passing.await;
        self.sink.push(Fact::ReadResumed);
        passed
    }

    /// From the client to the server.
    async fn up(&self, first: &[u8], client: &mut ReadHalf<'_>, server: &mut (impl AsyncWrite + Unpin)) -> Side {
        if pass(server, first).await.is_err() {
            // The server's end tells how; what the client sends has nowhere to go.
            return std::future::pending().await;
        }
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            self.room().await;
            let read = client.read(&mut buffer).await;
            let bytes = match &read {
                Ok(len) => buffer.get(..*len).unwrap_or_default(),
                Err(_) => &[],
            };
            if bytes.is_empty() {
                let end = read.as_ref().err().map_or(ReadEnd::Fin, read_end);
                let is_reset = end != ReadEnd::Fin;
                self.witness.client_ended(end);
                if !is_reset {
                    // A server that is gone or does not read does not hear it.
                    timeout(FAREWELL, server.shutdown()).await.ok();
                }
                return if is_reset { Side::Reset } else { Side::Ended };
            }
            self.witness.client_says(bytes, &self.limits);
            match self.pass_up(client, server, bytes).await {
                Passed::Yes => {}
                Passed::ServerIsGone => return std::future::pending().await,
                Passed::ClientIsGone(end) => {
                    let side = if end == ReadEnd::Reset { Side::Reset } else { Side::Ended };
                    self.witness.client_ended(end);
                    return side;
                }
            }
        }
    }

    /// From the server to the client.
    async fn down(&self, server: &mut (impl AsyncRead + Unpin), client: &mut (impl AsyncWrite + Unpin)) -> Side {
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut has_client = true;
        loop {
            let read = server.read(&mut buffer).await;
            let bytes = match &read {
                Ok(len) => buffer.get(..*len).unwrap_or_default(),
                Err(_) => &[],
            };
            if bytes.is_empty() {
                let tells = {
                    let mut seen = self.witness.lock();
                    seen.has_server_ended = true;
                    seen.tells
                };
                // TLS without close_notify is an error as well, and no reset.
                if read.as_ref().is_err_and(|error| read_end(error) == ReadEnd::Reset) {
                    return Side::Reset;
                }
                if !tells {
                    // A client that is gone does not hear it.
                    client.shutdown().await.ok();
                }
                return Side::Ended;
            }
            let (goes_on, is_refused) = self.witness.server_says(bytes);
            if has_client && let Some(bytes) = goes_on {
                // What the server says to a client that is gone is still recorded.
                has_client = self.pass_down(client, &bytes).await.is_ok();
            }
            if is_refused {
                return Side::Ended;
            }
        }
    }
}

async fn pass(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}

/// Dropping the stream resets it from here on, as the other side did with its own.
fn reset(tcp: &TcpStream) {
    // Without it the end is a FIN, which is no more than less exact.
    SockRef::from(tcp).set_linger(Some(Duration::ZERO)).ok();
}

/// How often it is looked for a client that may have gone while the server does not read.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A slow server has so many of them for what a client left behind.
const LOOKS: u32 = 15;
/// How long our word that the client sends no more may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// A wait of the client that is worth a note.
const NOTABLE_WAIT: Duration = Duration::from_millis(100);
/// How much is moved at a time.
const BUFFER_BYTES: usize = 64 * 1024;
