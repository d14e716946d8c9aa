//! JSON Web Tokens: read, verify, validate (RFC 7515, 7519).

/// What is known about a token.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TokenReport {}

/// A secret.
#[derive(Clone)]
pub struct Secret {}
