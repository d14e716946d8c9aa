//! What is known of listening for a browser's own connections.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// What is typed before it is listened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InterceptDraft {
    /// The port.
    pub port: String,
    /// Put the server's name into `Host`.
    pub renames: bool,
    /// Tell the page why it was refused or dropped.
    pub tells: bool,
}

impl Default for InterceptDraft {
    fn default() -> Self {
        Self { port: "9001".to_owned(), renames: false, tells: false }
    }
}

impl InterceptDraft {
    /// The port, or what is wrong with it.
    pub fn port(&self) -> Result<u16, String> {
        let port = self.port.trim().parse();
        port.map_err(|_no_port| "a port is a number up to 65535; 0 takes any free one".to_owned())
    }

    /// What may be kept in a file: no text that is no port.
    #[must_use]
    pub fn kept(&self) -> Self {
        if self.port().is_ok() { self.clone() } else { Self { port: Self::default().port, ..self.clone() } }
    }
}

/// What is listened for.
#[derive(Debug, Default)]
pub struct Interception {
    state: State,
    /// The server that everything goes to: scheme, host and port.
    target: String,
    /// How many connections have come since it began.
    came: u32,
    /// How many plain HTTP connections have gone through.
    passed: u32,
    /// The last client that asked for nothing that could be relayed, and why that was.
    ignored: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing.
    #[default]
    Off,
    /// It was asked for.
    Starting,
    /// It listens.
    On(SocketAddr),
}

impl Interception {
    /// Listening was asked for.
    pub fn starting(&mut self, target: String) {
        *self = Self { state: State::Starting, target, ..Self::default() };
    }

    /// It listens.
    pub fn started(&mut self, address: SocketAddr) {
        self.state = State::On(address);
    }

    /// It does not listen, or no more.
    pub fn failed(&mut self) {
        *self = Self::default();
    }

    /// A connection came.
    pub fn came(&mut self) {
        self.came = self.came.saturating_add(1);
    }

    /// A client asked for something else than a WebSocket.
    pub fn passed(&mut self) {
        self.passed = self.passed.saturating_add(1);
    }

    /// A client came that asked for nothing.
    pub fn ignored(&mut self, client: SocketAddr, why: &str) {
        self.ignored = Some(format!("{client}: {why}"));
    }

    /// What a page has to connect to, without path and query, if it listens.
    pub fn url(&self) -> Option<String> {
        match self.state {
            State::On(address) => Some(format!("ws://localhost:{}", address.port())),
            State::Off | State::Starting => None,
        }
    }

    /// The server that everything goes to.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Whether it listens, or is about to.
    pub fn is_on(&self) -> bool {
        self.state != State::Off
    }

    /// What has come, in words.
    pub fn words(&self) -> String {
        let came = match self.came {
            0 => "no WebSocket yet".to_owned(),
            1 => "1 WebSocket came".to_owned(),
            many => format!("{many} WebSockets came"),
        };
        let passed = if self.passed > 0 { format!("; plain HTTP {} ×", self.passed) } else { String::new() };
        match &self.ignored {
            Some(ignored) => format!("{came}{passed}; left alone: {ignored}"),
            None => came + &passed,
        }
    }
}
