//! The server answered the opening handshake with a whole HTTP response other than 101: a file for each family of status.

mod client_status;
mod misrouted;
mod server_status;

use super::Cause;

pub(super) const PARTS: [&[Cause]; 3] = [misrouted::CAUSES, client_status::CAUSES, server_status::CAUSES];
