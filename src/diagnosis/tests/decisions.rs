//! "Where two ids could be meant, this decides": the table of the catalogue's part A, row by row.

use super::{
    CertInfo, Certainty, Change, CloseOrigin, Deadline, Fact, GOOD, Handshaken, IoKind, Limit, NOW, Probe,
    ProbeOutcome, SECRET, Scene, TlsFailureKind, answered, certificate, closing, deflated, encode_frame, finds, good,
    opens, refused, rivals, sent, signed, token, wss,
};

#[test]
fn close_frame_with_more_than_125_bytes() {
    let long = [[3, 0xE8].as_slice(), &[b'r'; 198]].concat();
    sent(&encode_frame(0x88, None, &long)).certain("protocol-error", "close-too-long");
    sent(&encode_frame(0x89, None, &[0; 126])).certain("protocol-error", "proto-control-too-long");
    sent(&encode_frame(0x8A, None, &[0; 126])).certain("protocol-error", "proto-control-too-long");
}

#[test]
fn status_426() {
    let asks = |fields: &str| answered("426 Upgrade Required", fields, "Upgrade Required");
    asks("Sec-WebSocket-Version: 8\r\n").certain("upgrade-refused", "http-426");
    asks("Server: nginx/1.22.1\r\n").certain("upgrade-refused", "http-upgrade-stripped");
    asks("Via: 1.1 varnish\r\n").certain("upgrade-refused", "http-upgrade-stripped");
    asks("").likely("upgrade-refused", "http-upgrade-stripped");
}

#[test]
fn status_404() {
    let verdict = answered("404 Not Found", "", "Cannot GET /ws").certain("upgrade-refused", "http-404");
    assert!(verdict.summary.contains("no upgrade listener"), "{}", verdict.summary);
    assert!(rivals(&verdict).contains(&"http-upgrade-stripped"), "{verdict:#?}");
    let stripped = answered("404 Not Found", "", "{\"error\":\"not a websocket handshake\"}");
    stripped.gives("upgrade-refused", "http-upgrade-stripped", Certainty::Certain);
    let backend = Change::Backend { host: "127.0.0.1:3002".to_owned(), tls: false };
    let direct = answered("404 Not Found", "", "Cannot GET /ws").handshake(backend, false, opens());
    direct.certain("upgrade-refused", "http-upgrade-stripped");
}

#[test]
fn heads_that_chrome_takes_and_heads_that_it_does_not() {
    let old = Scene::asked().server(format!("{}\r\n", GOOD.replace("HTTP/1.1", "HTTP/1.0"))).fact(Fact::Opened);
    let verdict =
        old.confirm().we_close(CloseOrigin::WatchEnded).server_close(1000, "").fin().certain("open", "healthy");
    assert!(finds(&verdict, "upgrade-http-version"), "{verdict:#?}");
    let bare = Scene::asked().server(format!("{GOOD}\r\n").replace("\r\n", "\n")).fact(Fact::Opened);
    let verdict =
        bare.confirm().we_close(CloseOrigin::WatchEnded).server_close(1000, "").fin().certain("open", "healthy");
    assert!(finds(&verdict, "upgrade-bare-lf"), "{verdict:#?}");
    for status in ["100 Continue", "103 Early Hints"] {
        let early = Scene::asked().server(format!("HTTP/1.1 {status}\r\n\r\n{GOOD}\r\n"));
        early.certain("upgrade-invalid", "upgrade-1xx");
    }
}

#[test]
fn a_leaf_alone_with_an_unknown_issuer() {
    let leaf = |has_ca_issuers| {
        let chain = vec![CertInfo { has_ca_issuers, ..certificate("CN=Practice CA", NOW - 1_000, NOW + 1_000) }];
        wss().tls_failed_with(TlsFailureKind::UnknownIssuer, b"", chain, Vec::new())
    };
    leaf(true).likely("tls-failed", "tls-missing-intermediate");
    leaf(false).certain("tls-failed", "tls-unknown-ca");
}

