//! The longest pass of the window while bad input is pasted into each of its fields: binary, bidi, NUL, lines, 10 MB.
//!
//! The real `App` without a display; thread-CPU time of logic + ui + tessellation, beside the passes before the paste. The
//! aim is 50 ms. Unix only (it reads the thread's clock).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, measures real time, and ends by panicking"
)]

#[path = "../tests/window/fields.rs"]
mod fields;
mod load;

use std::time::{Duration, Instant};

use egui_kittest::Harness;
use fields::{TALL, Window, bad_texts, begin_paste, each_field, open_sections};
use load::{Times, thread_cpu};
use sockeye::ui::App;

/// Passes after a paste: what is read beside the window comes in one of them.
const PASSES: usize = 12;
/// A pass longer than this is told by name.
const SLOW: Duration = Duration::from_millis(16);

fn main() {
    let mut window = Harness::builder().with_size(TALL).with_max_steps(32).build_eframe(|creation| {
        let mut app = App::new(&creation.egui_ctx, None).unwrap();
        app.without_dialogs();
        app.in_memory();
        app
    });
    let limit = Instant::now() + Duration::from_mins(1);
    while window.state().form().practice.is_none() {
        assert!(Instant::now() < limit, "the practice server did not start");
        window.step();
    }
    open_sections(&mut window);
    let mut before = Times::default();
    for _ in 0..200 {
        before.push(pass(&mut window));
    }
    println!("before: {}", before.words());
    let mut all = Times::default();
    let mut slow: Vec<(Duration, String)> = Vec::new();
    let seen = each_field(&mut window, |window, field| {
        for (name, text) in bad_texts() {
            begin_paste(window, field, &text);
            for _ in 0..PASSES {
                let took = pass(window);
                all.push(took);
                if took > SLOW {
                    slow.push((took, format!("{name} in “{field}”")));
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    });
    println!("{} fields, 6 texts each: {}", seen.len(), all.words());
    slow.sort_unstable();
    for (took, what) in slow.iter().rev().take(8) {
        println!("  {:.1} ms, {what}", took.as_secs_f64() * 1000.0);
    }
}

/// One pass; gives its CPU time.
fn pass(window: &mut Window) -> Duration {
    let began = thread_cpu();
    window.step();
    let shapes = window.output().shapes.clone();
    let triangles = window.ctx.tessellate(shapes, window.output().pixels_per_point);
    let took = thread_cpu().saturating_sub(began);
    assert!(!triangles.is_empty());
    took
}
