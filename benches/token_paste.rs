//! The longest pass of the token panel while 10 MB are pasted into it, read beside the window, and shown.
//!
//! Prints a line for each kind of text: the longest pass and the median, in CPU time of the window's thread and by the wall,
//! and how long the reading took. The aim is 16 ms a pass. Unix only (it reads the thread's clock).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::format_collect,
    reason = "a benchmark prints, measures real time, and ends by panicking"
)]

mod load;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use egui::{Event, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use load::thread_cpu;
use sockeye::token::mint;
use sockeye::ui::action::Action;
use sockeye::ui::console_lane::ConsoleLane;
use sockeye::ui::context::Context;
use sockeye::ui::intercept::Interception;
use sockeye::ui::panels::token::TokenPanel;

const SIZE: usize = 10 << 20;
/// Passes after the text was read.
const PASSES: usize = 60;

fn main() {
    let Ok(small) = mint(r#"{"sub":"a","exp":2000000000}"#, "HS256", b"secret") else {
        return;
    };
    let claim = format!(r#"{{"sub":"a","exp":2000000000,"big":"{}"}}"#, "x".repeat(SIZE * 3 / 4));
    let Ok(large) = mint(&claim, "HS256", b"secret") else {
        return;
    };
    let lines: String = (0..SIZE / 260)
        .map(|nth| format!("{nth} GET /?token={small}&agentId=a1 HTTP/1.1 101 - Mozilla/5.0\n"))
        .collect();
    // The first passes of a process make the glyphs.
    measure("a short token, which makes the glyphs", small.clone());
    for (name, text) in [
        ("one opaque word", format!("x{}", "y".repeat(SIZE))),
        ("a token of 10 MB", large),
        ("a log with a token in each line", lines),
        ("spaces", " ".repeat(SIZE)),
        ("quotes", "\"".repeat(SIZE)),
        ("text of three-byte characters", "語".repeat(SIZE / 3)),
        ("percent escapes", "%41".repeat(SIZE / 3)),
    ] {
        measure(name, text);
    }
}

fn measure(name: &str, text: String) {
    let panel = Rc::new(RefCell::new(TokenPanel::default()));
    let shown = Rc::clone(&panel);
    let len = text.len();
    let mut harness = Harness::builder()
        .with_size(vec2(320.0, 900.0))
        .with_context_setup(sockeye::ui::install)
        .allow_missing_glyphs()
        .build_ui(move |ui| {
            let lane = ConsoleLane::default();
            let intercept = Interception::default();
            let ctx = Context {
                intercept: &intercept,
                view: None,
                views: &[],
                is_live: false,
                locks_form: false,
                now_unix_millis: 1_800_000_000_000,
                is_from_file: false,
                practice_lines: &[],
                lane: &lane,
            };
            let mut actions: Vec<Action> = Vec::new();
            shown.borrow_mut().show(ui, &ctx, &mut actions);
        });
    harness.run_steps(3);
    harness.get_by_role_and_label(egui::accesskit::Role::MultilineTextInput, "Token").click();
    harness.run_steps(3);
    harness.event(Event::Paste(text));
    let (mut passes, mut walls) = (Vec::new(), Vec::new());
    let began = Instant::now();
    let mut reading = None;
    while reading.is_none() || passes.len() < PASSES {
        let (start, cpu) = (Instant::now(), thread_cpu());
        harness.run_steps(1);
        passes.push(thread_cpu().saturating_sub(cpu));
        walls.push(start.elapsed());
        let is_read = panel.borrow().text().len() == len && harness.query_by_label("Reading …").is_none();
        if is_read && passes.len() > 2 {
            reading.get_or_insert_with(|| began.elapsed());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let millis = |span: Duration| span.as_secs_f64() * 1000.0;
    let words = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        let longest = times.last().copied().unwrap_or_default();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        format!("longest {:.1} ms, median {:.2} ms", millis(longest), millis(median))
    };
    println!(
        "{name}: CPU {}; wall {}; read after {:.0} ms, {} passes",
        words(&mut passes),
        words(&mut walls),
        reading.map_or(0.0, millis),
        passes.len()
    );
}
