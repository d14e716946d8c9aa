//! What the system's TCP holds of a connection: queues and retransmits, without privileges and without unsafe code.
//!
//! Only Linux tells it in a file; elsewhere it is plainly not known.

use std::net::SocketAddr;

use crate::observation::TcpQueues;

/// Both ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    /// Ours.
    pub(super) local: SocketAddr,
    /// The server's, or the proxy's.
    pub(super) remote: SocketAddr,
}

/// The queues of a connection; `None` where the system does not tell.
pub(super) async fn queues(ends: Ends) -> Option<TcpQueues> {
    tokio::task::spawn_blocking(move || system::queues(ends)).await.ok().flatten()
}

#[cfg(target_os = "linux")]
mod system {
    use std::io::{BufRead as _, BufReader};
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

    use super::Ends;
    use crate::observation::TcpQueues;

    pub(super) fn queues(ends: Ends) -> Option<TcpQueues> {
        let mut ours: Option<TcpQueues> = None;
        let mut unread_there = None;
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            let Ok(file) = std::fs::File::open(table) else { continue };
            for line in BufReader::new(file).lines().skip(1) {
                let Ok(line) = line else { break };
                let Some(row) = Row::parse(&line) else { continue };
                if (row.local, row.remote) == (ends.local, ends.remote) {
                    ours = Some(row.queues());
                } else if (row.local, row.remote) == (ends.remote, ends.local) {
                    unread_there = Some(row.unread_bytes);
                }
            }
        }
        ours.map(|ours| TcpQueues { peer_unread_bytes: unread_there, ..ours })
    }

    /// A row of the table (`Documentation/networking/proc_net_tcp` of the kernel).
    #[derive(Debug, PartialEq, Eq)]
    struct Row {
        local: SocketAddr,
        remote: SocketAddr,
        unacknowledged_bytes: u64,
        unread_bytes: u64,
        timer: u8,
        retransmits: u32,
    }

    impl Row {
        fn parse(line: &str) -> Option<Self> {
            let mut words = line.split_whitespace();
            let (_, local, remote, _state) = (words.next()?, words.next()?, words.next()?, words.next()?);
            let (queued, unread) = words.next()?.split_once(':')?;
            let (timer, _when) = words.next()?.split_once(':')?;
            let number = |text: &str| u64::from_str_radix(text, 16).ok();
            Some(Self {
                local: address(local)?,
                remote: address(remote)?,
                unacknowledged_bytes: number(queued)?,
                unread_bytes: number(unread)?,
                timer: u8::from_str_radix(timer, 16).ok()?,
                retransmits: u32::from_str_radix(words.next()?, 16).ok()?,
            })
        }

        fn queues(&self) -> TcpQueues {
            TcpQueues {
                unacknowledged_bytes: self.unacknowledged_bytes,
                unread_bytes: self.unread_bytes,
                // Timer 1 waits to send data again, timer 4 probes a closed window.
                retransmits: if self.timer == 1 { self.retransmits } else { 0 },
                is_window_closed: self.timer == 4,
                peer_unread_bytes: None,
            }
        }
    }

    /// `0100007F:0BB9`: words of 32 bits in the machine's own order, then the port.
    fn address(text: &str) -> Option<SocketAddr> {
        let (ip, port) = text.split_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        let word = |at: usize| Some(u32::from_str_radix(ip.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
        let ip = match ip.len() {
            8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
            32 => {
                let mut bytes = [0; 16];
                for (nth, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                    chunk.copy_from_slice(&word(nth * 8)?);
                }
                Ipv6Addr::from(bytes).to_canonical()
            }
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn rows_are_read_and_others_are_not() {
            let line = "  12: 0100007F:D431 0100007F:0BB9 01 0000002A:00000007 01:00000014 00000003     0        0 1 2 0 \
                20 4 30 10 -1";
            let row = Row::parse(line).unwrap();
            let (local, remote) = ("127.0.0.1:54321".parse().unwrap(), "127.0.0.1:3001".parse().unwrap());
            assert_eq!((row.local, row.remote), (local, remote));
            let wanted =
                TcpQueues { unacknowledged_bytes: 42, unread_bytes: 7, retransmits: 3, ..TcpQueues::default() };
            assert_eq!(row.queues(), wanted);
            let mapped = "0000000000000000FFFF00000100007F:0BB9";
            assert_eq!(address(mapped), Some(remote));
            for odd in ["", "  sl  local_address", "1: x y 01 0:0 0:0 0", "1: 0100007F:1 0100007F:2 01 00:00"] {
                assert_eq!(Row::parse(odd), None, "{odd}");
            }
        }

        #[test]
        fn bytes_that_nobody_reads_are_seen_from_both_ends() {
            use std::io::Write as _;
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (_server, _) = listener.accept().unwrap();
            client.write_all(b"hello").unwrap();
            let ends = Ends { local: client.local_addr().unwrap(), remote: client.peer_addr().unwrap() };
            assert_eq!(queues(ends).unwrap().peer_unread_bytes, Some(5));
            assert_eq!(queues(Ends { local: ends.local, remote: ends.local }), None);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::Ends;
    use crate::observation::TcpQueues;

    pub(super) fn queues(_ends: Ends) -> Option<TcpQueues> {
        None
    }
}
