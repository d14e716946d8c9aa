//! No false blame: every verdict that can be certain beside a case in which one fact differs, and the lines of the
//! catalogue's "Never".

mod decisions;

use std::collections::BTreeSet;

use super::catalogue::{Phase, cause};
use super::testing::{GOOD, NOW, SECRET, Scene, certificate, failure, finds, rivals, signed, token};
use super::{Certainty, rules};
use crate::observation::{
    CertInfo, Change, CloseOrigin, Deadline, Direction, Fact, Handshaken, IoKind, LabMeasure, LabRun, Limit, Listener,
    Probe, ProbeOutcome, ReadEnd, ResolveFailure, ResolveKind, Route, TlsFailureKind, TunnelFailure, TunnelFailureKind,
};
use crate::token::{Secret, mint, mint_as};
use crate::wire::{ProxyKind, Violation, ViolationKind, check_subprotocols, encode_frame, parse_url};

/// A cause that is certain in the first scene, and another cause or another certainty in the second.
struct Pair {
    id: &'static str,
    certain: Scene,
    counter: Scene,
}

fn pair(id: &'static str, certain: Scene, counter: Scene) -> Pair {
    Pair { id, certain, counter }
}

fn good() -> Scene {
    Scene::with_token(&token(3600)).tcp().request()
}

fn answered(status: &str, fields: &str, body: &str) -> Scene {
    good().answer(status, fields, body)
}

fn accepted(head: &str) -> Scene {
    Scene::asked().server(format!("{head}\r\n"))
}

fn sent(bytes: &[u8]) -> Scene {
    Scene::confirmed().server(bytes)
}

fn closed(code: u16) -> Scene {
    good().accept().confirm().closed_by_server(code, "")
}

fn refused(token: &str) -> Scene {
    Scene::with_token(token).tcp().request().accept().closed_by_server(1008, "")
}

fn wss() -> Scene {
    Scene::to("wss://127.0.0.1:3001/").tcp()
}

fn tls(kind: TlsFailureKind) -> Scene {
    let chain = vec![certificate("CN=Practice CA", NOW - 1_000, NOW + 1_000)];
    wss().tls_failed_with(kind, b"\x16\x03\x03", chain, Vec::new())
}

fn not_attempted(url: &str) -> Scene {
    Scene::to("x").fact(Fact::NotAttempted { problem: parse_url(url).unwrap_err() })
}

fn unresolved(kind: ResolveKind) -> Scene {
    let failure = ResolveFailure { kind, code: None, text: "words".to_owned() };
    let begun = Scene::to("ws://h.invalid/").fact(Fact::ResolveStarted { host: "h.invalid".to_owned() });
    begun.fact(Fact::ResolveFailed(failure))
}

fn remote(kind: IoKind) -> Scene {
    Scene::to("ws://192.0.2.1:3001/").tcp_failed("192.0.2.1:3001", kind)
}

fn closing() -> Scene {
    good().accept().confirm().we_close(CloseOrigin::WatchEnded)
}

fn redirect(location: &str) -> Scene {
    let asked = Scene::to("ws://127.0.0.1:3001/ws").tcp().request();
    asked.answer("302 Found", &format!("Location: {location}\r\n"), "")
}

fn opens() -> Handshaken {
    Handshaken { status: Some(101), opened: true, ..Handshaken::default() }
}

fn deflated() -> Scene {
    let fields = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    offers(fields).accept_with(fields)
}

fn offers(fields: &str) -> Scene {
    Scene::to("ws://127.0.0.1:3001/").fields(fields).tcp().request()
}

