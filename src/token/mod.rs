//! JSON Web Tokens: read, verified, validated and minted (RFC 7515, 7517, 7519, 8037).
//!
//! Three steps kept apart, as the RFCs do: [`decode`] reads any string, however broken, and says where it is wrong;
//! [`examine`] also *verifies* the signature with the secrets at hand and *validates* the dates against a moment that it is
//! given; [`mint`](mint()) makes test tokens. Not here: files, clocks, sockets. A secret comes in as bytes and never leaves.
//! Start reading at `jws.rs` (the reading) and `report.rs` (what callers keep); `surface.rs` and `readings.rs` hold the
//! slips that people make.

mod alg;
mod claims;
mod find;
mod jws;
mod keys;
mod members;
mod mend;
mod mint;
mod oddities;
mod parts;
pub mod place;
mod problem;
mod readings;
mod report;
mod secret;
mod surface;
mod verify;

pub use claims::{Claim, Validity};
pub use find::{find_tokens, looks_like_token};
pub use jws::{Decoded, Segments, Shape, decode};
pub use mint::{MintError, mint};
pub use problem::{Problem, ProblemKind};
pub use report::{TokenReport, examine, validity_at};
pub use secret::{Secret, secrets_from_env};
pub use verify::Signature;

#[cfg(test)]
mod tests;
