//! One connection from plan to end, the way a browser makes it.
//!
//! `resolve → TCP → tap → TLS → tap → our opening handshake → tungstenite`. Every step pushes facts; nothing is returned
//! but the last word that nothing more will come.

mod certificate;
mod confirm;
mod connect;
mod connection;
pub(crate) mod failure;
mod request;
mod tap;
pub(crate) mod tls;
mod upgrade;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::clock::wall_clock_unix_millis;
use super::sink::Sink;
use super::{ConnectOptions, Outgoing};
use crate::observation::{CloseOrigin, Fact, Plan, TokenPlace};
use crate::token;
use crate::wire::{Target, UrlProblem, parse_url};

use self::tap::Tap;
use self::upgrade::Upgrade;

/// What the user wants of a running connection.
#[derive(Debug)]
pub(crate) enum Wish {
    /// Send a message.
    Send(Outgoing),
    /// Begin the closing handshake.
    Close {
        /// The code, or an empty Close frame.
        code: Option<u16>,
        /// The reason.
        reason: String,
    },
    /// Drop TCP.
    Abort,
    /// The program ends.
    Shutdown,
}

/// Connects to the target of a plan and watches; returns when TCP is over.
pub(crate) async fn run(target: Target, options: ConnectOptions, sink: Sink, mut wishes: mpsc::Receiver<Wish>) {
    let Some(tcp) = unless_stopped(
        &mut wishes,
        &sink,
        connect::connect(&target, options.family, options.time_outs.connect_millis, &sink),
    )
    .await
    .flatten() else {
        return;
    };
    if target.secure {
        let tap = Tap::cipher(tcp, sink.clone());
        let below = tap.transport_end();
        let session = unless_stopped(&mut wishes, &sink, tls::handshake(tap, &target, &options, &sink)).await.flatten();
        if let Some(session) = session {
            talk(Tap::plain(session, sink.clone(), Some(below)), &target, &options, &sink, &mut wishes).await;
        }
    } else {
        let tap: Tap<TcpStream> = Tap::plain(tcp, sink.clone(), None);
        talk(tap, &target, &options, &sink, &mut wishes).await;
    }
    sink.push(Fact::WeClosedTcp);
}

/// The opening handshake, and what follows it.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: Tap<S>,
    target: &Target,
    options: &ConnectOptions,
    sink: &Sink,
    wishes: &mut mpsc::Receiver<Wish>,
) {
    let request = request::build(options, target);
    let upgrading = upgrade::upgrade(&mut stream, &request, options.time_outs.upgrade_millis, sink);
    match unless_stopped(wishes, sink, upgrading).await {
        Some(Upgrade::Accepted(tail)) => connection::run(stream, tail, options, sink, wishes).await,
        Some(Upgrade::Failed) => linger(&mut stream).await,
        None => {}
    }
}

/// Looks for a moment whether more comes after a failed handshake: how TCP ends is evidence.
async fn linger<S: AsyncRead + Unpin>(stream: &mut Tap<S>) {
    const MILLIS: u64 = 150;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_millis(MILLIS);
    let mut buffer = vec![0; 16 * 1024];
    while !stream.has_ended() {
        match tokio::time::timeout_at(deadline, stream.read(&mut buffer)).await {
            Ok(Ok(read)) if read > 0 => {}
            _ => return,
        }
    }
}

/// Runs a phase before the connection is open; a wish to stop ends it.
async fn unless_stopped<T>(
    wishes: &mut mpsc::Receiver<Wish>,
    sink: &Sink,
    phase: impl Future<Output = T>,
) -> Option<T> {
    let mut phase = std::pin::pin!(phase);
    loop {
        tokio::select! {
            biased;
            done = &mut phase => return Some(done),
            wish = wishes.recv() => {
                let by = match wish {
                    // Nothing can be sent before the connection is open; the face is told by its state.
                    Some(Wish::Send(_)) => continue,
                    Some(Wish::Close { .. } | Wish::Abort) => CloseOrigin::Abort,
                    Some(Wish::Shutdown) | None => CloseOrigin::Shutdown,
                };
                sink.push(Fact::CloseBegun { by });
                return None;
            }
        }
    }
}

/// Records what was asked for; `None` if nothing can be sent, which the facts tell.
pub(crate) fn plan(options: &ConnectOptions, sink: &Sink) -> Option<Target> {
    match examine(options, sink) {
        Ok(target) => Some(target),
        Err(problem) => {
            sink.push(Fact::NotAttempted { problem });
            None
        }
    }
}

/// Records what was asked for and reads the token as it will be sent.
fn examine(options: &ConnectOptions, sink: &Sink) -> Result<Target, UrlProblem> {
    let parsed = parse_url(&options.url);
    let began_unix_millis = wall_clock_unix_millis();
    let sends = |name: &str| options.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    let in_query = |target: &Target| match &options.token_place {
        Some(TokenPlace::Query { name }) => {
            token::place::in_query(target.query(), name).first().map(|value| token::place::percent_decode(value.raw))
        }
        _ => None,
    };
    let as_sent = match &options.token_place {
        Some(TokenPlace::Query { .. }) => parsed.as_ref().ok().and_then(in_query),
        _ => options.token.clone(),
    };
    let has_token = as_sent.as_deref().is_some_and(|t| !t.is_empty());
    sink.push(Fact::Planned(Box::new(Plan {
        url: options.url.clone(),
        target: parsed.as_ref().ok().cloned(),
        began_unix_millis,
        token_place: options.token_place.clone(),
        credentials: has_token
            || sends("authorization")
            || sends("cookie")
            || parsed.as_ref().is_ok_and(|t| t.userinfo.is_some()),
        origin: options.origin.clone(),
        subprotocols: request::subprotocols(options),
        expect: options.expect.clone(),
        time_outs: options.time_outs,
        limit_bytes: options.limit_bytes,
        insecure: options.insecure,
        family: options.family,
        probes: options.probes,
        probes_elsewhere: options.probes_elsewhere,
        backend: options.backend.clone(),
    })));
    if options.token_place.is_some() || options.token.is_some() {
        let now_unix = began_unix_millis.div_euclid(1000);
        let report = token::examine(as_sent.as_deref().unwrap_or(""), &options.secrets, now_unix);
        sink.push(Fact::TokenExamined { report: Box::new(report), now_unix });
    }
    request::check(options)?;
    parsed
}
