//! One connection from plan to end, the way a browser makes it.
//!
//! `resolve → TCP → tap → TLS → tap → our opening handshake → tungstenite`. Every step pushes facts; nothing is returned
//! but the last word that nothing more will come.

mod certificate;
mod confirm;
mod connect;
mod connection;
mod deflate_shim;
pub(crate) mod failure;
mod keep_alive;
mod local;
mod ping_filter;
mod request;
mod route;
mod sending;
mod sent_token;
mod shim;
mod sieve;
pub(crate) mod tap;
pub(crate) mod tls;
mod tunnel;
mod upgrade;

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::clock::wall_clock_unix_millis;
use super::intercept::{self, Guest};
use super::sink::Sink;
use super::tcp_queues::Ends;
use super::{ConnectOptions, Outgoing};
use crate::observation::{Between, CloseOrigin, Fact, KeepAlivePlan, Plan};
use crate::token;
use crate::wire::{Target, UrlProblem, parse_url};

use self::route::{Way, way};
use self::sent_token::{SentToken, names_credential, sent_token};
use self::tap::{OverTcp, Tap};
pub use self::tls::{ClientCertificate, ClientCertificateError};
use self::tunnel::Tunnel;
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

/// Connects to the target of a plan and watches; returns when TCP is over. A guest talks in our place.
pub(crate) async fn run(
    planned: &Planned,
    options: &ConnectOptions,
    sink: &Sink,
    wishes: &mut mpsc::Receiver<Wish>,
    guest: Option<&mut Guest>,
) {
    let Planned { target, way } = planned;
    if let Some(path) = &target.socket {
        if let Some(stream) = unless_stopped(wishes, sink, socket(path, options, sink)).await.flatten() {
            session(stream, None, target, options, sink, wishes, guest).await;
        }
        return;
    }
    let ends = |tcp: &TcpStream| tcp.local_addr().and_then(|local| Ok(Ends { local, remote: tcp.peer_addr()? })).ok();
    match unless_stopped(wishes, sink, way_to(target, way, options, sink)).await.flatten() {
        Some(Tunnel::Tcp(tcp)) => {
            let ends = ends(&tcp);
            session(tcp, ends, target, options, sink, wishes, guest).await;
        }
        Some(Tunnel::OverTls(tls)) => {
            let ends = ends(tls.get_ref().0);
            // One connection in many takes this way: its state stays out of that of all others.
            Box::pin(session(*tls, ends, target, options, sink, wishes, guest)).await;
        }
        None => {}
    }
}

/// Connects to a Unix socket; `None` if it cannot be, which the facts tell.
async fn socket(path: &str, options: &ConnectOptions, sink: &Sink) -> Option<local::LocalStream> {
    let limit_millis = options.time_outs.connect_millis;
    let path = path.to_owned();
    let failure = match timeout(Duration::from_millis(limit_millis), local::connect(&path)).await {
        Ok(Ok(stream)) => {
            sink.push(Fact::SocketConnected { path });
            return Some(stream);
        }
        Ok(Err(error)) => failure::io_failure(&error),
        Err(_elapsed) => failure::timed_out(limit_millis),
    };
    sink.push(Fact::SocketFailed { path, failure });
    None
}

/// TLS if it is asked for, and the session in it.
async fn session<S: AsyncRead + AsyncWrite + OverTcp + Unpin>(
    stream: S,
    ends: Option<Ends>,
    target: &Target,
    options: &ConnectOptions,
    sink: &Sink,
    wishes: &mut mpsc::Receiver<Wish>,
    guest: Option<&mut Guest>,
) {
    if target.secure {
        let tap = Tap::cipher(stream, sink.clone());
        let below = tap.transport_end();
        let session = unless_stopped(wishes, sink, tls::handshake(tap, target, options, sink)).await.flatten();
        if let Some(session) = session {
            let tap = Tap::plain(session, sink.clone(), Some(below));
            talk(tap, ends, target, options, sink, wishes, guest).await;
        }
    } else {
        talk(Tap::plain(stream, sink.clone(), None), ends, target, options, sink, wishes, guest).await;
    }
    sink.push(Fact::WeClosedTcp);
}

/// TCP to the server, or to the proxy and through it; `None` if there is no way, which the facts tell.
async fn way_to(target: &Target, way: &Way, options: &ConnectOptions, sink: &Sink) -> Option<Tunnel> {
    let limit_millis = options.time_outs.connect_millis;
    let (host, port) = match &way.proxy {
        Some(proxy) => (&proxy.host, proxy.port),
        None => (&target.host, target.port),
    };
    let tcp = connect::connect(host, port, options.family, limit_millis, sink).await?;
    match &way.proxy {
        Some(proxy) => {
            let tunnel = tunnel::open(tcp, proxy, target, options, sink).await;
            if tunnel.is_none() {
                sink.push(Fact::WeClosedTcp);
            }
            tunnel
        }
        None => Some(Tunnel::Tcp(tcp)),
    }
}

