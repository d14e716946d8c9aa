//! permessage-deflate between the tap and tungstenite, which does not know it (RFC 7692).
//!
//! Compressed messages are inflated piece by piece and shown to tungstenite as plain fragments; every other frame goes
//! through byte for byte, so that tungstenite still judges it. Sending needs no shim: see [`super::sending`].

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf};

use super::sieve::BAD_TEXT;
use super::tap::Tap;
use crate::engine::sink::Sink;
use crate::observation::{Direction, Fact, Inflated, Limit};
use crate::wire::{Deflate, FrameHeader, Inflater, Opcode, Utf8Checker, Violation, ViolationKind};

/// Why the shim ends reading.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShimError {
    /// A compressed message does not inflate; the fact was recorded.
    #[error("a compressed message does not inflate")]
    Corrupt,
    /// A message is longer than our limit.
    #[error("a message is longer than the limit of {limit_bytes} bytes")]
    Limit {
        /// Which one.
        limit: Limit,
        /// Ours.
        limit_bytes: u64,
        /// What came, or was announced.
        actual_bytes: u64,
    },
}

/// So much is made ready for tungstenite before it is asked to take it.
const OUT_BYTES: usize = 64 * 1024;
/// What is read at a time.
const INPUT_BYTES: usize = 64 * 1024;
/// A compressed frame up to this length is inflated in one step, together with its tail.
const SHORT_BYTES: u64 = 4096;
/// After so many payload bytes on the wire, or so many inflated, the window is put into the journal.
const WINDOW_AFTER: (u64, u64) = (1024 * 1024, 16 * 1024 * 1024);

/// The server's bytes on their way to tungstenite.
pub(super) struct Inbound {
    judge: Judge,
    inflater: Inflater,
    input: Vec<u8>,
    from: usize,
    to: usize,
    out: Vec<u8>,
    out_from: usize,
    scratch: Vec<u8>,
    error: Option<ShimError>,
    /// Where the next unread byte stands.
    offset: u64,
    head: [u8; 14],
    head_len: usize,
    frame: Option<Frame>,
    message: Option<Message>,
    messages: u64,
    wire_bytes: u64,
    inflated_bytes: u64,
    noted: (u64, u64),
    /// Whether no bytes are missing from what is read; else where a message ends is not known, and no window is noted.
    knows_offsets: bool,
}

/// The frame whose payload is being read.
#[derive(Clone, Copy)]
struct Frame {
    offset: u64,
    left: u64,
    fin: bool,
    is_compressed: bool,
    /// The tail of the message is being fed.
    tail: Option<&'static [u8]>,
}

/// The compressed message that is open.
struct Message {
    opcode: Opcode,
    is_begun: bool,
    wire_bytes: u64,
    inflated_bytes: u64,
    utf8: Option<Utf8Checker>,
}

impl Inbound {
    /// Where the 101 accepted this; `input` are the bytes that came behind it.
    ///
    /// Without offsets, bytes are missing from what is read.
    pub(super) fn new(deflate: Deflate, mut input: Vec<u8>, limit_bytes: u64, sink: Sink, knows_offsets: bool) -> Self {
        let to = input.len();
        input.resize(INPUT_BYTES.max(to), 0);
        Self {
            judge: Judge { sink, limit_bytes, withholds: false },
            inflater: Inflater::new(!deflate.server_no_context_takeover),
            input,
            from: 0,
            to,
            out: Vec::new(),
            out_from: 0,
            scratch: Vec::new(),
            error: None,
            offset: 0,
            head: [0; 14],
            head_len: 0,
            frame: None,
            message: None,
            messages: 0,
            wire_bytes: 0,
            inflated_bytes: 0,
            noted: (0, 0),
            knows_offsets,
        }
    }

