//! CBOR (RFC 8949) and `MessagePack` as a tree that JSON can show.
//!
//! Any bytes can begin like either, so only what is whole, ends with the payload and is a map or an array counts. What JSON
//! does not know is written as text: bytes as `h'0102'`, tags and extensions as members named after them, numbers that no
//! JSON number holds as their digits. Depth and size are bounded: a payload of one byte an item would take 50 times its
//! size.

use serde_json::{Map, Number, Value};

/// A payload that was read.
#[derive(Debug)]
pub(super) struct Packed {
    /// The format: `CBOR` or `MessagePack`.
    pub(super) format: &'static str,
    /// What it says.
    pub(super) value: Value,
    /// The other format, if the bytes can be read as that as well.
    pub(super) or: Option<&'static str>,
}

/// Reads a payload as CBOR or `MessagePack`, if it is one.
pub(super) fn read(payload: &[u8]) -> Option<Packed> {
    if payload.is_empty() || payload.len() > MOST_BYTES {
        return None;
    }
    match (cbor(payload), message_pack(payload)) {
        (Some(cbor), Some(packed)) => {
            let is_cbor = strangeness(&cbor) <= strangeness(&packed);
            let (format, value, or) = if is_cbor { (CBOR, cbor, MESSAGE_PACK) } else { (MESSAGE_PACK, packed, CBOR) };
            Some(Packed { format, value, or: Some(or) })
        }
        (Some(value), None) => Some(Packed { format: CBOR, value, or: None }),
        (None, Some(value)) => Some(Packed { format: MESSAGE_PACK, value, or: None }),
        (None, None) => None,
    }
}

fn cbor(payload: &[u8]) -> Option<Value> {
    if !is_container_of_cbor(*payload.first()?) {
        return None;
    }
    let mut rest = payload;
    let read: Result<ciborium::Value, _> = ciborium::de::from_reader_with_recursion_limit(&mut rest, MOST_DEPTH);
    read.ok().filter(|_| rest.is_empty()).map(from_cbor)
}

/// Whether a first byte begins an array, a map or a tag (RFC 8949 §3.1).
fn is_container_of_cbor(first: u8) -> bool {
    matches!(first >> 5, 4..=6)
}

fn message_pack(payload: &[u8]) -> Option<Value> {
    if !matches!(*payload.first()?, 0x80..=0x9F | 0xDC..=0xDF) {
        return None;
    }
    let mut rest = payload;
    let read = rmpv::decode::read_value_with_max_depth(&mut rest, MOST_DEPTH);
    read.ok().filter(|_| rest.is_empty()).map(from_message_pack)
}

fn from_cbor(value: ciborium::Value) -> Value {
    match value {
        ciborium::Value::Integer(integer) => whole(i128::from(integer)),
        ciborium::Value::Bytes(bytes) => Value::String(bytes_words(&bytes)),
        ciborium::Value::Float(float) => real(float),
        ciborium::Value::Text(text) => Value::String(text),
        ciborium::Value::Bool(bool) => Value::Bool(bool),
        ciborium::Value::Null => Value::Null,
        ciborium::Value::Tag(tag, inner) => one(format!("tag {tag}{}", tag_words(tag)), from_cbor(*inner)),
        ciborium::Value::Array(items) => Value::Array(items.into_iter().map(from_cbor).collect()),
        ciborium::Value::Map(members) => {
            object(members.into_iter().map(|(name, value)| (from_cbor(name), from_cbor(value))))
        }
        // The library may learn further kinds.
        other => Value::String(format!("{other:?}")),
    }
}

