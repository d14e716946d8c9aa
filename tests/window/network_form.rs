//! The sections TLS, proxy and keep-alive of the connection form, and a connection through a proxy in the window.

use crate::app::wait_for_verdict;
use crate::panels_fixture::stage;
use crate::support::{app, shot};
use egui::accesskit::Role;
use egui::{Theme, vec2};
use egui_kittest::kittest::Queryable as _;
use sockeye::engine::ProxyChoice;
use sockeye::ui::action::Action;
use sockeye::ui::form::Form;
use sockeye::ui::form::network::ProxyWay;
use sockeye::ui::panels::connect::ConnectPanel;
use sockeye::ui::profiles::Profiles;
use std::time::Duration;

/// The form alone, in the width that its region has.
fn form(theme: Theme, form: Form) -> (egui_kittest::Harness<'static>, std::rc::Rc<std::cell::RefCell<Form>>) {
    let form = std::rc::Rc::new(std::cell::RefCell::new(form));
    let shared = std::rc::Rc::clone(&form);
    let size = vec2(280.0, 1500.0);
    let (mut harness, _) = stage(theme, size, None, ConnectPanel::default(), move |panel, ui, ctx, actions| {
        panel.show(ui, &mut shared.borrow_mut(), &Profiles::default(), ctx, actions);
    });
    for section in ["TLS", "Proxy and addresses", "Keep-alive"] {
        harness.query_all_by_label(section).next().expect("the section is there").click();
        harness.run_steps(12);
    }
    (harness, form)
}

#[test]
fn each_section_is_filled_in_and_says_what_is_wrong() {
    let mut filled = Form::first();
    filled.is_insecure = true;
    filled.network.client_certificate = "/home/me/client.pem".to_owned();
    filled.network.sni = "a b".to_owned();
    filled.network.key_log = "/tmp/keys".to_owned();
    (filled.network.proxy, filled.network.proxy_url) = (ProxyWay::Url, "socks4://h".to_owned());
    filled.network.is_pinging = true;
    filled.network.pong.0 = "soon".to_owned();
    filled.recheck();
    for (theme, name) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let (mut harness, _) = form(theme, filled.clone());
        harness.get_by_label_contains("It holds a space, which no host name may");
        harness.get_by_label_contains("SOCKS version 4 is not spoken here");
        harness.get_by_label_contains("is no number of seconds");
        harness.get_by_role_and_label(Role::TextInput, "Path of the client certificate's key");
        shot(&mut harness, &format!("form-network-{name}")).expect("the picture is written");
    }
    assert!(!filled.checks.can_connect());
}

#[test]
fn clicks_reach_the_options() {
    let (mut harness, form) = form(Theme::Dark, Form::first());
    harness.get_by_role_and_label(Role::CheckBox, "Ping the server").click();
    harness.run_steps(4);
    harness.get_by_role_and_label(Role::CheckBox, "Leave the server's pings unanswered").click();
    harness.get_by_role_and_label(Role::CheckBox, "Connect again after the end").click();
    harness.get_by_role_and_label(Role::CheckBox, "Send no name (no SNI)").click();
    harness.run_steps(4);
    shot(&mut harness, "form-network-plain").expect("the picture is written");
    let options = form.borrow().options();
    assert_eq!(options.keep_alive.ping, Some(Duration::from_secs(20)));
    assert!(options.keep_alive.withhold_pongs && options.reconnect.is_some());
    assert_eq!(options.sni.as_deref(), Some(""));
    assert!(options.proxy == ProxyChoice::System);
}

#[test]
fn a_lesson_through_a_proxy_shows_its_steps() {
    let mut window = app(Theme::Dark, [1280.0, 800.0], 1.0);
    window.run_steps(3);
    window.state_mut().act(Action::Practice(Some("proxy-auth-407-connect".to_owned())));
    wait_for_verdict(&mut window, "proxy-auth-407");
    assert!(window.query_all_by_label_contains("the proxy answered CONNECT with 407").next().is_some());
    shot(&mut window, "proxy-407").expect("the picture is written");
}