#[test]
fn inflating_and_announced_lengths_over_our_limit() {
    let inflated =
        |bytes| Scene::confirmed().limit(Limit::Inflated { wire_bytes: 1_000_000 }, bytes).client_close(1009).fin();
    inflated(100_000_000).certain("ended-by-us", "decompression-bomb");
    inflated(99_999_999).certain("ended-by-us", "our-limit");
    let announced = |bytes| Scene::confirmed().limit(Limit::Frame, bytes).client_close(1009).fin();
    announced(1 << 31).certain("ended-by-us", "frame-huge");
    announced((1 << 31) - 1).certain("ended-by-us", "our-limit");
}

#[test]
fn a_response_head_over_256_kib() {
    let head = format!("HTTP/1.1 101 X\r\n{}", "a".repeat(256 * 1024 + 1));
    let scene = Scene::asked().server(head).limit(Limit::ResponseHead, 300_000);
    scene.certain("upgrade-invalid", "upgrade-headers-too-big");
}

#[test]
fn fin_after_the_101_with_the_port_alive() {
    let verdict = Scene::open().fin().accepts().likely("fin", "connection-terminated");
    assert!(rivals(&verdict).contains(&"handler-exception"), "{verdict:#?}");
    let told = good().accept().line("TypeError: x is undefined").fin().accepts();
    told.likely("fin", "handler-exception");
    let expired = Scene::with_token(&token(-3600)).tcp().request().accept().fin().accepts();
    let verdict = expired.likely("fin", "connection-terminated");
    assert_eq!(rivals(&verdict).first(), Some(&"jwt-expired"), "{verdict:#?}");
    assert!(finds(&verdict, "jwt-expired"), "{verdict:#?}");
}

#[test]
fn one_address_family_refused() {
    let refused = Scene::to("ws://localhost:3001/").tcp_failed("127.0.0.1:3001", IoKind::Refused);
    let there = Probe::Tcp { address: "[::1]:3001".parse().unwrap() };
    refused.clone().probe(there, ProbeOutcome::Accepted).certain("connect-failed", "localhost-family-mismatch");
    let second =
        Scene::to("ws://localhost:3001/").tcp_failed("[::1]:3001", IoKind::Refused).tcp_connected("127.0.0.1:3001");
    let through = second.request().accept().confirm().we_close(CloseOrigin::WatchEnded).server_close(1000, "").fin();
    let verdict = through.certain("open", "healthy");
    assert!(finds(&verdict, "localhost-family-mismatch"), "{verdict:#?}");
}

#[test]
fn close_1011_without_a_line() {
    let verdict = good().accept().confirm().closed_by_server(1011, "").certain("closed", "close-1011");
    assert!(rivals(&verdict).contains(&"handler-exception"), "{verdict:#?}");
    let told = good().accept().confirm().line("TypeError: x is undefined").closed_by_server(1011, "");
    told.likely("closed", "handler-exception");
}

#[test]
fn no_answer_to_the_upgrade() {
    let silent = Scene::asked().ran_out(Deadline::Upgrade, 500);
    silent.clone().plain_get(ProbeOutcome::Silent).likely("upgrade-unanswered", "server-blocked");
    let answers = ProbeOutcome::Answered { status: Some(404), preview: String::new(), tls: false };
    silent.plain_get(answers).certain("upgrade-unanswered", "upgrade-unanswered");
}

#[test]
fn text_where_frames_should_be() {
    let html = b"<html><body>no</body></html>";
    Scene::open().server(html).certain("protocol-error", "http-body-after-101");
    Scene::open().server(b"HTTP/1.1 404 Not Found\r\n\r\n").certain("protocol-error", "http-body-after-101");
    sent(html).certain("protocol-error", "two-writers-interleave");
    let remote = Scene::to("ws://192.0.2.1:3001/").tcp().request().accept().confirm().server(html);
    remote.likely("protocol-error", "middlebox-injection");
}

#[test]
fn fewer_than_two_dots_in_the_token() {
    let good = token(3600);
    let (head, _) = good.split_once('.').unwrap();
    let whole = good.rsplit_once('.').unwrap().0;
    for cut in [head, whole] {
        refused(cut).certain("closed", "token-truncated");
    }
    // One word may be a session id that the server knows.
    refused("letmein").likely("closed", "jwt-malformed");
    for word in ["undefined", "null", "%5Bobject%20Object%5D"] {
        refused(word).certain("closed", "token-placeholder");
    }
    let empty = Scene::with_token("").tcp().request().accept().closed_by_server(1008, "");
    empty.likely("closed", "token-missing");
}