fn from_message_pack(value: rmpv::Value) -> Value {
    match value {
        rmpv::Value::Nil => Value::Null,
        rmpv::Value::Boolean(bool) => Value::Bool(bool),
        rmpv::Value::Integer(integer) => match (integer.as_u64(), integer.as_i64()) {
            (Some(positive), _) => Value::Number(positive.into()),
            (None, Some(negative)) => Value::Number(negative.into()),
            (None, None) => Value::String(integer.to_string()),
        },
        rmpv::Value::F32(float) => real(float.into()),
        rmpv::Value::F64(float) => real(float),
        rmpv::Value::String(text) => match text.as_str() {
            Some(text) => Value::String(text.to_owned()),
            None => Value::String(format!("not UTF-8: {}", bytes_words(text.as_bytes()))),
        },
        rmpv::Value::Binary(bytes) => Value::String(bytes_words(&bytes)),
        rmpv::Value::Array(items) => Value::Array(items.into_iter().map(from_message_pack).collect()),
        rmpv::Value::Map(members) => {
            object(members.into_iter().map(|(name, value)| (from_message_pack(name), from_message_pack(value))))
        }
        rmpv::Value::Ext(-1, bytes) => one("timestamp".to_owned(), timestamp(&bytes)),
        rmpv::Value::Ext(kind, bytes) => one(format!("extension {kind}"), Value::String(bytes_words(&bytes))),
    }
}

/// The timestamp extension: seconds in 32 bits, or nanoseconds in 30 and seconds in 34, or in 32 and 64.
fn timestamp(bytes: &[u8]) -> Value {
    let (secs, nanos) = if let Ok(short) = <[u8; 4]>::try_from(bytes) {
        (i64::from(u32::from_be_bytes(short)), 0)
    } else if let Ok(both) = <[u8; 8]>::try_from(bytes) {
        let both = u64::from_be_bytes(both);
        (i64::try_from(both & 0x3_FFFF_FFFF).unwrap_or(0), i32::try_from(both >> 34).unwrap_or(i32::MAX))
    } else if let Some((nanos, secs)) = bytes.split_first_chunk::<4>()
        && let Ok(secs) = <[u8; 8]>::try_from(secs)
    {
        (i64::from_be_bytes(secs), i32::try_from(u32::from_be_bytes(*nanos)).unwrap_or(i32::MAX))
    } else {
        return Value::String(bytes_words(bytes));
    };
    let stamp = jiff::Timestamp::new(secs, nanos.min(999_999_999));
    stamp.map_or_else(|_| Value::String(bytes_words(bytes)), |stamp| Value::String(stamp.to_string()))
}

/// A map; names that are no texts are written as JSON, and a name that comes again gets its number.
fn object(members: impl Iterator<Item = (Value, Value)>) -> Value {
    let mut map = Map::new();
    for (name, value) in members {
        let name = match name {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let mut free = name.clone();
        let mut number = 2_u32;
        while map.contains_key(&free) {
            free = format!("{name} ({number})");
            number = number.saturating_add(1);
            if number > MOST_SAME_NAMES {
                break;
            }
        }
        map.insert(free, value);
    }
    Value::Object(map)
}

fn one(name: String, value: Value) -> Value {
    Value::Object(Map::from_iter([(name, value)]))
}

fn whole(number: i128) -> Value {
    match (u64::try_from(number), i64::try_from(number)) {
        (Ok(positive), _) => Value::Number(positive.into()),
        (Err(_), Ok(negative)) => Value::Number(negative.into()),
        (Err(_), Err(_)) => Value::String(number.to_string()),
    }
}

fn real(float: f64) -> Value {
    Number::from_f64(float).map_or_else(|| Value::String(float.to_string()), Value::Number)
}

fn bytes_words(bytes: &[u8]) -> String {
    let hex: String = bytes
        .iter()
        .take(SHOWN_BYTES)
        .flat_map(|byte| [byte >> 4, byte & 0x0F])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect();
    if bytes.len() > SHOWN_BYTES { format!("h'{hex}…' ({} B)", bytes.len()) } else { format!("h'{hex}'") }
}

/// What the commonest tags mean (RFC 8949 §3.4).
fn tag_words(tag: u64) -> &'static str {
    match tag {
        0 => " (date and time)",
        1 => " (seconds since 1970)",
        2 | 3 => " (big number)",
        24 => " (CBOR in bytes)",
        32 => " (URI)",
        37 => " (UUID)",
        55_799 => " (this is CBOR)",
        _ => "",
    }
}

