//! The detail of a row: each kind of row, each tab.

use crate::panels_fixture::{Stage, broken, died, long, refused, stage, wait};
use crate::support::shot;
use egui::accesskit::Role;
use egui::{Theme, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sockeye::store::{Page, RowBody, View};
use sockeye::ui::panels::detail::Detail;
use std::sync::atomic::Ordering;

fn row_where(view: &View, wanted: impl Fn(&RowBody) -> bool) -> Option<u64> {
    match view.page(0..view.rows) {
        Page::Ready(rows) => rows.iter().position(|row| wanted(&row.body)).map(|row| row as u64),
        Page::Pending => None,
    }
}

fn detail(theme: Theme, view: View, wanted: impl Fn(&RowBody) -> bool) -> (Harness<'static>, Stage<Detail>) {
    let row = row_where(&view, wanted);
    let mut panel = Detail::default();
    panel.row = row;
    stage(theme, vec2(720.0, 300.0), Some(view), panel, Detail::show)
}

/// Which row to show.
type Wanted = fn(&RowBody) -> bool;

fn is_frame(body: &RowBody, opcode: &str, text: &str) -> bool {
    matches!(body, RowBody::Frame(frame) if frame.header.opcode().word() == opcode
        && (text.is_empty() || String::from_utf8_lossy(&frame.preview).contains(text)))
}

#[test]
fn without_a_row_it_says_what_to_do() {
    let (harness, _) = stage(Theme::Dark, vec2(720.0, 300.0), Some(died().view()), Detail::default(), Detail::show);
    harness.get_by_label("No row is selected");
}

#[test]
fn a_json_frame_is_a_tree_text_hex_and_a_header() {
    let (mut harness, stage) = detail(Theme::Dark, died().view(), |body| is_frame(body, "text", "ready"));
    harness.get_by_label("type: ready");
    harness.get_by_role_and_label(Role::Button, "Text").click();
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::ListBox, "Payload as text");
    harness.get_by_role_and_label(Role::Button, "Hex").click();
    harness.run_steps(2);
    harness.get_by_label_contains("FIN, RSV, opcode");
    harness.get_by_role_and_label(Role::Button, "Frame").click();
    harness.run_steps(2);
    harness.get_by_label("0, as a server must");
    harness.get_by_label("1, the last frame of its message");
    harness.get_by_role_and_label(Role::Button, "Copy as Frame").click();
    harness.run_steps(2);
    assert!(stage.copied().is_some_and(|text| text.contains("Opcode\t0x1, text")));
}

#[test]
fn a_masked_frame_can_be_seen_as_it_travelled() {
    let (mut harness, _) = detail(Theme::Dark, died().view(), |body| is_frame(body, "text", "hello"));
    harness.get_by_role_and_label(Role::Button, "Hex").click();
    harness.run_steps(2);
    harness.get_by_label_contains("7b 22 68 65");
    harness.get_by_role_and_label(Role::CheckBox, "Masked, as on the wire").click();
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("7b 22 68 65").is_none());
    shot(&mut harness, "detail-hex-masked").expect("the picture is written");
}

#[test]
fn a_close_frame_is_explained() {
    let (harness, _) = detail(Theme::Dark, broken().view(), |body| is_frame(body, "close", "expired"));
    harness.get_by_label("1008 Policy Violation “token expired”");
    harness.get_by_label_contains("often used for a token");
    harness.get_by_label_contains("Sent by either side");
}

#[test]
fn bad_utf8_is_placed_and_leads_to_its_byte() {
    let (mut harness, _) = detail(Theme::Dark, broken().view(), |body| is_frame(body, "text", "ab"));
    harness.get_by_label("Not UTF-8 at byte 2 (0xFF)");
    harness.get_by_label("Show in hex").click();
    harness.run_steps(3);
    harness.get_by_role_and_label(Role::ListBox, "Bytes");
    shot(&mut harness, "detail-utf8").expect("the picture is written");
}

