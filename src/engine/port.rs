//! Who listens on a port of this machine: the process where the system tells it, else the bare socket.
//!
//! Reads tables of the system and never talks to anybody. Blocks for some milliseconds; start at [`listeners`].

#[cfg(target_os = "linux")]
#[path = "port/proc_net.rs"]
mod sockets;
#[cfg(not(target_os = "linux"))]
#[path = "port/no_table.rs"]
mod sockets;

use std::iter::successors;
use std::net::SocketAddr;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use crate::observation::{Listener, Process};
use crate::token::find_tokens;

/// A listening socket as the system's table tells it.
struct Socket {
    address: SocketAddr,
    /// The processes that hold it: id and short name; none where the system hides them.
    holders: Vec<(u32, String)>,
    /// Connections that wait to be accepted, where the system tells.
    waiting: Option<u32>,
}

/// Every listening TCP socket of a port, once for each process that holds it, in the order of their addresses.
pub(crate) fn listeners(port: u16) -> Vec<Listener> {
    let mut all: Vec<Listener> = Vec::new();
    let mut system = System::new().ok();
    for Socket { address, holders, waiting } in sockets::listening(port) {
        if holders.is_empty() {
            all.push(Listener { address, process: None, waiting });
        }
        for (pid, name) in holders {
            let process = Some(describe(system.as_mut(), pid, name));
            all.push(Listener { address, process, waiting });
        }
    }
    all.sort_by_key(|listener| (listener.address, listener.process.as_ref().map(|process| process.pid)));
    all.dedup();
    all
}

/// Whether one of these processes, or one that it has started, listens on a port.
pub(crate) fn is_listened_by(port: u16, pids: &[u32]) -> bool {
    let Ok(mut system) = System::new() else { return false };
    let mut parent = |pid: Pid| {
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, ProcessRefreshKind::nothing());
        system.process(pid)?.parent()
    };
    let holders = sockets::listening(port).into_iter().flat_map(|socket| socket.holders);
    holders.map(|(pid, _)| Pid::from_u32(pid)).any(|holder| {
        let mut line = successors(Some(holder), |pid| parent(*pid)).take(MOST_PARENTS);
        line.any(|pid| pids.contains(&pid.as_u32()))
    })
}

fn describe(system: Option<&mut System>, pid: u32, name: String) -> Process {
    let known = Pid::from_u32(pid);
    let what = ProcessRefreshKind::nothing().with_cmd(UpdateKind::Always);
    let found = system.and_then(|system| {
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[known]), true, what);
        system.process(known)
    });
    let (command, started_unix) = match found {
        Some(process) => {
            let words: Vec<String> = process.cmd().iter().map(|word| word.to_string_lossy().into_owned()).collect();
            (command_line(&words), i64::try_from(process.start_time()).ok().filter(|secs| *secs > 0))
        }
        None => (String::new(), None),
    };
    Process { pid, name, command, started_unix }
}

/// The words of a command line with every value that may be a secret left out.
fn command_line(words: &[String]) -> String {
    let mut shown: Vec<String> = Vec::new();
    let mut hides_next = false;
    for word in words.iter().take(MOST_WORDS) {
        let lower = word.to_ascii_lowercase();
        let names_secret = SECRET_WORDS.iter().any(|secret| lower.contains(secret));
        if std::mem::take(&mut hides_next) && !word.starts_with('-') {
            shown.push("…".to_owned());
        } else if let (true, Some((name, _))) = (names_secret, word.split_once('=')) {
            shown.push(format!("{name}=…"));
        } else if !find_tokens(word).is_empty() || word.contains("://") && word.contains('@') {
            shown.push("…".to_owned());
        } else {
            hides_next = names_secret && word.starts_with('-');
            shown.push(word.chars().map(|c| if c.is_control() { ' ' } else { c }).collect());
        }
    }
    let line = shown.join(" ");
    if line.chars().count() <= MOST_CHARS { line } else { line.chars().take(MOST_CHARS).chain(['…']).collect() }
}

const SECRET_WORDS: &[&str] = &["secret", "token", "passw", "key", "auth", "credential"];
const MOST_WORDS: usize = 64;
/// Processes that started one another, a shell and a watcher among them.
const MOST_PARENTS: usize = 32;
const MOST_CHARS: usize = 200;

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn our_own_listener_is_found_with_its_process() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let found = listeners(address.port());
        let [found] = found.as_slice() else { panic!("{found:?}") };
        assert!(found.address == address && found.takes(address));
        let process = found.process.as_ref().unwrap();
        assert_eq!(process.pid, std::process::id());
        assert!(is_listened_by(address.port(), &[1, process.pid]) && !is_listened_by(address.port(), &[u32::MAX]));
        assert!(process.started_unix.is_some_and(|secs| secs > 1_500_000_000), "{process:?}");
        drop(listener);
        assert!(listeners(address.port()).is_empty());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_socket_that_two_processes_share_is_listed_for_both() {
        use std::io::{BufRead as _, BufReader};
        use std::os::fd::AsFd as _;
        use std::process::{Command, Stdio};

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = listener.as_fd().try_clone_to_owned().unwrap();
        let mut child = Command::new("sh")
            .args(["-c", "echo up; read _"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(shared)
            .spawn()
            .unwrap();
        let mut up = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut up).unwrap();
        let pids: Vec<_> = listeners(address.port()).into_iter().map(|found| found.process.unwrap().pid).collect();
        assert!(is_listened_by(address.port(), &[child.id()]), "{pids:?}");
        assert!(pids.len() == 2 && pids.contains(&std::process::id()) && pids.contains(&child.id()), "{pids:?}");
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn secrets_of_a_command_line_are_left_out() {
        let line = |words: &[&str]| command_line(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        assert_eq!(line(&["node", "server.js", "--port", "3001"]), "node server.js --port 3001");
        assert_eq!(line(&["node", "--jwt-secret", "s3cret", "x"]), "node --jwt-secret … x");
        assert_eq!(line(&["a", "--api-key=abc", "TOKEN=def"]), "a --api-key=… TOKEN=…");
        assert_eq!(line(&["a", "postgres://u:p@h/db", "b\nc"]), "a … b c");
        assert_eq!(line(&["x".repeat(500).as_str()]).chars().count(), MOST_CHARS + 1);
    }
}
