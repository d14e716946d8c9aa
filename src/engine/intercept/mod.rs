//! Standing between a browser and its server: a local port whose every connection is relayed and recorded.
//!
//! The listener reads the head of each request, so that the session can be planned: its URL is the target with the path and
//! query that the browser asked for. From then on a session of somebody else is one like our own, but that
//! [`relay`] moves bytes in place of an endpoint of ours. What asks for no WebSocket, the page itself say, is relayed and not
//! recorded.

mod guest;
mod relay;
mod witness;

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use super::ConnectOptions;
use super::Event;
use super::mailbox::Mailbox;
use crate::observation::Between;
use crate::wire::{Target, UrlProblem, parse_url};

pub(super) use guest::Guest;
pub(super) use relay::run;

/// What is listened for, and where it goes.
#[derive(Clone, Debug)]
pub struct InterceptOptions {
    /// Where to listen; with a port of 0 any free one. On `127.0.0.1` the same port of `[::1]` is listened on as well, where
    /// that is possible: `localhost` may be either.
    pub listen: SocketAddr,
    /// The target's URL, and how every connection to it is made; path and query are the client's own.
    pub connect: ConnectOptions,
    /// Put the target's name into `Host`; every other byte goes through as it is.
    pub renames: bool,
    /// Where the server refuses or drops a connection, tell its client why: by a Close frame with [`TOLD_CODE`] and the cause.
    pub tells: bool,
}

/// The close code that clients are told causes with.
pub const TOLD_CODE: u16 = 4999;

/// Why nothing is intercepted.
#[derive(Debug, thiserror::Error)]
pub enum InterceptError {
    /// The target is no URL that can be connected to.
    #[error("the target cannot be connected to: {}", .0.message)]
    Target(UrlProblem),
    /// Unix sockets have no place for a client's path.
    #[error("a Unix socket cannot be the target")]
    Socket,
    /// Every connection would come back to the listener.
    #[error("port {port} would relay to itself: listen on another port than the server's")]
    Itself {
        /// The port.
        port: u16,
    },
    /// Nothing can listen there.
    #[error("listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// A listener; dropped, it takes no more connections, and those that go through it go on.
pub(super) struct Intercept {
    address: SocketAddr,
    task: AbortHandle,
}

/// What every connection of a listener has in common.
struct Desk {
    options: InterceptOptions,
    target: Target,
    guests: mpsc::Sender<(Guest, ConnectOptions)>,
    mailbox: Arc<Mailbox>,
}

impl Intercept {
    /// Listens, and hands over each client with what it asks for.
    pub(super) async fn start(
        options: InterceptOptions,
        guests: mpsc::Sender<(Guest, ConnectOptions)>,
        mailbox: Arc<Mailbox>,
    ) -> Result<Self, InterceptError> {
        let target = parse_url(&options.connect.url).map_err(InterceptError::Target)?;
        if target.socket.is_some() {
            return Err(InterceptError::Socket);
        }
        if is_same(&target, options.listen) {
            return Err(InterceptError::Itself { port: target.port });
        }
        let failed = |source| InterceptError::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let twin = match address.ip() {
            IpAddr::V4(ip) if ip.is_loopback() => {
                // Without IPv6, or where somebody else has the port, IPv4 has to do.
                TcpListener::bind((Ipv6Addr::LOCALHOST, address.port())).await.ok()
            }
            IpAddr::V4(_) | IpAddr::V6(_) => None,
        };
        let desk = Arc::new(Desk { options, target, guests, mailbox });
        let task = tokio::spawn(attend(desk, listener, twin)).abort_handle();
        Ok(Self { address, task })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Intercept {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether who listens there is the target.
fn is_same(target: &Target, listen: SocketAddr) -> bool {
    let is_here = target.is_loopback() && (listen.ip().is_loopback() || listen.ip().is_unspecified());
    listen.port() == target.port && (is_here || target.host.parse() == Ok(listen.ip()))
}

/// Takes connections until the listener is dropped.
async fn attend(desk: Arc<Desk>, listener: TcpListener, twin: Option<TcpListener>) {
    let mut greetings = JoinSet::new();
    loop {
        let from_twin = async {
            match &twin {
                Some(twin) => twin.accept().await,
                None => std::future::pending().await,
            }
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            accepted = from_twin => accepted,
            Some(_greeted) = greetings.join_next() => continue,
        };
        match accepted {
            Ok((stream, client)) => {
                greetings.spawn(greet(Arc::clone(&desk), stream, client));
            }
            Err(error) => {
                tracing::debug!(%error, "a client could not be accepted");
                // Out of file descriptors: others have to go first.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Reads what a client asks for, and hands it over.
async fn greet(desk: Arc<Desk>, mut stream: TcpStream, client: SocketAddr) {
    let Ok(listens) = stream.local_addr() else { return };
    // Without it small messages wait a little.
    stream.set_nodelay(true).ok();
    let ignored = |why: &str| desk.mailbox.put(Event::InterceptIgnored { client, why: why.to_owned() });
    let (head, read) = match timeout(HEAD_LIMIT, guest::read_head(&mut stream)).await {
        Ok(guest::First::Request(head, read)) => (head, read),
        // Browsers connect ahead of time, and need not ask for anything.
        Ok(guest::First::Nothing) => return,
        Ok(guest::First::TooLong) => return ignored("the head of its request is too long"),
        Ok(guest::First::Tls) => return ignored("it speaks TLS: the page has to use ws here, not wss"),
        Ok(guest::First::NotHttp) => return ignored("it does not speak HTTP"),
        Err(_elapsed) => return ignored("it asked for nothing in time"),
    };
    let InterceptOptions { connect, renames, tells, .. } = &desk.options;
    let between = Between { client, listens, renames: *renames, tells: *tells };
    let options = guest::options(connect, &desk.target, &head);
    let first = if *renames { guest::renamed(&read, &head, &desk.target.host_header()) } else { read };
    // An error means that the program ends.
    desk.guests.send((Guest::new(stream, between, first), options)).await.ok();
}

/// How long a client may take for the head of its request.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
