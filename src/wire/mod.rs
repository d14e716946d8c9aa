//! RFC 6455 and RFC 7692 as pure functions over bytes: the URL, the opening handshake, frames, and every rule they can break.
//!
//! Nothing here reads a socket or a clock, and nothing here fails because the peer is wrong: a broken MUST is a
//! [`Violation`], and decoding goes on as far as it honestly can. Start at [`Decoder`].

mod decoder;
mod deflate;
mod extension;
mod frame;
mod frame_reader;
mod handshake;
mod http_body;
mod inflate;
mod place;
mod proxy;
mod sniff;
mod url;
mod utf8;
mod violation;

pub use decoder::{CloseInfo, Cut, Decoder, Item, MessageEnd};
pub use deflate::Deflater;
pub use extension::{CHROME_OFFER, Deflate, Extension, ExtensionProblem, negotiate, parse_extensions};
pub use frame::{FrameHeader, Opcode, encode_frame, is_legal_close_code};
pub use frame_reader::FrameState;
pub use handshake::{
    Check, CheckName, HeadOutcome, RequestHead, ResponseHead, accept_for, agreed_deflate, checks, is_key,
    parse_request, parse_response,
};
pub use http_body::{Framing, decoded_body, decoded_content, framing, is_complete};
pub use inflate::{InflateError, Inflater, Step, WINDOW_BYTES, inflate_beginning};
pub use place::place_in_query;
pub use proxy::{ProxyKind, ProxyUrl, bypasses, parse_proxy};
pub use sniff::{Banner, banner, looks_like_http_or_html};
pub use url::{Target, UrlProblem, UrlProblemKind, check_subprotocols, parse_url};
pub use utf8::Utf8Checker;
pub use violation::{Violation, ViolationKind};

/// The largest head of a response that is read, in bytes; Chrome stops there too.
pub const MAX_HEAD_BYTES: usize = 256 * 1024;
