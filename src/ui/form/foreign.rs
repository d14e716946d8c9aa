//! What other tools say of a connection: a `curl`, `wscat`, `websocat` or `sockeye` command, a HAR entry, a line of
//! JavaScript.
//!
//! Reading never fails: a text that is none of these is `None`, and what is not understood is named in
//! [`Foreign::left_out`]. Nothing is run. The way back, from the form to such a command, is in [`super::copied`].

use serde_json::Value;

use super::shell_words::{shell_words, without_carets};

/// What a pasted text says of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Foreign {
    /// What the text is, for the note about it: "a curl command".
    pub what: &'static str,
    /// The URL.
    pub url: String,
    /// Headers in their order, without those of the opening handshake itself.
    pub headers: Vec<(String, String)>,
    /// The `Origin` header.
    pub origin: Option<String>,
    /// The subprotocols that are offered.
    pub subprotocols: Vec<String>,
    /// Certificates are accepted although invalid.
    pub is_insecure: bool,
    /// A further certificate authority.
    pub ca_file: Option<String>,
    /// Options that were not taken over, as written; values are not repeated.
    pub left_out: Vec<String>,
}

impl Foreign {
    /// Reads `text`; `None` if it is nothing of the kind.
    ///
    /// Texts over 256 KiB are not looked at: this runs in a pass of the window.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > MAX_BYTES {
            return None;
        }
        let foreign = match text.chars().next()? {
            '{' | '[' => har(&serde_json::from_str(text).ok()?)?,
            _ => script(text).or_else(|| command(text))?,
        };
        (!foreign.url.is_empty()).then_some(foreign)
    }

    fn header(&mut self, name: &str, value: &str) {
        let (name, value) = (name.trim(), value.trim());
        let lower = name.to_ascii_lowercase();
        if lower == "origin" {
            self.origin = Some(value.to_owned());
        } else if lower == "sec-websocket-protocol" {
            self.subprotocols.extend(list(value));
        } else if !name.is_empty() && !name.starts_with(':') && !OF_THE_HANDSHAKE.contains(&lower.as_str()) {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
    }

    fn header_line(&mut self, line: &str) {
        match line.split_once(':') {
            Some((name, value)) => self.header(name, value),
            None => self.left_out.push("a header without a colon".to_owned()),
        }
    }
}

/// `new WebSocket("ws://…", ["a", "b"])`, wherever it stands in the text.
fn script(text: &str) -> Option<Foreign> {
    let (_, call) = text.split_once("new WebSocket")?;
    let arguments = call.trim_start().strip_prefix('(')?;
    let (url, rest) = string(arguments)?;
    // Either one subprotocol or a list of them; what an object of settings holds is not read.
    let mut rest = rest.trim_start().strip_prefix(',').unwrap_or_default().trim_start();
    let is_list = rest.starts_with('[');
    rest = rest.strip_prefix('[').unwrap_or(rest);
    let mut subprotocols = Vec::new();
    while let Some((name, after)) = string(rest) {
        subprotocols.push(name);
        rest = after.trim_start().strip_prefix(',').filter(|_| is_list).unwrap_or_default();
    }
    Some(Foreign { what: "a line of JavaScript", url, subprotocols, ..Foreign::default() })
}

/// The string literal with which the text begins, and what follows it; a template with `${…}` stays as it is.
fn string(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c if c == quote => return Some((value, text.get(at + 1..).unwrap_or_default())),
            c => value.push(c),
        }
    }
    None
}

/// An entry of a HAR file, or the first WebSocket of a whole one.
fn har(value: &Value) -> Option<Foreign> {
    let entries = value.pointer("/log/entries").or(Some(value).filter(|value| value.is_array()));
    let request = match entries.and_then(Value::as_array) {
        Some(entries) => {
            entries.iter().filter_map(|entry| entry.get("request")).find(|request| is_websocket(request))?
        }
        None => value.get("request").unwrap_or(value),
    };
    let url = request.get("url")?.as_str()?.to_owned();
    let mut foreign = Foreign { what: "a HAR entry", url, ..Foreign::default() };
    for header in request.get("headers").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| header.get(key).and_then(Value::as_str).unwrap_or_default();
        foreign.header(text("name"), text("value"));
    }
    Some(foreign)
}