#[test]
fn status_403_without_a_token() {
    let bare = |fields: &str, body: &str| Scene::asked().answer("403 Forbidden", fields, body);
    let starlette = bare("content-type: text/plain\r\n", "").certain("upgrade-refused", "http-403-starlette");
    assert!(rivals(&starlette).contains(&"token-missing"), "{starlette:#?}");
    let nginx =
        bare("Server: nginx/1.22.1\r\n", "<center><h1>403 Forbidden</h1></center><hr><center>nginx/1.22.1</center>");
    assert!(rivals(&nginx.certain("upgrade-refused", "http-403-proxy")).contains(&"token-missing"));
    bare("", "{\"error\":\"no\"}").likely("upgrade-refused", "token-missing");
}

#[test]
fn fin_after_silence() {
    let silent = |millis| Scene::confirmed().wait(millis).fin().accepts();
    let verdict = silent(45_000).likely("fin", "connection-terminated");
    for rival in ["idle-timeout", "heartbeat-terminate"] {
        assert!(rivals(&verdict).contains(&rival), "{verdict:#?}");
    }
    let short = silent(1_500).likely("fin", "connection-terminated");
    assert!(!rivals(&short).contains(&"idle-timeout"), "{short:#?}");
}

#[test]
fn our_close_answered_and_tcp_left_open() {
    let open = closing().server_close(1000, "").ran_out(Deadline::TcpEnd, 2_300);
    let verdict = open.certain("open", "healthy");
    assert!(finds(&verdict, "peer-never-closes-tcp"), "{verdict:#?}");
}

#[test]
fn a_clock_that_differs() {
    let dated = |skew: i64, lifetime: i64| {
        let moment = std::time::UNIX_EPOCH + std::time::Duration::from_secs((NOW + skew) as u64);
        let date = format!("Date: {}\r\n", httpdate::fmt_http_date(moment));
        let scene = Scene::with_token(&token(lifetime)).tcp().request().accept_with(&date);
        scene.closed_by_server(1008, "jwt expired").verdict().cause
    };
    assert_eq!(dated(3_600, 600), "jwt-clock-skew");
    assert_eq!(dated(0, -3_600), "jwt-expired");
    let early = signed(SECRET, &format!("{{\"nbf\":{}}}", NOW + 3_600));
    refused(&early).certain("closed", "jwt-not-active");
}

#[test]
fn a_banner_answers() {
    for banner in ["SSH-2.0-OpenSSH_9.6\r\n", "220 mail.example ESMTP\r\n", "-ERR unknown command 'GET'\r\n"] {
        Scene::asked().server(banner).fin().certain("upgrade-invalid", "port-not-http");
    }
    let hello = |bytes: &[u8]| wss().tls_failed(TlsFailureKind::NotTls, bytes);
    hello(b"SSH-2.0-OpenSSH_9.6\r\n").certain("tls-failed", "port-not-http");
    hello(b"HTTP/1.1 400 Bad Request\r\n\r\n").certain("tls-failed", "tls-to-plain");
}

#[test]
fn several_certificate_defects() {
    let old = |kind, issuer: &str, defects| {
        let chain = vec![certificate(issuer, NOW - 2_000, NOW - 1_000)];
        wss().tls_failed_with(kind, b"", chain, defects)
    };
    let unknown = old(TlsFailureKind::UnknownIssuer, "CN=Practice CA", vec![TlsFailureKind::NameMismatch]);
    let verdict = unknown.certain("tls-failed", "tls-unknown-ca");
    assert!(finds(&verdict, "tls-expired") && finds(&verdict, "tls-name-mismatch"), "{verdict:#?}");
    let own = old(TlsFailureKind::UnknownIssuer, "CN=h", Vec::new()).certain("tls-failed", "tls-self-signed");
    assert!(finds(&own, "tls-expired"), "{own:#?}");
    let named = old(TlsFailureKind::Expired, "CN=Practice CA", vec![TlsFailureKind::NameMismatch]);
    assert!(finds(&named.certain("tls-failed", "tls-expired"), "tls-name-mismatch"));
}

