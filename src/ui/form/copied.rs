//! The form as a command of another tool, to be compared with what that tool sees. The way back is in [`super::foreign`].
//!
//! A command holds the token as it would be sent: who copies it wants to run it.

use std::path::Path;

use super::{Form, TimeOutTexts};
use crate::engine::{ConnectOptions, ProxyChoice};
use crate::observation::{Expect, Family, Preset, TokenPlace};
use crate::token::is_env_file;

/// Another tool that a connection can be tried with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `sockeye check`, which sees what this window sees, in a terminal or a build.
    Sockeye,
    /// `wscat`, of npm.
    Wscat,
    /// `websocat`.
    Websocat,
    /// `curl`, which shows the answer to the opening handshake.
    Curl,
    /// A script for Node with the package `ws`: the test script of the troubleshooting guide.
    NodeScript,
}

impl Tool {
    /// What is copied, for the toast.
    pub fn what(self) -> &'static str {
        match self {
            Self::Sockeye => "the sockeye command",
            Self::Wscat => "the wscat command",
            Self::Websocat => "the websocat command",
            Self::Curl => "the curl command",
            Self::NodeScript => "the Node script",
        }
    }
}

impl Form {
    /// This connection as a command, or a script, for another tool; holds the token.
    pub fn copied(&self, tool: Tool) -> String {
        let options = self.options();
        let url = self.url.trim();
        match tool {
            Tool::Sockeye => self.sockeye(url, &options),
            Tool::Wscat => wscat(url, &options),
            Tool::Websocat => websocat(url, &options),
            Tool::Curl => curl(url, &options),
            Tool::NodeScript => node_script(url, &options),
        }
    }
}

impl Form {
    /// The secret itself stays out of the command; the file that it was read from is named.
    fn sockeye(&self, url: &str, options: &ConnectOptions) -> String {
        let mut line = Line::new("sockeye check").word(url);
        if let (Some(token), Some(place)) = (&options.token, &options.token_place) {
            let (place, is_in_url) = match place {
                TokenPlace::Query { name } => (format!("query:{name}"), true),
                TokenPlace::Bearer => ("bearer".to_owned(), false),
                TokenPlace::Header { name } => (format!("header:{name}"), false),
                TokenPlace::Cookie { name } => (format!("cookie:{name}"), false),
                TokenPlace::Subprotocol => ("protocol".to_owned(), false),
                TokenPlace::FirstMessage { template } => (format!("message:{template}"), false),
            };
            if !is_in_url {
                line = line.joined("--token", token);
            }
            if place != "query:token" {
                line = line.joined("--token-in", &place);
            }
        }
        let secret_file = self.secret_file.trim();
        let name = Path::new(secret_file).file_name().map(|name| name.to_string_lossy());
        let secret_option = if name.is_some_and(|name| is_env_file(&name)) { "--env-file" } else { "--secret-file" };
        line = line.given(secret_option, secret_file);
        line = line.given("--aud", self.claims.audience.trim()).given("--iss", self.claims.issuer.trim());
        line = line.given("--leeway", Some(self.claims.leeway.trim()).filter(|secs| *secs != "0").unwrap_or_default());
        for row in self.headers.iter().filter(|row| row.is_on && !row.name.is_empty()) {
            line = line.joined("--header", &format!("{}: {}", row.name, row.value));
        }
        line = line.given("--origin", &self.origin);
        for name in &options.subprotocols {
            line = line.joined("--subprotocol", name);
        }
        line = match options.preset {
            Preset::Chrome => line,
            Preset::NodeWs => line.option("--preset", "node"),
            Preset::Bare => line.option("--preset", "bare"),
        };
        line = line.flag_if(self.is_uncompressed, "--no-compress");
        line = match &options.expect {
            Expect::First => line,
            Expect::None => line.option("--expect", "none"),
            Expect::Contains { text } => line.joined("--expect", &format!("contains:{text}")),
            Expect::JsonPointer { pointer, value } => line.joined("--expect", &format!("json:{pointer}={value}")),
            Expect::Regex { pattern } => line.joined("--expect", &format!("regex:{pattern}")),
        };
        let (limits, usual) = (&self.time_outs, TimeOutTexts::default());
        for (option, text, usual) in [
            ("--connect-timeout", &limits.connect, &usual.connect),
            ("--upgrade-timeout", &limits.upgrade, &usual.upgrade),
            ("--confirm-timeout", &limits.confirm, &usual.confirm),
        ] {
            line = line.given(option, if text == usual { "" } else { text.trim() });
        }
        line = match options.family {
            Family::Auto => line,
            Family::Ipv4 => line.flag("--ipv4"),
            Family::Ipv6 => line.flag("--ipv6"),
        };
        self.network_options(line, options).0
    }

