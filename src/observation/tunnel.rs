//! The way through a proxy: which was chosen and why, what it was asked, what it said.

use serde::{Deserialize, Serialize};

use crate::wire::ProxyKind;

/// Which way a connection takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Route {
    /// Straight to the server; no proxy is set.
    #[default]
    Direct,
    /// Straight to the server although a proxy is set.
    Bypassed {
        /// Why: `NO_PROXY`, or that the host is this machine.
        why: String,
    },
    /// Through a proxy.
    Proxy {
        /// What it speaks.
        kind: ProxyKind,
        /// Its host and port.
        place: String,
        /// Who named it: a variable of the environment, or `the options`.
        source: String,
    },
}

impl Route {
    /// Whether a proxy stands between us and the server.
    pub fn is_proxied(&self) -> bool {
        matches!(self, Self::Proxy { .. })
    }

    /// The way in words.
    pub fn words(&self) -> String {
        match self {
            Self::Direct => "direct".to_owned(),
            Self::Bypassed { why } => format!("direct, without the proxy: {why}"),
            Self::Proxy { kind, place, source } => format!("through the {} {place} ({source})", kind.words()),
        }
    }
}

/// Why a proxy did not let us through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TunnelFailure {
    /// What kind.
    pub kind: TunnelFailureKind,
    /// One phrase for people.
    pub text: String,
    /// What the proxy answered, as far as it is text.
    pub response: String,
}

/// The kinds of refusal that rules tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "code")]
pub enum TunnelFailureKind {
    /// An HTTP answer that is no 2xx.
    Status(u16),
    /// The answer to CONNECT is not HTTP.
    NotHttp,
    /// A SOCKS reply other than "succeeded" (RFC 1928 §6).
    Reply(u8),
    /// The SOCKS proxy wants to be authenticated to in another way, or did not accept user and password.
    Authentication,
    /// The answer is not SOCKS version 5.
    NotSocks,
    /// TLS to the proxy itself failed.
    Tls,
    /// TCP ended before an answer.
    Ended,
    /// Our time-out ran out.
    TimedOut,
}
