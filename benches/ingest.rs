//! What recording costs: CPU per frame of the whole client over loopback, beside a bare tokio-tungstenite loop.
//!
//! The sender is a process of its own, so that its CPU does not count. Each measurement is a process of its own as well:
//! CPU is the sum over its threads, peak memory is its own. Linux only (it reads `/proc`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints, and ends by panicking"
)]

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::time::Duration;

use flate2::{Decompress, FlushDecompress};
use futures_util::StreamExt as _;
use sockeye::engine::{Command, ConnectOptions, Engine, Event, JournalPlace, replay};
use sockeye::observation::{ConnId, Direction, Expect};
use sockeye::store::{FrameRow, RowBody};
use sockeye::wire::{Deflater, Opcode, accept_for, encode_frame, parse_request};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve", frames, size, payload] => {
            serve(frames.parse().unwrap(), size.parse().unwrap(), *payload == "deflated");
        }
        ["bare", port] => bare(port.parse().unwrap(), false),
        ["inflate", port] => bare(port.parse().unwrap(), true),
        ["sockeye", port, place] => sockeye(port.parse().unwrap(), place),
        ["idle"] => report(),
        [] => all(),
        ["ratios"] => ratios(),
        _ => println!(
            "usage: ingest [ratios | serve FRAMES BYTES plain|deflated | bare PORT | inflate PORT | \
             sockeye PORT file|memory | idle]"
        ),
    }
}

/// Every comparison, and how much memory ten million frames take.
fn all() {
    ratios();
    let (_, idle) = run_self(&["idle"]);
    let (millis, peak) = measure(10_000_000, 120, "plain", &["sockeye", "file"]);
    println!(
        "10000000 × 120 B: {:.0} ns/frame, peak RSS {} MiB, idle {} MiB, raised by {} MiB",
        millis / 10.0,
        peak / 1024,
        idle / 1024,
        (peak - idle) / 1024
    );
}

/// Ours beside a bare loop; where the messages are deflated, that loop inflates them with flate2.
fn ratios() {
    for (frames, size, payload, runs) in [
        (1_000_000, 120, "plain", 3),
        (200, 4 << 20, "plain", 3),
        (1_000_000, 120, "deflated", 2),
        (50, 4 << 20, "deflated", 2),
    ] {
        let best = |what: &[&str]| {
            let mut results: Vec<(f64, u64)> = (0..runs).map(|_| measure(frames, size, payload, what)).collect();
            results.sort_by(|a, b| a.0.total_cmp(&b.0));
            results[0]
        };
        let (bare, _) = best(&[if payload == "plain" { "bare" } else { "inflate" }]);
        let (ours, peak) = best(&["sockeye", "file"]);
        let per = |millis: f64| millis * 1e6 / frames as f64;
        println!(
            "{frames} × {size} B {payload}: bare tokio-tungstenite {:.0} ns/frame, sockeye {:.0} ns/frame, ratio {:.2} (peak {} MiB)",
            per(bare),
            per(ours),
            ours / bare,
            peak / 1024
        );
    }
}

/// Starts a sender and measures one client against it: CPU milliseconds and peak RSS in KiB.
fn measure(frames: u64, size: usize, payload: &str, what: &[&str]) -> (f64, u64) {
    let (mut server, port) = start_server(frames, size, payload);
    let port = port.to_string();
    let mut words = vec![what[0], port.as_str()];
    words.extend(&what[1..]);
    let result = run_self(&words);
    server.wait().unwrap();
    result
}

fn run_self(words: &[&str]) -> (f64, u64) {
    let out = Process::new(std::env::current_exe().unwrap()).args(words).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success(), "{words:?}: {text} {}", String::from_utf8_lossy(&out.stderr));
    let mut numbers = text.split_whitespace().map(|n| n.parse::<f64>().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap() as u64)
}

fn start_server(frames: u64, size: usize, payload: &str) -> (Child, u16) {
    let mut child = Process::new(std::env::current_exe().unwrap())
        .args(["serve", &frames.to_string(), &size.to_string(), payload])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().parse().unwrap())
}

/// Sends frames as fast as they go, then a Close.
///
/// Whoever offers no compression gets the deflated payloads as plain binary messages.
fn serve(frames: u64, size: usize, is_deflated: bool) {
    let mut deflater = Deflater::new(15, true).unwrap();
    let deflated: Vec<Vec<u8>> = (0..if is_deflated { frames } else { 0 })
        .map(|number| deflater.message(&payload(number, size)).unwrap())
        .collect();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let (mut stream, _) = listener.accept().unwrap();
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let request = parse_request(&head).unwrap();
    let accept = accept_for(request.values("sec-websocket-key").next().unwrap());
    let is_agreed = is_deflated && request.values("sec-websocket-extensions").next().is_some();
    let field = if is_agreed { "Sec-WebSocket-Extensions: permessage-deflate\r\n" } else { "" };
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{field}\r\n"
    );
    stream.write_all(answer.as_bytes()).unwrap();
    let per_write = (256 * 1024 / (size + 4)).max(1) as u64;
    let mut number = 0;
    let mut block = Vec::new();
    while number < frames {
        block.clear();
        for _ in 0..per_write.min(frames - number) {
            block.extend(match deflated.get(number as usize) {
                Some(wire) => encode_frame(if is_agreed { 0xC1 } else { 0x82 }, None, wire),
                None => encode_frame(0x81, None, &payload(number, size)),
            });
            number += 1;
        }
        stream.write_all(&block).unwrap();
    }
    stream.write_all(&[0x88, 2, 3, 0xE8]).unwrap();
    stream.read_to_end(&mut Vec::new()).ok();
}

/// A client that only counts, and inflates if told.
fn bare(port: u16, inflates: bool) {
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
                for wire in [&message.into_data()[..], &[0, 0, 0xFF, 0xFF]] {
                    inflate.decompress_vec(wire, &mut plain, FlushDecompress::None).unwrap();
                }
                hash.write_usize(plain.len());
            } else {
                hash.write_usize(message.len());
            }
        }
        assert_ne!(hash.finish(), 0);
    });
    report();
}

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

/// Prints CPU milliseconds of all threads and peak RSS in KiB.
fn report() {
    let mut nanos = 0_u64;
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let stat = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        nanos += stat.split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    println!("{} {}", nanos as f64 / 1e6, peak.trim().trim_end_matches(" kB"));
}
