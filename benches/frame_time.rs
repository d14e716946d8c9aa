//! What one pass of the window costs: thread-CPU time of logic + ui + tessellation, without a display.
//!
//! The real `App` over saved sessions of 5 and 10 million rows (standing, scrolled, jumped through, filtered), and while
//! frames arrive at 100 000 a second and as fast as they can; beside an empty egui app in the same run. Every jump is
//! checked: the selected row must hold the payload of that number. Unix only (it reads the thread's clock).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, measures real time, and ends by panicking"
)]

mod load;

use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui::{Event, MouseWheelUnit, RawInput, Rect, TouchPhase, pos2, vec2};
use load::{Times, thread_cpu};
use sockeye::ui::App;
use sockeye::ui::action::{Action, Focus};

const SIZE: usize = 120;
/// Rows of a session behind its frames: two Close frames, the FIN, our end of TCP.
const ROWS_BEHIND: u64 = 4;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve", frames, per_sec] => load::serve(&load::Traffic {
            frames: frames.parse().unwrap(),
            size: SIZE,
            per_sec: per_sec.parse().unwrap(),
            is_deflated: false,
            payload: load::payload,
        }),
        ["rows", frames] => saved(frames.parse().unwrap()),
        ["live", frames, per_sec] => live(frames.parse().unwrap(), per_sec.parse().unwrap()),
        ["empty"] => empty(),
        [] => {
            empty();
            saved(5_000_000);
            saved(10_000_000);
            live(1_500_000, 100_000);
            live(1_000_000, 0);
        }
        _ => println!("usage: frame_time [empty | rows FRAMES | live FRAMES PER_SEC]"),
    }
}

/// The baseline: a window with two words in it.
fn empty() {
    let ctx = egui::Context::default();
    let mut times = Times::default();
    for number in 0..600 {
        let began = thread_cpu();
        let mut output = ctx.run_ui(input(number, Vec::new()), |ui| {
            ui.heading("Empty");
            if ui.button("A button").clicked() {
                ui.label("Clicked");
            }
        });
        ctx.tessellate(std::mem::take(&mut output.shapes), output.pixels_per_point);
        output.drop_without_applying_deltas();
        times.push(thread_cpu().saturating_sub(began));
    }
    println!("empty egui window: {}", times.words());
}

/// A window over a saved session of so many frames.
fn saved(frames: u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.sockeye");
    load::write_session(&path, frames, SIZE);
    let mut window = Window::new();
    window.app.act(Action::Open(Some(path)));
    let began = Instant::now();
    let opening =
        window.until("the session", |app| app.connections().shown_view().is_some_and(|view| view.rows >= frames));
    println!("{frames} rows: opened in {:.2} s, {}", began.elapsed().as_secs_f64(), opening.words());
    for _ in 0..60 {
        window.pass(Vec::new());
    }
    println!("  standing: {}", window.passes(600, |_, _| Vec::new()).words());
    let wheel = |_: &mut App, number: u64| vec![wheel(if number % 200 < 100 { 300.0 } else { -280.0 })];
    println!("  wheel, 15 rows a pass: {}", window.passes(1200, wheel).words());
    let mut number = frames / 3;
    let jump = |app: &mut App, _| {
        number = (number * 6_364_136_223 + 1_442_695) % frames;
        app.act(Action::GoToRow(number));
        Vec::new()
    };
    println!("  a jump in every pass: {}", window.passes(1200, jump).words());
    check_jumps(&mut window, frames);
    let typing = type_filter(&mut window);
    println!("  typing in the filter: {}", typing.words());
    println!("  peak memory {} MiB", load::peak_mib());
}

/// A window while frames arrive.
fn live(frames: u64, per_sec: u64) {
    let (mut server, port) = load::start_server(&[&frames.to_string(), &per_sec.to_string()]);
    let mut window = Window::new();
    for _ in 0..60 {
        window.pass(Vec::new());
    }
    let idle = load::resident_mib();
    window.app.form_mut().set_url(format!("ws://127.0.0.1:{port}/"));
    window.app.form_mut().recheck();
    window.pass(Vec::new());
    window.app.act(Action::Connect);
    let mut walls = Times::default();
    let mut times = Times::default();
    let mut ages = Times::default();
    let mut focused = false;
    let came = |app: &App| app.connections().shown_view().map_or(0, |view| view.story.received.messages);
    let is_over = |app: &App| app.connections().shown_view().is_some_and(|view| view.story.finished.is_some());
    let mut number = 0_u64;
    while !is_over(&window.app) {
        let events = match number % 240 {
            60 => {
                window.app.act(Action::Focus(Focus::Filter));
                focused = true;
                Vec::new()
            }
            // A filter is typed, letter by letter, and taken away again.
            step if focused && (70..=130).contains(&step) && step.is_multiple_of(10) => {
                vec![Event::Text(["k", "i", "n", "d", "t", "i", "c"][(step as usize - 70) / 10].to_owned())]
            }
            step if focused && (180..=192).contains(&step) && step.is_multiple_of(2) => {
                let key = egui::Key::Backspace;
                vec![Event::Key {
                    key,
                    physical_key: None,
                    pressed: true,
                    repeat: false,
                    modifiers: egui::Modifiers::NONE,
                }]
            }
            _ => Vec::new(),
        };
        let began = Instant::now();
        times.push(window.pass(events));
        walls.push(began.elapsed());
        if (1..frames).contains(&came(&window.app)) {
            ages.push(age_of_newest(&window.app));
        }
        number += 1;
        std::thread::sleep(Duration::from_micros(16_667).saturating_sub(began.elapsed()));
        assert!(number < 60 * 600, "it does not end");
    }
    server.wait().unwrap();
    let messages = came(&window.app);
    assert_eq!(messages, frames, "frames were lost");
    let rate = if per_sec == 0 { "as fast as they can".to_owned() } else { format!("{per_sec} a second") };
    println!("{frames} frames live, {rate}: none lost; CPU {}", times.words());
    println!("  wall clock of a pass: {}", walls.words());
    println!("  from the wire to the end of the pass that shows the row: {}", ages.words());
    println!("  peak memory {} MiB, idle window {idle} MiB", load::peak_mib());
}