    fn network_options(&self, line: Line, options: &ConnectOptions) -> Line {
        let network = &self.network;
        let mut line = line.flag_if(self.is_insecure, "--insecure").given("--ca", self.ca_file.trim());
        line = line.given("--client-cert", network.client_certificate.trim());
        line = line.given("--client-key", network.client_key.trim());
        if let Some(name) = &options.sni {
            line = line.joined("--sni", name);
        }
        line = line.given("--keylog", network.key_log.trim());
        line = match &options.proxy {
            ProxyChoice::System => line,
            ProxyChoice::None => line.option("--proxy", "none"),
            ProxyChoice::Url(url) => line.joined("--proxy", url),
        };
        if network.is_pinging {
            line = line.given("--ping", network.ping.0.trim()).given("--pong-timeout", network.pong.0.trim());
        }
        line = line.flag_if(network.withholds_pongs, "--no-pong");
        match options.reconnect {
            Some(reconnect) => line.option("--reconnect", &reconnect.at_most.unwrap_or(RECONNECTS).to_string()),
            None => line,
        }
    }
}

/// The window connects again until it is stopped; a command has to end.
const RECONNECTS: u32 = 100;

fn wscat(url: &str, options: &ConnectOptions) -> String {
    let mut line = Line::new("npx wscat").option("-c", url);
    for (name, value) in headers(options) {
        line = line.option("-H", &format!("{name}: {value}"));
    }
    for name in subprotocols(options) {
        line = line.option("-s", &name);
    }
    if let Some(origin) = &options.origin {
        line = line.option("-o", origin);
    }
    if options.insecure {
        line = line.flag("-n");
    }
    for path in &options.ca_files {
        line = line.option("--ca", &path.to_string_lossy());
    }
    if let Some(message) = first_message(options) {
        line = line.option("-x", &message).option("-w", "10");
    }
    line.0
}

fn websocat(url: &str, options: &ConnectOptions) -> String {
    let mut line = Line::new("websocat");
    for (name, value) in headers(options) {
        line = line.joined("-H", &format!("{name}: {value}"));
    }
    if let Some(origin) = &options.origin {
        line = line.joined("--origin", origin);
    }
    let offered = subprotocols(options);
    if !offered.is_empty() {
        line = line.joined("--protocol", &offered.join(", "));
    }
    if options.insecure {
        line = line.flag("-k");
    }
    let line = line.word(url).0;
    match first_message(options) {
        Some(message) => format!("{} | {line}", Line::new("echo").word(&message).0),
        None => line,
    }
}

/// Asks for the upgrade over plain HTTP, so that curl prints the answer whatever it is.
fn curl(url: &str, options: &ConnectOptions) -> String {
    let url = ["ws", "wss"].iter().find_map(|scheme| {
        let rest = url.strip_prefix(scheme)?.strip_prefix("://")?;
        Some(format!("{}://{rest}", scheme.replace("ws", "http")))
    });
    let mut line = Line::new("curl").flag("-i").flag("-N").flag("--http1.1").option("--max-time", "10");
    line = line.option("-H", "Connection: Upgrade").option("-H", "Upgrade: websocket");
    line = line.option("-H", "Sec-WebSocket-Version: 13").option("-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");
    if let Some(origin) = &options.origin {
        line = line.option("-H", &format!("Origin: {origin}"));
    }
    let offered = subprotocols(options);
    if !offered.is_empty() {
        line = line.option("-H", &format!("Sec-WebSocket-Protocol: {}", offered.join(", ")));
    }
    for (name, value) in headers(options) {
        line = line.option("-H", &format!("{name}: {value}"));
    }
    if options.insecure {
        line = line.flag("-k");
    }
    for path in &options.ca_files {
        line = line.option("--cacert", &path.to_string_lossy());
    }
    line.word(url.as_deref().unwrap_or(&options.url)).0
}

fn node_script(url: &str, options: &ConnectOptions) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let list: Vec<String> = subprotocols(options).iter().map(|name| text(name)).collect();
    let mut settings = Vec::new();
    if let Some(origin) = &options.origin {
        settings.push(format!("origin: {}", text(origin)));
    }
    let headers: Vec<String> =
        headers(options).iter().map(|(name, value)| format!("{}: {}", text(name), text(value))).collect();
    if !headers.is_empty() {
        settings.push(format!("headers: {{ {} }}", headers.join(", ")));
    }
    if options.insecure {
        settings.push("rejectUnauthorized: false".to_owned());
    }
    for path in &options.ca_files {
        settings.push(format!("ca: require('fs').readFileSync({})", text(&path.to_string_lossy())));
    }
    let first = first_message(options).map_or_else(String::new, |message| format!("  ws.send({});\n", text(&message)));
    format!(
        "// npm install ws && node test.js\n\
         const WebSocket = require('ws');\n\
         const ws = new WebSocket({}, [{}], {{ {} }});\n\
         ws.on('open', () => {{\n  console.log('open');\n{first}}});\n\
         ws.on('message', (data) => console.log('message', data.toString()));\n\
         ws.on('unexpected-response', (_, response) => {{\n  \
         console.log('refused with', response.statusCode, response.headers);\n  \
         response.on('data', (data) => console.log(data.toString()));\n}});\n\
         ws.on('error', (error) => console.log('error', error.message));\n\
         ws.on('close', (code, reason) => console.log('close', code, reason.toString()));\n",
        text(url),
        list.join(", "),
        settings.join(", "),
    )
}

