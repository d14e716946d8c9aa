//! The bytes between a client of somebody else and its server: each goes through as it came, and is recorded on the
//! server's side.

use std::borrow::Cow;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, Interest, Ready, split};
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until, timeout};

use super::guest::{Guest, GuestState, asks_for_websocket};
use crate::engine::ConnectOptions;
use crate::engine::client::Wish;
use crate::engine::client::failure::read_end;
use crate::engine::client::tap::{OverTcp, Tap};
use crate::engine::sink::Sink;
use crate::observation::{CloseOrigin, Deadline, Direction, Fact, ReadEnd, TimeOuts};
use crate::wire::{CheckName, Cut, Decoder, Framing, Item, RequestHead, checks, framing, is_complete, parse_request};

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
    ClientIsGone,
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
                        self.witness.lock().close_due = None;
                        let millis = limits.close_millis;
                        self.sink.push(Fact::TimedOut { deadline: Deadline::Close, millis });
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
        let mut passing = pin!(pass(server, bytes));
        let mut looks = 0;
        loop {
            match timeout(LOOK_EVERY, &mut passing).await {
                Ok(Ok(())) => return Passed::Yes,
                Ok(Err(_)) => return Passed::ServerIsGone,
                Err(_elapsed) => {
                    let has_gone = client.ready(Interest::READABLE).await.is_ok_and(Ready::is_read_closed);
                    looks = if has_gone { looks + 1 } else { 0 };
                    if looks >= LOOKS {
                        return Passed::ClientIsGone;
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
                Passed::ClientIsGone => {
                    self.witness.client_ended(ReadEnd::Fin);
                    return Side::Ended;
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

/// Sees what goes through: only so do we know who ended what, and what the client has got.
struct Witness<'a> {
    seen: Mutex<Seen>,
    /// Told when something is due at another time.
    changed: Notify,
    sink: &'a Sink,
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is something seen by itself")]
struct Seen {
    decoder: Decoder,
    request: Option<RequestHead>,
    /// Whether the client is told causes: an answer is held back until it opens the connection.
    tells: bool,
    held: Vec<u8>,
    is_answered: bool,
    is_open: bool,
    /// Whether a 101 came with which some clients go on.
    may_open: bool,
    refusal: Option<(Framing, Vec<u8>)>,
    has_server_closed: bool,
    has_client_closed: bool,
    has_client_ended: bool,
    has_server_ended: bool,
    /// Whether the server sent what is no frame.
    is_garbled: bool,
    /// Until when the server is to answer the client's Close.
    close_due: Option<Instant>,
}

impl<'a> Witness<'a> {
    fn new(first: &[u8], tells: bool, sink: &'a Sink) -> Self {
        let request = parse_request(first);
        // Who asks for something else gets its answer as it comes.
        let tells = tells && request.as_ref().is_some_and(asks_for_websocket);
        let mut seen = Seen { request, tells, ..Seen::default() };
        seen.decoder.push(Direction::ClientToServer, first, &mut |_| {});
        Self { seen: Mutex::new(seen), changed: Notify::new(), sink }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Seen {
        std::mem::take(&mut *self.lock())
    }

    fn opened(&self) {
        self.sink.push(Fact::Opened);
        self.sink.push(Fact::Confirmed { preview: None });
    }

    fn client_says(&self, bytes: &[u8], limits: &TimeOuts) {
        let seen = &mut *self.lock();
        let (mut closes, mut talks) = (false, false);
        seen.decoder.push(Direction::ClientToServer, bytes, &mut |item| {
            closes |= matches!(item, Item::Close(_));
            talks |= matches!(item, Item::Frame { .. });
        });
        if talks && seen.may_open && !seen.is_open {
            // It goes on with a 101 that others would refuse.
            seen.is_open = true;
            self.opened();
        }
        if closes && !seen.has_client_closed {
            seen.has_client_closed = true;
            if !seen.has_server_closed {
                self.sink.push(Fact::CloseBegun { by: CloseOrigin::Client });
                seen.close_due = Some(Instant::now() + Duration::from_millis(limits.close_millis));
                self.changed.notify_one();
            }
        }
    }

    fn client_ended(&self, end: ReadEnd) {
        let mut seen = self.lock();
        seen.has_client_ended = true;
        if !seen.has_server_ended && !seen.has_server_closed && !seen.has_client_closed {
            self.sink.push(Fact::CloseBegun { by: CloseOrigin::Client });
        }
        self.sink.push(Fact::ClientEnded(end));
    }

    /// What of the server's bytes goes on to the client now, and whether that is all of a refusal that is held back.
    fn server_says<'b>(&self, bytes: &'b [u8]) -> (Option<Cow<'b, [u8]>>, bool) {
        let seen = &mut *self.lock();
        let was_passed = seen.may_open;
        let Seen { decoder, request, .. } = seen;
        let mut news = News::default();
        decoder.push(Direction::ServerToClient, bytes, &mut |item| news.take(request.as_ref(), &item));
        seen.is_answered |= news.is_answered;
        seen.is_open |= news.opens;
        seen.may_open |= news.may_open;
        seen.is_garbled |= news.is_garbled;
        if news.opens {
            self.opened();
        }
        if news.closes {
            seen.has_server_closed = true;
            seen.close_due = None;
        }
        if !seen.tells || was_passed {
            return (Some(Cow::Borrowed(bytes)), false);
        }
        seen.held.extend_from_slice(bytes);
        if seen.may_open {
            return (Some(Cow::Owned(std::mem::take(&mut seen.held))), false);
        }
        if let Some(framing) = news.refused {
            seen.refusal = Some((framing, Vec::new()));
        }
        if let Some((framing, body)) = &mut seen.refusal {
            body.extend_from_slice(&news.body);
            let is_whole = is_complete(*framing, body) || body.len() >= MAX_BODY_BYTES;
            return (None, is_whole);
        }
        (None, false)
    }
}

impl Seen {
    /// What the client has got of the server, once nothing more goes through.
    fn client_saw(mut self) -> GuestState {
        let mut is_in_frame = false;
        self.decoder.end(Direction::ServerToClient, &mut |item| {
            is_in_frame |= matches!(item, Item::Cut(Cut::Header { .. } | Cut::Payload { .. }));
        });
        let is_over = self.has_server_closed || self.has_client_ended || is_in_frame || self.is_garbled;
        if self.is_open && !is_over {
            GuestState::Open
        } else if self.tells && !self.may_open && !self.has_client_ended {
            GuestState::Unanswered(self.held)
        } else {
            GuestState::Over
        }
    }
}

/// What the server's newest bytes turned out to be.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is something seen by itself")]
struct News {
    is_answered: bool,
    opens: bool,
    /// Whether some clients go on with it.
    may_open: bool,
    refused: Option<Framing>,
    body: Vec<u8>,
    closes: bool,
    is_garbled: bool,
}

impl News {
    fn take(&mut self, request: Option<&RequestHead>, item: &Item<'_>) {
        match item {
            Item::Response(head, _) => {
                self.is_answered = true;
                let fatal = request.map_or_else(Vec::new, |request| checks(request, head));
                let mut fatal = fatal.iter().filter(|check| check.fatal);
                let is_debatable = |name| matches!(name, CheckName::Subprotocol | CheckName::Extensions);
                self.opens = head.status == 101 && request.is_some() && fatal.clone().next().is_none();
                self.may_open = head.status == 101 && request.is_some() && fatal.all(|check| is_debatable(check.check));
                self.refused = (!self.may_open).then(|| framing(head));
            }
            Item::NotHttp(_) | Item::HeadTooBig(_) => {
                self.is_answered = true;
                self.refused = Some(Framing::Length(0));
            }
            Item::Body(bytes) => self.body.extend_from_slice(bytes),
            Item::Close(_) => self.closes = true,
            Item::Opaque { .. } => {
                self.is_garbled = true;
                // More heads than anybody reads came in place of an answer.
                self.refused = self.refused.or(Some(Framing::Length(0)));
            }
            _ => {}
        }
    }
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
/// How much of a refusal's body is read where it is held back.
const MAX_BODY_BYTES: usize = 1024 * 1024;
