//! The request of the opening handshake, byte for byte as it is shown (RFC 6455 §4.1).
//!
//! Names, order, letter case and values are those of the client that the preset names; a header that the user typed
//! takes the place of the preset's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;

use crate::engine::ConnectOptions;
use crate::observation::{Preset, TokenPlace};
use crate::wire::{Target, UrlProblem, check_subprotocols};

/// Builds the bytes of the request with a fresh key.
pub(crate) fn build(options: &ConnectOptions, target: &Target) -> Vec<u8> {
    with_key(options, target, &generate_key())
}

/// The `Origin` that is sent: the user's, or with the preset *as Chrome* that of a page of the server itself.
pub(crate) fn origin(options: &ConnectOptions, target: &Target) -> Option<String> {
    let own = options.origin.clone();
    match options.preset {
        Preset::Chrome => own.or_else(|| {
            let scheme = if target.secure { "https" } else { "http" };
            Some(format!("{scheme}://{}", target.host_header()))
        }),
        Preset::NodeWs | Preset::Bare => own,
    }
}

/// Every subprotocol that is offered, the token last if it goes there.
pub(crate) fn subprotocols(options: &ConnectOptions) -> Vec<String> {
    let mut all = options.subprotocols.clone();
    if let (Some(token), Some(TokenPlace::Subprotocol)) = (&options.token, &options.token_place) {
        all.push(token.clone());
    }
    all
}

/// Checks what no request could carry: subprotocols that are no tokens.
pub(crate) fn check(options: &ConnectOptions) -> Result<(), UrlProblem> {
    check_subprotocols(&subprotocols(options))
}

/// A line of a preset.
#[derive(Clone, Copy)]
enum Line {
    /// Always the same.
    Fixed(&'static str, &'static str),
    Host,
    UserAgent,
    AcceptEncoding,
    Origin,
    /// Only with the token in it, or typed.
    Cookie,
    Key,
    Extensions,
    Subprotocols,
    /// The token, or what stands before the `@` of the URL.
    Authorization,
    /// What was typed and has no place of its own, and the token's header.
    Typed,
}

/// Recorded from Chromium 156; a page cannot add headers, so what was typed follows at the end.
///
/// With a login in the URL Chromium asks without it first, and again with it after a 401: this is that second request.
const CHROME: &[Line] = &[
    Line::Host,
    Line::Fixed("Connection", "Upgrade"),
    Line::Fixed("Pragma", "no-cache"),
    Line::Fixed("Cache-Control", "no-cache"),
    Line::Authorization,
    Line::UserAgent,
    Line::Fixed("Upgrade", "websocket"),
    Line::Origin,
    Line::Fixed("Sec-WebSocket-Version", "13"),
    Line::AcceptEncoding,
    Line::Fixed("Accept-Language", "en-US,en;q=0.9"),
    Line::Cookie,
    Line::Key,
    Line::Extensions,
    Line::Subprotocols,
    Line::Typed,
];

/// Recorded from ws 8.23 on Node 20: all that its user gives comes first, whatever it is.
const NODE_WS: &[Line] = &[
    Line::Typed,
    Line::Fixed("Sec-WebSocket-Version", "13"),
    Line::Key,
    Line::Fixed("Connection", "Upgrade"),
    Line::Fixed("Upgrade", "websocket"),
    Line::Extensions,
    Line::Subprotocols,
    Line::Origin,
    Line::Host,
    Line::Authorization,
];

/// What RFC 6455 §4.1 demands.
const BARE: &[Line] = &[
    Line::Host,
    Line::Fixed("Upgrade", "websocket"),
    Line::Fixed("Connection", "Upgrade"),
    Line::Key,
    Line::Fixed("Sec-WebSocket-Version", "13"),
    Line::Origin,
    Line::Extensions,
    Line::Subprotocols,
    Line::Cookie,
    Line::Authorization,
    Line::Typed,
];

