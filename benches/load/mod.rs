//! What several benchmarks share: sessions of any length, a sender at any rate, processes of their own, CPU time, percentiles.
#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sockeye::engine::{JournalPlace, Recorder, Sink};
use sockeye::observation::{ConnId, Direction, Fact, ReadEnd};
use sockeye::wire::{Deflater, accept_for, encode_frame, parse_request};

/// Bytes of one read, as a fast socket gives them.
const READ_BYTES: usize = 128 * 1024;

/// The payload of the frame of this number: JSON that can be searched for.
pub(crate) fn payload(number: u64, size: usize) -> Vec<u8> {
    let mut payload = format!("{{\"number\":{number:010},\"kind\":\"tick\",\"text\":\"").into_bytes();
    let end = size.saturating_sub(2).max(payload.len());
    // Words that repeat with different lengths, so that no two payloads compress or compare alike.
    let words = ["price ", "agent ", "queue ", "metric ", "latency ", "session "];
    let mut at = number as usize;
    while payload.len() < end {
        payload.extend_from_slice(words[at % words.len()].as_bytes());
        at = at.wrapping_mul(31).wrapping_add(7);
    }
    payload.truncate(end);
    payload.extend_from_slice(b"\"}");
    payload
}

/// Pushes a whole healthy session with so many text frames from the server into a sink.
pub(crate) fn push_session(sink: &Sink, frames: u64, size: usize) {
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:3001\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    sink.push_bytes(Direction::ClientToServer, request.as_bytes());
    sink.push_bytes(Direction::ServerToClient, answer(key, false).as_bytes());
    sink.push(Fact::Opened);
    let mut block = Vec::with_capacity(READ_BYTES + size + 14);
    for number in 0..frames {
        block.extend(encode_frame(0x81, None, &payload(number, size)));
        while block.len() >= READ_BYTES {
            // A frame may be cut by the border of two reads, as on a socket.
            push_when_there_is_room(sink, &block[..READ_BYTES]);
            block.drain(..READ_BYTES);
        }
    }
    block.extend_from_slice(&[0x88, 2, 3, 0xE8]);
    push_when_there_is_room(sink, &block);
    sink.push_bytes(Direction::ClientToServer, &encode_frame(0x88, Some([1, 2, 3, 4]), &[3, 0xE8]));
    sink.push(Fact::ReadEnded(ReadEnd::Fin));
    sink.push(Fact::WeClosedTcp);
    sink.push(Fact::Finished);
}

fn push_when_there_is_room(sink: &Sink, bytes: &[u8]) {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    while sink.poll_room(&mut context).is_pending() {
        std::thread::sleep(Duration::from_micros(200));
    }
    sink.push_bytes(Direction::ServerToClient, bytes);
}

/// Writes a journal with so many text frames from the server.
pub(crate) fn write_session(path: &Path, frames: u64, size: usize) {
    let recorder = Recorder::start_in(Arc::new(|| {}), path.parent().unwrap().to_owned()).unwrap();
    let sink = recorder.open(ConnId(1), &JournalPlace::File(path.to_owned())).unwrap();
    push_session(&sink, frames, size);
    drop(sink);
    // Everything is written when it has ended.
    drop(recorder);
}

/// The answer to an opening handshake with this key.
fn answer(key: &str, is_deflated: bool) -> String {
    let accept = accept_for(key);
    let field = if is_deflated { "Sec-WebSocket-Extensions: permessage-deflate\r\n" } else { "" };
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{field}\r\n"
    )
}

/// What a sender sends.
pub(crate) struct Traffic {
    pub(crate) frames: u64,
    /// Bytes of each payload.
    pub(crate) size: usize,
    /// As fast as they go if it is 0.
    pub(crate) per_sec: u64,
    /// With permessage-deflate; whoever offers none gets the deflated payloads as plain binary messages.
    pub(crate) is_deflated: bool,
    /// Makes the payload of the frame of a number.
    pub(crate) payload: fn(u64, usize) -> Vec<u8>,
}

/// Starts this program again as a sender, which is to [`serve`]; gives the port it listens on.
pub(crate) fn start_server(words: &[&str]) -> (Child, u16) {
    let mut child =
        Process::new(std::env::current_exe().unwrap()).arg("serve").args(words).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().parse().unwrap())
}

/// Sends frames to the first who connects, then a Close.
pub(crate) fn serve(traffic: &Traffic) {
    let &Traffic { frames, size, per_sec, is_deflated, payload } = traffic;
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
    let is_agreed = is_deflated && request.values("sec-websocket-extensions").next().is_some();
    let key = request.values("sec-websocket-key").next().unwrap();
    stream.write_all(answer(key, is_agreed).as_bytes()).unwrap();
    let per_write = if per_sec == 0 { (256 * 1024 / (size as u64 + 4)).max(1) } else { (per_sec / 200).max(1) };
    let began = Instant::now();
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
        if per_sec > 0 {
            let due = Duration::from_secs_f64(number as f64 / per_sec as f64);
            std::thread::sleep(due.saturating_sub(began.elapsed()));
        }
    }
    stream.write_all(&[0x88, 2, 3, 0xE8]).unwrap();
    stream.read_to_end(&mut Vec::new()).ok();
}

/// Runs this program again in a process of its own; gives what it [`report`]s.
pub(crate) fn run_self(words: &[&str]) -> Cost {
    let text = output_of_self(words);
    let mut numbers = text.split_whitespace().map(|n| n.parse::<f64>().unwrap());
    Cost { millis: numbers.next().unwrap(), peak_mib: numbers.next().unwrap() as u64 }
}

/// Runs this program again in a process of its own; gives what it prints.
pub(crate) fn output_of_self(words: &[&str]) -> String {
    let out = Process::new(std::env::current_exe().unwrap()).args(words).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success(), "{words:?}: {text} {}", String::from_utf8_lossy(&out.stderr));
    text
}

/// What a process cost.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// CPU milliseconds of all its threads.
    pub(crate) millis: f64,
    /// Peak memory in MiB.
    pub(crate) peak_mib: u64,
}

/// Prints what this process has cost so far.
pub(crate) fn report() {
    println!("{} {}", process_cpu().as_secs_f64() * 1e3, peak_mib());
}

/// CPU of the children that ended, in ticks of 10 ms.
pub(crate) fn children_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[13].parse::<u64>().unwrap() + fields[14].parse::<u64>().unwrap()
}

/// CPU time of this thread so far.
pub(crate) fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// CPU time of this process so far, all its threads.
pub(crate) fn process_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Peak memory of this process in MiB.
pub(crate) fn peak_mib() -> u64 {
    status("VmHWM:") / 1024
}

/// Memory of this process in MiB.
pub(crate) fn resident_mib() -> u64 {
    status("VmRSS:") / 1024
}

fn status(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Times, to be told by their percentiles.
#[derive(Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn at(&self, share: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted
            .get(((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    }

    /// `p50 0.31 ms, p99 0.84 ms, most 1.20 ms`.
    pub(crate) fn words(&self) -> String {
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        format!(
            "p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms ({} passes)",
            millis(self.at(0.5)),
            millis(self.at(0.99)),
            millis(self.at(1.0)),
            self.len()
        )
    }
}
