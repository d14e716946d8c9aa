//! Which probes each ending asks for, in which order, and which never.

use super::*;
use crate::diagnosis::testing::{Scene, failure, token};
use crate::observation::{CloseOrigin, Handshaken, ReadEnd};

fn names(probes: &[Probe]) -> Vec<String> {
    let name = |probe: &Probe| match probe {
        Probe::Tcp { .. } => "tcp".to_owned(),
        Probe::ComesBack { .. } => "comes back".to_owned(),
        Probe::Listeners { port } => format!("listeners {port}"),
        Probe::PlainGet { path, tls, .. } => format!("get {path}{}", if *tls { " tls" } else { "" }),
        Probe::TlsHello { server_name, .. } => format!("hello {server_name}"),
        Probe::Handshake { change, with_token, .. } => {
            let token = if *with_token { " token" } else { "" };
            match change {
                Change::None => format!("handshake{token}"),
                Change::Origin { origin } => format!("origin {}{token}", origin.as_deref().unwrap_or("-")),
                Change::NoExtensions => format!("no extensions{token}"),
                Change::NoSubprotocol => format!("no subprotocol{token}"),
                Change::Path { path } => format!("path {path}{token}"),
                Change::Backend { host, .. } => format!("backend {host}{token}"),
            }
        }
    };
    probes.iter().map(name).collect()
}

#[track_caller]
fn asks(scene: &Scene, expected: &[&str]) {
    assert_eq!(names(&scene.next_probes()), expected);
}

/// Answers every probe that is asked now, each with a refusal of its kind.
fn answered(scene: Scene) -> Scene {
    let probes = scene.next_probes();
    probes.into_iter().fold(scene, |scene, probe| {
        let outcome = match &probe {
            Probe::Tcp { .. } | Probe::ComesBack { .. } => ProbeOutcome::Accepted,
            Probe::Listeners { .. } => ProbeOutcome::Listening { listeners: Vec::new() },
            Probe::PlainGet { .. } => ProbeOutcome::Answered { status: Some(404), preview: String::new(), tls: false },
            Probe::TlsHello { .. } => ProbeOutcome::Ended(ReadEnd::Fin),
            Probe::Handshake { .. } => {
                ProbeOutcome::Handshaken(Box::new(Handshaken { status: Some(403), ..Handshaken::default() }))
            }
        };
        scene.probe(probe, outcome)
    })
}

#[test]
fn each_probe_runs_once_and_against_this_machine_only() {
    let fin = Scene::confirmed().fin();
    asks(&fin, &["tcp"]);
    asks(&answered(fin.clone()), &["listeners 3001"]);
    assert!(answered(answered(fin.clone())).next_probes().is_empty());
    asks(&fin.clone().plan(|plan| plan.probes = false), &[]);
    let remote = Scene::to("ws://192.0.2.1:3001/").tcp().request().accept().fin();
    asks(&remote, &[]);
    let story = remote.story();
    assert_eq!(names(&useful_probes(&Case { story: &story, probes_pending: false })), ["tcp"]);
    asks(&remote.plan(|plan| plan.probes_elsewhere = true), &["tcp"]);
    let elsewhere =
        Scene::to("ws://localhost:3001/").tcp_failed("192.0.2.1:3001", IoKind::Refused).tcp_connected("127.0.0.1:3001");
    asks(&elsewhere.request().accept().fin(), &[]);
}

#[test]
fn nothing_is_asked_after_a_good_end() {
    asks(&Scene::confirmed().we_close(CloseOrigin::WatchEnded).server_close(1000, "").fin(), &[]);
    asks(&Scene::confirmed().we_close(CloseOrigin::User).server_close(1000, "").fin(), &[]);
    asks(&Scene::to("ws://127.0.0.1:bad/"), &[]);
}

#[test]
fn the_token_goes_along_last_and_only_where_nothing_else_tells() {
    let sent = || Scene::with_token(&token(60)).tcp().request();
    asks(&sent().ran_out(Deadline::Upgrade, 100), &["get /", "listeners 3001"]);
    let refused = sent().answer("403 Forbidden", "", "no");
    asks(&refused, &["get /", "handshake", "origin http://127.0.0.1:3001"]);
    let asked = answered(refused);
    asks(&asked, &["origin http://127.0.0.1:3001 token"]);
    asks(&answered(asked), &[]);
    let opened = Handshaken { status: Some(101), opened: true, ..Handshaken::default() };
    let change = Change::Origin { origin: Some("http://127.0.0.1:3001".to_owned()) };
    let told = sent().answer("403 Forbidden", "", "no").handshake(change, false, opened);
    asks(&answered(told), &[]);
    let message = Scene::with_token(&token(60))
        .plan(|plan| plan.token_place = Some(TokenPlace::FirstMessage { template: "{{token}}".to_owned() }));
    let message = answered(message.tcp().request().answer("403 Forbidden", "", "no"));
    assert!(names(&message.next_probes()).iter().all(|name| !name.ends_with("token")));
}

