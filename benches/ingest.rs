//! What recording costs: CPU per frame of the whole client over loopback, beside a bare tokio-tungstenite loop.
//!
//! The sender is a process of its own, so that its CPU does not count. Each measurement is a process of its own as well:
//! CPU is the sum over its threads, less that of a session with one frame; peak memory is its own. Beside the bare loop stand
//! one that also writes every message to a file, since a recorder must, and one that only copies what it reads to a file and
//! looks at none of it: nobody records for less. Linux only (it reads `/proc`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, measures real time, and ends by panicking"
)]

mod load;

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::time::Duration;

use flate2::{Decompress, FlushDecompress};
use futures_util::StreamExt as _;
use load::{Cost, children_ticks, report, run_self};
use sockeye::engine::{Command, ConnectOptions, Engine, Event, JournalPlace, replay};
use sockeye::observation::{ConnId, Direction, Expect};
use sockeye::store::{FrameRow, RowBody};
use sockeye::wire::Opcode;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve", frames, size, kind] => load::serve(&load::Traffic {
            frames: frames.parse().unwrap(),
            size: size.parse().unwrap(),
            per_sec: 0,
            is_deflated: *kind == "deflated",
            payload,
        }),
        ["bare", port] => bare(port.parse().unwrap(), false, None),
        ["inflate", port] => bare(port.parse().unwrap(), true, None),
        ["write", port] => bare(port.parse().unwrap(), false, Some(tempfile::tempfile().unwrap())),
        ["copy", port] => copy(port.parse().unwrap()),
        ["sockeye", port, place] => sockeye(port.parse().unwrap(), place),
        ["idle"] => idle(),
        [] => {
            ratios();
            programs();
            memory(10_000_000);
        }
        ["ratios"] => ratios(),
        ["programs"] => programs(),
        ["memory", frames] => memory(frames.parse().unwrap()),
        _ => println!(
            "usage: ingest [ratios | programs | memory FRAMES | serve FRAMES BYTES plain|deflated | bare PORT | \
             inflate PORT | write PORT | copy PORT | sockeye PORT file|memory | idle]"
        ),
    }
}

/// How much memory so many frames take.
fn memory(frames: u64) {
    let idle = run_self(&["idle"]).peak_mib;
    let Cost { millis, peak_mib } = measure(frames, 120, "plain", &["sockeye", "file"]);
    println!(
        "{frames} × 120 B: {:.0} ns/frame, peak RSS {peak_mib} MiB, idle {idle} MiB, raised by {} MiB",
        millis * 1e6 / frames as f64,
        peak_mib - idle
    );
}

/// Ours beside a bare loop, one that writes and one that copies; where the messages are deflated, beside a bare loop that
/// inflates them with flate2.
fn ratios() {
    for (frames, size, payload, runs) in [
        (1_000_000, 120, "plain", 5),
        (200, 4 << 20, "plain", 5),
        (1_000_000, 120, "deflated", 3),
        (50, 4 << 20, "deflated", 3),
    ] {
        let loops: &[&[&str]] = match payload {
            "plain" => &[&["bare"], &["sockeye", "file"], &["write"], &["copy"]],
            _ => &[&["inflate"], &["sockeye", "file"]],
        };
        let mut best = [f64::INFINITY; 4];
        let mut peak = 0;
        // By turns, so that what else the machine does hits all.
        for _ in 0..runs {
            for (best, what) in best.iter_mut().zip(loops) {
                let one = measure(1, 120, payload, what);
                let all = measure(frames, size, payload, what);
                *best = best.min(all.millis - one.millis);
                peak = peak.max(all.peak_mib);
            }
        }
        let [bare, ours, writing, copying] = best;
        let per = |millis: f64| millis * 1e6 / frames as f64;
        println!(
            "{frames} × {size} B {payload}: bare tokio-tungstenite {:.0} ns/frame, sockeye {:.0} ns/frame, ratio {:.2} (peak {peak} MiB)",
            per(bare),
            per(ours),
            ours / bare,
        );
        if payload == "plain" {
            println!(
                "  bare and writing {:.0} ns/frame, ratio {:.2}; only copying to a file {:.0} ns/frame, ratio {:.2}",
                per(writing),
                writing / bare,
                per(copying),
                copying / bare
            );
        }
    }
}

