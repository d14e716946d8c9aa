//! What can be wrong with a token, as data: a kind, a place and a sentence.
//!
//! The kinds are what rules and tests ask for; the sentences are for people.

use serde::{Deserialize, Serialize};

/// One thing that is wrong or odd about a token, and where.
///
/// `at` and `len` are byte offsets into the text as it was given; both ends lie on character boundaries and within it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// Byte offset of the first byte concerned.
    pub at: usize,
    /// Number of bytes concerned; 0 where something is missing.
    pub len: usize,
    /// One sentence for people, in lower case and without a full stop.
    pub message: String,
}

impl Problem {
    /// A problem of `kind` at the bytes `at..at + len`.
    pub fn new(kind: ProblemKind, at: usize, len: usize, message: impl Into<String>) -> Self {
        Self { kind, at, len, message: message.into() }
    }
}

/// The kinds of problems, from the outside of the text to the claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// Nothing, or nothing but white space and quotes.
    Empty,
    /// A word that stands where a token should be: `undefined`, `null`, `YOUR_TOKEN_HERE`.
    Placeholder,
    /// The scheme of an `Authorization` header is part of the value.
    BearerPrefix,
    /// Quotes around the token.
    Quoted,
    /// White space, a line end or a byte order mark, around or inside.
    Whitespace,
    /// Percent escapes that are left in the value.
    DoubleEncoded,
    /// `+`, `/` or `=`: standard base64 where base64url without padding belongs (RFC 7515 §2).
    Plus,
    /// The token stands inside other text.
    SurroundingText,
    /// The end is missing.
    Truncated,
    /// Neither three parts (JWS) nor five (JWE).
    PartCount,
    /// A part that is not base64url.
    BadBase64,
    /// A part that is not JSON.
    BadJson,
    /// A part that is JSON, but not an object.
    NotAnObject,
    /// A name that occurs more than once in its object (RFC 7519 §4).
    DuplicateClaim,
    /// The header has no `alg`, or it is not a string.
    MissingAlg,
    /// `alg` names no algorithm of RFC 7518 or 8037.
    UnknownAlg,
    /// `alg` is `none`: an unsecured JWT (RFC 7519 §6).
    AlgNone,
    /// The signature part is empty although `alg` asks for one.
    EmptySignature,
    /// The signature is longer than `alg` makes it.
    SignatureLength,
    /// `kid` is not a string.
    NonStringKid,
    /// `exp`, `nbf` or `iat` is not a number.
    NonNumericDate,
    /// `exp`, `nbf` or `iat` counts milliseconds.
    MillisecondsDate,
    /// An integer that loses digits as a double.
    HugeNumber,
}
