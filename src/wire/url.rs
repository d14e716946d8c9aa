//! The URL as it is typed (RFC 6455 §3), with the place of what is wrong.
//!
//! Host, path and query are kept as typed. Only what cannot stand in a request line is percent-encoded, as browsers do,
//! and the target says that it was.

use serde::{Deserialize, Serialize};

/// A URL taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Whether TLS is used (`wss`, `https`).
    pub secure: bool,
    /// Whether the scheme was `http` or `https`, which browsers rewrite.
    pub http_scheme: bool,
    /// The host as typed, without the brackets of an IPv6 literal.
    pub host: String,
    /// The port, 80 or 443 if none was typed.
    pub port: u16,
    /// Whether the port was typed.
    pub explicit_port: bool,
    /// Path and query as they are sent in the request line.
    pub path_and_query: String,
    /// `user:password`, if one was typed.
    pub userinfo: Option<String>,
    /// The characters that had to be percent-encoded or dropped, each once.
    pub encoded: String,
    /// The path of the Unix socket that is connected to in place of host and port (`ws+unix:/run/app.sock:/path`).
    #[serde(default)]
    pub socket: Option<String>,
}

impl Target {
    /// The value of the `Host` header: the port only if it is not the scheme's own.
    pub fn host_header(&self) -> String {
        let host = self.bracketed_host();
        let own = if self.secure { 443 } else { 80 };
        if self.port == own { host } else { format!("{host}:{}", self.port) }
    }

    /// The host as it stands in a URL: IPv6 literals in brackets.
    pub fn bracketed_host(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.path_and_query.split('?').next().unwrap_or("/")
    }

    /// The query without its question mark; empty if there is none.
    pub fn query(&self) -> &str {
        self.path_and_query.split_once('?').map_or("", |(_, query)| query)
    }

    /// Whether the host can only be this machine.
    pub fn is_loopback(&self) -> bool {
        let host = self.host.to_ascii_lowercase();
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// The scheme as a WebSocket URL says it.
    pub fn scheme(&self) -> &'static str {
        if self.secure { "wss" } else { "ws" }
    }
}

/// Why nothing can be sent to this URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlProblem {
    /// What kind.
    pub kind: UrlProblemKind,
    /// Byte offset of what is wrong.
    pub at: usize,
    /// Its length in bytes; 0 for something that is missing.
    pub len: usize,
    /// One sentence for the user, naming the character or word.
    pub message: String,
    /// The URL that was probably meant, if one can be guessed.
    pub suggestion: Option<String>,
}

/// What kind of URL problem; each has its id in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UrlProblemKind {
    /// The scheme is missing or unknown.
    SchemeTypo,
    /// No scheme and no host: a path alone.
    Relative,
    /// A `#` anywhere.
    Fragment,
    /// The port is no number from 1 to 65 535, or an IPv6 bracket is missing.
    BadPort,
    /// The host is empty, a placeholder such as `undefined`, or holds a character that no host has.
    HostPlaceholder,
    /// A subprotocol is no token of RFC 7230, or stands twice.
    SubprotocolInvalid,
}

impl UrlProblemKind {
    /// The id in the catalogue of causes.
    pub fn cause_id(self) -> &'static str {
        match self {
            Self::SchemeTypo => "url-scheme-typo",
            Self::Relative => "url-relative",
            Self::Fragment => "url-fragment",
            Self::BadPort => "url-bad-port",
            Self::HostPlaceholder => "url-host-placeholder",
            Self::SubprotocolInvalid => "url-subprotocol-invalid",
        }
    }
}

