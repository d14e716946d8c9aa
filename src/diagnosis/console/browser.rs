//! What browsers (Chrome, Firefox, Safari) and other clients (Node `ws`, Python `websockets`) say of a connection.

use std::sync::LazyLock;

use super::plain;
use super::search::Search;
use super::table::Needle::{self, All, Any, Both, Word};
use crate::diagnosis::close_code::cause_id;
use crate::diagnosis::rules::status_id;

/// A line of a client's console that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserLine {
    /// The id in the catalogue of what it tells of; `None` where it tells no cause.
    pub cause: Option<&'static str>,
    /// What it says, as a clause.
    pub meaning: String,
    /// The line on one row, without escape sequences and tokens, and not too long.
    pub quote: String,
}

/// Says what a line of a client's console tells, if anything; only its beginning is looked at.
pub fn recognise_browser(line: &str) -> Option<BrowserLine> {
    let plain = plain(line).replace('\u{2019}', "'");
    let found =
        |cause: Option<&'static str>, meaning: String| Some(BrowserLine { cause, meaning, quote: super::quote(line) });
    let hits = TABLE.hits(&plain);
    if let Some(row) = TABLE.first(&hits, 0..ROWS.len()).and_then(|row| ROWS.get(row)) {
        return found(row.cause, row.meaning.to_owned());
    }
    let lower = plain.to_ascii_lowercase();
    if let Some(status) = number_after(&lower, STATUS_WORDS).filter(|status| (100..600).contains(status)) {
        return found(Some(status_id(status)), format!("the server answered the opening handshake with {status}"));
    }
    let code = number_after(&lower, CODE_WORDS).or_else(|| received_code(&lower));
    match code.filter(|code| (1000..5000).contains(code)) {
        Some(1005) => found(Some("close-empty"), "the server closed without a code".to_owned()),
        Some(1006) => found(None, "TCP ended and no Close frame came; the browser knows no more".to_owned()),
        Some(1015) => found(None, "TLS failed; the browser does not tell the page how".to_owned()),
        Some(code) => found(Some(cause_id(code)), format!("the connection was closed with {code}")),
        None if TABLE.any(&hits, ROWS.len()..ROWS.len() + 1) => found(FAILED.cause, FAILED.meaning.to_owned()),
        None => None,
    }
}

/// The number that follows the first of these words, with a colon, an equals sign or spaces between them.
fn number_after(lower: &str, words: &[&str]) -> Option<u16> {
    words.iter().find_map(|word| {
        lower.match_indices(word).find_map(|(at, _)| {
            // A parameter of a URL is no close code.
            lower.get(..at).filter(|before| !before.ends_with(['?', '&']))?;
            let rest = lower.get(at + word.len()..)?.trim_start_matches([' ', ':', '=', '(', '"', '\'']);
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            rest.get(..digits)?.parse().ok()
        })
    })
}

/// The code in the words of Python's `websockets`: `received 1012 (service restart)`.
fn received_code(lower: &str) -> Option<u16> {
    let (code, rest) = lower.split_once("received ")?.1.split_once(' ')?;
    rest.starts_with('(').then(|| code.parse().ok())?
}

const STATUS_WORDS: &[&str] = &[
    "unexpected response code",
    "unexpected server response",
    "server rejected websocket connection: http",
    "bad response from the server: http",
    "handshake status",
];
const CODE_WORDS: &[&str] = &["code", "closed ("];

/// A kind of line.
struct Row {
    needle: Needle,
    cause: Option<&'static str>,
    meaning: &'static str,
    #[cfg_attr(not(test), expect(dead_code, reason = "a row shows what it recognises; the tests read it"))]
    sample: &'static str,
}

const fn row(needle: Needle, cause: &'static str, meaning: &'static str, sample: &'static str) -> Row {
    Row { needle, cause: Some(cause), meaning, sample }
}

/// A kind of line that tells no cause.
const fn mute(needle: Needle, meaning: &'static str, sample: &'static str) -> Row {
    Row { needle, cause: None, meaning, sample }
}

