//! What an export costs: `sockeye export` of a session of one million frames in every format, secrets replaced.
//!
//! Beside it stands a bare loop that writes the same payloads as JSON Lines with `serde_json`, in the same run. CPU is that of
//! the ended processes. The session is frames alone, without a TCP connection: for pcapng that leaves the reading, and no
//! packets. Linux only (it reads `/proc`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, measures real time, and ends by panicking"
)]

mod load;

use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use load::children_ticks;
use sockeye::export::EXPORTERS;

const FRAMES: u64 = 1_000_000;
const SIZE: usize = 120;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["bare", path] => bare(Path::new(path)),
        _ => compare(),
    }
}

fn compare() {
    let folder = tempfile::tempdir().unwrap();
    let session = folder.path().join("export.sockeye");
    load::write_session(&session, FRAMES, SIZE);
    let out = folder.path().join("out");
    let myself = std::env::current_exe().unwrap();
    let bare = millis(Command::new(myself).arg("bare").arg(&out));
    println!("{FRAMES} frames × {SIZE} B; serde_json alone, one line a payload: {bare:.0} ms CPU");
    for exporter in EXPORTERS {
        let mut export = Command::new(env!("CARGO_BIN_EXE_sockeye"));
        export.arg("export").arg(&session).args(["--to", exporter.id, "-o"]).arg(&out);
        let took = millis(&mut export);
        let len = std::fs::metadata(&out).map_or(0, |out| out.len());
        println!(
            "  {}: {took:.0} ms CPU, {:.1} times the bare loop, {:.1} MiB",
            exporter.id,
            took / bare,
            len as f64 / f64::from(1 << 20)
        );
        std::fs::remove_file(&out).ok();
    }
}

/// CPU milliseconds of a command, which must succeed.
fn millis(command: &mut Command) -> f64 {
    let before = children_ticks();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}");
    (children_ticks() - before) as f64 * 10.0
}

/// The baseline: the same payloads as JSON strings, a line each.
fn bare(path: &Path) {
    let mut out = BufWriter::new(std::fs::File::create(path).unwrap());
    for number in 0..FRAMES {
        let payload = load::payload(number, SIZE);
        let text = std::str::from_utf8(&payload).unwrap();
        serde_json::to_writer(&mut out, &serde_json::json!({ "row": number, "text": text })).unwrap();
        out.write_all(b"\n").unwrap();
    }
    out.flush().unwrap();
}