/// Takes a URL apart as typed.
pub fn parse_url(typed: &str) -> Result<Target, UrlProblem> {
    let lead = typed.len() - typed.trim_start_matches(is_trimmed).len();
    let url = typed.trim_matches(is_trimmed);
    let problem = |kind, at: usize, len: usize, message: String, suggestion: Option<String>| UrlProblem {
        kind,
        at: lead + at,
        len,
        message,
        suggestion,
    };
    if url.is_empty() {
        let message = "type a URL such as ws://localhost:3001/".to_owned();
        return Err(problem(UrlProblemKind::Relative, 0, 0, message, None));
    }
    if url.starts_with('/') && !url.starts_with("//") || url.starts_with('?') || url.starts_with("./") {
        let message = "this is a path alone; only a page in a browser can complete it".to_owned();
        return Err(problem(UrlProblemKind::Relative, 0, url.len(), message, Some(format!("ws://localhost{url}"))));
    }
    let (scheme, after) = split_scheme(url);
    if let Some(secure) = is_socket_scheme(scheme) {
        return socket_target(secure, after).map_err(|message| {
            problem(UrlProblemKind::HostPlaceholder, url.len() - after.len(), after.len(), message.to_owned(), None)
        });
    }
    let (secure, http_scheme) = match scheme.to_ascii_lowercase().as_str() {
        "ws" => (false, false),
        "wss" => (true, false),
        "http" => (false, true),
        "https" => (true, true),
        "" => {
            let rest = url.trim_start_matches('/');
            let message = "the scheme is missing: begin with ws:// or wss://".to_owned();
            return Err(problem(UrlProblemKind::SchemeTypo, 0, 0, message, Some(format!("ws://{rest}"))));
        }
        _ => return Err(unknown_scheme(url, scheme, lead)),
    };
    if let Some(at) = url.find('#') {
        let message =
            "a # begins a fragment, which no WebSocket URL may have; write %23 if it belongs to a value".to_owned();
        let fixed = url.replace('#', "%23");
        return Err(problem(UrlProblemKind::Fragment, at, url.len() - at, message, Some(fixed)));
    }
    let start = url.len() - after.len();
    let end = after.find(['/', '?', '\\']).map_or(url.len(), |i| start + i);
    let authority = &url[start..end];
    let (userinfo, host_at) = match authority.rfind('@') {
        Some(i) => (Some(authority[..i].to_owned()), start + i + 1),
        None => (None, start),
    };
    let host_port = &url[host_at..end];
    let (host, port_text, port_at) = split_host_port(host_port, host_at)
        .map_err(|(at, message)| problem(UrlProblemKind::BadPort, at, end - at, message.to_owned(), None))?;
    check_host(host).map_err(|message| problem(UrlProblemKind::HostPlaceholder, host_at, host.len(), message, None))?;
    let own = if secure { 443 } else { 80 };
    let port = match port_text {
        None | Some("") => own,
        Some(text) => {
            text.parse::<u16>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit())).ok_or_else(|| {
                let message = format!("{} is no port: a port is a number up to 65535", shorten(text));
                problem(UrlProblemKind::BadPort, port_at, text.len(), message, None)
            })?
        }
    };
    let (path_and_query, encoded) = encode_path(&url[end..]);
    Ok(Target {
        secure,
        http_scheme,
        host: host.to_owned(),
        port,
        explicit_port: port_text.is_some_and(|t| !t.is_empty()),
        path_and_query,
        userinfo,
        encoded,
        socket: None,
    })
}

/// Whether a scheme means a Unix socket, and if so, whether TLS is spoken on it.
fn is_socket_scheme(scheme: &str) -> Option<bool> {
    match scheme.to_ascii_lowercase().as_str() {
        "ws+unix" => Some(false),
        "wss+unix" => Some(true),
        _ => None,
    }
}

/// `/run/app.sock:/path?query`, as Node's ws writes it.
fn socket_target(secure: bool, rest: &str) -> Result<Target, &'static str> {
    let (socket, path) = rest.split_once(':').unwrap_or((rest, "/"));
    if !socket.starts_with('/') || socket.len() < 2 || socket.contains('\0') {
        return Err("the path of the socket is missing: write ws+unix:/run/app.sock:/path");
    }
    if path.contains('#') {
        return Err("a # begins a fragment, which no WebSocket URL may have; write %23 if it belongs to a value");
    }
    let (path_and_query, encoded) = encode_path(path);
    Ok(Target {
        secure,
        http_scheme: false,
        host: "localhost".to_owned(),
        port: if secure { 443 } else { 80 },
        explicit_port: false,
        path_and_query,
        userinfo: None,
        encoded,
        socket: Some(socket.to_owned()),
    })
}

/// Checks that each subprotocol is a token (RFC 6455 §4.1, item 10) and stands once.
pub fn check_subprotocols(offered: &[String]) -> Result<(), UrlProblem> {
    for (i, name) in offered.iter().enumerate() {
        let bad = name.chars().find(|c| !is_token_char(*c));
        let message = if name.is_empty() {
            "a subprotocol is empty".to_owned()
        } else if let Some(c) = bad {
            format!("the subprotocol \u{201c}{}\u{201d} holds {c:?}, which a subprotocol may not", shorten(name))
        } else if offered[..i].contains(name) {
            format!("the subprotocol \u{201c}{}\u{201d} stands twice", shorten(name))
        } else {
            continue;
        };
        return Err(UrlProblem { kind: UrlProblemKind::SubprotocolInvalid, at: 0, len: 0, message, suggestion: None });
    }
    Ok(())
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?={}".contains(c)
}