fn is_websocket(request: &Value) -> bool {
    let url = request.get("url").and_then(Value::as_str).unwrap_or_default();
    let upgrades = |header: &Value| {
        let text = |key: &str| header.get(key).and_then(Value::as_str).unwrap_or_default();
        text("name").eq_ignore_ascii_case("upgrade") && text("value").eq_ignore_ascii_case("websocket")
    };
    let headers = request.get("headers").and_then(Value::as_array);
    url.starts_with("ws://") || url.starts_with("wss://") || headers.is_some_and(|headers| headers.iter().any(upgrades))
}

fn command(text: &str) -> Option<Foreign> {
    let prompt = text.trim_start_matches(['$', '>', '%', '#']).trim_start();
    let unescaped = without_carets(prompt);
    let words = shell_words(unescaped.as_deref().unwrap_or(prompt));
    let mut words = words.iter().map(String::as_str).peekable();
    // `npx wscat …`, `sudo curl …`, `NAME=value curl …`
    while words.peek().is_some_and(|word| matches!(*word, "npx" | "-y" | "sudo" | "time") || is_assignment(word)) {
        words.next();
    }
    let program = words.next()?;
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    let tool = TOOLS.iter().find(|tool| name == tool.name || name.strip_suffix(".exe") == Some(tool.name))?;
    // `sockeye check …`
    words.next_if(|word| tool.commands.contains(word));
    let mut foreign = Foreign { what: tool.what, ..Foreign::default() };
    let mut token = GivenToken::default();
    let mut words = words.map(str::to_owned);
    while let Some(word) = words.next() {
        argument(&mut foreign, &mut token, tool, word, &mut words);
    }
    token.place(&mut foreign);
    Some(foreign)
}

/// A token beside the URL, and where it goes.
#[derive(Default)]
struct GivenToken {
    token: Option<String>,
    place: String,
}

impl GivenToken {
    fn place(self, foreign: &mut Foreign) {
        let Some(token) = self.token else { return };
        match self.place.split_once(':').unwrap_or((&self.place, "")) {
            ("bearer", _) => foreign.header("Authorization", &format!("Bearer {token}")),
            ("header", name) if !name.is_empty() => foreign.header(name, &token),
            ("cookie", name) if !name.is_empty() => foreign.header("Cookie", &format!("{name}={token}")),
            ("protocol", _) => foreign.subprotocols.push(token),
            _ => foreign.left_out.push("--token".to_owned()),
        }
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
    })
}

fn argument(
    foreign: &mut Foreign,
    token: &mut GivenToken,
    tool: &Tool,
    word: String,
    rest: &mut impl Iterator<Item = String>,
) {
    if !word.starts_with('-') || word.len() < 2 {
        if foreign.url.is_empty() {
            foreign.url = word;
        } else {
            foreign.left_out.push("a second target".to_owned());
        }
        return;
    }
    let (option, given) = match word.split_once('=') {
        Some((option, value)) => (option.to_owned(), Some(value.to_owned())),
        // `-HName: value`, as curl takes it
        None if !word.starts_with("--") && word.chars().count() > 2 => {
            let end = word.char_indices().nth(2).map_or(word.len(), |(at, _)| at);
            let (option, value) = word.split_at(end);
            (option.to_owned(), Some(value.to_owned()).filter(|_| tool.takes_value(option)))
        }
        None => (word.clone(), None),
    };
    let Some((_, meaning)) = tool.options.iter().find(|(names, _)| names.contains(&option.as_str())) else {
        foreign.left_out.push(option);
        return;
    };
    let mut value = || given.clone().or_else(|| rest.next()).unwrap_or_default();
    match meaning {
        Meaning::Url => foreign.url = value(),
        Meaning::Header => foreign.header_line(&value()),
        Meaning::Named(name) => {
            let value = value();
            foreign.header(name, &value);
        }
        Meaning::Basic => {
            use base64::Engine as _;
            let credentials = base64::engine::general_purpose::STANDARD.encode(value());
            foreign.header("Authorization", &format!("Basic {credentials}"));
        }
        Meaning::Subprotocol => {
            let value = value();
            foreign.subprotocols.extend(list(&value));
        }
        Meaning::Token => token.token = Some(value()),
        Meaning::TokenPlace => token.place = value(),
        Meaning::Insecure => foreign.is_insecure = true,
        Meaning::Authority => foreign.ca_file = Some(value()),
        Meaning::Ignored => {}
        Meaning::LeftOutFlag => foreign.left_out.push(option),
        Meaning::LeftOut => {
            let _value_is_not_repeated = value();
            foreign.left_out.push(option);
        }
    }
}

