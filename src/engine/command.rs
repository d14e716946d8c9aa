//! What a face may ask of the engine.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::client::ClientCertificate;
use super::console::{ConsoleId, ConsoleSource};
use super::intercept::InterceptOptions;
use super::practice::{Confirm, Exercise};
use super::reconnect::Reconnect;
use super::{ExportJob, Watch};
use crate::observation::{ConnId, Expect, Family, PastedConsole, Preset, TimeOuts, TokenPlace};
use crate::token::{Expectations, Secret};
use crate::wire::CHROME_OFFER;

/// A wish of a face; the face makes up the ids, so that no command needs an answer before the next.
#[derive(Debug)]
pub enum Command {
    /// Opens a connection.
    Connect {
        /// Its name from here on; must be fresh.
        conn: ConnId,
        /// All about it.
        options: Box<ConnectOptions>,
    },
    /// Sends a message on an open connection.
    Send {
        /// On which connection.
        conn: ConnId,
        /// What.
        message: Outgoing,
    },
    /// Begins the closing handshake.
    Close {
        /// On which connection.
        conn: ConnId,
        /// The close code; `None` sends an empty Close frame.
        code: Option<u16>,
        /// The close reason, at most 123 bytes.
        reason: String,
    },
    /// Drops TCP without a Close frame.
    Abort {
        /// Which connection.
        conn: ConnId,
    },
    /// Starts the practice server, if it does not run yet; answered by an event.
    StartPractice {
        /// The port; 0 for any free one.
        port: u16,
    },
    /// Asks for a connection to the practice server; answered by an event.
    PrepareExercise {
        /// The fault to be shown; `None` for a healthy session.
        fault: Option<String>,
    },
    /// Listens for clients of others and relays their connections, in place of what was listened for before; answered by an
    /// event, and by one for each client. Each WebSocket is a session.
    StartIntercept {
        /// Where, and whither.
        options: Box<InterceptOptions>,
    },
    /// Listens no more; connections that go through us go on.
    StopIntercept,
    /// Attaches a console of the server: its lines go into every session that runs or begins from here on.
    AttachConsole {
        /// Its name from here on; must be fresh.
        console: ConsoleId,
        /// Where its lines come from.
        source: ConsoleSource,
    },
    /// Lets a console go; a command is ended with everything that it has started.
    DetachConsole {
        /// Which console.
        console: ConsoleId,
    },
    /// Adds a part of a console to a session; one that is over is judged again.
    Paste {
        /// Which connection.
        conn: ConnId,
        /// Which console the text is from.
        console: PastedConsole,
        /// The text.
        text: String,
    },
    /// Writes the session of a connection to a file as it is, secrets included; answered by an event.
    Save {
        /// Which connection.
        conn: ConnId,
        /// Where to.
        path: PathBuf,
    },
    /// Writes the session of a connection to a file in another format; answered by an event.
    Export {
        /// Which connection.
        conn: ConnId,
        /// Where to.
        path: PathBuf,
        /// What, in which format.
        job: Box<ExportJob>,
        /// Tells how far it has come, and stops it.
        watch: Arc<Watch>,
    },
    /// Opens a saved session as a connection that is over; answered by an event.
    OpenFile {
        /// Its name from here on; must be fresh.
        conn: ConnId,
        /// The file.
        path: PathBuf,
    },
    /// Asks about a connection that is over what [`useful_probes`](crate::diagnosis::useful_probes) lists, wherever its
    /// target is; the user has seen the questions. Ends with another [`Event::Ended`](super::Event::Ended).
    AskFurther {
        /// Which connection.
        conn: ConnId,
    },
    /// Measures what silence does to connections to a target; answered by [`Event::LabEnded`](super::Event::LabEnded).
    StartLab {
        /// Fresh names for the silent connection, the pinging one, and a second silent one.
        conns: [ConnId; 3],
        /// How to connect; confirmation and messages are left out.
        options: Box<ConnectOptions>,
        /// How long the silent connection is watched at most.
        limit: Duration,
        /// How often the other one pings.
        ping_every: Duration,
    },
    /// Stops the measurement; what is known until then counts.
    StopLab,
    /// Saves the session of a connection whose own file is in trouble to where there is room; answered by an event.
    Rescue {
        /// Which connection.
        conn: ConnId,
    },
    /// Lists the sessions on disk; answered by an event.
    ListSessions,
    /// Remembers that the user has opened or saved a session; answered by a new list.
    RememberSession {
        /// Its file.
        path: PathBuf,
    },
    /// Gives a session on disk another name; answered by a new list.
    RenameSession {
        /// Its file.
        path: PathBuf,
        /// The name, with or without its extension.
        name: String,
    },
    /// Deletes a session on disk; answered by a new list.
    DeleteSession {
        /// Its file.
        path: PathBuf,
    },
    /// Sets how much the sessions without a name may take together, from now on; answered by a new list.
    LimitUnnamed {
        /// In bytes.
        limit_bytes: u64,
    },
    /// Lists the profiles; answered by an event.
    ListProfiles,
    /// Saves a connection form under a name, in place of what has this name; answered by a new list.
    SaveProfile {
        /// The name.
        name: String,
        /// What the form holds, without tokens and secrets.
        form: serde_json::Value,
    },
    /// Deletes a profile; answered by a new list.
    DeleteProfile {
        /// Its name.
        name: String,
    },
    /// Shows a file in the system's file manager; answered only if that fails.
    RevealFile {
        /// The file.
        path: PathBuf,
    },
    /// Forgets a connection that is over; its journal stays on disk.
    PutAside {
        /// Which connection.
        conn: ConnId,
    },
    /// Forgets a connection that is over, and its unnamed journal.
    Forget {
        /// Which connection.
        conn: ConnId,
    },
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
    /// A ping with a payload of at most 125 bytes.
    Ping(Bytes),
    /// An unsolicited pong with a payload of at most 125 bytes.
    Pong(Bytes),
}