fn with_key(options: &ConnectOptions, target: &Target, key: &str) -> Vec<u8> {
    let lines = match options.preset {
        Preset::Chrome => CHROME,
        Preset::NodeWs => NODE_WS,
        Preset::Bare => BARE,
    };
    let mut head = format!("GET {} HTTP/1.1\r\n", target.path_and_query);
    let mut write = |name: &str, value: &str| {
        for part in [name, ": ", value, "\r\n"] {
            head.push_str(part);
        }
    };
    let token = token_field(options);
    let typed_comes_first = options.preset == Preset::NodeWs;
    let has_place = |name: &str| !typed_comes_first && lines.iter().any(|line| line.name().eq_ignore_ascii_case(name));
    for line in lines {
        if let Line::Typed = line {
            let is_header = matches!(options.token_place, Some(TokenPlace::Header { .. }));
            if let Some((name, value)) = token.as_ref().filter(|(name, _)| is_header || !has_place(name)) {
                write(name, value);
            }
            for (name, value) in options.headers.iter().filter(|(name, _)| !has_place(name)) {
                write(name, value);
            }
            continue;
        }
        let own = line.value(options, target, key);
        if typed_comes_first {
            let is_there = |name: &str| name.eq_ignore_ascii_case(line.name());
            let is_written = token.as_ref().is_some_and(|(name, _)| is_there(name))
                || options.headers.iter().any(|(name, _)| is_there(name));
            if let Some(value) = own.filter(|_| !is_written) {
                write(line.name(), &value);
            }
            continue;
        }
        let mut typed = options.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(line.name())).peekable();
        if typed.peek().is_none()
            && let Some(value) = &own
        {
            write(line.name(), value);
        }
        // A token beside what was typed is sent, too: both were asked for.
        if typed.peek().is_some()
            && let Some(value) = line.token(options)
        {
            write(line.name(), &value);
        }
        for (name, value) in typed {
            write(name, value);
        }
    }
    head.push_str("\r\n");
    head.into_bytes()
}

impl Line {
    fn name(self) -> &'static str {
        match self {
            Self::Fixed(name, _) => name,
            Self::Host => "Host",
            Self::UserAgent => "User-Agent",
            Self::AcceptEncoding => "Accept-Encoding",
            Self::Origin => "Origin",
            Self::Cookie => "Cookie",
            Self::Key => "Sec-WebSocket-Key",
            Self::Extensions => "Sec-WebSocket-Extensions",
            Self::Subprotocols => "Sec-WebSocket-Protocol",
            Self::Authorization => "Authorization",
            Self::Typed => "",
        }
    }

    /// What is written where nothing was typed; `None` leaves the line out.
    fn value(self, options: &ConnectOptions, target: &Target, key: &str) -> Option<String> {
        match self {
            Self::Fixed(_, value) => Some(value.to_owned()),
            Self::Host => Some(target.host_header()),
            Self::UserAgent => Some(user_agent()),
            Self::AcceptEncoding => Some(accept_encoding(target).to_owned()),
            Self::Origin => origin(options, target),
            Self::Key => Some(key.to_owned()),
            Self::Extensions => options.extensions.clone(),
            Self::Subprotocols => {
                let comma = match options.preset {
                    Preset::NodeWs => ",",
                    Preset::Chrome | Preset::Bare => ", ",
                };
                Some(subprotocols(options).join(comma)).filter(|all| !all.is_empty())
            }
            Self::Cookie => self.token(options),
            Self::Authorization => self.token(options).or_else(|| target.userinfo.as_deref().map(login)),
            Self::Typed => None,
        }
    }

    /// The token, if it goes into this line.
    fn token(self, options: &ConnectOptions) -> Option<String> {
        if !matches!(self, Self::Cookie | Self::Authorization) {
            return None;
        }
        let is_header = matches!(options.token_place, Some(TokenPlace::Header { .. }));
        token_field(options).filter(|(name, _)| !is_header && name == self.name()).map(|(_, value)| value)
    }
}

/// The field that carries the token, if one does.
fn token_field(options: &ConnectOptions) -> Option<(String, String)> {
    let token = options.token.as_ref()?;
    match options.token_place.as_ref()? {
        TokenPlace::Header { name } => Some((name.clone(), token.clone())),
        TokenPlace::Bearer => Some(("Authorization".to_owned(), format!("Bearer {token}"))),
        TokenPlace::Cookie { name } => Some(("Cookie".to_owned(), format!("{name}={token}"))),
        TokenPlace::Query { .. } | TokenPlace::Subprotocol | TokenPlace::FirstMessage { .. } => None,
    }
}

/// What stands before the `@` of a URL as a login (RFC 7617 §2), decoded as browsers and Node do.
fn login(userinfo: &str) -> String {
    let mut decoded: Vec<u8> = percent_encoding::percent_decode_str(userinfo).collect();
    if !userinfo.contains(':') {
        decoded.push(b':');
    }
    format!("Basic {}", STANDARD.encode(decoded))
}

