//! The idle lab below the verdict, and the questions that another machine is asked on consent.

use crate::panels_fixture::{Recording, plan, stage};
use crate::support::{app, shot, wait_for};
use egui::accesskit::Role;
use egui::{Theme, Ui, vec2};
use egui_kittest::kittest::Queryable as _;
use sockeye::diagnosis::{Case, diagnose};
use sockeye::observation::{ConnId, Fact, IoFailure, IoKind, LabMeasure, LabRun, ReadEnd};
use sockeye::store::View;
use sockeye::ui::action::{Action, Tab};
use sockeye::ui::context::{Actions, Context};
use sockeye::ui::lab::Lab;
use sockeye::ui::panels::idle_lab::IdleLabPanel;
use sockeye::ui::panels::verdict::VerdictPanel;
use sockeye::wire::parse_url;
use std::time::Duration;

/// A machine elsewhere answered 404, and the verdict stands.
fn refused_elsewhere() -> View {
    let mut plan = plan();
    "ws://192.0.2.7:3001/ws".clone_into(&mut plan.url);
    plan.target = parse_url(&plan.url).ok();
    let address = "192.0.2.7:3001".parse().unwrap();
    let told = || {
        Recording::default()
            .fact(0.0, Fact::Planned(Box::new(plan.clone())))
            .fact(0.1, Fact::TcpStarted { address })
            .fact(9.0, Fact::TcpConnected { address, local: None })
            .client(
                9.1,
                b"GET /ws HTTP/1.1\r\nHost: 192.0.2.7:3001\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            )
            .server(20.0, b"HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\nContent-Length: 9\r\n\r\nnot here\n")
            .fact(20.5, Fact::ReadEnded(ReadEnd::Fin))
            .fact(20.6, Fact::WeClosedTcp)
    };
    let story = told().view().story;
    let verdict = diagnose(&Case { story: &story, probes_pending: false });
    told().fact(21.0, Fact::Concluded(Box::new(verdict))).fact(21.0, Fact::Finished).view()
}

#[test]
fn another_machine_is_asked_on_consent_and_the_questions_are_shown_before() {
    let view = Some(refused_elsewhere());
    let size = vec2(316.0, 1500.0);
    let (mut harness, stage) = stage(Theme::Dark, size, view, VerdictPanel::default(), VerdictPanel::show);
    harness.get_by_label_contains("Nothing was asked of 192.0.2.7:3001 by itself");
    harness.get_by_label("What does GET / get at 192.0.2.7:3001?");
    harness.get_by_label_contains("at /ws/?");
    shot(&mut harness, "verdict-consent").expect("the picture is written");
    harness.get_by_role_and_label(Role::Button, "Ask 192.0.2.7:3001").click();
    harness.run_steps(2);
    let asked = stage.actions.borrow().iter().any(|action| matches!(action, Action::AskFurther(ConnId(1))));
    assert!(asked, "{:?}", stage.actions.borrow());
}

#[test]
fn nobody_is_proposed_to_be_asked_twice_or_for_nothing() {
    let refused = IoFailure { kind: IoKind::Refused, code: Some(111), text: "refused".to_owned() };
    let address = "127.0.0.1:3001".parse().unwrap();
    let view = Recording::default()
        .fact(0.0, Fact::Planned(Box::new(plan())))
        .fact(0.1, Fact::TcpStarted { address })
        .fact(0.2, Fact::TcpFailed { address, failure: refused })
        .view();
    let size = vec2(316.0, 900.0);
    let (harness, _) = stage(Theme::Dark, size, Some(view), VerdictPanel::default(), VerdictPanel::show);
    assert!(harness.query_by_label("Questions that may decide").is_none());
}

fn measured() -> Lab {
    let run = |opened, ended: Option<f64>| LabRun {
        opened_at_millis: Some(opened),
        ended_after_millis: ended,
        watched_millis: ended.unwrap_or(92_000.0),
    };
    let mut lab = Lab::new([ConnId(1), ConnId(2), ConnId(3)], Duration::from_secs(150));
    lab.is_running = false;
    lab.measure = Some(LabMeasure {
        ping_every_millis: 500.0,
        silent: run(0.0, Some(60_012.0)),
        pinging: run(1_000.0, None),
        again: Some(run(60_020.0, Some(60_008.0))),
    });
    lab
}

#[test]
fn the_lab_says_what_it_measured() {
    for (theme, name) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let lab = measured();
        let show = move |panel: &mut IdleLabPanel, ui: &mut Ui, ctx: &Context<'_>, actions: &mut Actions| {
            panel.show(ui, Some(&lab), None, ctx, actions);
        };
        let (mut harness, stage) = stage(theme, vec2(316.0, 260.0), None, IdleLabPanel::default(), show);
        if harness.query_by_label_contains("ends a connection here").is_none() {
            harness.get_by_label("Idle lab").click();
            harness.run_steps(12);
        }
        harness.get_by_label_contains("ends a connection here");
        shot(&mut harness, &format!("idle-lab-{name}")).expect("the picture is written");
        harness.get_by_label("Show its verdict").click();
        harness.run_steps(2);
        assert!(stage.actions.borrow().iter().any(|action| matches!(action, Action::Show(ConnId(1)))));
    }
}

#[test]
fn the_lab_runs_from_the_window_to_its_result() {
    let mut harness = app(Theme::Dark, vec2(1280.0, 800.0), 1.0);
    wait_for(&mut harness, "the practice form", |harness| harness.state().form().checks.can_connect());
    harness.state_mut().act(Action::Tab(Tab::Verdict));
    harness.state_mut().act(Action::StartLab(3));
    wait_for(&mut harness, "the silent connection", |harness| {
        harness.query_by_label_contains("Silent: open for").is_some()
    });
    shot(&mut harness, "idle-lab-running").expect("the picture is written");
    wait_for(&mut harness, "the result", |harness| harness.query_by_label_contains("harms nobody").is_some());
    shot(&mut harness, "idle-lab-done").expect("the picture is written");
}