/// How long ago the newest row that the window knows of was on the wire.
fn age_of_newest(app: &App) -> Duration {
    let view = app.connections().shown_view().unwrap();
    let began = Duration::from_millis(view.story.plan.as_ref().unwrap().began_unix_millis.cast_unsigned());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.saturating_sub(began + Duration::from_nanos(view.story.last_at.0))
}

/// Jumps to rows of which the payload tells the number; the first rows of a session are its handshake.
fn check_jumps(window: &mut Window, frames: u64) {
    window.ctx.enable_accesskit();
    let view = window.app.connections().shown_view().unwrap();
    let first = view.rows - frames - ROWS_BEHIND;
    let mut checked = 0;
    for number in [0, 1, 4_095, 4_096, 419_999, frames / 2, 1_234_567 % frames, frames - 2, frames - 1] {
        window.app.act(Action::GoToRow(first + number));
        let wanted = format!("\"number\":{number:010},");
        let limit = Instant::now() + Duration::from_secs(10);
        while !window.selected_label().is_some_and(|label| label.contains(&wanted)) {
            assert!(Instant::now() < limit, "row {} is not that of frame {number}", first + number);
            window.pass(Vec::new());
        }
        checked += 1;
    }
    window.ctx.disable_accesskit();
    println!("  {checked} jumps exact, from frame 0 to frame {}", frames - 1);
}

/// Types a filter letter by letter while it is being looked for.
fn type_filter(window: &mut Window) -> Times {
    window.app.act(Action::Focus(Focus::Filter));
    window.pass(Vec::new());
    window.pass(Vec::new());
    let letters: Vec<char> = "\"0004999999,".chars().collect();
    window.passes(letters.len() as u64 * 12, |_, number| {
        if !number.is_multiple_of(12) {
            return Vec::new();
        }
        letters.get(number as usize / 12).map(|letter| Event::Text(letter.to_string())).into_iter().collect()
    })
}

/// The real window without a display.
struct Window {
    ctx: egui::Context,
    app: App,
    number: u64,
    tree: Option<egui::accesskit::TreeUpdate>,
}

impl Window {
    fn new() -> Self {
        let ctx = egui::Context::default();
        let app = App::new(&ctx, None).unwrap();
        Self { ctx, app, number: 0, tree: None }
    }

    /// One pass; gives its CPU time.
    fn pass(&mut self, mut events: Vec<Event>) -> Duration {
        events.insert(0, Event::PointerMoved(pos2(640.0, 300.0)));
        let input = input(self.number, events);
        self.number += 1;
        let began = thread_cpu();
        let app = &mut self.app;
        let mut output = self.ctx.run_ui(input, |ui| {
            let ctx = ui.ctx().clone();
            app.logic(&ctx);
            app.ui(ui);
        });
        let triangles = self.ctx.tessellate(std::mem::take(&mut output.shapes), output.pixels_per_point);
        let took = thread_cpu().saturating_sub(began);
        assert!(!triangles.is_empty());
        self.tree = output.platform_output.accesskit_update.take();
        output.drop_without_applying_deltas();
        took
    }

    /// So many passes, as fast as the loader can be expected to follow.
    fn passes(&mut self, count: u64, mut events: impl FnMut(&mut App, u64) -> Vec<Event>) -> Times {
        let mut times = Times::default();
        for number in 0..count {
            let events = events(&mut self.app, number);
            times.push(self.pass(events));
            std::thread::sleep(Duration::from_millis(2));
        }
        times
    }

    /// Passes until something holds.
    fn until(&mut self, what: &str, holds: impl Fn(&App) -> bool) -> Times {
        let limit = Instant::now() + Duration::from_mins(2);
        let mut times = Times::default();
        while !holds(&self.app) {
            assert!(Instant::now() < limit, "{what} did not come");
            times.push(self.pass(Vec::new()));
            std::thread::sleep(Duration::from_millis(2));
        }
        times
    }

    /// What a screen reader says of the selected row of the log.
    fn selected_label(&self) -> Option<String> {
        let nodes = &self.tree.as_ref()?.nodes;
        let row = nodes.iter().find(|(_, node)| node.role() == Role::ListBoxOption && node.is_selected() == Some(true));
        row.and_then(|(_, node)| node.label().map(str::to_owned))
    }
}

fn input(number: u64, events: Vec<Event>) -> RawInput {
    RawInput {
        screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(1280.0, 800.0))),
        time: Some(number as f64 / 60.0),
        focused: true,
        events,
        ..RawInput::default()
    }
}

fn wheel(points: f32) -> Event {
    Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: vec2(0.0, points),
        phase: TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
        modifiers: egui::Modifiers::NONE,
    }
}
