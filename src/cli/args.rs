//! The command line as clap reads it; what the values mean is in [`values`](super::values).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::token::args::{ClaimArgs, TokenArgs};
use super::values;
use crate::export::Selection;
use crate::observation::{Expect, Preset, TokenPlace};

/// Tells you why your WebSocket closed.
#[derive(Debug, Parser)]
#[command(
    name = "sockeye",
    version,
    about = "Tells you why your WebSocket closed",
    long_about = "Sockeye connects to a WebSocket server the way a browser does, records what travels, and says why the \
                  connection closed or did not open.\n\nWithout a command it opens its window.",
    args_conflicts_with_subcommands = true,
    after_help = "First try: sockeye check practice"
)]
pub(super) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    /// A saved session to open in the window.
    pub(super) file: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Connects, watches, diagnoses, and prints why it closed.
    Check(Box<CheckArgs>),
    /// Measures what silence does to connections: opens two, one silent, one that pings, and tells idle limit from age.
    IdleLab(Box<IdleLabArgs>),
    /// Records a connection into a file until it closes or is interrupted.
    Record(Box<RecordArgs>),
    /// Decodes a token and checks its signature and dates.
    Token(Box<TokenArgs>),
    /// Explains a close code, an HTTP status, a cause, or the lines of a console.
    Explain {
        /// A close code such as 1006, an HTTP status such as 403, or the id of a cause.
        #[arg(value_name = "CODE|CAUSE-ID", required_unless_present = "console")]
        what: Option<String>,
        /// Explains what a browser's, a client's or a server's console says, from this file or from standard input (`-`).
        #[arg(long, value_name = "FILE|-", conflicts_with = "what")]
        console: Option<PathBuf>,
    },
    /// Runs the practice server until it is interrupted.
    Practice(PracticeArgs),
    /// Stands between a browser and its server: relays every connection byte for byte, and says why each ended.
    Intercept(Box<InterceptArgs>),
    /// Turns a saved session into another format.
    Export(ExportArgs),
    /// Finds rows of a saved session.
    Search(SearchArgs),
    /// Opens a saved session in the window.
    Open {
        /// The saved session.
        file: PathBuf,
    },
    /// Compares two saved sessions and names the first difference.
    Diff(DiffArgs),
}

/// Options of `check`.
#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 healthy, 1 any other cause, 2 usage, 3 Sockeye itself failed.\n\
    Seconds may have a fraction. Secrets are replaced by marks unless --no-redact is given.")]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
    /// How long to stay after the confirmation, in seconds [default: 2].
    #[arg(long, value_name = "S", value_parser = values::seconds)]
    pub(super) watch: Option<Duration>,
    /// The Close frame that we send when the watch ends [default: 1000].
    #[arg(long, value_name = "CODE[:REASON]", value_parser = values::close)]
    pub(super) close: Option<(u16, String)>,
    /// Runs the check so many times and counts the causes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) repeat: Option<u32>,
    /// Saves the session: .sockeye as it is; .html, .md, .txt, .jsonl, .har, .pcapng, .json or .zip (share bundle) without secrets; with
    /// `--repeat` a file for each run.
    #[arg(long, value_name = "FILE")]
    pub(super) save: Option<PathBuf>,
    /// Measures what silence does to connections in place of one check: as `sockeye idle-lab URL --max SECONDS`.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "150",
        value_parser = values::seconds, conflicts_with_all = ["repeat", "save"])]
    pub(super) idle_lab: Option<Duration>,
    /// Prints one JSON object and nothing else.
    #[arg(long)]
    pub(super) json: bool,
    /// Prints and saves secrets as they are.
    #[arg(long)]
    pub(super) no_redact: bool,
}

/// Options of `idle-lab`.
#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 silence harmed nobody, 1 a limit was found or the twins do not tell.\n\
    Ctrl-C stops; what is known by then counts.")]
pub(super) struct IdleLabArgs {
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
    /// How long the silent connection is watched at most, in seconds [default: 150].
    #[arg(long, value_name = "S", value_parser = values::seconds)]
    pub(super) max: Option<Duration>,
    /// How often the other one pings, in seconds [default: 0.5].
    #[arg(long, value_name = "S", value_parser = values::seconds)]
    pub(super) ping_every: Option<Duration>,
    /// Prints one JSON object and nothing else.
    #[arg(long)]
    pub(super) json: bool,
}