/// `sockeye record` beside a bare loop, and `websocat -U` if it is installed: CPU of the whole process, to a file each.
fn programs() {
    let (frames, runs) = (1_000_000, 5);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let mut bare = 0.0;
    let (mut ours, mut theirs) = (0, Some(0));
    for run in 0..runs {
        bare += measure(frames, 120, "plain", &["bare"]).millis;
        let journal = file(&format!("{run}.sockeye"));
        let mut record = Process::new(env!("CARGO_BIN_EXE_sockeye"));
        ours +=
            ticks(frames, record.args(["record", "-o"]).arg(&journal), Stdio::null()).expect("the program is there");
        let mut websocat = Process::new("websocat");
        let out = std::fs::File::create(file("websocat.txt")).unwrap();
        theirs = theirs.zip(ticks(frames, websocat.arg("-U"), out.into())).map(|(sum, more)| sum + more);
        std::fs::remove_file(journal).unwrap();
    }
    let per = |millis: f64| millis * 1e6 / (f64::from(runs) * frames as f64);
    let ours = ours as f64 * 10.0;
    println!(
        "{frames} × 120 B to a file, {runs} runs: bare loop {:.0} ns/frame, sockeye record {:.0} ns/frame, ratio {:.2}",
        per(bare),
        per(ours),
        ours / bare
    );
    match theirs {
        Some(ticks) => {
            let theirs = ticks as f64 * 10.0;
            println!("  websocat -U {:.0} ns/frame, {:.1} times sockeye record", per(theirs), theirs / ours);
        }
        None => println!("  no websocat to compare with: cargo install websocat"),
    }
}

/// Runs a program against a sender, whose URL becomes its last argument; its CPU in ticks of 10 ms, if there is one.
fn ticks(frames: u64, program: &mut Process, out: Stdio) -> Option<u64> {
    let (mut server, port) = load::start_server(&[&frames.to_string(), "120", "plain"]);
    // Only the program ends between the two looks.
    let before = children_ticks();
    program.arg(format!("ws://127.0.0.1:{port}/")).stdin(Stdio::null()).stderr(Stdio::null());
    let status = program.stdout(out).status();
    let took = children_ticks() - before;
    if status.is_err() {
        server.kill().unwrap();
    }
    server.wait().unwrap();
    status.is_ok().then_some(took)
}

/// Starts a sender and measures one client against it.
fn measure(frames: u64, size: usize, payload: &str, what: &[&str]) -> Cost {
    let (mut server, port) = load::start_server(&[&frames.to_string(), &size.to_string(), payload]);
    let port = port.to_string();
    let mut words = vec![what[0], port.as_str()];
    words.extend(&what[1..]);
    let cost = run_self(&words);
    server.wait().unwrap();
    cost
}

/// The engine at rest.
fn idle() {
    let engine = Engine::start(Arc::new(|| {})).unwrap();
    assert!(engine.event_timeout(Duration::from_millis(200)).is_none());
    report();
}

/// A client that only counts; it inflates and writes if told.
fn bare(port: u16, inflates: bool, file: Option<std::fs::File>) {
    let mut file = file.map(|file| BufWriter::with_capacity(BLOCK_BYTES, file));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tcp = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let url = format!("ws://127.0.0.1:{port}/");
        let (mut ws, _) = tokio_tungstenite::client_async(url, tcp).await.unwrap();
        let mut hash = DefaultHasher::new();
        let mut inflate = Decompress::new(false);
        let mut plain = Vec::with_capacity(8 << 20);
        while let Some(Ok(message)) = ws.next().await {
            if message.is_close() {
                break;
            }
            if inflates {
                plain.clear();
                for wire in [&message.clone().into_data()[..], &[0, 0, 0xFF, 0xFF]] {
                    inflate.decompress_vec(wire, &mut plain, FlushDecompress::None).unwrap();
                }
                hash.write_usize(plain.len());
            } else {
                hash.write_usize(message.len());
            }
            if let Some(file) = &mut file {
                // Longer writes are several times dearer on some systems.
                message.into_data().chunks(BLOCK_BYTES).for_each(|piece| file.write_all(piece).unwrap());
            }
        }
        assert_ne!(hash.finish(), 0);
    });
    report();
}

