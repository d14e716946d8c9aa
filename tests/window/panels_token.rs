//! The token panel: decode, verify, mint, and the token as it was sent.

use crate::panels_fixture::{BEGAN_UNIX, Stage, died, plan, request, stage, token, wait};
use crate::support::shot;
use egui::accesskit::Role;
use egui::{Event, Theme, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use sockeye::store::View;
use sockeye::token::mint;
use sockeye::ui::panels::token::TokenPanel;

fn panel(view: Option<View>, text: &str) -> (Harness<'static>, Stage<TokenPanel>) {
    let mut panel = TokenPanel::default();
    panel.inspect(text.to_owned());
    stage(Theme::Dark, vec2(300.0, 2400.0), view, panel, TokenPanel::show)
}

fn type_into(harness: &mut Harness<'_>, label: &str, text: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(2);
    harness.event(Event::Text(text.to_owned()));
    harness.run_steps(3);
}

#[test]
fn an_empty_panel_says_that_any_text_will_do() {
    let (mut harness, stage) = panel(Some(died().view()), "");
    harness.get_by_label_contains("Any text will do");
    harness.get_by_role_and_label(Role::Button, "Take the one that was sent").click();
    harness.run_steps(3);
    assert_eq!(stage.panel.borrow().text(), token());
    harness.get_by_label_contains("✓ Signed token (JWS), HS256");
}

#[test]
fn claims_are_explained_and_dates_told_three_ways() {
    let (mut harness, stage) = panel(None, &token());
    harness.get_by_label_contains("✗ Expired");
    harness.get_by_label_contains("sub");
    assert!(harness.query_all_by_label_contains("2025-06-01").count() >= 2);
    assert!(harness.query_all_by_label_contains("30 min ago").count() >= 1);
    harness.get_by_label("Made for 31 min (exp − iat)");
    harness.get_by_role_and_label(Role::Button, "Use in connection").click();
    harness.run_steps(2);
    assert_eq!(stage.taken(), [format!("UseToken({:?})", token())]);
}

#[test]
fn slips_are_placed_and_mended_with_one_click() {
    let (mut harness, stage) = panel(None, &format!("Bearer {}\n", token()));
    harness.get_by_label("What is wrong");
    harness.get_by_role_and_label(Role::Button, "Mend").click();
    harness.run_steps(3);
    assert_eq!(stage.panel.borrow().text(), token());
    assert!(harness.query_by_label("What is wrong").is_none());
    assert!(harness.query_by_role_and_label(Role::Button, "Mend").is_none());
}

#[test]
fn broken_texts_still_show_what_is_right() {
    let cut = &token()[..60];
    let (harness, _) = panel(None, cut);
    assert!(harness.query_all_by_label_contains("Cut off").count() >= 1);
    harness.get_by_label_contains("alg");
    let (harness, _) = panel(None, "undefined");
    harness.get_by_label_contains("A word in a token's place");
    let (harness, _) = panel(None, "\u{202E}\0not a.to.ken");
    assert!(harness.query_all_by_label_contains("⟨U+202E⟩␀not a").count() >= 1);
}

#[test]
fn a_secret_verifies_and_slips_in_it_are_named() {
    let (mut harness, _) = panel(None, &token());
    harness.get_by_label("? Signature not checked");
    type_into(&mut harness, "Secret (JWT_SECRET)", "wrong");
    assert!(harness.query_all_by_label_contains("✗ Signature invalid").count() >= 1);
    let (mut harness, _) = panel(None, &token());
    type_into(&mut harness, "Secret (JWT_SECRET)", "practice-secret");
    assert!(harness.query_all_by_label("✓ Signature valid").count() >= 1);
    let (mut harness, _) = panel(None, &token());
    type_into(&mut harness, "Secret (JWT_SECRET)", "\"practice-secret\"");
    assert!(harness.query_all_by_label_contains("without its quotes").count() >= 1);
}

#[test]
fn a_secret_is_dots_unless_show_is_held() {
    let (mut harness, _) = panel(None, &token());
    type_into(&mut harness, "Secret (JWT_SECRET)", "practice-secret");
    assert_eq!(harness.query_all_by_value("practice-secret").count(), 0);
    let at = harness.get_by_role_and_label(Role::Button, "Show").rect().center();
    harness.drag_at(at);
    harness.run_steps(3);
    assert!(harness.query_all_by_value("practice-secret").count() > 0);
    harness.drop_at(at);
    harness.run_steps(3);
    assert_eq!(harness.query_all_by_value("practice-secret").count(), 0);
}

#[test]
fn an_env_text_or_file_verifies() {
    let (mut harness, _) = panel(None, &token());
    type_into(&mut harness, ".env path or text", "JWT_SECRET=practice-secret");
    harness.get_by_label("✓ Tries .env JWT_SECRET");
    assert!(harness.query_all_by_label("✓ Signature valid").count() >= 1);

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(".env");
    std::fs::write(&path, "JWT_SECRET=other\nOLD_SECRET=practice-secret\n").expect("the file is written");
    let (mut harness, _) = panel(None, &token());
    type_into(&mut harness, ".env path or text", path.to_str().expect("a path"));
    harness.get_by_role_and_label(Role::Button, "Read the file").click();
    wait(&mut harness, |harness| harness.query_by_label_contains("✓ Tries").is_some());
    harness.run_steps(3);
    assert!(harness.query_all_by_label_contains("OLD_SECRET").count() >= 2);

    let (mut harness, _) = panel(None, &token());
    type_into(&mut harness, ".env path or text", "no/such/file");
    harness.get_by_role_and_label(Role::Button, "Read the file").click();
    wait(&mut harness, |harness| harness.query_by_label_contains("✗ cannot read it").is_some());
}

#[test]
fn ten_megabytes_are_read_beside_the_window() {
    let text = format!("x{}", "y".repeat(10 << 20));
    let (mut harness, stage) = panel(None, "");
    harness.get_by_role_and_label(Role::MultilineTextInput, "Token").click();
    harness.run_steps(2);
    harness.event(Event::Paste(text));
    harness.run_steps(2);
    assert_eq!(stage.panel.borrow().text().len(), (10 << 20) + 1);
    wait(&mut harness, |harness| harness.query_by_label_contains("No JWT").is_some());
}

#[test]
fn the_token_as_sent_is_compared_with_the_one_pasted() {
    let (harness, _) = panel(Some(died().view()), &token());
    harness.get_by_label("✓ The same as pasted, byte for byte");
    let other = token().replace('.', "_");
    let (harness, _) = panel(Some(died().view()), &other);
    harness.get_by_label_contains("✗ Not the one above");
}

#[test]
fn a_token_sent_with_a_bearer_prefix_is_flagged() {
    let sent = format!("Bearer%20{}", token());
    let view = crate::panels_fixture::Recording::default();
    let view = planned(view).client(1.0, &request(&sent)).view();
    let (mut harness, stage) = panel(Some(view), &token());
    assert!(harness.query_all_by_label_contains("✗").count() >= 2);
    harness.get_by_role_and_label(Role::Button, "Inspect the sent one").click();
    harness.run_steps(2);
    let taken = stage.taken();
    assert!(taken.iter().any(|action| action.starts_with("InspectToken(\"Bearer ")), "{taken:?}");
}

/// The plan of the other tests, without its request.
fn planned(recording: crate::panels_fixture::Recording) -> crate::panels_fixture::Recording {
    recording.fact(0.0, sockeye::observation::Fact::Planned(Box::new(plan())))
}

#[test]
fn what_has_the_focus_is_in_sight() {
    let mut panel = TokenPanel::default();
    panel.inspect(token());
    let (mut harness, _) = stage(Theme::Dark, vec2(300.0, 420.0), None, panel, TokenPanel::show);
    let mut names = Vec::new();
    for _ in 0..16 {
        harness.key_press(egui::Key::Tab);
        harness.run_steps(30);
        let node = harness.root().children_recursive().find(egui_kittest::Node::is_focused).expect("something focused");
        let (rect, name) = (node.rect(), node.accesskit_node().label().unwrap_or_default());
        assert!(rect.top() >= 0.0 && rect.bottom() <= 420.0, "{name}: {rect:?}");
        names.push(name);
    }
    for name in ["Secret (JWT_SECRET)", "Expected aud", "Mint a test token"] {
        assert!(names.iter().any(|other| other == name), "{name} in {names:?}");
    }
}

#[test]
fn several_tokens_are_a_choice() {
    let other = mint(r#"{"sub":"refresh"}"#, "HS512", b"k").expect("a token");
    let text = format!(r#"{{"access_token":"{}","refresh_token":"{other}"}}"#, token());
    let (mut harness, stage) = panel(None, &text);
    harness.get_by_label("2 tokens in this text");
    harness.get_by_label_contains("✓ Signed token (JWS), HS256");
    harness.get_by_role_and_label(Role::RadioButton, "2 HS512, sub refresh").click();
    harness.run_steps(3);
    harness.get_by_label_contains("✓ Signed token (JWS), HS512");
    harness.get_by_role_and_label(Role::Button, "Use in connection").click();
    harness.run_steps(2);
    assert_eq!(stage.taken(), [format!("UseToken({other:?})")]);
}

#[test]
fn claims_are_validated_with_a_leeway_and_for_an_audience() {
    let (mut harness, _) = panel(None, &token());
    harness.get_by_label_contains("✗ Now: expired");
    type_into(&mut harness, "Leeway in seconds", "3600");
    assert!(harness.query_by_label_contains("✗ Now: expired").is_none());
    type_into(&mut harness, "Leeway in seconds", "x");
    harness.get_by_label_contains("no number of seconds");
    type_into(&mut harness, "Expected aud", "web");
    harness.get_by_label("✗ `aud` must hold `web`, but it is `voice`");
    let for_voice = mint(r#"{"aud":["voice"],"iss":"me"}"#, "HS256", b"k").expect("a token");
    let (mut harness, _) = panel(None, &for_voice);
    type_into(&mut harness, "Expected aud", "voice");
    type_into(&mut harness, "Expected iss", "you");
    harness.get_by_label("✓ For this audience");
    harness.get_by_label("✗ `iss` must be `you`, but it is `me`");
}

#[test]
fn a_public_key_verifies_and_the_library_is_quoted() {
    let key = rcgen::KeyPair::generate().expect("a key");
    let signed = mint("{}", "ES256", key.serialize_pem().as_bytes()).expect("a token");
    let (mut harness, _) = panel(None, &signed);
    type_into(&mut harness, ".env path or text", &key.public_key_pem().replace('\n', " "));
    harness.get_by_label_contains("with its line ends put back.");
    harness.get_by_label("jsonwebtoken for Node says \u{201c}invalid algorithm\u{201d}");
}

#[test]
fn variants_need_the_secret_and_are_made_with_a_click() {
    let (mut harness, stage) = panel(None, &token());
    harness.get_by_label("Variants and token matrix").click();
    harness.run_steps(12);
    harness.get_by_label_contains("Give the secret or the private key of this token");
    type_into(&mut harness, "Secret (JWT_SECRET)", "practice-secret");
    wait(&mut harness, |harness| harness.query_by_label("Alg none").is_some());
    harness.get_by_role_and_label(Role::Button, "Not yet valid").click();
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Button, "Copy the variant").click();
    harness.run_steps(2);
    let copied = stage.copied().expect("a copy");
    let now = BEGAN_UNIX + 3600;
    assert_eq!(sockeye::token::examine(&copied, &[], now).validity, sockeye::token::Validity::NotYetValid);
    harness.get_by_role_and_label(Role::Button, "Alg none").click();
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Button, "Use it").click();
    harness.run_steps(2);
    let taken = stage.taken();
    assert!(taken[0].starts_with("UseToken(\"eyJhbGciOiJub25lI") && taken[0].ends_with(".\")"), "{taken:?}");
    harness.get_by_role_and_label(Role::Button, "Try all 19 on the server").click();
    harness.run_steps(2);
    assert!(stage.taken()[0].starts_with("TryVariants("));
}

#[test]
fn every_difference_to_the_sent_one_is_marked() {
    let changed = token().replace('.', "%2E");
    let (harness, _) = panel(Some(died().view()), &changed);
    harness.get_by_label_contains("✗ Not the one above: they differ in 2 places");
}

#[test]
fn test_tokens_are_minted_apart_and_can_be_inspected() {
    let (mut harness, stage) = panel(None, "");
    harness.get_by_label("Mint a test token").click();
    harness.run_steps(12);
    harness.get_by_label_contains("For tests only");
    harness.get_by_role_and_label(Role::Button, "Expired").click();
    harness.run_steps(2);
    type_into(&mut harness, "Secret for the test token", "s");
    harness.get_by_role_and_label(Role::Button, "Mint").click();
    harness.run_steps(3);
    harness.get_by_role_and_label(Role::Button, "Inspect it above").click();
    harness.run_steps(3);
    assert!(stage.panel.borrow().text().starts_with("eyJ"));
    harness.get_by_label_contains("✗ Expired");
}

#[test]
fn pictures_of_the_token_panel() {
    let odd = format!("Authorization: Bearer \"{}\"\r\n", token().replace('_', "/"));
    let long = mint(
        &format!(r#"{{"sub":"a","sub":"b","exp":{}000,"scope":"{}"}}"#, BEGAN_UNIX, "read write ".repeat(40)),
        "HS512",
        b"k",
    );
    let long = long.expect("a token");
    for (theme, name) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        for (state, text, view) in [
            ("empty", String::new(), None),
            ("full", token(), Some(died().view())),
            ("odd", odd.clone(), Some(died().view())),
            ("long", long.clone(), None),
        ] {
            let mut panel = TokenPanel::default();
            panel.inspect(text);
            let (mut harness, _) = stage(theme, vec2(300.0, 1500.0), view, panel, TokenPanel::show);
            type_into(&mut harness, "Secret (JWT_SECRET)", "practice-secret");
            shot(&mut harness, &format!("token-{state}-{name}")).expect("the picture is written");
        }
        let several = format!("{} {}", token(), long);
        for (state, secret, section) in [
            ("slip", "\"practice-secret\"", None),
            ("variants", "practice-secret", Some("Variants and token matrix")),
            ("mint", "practice-secret", Some("Mint a test token")),
        ] {
            let mut panel = TokenPanel::default();
            panel.inspect(if state == "slip" { several.clone() } else { token() });
            let (mut harness, _) = stage(theme, vec2(300.0, 2200.0), None, panel, TokenPanel::show);
            type_into(&mut harness, "Secret (JWT_SECRET)", secret);
            if let Some(section) = section {
                harness.get_by_label(section).click();
                harness.run_steps(12);
            }
            if state == "variants" {
                wait(&mut harness, |harness| harness.query_by_label("Alg none").is_some());
                harness.get_by_role_and_label(Role::Button, "Expired").click();
            }
            harness.run_steps(8);
            shot(&mut harness, &format!("token-{state}-{name}")).expect("the picture is written");
        }
    }
}
