//! The server's console: attaching it, its lines and what they mean, and a pasted one.

use crate::app::{first_start, wait_for_verdict};
use crate::panels_fixture::{Recording, Stage, died, opened, stage, wait};
use crate::support::{shot, wait_for};
use egui::accesskit::Role;
use egui::{Theme, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sockeye::engine::{ConsoleEntry, ConsoleEvent, ConsoleId, ConsoleState};
use sockeye::observation::{ConsoleKind, ExitStatus, Fact, ReadEnd};
use sockeye::store::View;
use sockeye::ui::App;
use sockeye::ui::action::{Action, Tab};
use sockeye::ui::panels::console::ConsolePanel;

const REFUSED: &str = "WebSocket connection to 'ws://localhost:3001/' failed: Error in connection establishment: net::ERR_CONNECTION_REFUSED";

fn panel(
    theme: Theme,
    view: Option<View>,
    form: impl FnOnce(&mut ConsolePanel),
) -> (Harness<'static>, Stage<ConsolePanel>) {
    let mut panel = ConsolePanel::default();
    form(&mut panel);
    stage(theme, vec2(760.0, 420.0), view, panel, ConsolePanel::show)
}

fn line(text: &str) -> Fact {
    Fact::ConsoleLine { source: "npm run dev:websocket".to_owned(), text: text.to_owned() }
}

/// A session beside the console of the guide's server, which meets an exception and ends.
fn told() -> Recording {
    let source = "npm run dev:websocket".to_owned();
    opened()
        .fact(20.0, Fact::ConsoleAttached { source: source.clone(), kind: ConsoleKind::Command })
        .fact(20.1, line("[WebSocket] Server listening on port 3001"))
        .fact(21.0, line("[WebSocket] New connection attempt from: ::1"))
        .fact(22.0, line("[WebSocket] \u{1B}[32m✅\u{1B}[0m Token verified successfully for user: u1 tenant: t1"))
        .fact(300.0, line("POST /api/calls 201 in 12 ms"))
        .fact(311.0, line("\u{1B}[31m[WebSocket] ❌ Fatal error in connection handler: PrismaClientInitializationError: Can't reach database server at `localhost:5432`\u{1B}[0m"))
        .fact(312.0, Fact::ReadEnded(ReadEnd::Fin))
        .fact(313.0, Fact::ServerExited { source, status: ExitStatus { code: Some(1), signal: None } })
}

#[test]
fn an_empty_console_names_the_ways_to_attach_one() {
    let (harness, _) = panel(Theme::Dark, None, |_| {});
    harness.get_by_label_contains("follow a log file, let Sockeye start the server, or paste");
    harness.get_by_role_and_label(Role::Button, "Attach the server's console");
}

#[test]
fn a_command_is_started_and_a_file_followed() {
    let (mut harness, stage) = panel(Theme::Light, None, ConsolePanel::open_attach);
    shot(&mut harness, "console-attach-light").unwrap();
    harness.get_by_label("Command that starts the server").focus();
    harness.run_steps(2);
    harness.get_by_label("Command that starts the server").type_text("npm run dev:websocket");
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Button, "Start").click();
    harness.run_steps(2);
    assert_eq!(stage.taken(), ["AttachConsole(Command)"]);
    let (mut harness, stage) = panel(Theme::Light, None, ConsolePanel::open_attach);
    harness.get_by_label("Path of the server's log").focus();
    harness.run_steps(2);
    harness.get_by_label("Path of the server's log").type_text("/var/log/voice.log");
    harness.run_steps(2);
    harness.key_press(egui::Key::Enter);
    harness.run_steps(2);
    assert_eq!(stage.taken(), ["AttachConsole(File)"]);
}

#[test]
fn an_opened_form_can_be_typed_into_at_once() {
    for (form, field) in [
        (ConsolePanel::open_attach as fn(&mut ConsolePanel), "Path of the server's log"),
        (ConsolePanel::open_paste, "Lines of a console"),
    ] {
        let (mut harness, _) = panel(Theme::Dark, None, form);
        harness.run_steps(2);
        assert!(harness.get_by_label(field).is_focused(), "{field}");
    }
}

#[test]
fn lines_of_a_session_say_what_they_mean_and_lead_to_the_log() {
    for (theme, name) in [(Theme::Dark, "console-session-dark"), (Theme::Light, "console-session-light")] {
        let (mut harness, stage) = panel(theme, Some(told().view()), |_| {});
        harness.get_by_label_contains(
            "Token verified successfully for user: u1 tenant: t1: the server accepted the token",
        );
        let fatal = harness.get_by_label_contains("Can't reach database server");
        fatal.click();
        harness.run_steps(3);
        assert!(harness.query_all_by_label_contains("the database is not reached").next().is_some());
        shot(&mut harness, name).unwrap();
        harness.get_by_role_and_label(Role::Button, "Go to its row in the log").click();
        harness.run_steps(2);
        assert_eq!(stage.taken(), ["GoToMoment(Moment(311000000))"]);
    }
}

