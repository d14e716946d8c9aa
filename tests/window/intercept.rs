//! A page's own connection, relayed by the window: asked for in the form, watched and judged like any other.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use egui::Theme;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use sockeye::ui::App;
use sockeye::ui::action::{Action, Tab};
use sockeye::wire::{accept_for, encode_frame, parse_url};

use crate::app::{first_start, replace, state_of, wait_for_verdict};
use crate::support::{shot, wait_for};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

fn click(window: &mut Harness<'static, App>, role: Role, label: &str) {
    window.get_by_role_and_label(role, label).click();
    window.run_steps(4);
}

/// Where the window says that it listens.
fn address(window: &Harness<'static, App>) -> Option<String> {
    let mut labels =
        window.query_all_by_label_contains("ws://localhost:").filter_map(|node| node.accesskit_node().value());
    labels.find_map(|label| label.strip_prefix("ws://").map(str::to_owned))
}

/// Opens a connection as a page does, and reads the first message.
fn page(address: &str, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: http://localhost:5173\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    while !read.windows(4).any(|four| four == b"\r\n\r\n") || !read.ends_with(b"}") {
        let len = stream.read(&mut buffer).unwrap();
        assert!(len > 0, "{}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&buffer[..len]);
    }
    assert!(String::from_utf8_lossy(&read).contains(&accept_for(KEY)));
    stream
}

#[test]
fn a_page_goes_through_the_window_and_is_judged_there() {
    let mut window = first_start(Theme::Dark, [1280.0, 800.0], 1.0);
    window.state_mut().act(Action::InterceptForm);
    // It opens slowly, and is scrolled to.
    window.run_steps(40);
    replace(&mut window, "Port to listen on", "many");
    assert!(window.query_by_label_contains("port is a number up to 65535").is_some());
    assert!(window.state().kept().contains("\"port\":\"9001\""), "what is no port is not kept");
    replace(&mut window, "Port to listen on", "0");
    assert!(window.state().kept().contains("\"port\":\"0\""));
    window.run_steps(20);
    shot(&mut window, "intercept-asked").unwrap();
    click(&mut window, Role::Button, "Listen");
    wait_for(&mut window, "the address", |window| address(window).is_some());
    let address = address(&window).unwrap();
    let path = parse_url(&window.state().form().url).unwrap().path_and_query;
    let mut stream = page(&address, &path);
    wait_for(&mut window, "the open connection", |window| state_of(window).starts_with("Open"));
    window.run_steps(4);
    shot(&mut window, "intercept-open").unwrap();
    // What the page sends is the page's own.
    assert!(window.get_by_role_and_label(Role::Button, "Send").accesskit_node().is_disabled());
    stream.write_all(&encode_frame(0x88, Some([1, 2, 3, 4]), &1001_u16.to_be_bytes())).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    drop(stream);
    wait_for_verdict(&mut window, "page-navigation");
    assert!(window.query_all_by_label_contains("1 WebSocket came").next().is_some());
    shot(&mut window, "intercept-judged").unwrap();
    // A second one is shown as soon as it comes, and can be dropped.
    let mut stream = page(&address, &path);
    wait_for(&mut window, "the second connection", |window| state_of(window).starts_with("Open"));
    window.state_mut().act(Action::Tab(Tab::Sessions));
    window.run_steps(4);
    shot(&mut window, "intercept-sessions").unwrap();
    window.state_mut().act(Action::Disconnect);
    // What is judged moves nothing any more.
    wait_for_verdict(&mut window, "ended-by-user");
    assert!(state_of(&window).starts_with("Closed"));
    stream.read_to_end(&mut Vec::new()).ok();
    click(&mut window, Role::Button, "Stop");
    wait_for(&mut window, "the button", |window| window.query_by_role_and_label(Role::Button, "Listen").is_some());
}

#[test]
fn a_page_that_comes_again_and_again_leaves_the_newest_at_hand() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut window = first_start(Theme::Dark, [1280.0, 800.0], 1.0);
    window.state_mut().form_mut().practice = None;
    let url = format!("ws://{}/", server.local_addr().unwrap());
    window.state_mut().form_mut().set_url(url);
    // Our questions afterwards reach it as well.
    std::thread::spawn(move || {
        for stream in server.incoming() {
            let mut stream = stream.unwrap();
            // A question may be whether the port accepts, and no more.
            if stream.read(&mut [0; 4096]).is_ok_and(|len| len > 0) {
                stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok();
            }
        }
    });
    window.state_mut().act(Action::Intercept { port: 0, renames: false, tells: false });
    wait_for(&mut window, "the address", |window| address(window).is_some());
    let address = address(&window).unwrap();
    for _ in 0..60 {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\r\n").unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
        window.step();
    }
    wait_for(&mut window, "all of them", |window| {
        let connections = window.state().connections();
        window.query_all_by_label_contains("60 WebSockets came").next().is_some() && !connections.any_running()
    });
    // The newest fifty are here, and the one that is shown.
    let views = &window.state().connections().views;
    assert!((50..=51).contains(&views.len()), "{}", views.len());
}

#[test]
fn a_port_that_is_taken_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut window = first_start(Theme::Light, [1024.0, 700.0], 1.0);
    let port = taken.local_addr().unwrap().port();
    window.state_mut().act(Action::Intercept { port, renames: false, tells: false });
    wait_for(&mut window, "the reason", |window| {
        window.query_all_by_label_contains("Listen on 127.0.0.1").next().is_some()
    });
    window.state_mut().act(Action::InterceptForm);
    window.run_steps(12);
    shot(&mut window, "intercept-refused").unwrap();
    assert!(window.query_by_role_and_label(Role::Button, "Listen").is_some());
}
