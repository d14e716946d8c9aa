//! A Close frame came, or should have: the codes, and the closing handshakes that went wrong.

mod codes;
mod handshake;

use super::Cause;

pub(super) const PARTS: [&[Cause]; 2] = [codes::CAUSES, handshake::CAUSES];
