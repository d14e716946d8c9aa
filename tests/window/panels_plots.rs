//! The plots: empty, a busy session, and the way from a point to its row.

use crate::panels_fixture::{Recording, Stage, stage};
use crate::support::shot;
use egui::accesskit::Role;
use egui::{Event, Modifiers, PointerButton, Pos2, Theme, pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sockeye::ui::panels::plots::Plots;
use sockeye::wire::encode_frame;

fn plots(theme: Theme, recording: Recording) -> (Harness<'static>, Stage<Plots>) {
    stage(theme, vec2(720.0, 520.0), Some(recording.view()), Plots::default(), Plots::show)
}

/// Ten seconds: a wave of ticks, now and then a large one, a ping each half second.
fn busy() -> Recording {
    let mut recording = Recording::default()
        .client(1.0, b"GET /ws HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .server(4.0, b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
    for step in 0..1_000_u32 {
        let millis = 10.0 + f64::from(step) * 10.0;
        let wave = (f64::from(step) / 120.0).sin().mul_add(6.0, 7.0) as usize;
        for number in 0..wave {
            let len =
                if step.is_multiple_of(170) && number == 0 { 3_000 } else { 60 + (step as usize * 7 + number) % 90 };
            recording = recording.server(millis, &encode_frame(0x81, None, &vec![b'x'; len]));
        }
        if step.is_multiple_of(4) {
            recording = recording.client(millis + 1.0, &encode_frame(0x81, Some([1, 2, 3, 4]), b"{\"ack\":1}"));
        }
        if step.is_multiple_of(50) {
            let payload = step.to_be_bytes();
            let took = 3.0 + f64::from(step % 7) * 4.0;
            recording = recording.client(millis + 2.0, &encode_frame(0x89, Some([1, 2, 3, 4]), &payload));
            recording = recording.server(millis + 2.0 + took, &encode_frame(0x8A, None, &payload));
        }
    }
    recording
}

fn click(harness: &mut Harness<'_>, at: Pos2) {
    harness.event(Event::PointerMoved(at));
    harness.run_steps(2);
    for pressed in [true, false] {
        harness.event(Event::PointerButton {
            pos: at,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
        harness.run_steps(1);
    }
    harness.run_steps(2);
}

#[test]
fn without_frames_the_plots_teach() {
    let (harness, _) = plots(Theme::Dark, Recording::default());
    harness.get_by_label_contains("A click goes to that moment");
}

#[test]
fn a_click_goes_to_its_moment() {
    let (mut harness, stage) = plots(Theme::Dark, busy());
    click(&mut harness, pos2(400.0, 140.0));
    let taken = stage.taken();
    let moment = taken.iter().find_map(|action| action.strip_prefix("GoToMoment(Moment(")).expect("a moment");
    let nanos: u64 = moment.trim_end_matches(')').parse().expect("a number");
    assert!((4_000_000_000..6_500_000_000).contains(&nanos), "{nanos}");
}

#[test]
fn buttons_go_to_what_stands_out() {
    let (mut harness, stage) = plots(Theme::Dark, busy());
    for (name, range) in [
        ("Busiest moment", 500_000_000..10_000_000_000_u64),
        ("Largest frame", 0..100_000_000),
        ("Slowest round trip", 0..10_000_000_000),
    ] {
        harness.get_by_role_and_label(Role::Button, name).click();
        harness.run_steps(2);
        let taken = stage.taken();
        let moment = taken.iter().find_map(|action| action.strip_prefix("GoToMoment(Moment(")).expect(name);
        let nanos: u64 = moment.trim_end_matches(')').parse().expect("a number");
        assert!(range.contains(&nanos), "{name}: {nanos}");
    }
}

#[test]
fn pictures_of_the_plots() {
    for (theme, name) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let (mut harness, _) = plots(theme, busy());
        shot(&mut harness, &format!("plots-{name}")).expect("the picture is written");
    }
}
