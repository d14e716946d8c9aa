//! Secrets, planted wherever one can be typed, and looked for in everything that leaves the window by itself.

use crate::app::{command, first_start, wait_for_state};
use crate::support::wait_for;
use egui::{Event, Key, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sockeye::ui::App;
use sockeye::ui::action::{Action, Tab};
use sockeye::ui::form::HeaderRow;

type Window = Harness<'static, App>;

/// Typed into the form, read from a `.env`, typed into the token panel, pasted there as a `.env`, typed to mint with.
const PLANTED: [&str; 5] = [
    "planted-in-the-form-4711",
    "planted-in-a-file-4712",
    "planted-in-the-panel-4713",
    "planted-as-env-text-4714",
    "planted-to-mint-4715",
];

fn type_into(window: &mut Window, field: &str, text: &str) {
    window.get_by_label(field).focus();
    window.run_steps(2);
    window.event(Event::Text(text.to_owned()));
    window.run_steps(3);
}

fn says(window: &Window, words: &str) -> bool {
    window.query_all_by_label_contains(words).next().is_some()
}

/// The secrets that stand in these bytes, as they are or in base64.
fn found_in(bytes: &[u8]) -> Vec<&'static str> {
    use base64::Engine as _;
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    let encoded = |secret: &str| base64::engine::general_purpose::STANDARD_NO_PAD.encode(secret);
    PLANTED.into_iter().filter(|secret| holds(secret.as_bytes()) || holds(encoded(secret).as_bytes())).collect()
}

#[test]
fn a_planted_secret_is_in_no_title_no_kept_state_and_no_journal() {
    let folder = tempfile::tempdir().unwrap();
    let env = folder.path().join(".env");
    std::fs::write(&env, format!("JWT_SECRET={}\nOTHER=1\n", PLANTED[1])).unwrap();
    let mut window = first_start(Theme::Dark, [1280.0, 2400.0], 1.0);
    let token = window.state().form().token.clone();
    let form = window.state_mut().form_mut();
    form.secret = PLANTED[0].to_owned();
    form.secret_file = env.to_str().unwrap().to_owned();
    form.headers.push(HeaderRow { is_on: true, name: "X-Note".to_owned(), value: PLANTED[0].to_owned() });
    form.recheck();
    window.state_mut().act(Action::ReadSecretFile(env));
    wait_for(&mut window, "the file's secret", |window| !window.state().form().secrets_read.is_empty());
    window.state_mut().act(Action::InspectToken(token.clone()));
    window.run_steps(4);
    type_into(&mut window, "Secret (JWT_SECRET)", PLANTED[2]);
    type_into(&mut window, ".env path or text", &format!("JWT_SECRET={}", PLANTED[3]));
    window.get_by_label("Mint a test token").click_accesskit();
    window.run_steps(12);
    type_into(&mut window, "Secret for the test token", PLANTED[4]);
    assert!(says(&window, "✗ Signature invalid"), "all of them are tried");

    let titles = std::cell::RefCell::new(Vec::new());
    window.key_press_modifiers(egui::Modifiers::COMMAND, Key::Enter);
    wait_for(&mut window, "the title", |window| {
        titles.borrow_mut().push(window.state().title().to_owned());
        window.state().title().contains("127.0.0.1")
    });
    let titles = titles.into_inner();
    wait_for_state(&mut window, "Open");
    window.state_mut().act(Action::Tab(Tab::Log));
    window.run_steps(2);
    command(&mut window, Key::D);
    wait_for_state(&mut window, "Closed 1000");

    for title in &titles {
        assert!(found_in(title.as_bytes()).is_empty() && !title.contains("eyJ"), "{title}");
    }
    let kept = window.state().kept();
    assert!(found_in(kept.as_bytes()).is_empty() && !kept.contains(&token), "{kept}");
    window.state_mut().act(Action::OwnForm);
    window.run_steps(2);
    let form = window.state_mut().form_mut();
    form.secret = PLANTED[0].to_owned();
    form.set_url(format!("ws://localhost:1/{}?note={}", PLANTED[0], PLANTED[0]));
    let kept = window.state().kept();
    assert!(found_in(kept.as_bytes()).is_empty() && kept.contains("localhost:1"), "{kept}");
    let path = folder.path().join("saved.sockeye");
    window.state_mut().act(Action::Save(Some(path.clone())));
    wait_for(&mut window, "the file", |_| path.exists());
    let journal = std::fs::read(&path).unwrap();
    // The header of that name travelled, as everything does that is sent; the secrets that only check did not.
    assert_eq!(found_in(&journal), [PLANTED[0]]);
    assert!(journal.windows(token.len()).any(|window| window == token.as_bytes()));
}