    /// Reads what tungstenite is to see.
    pub(super) fn poll_read<S: AsyncRead + Unpin>(
        &mut self,
        tap: &mut Tap<S>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.give(buf) {
                return Poll::Ready(Ok(()));
            }
            if let Some(error) = self.error.take() {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
            }
            if self.has_input() {
                self.work();
                continue;
            }
            let mut read = ReadBuf::new(&mut self.input);
            ready!(Pin::new(&mut *tap).poll_read(cx, &mut read))?;
            let len = read.filled().len();
            if len == 0 {
                return Poll::Ready(Ok(()));
            }
            (self.from, self.to) = (0, len);
        }
    }

    /// From here on nobody reads messages.
    pub(super) fn withhold_messages(&mut self) {
        self.judge.withholds = true;
    }

    /// Notes how far the server's messages were inflated.
    pub(super) fn note_end(&self) {
        if self.messages > 0 {
            self.note(None);
        }
    }

    /// Whether there is something to work on without reading.
    fn has_input(&self) -> bool {
        self.from < self.to || self.frame.is_some_and(|frame| frame.left == 0)
    }

    /// Hands over what is ready; `false` if nothing is.
    fn give(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let ready = &self.out[self.out_from..];
        if ready.is_empty() {
            return false;
        }
        let len = ready.len().min(buf.remaining());
        buf.put_slice(&ready[..len]);
        self.out_from += len;
        if self.out_from == self.out.len() {
            self.out.clear();
            self.out_from = 0;
        }
        true
    }

    /// Turns input into output until one of them is used up, or an error ends it.
    fn work(&mut self) {
        while self.error.is_none() && self.out.len() < OUT_BYTES && self.has_input() {
            match self.frame {
                None => self.take_header(),
                Some(frame) if frame.is_compressed => self.inflate(frame),
                Some(frame) => self.pass(frame),
            }
        }
    }

    fn take_header(&mut self) {
        let unread = &self.input[self.from..self.to];
        let (header, taken) = if self.head_len == 0
            && let Some(header) = FrameHeader::parse(unread)
        {
            (header, usize::from(header.header_len))
        } else {
            // Cut in the middle: byte by byte.
            let &[byte, ..] = unread else { return };
            self.head[self.head_len] = byte;
            self.head_len += 1;
            let Some(header) = FrameHeader::parse(&self.head[..self.head_len]) else {
                self.from += 1;
                return;
            };
            (header, 1)
        };
        self.from += taken;
        self.head_len = 0;
        self.begin(&header);
    }

    fn begin(&mut self, header: &FrameHeader) {
        let opcode = header.opcode();
        let is_lawful = header.first & 0x30 == 0 && !header.masked() && header.payload_len >> 63 == 0;
        let is_compressed = is_lawful
            && match opcode {
                Opcode::Text | Opcode::Binary => header.rsv1() && self.message.is_none(),
                Opcode::Continuation => !header.rsv1() && self.message.is_some(),
                Opcode::Close | Opcode::Ping | Opcode::Pong | Opcode::Reserved(_) => false,
            };
        let offset = self.offset;
        self.offset = offset.saturating_add(header.wire_len());
        let (left, fin) = (header.payload_len, header.fin());
        self.frame = Some(Frame { offset, left, fin, is_compressed, tail: None });
        if !is_compressed {
            // tungstenite must know that a message is open to judge what comes inside it.
            if !opcode.is_control() {
                self.begin_message();
            }
            header.write_to(&mut self.out);
            self.frame_is_over(left, false);
            return;
        }
        let utf8 = (opcode == Opcode::Text).then(Utf8Checker::default);
        let message =
            self.message.get_or_insert(Message { opcode, is_begun: false, wire_bytes: 0, inflated_bytes: 0, utf8 });
        message.wire_bytes = message.wire_bytes.saturating_add(left);
        self.error = self.judge.length(Limit::Message, message.wire_bytes).err();
        if !fin {
            self.frame_is_over(left, false);
        }
    }

    fn begin_message(&mut self) {
        if let Some(message) = self.message.as_mut().filter(|message| !message.is_begun) {
            message.is_begun = true;
            self.out.extend_from_slice(&[message.opcode.bits(), 0]);
        }
    }

    /// Ends the frame if nothing of it is left.
    fn frame_is_over(&mut self, left: u64, is_done: bool) {
        let waits_for_tail = !is_done && self.frame.is_some_and(|frame| frame.is_compressed && frame.fin);
        if left == 0 && !waits_for_tail {
            self.frame = None;
        } else if let Some(frame) = &mut self.frame {
            frame.left = left;
        }
    }

    /// Copies payload of a frame that is not compressed.
    fn pass(&mut self, frame: Frame) {
        let len = usize::try_from(frame.left).unwrap_or(usize::MAX).min(self.to - self.from);
        self.out.extend_from_slice(&self.input[self.from..self.from + len]);
        self.from += len;
        self.frame_is_over(frame.left - len as u64, false);
    }

    /// Inflates the next bytes of a compressed frame in one step.
    fn inflate(&mut self, frame: Frame) {
        if frame.left == 0 {
            return self.inflate_tail(frame);
        }
        let unread = self.to - self.from;
        let is_short = frame.fin && frame.left <= SHORT_BYTES && frame.left <= unread as u64;
        if is_short {
            return self.inflate_short(frame);
        }
        let len = usize::try_from(frame.left).unwrap_or(usize::MAX).min(unread);
        let mut wire = &self.input[self.from..self.from + len];
        let Ok(step) = self.inflater.step(&mut wire) else {
            return self.corrupt(frame);
        };
        let taken = len - wire.len();
        let left = frame.left - taken as u64;
        if let Some(message) = &mut self.message {
            let wire_bytes = message.wire_bytes - left;
            let data = Data { bytes: step.data, ends: false, wire_bytes, frame: frame.offset };
            self.error = self.judge.show(message, &data, &mut self.out).err();
        }
        self.from += taken;
        // What is left inside the decompressor comes with the next step, of this frame or the next.
        self.frame_is_over(left, false);
    }

    /// Feeds the tail of a message in one step.
    fn inflate_tail(&mut self, frame: Frame) {
        let mut tail = frame.tail.unwrap_or_else(|| self.inflater.tail());
        let Ok(step) = self.inflater.step(&mut tail) else {
            return self.corrupt(frame);
        };
        let ends = !step.goes_on;
        if let Some(message) = &mut self.message {
            let data = Data { bytes: step.data, ends, wire_bytes: message.wire_bytes, frame: frame.offset };
            self.error = self.judge.show(message, &data, &mut self.out).err();
        }
        if let Some(frame) = &mut self.frame {
            frame.tail = Some(tail);
        }
        if ends {
            self.end_message();
        }
    }

    /// Inflates a short frame and the tail of its message together.
    fn inflate_short(&mut self, frame: Frame) {
        let len = frame.left as usize;
        self.scratch.clear();
        self.scratch.extend_from_slice(&self.input[self.from..self.from + len]);
        self.scratch.extend_from_slice(&[0, 0, 0xFF, 0xFF]);
        self.from += len;
        let mut wire = self.scratch.as_slice();
        loop {
            // A final block at the end takes no tail.
            if wire.len() <= 4 && wire.len() < self.scratch.len() && self.inflater.tail().is_empty() {
                wire = &[];
            }
            let Ok(step) = self.inflater.step(&mut wire) else {
                return self.corrupt(frame);
            };
            let ends = !step.goes_on;
            if let Some(message) = &mut self.message {
                let data = Data { bytes: step.data, ends, wire_bytes: message.wire_bytes, frame: frame.offset };
                self.error = self.judge.show(message, &data, &mut self.out).err();
            }
            if self.error.is_some() {
                return;
            }
            if ends {
                return self.end_message();
            }
        }
    }

    fn end_message(&mut self) {
        self.inflater.end_message();
        self.frame_is_over(0, true);
        let Some(message) = self.message.take() else { return };
        self.messages += 1;
        self.wire_bytes += message.wire_bytes;
        self.inflated_bytes += message.inflated_bytes;
        let since = (self.wire_bytes - self.noted.0, self.inflated_bytes - self.noted.1);
        if self.knows_offsets && (since.0 >= WINDOW_AFTER.0 || since.1 >= WINDOW_AFTER.1) {
            self.noted = (self.wire_bytes, self.inflated_bytes);
            self.note(Some(Bytes::copy_from_slice(self.inflater.window())));
            // As whoever reads on from here will.
            if self.inflater.rest().is_err() {
                self.error = Some(ShimError::Corrupt);
            }
        }
    }

    fn note(&self, window: Option<Bytes>) {
        self.judge.sink.push(Fact::Inflated(Box::new(Inflated {
            direction: Direction::ServerToClient,
            offset: self.offset,
            messages: self.messages,
            wire_bytes: self.wire_bytes,
            inflated_bytes: self.inflated_bytes,
            window,
        })));
    }

    fn corrupt(&mut self, frame: Frame) {
        let at = self.message.as_ref().map_or(0, |message| message.inflated_bytes);
        self.judge.violated(frame.offset, ViolationKind::DeflateCorrupt { inflated_bytes: at });
        self.error = Some(ShimError::Corrupt);
    }
}

