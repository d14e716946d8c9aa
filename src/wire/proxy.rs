//! Proxies as text: their URL, and the list of hosts that go without one.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A proxy, as its URL says it; its `Debug` shows no password.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl {
    /// What it speaks.
    pub kind: ProxyKind,
    /// Its host, without the brackets of an IPv6 literal.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// User and password, decoded.
    pub credentials: Option<(String, String)>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProxyKind {
    /// HTTP, asked with CONNECT (RFC 9110 §9.3.6).
    Http,
    /// The same over TLS to the proxy itself.
    Https,
    /// SOCKS version 5 (RFC 1928); the proxy resolves the name.
    Socks5,
}

impl ProxyKind {
    /// The words for it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Http => "HTTP proxy",
            Self::Https => "HTTPS proxy",
            Self::Socks5 => "SOCKS5 proxy",
        }
    }
}

impl ProxyUrl {
    /// Host and port, as they stand in a URL.
    pub fn place(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyUrl").field("kind", &self.kind).field("place", &self.place()).finish_non_exhaustive()
    }
}

/// Reads the URL of a proxy: `http://user:password@host:3128`, `https://host`, `socks5://host`, or `host:port` for HTTP.
///
/// What is wrong is said in words that do not repeat the password.
pub fn parse_proxy(typed: &str) -> Result<ProxyUrl, String> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err("type the proxy's URL, such as http://proxy:3128 or socks5://127.0.0.1:1080".to_owned());
    }
    let (scheme, rest) = typed.split_once("://").unwrap_or(("http", typed));
    let kind = match scheme.to_ascii_lowercase().as_str() {
        "http" => ProxyKind::Http,
        "socks5" | "socks5h" | "socks" => ProxyKind::Socks5,
        "https" => ProxyKind::Https,
        "socks4" | "socks4a" => return Err("SOCKS version 4 is not spoken here: use socks5://".to_owned()),
        _ => return Err("a proxy begins with http://, https:// or socks5://".to_owned()),
    };
    let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (userinfo, host_port) = rest.rsplit_once('@').map_or((None, rest), |(user, host)| (Some(user), host));
    let (host, port) = match host_port.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or("the bracket of the IPv6 address is not closed")?;
            (host, after.strip_prefix(':'))
        }
        None => host_port.split_once(':').map_or((host_port, None), |(host, port)| (host, Some(port))),
    };
    let is_host = !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || "-._:%".contains(c));
    if !is_host {
        return Err("the proxy's host is missing, or holds a character that no host has".to_owned());
    }
    let port = match (port, kind) {
        (Some(text), _) if !text.is_empty() => {
            let port = text.parse::<u16>().ok().filter(|port| *port > 0);
            port.ok_or("the proxy's port is no number from 1 to 65535")?
        }
        (_, ProxyKind::Http) => 8080,
        (_, ProxyKind::Https) => 443,
        (_, ProxyKind::Socks5) => 1080,
    };
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let credentials = userinfo.map(|userinfo| {
        let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        (decoded(user), decoded(password))
    });
    if credentials.as_ref().is_some_and(|(user, password)| user.len() > 255 || password.len() > 255) {
        return Err("user and password may have 255 bytes each".to_owned());
    }
    Ok(ProxyUrl { kind, host: host.to_owned(), port, credentials })
}

/// Whether a list as `NO_PROXY` has it names this host and port.
///
/// Entries are parted by commas or spaces: `*` for every host; a name for itself and everything below it, with or without
/// a leading `.` or `*.`; an address; a block such as `10.0.0.0/8`; each with or without a port.
pub fn bypasses(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    let entries = list.split([',', ' ', '\t']).map(str::trim).filter(|entry| !entry.is_empty());
    entries.into_iter().any(|entry| is_named(&entry.to_ascii_lowercase(), &host, port))
}

fn is_named(entry: &str, host: &str, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    let (name, wanted_port) = match entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, after)) => (name, after.strip_prefix(':')),
        None if entry.matches(':').count() == 1 => entry.split_once(':').map_or((entry, None), |(n, p)| (n, Some(p))),
        None => (entry, None),
    };
    if wanted_port.is_some_and(|wanted| wanted.parse() != Ok(port)) {
        return false;
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return match name.split_once('/') {
            Some((network, bits)) => is_within(address, network, bits),
            None => name.parse() == Ok(address),
        };
    }
    let name = name.trim_start_matches("*.").trim_start_matches('.').trim_end_matches('.');
    !name.is_empty() && (host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')))
}

fn is_within(address: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) if bits <= 32 => {
            let differing = u32::from(address) ^ u32::from(network);
            differing.checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) if bits <= 128 => {
            let differing = u128::from(address) ^ u128::from(network);
            differing.checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read_as_other_programs_read_them() {
        let read = |typed: &str| parse_proxy(typed).map(|p| (p.kind, p.place(), p.credentials));
        assert_eq!(read("http://p:3128"), Ok((ProxyKind::Http, "p:3128".to_owned(), None)));
        assert_eq!(read("proxy.example:8888"), Ok((ProxyKind::Http, "proxy.example:8888".to_owned(), None)));
        assert_eq!(read("SOCKS5h://[::1]"), Ok((ProxyKind::Socks5, "[::1]:1080".to_owned(), None)));
        assert_eq!(read("HTTPS://p"), Ok((ProxyKind::Https, "p:443".to_owned(), None)));
        let credentials = Some(("u".to_owned(), "p@ss:w".to_owned()));
        assert_eq!(read("http://u:p%40ss:w@h:1/x"), Ok((ProxyKind::Http, "h:1".to_owned(), credentials)));
        for wrong in ["", "socks4://h", "ftp://h", "http://", "http://h:0", "http://h:x", "http://[::1", "http://a b"] {
            assert!(parse_proxy(wrong).is_err(), "{wrong}");
        }
        let told = parse_proxy("http://u:hunter2@h:x").unwrap_err();
        let shown = format!("{:?}", parse_proxy("http://u:hunter2@h:1").unwrap());
        assert!(!told.contains("hunter2") && !shown.contains("hunter2"));
    }

    #[test]
    fn no_proxy_is_honoured() {
        let check = |list: &str, host: &str, expected: bool| {
            assert_eq!(bypasses(list, host, 3001), expected, "{list} {host}");
        };
        check("localhost,127.0.0.1", "localhost", true);
        check("example.com", "api.example.com", true);
        check(".example.com", "example.com", true);
        check("*.example.com", "api.example.com", true);
        check("example.com", "badexample.com", false);
        check("a, EXAMPLE.com ", "Example.COM.", true);
        check("*", "anything", true);
        check("", "anything", false);
        check("example.com:3001", "example.com", true);
        check("example.com:443", "example.com", false);
        check("10.0.0.0/8", "10.9.8.7", true);
        check("10.0.0.0/8", "11.9.8.7", false);
        check("0.0.0.0/0", "11.9.8.7", true);
        check("fd00::/8,::1", "fd12::1", true);
        check("[::1]:3001", "::1", true);
        check("10.0.0.0/99,x/y,::/200", "10.0.0.1", false);
    }
}
