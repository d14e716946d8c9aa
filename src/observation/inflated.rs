//! What permessage-deflate made of a direction's messages so far.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::Direction;

/// How far a direction was inflated, or compressed; noted every few MiB and at the end.
///
/// With its window, later messages can be inflated without those before: the journal needs no other state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inflated {
    /// Which direction.
    pub direction: Direction,
    /// Offset of the first byte after the last whole message, in that direction's bytes after the handshake.
    pub offset: u64,
    /// Compressed messages so far.
    pub messages: u64,
    /// Their payload bytes on the wire.
    pub wire_bytes: u64,
    /// Their payload bytes, inflated.
    pub inflated_bytes: u64,
    /// What later messages may look back into, at most 32 KiB; `None` if nobody can go on from here.
    #[serde(with = "window")]
    pub window: Option<Bytes>,
}

#[expect(clippy::ref_option, reason = "serde passes the field")]
mod window {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(window: &Option<Bytes>, serializer: S) -> Result<S::Ok, S::Error> {
        window.as_ref().map(|bytes| STANDARD.encode(bytes)).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Bytes>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| STANDARD.decode(text).map(Bytes::from).map_err(D::Error::custom)).transpose()
    }
}