#[test]
fn no_line_at_all_is_said() {
    let attached = Fact::ConsoleAttached { source: "server.log".to_owned(), kind: ConsoleKind::File };
    let (mut harness, _) = panel(Theme::Dark, Some(opened().fact(20.0, attached).view()), |_| {});
    harness.get_by_label_contains("No line came from server.log");
    shot(&mut harness, "console-silent-dark").unwrap();
}

#[test]
fn a_lane_shows_what_runs_and_how_it_ended() {
    let (mut harness, stage) = panel(Theme::Dark, None, |_| {});
    let console = ConsoleId(1);
    let entry = |number, what| ConsoleEntry { number, at_unix_millis: 1_800_000_000_000, console, what };
    {
        let mut lane = stage.lane.borrow_mut();
        lane.entries.push_back(entry(0, ConsoleEvent::Attached));
        lane.entries.push_back(entry(1, ConsoleEvent::Line("[WebSocket] JWT_SECRET configured: No".into())));
        lane.entries.push_back(entry(2, ConsoleEvent::Line("[WebSocket] Server listening on port 3001".into())));
        lane.entries.push_back(entry(3, ConsoleEvent::Exited(ExitStatus { code: Some(137), signal: None })));
        lane.left_out = 12;
        lane.consoles.push(ConsoleState {
            console,
            source: "npm run dev:websocket".into(),
            kind: ConsoleKind::Command,
            lines: 1_204,
            exit: Some(ExitStatus { code: Some(137), signal: None }),
            is_over: true,
        });
    }
    harness.run_steps(3);
    assert!(harness.query_all_by_label_contains("ended with exit code 137 (SIGKILL)").next().is_some());
    harness.get_by_label_contains("12 older lines are not shown here");
    harness.get_by_label_contains("the server was started without a secret");
    shot(&mut harness, "console-lane-dark").unwrap();
    harness.get_by_role_and_label(Role::Button, "Remove npm run dev:websocket").click();
    harness.run_steps(2);
    assert_eq!(stage.taken(), ["Engine(DetachConsole { console: ConsoleId(1) })"]);
}

#[test]
fn a_pasted_browser_console_is_explained_and_goes_into_the_session() {
    let (mut harness, stage) = panel(Theme::Dark, Some(died().view()), ConsolePanel::open_paste);
    harness.get_by_label("Lines of a console").focus();
    harness.run_steps(2);
    harness.get_by_label("Lines of a console").type_text(REFUSED);
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Button, "Explain").click();
    wait(&mut harness, |harness| harness.query_by_label_contains("nobody listens at the address").is_some());
    shot(&mut harness, "console-paste-dark").unwrap();
    harness.get_by_role_and_label(Role::Button, "Add it to the session").click();
    harness.run_steps(2);
    assert!(stage.taken()[0].starts_with("PasteConsole { console: Browser"));
}

/// The whole window: a command is started, its lines come, the practice session runs, and the command is stopped.
#[test]
#[cfg(unix)]
fn a_command_stands_in_the_window_from_its_start_to_its_end() {
    let mut window = first_start(Theme::Dark, [1280.0, 800.0], 1.0);
    window.state_mut().act(Action::AttachForm);
    window.run_steps(3);
    window.get_by_label("Command that starts the server").focus();
    window.run_steps(2);
    let command = "printf '[WebSocket] JWT_SECRET configured: Yes (custom secret)\\n\\033[32m[WebSocket] Server listening on port 3001\\033[0m\\n\
        [WebSocket] ❌ Token verification failed: jwt expired\\n'; sleep 600";
    window.event(egui::Event::Paste(command.to_owned()));
    window.run_steps(2);
    window.get_by_role_and_label(Role::Button, "Start").click();
    let is_there = |window: &Harness<'_, App>, words: &str| window.query_all_by_label_contains(words).next().is_some();
    wait_for(&mut window, "the command's lines", |window| is_there(window, "jwt expired: the token has expired"));
    window.get_by_label_contains("jwt expired: the token has expired").click();
    window.run_steps(3);
    shot(&mut window, "window-console-live").unwrap();
    window.state_mut().act(Action::Practice(None));
    wait_for_verdict(&mut window, "healthy");
    window.state_mut().act(Action::Tab(Tab::Console));
    window.run_steps(4);
    shot(&mut window, "window-console-session").unwrap();
    let stop = window.query_all_by_label_contains("Stop printf").next().map(|node| node.click());
    assert!(stop.is_some());
    wait_for(&mut window, "the end of the command", |window| !is_there(window, "Stop printf"));
}
