//! The verdict card, and the opening handshake.

use crate::panels_fixture::{Recording, Stage, broken, died, opened, refused, requested, stage, verdict};
use crate::support::shot;
use egui::accesskit::Role;
use egui::{Key, Theme, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sockeye::diagnosis::Verdict;
use sockeye::observation::{CertInfo, Direction, Fact, TlsAlert, TlsFailure, TlsFailureKind, TlsInfo};
use sockeye::store::View;
use sockeye::ui::panels::handshake::Handshake;
use sockeye::ui::panels::verdict::VerdictPanel;

fn card(view: Option<View>) -> (Harness<'static>, Stage<VerdictPanel>) {
    stage(Theme::Dark, vec2(300.0, 1400.0), view, VerdictPanel::default(), VerdictPanel::show)
}

fn handshake(theme: Theme, height: f32, view: Option<View>) -> (Harness<'static>, Stage<Handshake>) {
    stage(theme, vec2(720.0, height), view, Handshake::default(), Handshake::show)
}

#[test]
fn an_empty_card_says_what_it_waits_for() {
    let (harness, _) = card(None);
    harness.get_by_label("It waits for the first connection.");
    let (harness, _) = card(Some(requested().view()));
    harness.get_by_label_contains("waits for the server's answer");
    let (harness, _) = card(Some(opened().view()));
    harness.get_by_label_contains("first message decides");
    assert!(harness.query_by_label("Close code").is_none());
}

#[test]
fn a_verdict_says_what_why_how_sure_and_how_to_mend_it() {
    let (mut harness, stage) = card(Some(died().view()));
    harness.get_by_label("certain");
    harness.get_by_label_contains("The server process died 2.3 s after");
    harness.get_by_label("CloseEvent code 1006, reason \"\", wasClean false");
    harness.get_by_label_contains("A browser says 1006 Abnormal Closure");
    harness.get_by_label_contains("To decide: look whether the watcher");
    harness.get_by_label("→ connection refused (os error 111)");
    harness.get_by_label_contains("Close: failed");
    harness.get_by_role_and_label(Role::Button, "Copy npm run dev:websocket 2>&1 | tee server.log").click();
    harness.run_steps(2);
    assert_eq!(stage.copied().as_deref(), Some("npm run dev:websocket 2>&1 | tee server.log"));
}

#[test]
fn a_line_of_evidence_goes_to_its_row_by_click_and_by_enter() {
    let (mut harness, stage) = card(Some(died().view()));
    harness.get_by_role_and_label(Role::Link, "The server sent its confirmation, at 0.013 s").click();
    harness.run_steps(2);
    assert_eq!(stage.taken(), ["GoToPlace(Place { direction: ServerToClient, offset: 0 })"]);
    harness.get_by_label_contains("TCP ended with FIN, and no").focus();
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(2);
    assert_eq!(stage.taken(), ["GoToMoment(Moment(2312000000))"]);
}

#[test]
fn a_provisional_verdict_says_so_until_the_probes_are_in() {
    let provisional = Verdict { provisional: true, ..verdict() };
    let view = opened().fact(9.0, Fact::Concluded(Box::new(provisional))).view();
    let (harness, _) = card(Some(view));
    harness.get_by_label_contains("Provisional: follow-up probes may still change it");
}

#[test]
fn a_received_close_code_is_explained() {
    let (harness, _) = card(Some(broken().view()));
    harness.get_by_label_contains("Received from the server: 1008 Policy Violation, “token expired”");
    harness.get_by_label_contains("Sent by us: 1008");
}

#[test]
fn an_unknown_cause_and_hostile_words_are_safe_to_draw() {
    let odd = Verdict {
        cause: "no-such-cause".to_owned(),
        summary: "\u{202E}reversed".to_owned(),
        evidence: Vec::new(),
        ..verdict()
    };
    let (harness, _) = card(Some(opened().fact(9.0, Fact::Concluded(Box::new(odd))).view()));
    harness.get_by_label("⟨U+202E⟩reversed");
    harness.get_by_label_contains("no-such-cause");
}

#[test]
fn the_handshake_shows_steps_checks_heads_and_the_clock() {
    let (harness, _) = handshake(Theme::Dark, 1100.0, Some(died().view()));
    harness.get_by_label_contains("[::1]:3001 connection refused");
    harness.get_by_label_contains("Sec-WebSocket-Accept: passed, expected s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    harness.get_by_label_contains("GET /?token=eyJhbGci…");
    harness.get_by_label_contains("HTTP/1.1 101 Switching Protocols");
    harness.get_by_label_contains("s ahead of ours (±");
}

#[test]
fn a_refusal_shows_its_body_and_a_clock_that_is_behind() {
    let (mut harness, stage) = handshake(Theme::Dark, 1100.0, Some(refused().view()));
    harness.get_by_label_contains("status 101: failed, expected 101, got 401");
    harness.get_by_label_contains("⟨U+202E⟩log in");
    harness.get_by_label_contains("behind ours");
    harness.get_by_role_and_label(Role::Button, "Copy the body").click();
    harness.run_steps(2);
    assert!(stage.copied().is_some_and(|text| text.starts_with("{\"error\"")));
}

#[test]
fn an_empty_handshake_teaches_and_a_silent_server_is_said() {
    let (harness, _) = handshake(Theme::Dark, 600.0, None);
    harness.get_by_label_contains("RFC 6455 §4.1");
    let (harness, _) = handshake(Theme::Dark, 900.0, Some(requested().view()));
    harness.get_by_label("Waits for the answer …");
    let (harness, _) = handshake(Theme::Dark, 900.0, Some(requested().fact(9.0, Fact::Finished).view()));
    harness.get_by_label("No answer came.");
}

fn certificate(subject: &str, not_after: i64) -> CertInfo {
    CertInfo {
        subject: subject.to_owned(),
        issuer: "CN=Practice CA".to_owned(),
        names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
        not_before: 1_700_000_000,
        not_after,
        key: "EC P-256".to_owned(),
        serial: "1001".to_owned(),
        ..CertInfo::default()
    }
}

fn expired() -> Recording {
    let failure = TlsFailure {
        kind: TlsFailureKind::Expired,
        text: "invalid peer certificate: Expired".to_owned(),
        chain: vec![certificate("CN=localhost", 1_745_000_000), certificate("CN=Practice CA", 1_900_000_000)],
        defects: vec![TlsFailureKind::Expired, TlsFailureKind::NameMismatch],
        alert: Some(TlsAlert { direction: Direction::ClientToServer, code: 45 }),
        ..TlsFailure::default()
    };
    Recording::default()
        .fact(1.0, Fact::TlsStarted { server_name: "localhost".to_owned() })
        .fact(4.0, Fact::TlsFailed(Box::new(failure)))
        .fact(5.0, Fact::Finished)
}

#[test]
fn certificates_say_what_is_wrong_with_them() {
    let (mut harness, _) = handshake(Theme::Dark, 700.0, Some(expired().view()));
    harness.get_by_label("✗ a certificate has expired");
    harness.get_by_label_contains("✗ Expired 43 days ago");
    harness.get_by_label_contains("also: the certificate is for another name");
    harness.get_by_label_contains("Alert sent certificate_expired (45)");
    shot(&mut harness, "handshake-tls").expect("the picture is written");
    let info = TlsInfo {
        version: "TLSv1.3".to_owned(),
        cipher: "TLS13_AES_256_GCM_SHA384".to_owned(),
        group: Some("X25519".to_owned()),
        chain: vec![certificate("CN=localhost", 1_900_000_000)],
        ..TlsInfo::default()
    };
    let view = Recording::default().fact(1.0, Fact::TlsEstablished(Box::new(info))).view();
    let (harness, _) = handshake(Theme::Dark, 600.0, Some(view));
    harness.get_by_label("TLS13_AES_256_GCM_SHA384");
    harness.get_by_label("X25519");
}

#[test]
fn pictures_of_verdict_and_handshake() {
    for (theme, name) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        for (state, view) in [("empty", None), ("full", Some(died().view())), ("open", Some(opened().view()))] {
            let (mut harness, _) = stage(theme, vec2(300.0, 1350.0), view, VerdictPanel::default(), VerdictPanel::show);
            shot(&mut harness, &format!("verdict-{state}-{name}")).expect("the picture is written");
        }
        for (state, view) in [("full", died().view()), ("refused", refused().view())] {
            let (mut harness, _) = handshake(theme, 1000.0, Some(view));
            shot(&mut harness, &format!("handshake-{state}-{name}")).expect("the picture is written");
        }
    }
}
