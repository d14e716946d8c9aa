//! What goes through between a client and its server, as it is seen on the way: only so do we know who ended what, and what the
//! client has got.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::guest::{GuestState, asks_for_websocket};
use crate::engine::sink::Sink;
use crate::observation::{CloseOrigin, Direction, Fact, ReadEnd, TimeOuts};
use crate::wire::{CheckName, Cut, Decoder, Framing, Item, RequestHead, checks, framing, is_complete, parse_request};

/// Sees what goes through, and records what follows from it.
pub(super) struct Witness<'a> {
    seen: Mutex<Seen>,
    /// Told when something is due at another time.
    pub(super) changed: Notify,
    sink: &'a Sink,
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is something seen by itself")]
pub(super) struct Seen {
    decoder: Decoder,
    request: Option<RequestHead>,
    /// Whether the client is told causes: an answer is held back until it opens the connection.
    pub(super) tells: bool,
    held: Vec<u8>,
    pub(super) is_answered: bool,
    is_open: bool,
    /// Whether a 101 came with which some clients go on.
    may_open: bool,
    /// When it came.
    may_open_since: Option<Instant>,
    refusal: Option<(Framing, Vec<u8>)>,
    has_server_closed: bool,
    has_client_closed: bool,
    has_client_ended: bool,
    pub(super) has_server_ended: bool,
    /// Whether the server sent what is no frame.
    is_garbled: bool,
    /// Until when the server is to answer the client's Close.
    pub(super) close_due: Option<Instant>,
}

impl<'a> Witness<'a> {
    pub(super) fn new(first: &[u8], tells: bool, sink: &'a Sink) -> Self {
        let request = parse_request(first);
        // Who asks for something else gets its answer as it comes.
        let tells = tells && request.as_ref().is_some_and(asks_for_websocket);
        let mut seen = Seen { request, tells, ..Seen::default() };
        seen.decoder.push(Direction::ClientToServer, first, &mut |_| {});
        Self { seen: Mutex::new(seen), changed: Notify::new(), sink }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self) -> Seen {
        std::mem::take(&mut *self.lock())
    }

    fn opened(&self) {
        self.sink.push(Fact::Opened);
        self.sink.push(Fact::Confirmed { preview: None });
    }

    pub(super) fn client_says(&self, bytes: &[u8], limits: &TimeOuts) {
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

    pub(super) fn client_ended(&self, end: ReadEnd) {
        let mut seen = self.lock();
        seen.has_client_ended = true;
        if !seen.has_server_ended && !seen.has_server_closed && !seen.has_client_closed {
            self.sink.push(Fact::CloseBegun { by: CloseOrigin::Client });
        }
        self.sink.push(Fact::ClientEnded(end));
    }

    /// What of the server's bytes goes on to the client now, and whether that is all of a refusal that is held back.
    pub(super) fn server_says<'b>(&self, bytes: &'b [u8]) -> (Option<Cow<'b, [u8]>>, bool) {
        let seen = &mut *self.lock();
        let was_passed = seen.may_open;
        let Seen { decoder, request, .. } = seen;
        let mut news = News::default();
        decoder.push(Direction::ServerToClient, bytes, &mut |item| news.take(request.as_ref(), &item));
        seen.is_answered |= news.is_answered;
        seen.is_open |= news.opens;
        seen.may_open |= news.may_open;
        let since = seen.may_open.then(|| *seen.may_open_since.get_or_insert_with(Instant::now));
        // Who would not go on had gone by then.
        if news.talks && !seen.is_open && since.is_some_and(|since| since.elapsed() >= TAKEN_AFTER) {
            seen.is_open = true;
            self.opened();
        }
        seen.is_garbled |= news.is_garbled;
        if news.opens {
            self.opened();
        }
        if news.closes {
            seen.has_server_closed = true;
            seen.close_due = None;
            self.changed.notify_one();
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
    pub(super) fn client_saw(mut self) -> GuestState {
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
    /// Whether a frame began.
    talks: bool,
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
            Item::Frame { .. } => self.talks = true,
            Item::Opaque { .. } => {
                self.is_garbled = true;
                // More heads than anybody reads came in place of an answer.
                self.refused = self.refused.or(Some(Framing::Length(0)));
            }
            _ => {}
        }
    }
}

/// A client that is there so long after a 101 has taken it.
const TAKEN_AFTER: Duration = Duration::from_secs(1);
/// How much of a refusal's body is read where it is held back.
const MAX_BODY_BYTES: usize = 1024 * 1024;
