//! JSON Web Tokens: read, verified, validated and minted (RFC 7515, 7517, 7519, 8037).
//!
//! Three steps kept apart, as the RFCs do: [`decode`] reads any string, however broken, and says where it is wrong;
//! [`examine`] also *verifies* the signature with the secrets at hand and *validates* the dates against a moment that it is
//! given; [`mint`](mint()) makes test tokens, [`variants`](variants()) a row of them that are each wrong in one way. Not here: files, clocks, sockets. A secret comes in as bytes and never leaves.
//! Start reading at `jws.rs` (the reading) and `report.rs` (what callers keep); `surface.rs` and `readings.rs` hold the
//! slips that people make.

mod alg;
mod candidates;
mod claims;
mod compare;
mod crypto;
mod dotenv;
mod find;
mod jws;
mod keys;
mod members;
mod mend;
mod mint;
mod node;
mod oddities;
mod parts;
mod pem;
pub mod place;
mod problem;
mod readings;
mod report;
mod secret;
mod surface;
mod template;
mod validate;
mod variants;
mod verify;

pub use candidates::{Candidate, candidates};
pub use claims::{Claim, Validity};
pub use compare::{Difference, differences};
pub use dotenv::{env_file_kin, is_env_file, secrets_from_env, secrets_from_env_file, variables_from_env};
pub use find::{find_tokens, looks_like_token};
pub use jws::{Decoded, Segments, Shape, decode};
pub use mint::{MintError, SIGNING, is_by_secret, mint, mint_as};
pub use node::{JSON_ERROR, node_refusal, node_words};
pub use problem::{Problem, ProblemKind};
pub use report::{TokenReport, examine, validity_at};
pub use secret::{Secret, SecretForm, holds_secret};
pub use template::{Filled, fill, fill_url};
pub use validate::{Expectations, Objection, unexpected, validate};
pub use variants::{Variant, can_vary, variant, variants};
pub use verify::Signature;

#[cfg(test)]
mod tests;
