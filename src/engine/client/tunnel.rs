//! Through a proxy: HTTP CONNECT on our own handshake code, in clear or over TLS, SOCKS5 by its library; what was said is
//! recorded.
//!
//! The password of the proxy is sent and not recorded: it belongs to the user, not to the session.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_socks::Error as SocksError;
use tokio_socks::tcp::Socks5Stream;

use super::failure::io_failure;
use super::tls::connect_to_proxy;
use crate::engine::ConnectOptions;
use crate::engine::sink::Sink;
use crate::observation::{Deadline, Fact, TunnelFailure, TunnelFailureKind};
use crate::wire::{HeadOutcome, ProxyKind, ProxyUrl, ResponseHead, Target, framing, is_complete, parse_response};

/// How long the head of an answer to CONNECT may be.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// From so many bytes on it is plain whether an answer is HTTP.
const BEGINNING_BYTES: usize = 8;
/// How much of a refusal's body is read.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// A way to the target.
pub(crate) enum Tunnel {
    /// TCP, to the server or through a proxy.
    Tcp(TcpStream),
    /// Through a proxy that is spoken to by TLS.
    OverTls(Box<TlsStream<TcpStream>>),
}

/// Asks the proxy for a way to the target; `None` if it does not give one, which the facts tell.
pub(crate) async fn open(
    tcp: TcpStream,
    proxy: &ProxyUrl,
    target: &Target,
    options: &ConnectOptions,
    sink: &Sink,
) -> Option<Tunnel> {
    let limit_millis = options.time_outs.connect_millis;
    let asking = async {
        match proxy.kind {
            ProxyKind::Http => {
                let (tcp, response) = connect(tcp, proxy, target, sink).await?;
                Ok((Tunnel::Tcp(tcp), response))
            }
            ProxyKind::Https => {
                let tls = over_tls(tcp, proxy, target, options, sink).await?;
                let (tls, response) = connect(tls, proxy, target, sink).await?;
                Ok((Tunnel::OverTls(Box::new(tls)), response))
            }
            ProxyKind::Socks5 => {
                let (tcp, response) = socks(tcp, proxy, target, sink).await?;
                Ok((Tunnel::Tcp(tcp), response))
            }
        }
    };
    let result = timeout(Duration::from_millis(limit_millis), asking).await;
    match result {
        Ok(Ok((stream, response))) => {
            sink.push(Fact::TunnelOpened { response });
            Some(stream)
        }
        Ok(Err(failure)) => {
            sink.push(Fact::TunnelFailed(Box::new(failure)));
            None
        }
        Err(_elapsed) => {
            sink.push(Fact::TimedOut { deadline: Deadline::Tunnel, millis: limit_millis });
            let text = format!("the proxy did not answer within {limit_millis} ms");
            let failure = TunnelFailure { kind: TunnelFailureKind::TimedOut, text, response: String::new() };
            sink.push(Fact::TunnelFailed(Box::new(failure)));
            None
        }
    }
}

/// The host and port that the proxy is asked for.
fn authority(target: &Target) -> String {
    format!("{}:{}", target.bracketed_host(), target.port)
}

/// TLS to the proxy itself.
async fn over_tls(
    tcp: TcpStream,
    proxy: &ProxyUrl,
    target: &Target,
    options: &ConnectOptions,
    sink: &Sink,
) -> Result<TlsStream<TcpStream>, TunnelFailure> {
    connect_to_proxy(tcp, &proxy.host, options, sink).await.map_err(|why| {
        let request = format!("TLS to {}, then CONNECT {}", proxy.place(), authority(target));
        sink.push(Fact::TunnelStarted { kind: proxy.kind, request });
        let text = format!("TLS to the proxy failed: {why}");
        TunnelFailure { kind: TunnelFailureKind::Tls, text, response: String::new() }
    })
}

/// CONNECT (RFC 9110 §9.3.6).
async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    mut tcp: S,
    proxy: &ProxyUrl,
    target: &Target,
    sink: &Sink,
) -> Result<(S, String), TunnelFailure> {
    let authority = authority(target);
    let request = |authorization: &str| {
        format!(
            "CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nProxy-Connection: keep-alive\r\n{authorization}\r\n"
        )
    };
    let (sent, recorded) = match &proxy.credentials {
        Some((user, password)) => {
            let basic = STANDARD.encode(format!("{user}:{password}"));
            (
                request(&format!("Proxy-Authorization: Basic {basic}\r\n")),
                request("Proxy-Authorization: Basic (sent, not recorded)\r\n"),
            )
        }
        None => (request(""), request("")),
    };
    sink.push(Fact::TunnelStarted { kind: proxy.kind, request: recorded });
    let written = async {
        tcp.write_all(sent.as_bytes()).await?;
        tcp.flush().await
    };
    if let Err(error) = written.await {
        return Err(ended(&error));
    }
    let mut received = Vec::new();
    let head = loop {
        // One byte at a time, so that nothing behind the head is taken from the tunnel.
        match tcp.read_u8().await {
            Ok(byte) => received.push(byte),
            Err(error) => {
                let mut failure = ended(&error);
                failure.response = lossy(&received);
                return Err(failure);
            }
        }
        if received.last() != Some(&b'\n') && received.len() != BEGINNING_BYTES {
            continue;
        }
        match parse_response(&received) {
            HeadOutcome::Partial if received.len() <= MAX_HEAD_BYTES => {}
            HeadOutcome::Head(head) if (100..200).contains(&head.status) && head.status != 101 => received.clear(),
            HeadOutcome::Head(head) => break head,
            HeadOutcome::Partial | HeadOutcome::NotHttp | HeadOutcome::TooBig => {
                let mut rest = [0; 256];
                // What it is instead is worth knowing, but not worth waiting for.
                if let Ok(Ok(read)) = timeout(Duration::from_millis(200), tcp.read(&mut rest)).await {
                    received.extend(rest.iter().take(read));
                }
                let text = "the answer to CONNECT is not HTTP".to_owned();
                return Err(TunnelFailure { kind: TunnelFailureKind::NotHttp, text, response: lossy(&received) });
            }
        }
    };
    if (200..300).contains(&head.status) {
        return Ok((tcp, lossy(&received)));
    }
    let text = format!("the proxy answered CONNECT with {} {}", head.status, head.reason).trim_end().to_owned();
    received.extend(body(&mut tcp, &head).await);
    Err(TunnelFailure { kind: TunnelFailureKind::Status(head.status), text, response: lossy(&received) })
}