/// What browsers take off both ends: C0 controls and the space.
fn is_trimmed(c: char) -> bool {
    c <= ' ' || c == '\u{feff}'
}

fn split_scheme(url: &str) -> (&str, &str) {
    if let Some((scheme, rest)) = url.split_once("://") {
        if scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) {
            return (scheme, rest);
        }
        return ("", url);
    }
    match url.split_once(':') {
        Some((scheme, rest)) if is_socket_scheme(scheme).is_some() => (scheme, rest),
        Some((scheme, rest)) if matches!(scheme.to_ascii_lowercase().as_str(), "ws" | "wss" | "http" | "https") => {
            (scheme, rest.trim_start_matches('/'))
        }
        _ => ("", url),
    }
}

fn unknown_scheme(url: &str, scheme: &str, lead: usize) -> UrlProblem {
    let rest = &url[scheme.len()..];
    let close_to_wss = scheme.to_ascii_lowercase().ends_with('s') && scheme.len() > 2;
    UrlProblem {
        kind: UrlProblemKind::SchemeTypo,
        at: lead,
        len: scheme.len(),
        message: format!("{}:// is no WebSocket scheme: write ws:// or wss://", shorten(scheme)),
        suggestion: Some(format!("{}{rest}", if close_to_wss { "wss" } else { "ws" })),
    }
}

/// Splits `host:port`; on failure gives the offset and what is wrong.
fn split_host_port(text: &str, at: usize) -> Result<(&str, Option<&str>, usize), (usize, &'static str)> {
    if let Some(inner) = text.strip_prefix('[') {
        let Some((host, rest)) = inner.split_once(']') else {
            return Err((at, "the bracket of the IPv6 address is not closed"));
        };
        if host.parse::<std::net::Ipv6Addr>().is_err() {
            return Err((at + 1, "what stands in the brackets is no IPv6 address"));
        }
        let port_at = at + host.len() + 3;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port), port_at)),
            None if rest.is_empty() => Ok((host, None, port_at)),
            None => Err((port_at - 1, "only :port may follow the bracket")),
        };
    }
    match text.split_once(':') {
        Some((host, port)) => Ok((host, Some(port), at + host.len() + 1)),
        None => Ok((text, None, at + text.len())),
    }
}

fn check_host(host: &str) -> Result<(), String> {
    let lower = host.to_ascii_lowercase();
    if host.is_empty() {
        return Err("the host is missing; browsers would take the first part of the path for it".to_owned());
    }
    if matches!(
        lower.as_str(),
        "undefined" | "null" | "nan" | "none" | "true" | "false" | "your-host" | "yourhost" | "host" | "hostname"
    ) {
        return Err(format!("the host is the word {lower}: a variable was not filled in"));
    }
    if let Some(c) = host.chars().find(|c| c.is_whitespace() || c.is_control() || "<>\"`{}|^$%[]@,;()".contains(*c)) {
        return Err(format!("{c:?} cannot stand in a host name; probably a variable was not filled in"));
    }
    Ok(())
}

fn encode_path(rest: &str) -> (String, String) {
    let mut sent = String::with_capacity(rest.len() + 1);
    let mut encoded = String::new();
    if !rest.starts_with(['/', '\\']) {
        sent.push('/');
    }
    for c in rest.chars() {
        let keep = c.is_ascii_graphic() && !"\"<>".contains(c);
        if keep {
            sent.push(c);
            continue;
        }
        if !encoded.contains(c) {
            encoded.push(c);
        }
        if matches!(c, '\t' | '\r' | '\n') {
            continue;
        }
        let mut buffer = [0; 4];
        for byte in c.encode_utf8(&mut buffer).bytes() {
            sent.push('%');
            for digit in [byte >> 4, byte & 0x0F] {
                sent.extend(char::from_digit(u32::from(digit), 16).map(|c| c.to_ascii_uppercase()));
            }
        }
    }
    (sent, encoded)
}

fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(url: &str) -> Target {
        parse_url(url).unwrap()
    }

    fn check(url: &str, kind: UrlProblemKind, at: usize, len: usize) {
        let problem = parse_url(url).unwrap_err();
        assert_eq!((problem.kind, problem.at, problem.len), (kind, at, len), "{url}: {problem:?}");
    }

    #[test]
    fn url_is_kept_as_typed() {
        let t = ok("ws://LocalHost:3001/a/../B?Token=eyJ.%2E&x=1&x=2");
        assert_eq!((t.host.as_str(), t.port, t.secure), ("LocalHost", 3001, false));
        assert_eq!(t.path_and_query, "/a/../B?Token=eyJ.%2E&x=1&x=2");
        assert_eq!(t.host_header(), "LocalHost:3001");
        assert_eq!((t.path(), t.query()), ("/a/../B", "Token=eyJ.%2E&x=1&x=2"));
        assert_eq!(ok("wss://h").path_and_query, "/");
        assert_eq!(ok("wss://h?a=1").path_and_query, "/?a=1");
        assert_eq!(ok("wss://h:443").host_header(), "h");
        assert_eq!(ok("ws://[::1]:9/").host_header(), "[::1]:9");
        assert_eq!(ok(" ws://h/ \n").host, "h");
        assert_eq!(ok("ws://u:p@h/").userinfo.as_deref(), Some("u:p"));
        assert!(ok("https://h/").http_scheme && ok("https://h/").secure);
        assert_eq!(ok("ws://h/a b\"c\u{e9}\nd").path_and_query, "/a%20b%22c%C3%A9d");
        assert_eq!(ok("ws://h/a b").encoded, " ");
        assert!(
            ok("ws://127.0.0.1").is_loopback() && ok("ws://[::1]/").is_loopback() && !ok("ws://a.de").is_loopback()
        );
    }

    #[test]
    fn unix_sockets_are_written_as_node_writes_them() {
        for url in ["ws+unix:/run/a.sock:/p?x=1", "ws+unix:///run/a.sock:/p?x=1"] {
            let target = ok(url);
            assert_eq!((target.socket.as_deref(), target.path_and_query.as_str()), (Some("/run/a.sock"), "/p?x=1"));
            assert_eq!((target.host_header().as_str(), target.secure), ("localhost", false));
        }
        assert_eq!(ok("wss+unix:/a").path_and_query, "/");
        assert!(ok("wss+unix:/a").secure && ok("ws://h/").socket.is_none());
        check("ws+unix:", UrlProblemKind::HostPlaceholder, 8, 0);
        check("ws+unix:run/a.sock", UrlProblemKind::HostPlaceholder, 8, 10);
        check("ws+unix:/a:/#x", UrlProblemKind::HostPlaceholder, 8, 6);
    }

    #[test]
    fn each_problem_names_its_place() {
        check("localhost:3001/x", UrlProblemKind::SchemeTypo, 0, 0);
        check("wsx://h/", UrlProblemKind::SchemeTypo, 0, 3);
        check("/echo", UrlProblemKind::Relative, 0, 5);
        check("", UrlProblemKind::Relative, 0, 0);
        check("ws://h/a#b", UrlProblemKind::Fragment, 8, 2);
        check("ws://h/a#", UrlProblemKind::Fragment, 8, 1);
        check("ws://h:70000/", UrlProblemKind::BadPort, 7, 5);
        check("ws://h:+80/", UrlProblemKind::BadPort, 7, 3);
        check("ws://[::1/", UrlProblemKind::BadPort, 5, 4);
        check("ws://undefined:1/", UrlProblemKind::HostPlaceholder, 5, 9);
        check("ws:///x", UrlProblemKind::HostPlaceholder, 5, 0);
        check("ws://a b/", UrlProblemKind::HostPlaceholder, 5, 3);
        check("  ws://${HOST}/", UrlProblemKind::HostPlaceholder, 7, 7);
        assert_eq!(parse_url("localhost:3001/x").unwrap_err().suggestion.as_deref(), Some("ws://localhost:3001/x"));
        assert_eq!(parse_url("wsss://h").unwrap_err().suggestion.as_deref(), Some("wss://h"));
    }

    #[test]
    fn subprotocols_are_tokens_and_unique() {
        let check =
            |names: &[&str]| check_subprotocols(&names.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()).is_ok();
        assert!(check(&["chat", "v1.graphql-ws"]));
        for bad in [&["a b"][..], &["a", "a"], &[""], &["a="], &["a/b"]] {
            assert!(!check(bad), "{bad:?}");
        }
    }
}
