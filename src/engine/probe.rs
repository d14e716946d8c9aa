//! Follow-up probes: one question each to the target, at most two seconds, never with the token.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::client::failure::{io_failure, read_end, timed_out};
use crate::observation::{Probe, ProbeOutcome, ReadEnd};

/// How long a probe may take.
const LIMIT: Duration = Duration::from_secs(2);
/// How long is waited before a port is asked whether its process still lives: a dying process needs a moment.
const SETTLE: Duration = Duration::from_millis(120);
/// How much of an answer is kept.
const PREVIEW_BYTES: usize = 256;

/// Asks the question.
pub(crate) async fn run(probe: &Probe) -> ProbeOutcome {
    match probe {
        Probe::Tcp { address } => {
            tokio::time::sleep(SETTLE).await;
            match connect(*address).await {
                Ok(_stream) => ProbeOutcome::Accepted,
                Err(outcome) => outcome,
            }
        }
        Probe::PlainGet { address, host, path } => {
            let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            ask(*address, request.as_bytes()).await
        }
        Probe::TlsHello { address, server_name } => ask(*address, &client_hello(server_name)).await,
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream, ProbeOutcome> {
    match timeout(LIMIT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(ProbeOutcome::Failed(io_failure(&error))),
        Err(_elapsed) => Err(ProbeOutcome::Failed(timed_out(LIMIT.as_millis() as u64))),
    }
}

async fn ask(address: SocketAddr, question: &[u8]) -> ProbeOutcome {
    let mut stream = match connect(address).await {
        Ok(stream) => stream,
        Err(outcome) => return outcome,
    };
    let mut answer = Vec::new();
    let reading = timeout(LIMIT, async {
        stream.write_all(question).await?;
        let mut buffer = [0; PREVIEW_BYTES];
        while answer.len() < PREVIEW_BYTES {
            match stream.read(&mut buffer).await? {
                0 => break,
                read => answer.extend_from_slice(&buffer[..read]),
            }
        }
        Ok::<(), std::io::Error>(())
    });
    let end = match reading.await {
        Ok(Ok(())) => Some(ReadEnd::Fin),
        Ok(Err(error)) => Some(read_end(&error)),
        Err(_elapsed) => None,
    };
    match (answer.is_empty(), end) {
        (true, None) => ProbeOutcome::Silent,
        (true, Some(end)) => ProbeOutcome::Ended(end),
        (false, _) => {
            answer.truncate(PREVIEW_BYTES);
            let status = answer.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5));
            let status = status.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
            // A TLS record: handshake or alert, version 3.x (RFC 8446 §5.1).
            let tls = matches!(answer.as_slice(), [0x15 | 0x16, 0x03, ..]);
            let preview = if tls { String::new() } else { String::from_utf8_lossy(&answer).into_owned() };
            ProbeOutcome::Answered { status, preview, tls }
        }
    }
}

/// A TLS 1.2 `ClientHello` that any TLS server answers, with a hello or with an alert (RFC 5246 §7.4.1.2).
fn client_hello(server_name: &str) -> Vec<u8> {
    fn with_len16(body: &[u8]) -> Vec<u8> {
        let mut out = (body.len() as u16).to_be_bytes().to_vec();
        out.extend_from_slice(body);
        out
    }
    fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
        [kind.to_be_bytes().as_slice(), &with_len16(body)].concat()
    }
    let mut extensions = Vec::new();
    if server_name.parse::<std::net::IpAddr>().is_err() && server_name.len() < 256 {
        let entry = [&[0][..], &with_len16(server_name.as_bytes())].concat();
        extensions.extend(extension(0x0000, &with_len16(&entry)));
    }
    extensions.extend(extension(0x000A, &with_len16(&[0x00, 0x1D, 0x00, 0x17, 0x00, 0x18])));
    extensions.extend(extension(0x000B, &[1, 0]));
    extensions.extend(extension(
        0x000D,
        &with_len16(&[0x04, 0x03, 0x08, 0x04, 0x04, 0x01, 0x05, 0x03, 0x08, 0x05, 0x05, 0x01]),
    ));
    let ciphers = with_len16(&[0xC0, 0x2B, 0xC0, 0x2F, 0xC0, 0x2C, 0xC0, 0x30, 0x00, 0x9C, 0x00, 0x2F]);
    let body = [&[0x03, 0x03][..], &[0x5A; 32], &[0], &ciphers, &[1, 0], &with_len16(&extensions)].concat();
    let len = body.len() as u32;
    let handshake = [&[0x01][..], &len.to_be_bytes()[1..], &body].concat();
    [&[0x16, 0x03, 0x01][..], &with_len16(&handshake)].concat()
}