/// All about a connection to be opened.
///
/// `Debug` shows no token and no secret.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of the user")]
pub struct ConnectOptions {
    /// The URL as typed, with the token in its query if it goes there.
    pub url: String,
    /// The token as given, wherever it goes.
    pub token: Option<String>,
    /// Where the token goes.
    pub token_place: Option<TokenPlace>,
    /// Secrets to check the token's signature with; they never reach the journal.
    pub secrets: Vec<Secret>,
    /// What the server expects of the token's claims.
    pub claims: Expectations,
    /// Further headers, in order, names as typed.
    pub headers: Vec<(String, String)>,
    /// Which client the request imitates.
    pub preset: Preset,
    /// The `Origin` header; with the preset *as Chrome* one is always sent.
    pub origin: Option<String>,
    /// Subprotocols offered, in order (the token's is added by its place).
    pub subprotocols: Vec<String>,
    /// The extensions offered, as the header says it; `None` offers none.
    pub extensions: Option<String>,
    /// When the connection counts as confirmed.
    pub expect: Expect,
    /// Time-outs.
    pub time_outs: TimeOuts,
    /// The largest message and frame taken, in bytes.
    pub limit_bytes: u64,
    /// Accept certificates although invalid, listing what is wrong.
    pub insecure: bool,
    /// Further certificate authorities, PEM files.
    pub ca_files: Vec<PathBuf>,
    /// Further certificate authorities, PEM texts.
    pub ca_pems: Vec<String>,
    /// The client certificate, shown where the server asks for one.
    pub client_certificate: Option<ClientCertificate>,
    /// The name for SNI and for the certificate in place of the URL's host; empty sends none.
    pub sni: Option<String>,
    /// Where the keys of the TLS session are written; `SSLKEYLOGFILE` stands in for it.
    pub key_log: Option<PathBuf>,
    /// Which address families are tried.
    pub family: Family,
    /// Which proxy is gone through.
    pub proxy: ProxyChoice,
    /// How the connection is kept alive.
    pub keep_alive: KeepAliveOptions,
    /// Whether and how the connection is made again after its end.
    pub reconnect: Option<Reconnect>,
    /// Whether follow-up probes may run by themselves against this machine.
    pub probes: bool,
    /// Whether they may run by themselves against other machines, too.
    pub probes_elsewhere: bool,
    /// The URL of the server behind a proxy, to be asked where the proxy refuses.
    pub backend: Option<String>,
    /// Text messages to send, in order: once confirmed, or once open if nothing confirms.
    pub send: Vec<String>,
    /// How long to wait before the first and between them.
    pub send_delay: Duration,
    /// Send every text and binary message back as it came.
    pub echo: bool,
    /// How long to stay after the confirmation; `None` until somebody closes.
    pub watch: Option<Duration>,
    /// The Close frame sent when the watch ends: code and reason.
    pub close: (u16, String),
    /// The server's log, followed while the connection lasts.
    pub server_log: Option<PathBuf>,
    /// How long to wait for servers that attached commands are starting.
    pub server_wait: Duration,
    /// Parts of consoles that the user brings along.
    pub pasted: Vec<(PastedConsole, String)>,
    /// Where the journal is written.
    pub journal: JournalPlace,
}

