//! HAR 1.2 with the messages where browsers put them: one entry, the opening handshake, with `_webSocketMessages`.
//!
//! Fragments are put together, as a browser does; control frames are messages of their own opcode. What HAR has no name
//! for stands in members that begin with `_`, as the format asks for. The entry itself is made in `entry`.

mod entry;

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Material;
use super::lines::{Line, Payloads, each};
use super::redact::Redactor;
use crate::observation::Direction;
use crate::store::{FrameRow, RowBody};
use crate::wire::Opcode;

/// Writes the file.
pub(super) fn write(
    material: &Material<'_>,
    mut redactor: Option<&mut Redactor>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let creator = json!({"name": "Sockeye", "version": env!("CARGO_PKG_VERSION")});
    write!(out, "{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"pages\":[],\"entries\":[")?;
    let entry = entry::entry(material.story, redactor.as_deref_mut()).to_string();
    out.write_all(entry.strip_suffix('}').unwrap_or(&entry).as_bytes())?;
    out.write_all(b",\"_webSocketMessages\":[")?;
    let began_secs = entry::began_unix_millis(material.story) as f64 / 1e3;
    let mut messages = Messages { out: &mut *out, began_secs, open: [None, None], is_first: true };
    each(material, Payloads::Whole, redactor, &mut |line, _| messages.take(&line))?;
    messages.finish()?;
    out.write_all(b"]}]}}\n")
}

/// Puts frames together to messages and writes these.
struct Messages<'a> {
    out: &'a mut dyn Write,
    began_secs: f64,
    open: [Option<Message>; 2],
    is_first: bool,
}

struct Message {
    direction: Direction,
    opcode: Opcode,
    secs: f64,
    data: Vec<u8>,
    is_whole: bool,
}

impl Messages<'_> {
    fn take(&mut self, line: &Line) -> io::Result<()> {
        let RowBody::Frame(frame) = &line.row.body else { return Ok(()) };
        let secs = self.began_secs + line.row.at.as_millis() / 1e3;
        let own = |data: Vec<u8>| Message {
            direction: frame.direction,
            opcode: frame.message,
            secs,
            data,
            is_whole: line.is_whole,
        };
        if frame.header.opcode().is_control() {
            return self.write(own(control_text(frame, &line.bytes)));
        }
        let index = frame.direction.index();
        let begins = frame.header.opcode() != Opcode::Continuation;
        let open = self.open.get_mut(index).and_then(Option::take);
        let message = match open {
            Some(mut open) if !begins => {
                open.secs = secs;
                open.data.extend_from_slice(&line.bytes);
                open.is_whole &= line.is_whole;
                open
            }
            other => {
                if let Some(unfinished) = other {
                    self.write(Message { is_whole: false, ..unfinished })?;
                }
                own(line.bytes.clone())
            }
        };
        if frame.header.fin() {
            self.write(message)
        } else {
            if let Some(open) = self.open.get_mut(index) {
                *open = Some(message);
            }
            Ok(())
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        for index in 0..self.open.len() {
            if let Some(unfinished) = self.open.get_mut(index).and_then(Option::take) {
                self.write(Message { is_whole: false, ..unfinished })?;
            }
        }
        Ok(())
    }

    fn write(&mut self, message: Message) -> io::Result<()> {
        if !std::mem::take(&mut self.is_first) {
            self.out.write_all(b",")?;
        }
        self.out.write_all(b"\n")?;
        serde_json::to_writer(&mut *self.out, &message.json())?;
        Ok(())
    }
}

impl Message {
    fn json(self) -> Value {
        let kind = match self.direction {
            Direction::ClientToServer => "send",
            Direction::ServerToClient => "receive",
        };
        let data = if self.opcode == Opcode::Binary {
            STANDARD.encode(&self.data)
        } else {
            String::from_utf8_lossy(&self.data).into_owned()
        };
        let mut value = json!({"type": kind, "time": self.secs, "opcode": self.opcode.bits(), "data": data});
        if !self.is_whole {
            value["_incomplete"] = json!(true);
        }
        value
    }
}

/// A control frame as text: the close code before its reason.
fn control_text(frame: &FrameRow, bytes: &[u8]) -> Vec<u8> {
    match bytes.split_first_chunk::<2>() {
        Some((code, reason)) if frame.header.opcode() == Opcode::Close => {
            [u16::from_be_bytes(*code).to_string().as_bytes(), b" ", reason].concat().trim_ascii_end().to_vec()
        }
        _ => bytes.to_vec(),
    }
}