/// Inflated bytes of a message.
struct Data<'a> {
    bytes: &'a [u8],
    /// Whether the message ends with them.
    ends: bool,
    /// Payload bytes on the wire that the message took so far.
    wire_bytes: u64,
    /// Offset of the frame that they came in.
    frame: u64,
}

/// Holds inflated bytes against our limit and, if they are text, against UTF-8.
struct Judge {
    sink: Sink,
    limit_bytes: u64,
    /// Whether nobody reads messages.
    withholds: bool,
}

impl Judge {
    fn length(&self, limit: Limit, actual_bytes: u64) -> Result<(), ShimError> {
        let limit_bytes = self.limit_bytes;
        if actual_bytes > limit_bytes { Err(ShimError::Limit { limit, limit_bytes, actual_bytes }) } else { Ok(()) }
    }

    /// Shows inflated bytes to tungstenite as a frame.
    fn show(&self, message: &mut Message, data: &Data<'_>, out: &mut Vec<u8>) -> Result<(), ShimError> {
        if data.bytes.is_empty() && !data.ends {
            return Ok(());
        }
        message.inflated_bytes += data.bytes.len() as u64;
        self.length(Limit::Inflated { wire_bytes: data.wire_bytes }, message.inflated_bytes)?;
        if let Some(utf8) = &mut message.utf8
            && let Some(at) = utf8.push(data.bytes).or_else(|| data.ends.then(|| utf8.finish()).flatten())
        {
            self.violated(data.frame, ViolationKind::BadUtf8 { at });
            if self.withholds && !message.is_begun {
                message.is_begun = true;
                out.extend_from_slice(&BAD_TEXT);
                return Ok(());
            }
        }
        if self.withholds && !message.is_begun {
            return Ok(());
        }
        let opcode = if message.is_begun { Opcode::Continuation } else { message.opcode };
        message.is_begun = true;
        let first = opcode.bits() | if data.ends { 0x80 } else { 0 };
        FrameHeader::unmasked(first, data.bytes.len() as u64).write_to(out);
        out.extend_from_slice(data.bytes);
        Ok(())
    }

