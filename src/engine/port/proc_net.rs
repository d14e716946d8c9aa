//! Linux: `/proc/net/tcp` and `tcp6` name every listening socket, whoever owns it, and how many connections wait there.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The state column of a listening socket.
const LISTEN: &str = "0A";

/// Listening sockets of a port, with the number of connections that wait to be accepted.
pub(super) fn listening(port: u16) -> Vec<(SocketAddr, u32)> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    // A table that cannot be read has nothing to tell.
    let texts = tables.into_iter().filter_map(|path| fs::read_to_string(path).ok());
    texts.flat_map(|text| read_table(&text, port)).collect()
}

fn read_table(text: &str, port: u16) -> Vec<(SocketAddr, u32)> {
    text.lines().skip(1).filter_map(read_row).filter(|(address, _)| address.port() == port).collect()
}

/// `sl local_address rem_address st tx_queue:rx_queue …`; for a listening socket `rx_queue` counts what waits.
fn read_row(row: &str) -> Option<(SocketAddr, u32)> {
    let mut columns = row.split_whitespace().skip(1);
    let local = columns.next()?;
    let state = columns.nth(1)?;
    let queues = columns.next()?;
    if state != LISTEN {
        return None;
    }
    let (ip, port) = local.split_once(':')?;
    let (_, waiting) = queues.split_once(':')?;
    let address = SocketAddr::new(read_ip(ip)?, u16::from_str_radix(port, 16).ok()?);
    Some((address, u32::from_str_radix(waiting, 16).ok()?))
}

/// Words of 32 bits in the byte order of the machine.
fn read_ip(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    match hex.len() {
        8 => Some(IpAddr::V4(Ipv4Addr::from(word(0)?))),
        32 => {
            let bytes: Vec<u8> = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
            Some(IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_endian = "little")]
    #[test]
    fn rows_are_read_and_others_passed_over() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n\
            0: 0100007F:0BB9 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 1 1\n\
            1: 0100007F:0BB9 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 2 1\n\
            2: 00000000:0BBA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3 1\n\
            3: zz:0BB9 00000000:0000 0A x\n4:\n";
        assert_eq!(read_table(table, 3001), [("127.0.0.1:3001".parse().unwrap(), 3)]);
        let six = "head\n 0: 00000000000000000000000001000000:0BB9 0:0 0A 00000000:00000000 rest\n";
        assert_eq!(read_table(six, 3001), [("[::1]:3001".parse().unwrap(), 0)]);
    }
}
