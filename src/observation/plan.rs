//! What the user asked for.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::Route;
use crate::token::Expectations;
use crate::wire::Target;

/// What the user asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of the user")]
pub struct Plan {
    /// The URL exactly as typed, with the token where it was put.
    pub url: String,
    /// The URL taken apart; `None` if it cannot be.
    pub target: Option<Target>,
    /// Wall clock at the session's beginning, Unix milliseconds.
    pub began_unix_millis: i64,
    /// Where the token was put, if there is one.
    pub token_place: Option<TokenPlace>,
    /// Whether any credential is sent (token, `Authorization`, cookie).
    pub credentials: bool,
    /// The `Origin` header, if one is sent.
    pub origin: Option<String>,
    /// The subprotocols offered, in order.
    pub subprotocols: Vec<String>,
    /// Which client the request imitates.
    #[serde(default)]
    pub preset: Preset,
    /// The extensions offered, as the header says it.
    #[serde(default)]
    pub extensions: Option<String>,
    /// When the connection counts as confirmed.
    pub expect: Expect,
    /// Time-outs in milliseconds.
    pub time_outs: TimeOuts,
    /// The largest message and frame taken, in bytes.
    pub limit_bytes: u64,
    /// Whether certificates are accepted although invalid.
    pub insecure: bool,
    /// Which address families are tried.
    pub family: Family,
    /// Whether follow-up probes may run by themselves against this machine.
    pub probes: bool,
    /// Whether they may run by themselves against other machines, too.
    #[serde(default)]
    pub probes_elsewhere: bool,
    /// The URL of the server behind a proxy, if the user named it.
    #[serde(default)]
    pub backend: Option<String>,
    /// Which way the connection takes.
    #[serde(default)]
    pub route: Route,
    /// What keeps the connection alive, and what happens after its end.
    #[serde(default)]
    pub keep_alive: KeepAlivePlan,
    /// What the server expects of the token's claims, as far as the user said it.
    #[serde(default)]
    pub claims: Expectations,
    /// The client that we stand between; `None` where we are the client ourselves.
    #[serde(default)]
    pub between: Option<Between>,
}

/// A client of somebody else, a browser say, whose connection goes through us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Between {
    /// Where the client's connection comes from.
    pub client: SocketAddr,
    /// Where we listened.
    pub listens: SocketAddr,
    /// Whether `Host` names the target in place of us; every other byte goes through as it is.
    pub renames: bool,
    /// Whether the client is told the cause where the server refuses or drops the connection.
    pub tells: bool,
}

/// What keeps a connection alive, and what happens after its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeepAlivePlan {
    /// How often a ping is sent, in milliseconds; `None` for never.
    pub ping_millis: Option<u64>,
    /// How long its pong may take, in milliseconds.
    pub pong_millis: u64,
    /// Whether pings of the server stay unanswered.
    pub withholds_pongs: bool,
    /// How often this connection has been made again before.
    pub reconnects: u32,
}

/// Which client the request imitates: names, order, letter case and values of its headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Chrome, from a page of the server itself unless an origin is given.
    #[default]
    Chrome,
    /// The package `ws` on Node.
    NodeWs,
    /// What RFC 6455 demands, and what was asked for.
    Bare,
}

impl Preset {
    /// Every preset, the default first.
    pub const ALL: [Self; 3] = [Self::Chrome, Self::NodeWs, Self::Bare];

    /// The words for it in window and terminal.
    pub fn words(self) -> &'static str {
        match self {
            Self::Chrome => "as Chrome",
            Self::NodeWs => "as Node ws",
            Self::Bare => "bare",
        }
    }
}

/// Where the token goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "in", rename_all = "snake_case")]
pub enum TokenPlace {
    /// A query parameter.
    Query {
        /// Its name.
        name: String,
    },
    /// `Authorization: Bearer …`.
    Bearer,
    /// A header of its own.
    Header {
        /// Its name.
        name: String,
    },
    /// A cookie.
    Cookie {
        /// Its name.
        name: String,
    },
    /// A value of `Sec-WebSocket-Protocol`.
    Subprotocol,
    /// The first message, with `{{token}}` replaced.
    FirstMessage {
        /// The message's text.
        template: String,
    },
}

/// When a connection counts as confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Expect {
    /// The first data message, whatever it says.
    #[default]
    First,
    /// The 101 is enough.
    None,
    /// A text message that contains this.
    Contains {
        /// What it must contain.
        text: String,
    },
    /// A JSON message whose value at the pointer equals this.
    JsonPointer {
        /// An RFC 6901 pointer.
        pointer: String,
        /// The value: JSON, or else a plain string.
        value: String,
    },
    /// A text message that matches this regular expression.
    Regex {
        /// The expression.
        pattern: String,
    },
}

/// Time limits of a connection, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeOuts {
    /// For resolving and TCP, each attempt.
    pub connect_millis: u64,
    /// For the whole response to the opening handshake.
    pub upgrade_millis: u64,
    /// For the confirmation, from the 101 on.
    pub confirm_millis: u64,
    /// For the peer's Close after ours.
    pub close_millis: u64,
    /// For the end of TCP after both Close frames, a violation or a refusal.
    pub grace_millis: u64,
}

impl Default for TimeOuts {
    fn default() -> Self {
        Self {
            connect_millis: 10_000,
            upgrade_millis: 10_000,
            confirm_millis: 5_000,
            close_millis: 4_000,
            grace_millis: 2_500,
        }
    }
}

/// Which address families are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Both.
    #[default]
    Auto,
    /// IPv4 alone.
    Ipv4,
    /// IPv6 alone.
    Ipv6,
}