/// Which proxy is gone through.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum ProxyChoice {
    /// The one that the environment names, except to this machine.
    #[default]
    System,
    /// None.
    None,
    /// The one with this URL, which may hold a password.
    Url(String),
}

/// How a connection is kept alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAliveOptions {
    /// How often a ping is sent; `None` for never.
    pub ping: Option<Duration>,
    /// How long its pong may take before the other end counts as gone.
    pub pong_limit: Duration,
    /// Leave pings of the server unanswered.
    pub withhold_pongs: bool,
}

impl Default for KeepAliveOptions {
    fn default() -> Self {
        Self { ping: None, pong_limit: Duration::from_secs(10), withhold_pongs: false }
    }
}

/// Where a journal is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum JournalPlace {
    /// Into the platform's data directory, kept until saved or forgotten.
    #[default]
    Unnamed,
    /// Into this file, which must not exist yet or be an empty file.
    File(PathBuf),
    /// Into memory; for short sessions that nobody will look at again.
    Memory,
}

impl ConnectOptions {
    /// The largest message and frame taken unless set otherwise: 64 MiB.
    pub const LIMIT_BYTES: u64 = 64 * 1024 * 1024;

    /// How long a server may take to start unless set otherwise.
    pub const SERVER_WAIT: Duration = Duration::from_secs(15);

    /// A connection with every default.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            token: None,
            token_place: None,
            secrets: Vec::new(),
            claims: Expectations::default(),
            headers: Vec::new(),
            preset: Preset::Chrome,
            origin: None,
            subprotocols: Vec::new(),
            extensions: Some(CHROME_OFFER.to_owned()),
            expect: Expect::First,
            time_outs: TimeOuts::default(),
            limit_bytes: Self::LIMIT_BYTES,
            insecure: false,
            ca_files: Vec::new(),
            ca_pems: Vec::new(),
            client_certificate: None,
            sni: None,
            key_log: None,
            family: Family::Auto,
            proxy: ProxyChoice::System,
            keep_alive: KeepAliveOptions::default(),
            reconnect: None,
            probes: true,
            probes_elsewhere: false,
            backend: None,
            send: Vec::new(),
            send_delay: Duration::ZERO,
            echo: false,
            watch: None,
            close: (1000, String::new()),
            server_log: None,
            server_wait: Self::SERVER_WAIT,
            pasted: Vec::new(),
            journal: JournalPlace::Unnamed,
        }
    }

    /// A connection to the practice server, as an exercise asks for it.
    pub fn for_exercise(exercise: &Exercise) -> Self {
        let mut options = Self::new(exercise.url.clone());
        options.token.clone_from(&exercise.token);
        options.token_place = Some(TokenPlace::Query { name: "token".to_owned() });
        options.secrets.extend(exercise.secret.as_deref().map(|bytes| Secret::new("the practice secret", bytes)));
        options.subprotocols.clone_from(&exercise.subprotocols);
        options.send.clone_from(&exercise.send);
        options.expect = match &exercise.confirm {
            Confirm::First => Expect::First,
            Confirm::None => Expect::None,
            Confirm::Contains(text) => Expect::Contains { text: text.clone() },
        };
        let millis = |limit: Duration| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        let time_outs = &mut options.time_outs;
        time_outs.connect_millis = exercise.connect_timeout.map_or(time_outs.connect_millis, millis);
        time_outs.upgrade_millis = exercise.upgrade_timeout.map_or(time_outs.upgrade_millis, millis);
        time_outs.confirm_millis = exercise.confirm_timeout.map_or(time_outs.confirm_millis, millis);
        options.watch = exercise.watch;
        options.limit_bytes = exercise.message_limit.unwrap_or(options.limit_bytes);
        if let Some(proxy) = &exercise.proxy {
            options.proxy = ProxyChoice::Url(proxy.clone());
        }
        if let Some((every, pong_limit)) = exercise.ping {
            options.keep_alive.ping = Some(every);
            options.keep_alive.pong_limit = pong_limit;
        }
        options.keep_alive.withhold_pongs = exercise.withhold_pongs;
        options.insecure = exercise.insecure;
        options.ca_pems.extend(exercise.extra_ca.map(str::to_owned));
        options
    }
}

impl std::fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("expect", &self.expect)
            .field("family", &self.family)
            .finish_non_exhaustive()
    }
}
