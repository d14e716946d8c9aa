//! The window's form as a command line: what is copied is understood, and asks for what the form asks for.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;

use serde_json::Value;
use sockeye::observation::{Family, Preset};
use sockeye::ui::form::copied::Tool;
use sockeye::ui::form::network::ProxyWay;
use sockeye::ui::form::{ExpectChoice, Form, HeaderRow, PlaceChoice};

const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A shell runs what was copied against a server that refuses; gives the request's head and the printed object.
fn run(form: &Form, server: &TcpListener) -> (String, Value) {
    let copied = form.copied(Tool::Sockeye);
    let rest = copied.strip_prefix("sockeye ").expect("it names the program");
    let script = format!("{} {rest} --json --no-probes", env!("CARGO_BIN_EXE_sockeye"));
    let output = std::thread::scope(|scope| {
        let answer = scope.spawn(|| {
            let (mut stream, _) = server.accept().unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                head.extend_from_slice(&byte);
            }
            stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").unwrap();
            String::from_utf8(head).unwrap()
        });
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let refused = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{script}\n{refused}");
        (answer.join().unwrap(), output.stdout)
    });
    (output.0, serde_json::from_slice(&output.1).unwrap())
}

#[test]
fn a_copied_command_asks_for_what_the_form_asks_for() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let env_file = folder.path().join("it's.env");
    fs::write(&env_file, "JWT_SECRET=abc\nROOM=blue\n").unwrap();
    let mut form = Form::first();
    form.set_url(format!("ws://127.0.0.1:{port}/chat?agentId=it's&room={{{{ROOM}}}}"));
    form.move_token(PlaceChoice::Bearer);
    form.set_token(TOKEN);
    form.secret = "never on a command line".to_owned();
    form.secret_file = env_file.to_string_lossy().into_owned();
    (form.claims.audience, form.claims.issuer, form.claims.leeway) = ("a".to_owned(), "i".to_owned(), "5".to_owned());
    form.headers.push(HeaderRow { is_on: true, name: "X-A".to_owned(), value: "\"1\" $x".to_owned() });
    form.headers.push(HeaderRow { is_on: false, name: "X-Off".to_owned(), value: "1".to_owned() });
    form.origin = "https://app.example".to_owned();
    form.subprotocols = "chat, v2".to_owned();
    form.is_uncompressed = true;
    form.expect = ExpectChoice::JsonPointer;
    (form.expected.pointer, form.expected.value) = ("/type".to_owned(), "ready".to_owned());
    form.time_outs.upgrade = "3.5".to_owned();
    form.is_insecure = true;
    form.family = Family::Ipv4;
    form.network.has_no_sni = true;
    form.network.key_log = folder.path().join("keys").to_string_lossy().into_owned();
    form.network.proxy = ProxyWay::None;
    form.network.is_pinging = true;
    form.network.withholds_pongs = true;
    form.recheck();
    let (head, printed) = run(&form, &server);
    assert!(!form.copied(Tool::Sockeye).contains("never on a command line"));
    let wanted = [
        "GET /chat?agentId=it's&room=blue HTTP/1.1\r\n",
        &format!("Authorization: Bearer {TOKEN}\r\n"),
        "X-A: \"1\" $x\r\n",
        "Origin: https://app.example\r\n",
        "Sec-WebSocket-Protocol: chat, v2\r\n",
    ];
    assert!(wanted.iter().all(|line| head.contains(line)), "{head}");
    assert!(!head.contains("X-Off") && !head.contains("permessage-deflate"), "{head}");
    assert_eq!(printed["token"]["signature"], "invalid", "{printed:#}");
}

#[test]
fn a_token_goes_from_every_place_into_the_command() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", server.local_addr().unwrap());
    let places = [
        (PlaceChoice::Query, format!("GET /?token={TOKEN} HTTP/1.1\r\n")),
        (PlaceChoice::Header, format!(": {TOKEN}\r\n")),
        (PlaceChoice::Cookie, format!("Cookie: token={TOKEN}\r\n")),
        (PlaceChoice::Subprotocol, format!("Sec-WebSocket-Protocol: {TOKEN}\r\n")),
        (PlaceChoice::FirstMessage, "GET / HTTP/1.1\r\n".to_owned()),
    ];
    for (place, wanted) in places {
        let mut form = Form::default();
        form.set_url(url.clone());
        form.preset = Preset::Bare;
        form.move_token(place);
        form.set_token(TOKEN);
        let (head, printed) = run(&form, &server);
        assert!(head.contains(&wanted), "{place:?}: {head}");
        assert_eq!(printed["token"]["present"], true, "{place:?}: {printed:#}");
    }
}
