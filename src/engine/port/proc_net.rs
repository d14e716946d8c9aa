//! Linux: `/proc/net/tcp` and `tcp6` name every listening socket, whoever owns it, and how many connections wait there;
//! `/proc/PID/fd` tells which processes hold it.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Socket;

/// The state column of a listening socket.
const LISTEN: &str = "0A";

/// A row of a table: a listening socket, how many connections wait there, and its number in the file system.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    address: SocketAddr,
    waiting: u32,
    inode: String,
}

/// Listening sockets of a port.
pub(super) fn listening(port: u16) -> Vec<Socket> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    // A table that cannot be read has nothing to tell.
    let texts = tables.into_iter().filter_map(|path| fs::read_to_string(path).ok());
    let rows: Vec<Row> = texts.flat_map(|text| read_table(&text, port)).collect();
    let links: Vec<String> = rows.iter().map(|row| format!("socket:[{}]", row.inode)).collect();
    let mut holders = vec![Vec::new(); rows.len()];
    if !rows.is_empty() {
        for pid in numbers("/proc") {
            for nth in held(pid, &links) {
                if let Some(holders) = holders.get_mut(nth) {
                    holders.push((pid, name(pid)));
                }
            }
        }
    }
    let found = rows.into_iter().zip(holders);
    found.map(|(row, holders)| Socket { address: row.address, holders, waiting: Some(row.waiting) }).collect()
}

/// The entries of a folder that are numbers; none where the system does not let us look, or it is gone.
fn numbers(folder: &str) -> Vec<u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Which of these links a process has open.
fn held(pid: u32, links: &[String]) -> Vec<usize> {
    let folder = format!("/proc/{pid}/fd");
    let open = numbers(&folder).into_iter().filter_map(|fd| fs::read_link(format!("{folder}/{fd}")).ok());
    let mut held: Vec<usize> =
        open.filter_map(|link| links.iter().position(|wanted| link.as_os_str() == wanted.as_str())).collect();
    held.sort_unstable();
    held.dedup();
    held
}

/// The short name of a process.
fn name(pid: u32) -> String {
    // A process that has just ended has no name any more.
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned()
}

/// The listening sockets of a port; the system lists one twice if others come and go while the table is read.
fn read_table(text: &str, port: u16) -> Vec<Row> {
    let mut seen = BTreeSet::new();
    let rows = text.lines().skip(1).filter_map(read_row).filter(|row| row.address.port() == port);
    rows.filter(|row| seen.insert((row.address, row.inode.clone()))).collect()
}

/// `sl local_address rem_address st tx_queue:rx_queue tr:when retrnsmt uid timeout inode …`; for a listening socket
/// `rx_queue` counts what waits.
fn read_row(row: &str) -> Option<Row> {
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
    let inode = columns.nth(4)?.to_owned();
    Some(Row { address, waiting: u32::from_str_radix(waiting, 16).ok()?, inode })
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
            0: 0100007F:0BB9 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 17 1\n\
            1: 0100007F:0BB9 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 2 1\n\
            2: 00000000:0BBA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3 1\n\
            3: zz:0BB9 00000000:0000 0A x\n4:\n5: 0100007F:0BB9 0:0 0A 00000000:00000000 00:0 0 0\n\
            6: 0100007F:0BB9 00000000:0000 0A 00000000:00000001 00:00000000 00000000     0        0 17 1\n";
        let row = |address: &str, waiting, inode: &str| Row {
            address: address.parse().unwrap(),
            waiting,
            inode: inode.to_owned(),
        };
        assert_eq!(read_table(table, 3001), [row("127.0.0.1:3001", 3, "17")]);
        let six = "head\n 0: 00000000000000000000000001000000:0BB9 0:0 0A 00000000:00000000 00:0 0 1000 0 18 rest\n";
        assert_eq!(read_table(six, 3001), [row("[::1]:3001", 0, "18")]);
    }
}