    fn violated(&self, offset: u64, kind: ViolationKind) {
        self.sink.push(Fact::Violated(Violation { direction: Direction::ServerToClient, offset, kind }));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::JournalPlace;
    use crate::engine::recorder::Recorder;
    use crate::observation::ConnId;
    use crate::wire::{CHROME_OFFER, Decoder, Deflater, Item, encode_frame, negotiate};

    /// What tungstenite would read, cut like this: each message's opcode and payload, control frames too, then the error.
    fn shown(recorder: &Recorder, conn: u32, wire: &[u8], cut: usize) -> (Vec<(u8, Vec<u8>)>, String) {
        let sink = recorder.open(ConnId(conn), &JournalPlace::Memory).unwrap();
        let deflate = negotiate(CHROME_OFFER, "permessage-deflate").unwrap().unwrap();
        let mut inbound = Inbound::new(deflate, Vec::new(), 10_000, sink, true);
        let mut plain = Vec::new();
        let mut room = vec![0; 700];
        let mut take = |inbound: &mut Inbound, plain: &mut Vec<u8>| {
            while {
                let mut buf = ReadBuf::new(&mut room);
                inbound.give(&mut buf) && {
                    plain.extend_from_slice(buf.filled());
                    true
                }
            } {}
        };
        for piece in wire.chunks(cut.min(INPUT_BYTES)) {
            inbound.input[..piece.len()].copy_from_slice(piece);
            (inbound.from, inbound.to) = (0, piece.len());
            while inbound.error.is_none() && inbound.has_input() {
                inbound.work();
                take(&mut inbound, &mut plain);
            }
        }
        take(&mut inbound, &mut plain);
        let mut decoder = Decoder::between_messages(Direction::ServerToClient, 0, deflate);
        let (mut out, mut open, mut control) = (Vec::new(), (0, Vec::new()), None);
        decoder.push(Direction::ServerToClient, &plain, &mut |item| match item {
            Item::Frame { header, compressed, .. } => {
                assert!(!compressed, "RSV1 came through");
                control = header.opcode().is_control().then_some((header.first, Vec::new()));
                if !header.opcode().is_control() && header.opcode() != Opcode::Continuation {
                    open.0 = header.first & 0x4F;
                }
            }
            Item::Payload { data, .. } => {
                control.as_mut().map_or(&mut open.1, |(_, bytes)| bytes).extend_from_slice(data);
            }
            Item::FrameEnd { .. } => out.extend(control.take()),
            Item::Message(_) => out.push(std::mem::take(&mut open)),
            _ => {}
        });
        let error = inbound.error.map_or_else(String::new, |error| match error {
            ShimError::Limit { limit: Limit::Inflated { .. }, .. } => "inflated".to_owned(),
            other => format!("{other:?}"),
        });
        (out, error)
    }

    #[test]
    fn messages_come_out_whole_however_they_are_cut() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::start_in(Arc::new(|| {}), folder.path().to_owned()).unwrap();
        let mut deflater = Deflater::new(15, true).unwrap();
        let mut compressed = |message: &[u8]| deflater.message(message).unwrap();
        let long: Vec<u8> = (0..9_000_u32).flat_map(|n| (n * n % 977).to_le_bytes()).take(9_000).collect();
        let (hello, again, big) = (compressed(b"Hello"), compressed(b"Hello"), compressed(&long));
        let wire = [
            encode_frame(0xC1, None, &hello),
            encode_frame(0x89, None, b"ping"),
            encode_frame(0x41, None, &again[..2]),
            encode_frame(0x8A, None, b"pong"),
            encode_frame(0x80, None, &again[2..]),
            encode_frame(0x42, None, &big[..big.len() / 2]),
            encode_frame(0x00, None, &[]),
            encode_frame(0x80, None, &big[big.len() / 2..]),
            encode_frame(0x82, None, &[7; 200]),
            encode_frame(0xC1, None, &[]),
            encode_frame(0x88, None, &[3, 0xE8]),
        ]
        .concat();
        let hello = || (1, b"Hello".to_vec());
        let expected = vec![
            hello(),
            (0x89, b"ping".to_vec()),
            (0x8A, b"pong".to_vec()),
            hello(),
            (2, long),
            (2, vec![7; 200]),
            (1, Vec::new()),
            (0x88, vec![3, 0xE8]),
        ];
        for (conn, cut) in (1..).zip([usize::MAX, 1, 2, 3, 7, 100, 1_000]) {
            assert_eq!(shown(&recorder, conn, &wire, cut), (expected.clone(), String::new()), "cut by {cut}");
        }
    }

    #[test]
    fn what_is_too_long_or_corrupt_ends_it_however_it_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::start_in(Arc::new(|| {}), folder.path().to_owned()).unwrap();
        let bomb = Deflater::new(15, true).unwrap().message(&vec![0; 1 << 20]).unwrap();
        let fits = Deflater::new(15, true).unwrap().message(&vec![0; 10_000]).unwrap();
        let mut conn = 0;
        let mut check = |wire: &[u8], messages: usize, error: &str| {
            for cut in [usize::MAX, 1, 5, 64] {
                conn += 1;
                let (out, found) = shown(&recorder, conn, wire, cut);
                assert_eq!((out.len(), found.as_str()), (messages, error), "cut by {cut}");
            }
        };
        check(&encode_frame(0xC2, None, &bomb), 0, "inflated");
        check(&encode_frame(0xC2, None, &fits), 1, "");
        check(&encode_frame(0xC2, None, &[0x07, 1, 2, 3]), 0, "Corrupt");
        let too_long = encode_frame(0xC2, None, &[0; 10_001]);
        check(&too_long, 0, "Limit { limit: Message, limit_bytes: 10000, actual_bytes: 10001 }");
    }
}
