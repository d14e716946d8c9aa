//! Where there is no `/proc`: the sockets whose owner the system shows.

use listeners::{Protocol, SocketState};

use super::Socket;

/// Listening sockets of a port; one whose owner is hidden cannot be seen here.
pub(super) fn listening(port: u16) -> Vec<Socket> {
    // What the system hides is left out: an error means that nothing can be said.
    let all = listeners::get_all().unwrap_or_default().into_iter();
    let all = all.filter(|found| {
        found.socket.port() == port && found.protocol == Protocol::TCP && found.state == SocketState::Listen
    });
    all.map(|found| Socket {
        address: found.socket,
        holders: vec![(found.process.pid, found.process.name)],
        waiting: None,
    })
    .collect()
}