fn list(value: &str) -> impl Iterator<Item = String> {
    value.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty())
}

/// What an option of another tool means for a form of ours.
#[derive(Clone, Copy, Debug)]
enum Meaning {
    Url,
    Header,
    /// A header of this name.
    Named(&'static str),
    /// `user:password`.
    Basic,
    Subprotocol,
    Token,
    TokenPlace,
    Insecure,
    Authority,
    /// Nothing, and it takes no value.
    Ignored,
    /// Something that is not taken over; it takes no value …
    LeftOutFlag,
    /// … or one.
    LeftOut,
}

struct Tool {
    name: &'static str,
    what: &'static str,
    /// Words behind its name that stand before everything else.
    commands: &'static [&'static str],
    options: &'static [(&'static [&'static str], Meaning)],
}

impl Tool {
    fn takes_value(&self, option: &str) -> bool {
        let row = self.options.iter().find(|(names, _)| names.contains(&option));
        row.is_some_and(|(_, meaning)| !matches!(meaning, Meaning::Insecure | Meaning::Ignored | Meaning::LeftOutFlag))
    }
}

const TOOLS: [Tool; 4] = [
    Tool {
        name: "curl",
        what: "a curl command",
        commands: &[],
        options: &[
            (&["--url"], Meaning::Url),
            (&["-H", "--header"], Meaning::Header),
            (&["-b", "--cookie"], Meaning::Named("Cookie")),
            (&["-A", "--user-agent"], Meaning::Named("User-Agent")),
            (&["-e", "--referer"], Meaning::Named("Referer")),
            (&["--oauth2-bearer"], Meaning::LeftOut),
            (&["-u", "--user"], Meaning::Basic),
            (&["-k", "--insecure"], Meaning::Insecure),
            (&["--cacert"], Meaning::Authority),
            (
                &[
                    "--compressed",
                    "-i",
                    "--include",
                    "-N",
                    "--no-buffer",
                    "-v",
                    "--verbose",
                    "-s",
                    "--silent",
                    "-S",
                    "--show-error",
                    "-L",
                    "--location",
                    "--http1.1",
                    "-G",
                    "--get",
                    "-g",
                    "--globoff",
                ],
                Meaning::Ignored,
            ),
            (&["-X", "--request", "-o", "--output", "-m", "--max-time", "--connect-timeout"], Meaning::LeftOut),
            (&["-x", "--proxy", "-E", "--cert", "--key", "-d", "--data", "--data-raw", "--resolve"], Meaning::LeftOut),
        ],
    },
    Tool {
        name: "wscat",
        what: "a wscat command",
        commands: &[],
        options: &[
            (&["-c", "--connect"], Meaning::Url),
            (&["-H", "--header"], Meaning::Header),
            (&["-s", "--subprotocol"], Meaning::Subprotocol),
            (&["-o", "--origin"], Meaning::Named("Origin")),
            (&["--auth"], Meaning::Basic),
            (&["-n", "--no-check"], Meaning::Insecure),
            (&["--ca"], Meaning::Authority),
            (&["--no-color", "-P", "--show-ping-pong", "--slash", "-L", "--location"], Meaning::Ignored),
            (&["-x", "--execute", "-w", "--wait", "-p", "--protocol", "--host", "--max-redirects"], Meaning::LeftOut),
            (&["--cert", "--key", "--passphrase", "--proxy", "-l", "--listen"], Meaning::LeftOut),
        ],
    },
    Tool {
        name: "websocat",
        what: "a websocat command",
        commands: &[],
        options: &[
            (&["-H", "--header"], Meaning::Header),
            (&["--protocol"], Meaning::Subprotocol),
            (&["--origin"], Meaning::Named("Origin")),
            (&["--basic-auth"], Meaning::Basic),
            (&["-k", "--insecure"], Meaning::Insecure),
            (&["-t", "--text", "-b", "--binary", "-v", "-q", "-1", "-n", "-E", "-U", "-u", "-S"], Meaning::Ignored),
            (&["--ping-interval", "--ping-timeout", "-B", "--buffer-size", "--socks5"], Meaning::LeftOut),
            (&["--client-pkcs12-der", "--client-pkcs12-passwd"], Meaning::LeftOut),
        ],
    },
    Tool {
        name: "sockeye",
        what: "a sockeye command",
        commands: &["check", "record", "idle-lab"],
        options: &[
            (&["--token"], Meaning::Token),
            (&["--token-in"], Meaning::TokenPlace),
            (&["--header"], Meaning::Header),
            (&["--origin"], Meaning::Named("Origin")),
            (&["--subprotocol"], Meaning::Subprotocol),
            (&["--insecure"], Meaning::Insecure),
            (&["--ca"], Meaning::Authority),
            (&["--json", "--no-redact", "--probes", "--no-probes"], Meaning::Ignored),
            (&["--no-compress", "--echo", "--ipv4", "--ipv6", "--no-pong"], Meaning::LeftOutFlag),
            (&["--token-file", "--token-env", "--secret-file", "--env-file", "--aud", "--iss"], Meaning::LeftOut),
            (
                &["--leeway", "--agent-id", "--query", "--preset", "--expect", "--send", "--send-delay"],
                Meaning::LeftOut,
            ),
            (&["--connect-timeout", "--upgrade-timeout", "--confirm-timeout", "--watch", "--close"], Meaning::LeftOut),
            (&["--client-cert", "--client-key", "--sni", "--keylog", "--proxy", "--backend"], Meaning::LeftOut),
            (&["--ping", "--pong-timeout", "--reconnect", "--max-message", "--repeat", "--save"], Meaning::LeftOut),
            (
                &["--server-log", "--server-cmd", "--server-wait", "--browser-console", "-o", "--output"],
                Meaning::LeftOut,
            ),
        ],
    },
];

/// Headers that the opening handshake makes for itself, and those of a browser's cache.
const OF_THE_HANDSHAKE: [&str; 9] = [
    "host",
    "upgrade",
    "connection",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "pragma",
    "cache-control",
    "accept-encoding",
];

/// The longest text that is looked at.
const MAX_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn read(text: &str) -> Foreign {
        Foreign::read(text).expect("it is understood")
    }

