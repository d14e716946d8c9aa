//! Faults in which the answer to the upgrade is wrong, cut or missing.

use super::super::fault::{Fault, Setting};
use super::super::guide::Twist;
use super::super::script::Step;

pub(super) const FAULTS: &[Fault] = &[
    invalid(
        "upgrade-wrong-accept",
        "Wrong Sec-WebSocket-Accept",
        "The value does not follow from our key: a cached 101, a hand-written server, or a proxy that mixed two \
         handshakes up. Compare the expected value with the one that came.",
        &[
            Step::Head(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
            ),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    invalid(
        "upgrade-no-accept",
        "No Sec-WebSocket-Accept",
        "The 101 does not prove that the server read our key. It is hand-written, or a proxy answered. Use a \
         WebSocket library on the server.",
        &[
            Step::Head("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    invalid(
        "upgrade-dup-accept",
        "Sec-WebSocket-Accept twice",
        "The field must not appear more than once, and browsers fail the connection. Two handlers answered the same \
         upgrade. Keep one.",
        &[
            Step::Head(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Accept: {accept}\r\n\r\n",
            ),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    invalid(
        "upgrade-header-missing",
        "101 without Upgrade",
        "The 101 lacks the Upgrade field: a proxy dropped the hop-by-hop fields of the response. Let it pass them on.",
        &[
            Step::Head(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n",
            ),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    invalid(
        "upgrade-header-missing-connection",
        "101 without Connection",
        "The 101 lacks the Connection field: a proxy dropped the hop-by-hop fields of the response. Let it pass them \
         on.",
        &[
            Step::Head(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n",
            ),
            Step::AwaitClose,
            Step::Fin,
        ],
    )
    .cause("upgrade-header-missing"),
    invalid(
        "upgrade-header-wrong",
        "101 to another protocol",
        "The Upgrade field names h2c: the server switched to another protocol than the one we asked for. Look at \
         what listens on this port.",
        &[
            Step::Head(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n\r\n",
            ),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    invalid(
        "upgrade-header-wrong-connection",
        "Connection without Upgrade",
        "The Connection field says keep-alive and does not contain Upgrade: a proxy rewrote it. Let it pass the \
         response on.",
        &[
            Step::Head(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: keep-alive\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n\r\n",
            ),
            Step::AwaitClose,
            Step::Fin,
        ],
    )
    .cause("upgrade-header-wrong"),
    Fault::new(
        "upgrade-http-version",
        "open",
        "101 in HTTP/1.0",
        "Browsers and Node's ws go on, other clients refuse. A proxy speaks HTTP/1.0 to its clients. Set HTTP/1.1 \
         there.",
        Setting::Guide(Twist::OddHead(
            "HTTP/1.0 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n",
        )),
    )
    .cause("healthy")
    .findings(&["upgrade-http-version"]),
    Fault::new(
        "upgrade-bare-lf",
        "open",
        "Lines that end in LF alone",
        "Browsers go on, Node's ws and Python's websockets refuse. The response was written by hand. End each line \
         with CR LF.",
        Setting::Guide(Twist::OddHead(
            "HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\n\
             Sec-WebSocket-Accept: {accept}\n\n",
        )),
    )
    .cause("healthy")
    .findings(&["upgrade-bare-lf"]),
    invalid(
        "upgrade-1xx",
        "100 before the 101",
        "An interim response came first; browsers take it for the answer and fail. Remove it from the server or \
         proxy.",
        &[Step::Head("HTTP/1.1 100 Continue\r\n\r\n"), Step::Accept, Step::AwaitClose, Step::Fin],
    ),
    invalid(
        "upgrade-1xx-early-hints",
        "103 before the 101",
        "Early hints came before the 101; browsers take them for the answer and fail. Switch them off for this path.",
        &[
            Step::Head("HTTP/1.1 103 Early Hints\r\nLink: </app.css>; rel=preload; as=style\r\n\r\n"),
            Step::Accept,
            Step::AwaitClose,
            Step::Fin,
        ],
    )
    .cause("upgrade-1xx"),
    invalid(
        "upgrade-headers-too-big",
        "A response head beyond 256 KiB",
        "The head of the response grew beyond what browsers read, often by one cookie set again and again. Find who \
         sets it.",
        &[
            Step::Head("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"),
            Step::Repeat(COOKIE, 5_000),
            Step::Head("Sec-WebSocket-Accept: {accept}\r\n\r\n"),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    invalid(
        "subprotocol-unanswered",
        "No subprotocol chosen",
        "We offered a subprotocol and the 101 names none; browsers fail the connection. Let the server choose one \
         (handleProtocols, subprotocols=).",
        &[Step::Accept, Step::AwaitClose, Step::Fin],
    )
    .offers(&["chat.v1"]),
    invalid(
        "subprotocol-unrequested",
        "A subprotocol nobody offered",
        "The 101 names a subprotocol though we offered none; browsers fail the connection. Let the server answer \
         only what was offered.",
        &[Step::Head(OTHER_SUBPROTOCOL), Step::AwaitClose, Step::Fin],
    ),
    invalid(
        "subprotocol-mismatch",
        "Another subprotocol than offered",
        "The 101 names a subprotocol that is not among those we offered. Use the same name on both sides.",
        &[Step::Head(OTHER_SUBPROTOCOL), Step::AwaitClose, Step::Fin],
    )
    .offers(&["chat.v1"]),
    invalid(
        "extension-unrequested",
        "An extension nobody offered",
        "The 101 names an extension that we did not offer, so both sides would read frames differently. Switch it \
         off on the server.",
        &[
            Step::Head(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Extensions: x-foo\r\n\r\n",
            ),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    cut(
        "upgrade-fin-nobytes",
        "FIN in place of an answer",
        "The request was read and TCP ended without a byte: an upgrade listener destroyed the socket, or nginx \
         returned 444. The port is alive. Look at the upgrade listener.",
        &[Step::Fin],
    ),
    cut(
        "upgrade-rst-nobytes",
        "RST in place of an answer",
        "TCP was reset after our request: a middlebox, a TLS port, or a process killed with the request unread. Try \
         wss://, then the server directly.",
        &[Step::Rst],
    ),
    cut(
        "upgrade-partial",
        "Half a response",
        "TCP ended within the fields of the response: the server died while writing, or a proxy cut it. Look at the \
         server's log.",
        &[Step::Head("HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso"), Step::Fin],
    ),
    cut(
        "upgrade-partial-status",
        "Half a status line",
        "TCP ended within the status line: the server died while writing, or a proxy cut it. Look at the server's \
         log.",
        &[Step::Head("HTTP/1.1 10"), Step::Fin],
    )
    .cause("upgrade-partial"),
    Fault::path(
        "upgrade-unanswered",
        "upgrade-unanswered",
        "No answer to the upgrade",
        "The request was received and nothing came back, while ordinary requests are answered: the upgrade listener \
         never calls back. A browser stays CONNECTING and queues every other socket to this port.",
        &[Step::Silence],
    )
    .silent(),
    Fault::new(
        "server-blocked",
        "upgrade-unanswered",
        "The whole process is blocked",
        "TCP connects, because the kernel answers, but the process reads nothing: an endless loop, a synchronous \
         call, a breakpoint. An ordinary request hangs too. Look at its CPU.",
        Setting::OwnPort("ws", &[Step::Silence]),
    )
    .silent(),
    Fault::path(
        "upgrade-trickle",
        "upgrade-unanswered",
        "A byte now and then",
        "The response comes a byte at a time and its head never ends. A broken proxy buffer, or a server that wants \
         to hold us. Set a time limit.",
        &[
            Step::Trickle(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Slow: aaaaaaaaaa",
                1_000,
            ),
            Step::Silence,
        ],
    )
    .patience(2_500),
];

const COOKIE: &[u8] = b"Set-Cookie: visit=0123456789012345678901234567890123456789; Path=/\r\n";
const OTHER_SUBPROTOCOL: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: zzz\r\n\r\n";

const fn invalid(id: &'static str, title: &'static str, lesson: &'static str, steps: &'static [Step]) -> Fault {
    Fault::path(id, "upgrade-invalid", title, lesson, steps)
}

const fn cut(id: &'static str, title: &'static str, lesson: &'static str, steps: &'static [Step]) -> Fault {
    Fault::path(id, "upgrade-cut", title, lesson, steps)
}