/// Options of `record`.
#[derive(Debug, Args)]
pub(super) struct RecordArgs {
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
    /// The file to record into; must not exist yet.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: PathBuf,
}

/// What a connection needs.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct ConnectArgs {
    /// The URL; `practice` or `practice/FAULT-ID` stands for the built-in practice server.
    pub(super) url: String,
    /// The token.
    #[arg(long, value_name = "TOKEN", group = "given_token", allow_hyphen_values = true, help_heading = "Token")]
    pub(super) token: Option<String>,
    /// Reads the token from a file, byte for byte.
    #[arg(long, value_name = "FILE", group = "given_token", help_heading = "Token")]
    pub(super) token_file: Option<PathBuf>,
    /// Reads the token from an environment variable.
    #[arg(long, value_name = "NAME", group = "given_token", help_heading = "Token")]
    pub(super) token_env: Option<String>,
    /// Where the token goes: `query:NAME`, `bearer`, `header:NAME`, `cookie:NAME`, `protocol`, or `message:TEMPLATE` with
    /// `{{token}}` in it [default: query:token].
    #[arg(long, value_name = "PLACE", value_parser = values::token_place, help_heading = "Token")]
    pub(super) token_in: Option<TokenPlace>,
    #[command(flatten)]
    pub(super) server: ServerArgs,
    /// Takes what a browser's console said about the same URL from this file, or from standard input (`-`).
    #[arg(long, value_name = "FILE|-", help_heading = "Server console")]
    pub(super) browser_console: Option<PathBuf>,
    /// The query parameter `agentId`.
    #[arg(long, value_name = "ID", help_heading = "Request")]
    pub(super) agent_id: Option<String>,
    /// A query parameter; may be given again.
    #[arg(long, value_name = "KEY=VALUE", value_parser = values::key_value, help_heading = "Request")]
    pub(super) query: Vec<(String, String)>,
    /// A header; may be given again.
    #[arg(long, value_name = "NAME: VALUE", help_heading = "Request")]
    pub(super) header: Vec<String>,
    /// The `Origin` header, as a page of this origin would send it.
    #[arg(long, value_name = "ORIGIN", help_heading = "Request")]
    pub(super) origin: Option<String>,
    /// Which client the request imitates, header by header: `chrome` (with the server's own origin unless one is
    /// given), `node` (the package ws) or `bare` (what RFC 6455 demands, no compression).
    #[arg(long, value_name = "CLIENT", value_parser = values::preset, default_value = "chrome", help_heading = "Request")]
    pub(super) preset: Preset,
    /// Offers no compression (permessage-deflate), which is offered otherwise.
    #[arg(long, help_heading = "Request")]
    pub(super) no_compress: bool,
    /// A subprotocol to offer; may be given again.
    #[arg(long, value_name = "NAME", help_heading = "Request")]
    pub(super) subprotocol: Vec<String>,
    /// What confirms the connection: `first`, `none`, `contains:TEXT`, `json:/POINTER=VALUE` or `regex:PATTERN`.
    #[arg(long, value_name = "RULE", value_parser = values::expect, help_heading = "Session")]
    pub(super) expect: Option<Expect>,
    /// How long to wait for the confirmation, in seconds [default: 5].
    #[arg(long, value_name = "S", value_parser = values::seconds, help_heading = "Session")]
    pub(super) confirm_timeout: Option<Duration>,
    /// A text message to send once confirmed, or once open with `--expect none`; may be given again.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, help_heading = "Session")]
    pub(super) send: Vec<String>,
    /// How long to wait before the first message and between them, in seconds [default: 0].
    #[arg(long, value_name = "S", value_parser = values::seconds, help_heading = "Session")]
    pub(super) send_delay: Option<Duration>,
    /// Sends every text and binary message back as it came, as soak tests and conformance suites want it.
    #[arg(long, help_heading = "Session")]
    pub(super) echo: bool,
    /// The largest message taken, in bytes [default: 64 MiB].
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Session")]
    pub(super) max_message: Option<u64>,
    /// How long name resolution and each TCP attempt may take, in seconds [default: 10].
    #[arg(long, value_name = "S", value_parser = values::seconds, help_heading = "Network")]
    pub(super) connect_timeout: Option<Duration>,
    /// How long the response to the opening handshake may take, in seconds [default: 10].
    #[arg(long, value_name = "S", value_parser = values::seconds, help_heading = "Network")]
    pub(super) upgrade_timeout: Option<Duration>,
    /// Shows this client certificate (PEM) where the server asks for one; its key may stand in the same file.
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(super) client_cert: Option<PathBuf>,
    /// The key (PEM, without a passphrase) of the client certificate.
    #[arg(long, value_name = "FILE", requires = "client_cert", help_heading = "Network")]
    pub(super) client_key: Option<PathBuf>,
    /// The name sent as SNI and looked for in the certificate, in place of the URL's host; an empty one sends no SNI.
    #[arg(long, value_name = "NAME", help_heading = "Network")]
    pub(super) sni: Option<String>,
    /// Appends the keys of the TLS session to this file, for Wireshark [default: the variable SSLKEYLOGFILE].
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(super) keylog: Option<PathBuf>,
    /// Goes through this proxy: `http://[USER:PASSWORD@]HOST:PORT`, `https://…`, `socks5://…`, or `none` [default: the
    /// variables `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, except to this machine].
    #[arg(long, value_name = "URL", help_heading = "Network")]
    pub(super) proxy: Option<String>,
    /// Sends a ping each so many seconds and measures the round trip.
    #[arg(long, value_name = "S", value_parser = values::seconds, help_heading = "Keep-alive")]
    pub(super) ping: Option<Duration>,
    /// How long a pong may take before the server counts as gone, in seconds [default: 10].
    #[arg(long, value_name = "S", value_parser = values::seconds, requires = "ping", help_heading = "Keep-alive")]
    pub(super) pong_timeout: Option<Duration>,
    /// Leaves the server's pings unanswered, to see what it does then.
    #[arg(long, help_heading = "Keep-alive")]
    pub(super) no_pong: bool,
    /// Connects again after an end that was not ours, at most so many times, with pauses that grow from 1 to 30 seconds.
    #[arg(long, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Keep-alive")]
    pub(super) reconnect: Option<u32>,
    /// Tries IPv4 addresses alone.
    #[arg(long, conflicts_with = "ipv6", help_heading = "Network")]
    pub(super) ipv4: bool,
    /// Tries IPv6 addresses alone.
    #[arg(long, help_heading = "Network")]
    pub(super) ipv6: bool,
    /// The server behind the proxy: where the proxy refuses, it is sent the same opening handshake.
    #[arg(long, value_name = "URL", help_heading = "Network")]
    pub(super) backend: Option<String>,
}