#[test]
fn a_refusal_is_asked_about_what_may_have_made_it() {
    let asked =
        |status: &str, fields: &str| Scene::to("ws://127.0.0.1:3001/ws?a=1").tcp().request().answer(status, fields, "");
    asks(&asked("200 OK", ""), &["get /ws", "get /"]);
    asks(&asked("404 Not Found", ""), &["get /ws", "get /", "origin http://127.0.0.1:3001", "path /ws/"]);
    asks(&asked("301 Moved", "Location: /ws/?a=1\r\n"), &["get /ws", "get /", "path /ws/"]);
    asks(&asked("301 Moved", "Location: https://127.0.0.1/ws2\r\n"), &["get /ws", "get /", "path /ws2"]);
    asks(&asked("302 Found", "Location: https://login.test/\r\n"), &["get /ws", "get /"]);
    asks(&asked("302 Found", "Location: //evil/x\r\n"), &["get /ws", "get /"]);
    asks(&asked("400 Bad Request", ""), &["get /ws", "get /", "get /socket.io/?EIO=4&transport=polling"]);
    asks(&asked("407 Proxy Authentication Required", ""), &[]);
    let origin = asked("403 Forbidden", "").plan(|plan| plan.origin = Some("http://a".to_owned()));
    asks(&origin, &["get /ws", "get /", "origin -"]);
    let backend = asked("502 Bad Gateway", "").plan(|plan| plan.backend = Some("ws://localhost:3001/".to_owned()));
    asks(&backend, &["get /ws", "get /", "backend localhost:3001"]);
    let chat = Scene::to("ws://127.0.0.1:3001/").fields("Sec-WebSocket-Protocol: chat\r\n").tcp().request();
    let gets = ["get /", "get /socket.io/?EIO=4&transport=polling", "no subprotocol"];
    asks(&chat.clone().answer("400 Bad Request", "", ""), &gets);
    asks(&chat.server(format!("{}\r\n", crate::diagnosis::testing::GOOD)), &["no subprotocol"]);
}

#[test]
fn a_backend_that_was_named_is_asked_wherever_the_target_is() {
    let scene = Scene::to("ws://192.0.2.1:3001/").tcp().request().answer("502 Bad Gateway", "", "");
    asks(&scene.clone().plan(|plan| plan.backend = Some("wss://app.test/".to_owned())), &["backend app.test"]);
    asks(&scene.plan(|plan| plan.backend = Some("nonsense".to_owned())), &[]);
}

#[test]
fn a_reset_is_followed_by_a_client_hello_unless_the_port_refuses() {
    let reset = Scene::asked().rst();
    asks(&reset, &["tcp", "hello 127.0.0.1"]);
    asks(&answered(reset.clone()), &["listeners 3001", "get /", "get /socket.io/?EIO=4&transport=polling"]);
    asks(&reset.refuses().listening(Vec::new(), true), &["comes back"]);
}

#[test]
fn a_port_that_refuses_is_asked_whether_it_comes_back() {
    let gone = Scene::confirmed().fin().refuses().listening(Vec::new(), true);
    asks(&gone, &["comes back"]);
    asks(&gone.comes_back(false), &[]);
    asks(&Scene::confirmed().fin().refuses(), &["listeners 3001", "comes back"]);
}

#[test]
fn an_early_end_is_compared_with_one_without_the_token() {
    let early = Scene::with_token(&token(60)).tcp().request().accept().wait(200).fin();
    asks(&early, &["tcp"]);
    asks(&answered(early), &["listeners 3001", "handshake"]);
    let late = Scene::with_token(&token(60)).tcp().request().accept().wait(5_000).fin();
    asks(&answered(answered(late)), &[]);
    let closed = Scene::with_token(&token(60)).tcp().request().accept().closed_by_server(1008, "no");
    asks(&answered(closed), &["listeners 3001", "handshake", "get /"]);
}

#[test]
fn broken_frames_are_compared_with_those_without_compression() {
    let fields = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let scene = Scene::to("ws://127.0.0.1:3001/").fields(fields).tcp().request().accept().server([0xC1, 1, b'a']);
    asks(&scene, &["no extensions"]);
    asks(&Scene::confirmed().server([0xC1, 1, b'a']), &[]);
    let plain = Scene::to("ws://127.0.0.1:3001/").fields(fields).tcp().request().accept();
    asks(&plain.server([0x81, 2, 0xC3, 0x28]), &[]);
}

#[test]
fn tls_that_is_cut_off_is_tried_without_a_name() {
    let cut = Scene::to("wss://localhost:3001/").tcp().tls_failed(TlsFailureKind::Reset, b"");
    asks(&cut, &["get /", "hello ", "listeners 3001"]);
    let literal = Scene::to("wss://127.0.0.1:3001/").tcp().tls_failed(TlsFailureKind::Fin, b"");
    asks(&literal, &["get /", "listeners 3001"]);
    let expired = Scene::to("wss://127.0.0.1:3001/").tcp().tls_failed(TlsFailureKind::Expired, b"");
    asks(&expired, &["get / tls", "listeners 3001"]);
    let inside = Scene::to("wss://127.0.0.1:3001/").tcp().request().answer("404 Not Found", "", "");
    assert!(names(&inside.next_probes()).contains(&"get / tls".to_owned()));
}

#[test]
fn a_refused_port_is_looked_up_and_tried_on_the_other_family() {
    let refused = Scene::to("ws://127.0.0.1:3001/").tcp_failed("127.0.0.1:3001", IoKind::Refused);
    asks(&refused, &["listeners 3001", "tcp"]);
    let both = refused.tcp_failed("[::1]:3001", IoKind::Refused);
    asks(&both, &["listeners 3001"]);
    assert_eq!(failure(IoKind::Refused).kind, IoKind::Refused);
}