/// The headers that carry the token, and those of the form.
fn headers(options: &ConnectOptions) -> Vec<(String, String)> {
    let mut all = Vec::new();
    if let (Some(token), Some(place)) = (&options.token, &options.token_place) {
        match place {
            TokenPlace::Bearer => all.push(("Authorization".to_owned(), format!("Bearer {token}"))),
            TokenPlace::Header { name } => all.push((name.clone(), token.clone())),
            TokenPlace::Cookie { name } => all.push(("Cookie".to_owned(), format!("{name}={token}"))),
            TokenPlace::Query { .. } | TokenPlace::Subprotocol | TokenPlace::FirstMessage { .. } => {}
        }
    }
    all.extend(options.headers.iter().cloned());
    all
}

fn subprotocols(options: &ConnectOptions) -> Vec<String> {
    let token = options.token.iter().filter(|_| options.token_place == Some(TokenPlace::Subprotocol));
    options.subprotocols.iter().chain(token).cloned().collect()
}

fn first_message(options: &ConnectOptions) -> Option<String> {
    match (&options.token, &options.token_place) {
        (Some(token), Some(TokenPlace::FirstMessage { template })) => Some(template.replace("{{token}}", token)),
        _ => None,
    }
}

/// A command line for the shell of this platform.
struct Line(String);

impl Line {
    fn new(program: &str) -> Self {
        Self(program.to_owned())
    }

    fn flag(mut self, flag: &str) -> Self {
        self.0.push(' ');
        self.0.push_str(flag);
        self
    }

    fn word(self, word: &str) -> Self {
        let quoted = quoted(word);
        self.flag(&quoted)
    }

    fn option(self, option: &str, value: &str) -> Self {
        self.flag(option).word(value)
    }

    fn flag_if(self, is_set: bool, flag: &str) -> Self {
        if is_set { self.flag(flag) } else { self }
    }

    /// An option, unless its value is empty.
    fn given(self, option: &str, value: &str) -> Self {
        if value.is_empty() { self } else { self.joined(option, value) }
    }

    fn joined(self, option: &str, value: &str) -> Self {
        let quoted = quoted(value);
        self.flag(&format!("{option}={quoted}"))
    }
}

/// The word in the quotes that `cmd` and PowerShell take off again.
#[cfg(windows)]
fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('"', "\\\""))
}

/// The word in the quotes that POSIX shells take off again.
#[cfg(not(windows))]
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::super::foreign::Foreign;
    use super::super::{HeaderRow, PlaceChoice};
    use super::*;

    fn form() -> Form {
        let mut form = Form::first();
        form.set_url("wss://h:8443/chat?token=eyJ.a.b&agentId=it's");
        form.origin = "https://app.example".to_owned();
        form.subprotocols = "chat, v2".to_owned();
        form.headers.push(HeaderRow { is_on: true, name: "X-A".to_owned(), value: "\"1\" $x".to_owned() });
        form.headers.push(HeaderRow { is_on: false, name: "X-Off".to_owned(), value: "1".to_owned() });
        form.is_insecure = true;
        form
    }

    #[cfg(not(windows))]
    #[test]
    fn what_is_copied_can_be_pasted_back() {
        for tool in [Tool::Sockeye, Tool::Wscat, Tool::Websocat, Tool::Curl, Tool::NodeScript] {
            let copied = form().copied(tool);
            let read = Foreign::read(&copied).unwrap();
            let url = read.url.replacen("https://", "wss://", 1);
            assert_eq!(url, "wss://h:8443/chat?token=eyJ.a.b&agentId=it's", "{copied}");
            assert_eq!(read.subprotocols, ["chat", "v2"], "{copied}");
            if tool != Tool::NodeScript {
                assert_eq!(read.origin.as_deref(), Some("https://app.example"), "{copied}");
                assert_eq!(read.headers, [("X-A".to_owned(), "\"1\" $x".to_owned())], "{copied}");
                assert!(read.is_insecure, "{copied}");
            }
        }
    }

    #[test]
    fn the_token_goes_where_its_place_says() {
        let mut form = form();
        form.move_token(PlaceChoice::Bearer);
        assert!(form.copied(Tool::Wscat).contains("Authorization: Bearer eyJ.a.b"));
        form.move_token(PlaceChoice::FirstMessage);
        let script = form.copied(Tool::NodeScript);
        assert!(script.contains(r#"ws.send("{\"type\":\"auth\",\"token\":\"eyJ.a.b\"}")"#), "{script}");
        form.move_token(PlaceChoice::Subprotocol);
        assert!(form.copied(Tool::Curl).contains("Sec-WebSocket-Protocol: chat, v2, eyJ.a.b"));
    }
}