/// What is told of the server.
#[derive(Clone, Debug, Args)]
pub(super) struct ServerArgs {
    /// Checks the token's signature with the bytes of this file.
    #[arg(long, value_name = "FILE", conflicts_with = "env_file", help_heading = "Token")]
    pub(super) secret_file: Option<PathBuf>,
    /// Checks the token's signature with the secrets of this `.env` file.
    #[arg(long, value_name = "FILE", help_heading = "Token")]
    pub(super) env_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) claims: ClaimArgs,
    /// Follows the server's console in this file, or reads it from standard input (`-`); its lines stand between the frames
    /// and tell causes that the wire does not.
    #[arg(long, value_name = "FILE|-", help_heading = "Server console")]
    pub(super) server_log: Option<PathBuf>,
    /// Starts the server with this command line, waits until it listens, reads its console, and ends it with everything
    /// that it has started.
    #[arg(long, value_name = "COMMAND", help_heading = "Server console")]
    pub(super) server_cmd: Option<String>,
    /// How long a server on `--server-cmd` or standard input may take until it listens, in seconds [default: 15].
    #[arg(long, value_name = "S", value_parser = values::seconds, help_heading = "Server console")]
    pub(super) server_wait: Option<Duration>,
    /// Goes on although the server's certificate is invalid, and lists what is wrong with it.
    #[arg(long, help_heading = "Network")]
    pub(super) insecure: bool,
    /// Trusts the certificate authorities of this PEM file as well; may be given again.
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(super) ca: Vec<PathBuf>,
    /// Asks the server follow-up questions after a connection is dead also if it is another machine.
    #[arg(long, conflicts_with = "no_probes", help_heading = "Network")]
    pub(super) probes: bool,
    /// Asks the server nothing after a connection is dead.
    #[arg(long, help_heading = "Network")]
    pub(super) no_probes: bool,
}

/// Options of `practice`.
#[derive(Debug, Args)]
pub(super) struct PracticeArgs {
    /// The port to listen on; 0 for any free one.
    #[arg(long, default_value_t = 3001)]
    pub(super) port: u16,
    /// Lists the faults that can be practised, and ends.
    #[arg(long)]
    pub(super) list: bool,
}