fn urls_and_tokens() -> Vec<Pair> {
    let good_token = token(3600);
    let url = |len: usize| {
        let url = format!("ws://127.0.0.1:3001/?{}", "a".repeat(len));
        Scene::to(&url).tcp().request().answer("431 Request Header Fields Too Large", "", "")
    };
    let plus = || {
        let (head, signature) = good_token.rsplit_once('.').unwrap();
        format!("{head}.+{}", &signature[1..])
    };
    let said =
        |token: &str, reason: &str| Scene::with_token(token).tcp().request().accept().closed_by_server(1008, reason);
    let missing = |credentials: bool| {
        let bare = Scene::to("ws://127.0.0.1:3001/").plan(|plan| plan.credentials = credentials);
        bare.tcp().request().accept().closed_by_server(1008, "jwt must be provided")
    };
    vec![
        pair("url-scheme-typo", not_attempted("localhost:3001/x"), not_attempted("/echo")),
        pair("url-relative", not_attempted("/echo"), not_attempted("localhost:3001/x")),
        pair("url-fragment", not_attempted("ws://h/#top"), not_attempted("ws://h:99999/")),
        pair("url-bad-port", not_attempted("ws://h:99999/"), not_attempted("ws://h/#top")),
        pair("url-host-placeholder", not_attempted("ws://undefined/"), not_attempted("ws://h/#top")),
        pair("url-too-long", url(20_000), url(100)),
        pair("token-missing", missing(false), said(&good_token, "jwt must be provided")),
        pair("token-placeholder", refused("undefined"), refused(&good_token)),
        pair("token-bearer-prefix", refused(&format!("Bearer%20{good_token}")), refused(&good_token)),
        pair("token-quoted", refused(&format!("%22{good_token}%22")), refused(&good_token)),
        pair("token-whitespace", refused(&format!("{good_token}%0A")), refused(&good_token)),
        pair("token-double-encoded", refused(&good_token.replace('.', "%252E")), refused(&good_token)),
        pair("token-plus-in-query", refused(&plus()), refused(&good_token)),
        pair("token-truncated", refused(&good_token[..good_token.len() / 2]), refused(&good_token)),
        pair("jwt-malformed", refused("abc.def.ghi"), refused(&good_token)),
        pair("jwt-expired", refused(&token(-3600)), refused(&good_token)),
        pair(
            "jwt-not-active",
            refused(&signed(SECRET, &format!("{{\"nbf\":{}}}", NOW + 3600))),
            refused(&signed(SECRET, &format!("{{\"nbf\":{}}}", NOW - 3600))),
        ),
        pair("jwt-wrong-secret", refused(&signed("another", "{}")), refused(&signed(SECRET, "{}"))),
        pair("jwt-alg-none", refused(&mint("{}", "none", b"").unwrap()), refused(&signed(SECRET, "{}"))),
        pair("jwt-alg-mismatch", alg_mismatch("RS256"), said(&good_token, "Invalid token: invalid algorithm")),
        pair("jwt-clock-skew", skewed(3600, "jwt expired"), skewed(30, "jwt expired")),
        pair("jwt-kid-missing", other_key("Unable to find a signing key that matches 'k1'"), other_key("no session")),
        pair("jwt-expired-mid-session", mid_session("jwt expired"), mid_session("")),
        pair(
            "jwt-secret-missing",
            good()
                .accept()
                .line("Error: secret or public key must be provided")
                .closed_by_server(1008, "Invalid token"),
            good().accept().line("listening").closed_by_server(1008, "Invalid token"),
        ),
    ]
}

fn alg_mismatch(alg: &str) -> Scene {
    use base64::Engine as _;
    let (_, rest) = token(3600).split_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let header =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("{{\"alg\":\"{alg}\",\"typ\":\"JWT\"}}"));
    let sent = format!("{header}.{rest}");
    Scene::with_token(&sent).tcp().request().accept().closed_by_server(1008, "Invalid token: invalid algorithm")
}

/// A token of a key that the key set given to us does not hold.
fn other_key(reason: &str) -> Scene {
    let signer = Secret::new("the key", include_str!("../token/tests/keys/p256.pem"));
    let sent = mint_as("{\"sub\":\"u\"}", "ES256", Some("k1"), &signer).unwrap();
    let set = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"other",
        "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
    let asked = Scene::with_token_and(&sent, &[Secret::new("--secret-file", set)]).tcp().request();
    asked.accept().closed_by_server(1008, reason)
}

fn skewed(skew: i64, reason: &str) -> Scene {
    let moment = std::time::UNIX_EPOCH + std::time::Duration::from_secs((NOW + skew) as u64);
    let date = format!("Date: {}\r\n", httpdate::fmt_http_date(moment));
    Scene::with_token(&token(600)).tcp().request().accept_with(&date).closed_by_server(1008, reason)
}

fn mid_session(reason: &str) -> Scene {
    Scene::with_token(&token(3)).tcp().request().accept().confirm().wait(3_000).closed_by_server(1008, reason)
}