/// The opening handshake, and what follows it.
async fn talk<S: AsyncRead + AsyncWrite + OverTcp + Unpin>(
    mut stream: Tap<S>,
    ends: Option<Ends>,
    target: &Target,
    options: &ConnectOptions,
    sink: &Sink,
    wishes: &mut mpsc::Receiver<Wish>,
    guest: Option<&mut Guest>,
) {
    if let Some(guest) = guest {
        // One connection in many: its state stays out of that of all others.
        return Box::pin(intercept::run(stream, guest, options, sink, wishes)).await;
    }
    let request = request::build(options, target);
    let upgrading = upgrade::upgrade(&mut stream, &request, options.time_outs.upgrade_millis, sink);
    match unless_stopped(wishes, sink, upgrading).await {
        Some(Upgrade::Accepted(accepted)) => connection::run(stream, accepted, ends, options, sink, wishes).await,
        Some(Upgrade::Failed) => linger(&mut stream).await,
        None => {}
    }
}

/// Looks for a moment whether more comes after a failed handshake: how TCP ends is evidence.
async fn linger<S: AsyncRead + OverTcp + Unpin>(stream: &mut Tap<S>) {
    const MILLIS: u64 = 150;
    const MOST_BYTES: usize = 1024 * 1024;
    let deadline = tokio::time::Instant::now() + Duration::from_millis(MILLIS);
    let mut buffer = vec![0; 16 * 1024];
    let mut total = 0;
    // A server that pours on says nothing new.
    while !stream.has_ended() && total < MOST_BYTES {
        match tokio::time::timeout_at(deadline, stream.read(&mut buffer)).await {
            Ok(Ok(read)) if read > 0 => total += read,
            _ => break,
        }
    }
    // Refusals need not end TCP: that they do not is no time-out.
    stream.see_transport_end(deadline).await.ok();
    stream.look_for_reset().await;
    stream.farewell().await;
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

/// What is to be connected to, and by which way.
#[derive(Debug)]
pub(crate) struct Planned {
    /// The URL taken apart.
    pub(crate) target: Target,
    way: Way,
}

/// Records what was asked for; `None` if nothing can be sent, which the facts tell.
pub(crate) fn plan(options: &ConnectOptions, between: Option<Between>, sink: &Sink) -> Option<Planned> {
    match examine(options, between, sink) {
        Ok(planned) => Some(planned),
        Err(problem) => {
            sink.push(Fact::NotAttempted { problem });
            None
        }
    }
}

/// Records what was asked for and reads the token as it will be sent.
fn examine(options: &ConnectOptions, between: Option<Between>, sink: &Sink) -> Result<Planned, UrlProblem> {
    let parsed = parse_url(&options.url);
    let way = parsed.as_ref().map_or_else(|_| Way::default(), |target| way(options, target));
    let began_unix_millis = wall_clock_unix_millis();
    let sends = |name: &str| options.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    let target = parsed.as_ref().ok();
    let SentToken { place, text: as_sent } = sent_token(options, target);
    let has_token = as_sent.as_deref().is_some_and(|t| !t.is_empty());
    sink.push(Fact::Planned(Box::new(Plan {
        url: options.url.clone(),
        target: target.cloned(),
        began_unix_millis,
        token_place: place,
        credentials: has_token
            || sends("authorization")
            || sends("cookie")
            || names_credential(options, target.map_or("", Target::query))
            || target.is_some_and(|t| t.userinfo.is_some() || between.is_some() && may_hold_credentials(options, t)),
        preset: options.preset,
        origin: parsed.as_ref().map_or_else(|_| options.origin.clone(), |target| request::origin(options, target)),
        subprotocols: request::subprotocols(options),
        extensions: options.extensions.clone(),
        expect: options.expect.clone(),
        time_outs: options.time_outs,
        limit_bytes: options.limit_bytes,
        insecure: options.insecure,
        family: options.family,
        probes: options.probes,
        probes_elsewhere: options.probes_elsewhere,
        backend: options.backend.clone(),
        route: way.route.clone(),
        keep_alive: keep_alive_plan(options),
        claims: options.claims.clone(),
        between,
    })));
    if let Some(text) = way.note.clone() {
        sink.push(Fact::Note { text });
    }
    if let Some(text) = &as_sent {
        let now_unix = began_unix_millis.div_euclid(1000);
        let report = token::examine(text, &options.secrets, now_unix);
        sink.push(Fact::TokenExamined { report: Box::new(report), now_unix });
    }
    if between.is_none() {
        request::check(options)?;
    }
    Ok(Planned { target: parsed?, way })
}

/// Whether what a client of somebody else asks may hold a credential that nobody told us of.
fn may_hold_credentials(options: &ConnectOptions, target: &Target) -> bool {
    let is_browsers = |name: &str| {
        let own = ["accept", "cache-control", "dnt", "pragma", "sec-", "user-agent"];
        own.iter().any(|begin| name.get(..begin.len()).is_some_and(|found| found.eq_ignore_ascii_case(begin)))
    };
    !target.query().is_empty()
        || !options.subprotocols.is_empty()
        || options.headers.iter().any(|(name, _)| !is_browsers(name))
}

fn keep_alive_plan(options: &ConnectOptions) -> KeepAlivePlan {
    let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    KeepAlivePlan {
        ping_millis: options.keep_alive.ping.map(millis),
        pong_millis: millis(options.keep_alive.pong_limit),
        withholds_pongs: options.keep_alive.withhold_pongs,
        reconnects: options.reconnect.map_or(0, |reconnect| reconnect.made),
    }
}
