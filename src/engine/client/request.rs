//! The request of the opening handshake, byte for byte as it is shown (RFC 6455 §4.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;

use crate::engine::ConnectOptions;
use crate::observation::TokenPlace;
use crate::wire::{Target, UrlProblem, check_subprotocols};

/// Builds the bytes of the request with a fresh key.
pub(crate) fn build(options: &ConnectOptions, target: &Target) -> Vec<u8> {
    let mut head = format!("GET {} HTTP/1.1\r\n", target.path_and_query);
    let mut line = |name: &str, value: &str| {
        head.push_str(name);
        head.push_str(": ");
        head.push_str(value);
        head.push_str("\r\n");
    };
    let typed = |name: &str| options.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    if !typed("host") {
        line("Host", &target.host_header());
    }
    line("Connection", "Upgrade");
    line("Upgrade", "websocket");
    if let Some(origin) = &options.origin {
        line("Origin", origin);
    }
    line("Sec-WebSocket-Version", "13");
    line("Sec-WebSocket-Key", &generate_key());
    let subprotocols = subprotocols(options);
    if !subprotocols.is_empty() {
        line("Sec-WebSocket-Protocol", &subprotocols.join(", "));
    }
    if let Some(userinfo) = &target.userinfo
        && !typed("authorization")
    {
        line("Authorization", &format!("Basic {}", STANDARD.encode(userinfo)));
    }
    if let (Some(token), Some(place)) = (&options.token, &options.token_place) {
        match place {
            TokenPlace::Bearer => line("Authorization", &format!("Bearer {token}")),
            TokenPlace::Header { name } => line(name, token),
            TokenPlace::Cookie { name } => line("Cookie", &format!("{name}={token}")),
            TokenPlace::Query { .. } | TokenPlace::Subprotocol | TokenPlace::FirstMessage { .. } => {}
        }
    }
    for (name, value) in &options.headers {
        line(name, value);
    }
    head.push_str("\r\n");
    head.into_bytes()
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
