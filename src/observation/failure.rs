//! How resolving, the system and TLS fail, kept so that rules need not read words.

use serde::{Deserialize, Serialize};

use super::Direction;

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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsInfo {
    /// The protocol version, e.g. `TLSv1.3`.
    pub version: String,
    /// The cipher suite.
    pub cipher: String,
    /// The key-exchange group, e.g. `X25519`.
    #[serde(default)]
    pub group: Option<String>,
    /// The application protocol, if one was chosen.
    pub alpn: Option<String>,
    /// The certificates that the server sent, leaf first.
    pub chain: Vec<CertInfo>,
    /// What was wrong with the certificate although we went on, in words.
    pub defects: Vec<String>,
    /// The same as kinds.
    #[serde(default)]
    pub defect_kinds: Vec<TlsFailureKind>,
    /// Whether the server asked for a client certificate, and what it got.
    #[serde(default)]
    pub client_certificate: ClientCertificateUse,
}

/// Whether the server asked for a client certificate, and what it got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientCertificateUse {
    /// It did not ask.
    #[default]
    NotAsked,
    /// It asked, and we had none to show.
    NotGiven,
    /// It asked, and ours was shown.
    Given,
}

/// A certificate in a few words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Its key, e.g. `RSA 2048 bits`.
    #[serde(default)]
    pub key: String,
    /// Its serial number in hexadecimal.
    #[serde(default)]
    pub serial: String,
}

/// Why TLS failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Whether ours was shown to it.
    #[serde(default)]
    pub client_cert_given: bool,
    /// The fatal alert that ended it, and who sent it.
    #[serde(default)]
    pub alert: Option<TlsAlert>,
}

/// A fatal alert (RFC 8446 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsAlert {
    /// Who sent it: theirs is about our hello or our certificate, ours about their certificate.
    pub direction: Direction,
    /// Its number.
    pub code: u8,
}

impl TlsAlert {
    /// Its name in RFC 8446 §6, or `unknown`.
    pub fn name(self) -> &'static str {
        match self.code {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            22 => "record_overflow",
            40 => "handshake_failure",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            109 => "missing_extension",
            110 => "unsupported_extension",
            112 => "unrecognized_name",
            113 => "bad_certificate_status_response",
            115 => "unknown_psk_identity",
            116 => "certificate_required",
            120 => "no_application_protocol",
            _ => "unknown",
        }
    }

    /// The alert in words: `received unknown_ca (48)`.
    pub fn words(self) -> String {
        format!("{} {} ({})", self.direction.word(), self.name(), self.code)
    }
}

/// The kinds of TLS failure that rules tell apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    #[default]
    Other,
}