/// The body of a refusal, as far as it comes.
async fn body(tcp: &mut (impl AsyncRead + Unpin), head: &ResponseHead) -> Vec<u8> {
    let framing = framing(head);
    let mut body = Vec::new();
    let mut buffer = vec![0; 8 * 1024];
    while !is_complete(framing, &body) && body.len() < MAX_BODY_BYTES {
        match timeout(Duration::from_secs(1), tcp.read(&mut buffer)).await {
            Ok(Ok(read)) if read > 0 => body.extend(buffer.iter().take(read)),
            Ok(Ok(_) | Err(_)) | Err(_) => break,
        }
    }
    body
}

/// SOCKS version 5 (RFC 1928), with user and password (RFC 1929) if there are any.
async fn socks(
    tcp: TcpStream,
    proxy: &ProxyUrl,
    target: &Target,
    sink: &Sink,
) -> Result<(TcpStream, String), TunnelFailure> {
    let authority = authority(target);
    let login = if proxy.credentials.is_some() { ", with user and password" } else { "" };
    sink.push(Fact::TunnelStarted { kind: proxy.kind, request: format!("SOCKS5 CONNECT {authority}{login}") });
    let to = (target.host.as_str(), target.port);
    let result = match &proxy.credentials {
        Some((user, password)) => Socks5Stream::connect_with_password_and_socket(tcp, to, user, password).await,
        None => Socks5Stream::connect_with_socket(tcp, to).await,
    };
    match result {
        Ok(stream) => Ok((stream.into_inner(), "succeeded (reply 0)".to_owned())),
        Err(error) => Err(socks_failure(&error)),
    }
}

fn socks_failure(error: &SocksError) -> TunnelFailure {
    let reply = |code: u8| TunnelFailureKind::Reply(code);
    let kind = match error {
        SocksError::GeneralSocksServerFailure => reply(1),
        SocksError::ConnectionNotAllowedByRuleset => reply(2),
        SocksError::NetworkUnreachable => reply(3),
        SocksError::HostUnreachable => reply(4),
        SocksError::ConnectionRefused => reply(5),
        SocksError::TtlExpired => reply(6),
        SocksError::CommandNotSupported => reply(7),
        SocksError::AddressTypeNotSupported => reply(8),
        SocksError::UnknownError => reply(9),
        SocksError::NoAcceptableAuthMethods
        | SocksError::UnknownAuthMethod
        | SocksError::PasswordAuthFailure(_)
        | SocksError::AuthorizationRequired
        | SocksError::IdentdAuthFailure
        | SocksError::InvalidUserIdAuthFailure
        | SocksError::InvalidAuthValues(_) => TunnelFailureKind::Authentication,
        SocksError::InvalidResponseVersion | SocksError::InvalidReservedByte | SocksError::UnknownAddressType => {
            TunnelFailureKind::NotSocks
        }
        SocksError::Io(error) => return ended(error),
        SocksError::ParseError(_) | SocksError::InvalidTargetAddress(_) | SocksError::ProxyServerUnreachable => {
            TunnelFailureKind::Ended
        }
    };
    let text = match kind {
        TunnelFailureKind::Reply(code) => format!("the proxy replied {code}: {}", error.to_string().to_lowercase()),
        TunnelFailureKind::Authentication => match error {
            SocksError::NoAcceptableAuthMethods => {
                "the proxy accepts none of the ways to log in that we offered".to_owned()
            }
            _ => "the proxy did not accept user and password".to_owned(),
        },
        TunnelFailureKind::NotSocks => "the answer is not SOCKS version 5".to_owned(),
        TunnelFailureKind::Status(_)
        | TunnelFailureKind::NotHttp
        | TunnelFailureKind::Tls
        | TunnelFailureKind::Ended
        | TunnelFailureKind::TimedOut => error.to_string(),
    };
    TunnelFailure { kind, text, response: String::new() }
}

fn ended(error: &std::io::Error) -> TunnelFailure {
    let text = match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "the proxy ended TCP with FIN in place of an answer".to_owned(),
        _ => format!("TCP to the proxy failed: {}", io_failure(error).text),
    };
    TunnelFailure { kind: TunnelFailureKind::Ended, text, response: String::new() }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
