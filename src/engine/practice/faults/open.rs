//! Faults after a good 101 in which no Close frame says why.

use super::super::fault::{Expected, Fault, Setting};
use super::super::guide::Twist;
use super::super::script::Step;

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(
        "confirmation-missing",
        "unconfirmed",
        "No confirmation",
        "The connection is open and pings are answered, but the message that says so never comes. The server waits \
         for the client to speak first, or its handler stopped. Look at its console.",
        Setting::Guide(Twist::NoConfirmation),
    )
    .silent(),
    Fault::new(
        "confirmation-mismatch",
        "unconfirmed",
        "Another first message",
        "A first message came, and it is not the one expected: here the server says that it does not know the agent. \
         Compare the two.",
        Setting::Guide(Twist::OtherMessage("{\"type\":\"error\",\"message\":\"Agent not found\"}")),
    )
    .confirm(Expected::Contains("\"type\":\"ready\""))
    .silent(),
    dies(
        "server-process-died",
        "fin",
        "The process dies after the confirmation",
        "The confirmation came, then TCP ended without a Close frame and the port refuses: the process ended, which \
         a browser shows as 1006 and nothing more. The server's console or exit code says why.",
        &[Step::Accept, Step::Confirm, Step::Wait(150), Step::Die, Step::Fin],
    ),
    dies(
        "server-process-died-at-once",
        "fin",
        "The process dies at the 101",
        "The 101 came, then TCP ended and the port refuses: an exception in the connection handler ended the \
         process. The server's console has the stack trace.",
        &[Step::Accept, Step::Die, Step::Fin],
    )
    .cause("server-process-died"),
    dies(
        "server-process-died-before-confirm",
        "fin",
        "The process dies before the confirmation",
        "The connection was open for a moment without a message, then TCP ended and the port refuses. An unhandled \
         rejection ends a Node process in this way. Look at the console.",
        &[Step::Accept, Step::Wait(200), Step::Die, Step::Fin],
    )
    .cause("server-process-died"),
    dies(
        "server-process-died-mid-frame",
        "fin",
        "The process dies within a frame",
        "A frame announced more than came, then TCP ended and the port refuses: the process ended while it was \
         sending. Look at its console or exit code.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x82\x7e\x04\x00half of it"), Step::Wait(50), Step::Die, Step::Fin],
    )
    .cause("server-process-died")
    .findings(&["frame-truncated"]),
    dies(
        "server-process-died-mid-message",
        "fin",
        "The process dies within a message",
        "A fragmented message was begun and never finished, then TCP ended and the port refuses. Look at the \
         server's console or exit code.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x01\x05Hello"), Step::Wait(50), Step::Die, Step::Fin],
    )
    .cause("server-process-died")
    .findings(&["fragment-unfinished"]),
    dies(
        "server-process-died-before-101",
        "upgrade-cut",
        "The process dies in the upgrade listener",
        "TCP ended without a byte of an answer and the port refuses: an exception in the upgrade listener or in \
         verifyClient ended the process. The console has the stack trace.",
        &[Step::Die, Step::Fin],
    )
    .cause("server-process-died")
    .findings(&["upgrade-fin-nobytes"]),
    Fault::path(
        "connection-terminated",
        "fin",
        "FIN after the confirmation, the server lives",
        "TCP ended without a Close frame and the port still accepts: this connection alone was ended. Search the \
         server for terminate() and destroy(), heartbeats and duplicate sessions.",
        &[Step::Accept, Step::Confirm, Step::Wait(150), Step::Fin],
    ),
    Fault::path(
        "connection-terminated-at-once",
        "fin",
        "FIN right after the 101",
        "The 101 was followed by FIN and the port still accepts: the handler ended the connection, or a framework \
         ended it after an exception. Nothing on the wire says which; the console does.",
        &[Step::Accept, Step::Fin],
    )
    .cause("connection-terminated"),
    Fault::path(
        "connection-terminated-before-confirm",
        "fin",
        "FIN before the confirmation",
        "The connection was open for a moment without a message, then it was ended while the port still accepts. \
         Look for an early return in the handler.",
        &[Step::Accept, Step::Wait(250), Step::Fin],
    )
    .cause("connection-terminated"),
    Fault::path(
        "connection-reset",
        "rst",
        "RST after the confirmation, the server lives",
        "TCP was reset and the port still accepts: resetAndDestroy(), a process that closed with unread data, or a \
         middlebox. Compare with a connection that does not pass the middlebox.",
        &[Step::Accept, Step::Confirm, Step::Wait(150), Step::Rst],
    ),
    Fault::path(
        "connection-reset-at-once",
        "rst",
        "RST after the 101",
        "TCP was reset right after the 101 while the port still accepts. A firewall that dislikes the upgraded \
         connection does this; so does SO_LINGER 0.",
        &[Step::Accept, Step::Wait(100), Step::Rst],
    )
    .cause("connection-reset"),
    Fault::path(
        "frame-truncated",
        "fin",
        "FIN within a frame",
        "A frame announced 1024 bytes and ten came, then FIN; the port still accepts. A proxy cut the connection, or \
         a handler was ended while sending.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x82\x7e\x04\x00half of it"), Step::Wait(50), Step::Fin],
    ),
    Fault::path(
        "fragment-unfinished",
        "fin",
        "FIN within a fragmented message",
        "The first fragment of a message came, then FIN; the port still accepts. A proxy cut the connection, or a \
         handler was ended while sending.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x01\x05Hello"), Step::Wait(50), Step::Fin],
    ),
    Fault::new(
        "our-limit",
        "ended-by-us",
        "A message beyond our own limit",
        "The server sent a message that is longer than the limit set here, so we ended the connection. The server \
         did nothing wrong. Raise the limit, or ask for smaller messages.",
        Setting::Guide(Twist::LongMessage(128 * 1024)),
    )
    .limit(64 * 1024),
    Fault::path(
        "engineio-ping-timeout",
        "closed",
        "Socket.IO's heartbeat goes unanswered",
        "The server speaks Engine.IO: it sent `2`, waited for `3`, and closed without a code. Use socket.io-client, \
         or answer `2` with `3`.",
        &[
            Step::Accept,
            Step::Text("0{\"sid\":\"practice\",\"upgrades\":[],\"pingInterval\":300,\"pingTimeout\":200}"),
            Step::Wait(300),
            Step::Text("2"),
            Step::Wait(200),
            Step::Send(b"\x88\x00"),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
];

/// Ends that a clock brings about; without an unanswered ping each is met twice, because once is a guess.
pub(super) const TIMED: &[Fault] = &[
    Fault::path(
        "idle-timeout",
        "fin",
        "Cut after silence",
        "Nothing travelled for two and a half seconds, then TCP ended without a Close frame, and it came again after the \
         same silence: a proxy or a server cuts who says nothing. Send a ping in less than half that time; the idle lab \
         measures the limit.",
        &[Step::Accept, Step::Confirm, Step::AwaitSilence(2_500), Step::Fin],
    )
    .watch(6_000)
    .times(2),
    Fault::path(
        "lifetime-limit",
        "fin",
        "Cut at an age",
        "Messages were travelling, and at the age of four seconds TCP ended without a Close frame, twice: the platform \
         limits how old a connection may become. Pings do not help. Reconnect, and fetch what was missed.",
        &[Step::Accept, Step::Confirm, Step::Chatter("tick", 350, 4_000), Step::Fin],
    )
    .watch(8_000)
    .times(2),
    Fault::path(
        "heartbeat-terminate",
        "fin",
        "Cut for an unanswered ping",
        "The server pinged, no pong went back, and a second and a half later TCP ended without a Close frame: the heartbeat \
         of ws calls terminate() on a client that it takes for dead. Sockeye withholds its pongs here, as a program does \
         that is stuck in one long task. Keep the client's event loop free; browsers answer pings by themselves.",
        &[Step::Accept, Step::Confirm, Step::Wait(300), Step::Send(b"\x89\x00"), Step::Wait(1_500), Step::Fin],
    )
    .deaf()
    .watch(6_000),
    Fault::path(
        "ping-timeout-1011",
        "closed",
        "Closed for an unanswered ping",
        "The server pinged, no pong went back, and it closed with 1011 and the words that Python's websockets uses for it. \
         Sockeye withholds its pongs here. The client was stuck or its network gone: find what blocks it, or give it more \
         time with ping_timeout.",
        &[
            Step::Accept,
            Step::Confirm,
            Step::Wait(300),
            Step::Send(b"\x89\x04ping"),
            Step::Wait(1_500),
            Step::Close(1011, "keepalive ping timeout"),
            Step::AwaitClose,
            Step::Fin,
        ],
    )
    .deaf()
    .watch(6_000),
];

const fn dies(
    id: &'static str,
    ending: &'static str,
    title: &'static str,
    lesson: &'static str,
    steps: &'static [Step],
) -> Fault {
    Fault::new(id, ending, title, lesson, Setting::Dies(steps))
}
