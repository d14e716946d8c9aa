//! One TCP connection: its addresses, and where each side stands.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::packet::{ACK, FIN, SYN, Segment};
use crate::observation::Direction;

/// One TCP connection.
pub(super) struct Flow {
    /// The server's address as the session knows it.
    pub(super) address: SocketAddr,
    server: SocketAddr,
    client: SocketAddr,
    /// The next sequence number of each side.
    next: [u32; 2],
}

impl Flow {
    /// A connection to `address`, shown on `port`; our end is `own` if that is known, else like `other`.
    pub(super) fn new(
        number: usize,
        address: SocketAddr,
        port: u16,
        own: Option<SocketAddr>,
        other: Option<SocketAddr>,
    ) -> Self {
        let made_up = MADE_UP_PORT.saturating_add(number as u16);
        let other = other.map(|other| other.ip()).filter(|ip| ip.is_ipv4() == address.is_ipv4());
        let ip = if address.ip().is_loopback() { address.ip() } else { other.unwrap_or(unspecified(address.ip())) };
        let client = own.filter(|own| own.is_ipv4() == address.is_ipv4()).unwrap_or(SocketAddr::new(ip, made_up));
        Self { address, server: SocketAddr::new(address.ip(), port), client, next: [0; 2] }
    }

    /// The next packet from one side.
    pub(super) fn packet(&mut self, from: Direction, flags: u8, data: &[u8]) -> Vec<u8> {
        let [ours, theirs] = self.next;
        let (source, target, seq, ack) = match from {
            Direction::ClientToServer => (self.client, self.server, ours, theirs),
            Direction::ServerToClient => (self.server, self.client, theirs, ours),
        };
        let ack = if flags & ACK == 0 { 0 } else { ack };
        let packet = Segment { source, target, seq, ack, flags, data }.to_packet();
        let counted = data.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        if let Some(next) = self.next.get_mut(from.index()) {
            *next = next.wrapping_add(counted);
        }
        packet
    }
}

fn unspecified(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// Where nothing is known, our ports are counted from here, the first of the dynamic ones.
const MADE_UP_PORT: u16 = 49_152;
