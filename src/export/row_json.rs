//! One row of the log as a JSON object.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::check_json::at_ms;
use super::lines::Line;
use super::redact::Redactor;
use crate::observation::Fact;
use crate::store::{FrameRow, RowBody};
use crate::wire::{Cut, Opcode};

/// The members whose texts are our own words.
const CLOSED: [&str; 9] = ["kind", "direction", "opcode", "message", "rule", "section", "cause", "certainty", "ending"];

/// The object of a row.
pub(super) fn row_json(line: &Line, redactor: Option<&mut Redactor>) -> Value {
    let row = &line.row;
    let mut object = Map::new();
    object.insert("row".to_owned(), json!(row.number));
    object.insert("at_ms".to_owned(), json!(at_ms(row.at)));
    let mut has_bytes = false;
    let members = match &row.body {
        RowBody::Frame(frame) => frame_json(frame, &line.bytes, line.is_whole),
        RowBody::Fact(fact) => {
            let (kind, event) = fact_members(fact);
            if event.is_empty() { json!({"kind": kind}) } else { json!({"kind": kind, "event": event}) }
        }
        RowBody::Request { raw } => {
            has_bytes = true;
            json!({"kind": "request", "direction": "client_to_server", "length": raw.len()})
        }
        RowBody::Response { status, raw } => {
            has_bytes = true;
            json!({"kind": "response", "direction": "server_to_client", "status": status, "length": raw.len()})
        }
        RowBody::Opaque { direction, .. } => {
            has_bytes = true;
            json!({"kind": "opaque", "direction": direction})
        }
        RowBody::Body { .. } => {
            has_bytes = true;
            json!({"kind": "body", "direction": "server_to_client"})
        }
        RowBody::Violation(violation) => json!({
            "kind": "violation",
            "direction": violation.direction,
            "offset": violation.offset,
            "rule": violation.kind.rule(),
            "section": violation.kind.section(),
            "cause": violation.kind.cause_id(),
        }),
        RowBody::Cut(cut) => cut_json(cut),
    };
    if let Value::Object(members) = members {
        object.extend(members);
    }
    let mut value = Value::Object(object);
    if let Some(redactor) = redactor
        && !matches!(row.body, RowBody::Frame(_))
    {
        redactor.value(&mut value, &CLOSED);
    }
    if has_bytes && let Value::Object(object) = &mut value {
        insert_bytes(object, &line.bytes, false);
    }
    value
}

/// The name of a fact, and its members.
pub(super) fn fact_members(fact: &Fact) -> (String, Map<String, Value>) {
    let mut members = match serde_json::to_value(fact) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => Map::new(),
    };
    let name = match members.shift_remove("fact") {
        Some(Value::String(name)) => name,
        _ => "unknown".to_owned(),
    };
    (name, members)
}

fn frame_json(frame: &FrameRow, payload: &[u8], is_whole: bool) -> Value {
    let header = &frame.header;
    let opcode = match header.opcode() {
        Opcode::Reserved(bits) => format!("reserved 0x{bits:X}"),
        opcode => opcode.word().to_owned(),
    };
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("kind", json!("frame"));
    put("direction", json!(frame.direction));
    put("offset", json!(frame.offset));
    put("opcode", json!(opcode));
    if header.opcode() == Opcode::Continuation {
        put("message", json!(frame.message.word()));
    }
    put("fin", json!(header.fin()));
    put("rsv", json!(header.rsv()));
    put("masked", json!(header.masked()));
    put("length", json!(header.payload_len));
    if frame.compressed {
        put("inflated_length", json!(frame.inflated.map(|inflated| inflated.len_bytes)));
    }
    if !is_whole {
        put("truncated", json!(true));
    }
    if header.opcode() == Opcode::Close
        && let Some(code) = payload.first_chunk::<2>()
    {
        put("code", json!(u16::from_be_bytes(*code)));
        insert_bytes(&mut object, payload.get(2..).unwrap_or_default(), false);
        return Value::Object(object);
    }
    insert_bytes(&mut object, payload, frame.message == Opcode::Binary);
    Value::Object(object)
}

/// Adds bytes as `text` if they are UTF-8, else as `base64`.
fn insert_bytes(object: &mut Map<String, Value>, bytes: &[u8], is_binary: bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) if !is_binary => object.insert("text".to_owned(), json!(text)),
        Ok(_) | Err(_) => object.insert("base64".to_owned(), json!(STANDARD.encode(bytes))),
    };
}

fn cut_json(cut: &Cut) -> Value {
    match cut {
        Cut::Header { offset, received } => {
            json!({"kind": "cut", "inside": "header", "offset": offset, "received": received})
        }
        Cut::Payload { offset, declared, received } => {
            json!({"kind": "cut", "inside": "payload", "offset": offset, "length": declared, "received": received})
        }
        Cut::Fragment { frames, received } => {
            json!({"kind": "cut", "inside": "message", "frames": frames, "received": received})
        }
    }
}
