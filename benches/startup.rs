//! How long it takes from the start of the process until the window has been painted, beside a bare eframe window.
//!
//! Both are this program again, a process each, taking turns on one display; what counts is the beginning of the second
//! pass: by then the first picture was handed to the display. Without DISPLAY a virtual one is started (needs `Xvfb`, Debian:
//! `apt-get install xvfb libgl1-mesa-dri libxcursor1 libxi6 libxkbcommon-x11-0`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, measures real time, and ends by panicking"
)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use eframe::egui::{Context, Ui, ViewportBuilder};
use eframe::{NativeOptions, Renderer};
use sockeye::ui::App;

const RUNS: usize = 11;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["bare"] => open(|_| Box::new(Bare)),
        ["sockeye"] => open(|creation| Box::new(Ours(App::new(&creation.egui_ctx, None).unwrap()))),
        [] => compare(),
        _ => println!("usage: startup [bare | sockeye]"),
    }
}

fn compare() {
    let display = Display::start();
    let mut bare = Vec::new();
    let mut ours = Vec::new();
    for _ in 0..RUNS {
        bare.push(time(&display, "bare"));
        ours.push(time(&display, "sockeye"));
    }
    let middle = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e3
    };
    let (bare, ours) = (middle(&mut bare), middle(&mut ours));
    println!(
        "start to second pass, median of {RUNS}: bare eframe {bare:.0} ms, sockeye {ours:.0} ms, ratio {:.2}",
        ours / bare
    );
}

fn time(display: &Display, which: &str) -> Duration {
    let began = Instant::now();
    let mut child = Process::new(std::env::current_exe().unwrap())
        .arg(which)
        .env("DISPLAY", &display.name)
        .env_remove("WAYLAND_DISPLAY")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let took = began.elapsed();
    child.wait().unwrap();
    assert_eq!(line.trim(), "painted", "{which}");
    took
}

fn open(app: fn(&eframe::CreationContext<'_>) -> Box<dyn Body>) {
    let viewport = ViewportBuilder::default().with_title("Bench").with_inner_size([1280.0, 800.0]);
    let options = NativeOptions { viewport, renderer: Renderer::Glow, ..NativeOptions::default() };
    eframe::run_native(
        "sockeye-bench",
        options,
        Box::new(move |creation| Ok(Box::new(Timed { body: app(creation), passes: 0 }))),
    )
    .unwrap();
}

trait Body {
    fn logic(&mut self, ctx: &Context);
    fn ui(&mut self, ui: &mut Ui);
}

struct Bare;

impl Body for Bare {
    fn logic(&mut self, _: &Context) {}

    fn ui(&mut self, ui: &mut Ui) {
        ui.heading("Bare");
        if ui.button("A button").clicked() {
            ui.label("Clicked");
        }
    }
}

struct Ours(App);

impl Body for Ours {
    fn logic(&mut self, ctx: &Context) {
        self.0.logic(ctx);
    }

    fn ui(&mut self, ui: &mut Ui) {
        self.0.ui(ui);
    }
}

struct Timed {
    body: Box<dyn Body>,
    passes: u32,
}

impl eframe::App for Timed {
    fn logic(&mut self, ctx: &Context, _: &mut eframe::Frame) {
        self.body.logic(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        if self.passes == 1 {
            println!("painted");
            // The farewell of the window is not what is measured.
            std::process::exit(0);
        }
        self.passes += 1;
        self.body.ui(ui);
        ui.ctx().request_repaint();
    }
}

/// A display: the one that is there, or a virtual one that ends with the benchmark.
struct Display {
    name: String,
    server: Option<Child>,
}

impl Display {
    fn start() -> Self {
        if let Ok(name) = std::env::var("DISPLAY")
            && !name.is_empty()
        {
            return Self { name, server: None };
        }
        let mut server = Process::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is needed where there is no display");
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { name: format!(":{}", line.trim()), server: Some(server) }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            server.kill().ok();
            server.wait().ok();
        }
    }
}