/// Options of `intercept`.
#[derive(Debug, Args)]
#[command(
    after_help = "Point your page to the address that it listens on in place of its server; path and query stay the page's own.\n\
    Every connection is judged once it is over. Ctrl-C ends it, and every connection that goes through it.\n\
    Exit status: 0, 2 usage, 3 Sockeye itself failed."
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct InterceptArgs {
    /// Where to listen: a port of this machine, or ADDRESS:PORT; port 0 takes any free one.
    #[arg(long, value_name = "ADDR", value_parser = values::listen, default_value = "9001")]
    pub(super) listen: SocketAddr,
    /// The server that everything goes to: `ws://HOST:PORT`, `wss://…`, or `practice` for the built-in practice server.
    #[arg(long, value_name = "URL")]
    pub(super) target: String,
    /// Puts the server's name into `Host`, where it would refuse ours; every other byte stays as it is.
    #[arg(long)]
    pub(super) rename_host: bool,
    /// Where the server refuses or drops a connection, tells the page why: close code 4999, the cause as the reason.
    #[arg(long)]
    pub(super) tell_page: bool,
    /// Ends once so many connections are over.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) count: Option<u32>,
    /// Saves every session into this folder as it is, secrets included.
    #[arg(long, value_name = "FOLDER")]
    pub(super) save: Option<PathBuf>,
    #[command(flatten)]
    pub(super) server: ServerArgs,
    /// Prints one JSON object a connection, each in a line of its own, and nothing else.
    #[arg(long)]
    pub(super) json: bool,
    /// Prints secrets as they are.
    #[arg(long)]
    pub(super) no_redact: bool,
}

/// Options of `export`.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The saved session.
    pub(super) file: PathBuf,
    /// The format: html, bundle, md, text, jsonl, har, pcapng or json [default: what the extension of OUT asks for].
    #[arg(long, value_name = "FORMAT", required_unless_present = "output")]
    pub(super) to: Option<String>,
    /// The file to write; standard output without it.
    #[arg(short, long, value_name = "OUT")]
    pub(super) output: Option<PathBuf>,
    /// Tells what would be written and which secrets are replaced; writes nothing.
    #[arg(long, conflicts_with = "output")]
    pub(super) preview: bool,
    /// Only these rows, by their numbers: `3-20,55,100-`.
    #[arg(long, value_name = "ROWS", value_parser = values::rows)]
    pub(super) rows: Option<Selection>,
    /// Only rows that fit this query, as in the field above the log: `kind:text dir:received`, `/user_\\d+/`; with
    /// `--rows` both must hold.
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    pub(super) filter: Option<String>,
    /// Writes secrets as they are.
    #[arg(long)]
    pub(super) no_redact: bool,
}

/// Options of `search`.
#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 rows were found, 1 none, 2 usage, 3 Sockeye itself failed.\n\
    Words must all stand in a row, OR stands between alternatives, - takes away: error -kind:ping\n\
    Terms: \"text\" exact:\"Text\" /regex/ /regex/i dir:sent kind:ping,close size:>1k time:2:05..3:00 code:4000..4999\n\
    json:/user/id=7 json:/type~err json:/error\n\
    The number before a row is what `export --rows` takes.")]
pub(super) struct SearchArgs {
    /// The saved session.
    pub(super) file: PathBuf,
    /// What to look for.
    #[arg(allow_hyphen_values = true)]
    pub(super) query: String,
    /// Prints the number of rows that fit and nothing else.
    #[arg(long, conflicts_with = "json")]
    pub(super) count: bool,
    /// Prints one JSON object and nothing else.
    #[arg(long)]
    pub(super) json: bool,
    /// Prints secrets as they are.
    #[arg(long)]
    pub(super) no_redact: bool,
}

/// Options of `diff`.
#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 the same, 1 different, 2 usage, 3 Sockeye itself failed.\n\
    What is new in every session (keys, dates, ids, durations) is listed, but decides nothing unless --strict is given.")]
pub(super) struct DiffArgs {
    /// A saved session.
    pub(super) one: PathBuf,
    /// Another one.
    pub(super) other: PathBuf,
    /// Counts what is new in every session, too.
    #[arg(long)]
    pub(super) strict: bool,
    /// Prints one JSON object and nothing else.
    #[arg(long)]
    pub(super) json: bool,
    /// Prints secrets as they are.
    #[arg(long)]
    pub(super) no_redact: bool,
}
