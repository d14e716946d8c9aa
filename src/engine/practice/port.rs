//! Ports on loopback: shared, own, taken, refused, full, and of the other address family.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, lookup_host};

use super::PracticeError;

/// The listeners of the guide's server.
pub(super) struct Shared {
    /// The IPv4 address.
    pub(super) address: SocketAddr,
    /// IPv4, and IPv6 where there is any.
    pub(super) listeners: Vec<TcpListener>,
}

/// Listens on `port` of 127.0.0.1 and, if this machine has IPv6, of `[::1]`.
///
/// A port that another process has on either address is taken: clients of `localhost` would meet that process.
pub(super) async fn shared(port: u16) -> Result<Shared, PracticeError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let (listener, address) = listen(Ipv4Addr::LOCALHOST.into(), port).await?;
        match listen(Ipv6Addr::LOCALHOST.into(), address.port()).await {
            Ok((second, _)) => {
                return Ok(Shared { address, listeners: vec![listener, second] });
            }
            Err(PracticeError::PortTaken { .. }) if port == 0 && attempt < 8 => {}
            Err(error @ PracticeError::PortTaken { .. }) => return Err(error),
            Err(_) => {
                return Ok(Shared { address, listeners: vec![listener] });
            }
        }
    }
}

/// Listens on a fresh port of 127.0.0.1.
pub(super) async fn own() -> Result<(TcpListener, SocketAddr), PracticeError> {
    listen(Ipv4Addr::LOCALHOST.into(), 0).await
}

/// Listens on a port that browsers refuse to dial.
pub(super) async fn blocked_by_browsers(id: &'static str) -> Result<(TcpListener, SocketAddr), PracticeError> {
    for port in BLOCKED {
        if let Ok(found) = listen(Ipv4Addr::LOCALHOST.into(), port).await {
            return Ok(found);
        }
    }
    Err(PracticeError::CannotStage { id, reason: "all ports that browsers block are taken" })
}

/// A port that refuses, and the socket that keeps others from it.
pub(super) fn without_listener() -> Result<(Socket, SocketAddr), PracticeError> {
    bound(Ipv4Addr::LOCALHOST.into(), 0)
}

/// A port whose queue of new connections is full.
pub(super) async fn with_full_backlog(id: &'static str) -> Result<(Vec<Socket>, SocketAddr), PracticeError> {
    if !cfg!(target_os = "linux") {
        return Err(PracticeError::CannotStage { id, reason: "only Linux drops a SYN when the queue is full" });
    }
    let (listener, address) = bound(Ipv4Addr::LOCALHOST.into(), 0)?;
    let failed = |source| PracticeError::Listen { address, source };
    listener.listen(0).map_err(failed)?;
    let mut sockets = vec![listener];
    for _ in 0..FILLERS {
        let filler = Socket::new(Domain::IPV4, Type::STREAM, None).map_err(failed)?;
        filler.set_nonblocking(true).map_err(failed)?;
        // In progress is all that a filler has to be.
        filler.connect(&address.into()).ok();
        sockets.push(filler);
    }
    // The first of them must have reached the queue before the exercise begins.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    Ok((sockets, address))
}

/// A listener on the loopback address that `localhost` does not resolve to, and a socket that keeps the same port of
/// the other.
pub(super) async fn of_the_other_family(
    id: &'static str,
) -> Result<((TcpListener, SocketAddr), Socket), PracticeError> {
    let unknown = PracticeError::CannotStage { id, reason: "localhost resolves to both families here, or to none" };
    let Ok(addresses) = lookup_host(("localhost", 0)).await else {
        return Err(unknown);
    };
    let addresses: Vec<SocketAddr> = addresses.collect();
    let resolves_to = |wanted: IpAddr| addresses.iter().any(|address| address.ip() == wanted);
    let (v4, v6) = (IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST));
    let (named, other) = match (resolves_to(v4), resolves_to(v6)) {
        (true, false) => (v4, v6),
        (false, true) => (v6, v4),
        (true, true) | (false, false) => return Err(unknown),
    };
    let (held, address) = bound(named, 0)?;
    match listen(other, address.port()).await {
        Ok(listener) => Ok((listener, held)),
        Err(_) => Err(PracticeError::CannotStage { id, reason: "the other address family is not available here" }),
    }
}

async fn listen(ip: IpAddr, port: u16) -> Result<(TcpListener, SocketAddr), PracticeError> {
    let address = SocketAddr::new(ip, port);
    let listener = TcpListener::bind(address).await.map_err(|source| {
        if source.kind() == io::ErrorKind::AddrInUse {
            PracticeError::PortTaken { port, source }
        } else {
            PracticeError::Listen { address, source }
        }
    })?;
    let bound = listener.local_addr().map_err(|source| PracticeError::Listen { address, source })?;
    Ok((listener, bound))
}

/// A socket that has a port and does not listen: the kernel refuses for it.
fn bound(ip: IpAddr, port: u16) -> Result<(Socket, SocketAddr), PracticeError> {
    let address = SocketAddr::new(ip, port);
    let failed = |source| PracticeError::Listen { address, source };
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).map_err(failed)?;
    socket.bind(&address.into()).map_err(failed)?;
    let bound = socket.local_addr().map_err(failed)?.as_socket().unwrap_or(address);
    Ok((socket, bound))
}

/// Ports above 1023 of the list in the Fetch standard, section "port blocking".
const BLOCKED: [u16; 12] = [10080, 6697, 6679, 6669, 6668, 6667, 6666, 6665, 6566, 5061, 5060, 4190];
const FILLERS: usize = 4;