/// How unlike a message of a program it looks: names that are no plain words, far down as well.
fn strangeness(value: &Value) -> usize {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| {
                let is_plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-. ".contains(c));
                usize::from(!is_plain) + strangeness(value)
            })
            .sum(),
        Value::Array(items) => items.iter().map(strangeness).sum(),
        Value::String(text) => usize::from(text.chars().any(char::is_control)),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

const CBOR: &str = "CBOR";
const MESSAGE_PACK: &str = "MessagePack";
/// The longest payload that is read, and how deep its items may lie in one another.
const MOST_BYTES: usize = 2 << 20;
const MOST_DEPTH: usize = 64;
/// Bytes of a byte string that are written out; members of one name that are told apart.
const SHOWN_BYTES: usize = 256;
const MOST_SAME_NAMES: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn check(hex: &str, format: &str, json: &str) {
        let packed = read(&bytes(hex)).unwrap_or_else(|| panic!("{hex}"));
        assert_eq!((packed.format, packed.value.to_string().as_str()), (format, json), "{hex}");
    }

    #[test]
    fn examples_of_rfc_8949_appendix_a() {
        check("83010203", CBOR, "[1,2,3]");
        check("8301820203820405", CBOR, "[1,[2,3],[4,5]]");
        check("a26161016162820203", CBOR, r#"{"a":1,"b":[2,3]}"#);
        check("9f018202039f0405ffff", CBOR, "[1,[2,3],[4,5]]");
        check("a201020304", CBOR, r#"{"1":2,"3":4}"#);
        check("8249010000000000000000f4", CBOR, "[\"h'010000000000000000'\",false]");
        check("82f97e00f97c00", CBOR, r#"["NaN","inf"]"#);
        check("c11a514b67b0", CBOR, r#"{"tag 1 (seconds since 1970)":1363896240}"#);
        check("81 3bffffffffffffffff", CBOR, r#"["-18446744073709551616"]"#);
    }

    #[test]
    fn message_pack_of_its_specification() {
        check("82a7636f6d70616374c3a6736368656d6100", MESSAGE_PACK, r#"{"compact":true,"schema":0}"#);
        check("93cb3ff80000000000 00d0ffc40201ff", MESSAGE_PACK, "[1.5,-1,\"h'01ff'\"]");
        check("81a174d6ff514b67b0", MESSAGE_PACK, r#"{"t":{"timestamp":"2013-03-21T20:04:00Z"}}"#);
        check("81a178d40501", MESSAGE_PACK, "{\"x\":{\"extension 5\":\"h'01'\"}}");
    }

    #[test]
    fn same_names_stay_apart() {
        check("a2616101616102", CBOR, r#"{"a":1,"a (2)":2}"#);
    }

    #[test]
    fn what_is_neither_is_left_alone() {
        for hex in [
            "",
            "00",
            "6161",
            "83 0102",
            "8301020304",
            "a2 6161",
            "9f01",
            "c1",
            "dc",
            "dfffffffff",
            "9bffffffffffffffff",
        ] {
            assert!(read(&bytes(hex)).is_none(), "{hex}");
        }
    }

    #[test]
    fn hostile_payloads_end() {
        for byte in [0x81, 0x91, 0x9F, 0xA1, 0xC1, 0xDC] {
            assert!(read(&vec![byte; 1 << 20]).is_none(), "{byte:02x}");
        }
        assert!(read(&vec![0x80; MOST_BYTES + 1]).is_none());
        let mut seed = 1_u64;
        for len in 0..2_000 {
            let mut payload: Vec<u8> = std::iter::repeat_with(|| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 33) as u8
            })
            .take(len % 200)
            .collect();
            if let Some(first) = payload.first_mut() {
                *first = [0x82, 0x9F, 0xA3, 0xBF, 0xD8, 0xDE][len % 6];
            }
            let _read = read(&payload);
        }
    }
}
