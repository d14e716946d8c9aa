//! From a host to a TCP connection: the name resolved, each address tried and reported apart.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use dns_lookup::{AddrInfoHints, LookupErrorKind, SockType, getaddrinfo};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::failure::{io_failure, timed_out};
use crate::engine::sink::Sink;
use crate::observation::{Deadline, Fact, Family, ResolveFailure, ResolveKind};

/// How long an attempt is alone before the next address is tried beside it (RFC 8305 §5).
const STAGGER: Duration = Duration::from_millis(250);

/// Resolves and connects; `None` if no address answered, which the facts tell.
///
/// For `localhost` the loopback address that the resolver left out is tried as well, last; that it answers is evidence,
/// but the session does not go through it.
pub(crate) async fn connect(
    host: &str,
    port: u16,
    family: Family,
    limit_millis: u64,
    sink: &Sink,
) -> Option<TcpStream> {
    let limit = Duration::from_millis(limit_millis);
    let (given, added) = resolve(host, family, limit_millis, sink).await?;
    let mut waiting =
        given.into_iter().chain(added.clone()).collect::<Vec<_>>().into_iter().map(|ip| SocketAddr::new(ip, port));
    let mut running: JoinSet<(SocketAddr, std::io::Result<TcpStream>)> = JoinSet::new();
    let mut in_flight: Vec<SocketAddr> = Vec::new();
    loop {
        if let Some(address) = waiting.next() {
            sink.push(Fact::TcpStarted { address });
            in_flight.push(address);
            running.spawn(async move {
                let result = match timeout(limit, TcpStream::connect(address)).await {
                    Ok(result) => result,
                    Err(_elapsed) => Err(std::io::ErrorKind::TimedOut.into()),
                };
                (address, result)
            });
        }
        let more = waiting.len() > 0;
        let joined = if more {
            let Ok(joined) = timeout(STAGGER, running.join_next()).await else {
                continue;
            };
            joined
        } else {
            running.join_next().await
        };
        let Some(Ok((address, result))) = joined else {
            if more {
                continue;
            }
            return None;
        };
        in_flight.retain(|a| *a != address);
        match result {
            Ok(stream) => {
                sink.push(Fact::TcpConnected { address, local: stream.local_addr().ok() });
                for address in in_flight {
                    sink.push(Fact::TcpAbandoned { address });
                }
                if added.contains(&address.ip()) {
                    // Clients that take what the resolver gives are refused here: going on would hide it.
                    return None;
                }
                // Without this a small frame can wait 40 ms for the answer to the one before it.
                stream.set_nodelay(true).ok();
                return Some(stream);
            }
            Err(error) => {
                let failure = if error.raw_os_error().is_none() { timed_out(limit_millis) } else { io_failure(&error) };
                sink.push(Fact::TcpFailed { address, failure });
            }
        }
    }
}

async fn resolve(host: &str, family: Family, limit_millis: u64, sink: &Sink) -> Option<(Vec<IpAddr>, Vec<IpAddr>)> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Some((vec![ip], Vec::new()));
    }
    sink.push(Fact::ResolveStarted { host: host.to_owned() });
    let name = host.to_owned();
    let task = tokio::task::spawn_blocking(move || look_up(&name));
    let result = match timeout(Duration::from_millis(limit_millis), task).await {
        Ok(Ok(result)) => result,
        Ok(Err(join)) => Err(ResolveFailure { kind: ResolveKind::Other, code: None, text: join.to_string() }),
        Err(_elapsed) => {
            sink.push(Fact::TimedOut { deadline: Deadline::Resolve, millis: limit_millis });
            let text = format!("no answer from the resolver within {limit_millis} ms");
            Err(ResolveFailure { kind: ResolveKind::TryAgain, code: None, text })
        }
    };
    let is_localhost = host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost");
    match result {
        Ok(addresses) => {
            let mut added = Vec::new();
            if is_localhost {
                let both = [IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)];
                added.extend(both.into_iter().filter(|ip| !addresses.contains(ip)));
            }
            sink.push(Fact::Resolved { addresses: addresses.clone(), added: added.clone() });
            let wanted = |ip: &IpAddr| match family {
                Family::Auto => true,
                Family::Ipv4 => ip.is_ipv4(),
                Family::Ipv6 => ip.is_ipv6(),
            };
            let given: Vec<IpAddr> = addresses.into_iter().filter(wanted).collect();
            added.retain(wanted);
            if given.is_empty() && added.is_empty() {
                let text = "the name has no address of the family asked for".to_owned();
                sink.push(Fact::ResolveFailed(ResolveFailure { kind: ResolveKind::NoSuchName, code: None, text }));
                return None;
            }
            Some((given, added))
        }
        Err(failure) => {
            sink.push(Fact::ResolveFailed(failure));
            None
        }
    }
}

/// The name of a resolver's error, as its manual has it (RFC 3493 §6.1).
fn eai_name(kind: LookupErrorKind) -> &'static str {
    match kind {
        LookupErrorKind::Again => "EAI_AGAIN",
        LookupErrorKind::Badflags => "EAI_BADFLAGS",
        LookupErrorKind::NoName => "EAI_NONAME",
        LookupErrorKind::NoData => "EAI_NODATA",
        LookupErrorKind::Fail => "EAI_FAIL",
        LookupErrorKind::Family => "EAI_FAMILY",
        LookupErrorKind::Socktype => "EAI_SOCKTYPE",
        LookupErrorKind::Service => "EAI_SERVICE",
        LookupErrorKind::Memory => "EAI_MEMORY",
        LookupErrorKind::System => "EAI_SYSTEM",
        _ => "error",
    }
}

fn look_up(host: &str) -> Result<Vec<IpAddr>, ResolveFailure> {
    let hints = AddrInfoHints { socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
    let found = getaddrinfo(Some(host), None, Some(hints)).map_err(|error| {
        let kind = match error.kind() {
            LookupErrorKind::NoName | LookupErrorKind::NoData => ResolveKind::NoSuchName,
            LookupErrorKind::Again => ResolveKind::TryAgain,
            _ => ResolveKind::Other,
        };
        let (name, number) = (eai_name(error.kind()), error.error_num());
        let text = std::io::Error::from(error).to_string();
        let text = format!("{} ({name} {number})", text.rsplit(": ").next().unwrap_or(&text));
        ResolveFailure { kind, code: Some(number), text }
    })?;
    let mut addresses = Vec::new();
    for info in found.flatten() {
        let ip = info.sockaddr.ip();
        if !addresses.contains(&ip) {
            addresses.push(ip);
        }
    }
    Ok(addresses)
}
