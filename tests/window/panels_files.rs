//! Sessions in files: the list of those on disk, what would leave, two side by side.

use crate::app::{first_start, wait_for_verdict};
use crate::panels_fixture::{Stage, died, stage, verdict};
use crate::support::{shot, wait_for};
use egui::accesskit::Role;
use egui::{Theme, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sockeye::engine::{SavedSession, UnnamedRoom};
use sockeye::journal::{Header, Summary};
use sockeye::observation::ConnId;
use sockeye::ui::action::{Action, Tab};
use sockeye::ui::panels::sessions::{SessionsMore, SessionsPanel};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Sessions as a folder may hold them: healthy, unfinished, named, one that cannot be read.
fn on_disk() -> Vec<SavedSession> {
    let session = |path: &str, is_named: bool, summary: Result<Box<Summary>, String>| SavedSession {
        path: PathBuf::from(path),
        is_named,
        is_orphan: false,
        is_in_use: false,
        modified_unix_millis: 1_748_779_200_000,
        len_bytes: 48_213,
        summary,
    };
    let plan = died().view().story.plan.clone().map(|plan| Box::new((*plan).clone()));
    let summary = |verdict, is_ended| {
        let header = Header::new(ConnId(1), 1_748_779_200_000);
        Ok(Box::new(Summary { header, plan: plan.clone(), verdict, is_ended, len_bytes: 48_213 }))
    };
    let mut orphan = session("/s/1748779200000-7-0.sockeye", false, summary(None, false));
    orphan.is_orphan = true;
    vec![
        orphan,
        session("/home/me/login fails.sockeye", true, summary(Some(Box::new(verdict())), true)),
        session("/home/me/broken.sockeye", true, Err("this is no session saved by sockeye".to_owned())),
    ]
}

fn panel(theme: Theme, sessions: Vec<SavedSession>) -> (Harness<'static>, Stage<SessionsPanel>) {
    stage(theme, vec2(316.0, 640.0), Some(died().view()), SessionsPanel::default(), move |panel, ui, ctx, actions| {
        let files = BTreeMap::new();
        let unnamed = Some(UnnamedRoom { taken_bytes: 1_288_490_189, limit_bytes: UnnamedRoom::LIMIT_BYTES });
        let more = SessionsMore { files: &files, saved: Some(&sessions), unnamed, repeat: None, obstacle: None };
        panel.show(ui, &more, ctx, actions);
    })
}

#[test]
fn sessions_on_disk_are_listed_and_can_be_opened() {
    for (theme, name) in [(Theme::Dark, "sessions-dark"), (Theme::Light, "sessions-light")] {
        let (mut harness, stage) = panel(theme, on_disk());
        harness.get_by_label_contains("Unfinished, localhost:3001");
        harness.get_by_label_contains("Cannot be read, this is no session");
        harness.get_by_label_contains("login fails.sockeye").click();
        harness.run_steps(3);
        shot(&mut harness, name).unwrap();
        harness.get_by_role_and_label(Role::Button, "Open").click();
        harness.run_steps(2);
        assert_eq!(stage.taken(), ["Open(Some(\"/home/me/login fails.sockeye\"))"]);
    }
}

#[test]
fn deleting_asks_and_renaming_takes_a_name() {
    let (mut harness, stage) = panel(Theme::Dark, on_disk());
    harness.get_by_label_contains("login fails.sockeye").click();
    harness.run_steps(3);
    harness.get_by_role_and_label(Role::Button, "Delete…").click();
    harness.run_steps(3);
    harness.get_by_label("Delete this session?");
    shot(&mut harness, "sessions-delete").unwrap();
    harness.get_by_role_and_label(Role::Button, "Keep").click();
    harness.run_steps(3);
    assert_eq!(stage.taken(), Vec::<String>::new());
    harness.get_by_role_and_label(Role::Button, "Delete…").click();
    harness.run_steps(3);
    harness.get_by_role_and_label(Role::Button, "Delete").click();
    harness.run_steps(3);
    assert_eq!(stage.taken(), ["Engine(DeleteSession { path: \"/home/me/login fails.sockeye\" })"]);
    harness.get_by_role_and_label(Role::Button, "Rename…").click();
    harness.run_steps(3);
    harness.get_by_role_and_label(Role::TextInput, "New name");
    harness.get_by_role_and_label(Role::Button, "Rename").click();
    harness.run_steps(3);
    let wanted = "Engine(RenameSession { path: \"/home/me/login fails.sockeye\", name: \"login fails\" })";
    assert_eq!(stage.taken(), [wanted]);
}

#[test]
fn the_room_of_sessions_without_a_name_can_be_chosen() {
    let (mut harness, stage) = panel(Theme::Dark, on_disk());
    harness.get_by_label("Without a name: 1.2 GiB of at most");
    harness.get_by_label("Room for sessions without a name, 10.0 GiB").click();
    harness.run_steps(3);
    shot(&mut harness, "sessions-room").unwrap();
    harness.get_by_label("2.0 GiB").click();
    harness.run_steps(3);
    assert_eq!(stage.taken(), ["Engine(LimitUnnamed { limit_bytes: 2147483648 })"]);
}

#[test]
fn an_empty_disk_says_what_will_stand_there() {
    let (harness, _) = panel(Theme::Dark, Vec::new());
    harness.get_by_label_contains("Sessions are kept here until you delete them");
}

#[test]
fn what_would_leave_is_shown_before_it_is_written() {
    for (theme, name) in [(Theme::Dark, "share-dark"), (Theme::Light, "share-light")] {
        let mut window = first_start(theme, [1280.0, 800.0], 1.0);
        window.state_mut().act(Action::Practice(Some("server-process-died".to_owned())));
        wait_for_verdict(&mut window, "server-process-died");
        window.state_mut().act(Action::Share);
        wait_for(&mut window, "the preview", |window| window.query_by_label("session.jsonl").is_some());
        window.get_by_label("<token#1>");
        window.get_by_label("session.jsonl").click();
        window.run_steps(4);
        shot(&mut window, name).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("share.zip");
        window.get_by_role_and_label(Role::Button, "Write…").click();
        window.run_steps(4);
        let field = path.to_string_lossy().into_owned();
        wait_for(&mut window, "the path", |window| window.query_by_role_and_label(Role::TextInput, "Path").is_some());
        crate::app::replace(&mut window, "Path", &field);
        window.get_by_role_and_label(Role::Button, "Write").click();
        wait_for(&mut window, "the bundle", |_| path.exists());
        assert!(std::fs::read(&path).unwrap().starts_with(b"PK"));
    }
}

#[test]
fn two_sessions_stand_side_by_side() {
    for (theme, name) in [(Theme::Dark, "compare-dark"), (Theme::Light, "compare-light")] {
        let mut window = first_start(theme, [1280.0, 800.0], 1.0);
        window.state_mut().act(Action::Practice(None));
        wait_for_verdict(&mut window, "healthy");
        window.state_mut().act(Action::Practice(Some("server-process-died".to_owned())));
        wait_for_verdict(&mut window, "server-process-died");
        window.state_mut().act(Action::Tab(Tab::Compare));
        wait_for(&mut window, "the comparison", |window| window.query_by_label("The first difference").is_some());
        window.run_steps(4);
        shot(&mut window, name).unwrap();
        assert!(window.query_all_by_label_contains("healthy").next().is_some());
    }
}
