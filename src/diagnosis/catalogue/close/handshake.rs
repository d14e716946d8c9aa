//! Close frames that break the rules, and closing handshakes that one side did not finish.

use crate::diagnosis::catalogue::fix::{advice, command, snippet};
use crate::diagnosis::catalogue::{Cause, Phase};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "close-illegal-code",
        phase: Phase::Close,
        title: "The close code must not be sent",
        what: "The Close frame holds a number that has no place on the wire: below 1000, one of \
            those kept for local use (1004, 1005, 1006, 1015), unassigned, or above 4999. Clients \
            disagree about it, so the server should not send it.",
        browser: "Chrome passes most of them on as a clean close, but fails on 1005, 1006 and 1015: \
            Received a broken close frame containing a reserved status code. Node and Python \
            report 1006.",
        fixes: &[
            snippet(
                "Use 1000, 1001, 1008 or 1011, or a number of your own from 4000 to 4999.",
                "ws.close(4000, 'reason');",
            ),
            command(
                "Do not pass on the code that you received from another connection without checking \
                    it; 1005 and 1006 are never sent.",
                "const safe = code === 1005",
                "code === 1006 || code === 1015 ? 1000 : code;",
            ),
        ],
        seen_with: &["relays that pass on 1005 or 1006", "exit or HTTP status codes used as close codes"],
        see_also: &["close-empty", "close-1byte", "close-code-api"],
    },
    Cause {
        id: "close-1byte",
        phase: Phase::Close,
        title: "The Close frame holds half a code",
        what: "A close code takes two bytes. This Close frame carries exactly one, which cannot be \
            read.",
        browser: "Chrome: Received a broken close frame containing invalid size of 1 byte. The page \
            gets 1006.",
        fixes: &[snippet(
            "Write the code as two bytes, highest first, or send an empty Close frame.",
            "payload.writeUInt16BE(1000, 0);",
        )],
        seen_with: &["hand-written servers"],
        see_also: &["close-illegal-code", "close-bad-utf8"],
    },
    Cause {
        id: "close-bad-utf8",
        phase: Phase::Close,
        title: "The close reason is not valid UTF-8",
        what: "The text in the Close frame is not UTF-8. Often a longer text was cut at the limit \
            of 123 bytes in the middle of a character.",
        browser: "Chrome: Received a broken close frame containing invalid UTF-8. The page gets \
            1006.",
        fixes: &[snippet(
            "Keep reasons short and in plain letters, or cut them at characters.",
            "const reason = new TextDecoder().decode(bytes.subarray(0, \
                    123)).replace(/\\uFFFD$/, '');",
        )],
        seen_with: &["reasons cut at 123 bytes", "other character sets"],
        see_also: &["close-too-long", "proto-bad-utf8"],
    },
    Cause {
        id: "close-too-long",
        phase: Phase::Close,
        title: "The Close frame is too long",
        what: "A Close frame may carry 125 bytes: two for the code and at most 123 for the reason. \
            This one is longer, so clients refuse it and the reason never reaches anybody.",
        browser: "Chrome: Invalid frame header. The page gets 1006.",
        fixes: &[snippet(
            "Shorten the reason, and send long explanations as a message before.",
            "ws.close(1011, String(error.message).slice(0, 40));",
        )],
        seen_with: &["exception texts used as reasons"],
        see_also: &["proto-control-too-long", "close-bad-utf8"],
    },
    Cause {
        id: "close-then-gone",
        phase: Phase::Close,
        title: "The server hung up right after its Close frame",
        what: "The Close frame arrived with its code, but the server was gone before our answer \
            could reach it. The code is the cause; this only adds that the server did not wait, \
            for instance because the process exited in the next line.",
        browser: "CloseEvent with the server's code, but wasClean false.",
        fixes: &[snippet(
            "Wait for the closing handshake before exiting or cutting.",
            "ws.close(1000); ws.once('close', () => process.exit(0));",
        )],
        seen_with: &["close() followed by process.exit()", "close() followed by terminate()"],
        see_also: &["server-process-died", "close-1000"],
    },
    Cause {
        id: "data-after-close",
        phase: Phase::Close,
        title: "The server sent data after its Close frame",
        what: "After its Close frame an endpoint must not send messages any more. This server did: \
            some code was still writing when another part closed.",
        browser: "Chrome: Data frame received after close. The page gets 1006 even though the \
            server had sent 1000. Node and Python ignore the data.",
        fixes: &[
            snippet("Check the state before sending.", "if (ws.readyState === ws.OPEN) ws.send(data);"),
            snippet(
                "Stop timers and subscriptions of the client before closing.",
                "clearInterval(timer); ws.close(1000);",
            ),
        ],
        seen_with: &["timers that go on after the close", "hand-written servers"],
        see_also: &["garbage-after-close", "close-1000", "two-writers-interleave"],
    },
    Cause {
        id: "garbage-after-close",
        phase: Phase::Close,
        title: "Bytes after the Close frame",
        what: "Something arrived after the Close frame that is no frame at all. It does no harm, \
            since nobody reads further there, but it shows that another part of the server wrote \
            into the same connection.",
        browser: "The server's code, wasClean true; browsers ignore it.",
        fixes: &[advice(
            "Look for a second handler that writes an HTTP answer or a goodbye into the raw \
                    socket.",
        )],
        seen_with: &[],
        see_also: &["data-after-close", "http-body-after-101"],
    },
    Cause {
        id: "peer-never-answers-close",
        phase: Phase::Close,
        title: "Our Close frame was never answered",
        what: "We sent a Close frame and the connection stays open, but the server does not answer. \
            It is blocked, no longer reads, or its code ignores the frame.",
        browser: "The socket remains in CLOSING without any event, in Chrome for more than 14 \
            seconds.",
        fixes: &[
            command(
                "See whether the process still reacts to other requests.",
                "curl -m 5 -i \"{http}://{host}:{port}/\"",
                "curl.exe -m 5 -i \"{http}://{host}:{port}/\"",
            ),
            advice(
                "In hand-written code, answer a Close frame with one of the same code, then end the \
                    connection.",
            ),
            snippet(
                "In the client, do not wait for the close event before going on.",
                "socket.close(); setTimeout(connect, 1000);",
            ),
        ],
        seen_with: &["blocked servers", "hand-written servers without a closing handshake", "half-dead connections"],
        see_also: &["server-blocked", "network-loss", "peer-drops-tcp-on-our-close"],
    },
    Cause {
        id: "peer-drops-tcp-on-our-close",
        phase: Phase::Close,
        title: "The server hung up instead of answering our Close",
        what: "We closed properly, and the server ended the connection without sending its own \
            Close frame. Nothing is lost, but the browser counts it as an abnormal end.",
        browser: "CloseEvent 1006, although the page itself had closed with 1000. No text in the \
            console.",
        fixes: &[
            snippet(
                "On the server, answer a Close frame before ending the socket; libraries do it by \
                    themselves if you let them.",
                "socket.end(Buffer.from([0x88, 0x02, 0x03, 0xe8]));",
            ),
            advice("Remove a destroy or terminate from the close handler."),
        ],
        seen_with: &["destroy or terminate on close", "hand-written servers"],
        see_also: &["peer-never-answers-close", "peer-never-closes-tcp"],
    },
    Cause {
        id: "peer-never-closes-tcp",
        phase: Phase::Close,
        title: "The server keeps the connection after closing",
        what: "Both Close frames travelled, but the server does not end the TCP connection, which \
            is its part. Clients wait for a while and then end it themselves.",
        browser: "Chrome ends it after about two seconds, wasClean true. Node waits up to 30 \
            seconds.",
        fixes: &[snippet("On the server, end the socket once both Close frames were exchanged.", "socket.end();")],
        seen_with: &["hand-written servers", "servers that leak connections"],
        see_also: &["peer-never-answers-close", "fd-limit"],
    },
    Cause {
        id: "duplicate-kick",
        phase: Phase::Close,
        title: "A newer connection replaced this one",
        what: "The server allows one connection for each user or agent. When a second one opened \
            with the same identity, it closed the first. Two tabs do that, and so does a \
            component that connects twice.",
        browser: "Whatever the server sends to the older one: 1008, a code from 4000 on, or 1006 \
            when it is cut.",
        fixes: &[
            snippet(
                "Connect once: keep the socket outside the component, and close it on unmount.",
                "useEffect(() => { const s = open(); return () => s.close(1000); }, []);",
            ),
            snippet(
                "Do not reconnect when told that you were replaced, or two tabs push each other out \
                    forever.",
                "if (e.reason.includes('replaced')) return;",
            ),
            snippet("Or let the server keep several connections for one identity.", "clients.set(ws, userId);"),
        ],
        seen_with: &[
            "React's StrictMode, which mounts twice in development",
            "two tabs with one agent id",
            "reconnect loops",
        ],
        see_also: &["close-1008", "connection-terminated", "close-while-connecting"],
    },
];