/// Every kind of line, the more particular ones first.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    // The page and its browser: nothing reaches the wire.
    row(Any(&["websocket is closed before the connection is established", "websocket was closed before the connection was established"]), "close-while-connecting",
        "the page closed the socket while it was still connecting", "WebSocket connection to 'ws://localhost:3001/' failed: WebSocket is closed before the connection is established."),
    row(Both(&["was interrupted while the page was loading"], &["ws://", "wss://"]), "page-navigation",
        "the page was left or reloaded while the socket was in use", "The connection to ws://localhost:3001/ was interrupted while the page was loading."),
    row(Any(&["insecure websocket connection may not be initiated", "attempted to connect to the insecure websocket endpoint", "blocked loading mixed active content \u{201c}ws", "securityerror: the operation is insecure"]), "mixed-content",
        "a page loaded over https may not open a ws:// socket", "Uncaught SecurityError: Failed to construct 'WebSocket': An insecure WebSocket connection may not be initiated from a page loaded over HTTPS."),
    row(All(&["connect-src"]), "csp-connect-src",
        "the page's Content-Security-Policy forbids the address", "Refused to connect to 'ws://localhost:3001/' because it violates the following Content Security Policy directive: \"connect-src 'self'\"."),
    row(Both(&["content-security-policy", "content security policy"], &["ws://", "wss://"]), "csp-connect-src",
        "the page's Content-Security-Policy forbids the address", "Content-Security-Policy: The page's settings blocked the loading of a resource at ws://localhost:3001/ (\u{201c}default-src\u{201d})."),
    row(Any(&["insufficient resources"]), "browser-connection-limit",
        "the browser keeps no more sockets open", "WebSocket connection to 'ws://localhost:3001/' failed: Insufficient resources"),
    row(Any(&["err_blocked_by_client", "blocked by an extension"]), "extension-blocked",
        "an extension of the browser blocked the connection", "WebSocket connection to 'ws://localhost:3001/' failed: Error in connection establishment: net::ERR_BLOCKED_BY_CLIENT"),
    row(Any(&["private network access", "local network access", "err_blocked_by_private_network_access_checks", "err_blocked_by_local_network_access_checks", "more-private address space"]), "private-network-access",
        "the browser protects addresses of the private network from public pages", "net::ERR_BLOCKED_BY_PRIVATE_NETWORK_ACCESS_CHECKS"),
    row(Any(&["err_internet_disconnected", "ns_error_offline"]), "browser-offline",
        "the browser has no network, or its developer tools are set to offline", "WebSocket connection to 'ws://localhost:3001/' failed: Error in connection establishment: net::ERR_INTERNET_DISCONNECTED"),
    row(Any(&["err_network_changed", "err_network_io_suspended", "ns_error_network_link_down"]), "network-change",
        "the machine changed its network or slept", "WebSocket connection to 'ws://localhost:3001/' failed: Error in connection establishment: net::ERR_NETWORK_CHANGED"),
    row(Any(&["still in connecting state", "websocket is not open: readystate 0", "an attempt was made to use an object that is not, or is no longer, usable"]), "send-before-open",
        "the page sent before the socket was open", "Uncaught InvalidStateError: Failed to execute 'send' on 'WebSocket': Still in CONNECTING state."),
    row(Any(&["the close code must be either 1000", "close code must be either 1000", "invalid error code", "first argument must be a valid error code", "the close reason must not be greater than 123", "message must not be greater than 123", "a parameter or an operation is not supported by the underlying object"]), "close-code-api",
        "the page called close() with a code or a reason that pages may not use", "Uncaught InvalidAccessError: Failed to execute 'close' on 'WebSocket': The close code must be either 1000, or between 3000 and 4999. 1006 is neither."),
    row(Any(&["timer tasks have taken", "intensive throttling", "is throttled because the page is in the background"]), "background-tab-throttle",
        "the browser lets the timers of a hidden tab run seldom", "Timer tasks have taken too much time while the page was in the background. As a result, they may be deferred to keep Chrome responsive."),

    // The URL and the arguments of the constructor.
    row(Any(&["scheme must be either", "url scheme \"", "the url's protocol must be one of", "isn't a valid uri: scheme isn't ws or wss"]), "url-scheme-typo",
        "the URL does not begin with ws:// or wss://", "Uncaught SyntaxError: Failed to construct 'WebSocket': The URL's scheme must be either 'http', 'https', 'ws', or 'wss'. 'localhost' is not allowed."),
    row(Any(&["contains a fragment identifier", "the url contains a fragment"]), "url-fragment",
        "the URL holds a #, which no WebSocket URL may", "Uncaught SyntaxError: Failed to construct 'WebSocket': The URL contains a fragment identifier ('x')."),
    row(Both(&["the subprotocol '", "an invalid or duplicated subprotocol", "sec-websocket-protocol"], &["is invalid", "is duplicated", "was specified", "invalid or duplicated"]), "url-subprotocol-invalid",
        "a subprotocol that the page asks for is no valid name", "Uncaught SyntaxError: Failed to construct 'WebSocket': The subprotocol 'Bearer eyJ.a=' is invalid."),
    row(Any(&["err_unsafe_port", "ns_error_port_access_not_allowed"]), "url-unsafe-port",
        "browsers do not connect to this port", "WebSocket connection to 'ws://localhost:6000/' failed: Error in connection establishment: net::ERR_UNSAFE_PORT"),
    row(Both(&["failed to construct 'websocket'", "invalid url"], &["is invalid", "invalid url"]), "url-bad-port",
        "the URL cannot be read: its host or its port is wrong", "Uncaught SyntaxError: Failed to construct 'WebSocket': The URL 'ws://localhost:99999/' is invalid."),
    row(Any(&["ws://undefined", "wss://undefined", "ws://null", "wss://null"]), "url-host-placeholder",
        "a variable that is not set stands in place of the host", "WebSocket connection to 'ws://undefined/' failed: Error in connection establishment: net::ERR_NAME_NOT_RESOLVED"),

    // Name, TCP, proxy.
    row(Any(&["eai_again", "temporary failure in name resolution"]), "dns-unreachable",
        "the name service could not be asked", "Error: getaddrinfo EAI_AGAIN voice.example"),
    row(Any(&["err_name_not_resolved", "enotfound", "name or service not known", "ns_error_unknown_host", "nodename nor servname provided", "gaierror"]), "dns-nxdomain",
        "the host name is not known", "WebSocket connection to 'ws://voice.example/' failed: Error in connection establishment: net::ERR_NAME_NOT_RESOLVED"),
    row(Any(&["err_proxy_connection_failed", "ns_error_proxy_connection_refused"]), "proxy-unreachable",
        "the proxy cannot be reached", "Error in connection establishment: net::ERR_PROXY_CONNECTION_FAILED"),
    row(Any(&["err_proxy_auth", "err_unexpected_proxy_auth", "ns_error_proxy_authentication_failed"]), "proxy-auth-407",
        "the proxy wants to know who asks", "Error in connection establishment: net::ERR_UNEXPECTED_PROXY_AUTH"),
    row(Any(&["err_tunnel_connection_failed", "ns_error_proxy_forbidden"]), "proxy-refused",
        "the proxy does not let the connection through", "Error in connection establishment: net::ERR_TUNNEL_CONNECTION_FAILED"),
    row(Any(&["err_socks_connection_failed"]), "socks-refused",
        "the SOCKS proxy did not connect", "Error in connection establishment: net::ERR_SOCKS_CONNECTION_FAILED"),
    row(Any(&["err_address_unreachable", "ehostunreach", "enetunreach", "network is unreachable", "no route to host"]), "tcp-unreachable",
        "there is no way to the address", "Error: connect EHOSTUNREACH 10.0.0.9:3001"),
    row(Any(&["err_connection_timed_out", "etimedout", "ns_error_net_timeout", "operation timed out"]), "tcp-drop",
        "nothing answered the attempt to connect", "Error in connection establishment: net::ERR_CONNECTION_TIMED_OUT"),
    row(Any(&["opening handshake has timed out", "timed out during opening handshake", "timed out while waiting for handshake response"]), "upgrade-unanswered",
        "the opening handshake was not answered in time", "Error: Opening handshake has timed out"),
    row(Any(&["err_connection_refused", "econnrefused", "connection refused", "ns_error_connection_refused", "connect call failed"]), "tcp-refused",
        "nobody listens at the address", "WebSocket connection to 'ws://localhost:3001/' failed: Error in connection establishment: net::ERR_CONNECTION_REFUSED"),

    // TLS.
    row(Any(&["depth_zero_self_signed_cert", "self-signed certificate", "self signed certificate", "mozilla_pkix_error_self_signed_cert"]), "tls-self-signed",
        "the server's certificate is signed by itself", "Error: self-signed certificate DEPTH_ZERO_SELF_SIGNED_CERT"),
    row(Any(&["unable_to_verify_leaf_signature", "unable to verify the first certificate"]), "tls-missing-intermediate",
        "the server did not send the certificate of its issuer, or the issuer is not known", "Error: unable to verify the first certificate"),
    row(Any(&["err_cert_authority_invalid", "unable to get local issuer certificate", "sec_error_unknown_issuer"]), "tls-unknown-ca",
        "the issuer of the server's certificate is not trusted", "WebSocket connection to 'wss://localhost:3001/' failed: Error in connection establishment: net::ERR_CERT_AUTHORITY_INVALID"),
    row(Any(&["cert_not_yet_valid", "mozilla_pkix_error_not_yet_valid"]), "tls-not-yet-valid",
        "the server's certificate is not valid yet, or this machine's clock is wrong", "Error: certificate is not yet valid CERT_NOT_YET_VALID"),
    row(Any(&["err_cert_date_invalid", "cert_has_expired", "certificate has expired", "sec_error_expired_certificate"]), "tls-expired",
        "the server's certificate has expired, or this machine's clock is wrong", "Error in connection establishment: net::ERR_CERT_DATE_INVALID"),
    row(Any(&["err_cert_common_name_invalid", "err_tls_cert_altname_invalid", "hostname/ip does not match certificate", "ssl_error_bad_cert_domain", "hostname mismatch"]), "tls-name-mismatch",
        "the server's certificate does not name this host", "Error in connection establishment: net::ERR_CERT_COMMON_NAME_INVALID"),
    row(Any(&["tlsv1_alert_protocol_version", "ssl alert number 70", "ssl_error_unsupported_version", "err_ssl_obsolete_version"]), "tls-version",
        "client and server have no TLS version in common", "Error: write EPROTO SSL alert number 70"),
    row(Any(&["err_ssl_version_or_cipher_mismatch", "ssl_error_no_cypher_overlap", "ssl alert number 40"]), "tls-no-shared-cipher",
        "client and server have no TLS version or cipher suite in common", "Error in connection establishment: net::ERR_SSL_VERSION_OR_CIPHER_MISMATCH"),
    row(Any(&["err_bad_ssl_client_auth_cert", "websocket opening handshake was canceled", "ssl alert number 116", "certificate required"]), "tls-client-cert-required",
        "the server wants a client certificate", "WebSocket connection to 'wss://localhost:3001/' failed: WebSocket opening handshake was canceled"),
    row(Any(&["err_ssl_unrecognized_name_alert", "ssl alert number 112", "ssl_error_unrecognized_name_alert"]), "tls-unrecognized-name",
        "the server does not know this host name", "Error in connection establishment: net::ERR_SSL_UNRECOGNIZED_NAME_ALERT"),
    row(Any(&["err_ssl_protocol_error", "wrong version number", "wrong_version_number", "ssl_error_rx_record_too_long"]), "tls-to-plain",
        "the server's answer is not TLS: a plain port was asked for TLS", "Error in connection establishment: net::ERR_SSL_PROTOCOL_ERROR"),
    row(Any(&["disconnected before secure tls connection was established"]), "tls-fin-after-hello",
        "the server ended TCP in the middle of the TLS handshake", "Error: Client network socket disconnected before secure TLS connection was established"),

    // The opening handshake.
    row(Any(&["http authentication failed; no valid credentials available"]), "http-401",
        "the server answered the opening handshake with 401", "WebSocket connection to 'ws://localhost:3001/' failed: HTTP Authentication failed; no valid credentials available"),
    row(Any(&["connection closed before receiving a handshake response", "stream ends after 0 bytes", "socket hang up"]), "upgrade-fin-nobytes",
        "the server ended TCP in place of an answer", "WebSocket connection to 'ws://localhost:3001/' failed: Connection closed before receiving a handshake response"),
    row(Any(&["err_connection_closed", "err_empty_response"]), "upgrade-partial",
        "the server ended TCP in the middle of its answer", "Error during WebSocket handshake: net::ERR_CONNECTION_CLOSED"),
    row(Any(&["err_connection_reset", "ns_error_net_reset", "econnreset"]), "upgrade-rst-nobytes",
        "the connection was reset in place of an answer", "Error during WebSocket handshake: net::ERR_CONNECTION_RESET"),
    row(Any(&["err_invalid_http_response", "hpe_invalid_constant", "did not receive a valid http response"]), "port-not-http",
        "the answer was no HTTP: another service listens at this port", "Error during WebSocket handshake: net::ERR_INVALID_HTTP_RESPONSE"),
    row(Any(&["err_response_headers_too_big", "hpe_header_overflow"]), "upgrade-headers-too-big",
        "the head of the answer is too long", "Error during WebSocket handshake: net::ERR_RESPONSE_HEADERS_TOO_BIG"),
    row(Any(&["'sec-websocket-accept' header is missing", "missing sec-websocket-accept"]), "upgrade-no-accept",
        "the 101 lacks Sec-WebSocket-Accept", "Error during WebSocket handshake: 'Sec-WebSocket-Accept' header is missing"),
    row(All(&["'sec-websocket-accept'", "must not appear more than once"]), "upgrade-dup-accept",
        "the 101 has Sec-WebSocket-Accept twice", "Error during WebSocket handshake: 'Sec-WebSocket-Accept' header must not appear more than once in a response"),
    row(Any(&["incorrect 'sec-websocket-accept' header value", "invalid sec-websocket-accept header"]), "upgrade-wrong-accept",
        "the 101 answers another key than was sent", "Error during WebSocket handshake: Incorrect 'Sec-WebSocket-Accept' header value"),
    row(Any(&["'upgrade' header is missing", "'connection' header is missing", "missing upgrade header"]), "upgrade-header-missing",
        "the 101 lacks Upgrade or Connection", "Error during WebSocket handshake: 'Upgrade' header is missing"),
    row(Any(&["'upgrade' header value is not 'websocket'", "'connection' header value must contain 'upgrade'", "error: invalid upgrade header"]), "upgrade-header-wrong",
        "Upgrade or Connection of the 101 is not as it must be", "Error during WebSocket handshake: 'Connection' header value must contain 'Upgrade'"),
    row(Any(&["sent non-empty 'sec-websocket-protocol' header but no response was received", "server sent no subprotocol"]), "subprotocol-unanswered",
        "the server chose none of the subprotocols that were offered", "Error during WebSocket handshake: Sent non-empty 'Sec-WebSocket-Protocol' header but no response was received"),
    row(Any(&["response must not include 'sec-websocket-protocol' header", "server sent a subprotocol but none was requested"]), "subprotocol-unrequested",
        "the server chose a subprotocol although none was offered", "Error during WebSocket handshake: Response must not include 'Sec-WebSocket-Protocol' header if not present in request: zzz"),
    row(Both(&["'sec-websocket-protocol' header value", "server sent an invalid subprotocol", "unsupported subprotocol"], &["does not match any of sent values", "invalid subprotocol", "unsupported subprotocol"]), "subprotocol-mismatch",
        "the server chose a subprotocol that was not offered", "Error during WebSocket handshake: 'Sec-WebSocket-Protocol' header value 'zzz' in response does not match any of sent values"),
    row(Any(&["found an unsupported extension", "unsupported extension"]), "extension-unrequested",
        "the server chose an extension that was not offered", "Error during WebSocket handshake: Found an unsupported extension 'x-foo' in 'Sec-WebSocket-Extensions' header"),
    row(Any(&["error in permessage-deflate", "invalid parameter \"server_max_window_bits", "duplicate parameter"]), "extension-bad-params",
        "the server's parameters of permessage-deflate are not allowed", "Error in permessage-deflate: Received invalid server_max_window_bits parameter"),

    // Frames.
    row(Any(&["a server must not mask any frames", "mask must be clear", "incorrect masking"]), "proto-masked-server",
        "the server masks its frames, which no server may", "WebSocket connection to 'ws://localhost:3001/' failed: A server must not mask any frames that it sends to the client."),
    row(Any(&["reserved1 = 1", "rsv1 must be clear"]), "proto-rsv1-no-deflate",
        "the server sends compressed frames although that was not agreed on", "One or more reserved bits are on: reserved1 = 1, reserved2 = 0, reserved3 = 0"),
    row(Any(&["reserved2 = 1", "reserved3 = 1", "rsv2 and rsv3 must be clear"]), "proto-rsv2-3",
        "the server's bytes are no frames: reserved bits are set", "One or more reserved bits are on: reserved1 = 0, reserved2 = 1, reserved3 = 0"),
    row(Any(&["unrecognized frame opcode", "invalid opcode"]), "proto-bad-opcode",
        "the server sent a frame of a kind that does not exist", "WebSocket connection to 'ws://localhost:3001/' failed: Unrecognized frame opcode: 3"),
    row(Any(&["received unexpected continuation frame", "unexpected continuation"]), "proto-continuation",
        "the server sent a continuation of nothing", "WebSocket connection to 'ws://localhost:3001/' failed: Received unexpected continuation frame."),
    row(Any(&["previous message is unfinished", "previous data frame unfinished"]), "proto-interleaved-data",
        "the server began a message before the last one was finished", "Received start of new message but previous message is unfinished."),
    row(Any(&["could not decode a text frame as utf-8", "invalid utf-8 in text frame", "invalid utf-8 sequence", "invalid utf8"]), "proto-bad-utf8",
        "a text message of the server is no UTF-8", "WebSocket connection to 'ws://localhost:3001/' failed: Could not decode a text frame as UTF-8."),
    row(Any(&["broken close frame containing a reserved status code", "invalid status code"]), "close-illegal-code",
        "the server sent a close code that must not be sent", "Received a broken close frame containing a reserved status code."),
    row(Any(&["broken close frame containing invalid utf-8", "invalid utf-8 in close frame"]), "close-bad-utf8",
        "the reason of the server's Close frame is no UTF-8", "Received a broken close frame containing invalid UTF-8."),
    row(Any(&["invalid size of 1 byte"]), "close-1byte",
        "the server's Close frame has a payload of one byte", "Received a broken close frame with an invalid size of 1 byte."),
    row(Any(&["data frame received after close"]), "data-after-close",
        "the server sent data after its Close frame", "WebSocket connection to 'ws://localhost:3001/' failed: Data frame received after close"),
    row(Any(&["z_data_error", "decompression failed"]), "proto-deflate-corrupt",
        "a compressed message of the server cannot be inflated", "Error: invalid stored block lengths Z_DATA_ERROR"),
    row(Any(&["invalid payload length", "fin must be set"]), "proto-control-too-long",
        "the server sent a control frame that is too long or in fragments", "RangeError: Invalid WebSocket frame: invalid payload length 126"),
    row(Any(&["max payload size exceeded", "frame exceeds limit of", "message too big"]), "our-limit",
        "a message of the server is longer than this client takes", "RangeError: Max payload size exceeded"),
    mute(Any(&["invalid frame header"]),
        "the browser could not read a frame of the server; run sockeye check to see which rule it breaks", "WebSocket connection to 'ws://localhost:3001/' failed: Invalid frame header"),
    row(Any(&["keepalive ping timeout"]), "network-loss",
        "the other side did not answer a ping in time", "websockets.exceptions.ConnectionClosedError: sent 1011 (internal error) keepalive ping timeout; no close frame received"),

    // The troubleshooting guide's page.
    row(Any(&["connected successfully to ws", "server ready: websocket connection established"]), "healthy",
        "the page's connection is open", "[WebSocket] ✅ Connected successfully to ws://localhost:3001"),
    mute(Any(&["connection closed abnormally"]),
        "the server, or something on the way, ended TCP without a Close frame (1006); run sockeye check to see why", "[WebSocket] Connection closed abnormally"),
    mute(Any(&["attempting to connect to ws"]),
        "the page tries to connect; what follows says how it went", "[WebSocket] Attempting to connect to ws://localhost:3001"),
    mute(Any(&["[websocket] connection error", "websocket error event", "websocket network error"]),
        "the browser tells the page only that something failed; run sockeye check to see what", "[WebSocket] Connection error"),

    // What says little.
    mute(Any(&["firefox can't establish a connection to the server at ws"]),
        "Firefox does not tell why: nobody listens, or the server refused the opening handshake; run sockeye check", "Firefox can\u{2019}t establish a connection to the server at ws://localhost:3001/."),
    mute(Any(&["no close frame received or sent"]),
        "TCP ended without a Close frame; run sockeye check to see why", "websockets.exceptions.ConnectionClosedError: no close frame received or sent"),
    row(Any(&["an invalid or illegal string was specified"]), "url-scheme-typo",
        "the URL or a subprotocol cannot be read", "SyntaxError: An invalid or illegal string was specified"),
    row(Word(&["ns_error_websocket_connection_refused"]), "tcp-refused",
        "nobody listens at the address, or the server refused the opening handshake", "NS_ERROR_WEBSOCKET_CONNECTION_REFUSED"),
];