/// Copies what is read to a file, in whole blocks, and knows nothing of frames but the handshake before them.
fn copy(port: u16) {
    let mut tcp = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    tcp.write_all(head.as_bytes()).unwrap();
    let mut file = tempfile::tempfile().unwrap();
    let room = rustix::fs::FallocateFlags::KEEP_SIZE;
    // Where a file system takes no room ahead, it goes without.
    rustix::fs::fallocate(&file, room, 0, 1 << 30).ok();
    let mut buffer = vec![0; 5 * BLOCK_BYTES];
    let mut len = 0;
    loop {
        let read = tcp.read(&mut buffer[len..len + BLOCK_BYTES]).unwrap();
        len += read;
        // The Close is the last that comes.
        let ends = read == 0 || buffer[..len].ends_with(&[0x88, 2, 3, 0xE8]);
        let whole = if ends { len } else { len - len % BLOCK_BYTES };
        if ends || len >= 4 * BLOCK_BYTES {
            file.write_all(&buffer[..whole]).unwrap();
            buffer.copy_within(whole..len, 0);
            len -= whole;
        }
        if ends {
            break;
        }
    }
    report();
}

/// What is read or written at a time.
const BLOCK_BYTES: usize = 128 * 1024;

/// The whole client, recording.
fn sockeye(port: u16, place: &str) {
    let engine = Engine::start(Arc::new(|| {})).unwrap();
    let mut options = ConnectOptions::new(format!("ws://127.0.0.1:{port}/"));
    options.expect = Expect::First;
    options.probes = false;
    let folder = tempfile::tempdir().unwrap();
    options.journal = match place {
        "memory" => JournalPlace::Memory,
        _ => JournalPlace::File(folder.path().join("ingest.sockeye")),
    };
    let conn = ConnId(1);
    engine.send(Command::Connect { conn, options: Box::new(options) }).unwrap();
    loop {
        match engine.event_timeout(Duration::from_mins(5)).unwrap() {
            Event::Ended { .. } => break,
            Event::Refused { why, .. } => panic!("{why}"),
            _ => {}
        }
    }
    let view = engine.view(conn).unwrap();
    assert_eq!(view.story.close_received.as_ref().and_then(|c| c.info.code), Some(1000));
    let frames = view.story.received.messages;
    report();
    if let Some(path) = engine.journal_path(conn)
        && frames <= 1_000_000
    {
        verify(&path, frames);
    }
}

/// Reads the journal again: every frame, in order, with the very bytes that were sent (the hashes are equal).
fn verify(path: &Path, frames: u64) {
    let (mut sent, mut kept) = (DefaultHasher::new(), DefaultHasher::new());
    let mut number = 0;
    for row in replay(path).unwrap() {
        let RowBody::Frame(frame) = row.unwrap().body else { continue };
        if frame.direction != Direction::ServerToClient || frame.header.opcode() != Opcode::Text {
            continue;
        }
        let whole = payload(number, usize::try_from(frame.data_len()).unwrap());
        sent.write(&whole[..whole.len().min(FrameRow::PREVIEW_BYTES)]);
        kept.write(&frame.preview);
        assert_eq!(frame.received, frame.header.payload_len);
        number += 1;
    }
    assert_eq!((number, kept.finish()), (frames, sent.finish()));
}

/// The payload of the frame of this number: JSON with words in it, as dense as real messages.
fn payload(number: u64, size: usize) -> Vec<u8> {
    const WORDS: [&str; 16] = [
        "agent", "ready", "delta", "token", "error", "queue", "state", "value", "price", "order", "level", "trade",
        "close", "retry", "batch", "event",
    ];
    let mut payload = format!("{{\"number\":{number:010},\"text\":\"").into_bytes();
    let mut state = number;
    while payload.len() < size {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        payload.extend_from_slice(WORDS[(state >> 60) as usize].as_bytes());
        payload.extend_from_slice(&[b' ', b'0' + (state >> 40) as u8 % 10]);
    }
    payload.truncate(size);
    payload
}