/// Chrome offers brotli and zstd where nothing on the way can mistake them: by TLS, and to this machine.
fn accept_encoding(target: &Target) -> &'static str {
    if target.secure || target.is_loopback() { "gzip, deflate, br, zstd" } else { "gzip, deflate" }
}

/// Chrome's name for itself on this platform; it names no version but the first number.
fn user_agent() -> String {
    let platform = if cfg!(target_os = "windows") {
        "Windows NT 10.0; Win64; x64"
    } else if cfg!(target_os = "macos") {
        "Macintosh; Intel Mac OS X 10_15_7"
    } else {
        "X11; Linux x86_64"
    };
    format!("Mozilla/5.0 ({platform}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse_url;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn sent(options: &ConnectOptions) -> String {
        String::from_utf8(with_key(options, &parse_url(&options.url).unwrap(), KEY)).unwrap()
    }

    fn of(preset: Preset, url: &str) -> ConnectOptions {
        ConnectOptions { preset, ..ConnectOptions::new(url) }
    }

    /// Recorded: Chromium 156.0.8078.108 on Debian 12, from a page of the same server.
    #[test]
    fn chrome_sends_what_chromium_sends() {
        let mut options = of(Preset::Chrome, "ws://127.0.0.1:39665/ws?a=1");
        options.headers.push(("Cookie".to_owned(), "sid=77".to_owned()));
        let recorded = format!(
            "GET /ws?a=1 HTTP/1.1\r\n\
             Host: 127.0.0.1:39665\r\n\
             Connection: Upgrade\r\n\
             Pragma: no-cache\r\n\
             Cache-Control: no-cache\r\n\
             User-Agent: {}\r\n\
             Upgrade: websocket\r\n\
             Origin: http://127.0.0.1:39665\r\n\
             Sec-WebSocket-Version: 13\r\n\
             Accept-Encoding: gzip, deflate, br, zstd\r\n\
             Accept-Language: en-US,en;q=0.9\r\n\
             Cookie: sid=77\r\n\
             Sec-WebSocket-Key: {KEY}\r\n\
             Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n",
            user_agent()
        );
        assert_eq!(sent(&options), recorded);
        if cfg!(target_os = "linux") {
            let linux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 \
                         Safari/537.36";
            assert_eq!(user_agent(), linux);
        }
        options.subprotocols = vec!["chat.v1".to_owned(), "chat.v2".to_owned()];
        assert!(sent(&options).ends_with("client_max_window_bits\r\nSec-WebSocket-Protocol: chat.v1, chat.v2\r\n\r\n"));
    }

    /// Recorded: Chromium 156.0.8078.108, from a page of `page.test`, a name for this machine.
    #[test]
    fn chrome_offers_brotli_only_where_the_way_is_safe() {
        for (url, expected) in [
            ("ws://page.test:60167/remote", "gzip, deflate"),
            ("wss://page.test:43727/tls", "gzip, deflate, br, zstd"),
            ("ws://127.0.0.1:54577/ws", "gzip, deflate, br, zstd"),
            ("ws://localhost/", "gzip, deflate, br, zstd"),
            ("ws://[::1]:1/", "gzip, deflate, br, zstd"),
            ("ws://192.0.2.1/", "gzip, deflate"),
        ] {
            let line = format!("\r\nAccept-Encoding: {expected}\r\n");
            assert!(sent(&of(Preset::Chrome, url)).contains(&line), "{url}");
        }
    }

    /// Recorded: ws 8.23.0 on Node 20.20.2, once as it is and once with options.
    #[test]
    fn node_sends_what_ws_sends() {
        let options = of(Preset::NodeWs, "ws://127.0.0.1:45285/ws?a=1");
        let recorded = format!(
            "GET /ws?a=1 HTTP/1.1\r\n\
             Sec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: {KEY}\r\n\
             Connection: Upgrade\r\n\
             Upgrade: websocket\r\n\
             Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
             Host: 127.0.0.1:45285\r\n\r\n"
        );
        assert_eq!(sent(&options), recorded);
        let mut options = of(Preset::NodeWs, "ws://127.0.0.1:45285/p");
        options.headers.push(("X-Own".to_owned(), "1".to_owned()));
        options.origin = Some("http://o.example".to_owned());
        options.subprotocols = vec!["chat.v1".to_owned(), "chat.v2".to_owned()];
        let recorded = format!(
            "GET /p HTTP/1.1\r\n\
             X-Own: 1\r\n\
             Sec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: {KEY}\r\n\
             Connection: Upgrade\r\n\
             Upgrade: websocket\r\n\
             Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
             Sec-WebSocket-Protocol: chat.v1,chat.v2\r\n\
             Origin: http://o.example\r\n\
             Host: 127.0.0.1:45285\r\n\r\n"
        );
        assert_eq!(sent(&options), recorded);
    }

    /// Recorded from the same two: Chromium's second request after a 401, and ws with fields of its user's.
    #[test]
    fn a_login_of_the_url_is_sent_decoded() {
        let options = of(Preset::Chrome, "ws://user:pass%20word@127.0.0.1:1/");
        let text = sent(&options);
        let place = "Cache-Control: no-cache\r\nAuthorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\nUser-Agent: ";
        assert!(text.contains(place), "{text}");
        let mut options = of(Preset::NodeWs, "ws://user:pass%20word@127.0.0.1:1/");
        assert!(sent(&options).ends_with("Host: 127.0.0.1:1\r\nAuthorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n\r\n"));
        for (name, value) in [("X-One", "1"), ("Authorization", "Bearer abc"), ("Host", "h.example")] {
            options.headers.push((name.to_owned(), value.to_owned()));
        }
        let text = sent(&options);
        let first = "GET / HTTP/1.1\r\nX-One: 1\r\nAuthorization: Bearer abc\r\nHost: h.example\r\nSec-WebSocket-V";
        assert!(text.starts_with(first) && text.matches("Authorization").count() == 1, "{text}");
        assert_eq!(text.matches("Host").count(), 1, "{text}");
        assert_eq!(login("user"), format!("Basic {}", STANDARD.encode("user:")));
    }

    #[test]
    fn bare_sends_what_the_rfc_demands() {
        let mut options = of(Preset::Bare, "ws://127.0.0.1:1/");
        options.extensions = None;
        let expected = format!(
            "GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        assert_eq!(sent(&options), expected);
    }

    #[test]
    fn what_is_typed_takes_the_place_of_the_presets() {
        for preset in [Preset::Chrome, Preset::NodeWs, Preset::Bare] {
            let mut options = of(preset, "wss://u:p@h.example/");
            for (name, value) in
                [("HOST", "other"), ("user-agent", "mine"), ("Upgrade", "h2c"), ("X-A", "1"), ("x-a", "2")]
            {
                options.headers.push((name.to_owned(), value.to_owned()));
            }
            let text = sent(&options);
            for line in
                ["HOST: other", "user-agent: mine", "Upgrade: h2c", "X-A: 1\r\nx-a: 2", "Authorization: Basic dTpw"]
            {
                assert_eq!(text.matches(&format!("\r\n{line}\r\n")).count(), 1, "{preset:?} {line}: {text}");
            }
            let count = |name: &str| text.to_ascii_lowercase().matches(&format!("\r\n{name}: ")).count();
            assert_eq!([count("host"), count("user-agent"), count("upgrade")], [1, 1, 1], "{text}");
            assert_eq!(count("origin"), usize::from(preset == Preset::Chrome));
            assert_eq!(text.contains("Origin: https://h.example\r\n"), preset == Preset::Chrome);
        }
    }

    #[test]
    fn token_stands_once_where_it_goes() {
        for preset in [Preset::Chrome, Preset::NodeWs, Preset::Bare] {
            for (place, line) in [
                (TokenPlace::Bearer, "Authorization: Bearer t.o.k"),
                (TokenPlace::Header { name: "X-Auth".to_owned() }, "X-Auth: t.o.k"),
                (TokenPlace::Cookie { name: "sid".to_owned() }, "Cookie: sid=t.o.k"),
                (TokenPlace::Subprotocol, "Sec-WebSocket-Protocol: t.o.k"),
            ] {
                let mut options = of(preset, "ws://h/");
                options.token = Some("t.o.k".to_owned());
                options.token_place = Some(place);
                let text = sent(&options);
                assert_eq!(text.matches(line).count(), 1, "{preset:?}: {text}");
                assert_eq!(text.matches("t.o.k").count(), 1, "{preset:?}: {text}");
            }
        }
    }
}