/// What Chrome says where nothing finer fits.
const FAILED: Row = mute(
    Both(&["websocket connection to '"], &["' failed: "]),
    "the connection failed; the browser does not say why",
    "WebSocket connection to 'ws://localhost:3001/' failed: ",
);

/// The rows as they are searched, [`FAILED`] last: constants, built when the first line comes.
static TABLE: LazyLock<Search> = LazyLock::new(|| Search::new(ROWS.iter().chain([&FAILED]).map(|row| row.needle)));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::catalogue::{Phase, cause, causes};

    #[test]
    fn each_row_recognises_its_own_sample() {
        for row in ROWS.iter().chain([&FAILED]) {
            let seen = recognise_browser(row.sample).unwrap_or_else(|| panic!("{}", row.sample));
            assert_eq!((seen.cause, seen.meaning.as_str()), (row.cause, row.meaning), "{}", row.sample);
            assert!(row.cause.is_none_or(|id| cause(id).is_some()), "{:?}", row.cause);
        }
    }

    #[test]
    fn every_cause_on_the_browsers_side_that_prints_something_has_its_line() {
        // A handshake that waits behind another one prints nothing.
        let silent = ["browser-handshake-queue"];
        for cause in causes().filter(|cause| cause.phase == Phase::Browser && !silent.contains(&cause.id)) {
            assert!(ROWS.iter().any(|row| row.cause == Some(cause.id)), "{} has no line", cause.id);
        }
    }

    #[test]
    fn statuses_and_codes_are_read_from_the_line() {
        let check = |line: &str, wanted: Option<&str>| {
            let seen = recognise_browser(line);
            assert_eq!(seen.as_ref().and_then(|seen| seen.cause), wanted, "{line}: {seen:?}");
            assert!(seen.is_some(), "{line}");
        };
        check(
            "WebSocket connection to 'ws://h/' failed: Error during WebSocket handshake: Unexpected response code: 403",
            Some("http-403"),
        );
        check("Error: Unexpected server response: 502", Some("http-502"));
        check(
            "websockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 418",
            Some("http-other"),
        );
        check("[WebSocket] Disconnected, code: 1008 reason: Authentication failed", Some("close-1008"));
        check("CloseEvent {isTrusted: true, wasClean: false, code: 1006, reason: ''}", None);
        check("onclose 4401 code=4401", Some("close-application"));
        check(
            "websockets.exceptions.ConnectionClosedError: received 1012 (service restart); then sent 1012",
            Some("close-1012"),
        );
        check("closed (1005)", Some("close-empty"));
    }

    #[test]
    fn everyday_lines_mean_nothing() {
        for line in [
            "",
            "Download the React DevTools",
            "code 12",
            "Unexpected response",
            "GET /code 200",
            "error code E1006x",
            "received 1024 bytes",
            "ws://h/?code=1234",
            "closed 1200 ms ago",
        ] {
            assert_eq!(recognise_browser(line), None, "{line}");
        }
    }

    #[test]
    fn a_quote_holds_no_token() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let line = format!(
            "WebSocket connection to 'ws://localhost:3001/?token={token}' failed: Unexpected response code: 401"
        );
        let seen = recognise_browser(&line).unwrap();
        assert!(!seen.quote.contains("eyJ") && seen.cause == Some("http-401"), "{seen:?}");
    }
}
