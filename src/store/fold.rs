//! Folds observations into a [`Story`].

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::story::{
    Answer, Attempt, AttemptOutcome, CloseSeen, Confirmation, ConsoleAttached, ConsoleSeen, Pasted, ProbeSeen, Resolve,
    SeenRequest, ServerExit, Story, Tls, Tunnel,
};
use crate::observation::{Direction, Fact, Inflated, Moment, PastedConsole, ReadEnd};
use crate::wire::{Decoder, Item, Violation, checks, inflate_beginning};

/// How much of the first message is kept, in bytes.
const FIRST_MESSAGE_BYTES: usize = 4096;
/// How much of bytes that are no frames is kept.
const OPAQUE_BYTES: usize = 4096;

impl Story {
    /// Takes the next fact in; bytes go through `decoder`, whose state belongs to this story.
    ///
    /// `seen` is told of every item that the bytes turned out to be.
    pub fn apply(&mut self, decoder: &mut Decoder, at: Moment, fact: &Fact, seen: &mut impl FnMut(&Item<'_>)) {
        self.last_at = self.last_at.max(at);
        match fact {
            Fact::Bytes { direction, data } => self.take_bytes(decoder, at, *direction, data, seen),
            Fact::Planned(plan) => self.plan = Some(Arc::new((**plan).clone())),
            Fact::TokenExamined { report, now_unix } => {
                self.token = Some(Arc::new((**report).clone()));
                self.token_now_unix = *now_unix;
            }
            Fact::NotAttempted { problem } => self.not_attempted = Some((at, problem.clone())),
            Fact::ResolveStarted { host } => {
                self.resolve = Some(Resolve { host: host.clone(), started: at, ..Resolve::default() });
            }
            Fact::Resolved { addresses, added } => {
                let resolve = self.resolve.get_or_insert_default();
                resolve.ended = Some(at);
                resolve.addresses.clone_from(addresses);
                resolve.added.clone_from(added);
            }
            Fact::ResolveFailed(failure) => {
                let resolve = self.resolve.get_or_insert_default();
                resolve.ended = Some(at);
                resolve.failure = Some(failure.clone());
            }
            Fact::TcpStarted { address } => self.attempts.push(Attempt {
                address: *address,
                started: at,
                ended: None,
                outcome: AttemptOutcome::Pending,
            }),
            Fact::TcpConnected { address, .. } => self.end_attempt(at, *address, AttemptOutcome::Connected),
            Fact::TcpFailed { address, failure } => {
                self.end_attempt(at, *address, AttemptOutcome::Failed(failure.clone()));
            }
            Fact::TcpAbandoned { address } => self.end_attempt(at, *address, AttemptOutcome::Abandoned),
            Fact::SocketConnected { path } => self.socket = Some((at, path.clone(), None)),
            Fact::SocketFailed { path, failure } => self.socket = Some((at, path.clone(), Some(failure.clone()))),
            Fact::TunnelStarted { kind, request } => {
                self.tunnel = Some(Tunnel {
                    kind: *kind,
                    started: at,
                    ended: None,
                    request: request.clone(),
                    response: String::new(),
                    failure: None,
                });
            }
            Fact::TunnelOpened { response } => {
                if let Some(tunnel) = &mut self.tunnel {
                    tunnel.ended = Some(at);
                    tunnel.response.clone_from(response);
                }
            }
            Fact::TunnelFailed(failure) => {
                if let Some(tunnel) = &mut self.tunnel {
                    tunnel.ended = Some(at);
                    tunnel.response.clone_from(&failure.response);
                    tunnel.failure = Some((**failure).clone());
                }
            }
            Fact::TlsStarted { server_name } => {
                self.tls = Some(Tls { server_name: server_name.clone(), started: at, ..Tls::default() });
            }
            Fact::TlsEstablished(info) => {
                let tls = self.tls.get_or_insert_default();
                tls.ended = Some(at);
                tls.info = Some((**info).clone());
            }
            Fact::TlsFailed(failure) => {
                let tls = self.tls.get_or_insert_default();
                tls.ended = Some(at);
                tls.failure = Some((**failure).clone());
            }
            Fact::CipherBytes { direction: Direction::ServerToClient, data } => {
                let first = &mut self.tls.get_or_insert_default().first_bytes;
                let room = 512_usize.saturating_sub(first.len());
                first.extend_from_slice(&data[..data.len().min(room)]);
            }
            Fact::CipherBytes { direction: Direction::ClientToServer, .. } | Fact::ClientTold { .. } => {}
            Fact::Note { text } => {
                if self.notes.len() < Self::MAX_NOTES {
                    self.notes.push(text.clone());
                }
            }
            Fact::Inflated(inflated) => {
                let without_window = Inflated { window: None, ..(**inflated).clone() };
                self.inflated[inflated.direction.index()] = Some(without_window);
            }
            Fact::Violated(violation) => self.violated(at, violation),
            Fact::Opened => self.opened = Some(at),
            Fact::Confirmed { preview } => {
                self.confirmation = Some(Confirmation { at, ok: true, preview: preview.clone() });
            }
            Fact::ConfirmationFailed { mismatch } => {
                self.confirmation = Some(Confirmation { at, ok: false, preview: mismatch.clone() });
            }
            Fact::CloseBegun { by } => {
                self.close_begun.get_or_insert((at, *by));
            }
            Fact::TimedOut { deadline, millis } => self.timed_out.push((at, *deadline, *millis)),
            Fact::LimitPassed { limit, limit_bytes, actual_bytes } => {
                self.limit_passed.get_or_insert((at, *limit, *limit_bytes, *actual_bytes));
            }
            Fact::EndpointError { text } => {
                self.endpoint_error.get_or_insert_with(|| text.clone());
            }
            Fact::RoundTrip { micros } => self.round_trips.take(*micros),
            Fact::PongWithheld => self.pongs_withheld += 1,
            Fact::TcpQueues { queues } => self.queues = Some((at, *queues)),
            Fact::ReconnectPlanned { number, millis } => self.reconnect = Some((at, *number, *millis)),
            Fact::ReadPaused => self.paused_since = Some(at),
            Fact::ReadResumed => {
                if let Some(since) = self.paused_since.take() {
                    self.paused_nanos = self.paused_nanos.saturating_add(at.0.saturating_sub(since.0));
                }
            }
            Fact::ReadEnded(end) => self.end_read(decoder, at, end, seen),
            Fact::WriteFailed(failure) => {
                self.write_failed.get_or_insert((at, failure.clone()));
            }
            Fact::TransportEnded(end) => {
                self.transport_end.get_or_insert((at, end.clone()));
            }
            Fact::ResetAfterFin => self.reset_after_fin = true,
            Fact::WeClosedTcp => self.we_closed_tcp = Some(at),
            Fact::ClientEnded(end) => {
                self.client_end.get_or_insert((at, end.clone()));
            }
            Fact::ProbeStarted(probe) => {
                self.probes.push(ProbeSeen { probe: probe.clone(), started: at, ended: None, outcome: None });
            }
            Fact::ProbeEnded { probe, outcome } => {
                if let Some(seen) = self.probes.iter_mut().find(|p| p.probe == *probe && p.outcome.is_none()) {
                    seen.ended = Some(at);
                    seen.outcome = Some(outcome.clone());
                }
            }
            Fact::ListenersSeen { listeners, .. } => self.listeners = Some((at, listeners.clone())),
            Fact::EarlierEnds { ends } => self.earlier.clone_from(ends),
            Fact::LabMeasured(measure) => self.lab = Some((at, (**measure).clone())),
            Fact::ConsoleLine { source, text } => {
                let source = self.console_source(source);
                self.console_line(at, source, text, false);
            }
            Fact::ConsoleAttached { source, kind } => {
                self.consoles.push(ConsoleAttached { at, source: source.as_str().into(), kind: *kind });
            }
            Fact::ServerExited { source, status } => {
                let source = self.console_source(source);
                if self.exits.len() < Self::MAX_EXITS {
                    self.exits.push(ServerExit { at, source, status: *status });
                }
            }
            Fact::Pasted { console, text } => {
                if self.pasted.len() >= Self::MAX_PASTES {
                    self.pasted.remove(0);
                }
                if *console == PastedConsole::Server {
                    let source = self.console_source("pasted");
                    for line in text.lines().filter(|line| !line.trim().is_empty()) {
                        self.console_line(at, Arc::clone(&source), line, true);
                    }
                }
                self.pasted.push(Pasted { at, console: *console, text: text.as_str().into() });
            }
            Fact::Concluded(verdict) => self.verdict = Some(Arc::new((**verdict).clone())),
            Fact::Finished => self.finished = Some(at),
        }
    }

    fn violated(&mut self, at: Moment, violation: &Violation) {
        self.violation_count += 1;
        if self.violations.len() < Self::MAX_VIOLATIONS {
            self.violations.push((at, violation.clone()));
        }
    }

    fn console_line(&mut self, at: Moment, source: Arc<str>, text: &str, is_pasted: bool) {
        self.console_lines += 1;
        if self.console.len() >= Self::MAX_CONSOLE_LINES {
            self.console.pop_front();
        }
        let text = beginning(text, ConsoleSeen::MAX_BYTES).into();
        self.console.push_back(ConsoleSeen { at, source, text, is_pasted, read: OnceLock::new() });
    }

    /// The name of a console, shared with what is there already.
    fn console_source(&self, name: &str) -> Arc<str> {
        let known = self.consoles.iter().map(|console| &console.source).find(|source| ***source == *name);
        let known = known.or_else(|| self.console.back().map(|line| &line.source).filter(|source| ***source == *name));
        known.map_or_else(|| name.into(), Arc::clone)
    }

    fn end_attempt(&mut self, at: Moment, address: std::net::SocketAddr, outcome: AttemptOutcome) {
        if let Some(attempt) = self.attempts.iter_mut().rev().find(|a| a.address == address) {
            attempt.ended = Some(at);
            attempt.outcome = outcome;
        }
    }

    fn end_read(&mut self, decoder: &mut Decoder, at: Moment, end: &ReadEnd, seen: &mut impl FnMut(&Item<'_>)) {
        if self.read_end.is_some() {
            return;
        }
        self.read_end = Some((at, end.clone()));
        decoder.end(Direction::ServerToClient, &mut |item| {
            self.take_item(at, &item);
            seen(&item);
        });
    }

    fn take_bytes(
        &mut self,
        decoder: &mut Decoder,
        at: Moment,
        direction: Direction,
        data: &Bytes,
        seen: &mut impl FnMut(&Item<'_>),
    ) {
        let before_frames = !decoder.in_frames();
        if before_frames && direction == Direction::ServerToClient {
            self.answer.take(at, data);
        }
        decoder.push(direction, data, &mut |item| {
            self.take_item(at, &item);
            seen(&item);
        });
        if before_frames {
            self.deflate = decoder.deflate();
        }
        let wire_bytes = decoder.wire_bytes(direction);
        match direction {
            Direction::ClientToServer => self.sent.wire_bytes = wire_bytes,
            Direction::ServerToClient => self.received.wire_bytes = wire_bytes,
        }
    }

    fn take_item(&mut self, at: Moment, item: &Item<'_>) {
        match item {
            Item::Frame { direction: Direction::ServerToClient, header, .. } => {
                self.received.count(at, header);
                if self.first_message.is_none() && !header.opcode().is_control() {
                    self.first_message = Some((at, Vec::new()));
                }
            }
            Item::Frame { direction: Direction::ClientToServer, header, .. } => {
                let last = [self.sent.last_at, self.received.last_at, self.opened].into_iter().flatten().max();
                let silence = last.map_or(0, |last| at.0.saturating_sub(last.0));
                if silence >= Self::LONG_SILENCE_NANOS {
                    self.silence_broken = Some((at, silence));
                }
                self.sent.count(at, header);
            }
            Item::Payload { direction: Direction::ServerToClient, data, compressed } => {
                // Only the first message: until its end nothing else counts as data.
                if self.received.messages == 0
                    && self.received.data_frames > 0
                    && let Some((_, first)) = &mut self.first_message
                {
                    let kept = if *compressed { &mut self.first_compressed } else { &mut *first };
                    let room = FIRST_MESSAGE_BYTES.saturating_sub(kept.len());
                    if *compressed && room > 0 {
                        kept.extend_from_slice(&data[..data.len().min(room)]);
                        *first = inflate_beginning(kept, FIRST_MESSAGE_BYTES);
                        return;
                    }
                    kept.extend_from_slice(&data[..data.len().min(room)]);
                }
            }
            Item::Message(message) => match message.direction {
                Direction::ClientToServer => self.sent.messages += 1,
                Direction::ServerToClient => self.received.messages += 1,
            },
            Item::Cut(cut) => self.cut = Some((at, *cut)),
            Item::Payload { .. }
            | Item::FrameEnd { .. }
            | Item::Opaque { direction: Direction::ClientToServer, .. } => {}
            Item::Close(info) => {
                let slot = match info.direction {
                    Direction::ClientToServer => &mut self.close_sent,
                    Direction::ServerToClient => &mut self.close_received,
                };
                slot.get_or_insert_with(|| CloseSeen { at, info: (*info).clone() });
            }
            Item::Violation(violation) => self.violated(at, violation),
            Item::Opaque { direction: Direction::ServerToClient, data } => {
                let room = OPAQUE_BYTES.saturating_sub(self.opaque.len());
                self.opaque.extend_from_slice(&data[..data.len().min(room)]);
            }
            Item::Request(head, raw) => {
                let raw = Bytes::copy_from_slice(raw);
                self.request = Some(Arc::new(SeenRequest { at, head: (*head).clone(), raw }));
            }
            Item::Interim(head, _) => self.answer.interim.push((at, (*head).clone())),
            Item::Response(head, _) => {
                if let Some(request) = &self.request {
                    self.answer.checks = checks(&request.head, head);
                }
                self.answer.head = Some((at, Arc::new((*head).clone())));
            }
            Item::NotHttp(_) => self.answer.not_http = Some(at),
            Item::HeadTooBig(_) => self.answer.head_too_big = Some(at),
            Item::Body(data) => {
                let room = Answer::MAX_RAW_BYTES.saturating_sub(self.answer.body.len());
                self.answer.body.extend_from_slice(&data[..data.len().min(room)]);
            }
        }
    }
}

/// The beginning of a text, at most so many bytes and a whole number of characters.
fn beginning(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

impl Answer {
    fn take(&mut self, at: Moment, data: &[u8]) {
        self.first_at.get_or_insert(at);
        self.last_at = Some(at);
        self.bytes_seen += data.len() as u64;
        self.reads += 1;
        let room = Self::MAX_RAW_BYTES.saturating_sub(self.raw.len());
        self.raw.extend_from_slice(&data[..data.len().min(room)]);
    }
}