#[test]
fn a_date_that_the_servers_clock_does_not_share() {
    let leaf = certificate("CN=Practice CA", NOW + 86_000, NOW + 900_000);
    let early = wss().tls_failed_with(TlsFailureKind::NotYetValid, b"", vec![leaf], Vec::new());
    let answer = |secs: i64| {
        let moment = std::time::UNIX_EPOCH + std::time::Duration::from_secs((NOW + secs) as u64);
        let preview = format!("HTTP/1.1 404 Not Found\r\nDate: {}\r\n\r\n", httpdate::fmt_http_date(moment));
        ProbeOutcome::Answered { status: Some(404), preview, tls: true }
    };
    let ahead = early.clone().plain_get(answer(172_800)).certain("tls-failed", "tls-not-yet-valid");
    assert!(ahead.summary.contains("By the server's clock it is valid"), "{}", ahead.summary);
    let agrees = early.plain_get(answer(0)).certain("tls-failed", "tls-not-yet-valid");
    assert!(!agrees.summary.contains("clock"), "{}", agrees.summary);
    assert!(agrees.evidence.iter().any(|line| line.text.contains("agrees with ours")), "{agrees:#?}");
}

#[test]
fn a_close_1008_with_a_token_that_we_cannot_judge() {
    let unknown = Scene::with_token_and(&token(3600), &[]).tcp().request().accept();
    let verdict = unknown.closed_by_server(1008, "Authentication failed").certain("closed", "close-1008");
    assert!(verdict.summary.contains("Authentication failed"), "{}", verdict.summary);
    assert!(rivals(&verdict).iter().any(|id| id.starts_with("jwt-")), "{verdict:#?}");
}

#[test]
fn only_the_reason_text_speaks() {
    let closed = |reason: &str| good().accept().confirm().closed_by_server(4000, reason);
    closed("kicked: another session").likely("closed", "duplicate-kick");
    closed("origin not allowed").likely("closed", "http-403-origin");
    closed("no more").certain("closed", "close-application");
}

#[test]
fn urls_that_browsers_would_not_use() {
    let well = |url: &str| {
        let open = Scene::to(url).tcp().request().accept().confirm();
        open.we_close(CloseOrigin::WatchEnded).server_close(1000, "").fin().certain("open", "healthy")
    };
    assert!(finds(&well("http://127.0.0.1:3001/"), "url-scheme-http"));
    assert!(finds(&well("ws://127.0.0.1:6000/"), "url-unsafe-port"));
}

#[test]
fn the_most_specific_id_wins_and_the_general_ones_are_no_rivals() {
    let verdict = refused(&token(-3600)).certain("closed", "jwt-expired");
    assert!(!finds(&verdict, "close-1008") && !rivals(&verdict).contains(&"close-1008"), "{verdict:#?}");
    let wrong = Scene::with_token(&signed("another", "{}")).tcp().request().answer("401 Unauthorized", "", "");
    wrong.certain("upgrade-refused", "jwt-wrong-secret");
    for (scene, ending) in [
        (Scene::asked().answer("401 Unauthorized", "", ""), "upgrade-refused"),
        (Scene::open().closed_by_server(1008, ""), "closed"),
        (Scene::open().closed_by_server(4401, ""), "closed"),
    ] {
        scene.likely(ending, "token-missing");
    }
    let died = Scene::asked().fin().refuses().certain("upgrade-cut", "server-process-died");
    assert!(!rivals(&died).contains(&"upgrade-fin-nobytes"), "{died:#?}");
    let both =
        good().accept().confirm().closed_by_server(1009, "").refuses().certain("closed", "message-too-big-by-server");
    assert!(finds(&both, "server-process-died"), "{both:#?}");
    deflated().server([0xC1, 1, b'a']).fin().is_not("proto-rsv1-no-deflate");
    let alert =
        Scene::to("wss://127.0.0.1:3001/").tcp().tls_failed(TlsFailureKind::AlertReceived(116), b"\x15\x03\x03");
    alert.certain("tls-failed", "tls-client-cert-required");
    let unanswered = Handshaken { status: Some(403), ..Handshaken::default() };
    let origin = Change::Origin { origin: None };
    answered("403 Forbidden", "", "no").handshake(origin, false, unanswered).is_not("http-403-origin");
}
