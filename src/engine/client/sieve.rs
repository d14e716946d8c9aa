//! Frames on their way to tungstenite where nothing is compressed.
//!
//! Once nobody reads messages any more, those that come in one sound frame are judged and end here, which spares a copy and
//! a message each; every other frame goes through byte for byte, so that tungstenite judges it.

use std::io;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf};

use super::tap::Tap;
use crate::wire::{FrameHeader, Opcode, Utf8Checker};

/// Walks over the server's frames, whatever the cuts.
pub(crate) struct Sieve {
    limit_bytes: u64,
    /// Whether nobody reads messages.
    withholds: bool,
    /// Whether tungstenite must see everything: it has closed or will fail.
    shows_all: bool,
    /// Whether tungstenite waits for more fragments of a message.
    is_message_open: bool,
    input: Bytes,
    /// The bytes of the input from here …
    from: usize,
    /// … to here are to be shown; what follows was not walked over.
    at: usize,
    /// To be shown before them.
    out: Vec<u8>,
    /// A header that is cut.
    head: [u8; 14],
    head_len: usize,
    frame: Option<Frame>,
}

/// The frame whose payload is being walked over.
#[derive(Clone, Copy)]
struct Frame {
    left: u64,
    fate: Fate,
}

#[derive(Clone, Copy)]
enum Fate {
    Shown,
    Hidden,
    HiddenText(Utf8Checker),
}

impl Sieve {
    /// Shows everything until told otherwise; `tail` are the bytes that were read behind the 101.
    pub(crate) fn new(tail: Vec<u8>, limit_bytes: u64) -> Self {
        Self {
            limit_bytes,
            withholds: false,
            shows_all: false,
            is_message_open: false,
            input: Bytes::from(tail),
            from: 0,
            at: 0,
            out: Vec::new(),
            head: [0; 14],
            head_len: 0,
            frame: None,
        }
    }

    /// From the next frame on nobody reads messages.
    pub(crate) fn withhold_messages(&mut self) {
        self.withholds = true;
    }

    /// Reads what tungstenite is to see.
    pub(crate) fn poll_read<S: AsyncRead + Unpin>(
        &mut self,
        tap: &mut Tap<S>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.give(buf) {
            let read = ready!(tap.poll_bytes(cx))?;
            if read.is_empty() {
                break;
            }
            self.input = read;
            (self.from, self.at) = (0, 0);
        }
        Poll::Ready(Ok(()))
    }

    /// Hands over what is to be shown next; `false` if all input was walked over and nothing is.
    fn give(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        if self.out.is_empty() && self.from == self.at {
            self.walk();
        }
        let room = buf.remaining();
        if !self.out.is_empty() {
            let len = self.out.len().min(room);
            buf.put_slice(self.out.drain(..len).as_slice());
            return true;
        }
        let shown = self.input.get(self.from..self.at).unwrap_or_default();
        let len = shown.len().min(room);
        buf.put_slice(shown.get(..len).unwrap_or_default());
        self.from += len;
        len > 0
    }

    /// Walks on until what follows is not to be shown, or the input ends.
    fn walk(&mut self) {
        while let Some(rest) = self.input.get(self.at..).filter(|rest| !rest.is_empty()) {
            let has_shown = self.from < self.at;
            let Some(frame) = &mut self.frame else {
                if !self.take_header(has_shown) {
                    return;
                }
                continue;
            };
            if has_shown && !matches!(frame.fate, Fate::Shown) {
                return;
            }
            let len = usize::try_from(frame.left).map_or(rest.len(), |left| left.min(rest.len()));
            let piece = rest.get(..len).unwrap_or_default();
            frame.left -= len as u64;
            self.at += len;
            let ends = frame.left == 0;
            let is_bad = match &mut frame.fate {
                Fate::Shown => false,
                Fate::Hidden => {
                    self.from = self.at;
                    false
                }
                Fate::HiddenText(utf8) => {
                    self.from = self.at;
                    utf8.push(piece).is_some() || (ends && utf8.finish().is_some())
                }
            };
            if ends {
                self.frame = None;
            }
            if is_bad {
                self.show_bad_text();
                return;
            }
        }
    }

    /// Takes a header; `false` if what is to be shown has to be handed over first.
    fn take_header(&mut self, has_shown: bool) -> bool {
        let rest = self.input.get(self.at..).unwrap_or_default();
        if self.head_len == 0
            && let Some(header) = FrameHeader::parse(rest)
        {
            let is_hidden = self.hides(&header);
            if is_hidden && has_shown {
                return false;
            }
            self.at += usize::from(header.header_len);
            if is_hidden {
                self.from = self.at;
            }
            self.begin(&header, is_hidden);
            return true;
        }
        // Cut: kept until it is whole.
        if has_shown {
            return false;
        }
        let (Some(byte), Some(place)) = (rest.first(), self.head.get_mut(self.head_len)) else { return false };
        *place = *byte;
        self.head_len += 1;
        self.at += 1;
        self.from = self.at;
        let head = self.head.get(..self.head_len).unwrap_or_default();
        let Some(header) = FrameHeader::parse(head) else { return true };
        let is_hidden = self.hides(&header);
        if !is_hidden {
            self.out.extend_from_slice(head);
        }
        self.head_len = 0;
        self.begin(&header, is_hidden);
        // A header to be shown goes before what follows it.
        is_hidden
    }

