//! IP packets with one TCP segment each (RFC 791, RFC 8200, RFC 9293).

use std::net::{IpAddr, SocketAddr};

/// The flags of a TCP segment.
pub(super) const FIN: u8 = 0x01;
pub(super) const SYN: u8 = 0x02;
pub(super) const RST: u8 = 0x04;
pub(super) const PSH: u8 = 0x08;
pub(super) const ACK: u8 = 0x10;

/// A segment on its way.
pub(super) struct Segment<'a> {
    pub(super) source: SocketAddr,
    pub(super) target: SocketAddr,
    pub(super) seq: u32,
    pub(super) ack: u32,
    pub(super) flags: u8,
    pub(super) data: &'a [u8],
}

impl Segment<'_> {
    /// The IP packet around it.
    pub(super) fn to_packet(&self) -> Vec<u8> {
        let mut tcp = self.tcp();
        let len = tcp.len() + self.data.len();
        let mut sum = Checksum::default();
        let mut packet = Vec::with_capacity(len + 40);
        match (self.source.ip(), self.target.ip()) {
            (IpAddr::V4(source), IpAddr::V4(target)) => {
                packet.extend_from_slice(&[0x45, 0]);
                packet.extend_from_slice(&((len + 20) as u16).to_be_bytes());
                // Not fragmented; 64 hops; TCP.
                packet.extend_from_slice(&[0, 0, 0x40, 0, 64, TCP, 0, 0]);
                packet.extend_from_slice(&source.octets());
                packet.extend_from_slice(&target.octets());
                let mut own = Checksum::default();
                own.add(&packet);
                put(&mut packet, 10, own.finish());
                sum.add(&source.octets());
                sum.add(&target.octets());
            }
            (source, target) => {
                let octets = |ip: IpAddr| match ip {
                    IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
                    IpAddr::V6(ip) => ip.octets(),
                };
                packet.extend_from_slice(&[0x60, 0, 0, 0]);
                packet.extend_from_slice(&(len as u16).to_be_bytes());
                packet.extend_from_slice(&[TCP, 64]);
                packet.extend_from_slice(&octets(source));
                packet.extend_from_slice(&octets(target));
                sum.add(&octets(source));
                sum.add(&octets(target));
            }
        }
        sum.add(&[0, TCP]);
        sum.add(&(len as u16).to_be_bytes());
        sum.add(&tcp);
        sum.add(self.data);
        put(&mut tcp, 16, sum.finish());
        packet.extend_from_slice(&tcp);
        packet.extend_from_slice(self.data);
        packet
    }

    /// The TCP header, its checksum zero.
    fn tcp(&self) -> Vec<u8> {
        // A maximum segment size, and a window of a gigabyte, so that nothing looks like a full one.
        let options: &[u8] = if self.flags & SYN == 0 { &[] } else { &[2, 4, 0xFF, 0xD7, 3, 3, 14, 1] };
        let mut out = Vec::with_capacity(28);
        out.extend_from_slice(&self.source.port().to_be_bytes());
        out.extend_from_slice(&self.target.port().to_be_bytes());
        out.extend_from_slice(&self.seq.to_be_bytes());
        out.extend_from_slice(&self.ack.to_be_bytes());
        out.push((((20 + options.len()) / 4) << 4) as u8);
        out.push(self.flags);
        out.extend_from_slice(&0xFFFF_u16.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(options);
        out
    }
}

/// The Internet checksum (RFC 1071); every part but the last must have an even length.
#[derive(Default)]
struct Checksum(u64);

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        let (pairs, rest) = bytes.as_chunks::<2>();
        self.0 += pairs.iter().map(|pair| u64::from(u16::from_be_bytes(*pair))).sum::<u64>();
        self.0 += rest.iter().map(|byte| u64::from(*byte) << 8).sum::<u64>();
    }

    fn finish(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xFFFF {
            sum = (sum & 0xFFFF) + (sum >> 16);
        }
        !(sum as u16)
    }
}

fn put(bytes: &mut [u8], at: usize, value: u16) {
    if let Some(place) = bytes.get_mut(at..at + 2) {
        place.copy_from_slice(&value.to_be_bytes());
    }
}

const TCP: u8 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_right() {
        // The example of RFC 1071 §3.
        let mut sum = Checksum::default();
        sum.add(&[0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7]);
        assert_eq!(sum.finish(), !0xDDF2);
        for (source, target) in [("127.0.0.1:1", "127.0.0.1:80"), ("[::1]:1", "[::1]:80")] {
            let (source, target) = (source.parse().unwrap(), target.parse().unwrap());
            let packet = Segment { source, target, seq: 1, ack: 2, flags: PSH | ACK, data: b"odd" }.to_packet();
            let head = if source.is_ipv4() { 20 } else { 40 };
            let mut sum = Checksum::default();
            sum.add(if source.is_ipv4() { &packet[12..20] } else { &packet[8..40] });
            sum.add(&[0, TCP, 0, 23]);
            sum.add(&packet[head..]);
            assert_eq!(sum.finish(), 0, "a sum over a right checksum is zero");
            assert_eq!((packet.len(), packet[head + 13]), (head + 23, 0x18));
        }
    }
}