fn names_tcp_and_tls() -> Vec<Pair> {
    let family = |other: &str| {
        Scene::to("ws://127.0.0.1:3001/").tcp_failed("127.0.0.1:3001", IoKind::Refused).probe(
            Probe::Tcp { address: "[::1]:3001".parse().unwrap() },
            if other == "accepts" { ProbeOutcome::Accepted } else { ProbeOutcome::Failed(failure(IoKind::Refused)) },
        )
    };
    let queue = |waiting: u32| {
        let silent = Scene::to("ws://127.0.0.1:3001/").tcp_failed("127.0.0.1:3001", IoKind::TimedOut);
        let address = "127.0.0.1:3001".parse().unwrap();
        silent.listening(vec![Listener { address, process: None, waiting: Some(waiting) }], true)
    };
    let alert = |code| wss().tls_failed(TlsFailureKind::AlertReceived(code), b"\x15\x03\x03");
    let self_signed = |issuer: &str| {
        let chain = vec![certificate(issuer, NOW - 1_000, NOW + 1_000)];
        wss().tls_failed_with(TlsFailureKind::UnknownIssuer, b"", chain, Vec::new())
    };
    let missing = |has_ca_issuers: bool| {
        let chain = vec![CertInfo { has_ca_issuers, ..certificate("CN=Practice CA", NOW - 1_000, NOW + 1_000) }];
        wss().tls_failed_with(TlsFailureKind::UnknownIssuer, b"", chain, Vec::new())
    };
    vec![
        pair("dns-nxdomain", unresolved(ResolveKind::NoSuchName), unresolved(ResolveKind::TryAgain)),
        pair("dns-unreachable", unresolved(ResolveKind::TryAgain), unresolved(ResolveKind::NoSuchName)),
        pair("tcp-refused", remote(IoKind::Refused), remote(IoKind::TimedOut)),
        pair("tcp-drop", remote(IoKind::TimedOut), remote(IoKind::Refused)),
        pair("tcp-unreachable", remote(IoKind::HostUnreachable), remote(IoKind::TimedOut)),
        pair("localhost-family-mismatch", family("accepts"), family("refuses")),
        pair("tcp-backlog-full", queue(4), queue(0)),
        pair(
            "port-not-http",
            Scene::asked().server(b"SSH-2.0-OpenSSH_9.6\r\n").fin(),
            Scene::asked().server(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").fin(),
        ),
        pair("plain-to-tls", Scene::asked().rst().accepts().answers_tls(), Scene::asked().rst().accepts()),
        pair(
            "tls-to-plain",
            wss().tls_failed(TlsFailureKind::NotTls, b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            wss().tls_failed(TlsFailureKind::NotTls, b"SSH-2.0-OpenSSH_9.6\r\n"),
        ),
        pair("tls-self-signed", self_signed("CN=h"), self_signed("CN=another")),
        pair("tls-unknown-ca", missing(false), missing(true)),
        pair("tls-expired", tls(TlsFailureKind::Expired), tls(TlsFailureKind::UnknownIssuer)),
        pair("tls-not-yet-valid", tls(TlsFailureKind::NotYetValid), tls(TlsFailureKind::UnknownIssuer)),
        pair("tls-name-mismatch", tls(TlsFailureKind::NameMismatch), tls(TlsFailureKind::BadCertificate)),
        pair("tls-version", alert(70), alert(80)),
        pair("tls-no-shared-cipher", alert(40), tls(TlsFailureKind::AlertReceived(40))),
        pair("tls-unrecognized-name", alert(112), alert(80)),
        pair("tls-alpn-h2-only", alert(120), alert(80)),
        pair("tls-client-cert-required", alert(116), alert(80)),
        pair(
            "tls-reset-after-hello",
            wss().tls_failed(TlsFailureKind::Reset, b""),
            wss().tls_failed(TlsFailureKind::Fin, b""),
        ),
        pair(
            "tls-fin-after-hello",
            wss().tls_failed(TlsFailureKind::Fin, b""),
            wss().tls_failed(TlsFailureKind::Reset, b""),
        ),
        pair(
            "tls-silent",
            wss().tls_failed(TlsFailureKind::TimedOut, b""),
            wss().tls_failed(TlsFailureKind::TimedOut, b"").plain_get(ProbeOutcome::Answered {
                status: Some(200),
                preview: String::new(),
                tls: false,
            }),
        ),
        pair(
            "proxy-auth-407",
            answered("407 Proxy Authentication Required", "", ""),
            answered("401 Unauthorized", "", ""),
        ),
    ]
}

fn refusals() -> Vec<Pair> {
    let html = "Content-Type: text/html\r\n";
    let json = "Content-Type: application/json\r\n";
    let nginx = "Server: nginx/1.22.1\r\nContent-Type: text/html\r\n";
    let forbidden = "<html><center><h1>403 Forbidden</h1></center><hr><center>nginx/1.22.1</center></html>";
    let page = "<!doctype html><html><body><div id=\"root\"></div></body></html>";
    let ws = "Connection: close\r\nContent-Type: text/html\r\n";
    let flip = |found: Handshaken| {
        let change = Change::Origin { origin: Some("http://127.0.0.1:3001".to_owned()) };
        answered("403 Forbidden", json, "{\"error\":\"no\"}").handshake(change, false, found)
    };
    let plain = Handshaken { status: Some(403), ..Handshaken::default() };
    let mut pairs = vec![
        pair("http-200-spa", answered("200 OK", html, page), answered("200 OK", json, "{}")),
        pair("http-redirect-slash", redirect("/ws/"), redirect("/other/")),
        pair("http-redirect-https", redirect("https://127.0.0.1:3001/ws"), redirect("/other")),
        pair("http-redirect-login", redirect("/login"), redirect("/other")),
        pair("http-redirect", redirect("/other"), redirect("/ws/")),
        pair(
            "http-upgrade-stripped",
            answered("426 Upgrade Required", nginx, "Upgrade Required"),
            answered("426 Upgrade Required", "", "Upgrade Required"),
        ),
        pair(
            "http-400-path-mismatch",
            answered("400 Bad Request", ws, "Bad Request"),
            answered("400 Bad Request", json, "Bad Request"),
        ),
        pair(
            "http-400-missing-key",
            answered("400 Bad Request", ws, "Missing or invalid Sec-WebSocket-Key header"),
            answered("400 Bad Request", ws, "Missing or invalid room"),
        ),
        pair("http-403-origin", flip(opens()), flip(plain)),
        pair(
            "http-403-starlette",
            answered("403 Forbidden", "content-type: text/plain\r\n", ""),
            answered("403 Forbidden", "content-type: text/plain\r\n", "no"),
        ),
        pair(
            "http-403-proxy",
            answered("403 Forbidden", nginx, forbidden),
            answered("403 Forbidden", "Server: nginx/1.22.1\r\n", ""),
        ),
        pair(
            "http-426",
            answered("426 Upgrade Required", "Sec-WebSocket-Version: 8, 7\r\n", ""),
            answered("426 Upgrade Required", "Sec-WebSocket-Version: 13\r\n", ""),
        ),
        pair(
            "engineio-error",
            answered("400 Bad Request", json, "{\"code\":0,\"message\":\"Transport unknown\"}"),
            answered("400 Bad Request", json, "{\"message\":\"unknown\"}"),
        ),
        pair(
            "http-401",
            answered("401 Unauthorized", "", ""),
            Scene::with_token(&token(-60)).tcp().request().answer("401 Unauthorized", "", ""),
        ),
        pair("http-403", answered("403 Forbidden", "", "no"), answered("403 Forbidden", "Server: envoy\r\n", "")),
    ];
    for (id, status, other) in [
        ("http-200", "200 OK", "204 No Content"),
        ("http-204", "204 No Content", "200 OK"),
        ("http-400", "400 Bad Request", "404 Not Found"),
        ("http-404", "404 Not Found", "400 Bad Request"),
        ("http-405", "405 Method Not Allowed", "404 Not Found"),
        ("http-413", "413 Content Too Large", "414 URI Too Long"),
        ("http-414", "414 URI Too Long", "413 Content Too Large"),
        ("http-429", "429 Too Many Requests", "503 Service Unavailable"),
        ("http-431", "431 Request Header Fields Too Large", "400 Bad Request"),
        ("http-500", "500 Internal Server Error", "502 Bad Gateway"),
        ("http-502", "502 Bad Gateway", "503 Service Unavailable"),
        ("http-503", "503 Service Unavailable", "504 Gateway Time-out"),
        ("http-504", "504 Gateway Time-out", "503 Service Unavailable"),
        ("http-505", "505 HTTP Version Not Supported", "500 Oops"),
        ("http-other", "418 I'm a teapot", "404 Not Found"),
    ] {
        pairs.push(pair(id, answered(status, "", ""), answered(other, "", "")));
    }
    pairs
}

fn answers() -> Vec<Pair> {
    let chat = || offers("Sec-WebSocket-Protocol: chat\r\n");
    let chosen = |name: &str| chat().server(format!("{GOOD}Sec-WebSocket-Protocol: {name}\r\n\r\n"));
    let deflate = |bits: u8| {
        let fields =
            format!("{GOOD}Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits={bits}\r\n\r\n");
        offers("Sec-WebSocket-Extensions: permessage-deflate\r\n").server(fields)
    };
    let silent = || Scene::asked().ran_out(Deadline::Upgrade, 500);
    vec![
        pair("upgrade-wrong-accept", accepted(&GOOD.replace("s3p", "xxx")), accepted(GOOD)),
        pair("upgrade-no-accept", accepted(&GOOD.replace("Sec-WebSocket-Accept", "X")), accepted(GOOD)),
        pair(
            "upgrade-dup-accept",
            accepted(&format!("{GOOD}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")),
            accepted(GOOD),
        ),
        pair("upgrade-header-missing", accepted(&GOOD.replace("Upgrade: websocket", "X: y")), accepted(GOOD)),
        pair("upgrade-header-wrong", accepted(&GOOD.replace("websocket", "h2c")), accepted(GOOD)),
        pair("upgrade-1xx", Scene::asked().server("HTTP/1.1 103 Early Hints\r\n\r\n"), accepted(GOOD)),
        pair(
            "upgrade-headers-too-big",
            Scene::asked()
                .server(format!("HTTP/1.1 101 X\r\n{}", "a".repeat(256 * 1024 + 1)))
                .limit(Limit::ResponseHead, 300_000),
            accepted(GOOD),
        ),
        pair("subprotocol-unanswered", chat().server(format!("{GOOD}\r\n")), chosen("chat")),
        pair("subprotocol-mismatch", chosen("zzz"), chosen("chat")),
        pair("subprotocol-unrequested", accepted(&format!("{GOOD}Sec-WebSocket-Protocol: zzz\r\n")), accepted(GOOD)),
        pair("extension-unrequested", accepted(&format!("{GOOD}Sec-WebSocket-Extensions: x-foo\r\n")), accepted(GOOD)),
        pair("extension-bad-params", deflate(99), deflate(12)),
        pair("upgrade-fin-nobytes", Scene::asked().fin().accepts(), Scene::asked().fin().refuses()),
        pair("upgrade-rst-nobytes", Scene::asked().rst().accepts(), Scene::asked().rst().refuses()),
        pair(
            "upgrade-partial",
            Scene::asked().server("HTTP/1.1 101 Sw").fin().accepts(),
            Scene::asked().server("HTTP/1.1 101 Sw").fin().refuses(),
        ),
        pair("upgrade-unanswered", silent(), silent().plain_get(ProbeOutcome::Silent)),
        pair("upgrade-trickle", Scene::asked().server("HT").ran_out(Deadline::Upgrade, 500), silent()),
    ]
}

fn open_and_frames() -> Vec<Pair> {
    let fin = || Scene::confirmed().fin();
    let mismatch = |preview: Option<&str>| {
        let unconfirmed = Scene::open().ran_out(Deadline::Confirm, 1_000);
        let failed = unconfirmed.fact(Fact::ConfirmationFailed { mismatch: preview.map(str::to_owned) });
        failed.we_close(CloseOrigin::Unconfirmed).server_close(1000, "")
    };
    let pinged = |reason: &str| Scene::confirmed().server(b"\x89\x00").wait(2_000).closed_by_server(1011, reason);
    let half = || sent(b"\x82\x7e\x04\x00half of it").fin();
    let begun = || sent(b"\x01\x05Hello").fin();
    let engineio = |silent: bool| {
        let opening = "0{\"sid\":\"x\",\"pingInterval\":300,\"pingTimeout\":200}";
        let open = Scene::open().server(encode_frame(0x81, None, opening.as_bytes())).wait(300);
        let pinged = open.server(encode_frame(0x81, None, b"2")).wait(200);
        let pinged = if silent { pinged } else { pinged.client(&encode_frame(0x81, Some([1; 4]), b"3")) };
        pinged.server(b"\x88\x00").client(&encode_frame(0x88, Some([0; 4]), b"")).fin()
    };
    let huge = |len: u64| Scene::confirmed().limit(Limit::Message, len).client_close(1009).fin();
    vec![
        pair("server-process-died", fin().refuses(), fin().accepts()),
        pair(
            "server-restarted",
            Scene::confirmed().listens(1, "node", false).fin().accepts().listens(2, "node", true),
            Scene::confirmed().listens(1, "node", false).fin().accepts().listens(1, "node", true),
        ),
        pair("confirmation-mismatch", mismatch(Some("no")), mismatch(None)),
        pair("confirmation-missing", mismatch(None), mismatch(Some("no"))),
        pair("ping-timeout-1011", pinged("keepalive ping timeout"), pinged("oops")),
        pair("engineio-ping-timeout", engineio(true), engineio(false)),
        pair("frame-truncated", half().accepts(), half().refuses()),
        pair("fragment-unfinished", begun().accepts(), begun().refuses()),
        pair("frame-huge", huge(1 << 31), huge((1 << 31) - 1)),
        pair("our-limit", huge((1 << 31) - 1), huge(1 << 31)),
        pair(
            "http-body-after-101",
            Scene::open().server(b"<!DOCTYPE html>"),
            Scene::confirmed().server(b"<!DOCTYPE html>"),
        ),
        pair(
            "two-writers-interleave",
            Scene::confirmed().server(b"<!DOCTYPE html>"),
            Scene::open().server(b"<!DOCTYPE html>"),
        ),
        pair(
            "proto-masked-server",
            sent(&encode_frame(0x81, Some([1; 4]), b"a")),
            sent(&encode_frame(0x81, None, b"a")),
        ),
        pair("proto-rsv1-no-deflate", sent(&[0xC1, 1, b'a']), deflated().server([0xC1, 1, b'a'])),
        pair("proto-rsv1-on-continuation", deflated().server([0x41, 1, b'a', 0xC0, 1, b'b']), sent(&[0x81, 0])),
        pair("proto-rsv2-3", sent(&[0xA1, 1, b'a']), sent(&[0x81, 1, b'a'])),
        pair("proto-bad-opcode", sent(&[0x83, 1, b'a']), sent(&[0x82, 1, b'a'])),
        pair("proto-control-fragmented", sent(&[0x09, 1, b'a']), sent(&[0x89, 1, b'a'])),
        pair(
            "proto-control-too-long",
            sent(&encode_frame(0x89, None, &[0; 126])),
            sent(&encode_frame(0x89, None, &[0; 125])),
        ),
        pair("proto-continuation", sent(&[0x80, 1, b'a']), sent(&[0x81, 1, b'a'])),
        pair("proto-interleaved-data", sent(&[0x01, 1, b'a', 0x81, 1, b'b']), sent(&[0x01, 1, b'a', 0x80, 1, b'b'])),
        pair("proto-bad-utf8", sent(&[0x81, 2, 0xC3, 0x28]), sent(&[0x82, 2, 0xC3, 0x28])),
        pair("proto-nonminimal-length", sent(&[0x81, 126, 0, 1, b'a']), sent(&[0x81, 1, b'a'])),
        pair(
            "proto-length-highbit",
            sent(&[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 1]),
            sent(&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ),
        pair("close-1byte", sent(&[0x88, 1, 3]), sent(&[0x88, 2, 3, 0xE8])),
        pair("close-bad-utf8", sent(&[0x88, 3, 3, 0xE8, 0xFF]), sent(&[0x88, 3, 3, 0xE8, b'a'])),
        pair(
            "close-too-long",
            sent(&encode_frame(0x88, None, &[[3, 0xE8].as_slice(), &[b'r'; 198]].concat())),
            sent(&encode_frame(0x88, None, &[[3, 0xE8].as_slice(), &[b'r'; 98]].concat())),
        ),
        pair("close-illegal-code", sent(&[0x88, 2, 3, 0xED]), sent(&[0x88, 2, 3, 0xE8])),
        pair("data-after-close", sent(&[0x88, 2, 3, 0xE8, 0x81, 1, b'a']), sent(&[0x88, 2, 3, 0xE8])),
    ]
}

fn closes() -> Vec<Pair> {
    let mut pairs = vec![
        pair("healthy", closing().server_close(1000, "").fin(), closing().server_close(1011, "").fin()),
        pair(
            "ended-by-user",
            good().accept().confirm().we_close(CloseOrigin::User).server_close(1000, "").fin(),
            good().accept().confirm().we_close(CloseOrigin::WatchEnded).server_close(1000, "").fin(),
        ),
        pair(
            "close-empty",
            good().accept().confirm().server(b"\x88\x00").client(&encode_frame(0x88, Some([0; 4]), b"")).fin(),
            closed(1000),
        ),
        pair("close-1008", closed(1008), refused(&token(-60))),
        pair(
            "peer-never-answers-close",
            closing().ran_out(Deadline::Close, 4_000),
            closing().server_close(1000, "").ran_out(Deadline::Close, 4_000),
        ),
        pair("peer-drops-tcp-on-our-close", closing().fin().accepts(), closing().fin().refuses()),
    ];
    for (id, code, other) in [
        ("close-1000", 1000, 1001),
        ("close-1001", 1001, 1000),
        ("close-1002", 1002, 1003),
        ("close-1003", 1003, 1002),
        ("close-1007", 1007, 1002),
        ("message-too-big-by-server", 1009, 1011),
        ("close-1010", 1010, 1011),
        ("close-1011", 1011, 1013),
        ("close-1012", 1012, 1001),
        ("close-1013", 1013, 1011),
        ("close-1014", 1014, 1011),
        ("close-3000", 3000, 3003),
        ("close-3003", 3003, 3000),
        ("close-application", 4000, 1000),
    ] {
        pairs.push(pair(id, closed(code), closed(other)));
    }
    pairs
}

/// The idle lab: when the silent connection and the one that pings were ended.
fn lab(silent: f64, pinging: Option<f64>) -> Scene {
    let run = |opened, ended: Option<f64>| LabRun {
        opened_at_millis: Some(opened),
        ended_after_millis: ended,
        watched_millis: ended.unwrap_or(6_000.0),
    };
    let again = Some(run(9_000.0, Some(silent)));
    let (silent, pinging) = (run(0.0, Some(silent)), run(1_000.0, pinging));
    let measure = LabMeasure { ping_every_millis: 500.0, silent, pinging, again };
    Scene::confirmed().wait(3_000).fin().accepts().fact(Fact::LabMeasured(Box::new(measure)))
}

/// A tunnel through a proxy that failed in this way.
fn tunnel(kind: ProxyKind, failure: TunnelFailureKind) -> Scene {
    let place = "proxy.test:3128".to_owned();
    let source = "HTTPS_PROXY".to_owned();
    let failure = TunnelFailure { kind: failure, text: "refused".to_owned(), response: String::new() };
    Scene::to("wss://example.test/")
        .plan(|plan| plan.route = Route::Proxy { kind, place, source })
        .tcp_connected("192.0.2.1:3128")
        .fact(Fact::TunnelStarted { kind, request: "CONNECT example.test:443 HTTP/1.1".to_owned() })
        .fact(Fact::TunnelFailed(Box::new(failure)))
        .fact(Fact::WeClosedTcp)
        .fact(Fact::Finished)
}

fn clocks_limits_and_proxies() -> Vec<Pair> {
    let offered = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        Scene::to("x").fact(Fact::NotAttempted { problem: check_subprotocols(&names).unwrap_err() })
    };
    let inflates = |kind: ViolationKind| {
        let violation = Violation { direction: Direction::ServerToClient, offset: 20, kind };
        Scene::confirmed().fact(Fact::Violated(violation)).fact(Fact::CloseBegun { by: CloseOrigin::Violation })
    };
    let inflated =
        |bytes| Scene::confirmed().limit(Limit::Inflated { wire_bytes: 1_000_000 }, bytes).client_close(1009).fin();
    let gone = |kind: IoKind| {
        let (place, source) = ("proxy.test:3128".to_owned(), "HTTPS_PROXY".to_owned());
        let route = Route::Proxy { kind: ProxyKind::Http, place, source };
        Scene::to("wss://example.test/").plan(|plan| plan.route = route).tcp_failed("192.0.2.1:3128", kind)
    };
    vec![
        pair("idle-timeout", lab(3_000.0, None), lab(3_000.0, Some(3_010.0))),
        pair("lifetime-limit", lab(3_000.0, Some(3_010.0)), lab(3_000.0, None)),
        pair("url-subprotocol-invalid", offered(&["Bearer eyJ.a="]), not_attempted("ws://h/#top")),
        pair(
            "proto-deflate-corrupt",
            inflates(ViolationKind::DeflateCorrupt { inflated_bytes: 5 }),
            inflates(ViolationKind::BadUtf8 { at: 5 }),
        ),
        pair("decompression-bomb", inflated(100_000_000), inflated(99_999_999)),
        pair("proxy-unreachable", gone(IoKind::Refused), tunnel(ProxyKind::Http, TunnelFailureKind::Status(403))),
        pair(
            "proxy-refused",
            tunnel(ProxyKind::Http, TunnelFailureKind::Status(403)),
            tunnel(ProxyKind::Http, TunnelFailureKind::Status(407)),
        ),
        pair(
            "socks-refused",
            tunnel(ProxyKind::Socks5, TunnelFailureKind::Reply(5)),
            tunnel(ProxyKind::Http, TunnelFailureKind::Status(403)),
        ),
    ]
}

fn pages() -> Vec<Pair> {
    let closes = |code| good().accept().confirm().client_begins_close(code).server_close(code, "").fin();
    vec![
        pair("close-while-connecting", good().client_goes(ReadEnd::Fin), good().fin()),
        pair("page-navigation", closes(1001), closes(1000)),
    ]
}

fn all() -> Vec<Pair> {
    let mut all = urls_and_tokens();
    all.extend(names_tcp_and_tls());
    all.extend(refusals());
    all.extend(answers());
    all.extend(open_and_frames());
    all.extend(closes());
    all.extend(clocks_limits_and_proxies());
    all.extend(pages());
    all
}

#[test]
fn one_fact_turns_every_certain_verdict() {
    let mut wrong = Vec::new();
    for Pair { id, certain, counter } in all() {
        let (found, other) = (certain.verdict(), counter.verdict());
        if found.cause != id || found.certainty != Certainty::Certain {
            wrong.push(format!("{id}: {} {:?}: {}", found.cause, found.certainty, found.summary));
        }
        if other.cause == id && other.certainty == Certainty::Certain {
            wrong.push(format!("{id}: still certain: {}", other.summary));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_cause_that_can_be_certain_has_its_counter_case() {
    let shown: BTreeSet<&str> = all().iter().map(|pair| pair.id).collect();
    for rule in rules() {
        let excuses = [NEVER_CERTAIN, FINDINGS];
        let is_browsers =
            cause(rule.id).is_some_and(|cause| cause.phase == Phase::Browser) && !PAGES.contains(&rule.id);
        let is_excused = is_browsers || excuses.iter().any(|ids| ids.contains(&rule.id));
        assert!(shown.contains(rule.id) != is_excused, "{} has no counter-case, or needs none", rule.id);
    }
}

/// What a page does that the wire shows, where its connection goes through us.
pub(super) const PAGES: &[&str] = &["close-while-connecting", "page-navigation"];

/// Causes of which no evidence from outside the server is enough to be certain.
pub(super) const NEVER_CERTAIN: &[&str] = &[
    "connection-terminated",
    "connection-reset",
    "handler-exception",
    "heartbeat-terminate",
    "nat-state-lost",
    "network-loss",
    "server-blocked",
    "middlebox-injection",
    "duplicate-kick",
    "tls-missing-intermediate",
    "tls-mitm-proxy",
    "jwt-audience",
    "jwt-issuer",
    "db-unreachable",
    "address-in-use",
    "fd-limit",
    "out-of-memory",
    "boot-crash",
];
/// What is never the cause.
pub(super) const FINDINGS: &[&str] = &[
    "url-scheme-http",
    "url-unsafe-port",
    "url-space-or-quote",
    "url-userinfo",
    "upgrade-http-version",
    "upgrade-bare-lf",
    "garbage-after-close",
    "close-then-gone",
    "peer-never-closes-tcp",
];

mod never {
    use super::*;

    #[test]
    fn a_crash_from_fin_or_rst_alone() {
        for scene in [Scene::confirmed().fin(), Scene::confirmed().rst(), Scene::asked().fin(), Scene::asked().rst()] {
            let verdict = scene.is_not("server-process-died");
            assert!(!verdict.summary.contains("died") && !finds(&verdict, "server-process-died"), "{verdict:#?}");
        }
    }

    #[test]
    fn a_firewall_from_a_refusal() {
        for scene in
            [remote(IoKind::Refused), Scene::to("ws://127.0.0.1:1/").tcp_failed("127.0.0.1:1", IoKind::Refused)]
        {
            let verdict = scene.certain("connect-failed", "tcp-refused");
            assert!(!verdict.summary.to_lowercase().contains("firewall"), "{}", verdict.summary);
        }
    }

    #[test]
    fn an_invalid_token_from_1008_without_reason_line_or_own_check() {
        let scene = Scene::with_token_and(&token(3600), &[] as &[Secret]).tcp().request().accept();
        let verdict = scene.closed_by_server(1008, "").certain("closed", "close-1008");
        assert!(!verdict.summary.contains("token") && rivals(&verdict).iter().all(|id| id.starts_with("jwt-")));
        let wrong = Scene::with_token(&signed("another", "{}")).tcp().request().accept().closed_by_server(1008, "");
        wrong.certain("closed", "jwt-wrong-secret");
    }

    #[test]
    fn a_proxy_by_its_brand_from_a_number_alone() {
        let numbers = [
            answered("502 Bad Gateway", "", ""),
            answered("504 Gateway Time-out", "", ""),
            Scene::confirmed().wait(60_000).fin().accepts(),
            Scene::confirmed().wait(100_000).fin().accepts(),
        ];
        for scene in numbers {
            let verdict = scene.verdict();
            let told = format!("{} {:?} {:?}", verdict.summary, verdict.evidence, verdict.findings).to_lowercase();
            for brand in ["nginx", "haproxy", "cloudflare", "aws", "heroku", "traefik", "envoy"] {
                assert!(!told.contains(brand), "{brand}: {told}");
            }
        }
    }

    #[test]
    fn a_reset_after_the_servers_close_as_the_cause() {
        let verdict = good().accept().confirm().server_close(1011, "").client_close(1011).rst();
        verdict.certain("closed", "close-1011");
        good().accept().confirm().server_close(1000, "").rst().certain("closed-unclean", "close-1000");
    }

    #[test]
    fn that_1006_was_sent() {
        for scene in [Scene::confirmed().fin(), Scene::confirmed().rst(), Scene::asked().fin(), closing().fin()] {
            let verdict = scene.verdict();
            let told = format!("{verdict:?}").to_lowercase();
            assert!(!told.contains("1006 was sent") && !told.contains("sent 1006"), "{told}");
            assert!(!verdict.summary.contains("closed with 1006"), "{}", verdict.summary);
        }
    }

    #[test]
    fn nxdomain_from_try_again() {
        unresolved(ResolveKind::TryAgain).certain("resolve-failed", "dns-unreachable");
        let verdict = unresolved(ResolveKind::TryAgain).verdict();
        assert!(!verdict.summary.contains("does not exist"), "{}", verdict.summary);
    }

    #[test]
    fn that_the_server_closed_when_we_were_first() {
        let ours = [
            closing().server_close(1000, "").fin(),
            good().accept().confirm().we_close(CloseOrigin::User).server_close(1000, "").fin(),
            good().accept().confirm().fact(Fact::CloseBegun { by: CloseOrigin::Abort }).fin(),
            good().accept().confirm().fact(Fact::CloseBegun { by: CloseOrigin::Shutdown }).client_close(1001).fin(),
        ];
        for scene in ours {
            let verdict = scene.verdict();
            assert!(!verdict.summary.contains("The server closed"), "{}", verdict.summary);
            assert!(matches!(verdict.cause.as_str(), "healthy" | "ended-by-user"), "{verdict:#?}");
        }
    }

    #[test]
    fn an_expired_certificate_alone_when_the_chain_is_untrusted_too() {
        let old = vec![certificate("CN=Practice CA", NOW - 2_000, NOW - 1_000)];
        let scene = wss().tls_failed_with(TlsFailureKind::UnknownIssuer, b"", old, Vec::new());
        let verdict = scene.certain("tls-failed", "tls-unknown-ca");
        assert!(finds(&verdict, "tls-expired"), "{verdict:#?}");
    }

    #[test]
    fn which_of_several_ends_it_was_when_the_port_lives_and_nobody_speaks() {
        let verdict = Scene::confirmed().fin().accepts().likely("fin", "connection-terminated");
        assert!(rivals(&verdict).contains(&"handler-exception"), "{verdict:#?}");
        assert_ne!(verdict.certainty, Certainty::Certain);
    }
}
