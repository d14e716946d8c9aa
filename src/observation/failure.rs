//! How resolving, the system and TLS fail, kept so that rules need not read words.

use serde::{Deserialize, Serialize};

/// An error of the operating system, kept so that rules need not read its words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IoFailure {
    /// What kind.
    pub kind: IoKind,
    /// The number the system gave, if any.
    pub code: Option<i32>,
    /// The system's words.
    pub text: String,
}

/// The kinds of I/O failure that rules tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IoKind {
    /// `ECONNREFUSED`.
    Refused,
    /// `ECONNRESET`.
    Reset,
    /// `ECONNABORTED`.
    Aborted,
    /// `EPIPE`.
    BrokenPipe,
    /// `ETIMEDOUT`, or a time limit of ours.
    TimedOut,
    /// `EHOSTUNREACH`.
    HostUnreachable,
    /// `ENETUNREACH`.
    NetworkUnreachable,
    /// `EADDRNOTAVAIL`.
    AddressNotAvailable,
    /// `EACCES`, `EPERM`.
    PermissionDenied,
    /// TLS ended without `close_notify`.
    UnexpectedEof,
    /// Anything else.
    Other,
}

/// Why a name was not resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolveFailure {
    /// What kind.
    pub kind: ResolveKind,
    /// The `EAI_…` number, if any.
    pub code: Option<i32>,
    /// The system's words.
    pub text: String,
}

/// The kinds of resolver failure that rules tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResolveKind {
    /// The name does not exist (`EAI_NONAME`, `EAI_NODATA`).
    NoSuchName,
    /// The resolver could not be asked (`EAI_AGAIN`), or our time-out.
    TryAgain,
    /// Anything else.
    Other,
}

/// What TLS agreed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsInfo {
    /// The protocol version, e.g. `TLSv1.3`.
    pub version: String,
    /// The cipher suite.
    pub cipher: String,
    /// The application protocol, if one was chosen.
    pub alpn: Option<String>,
    /// The certificates that the server sent, leaf first.
    pub chain: Vec<CertInfo>,
    /// What was wrong with the certificate although we went on.
    pub defects: Vec<String>,
}

/// A certificate in a few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertInfo {
    /// Its subject.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// The names and addresses it is valid for.
    pub names: Vec<String>,
    /// Unix seconds from which it is valid.
    pub not_before: i64,
    /// Unix seconds until which it is valid.
    pub not_after: i64,
    /// Whether it names an address where its issuer's certificate can be fetched.
    pub has_ca_issuers: bool,
}

/// Why TLS failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFailure {
    /// What kind.
    pub kind: TlsFailureKind,
    /// The library's words.
    pub text: String,
    /// The certificates seen, leaf first.
    pub chain: Vec<CertInfo>,
    /// Every defect of the certificate that was found.
    pub defects: Vec<TlsFailureKind>,
    /// Whether the server asked for a client certificate.
    pub client_cert_requested: bool,
}

/// The kinds of TLS failure that rules tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "alert")]
pub enum TlsFailureKind {
    /// The first bytes from the server are no TLS record.
    NotTls,
    /// A certificate has expired.
    Expired,
    /// A certificate is not valid yet.
    NotYetValid,
    /// The issuer is not known.
    UnknownIssuer,
    /// The leaf signed itself.
    SelfSigned,
    /// The certificate does not name this host.
    NameMismatch,
    /// Another fault of the certificate.
    BadCertificate,
    /// The server sent this alert (RFC 8446 §6).
    AlertReceived(u8),
    /// No common protocol version.
    Version,
    /// TCP ended with FIN.
    Fin,
    /// TCP ended with RST.
    Reset,
    /// Our time-out ran out.
    TimedOut,
    /// Anything else.
    Other,
}