    fn pairs(headers: &[(&str, &str)]) -> Vec<(String, String)> {
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn chrome_copies_a_request_as_curl() {
        let foreign = read(
            "curl 'ws://localhost:3001/?token=eyJ.a.b&agentId=a1' \\\n  -H 'Upgrade: websocket' \\\n  -H 'Origin: \
             http://localhost:3000' \\\n  -H 'Cache-Control: no-cache' \\\n  -b 'sid=1; theme=dark' \\\n  -H 'Sec-WebSocket-Key: \
             x==' \\\n  -H 'Sec-WebSocket-Protocol: chat, v2' \\\n  -H 'User-Agent: Mozilla/5.0' --insecure",
        );
        assert_eq!(foreign.url, "ws://localhost:3001/?token=eyJ.a.b&agentId=a1");
        assert_eq!(foreign.origin.as_deref(), Some("http://localhost:3000"));
        assert_eq!(foreign.subprotocols, ["chat", "v2"]);
        assert_eq!(foreign.headers, pairs(&[("Cookie", "sid=1; theme=dark"), ("User-Agent", "Mozilla/5.0")]));
        assert!(foreign.is_insecure && foreign.left_out.is_empty());
    }

    #[test]
    fn a_command_pasted_into_one_line_keeps_its_words() {
        let foreign = read("curl 'ws://h/' \\   -H 'X-A: 1' \\ -H 'X-B: 2'");
        assert_eq!(foreign.headers, pairs(&[("X-A", "1"), ("X-B", "2")]));
    }

    #[test]
    fn chrome_copies_for_cmd_with_carets() {
        let foreign =
            read("curl ^\"ws://h/?a=1^&b=2^\" ^\r\n  -H ^\"Origin: http://localhost^\" ^\r\n  -H ^\"X-A: 100^%^\"");
        assert_eq!(foreign.url, "ws://h/?a=1&b=2");
        assert_eq!(foreign.origin.as_deref(), Some("http://localhost"));
        assert_eq!(foreign.headers, pairs(&[("X-A", "100%")]));
    }

    #[test]
    fn wscat_and_websocat_commands_are_read() {
        let foreign = read(
            "$ npx wscat -c wss://h:8443/chat -H 'Authorization: Bearer t' -s graphql-transport-ws -o http://o -n -w 5",
        );
        assert_eq!((foreign.what, foreign.url.as_str()), ("a wscat command", "wss://h:8443/chat"));
        assert_eq!(foreign.headers, pairs(&[("Authorization", "Bearer t")]));
        assert_eq!(
            (foreign.subprotocols, foreign.origin),
            (vec!["graphql-transport-ws".to_owned()], Some("http://o".to_owned()))
        );
        assert!(foreign.is_insecure);
        assert_eq!(foreign.left_out, ["-w"]);

        let foreign = read("websocat -k -H='X-A: 1' --protocol=chat --ping-interval 5 \"ws://h/\"");
        assert_eq!((foreign.url.as_str(), foreign.is_insecure), ("ws://h/", true));
        assert_eq!((foreign.headers, foreign.subprotocols), (pairs(&[("X-A", "1")]), vec!["chat".to_owned()]));
        assert_eq!(foreign.left_out, ["--ping-interval"]);
    }

    #[test]
    fn a_sockeye_command_is_read() {
        let foreign = read(
            "sockeye check 'ws://h/?a=1' --token=t.t.t --token-in=bearer --header='X-A: 1' --no-compress --watch 5 --json",
        );
        assert_eq!((foreign.what, foreign.url.as_str()), ("a sockeye command", "ws://h/?a=1"));
        assert_eq!(foreign.headers, pairs(&[("X-A", "1"), ("Authorization", "Bearer t.t.t")]));
        assert_eq!(foreign.left_out, ["--no-compress", "--watch"]);
        for (place, header) in [("header:X-T", ("X-T", "t")), ("cookie:sid", ("Cookie", "sid=t"))] {
            let foreign = read(&format!("sockeye check ws://h/ --token t --token-in {place}"));
            assert_eq!(foreign.headers, pairs(&[header]));
        }
        assert_eq!(read("sockeye record ws://h/ --token-in protocol --token t -o f").subprotocols, ["t"]);
        assert_eq!(read("sockeye ws://h/ --token t").left_out, ["--token"]);
    }

    #[test]
    fn credentials_of_an_option_become_a_header() {
        let foreign = read("curl -u user:pass ws://h/");
        assert_eq!(foreign.headers, pairs(&[("Authorization", "Basic dXNlcjpwYXNz")]));
    }

    #[test]
    fn har_entries_and_whole_files_are_read() {
        let entry = r#"{"request":{"method":"GET","url":"wss://h/x","headers":[{"name":"Origin","value":"https://h"},{"name":"X-A","value":"1"},{"name":":path","value":"/x"}]}}"#;
        let foreign = read(entry);
        assert_eq!((foreign.url.as_str(), foreign.origin.as_deref()), ("wss://h/x", Some("https://h")));
        assert_eq!(foreign.headers, pairs(&[("X-A", "1")]));
        let file = format!(r#"{{"log":{{"entries":[{{"request":{{"url":"https://h/","headers":[]}}}},{entry}]}}}}"#);
        assert_eq!(read(&file).url, "wss://h/x");
    }

    #[test]
    fn a_line_of_javascript_is_read() {
        let foreign = read("const ws = new WebSocket(`ws://localhost:3001/?token=${token}`, ['a', \"b\"]);");
        assert_eq!(foreign.url, "ws://localhost:3001/?token=${token}");
        assert_eq!(foreign.subprotocols, ["a", "b"]);
    }

    #[test]
    fn what_is_nothing_of_the_kind_stays_alone() {
        for text in [
            "",
            "ws://h/",
            "curly ws://h/",
            "curl",
            "curl -H",
            "{",
            "{}",
            "[]",
            "new WebSocket",
            "new WebSocket(",
            "wscat -c",
        ] {
            assert_eq!(Foreign::read(text), None, "{text:?}");
        }
        assert_eq!(Foreign::read(&format!("curl ws://h/{}", "x".repeat(MAX_BYTES))), None);
    }

    #[test]
    fn broken_commands_end_without_harm() {
        let pieces = [
            "curl ",
            "wscat ",
            "-c ",
            "-H",
            "'",
            "\"",
            "\\",
            "^",
            "\n",
            "$'",
            "\u{202E}",
            "é",
            "=",
            "--",
            "new WebSocket(",
            "ws://h/",
            "{\"",
            " ",
        ];
        let mut state = 7_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..12 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            }
            let read = Foreign::read(&text);
            assert!(read.is_none_or(|foreign| !foreign.url.is_empty()), "{text:?}");
        }
    }
}