#[test]
fn a_violation_names_rule_section_and_what_chrome_does() {
    let (harness, _) = detail(Theme::Dark, broken().view(), |body| matches!(body, RowBody::Violation(_)));
    harness.get_by_label("A server must not mask any frame that it sends");
    harness.get_by_label_contains("RFC 6455 §5.1");
    harness.get_by_label_contains("Chrome fails the connection");
    harness.get_by_label("Mend it");
}

#[test]
fn facts_are_said_in_words_with_their_fields() {
    let is_plan = |body: &RowBody| matches!(body, RowBody::Fact(fact) if matches!(**fact, sockeye::observation::Fact::Planned(_)));
    let (harness, _) = detail(Theme::Dark, died().view(), is_plan);
    harness.get_by_label("Largest message");
    assert!(harness.query_all_by_label_contains("eyJhbGci…").count() > 0);
    let (harness, _) = detail(Theme::Dark, long().view(), |body| matches!(body, RowBody::Cut(_)));
    harness.get_by_label("The connection ended inside a frame");
    harness.get_by_label_contains("Declared 5\u{202F}000 B, received 1\u{202F}196 B");
}

#[test]
fn heads_show_their_line_ends_and_the_checks() {
    let (mut harness, _) = detail(Theme::Dark, died().view(), |body| matches!(body, RowBody::Request { .. }));
    harness.get_by_label_contains("GET /?token=eyJhbGci…");
    harness.get_by_role_and_label(Role::CheckBox, "Whole tokens").click();
    harness.run_steps(3);
    assert!(harness.query_by_label_contains("eyJhbGci…").is_none());
    let (mut harness, _) = detail(Theme::Dark, died().view(), |body| matches!(body, RowBody::Response { .. }));
    harness.get_by_label("HTTP/1.1 101 Switching Protocols");
    harness.get_by_role_and_label(Role::Button, "Checks").click();
    harness.run_steps(2);
    harness.get_by_label_contains("Sec-WebSocket-Accept: passed");
}

#[test]
fn the_body_of_a_refusal_is_whole_and_a_tree() {
    let (harness, _) = detail(Theme::Dark, refused().view(), |body| matches!(body, RowBody::Body { .. }));
    harness.get_by_label("error: jwt expired");
    harness.get_by_label("hint: ⟨U+202E⟩log in");
}

#[test]
fn a_long_payload_is_loaded_and_read_beside_the_window() {
    let (view, is_pending) = long().pending_view();
    let row = row_where(&view, |body| is_frame(body, "text", "item"));
    is_pending.store(true, Ordering::Relaxed);
    let mut panel = Detail::default();
    panel.row = row;
    let (mut harness, _) = stage(Theme::Dark, vec2(720.0, 300.0), Some(view), panel, Detail::show);
    harness.get_by_label("Loading…");
    is_pending.store(false, Ordering::Relaxed);
    wait(&mut harness, |harness| harness.query_by_label("members 0 to 99").is_some());
    harness.get_by_role_and_label(Role::Button, "Text").click();
    harness.run_steps(3);
    harness.get_by_label_contains("\"item 0\",\"item 1\"");
}

#[test]
fn pictures_of_the_detail() {
    for (theme, name) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let wanted: [(&str, View, Wanted); 6] = [
            ("json", died().view(), |body| is_frame(body, "text", "ready")),
            ("binary", died().view(), |body| is_frame(body, "binary", "")),
            ("close", broken().view(), |body| is_frame(body, "close", "expired")),
            ("violation", broken().view(), |body| matches!(body, RowBody::Violation(_))),
            ("request", died().view(), |body| matches!(body, RowBody::Request { .. })),
            ("plan", died().view(), |body| matches!(body, RowBody::Fact(_))),
        ];
        for (state, view, is_wanted) in wanted {
            let (mut harness, _) = detail(theme, view, is_wanted);
            shot(&mut harness, &format!("detail-{state}-{name}")).expect("the picture is written");
        }
    }
}