    /// Whether a frame ends here: a whole message that breaks no rule, while tungstenite expects one.
    fn hides(&self, header: &FrameHeader) -> bool {
        self.withholds
            && !self.shows_all
            && !self.is_message_open
            && is_whole_message(header)
            && header.payload_len <= self.limit_bytes
    }

    fn begin(&mut self, header: &FrameHeader, is_hidden: bool) {
        let opcode = header.opcode();
        match opcode {
            Opcode::Text | Opcode::Binary | Opcode::Continuation => self.is_message_open = !header.fin(),
            Opcode::Ping | Opcode::Pong => {}
            Opcode::Close | Opcode::Reserved(_) => self.shows_all = true,
        }
        let fate = match (is_hidden, opcode == Opcode::Text) {
            (false, _) => Fate::Shown,
            (true, false) => Fate::Hidden,
            (true, true) => Fate::HiddenText(Utf8Checker::default()),
        };
        self.frame = (header.payload_len > 0).then_some(Frame { left: header.payload_len, fate });
    }

    /// Shows a text that is no UTF-8 in place of one that was not shown.
    fn show_bad_text(&mut self) {
        self.shows_all = true;
        self.out.extend_from_slice(&BAD_TEXT);
    }
}

/// Whether this is a message in one frame that breaks no rule.
fn is_whole_message(header: &FrameHeader) -> bool {
    let is_plain = header.rsv() == 0 && !header.masked() && header.fin() && header.has_minimal_length();
    is_plain && matches!(header.opcode(), Opcode::Text | Opcode::Binary)
}

/// A text frame with a byte that no UTF-8 has.
pub(super) const BAD_TEXT: [u8; 3] = [0x81, 1, 0xFF];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::encode_frame;

    /// What tungstenite sees of these bytes, cut like this, when messages are withheld from the second piece of `wire` on.
    fn shown(before: &[u8], wire: &[u8], cut: usize) -> Vec<u8> {
        let mut sieve = Sieve::new(before.to_vec(), 5_000);
        let mut out = Vec::new();
        let mut room = [0; 300];
        let mut take = |sieve: &mut Sieve, out: &mut Vec<u8>| loop {
            let mut buf = ReadBuf::new(&mut room);
            if !sieve.give(&mut buf) {
                return;
            }
            assert!(!buf.filled().is_empty(), "nothing would look like the end");
            out.extend_from_slice(buf.filled());
        };
        take(&mut sieve, &mut out);
        sieve.withhold_messages();
        for piece in wire.chunks(cut) {
            sieve.input = Bytes::copy_from_slice(piece);
            (sieve.from, sieve.at) = (0, 0);
            take(&mut sieve, &mut out);
        }
        out
    }

    fn check(before: &[u8], wire: &[Vec<u8>], expected: &[Vec<u8>]) {
        let expected = [before.to_vec(), expected.concat()].concat();
        for cut in [1, 2, 3, 5, 7, 130, 1_000, usize::MAX] {
            assert_eq!(shown(before, &wire.concat(), cut), expected, "cut by {cut}");
        }
    }

    #[test]
    fn whole_messages_end_here_and_all_else_goes_through() {
        let text = |len: usize| encode_frame(0x81, None, "é".repeat(len / 2).as_bytes());
        let ping = encode_frame(0x89, None, b"ping");
        let (begin, go_on) = (encode_frame(0x01, None, b"frag"), encode_frame(0x80, None, b"ment"));
        let close = encode_frame(0x88, None, &[3, 0xE8]);
        check(
            &text(200),
            &[
                text(4),
                ping.clone(),
                text(2_000),
                encode_frame(0x82, None, &[0xFF; 700]),
                begin.clone(),
                ping.clone(),
                go_on.clone(),
                text(0),
                close.clone(),
                text(10),
            ],
            &[ping.clone(), begin, ping, go_on, close, text(10)],
        );
    }

    #[test]
    fn what_breaks_a_rule_is_for_tungstenite_to_judge() {
        let text = || encode_frame(0x81, None, b"fine");
        let too_long = encode_frame(0x82, None, &[7; 5_001]);
        let long_form = vec![0x82, 126, 0, 3, 1, 2, 3];
        for bad in [
            encode_frame(0x81, Some([1, 2, 3, 4]), b"masked"),
            encode_frame(0xC1, None, b"rsv"),
            encode_frame(0x83, None, b"reserved"),
            encode_frame(0x80, None, b"no beginning"),
            too_long,
            long_form,
        ] {
            check(b"", &[text(), bad.clone()], std::slice::from_ref(&bad));
        }
        // A message may not begin within another.
        let (open, inner) = (encode_frame(0x01, None, b"open"), encode_frame(0x81, None, b"inner"));
        check(b"", &[text(), open.clone(), inner.clone()], &[open, inner]);
    }

    #[test]
    fn a_text_that_is_no_utf8_is_shown_as_such() {
        for bad in [&b"ok \xff"[..], b"\xe2\x82", b"\xc0\xaf and more"] {
            let wire = [encode_frame(0x81, None, b"fine"), encode_frame(0x81, None, bad)].concat();
            for cut in [1, 4, 100] {
                let seen = shown(b"", &wire, cut);
                assert!(seen.starts_with(&BAD_TEXT), "{bad:?} cut by {cut}: {seen:?}");
            }
        }
    }
}
