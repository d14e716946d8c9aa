//! Frames that break RFC 6455 or RFC 7692, and streams that stop being frames.

use super::fix::{advice, command, snippet};
use super::{Cause, Phase};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "http-body-after-101",
        phase: Phase::Protocol,
        title: "HTTP text follows the 101",
        what: "The handshake was accepted, and then came a normal HTTP answer or a page where \
            frames should be. A second handler on the server did not know that the connection had \
            been taken and wrote its own reply into it. Read as a frame, the letter H looks like \
            reserved bits and a strange opcode.",
        browser: "Chrome: Invalid frame header, CloseEvent 1006.",
        fixes: &[
            snippet(
                "Let one handler alone decide about each upgrade, and return from all others.",
                "if (req.headers.upgrade) return;",
            ),
            snippet(
                "With a framework that has its own upgrade handling, such as Next.js in \
                    development, run the WebSocket server on a port of its own.",
                "new WebSocketServer({ port: 3001 });",
            ),
        ],
        seen_with: &["express-ws together with a framework", "Next.js custom servers"],
        see_also: &["two-writers-interleave", "middlebox-injection", "proto-rsv2-3"],
    },
    Cause {
        id: "two-writers-interleave",
        phase: Phase::Protocol,
        title: "Two programs write into one connection",
        what: "After good frames came bytes that are none: impossible opcodes, lengths or texts. \
            Two pieces of code, each of which believes that it owns the connection, write into it \
            at the same time.",
        browser: "It varies: Invalid frame header, unknown opcodes, or a close code that nobody \
            sent. CloseEvent 1006.",
        fixes: &[
            snippet("Count the upgrade listeners; there should be one.", "console.log(server.listeners('upgrade'));"),
            advice("Never write to the raw socket once a WebSocket library has taken it."),
            advice("In languages with threads, give each connection one writer, or a lock around it."),
        ],
        seen_with: &["two WebSocket libraries on one HTTP server", "Next.js custom servers with hot reload"],
        see_also: &["http-body-after-101", "proto-interleaved-data", "middlebox-injection"],
    },
    Cause {
        id: "proto-masked-server",
        phase: Phase::Protocol,
        title: "The server masks its frames",
        what: "Only clients scramble their frames with a masking-key; a server must not. These came \
            masked, so the server uses a client's code for writing, or it sends our own bytes \
            back to us.",
        browser: "Chrome: A server must not mask any frames that it sends to the client. It sends a \
            Close 1002, the page gets 1006.",
        fixes: &[
            advice("In the server's frame writer, clear the mask bit and leave out the four key bytes."),
            command(
                "Check that the port is not a plain echo that returns every byte.",
                "nc {host} {port}",
                "Test-NetConnection {host} -Port {port}",
            ),
        ],
        seen_with: &["hand-written servers", "TCP echo servers"],
        see_also: &["proto-bad-opcode", "proto-nonminimal-length"],
    },
    Cause {
        id: "proto-rsv1-no-deflate",
        phase: Phase::Protocol,
        title: "A compressed frame without agreed compression",
        what: "The first reserved bit marks a compressed message, but the handshake agreed on no \
            compression. The server compresses anyway, or a proxy removed the agreement from one \
            of the two directions.",
        browser: "Chrome: One or more reserved bits are on: reserved1 = 1. It sends a Close 1002, \
            the page gets 1006.",
        fixes: &[
            snippet(
                "Switch compression off on the server. In Node's ws:",
                "new WebSocketServer({ server, perMessageDeflate: false });",
            ),
            advice("Let the proxy pass Sec-WebSocket-Extensions in both directions."),
        ],
        seen_with: &["proxies that remove Sec-WebSocket-Extensions", "servers that compress always"],
        see_also: &["proto-deflate-corrupt", "extension-unrequested", "proto-rsv2-3"],
    },
    Cause {
        id: "proto-deflate-corrupt",
        phase: Phase::Protocol,
        title: "A compressed message cannot be inflated",
        what: "Compression was agreed, but the data does not unpack. Usually the two sides disagree \
            about whether the compression window is kept from message to message, so the first \
            message works and a later one fails.",
        browser: "Chrome: Invalid frame header; it fails the connection and the page gets 1006. \
            Node's ws closes with 1007.",
        fixes: &[
            snippet(
                "Forbid the kept window, or switch compression off.",
                "new WebSocketServer({ server, perMessageDeflate: { serverNoContextTakeover: true, \
                    clientNoContextTakeover: true } });",
            ),
            snippet("Prove it by connecting without compression.", "sockeye check \"{url}\" --no-compress"),
            advice(
                "If one compressed message is sent to many clients, compress it for each of them, \
                    or without context takeover.",
            ),
        ],
        seen_with: &["hand-written compression", "servers that share a compressor between connections"],
        see_also: &["proto-rsv1-no-deflate", "extension-bad-params", "decompression-bomb"],
    },
    Cause {
        id: "proto-rsv1-on-continuation",
        phase: Phase::Protocol,
        title: "The compression mark is on the wrong frame",
        what: "A compressed message is marked on its first frame only. Here a continuation frame or \
            a control frame carries the mark, which the rules forbid.",
        browser: "Chrome: Invalid frame header or a complaint about reserved bits. The page gets \
            1006.",
        fixes: &[
            advice(
                "Set the first reserved bit on the first frame of a message only, never on pings, \
                    pongs or Close.",
            ),
            snippet(
                "Until the library is mended, switch compression off.",
                "new WebSocketServer({ server, perMessageDeflate: false });",
            ),
        ],
        seen_with: &["hand-written fragmenting of compressed messages"],
        see_also: &["proto-rsv1-no-deflate", "proto-continuation"],
    },
    Cause {
        id: "proto-rsv2-3",
        phase: Phase::Protocol,
        title: "Reserved bits are set",
        what: "Two bits of each frame are kept for extensions that do not exist yet and must be \
            zero. If they are set, the bytes are most probably no frame at all: text, or the \
            middle of a frame after the count went wrong.",
        browser: "Chrome: One or more reserved bits are on: reserved2 = 1 or reserved3 = 1. It \
            sends a Close 1002, the page gets 1006.",
        fixes: &[
            advice(
                "Look at the bytes as text in the log: a page or JSON written into the socket shows \
                    at once.",
            ),
            snippet(
                "In a hand-written server, check that announced lengths match what is written. In \
                    Node, count bytes, not characters.",
                "const length = Buffer.byteLength(text);",
            ),
        ],
        seen_with: &["lengths counted in characters", "HTTP text in the stream"],
        see_also: &["http-body-after-101", "proto-bad-opcode", "two-writers-interleave"],
    },
    Cause {
        id: "proto-bad-opcode",
        phase: Phase::Protocol,
        title: "A frame of unknown kind",
        what: "The frame's type is one of the numbers without meaning. Either the server invents \
            its own, or the reader lost its place because an earlier frame was longer or shorter \
            than it said.",
        browser: "Chrome: Unrecognized frame opcode, with the number. It sends a Close 1002, the \
            page gets 1006.",
        fixes: &[
            advice(
                "Use 1 for text, 2 for binary, 0 for continuation, 8 for Close, 9 for ping and 10 \
                    for pong.",
            ),
            snippet(
                "Check the length of the frame before it. In Node, count bytes, not characters.",
                "const length = Buffer.byteLength(text);",
            ),
        ],
        seen_with: &["hand-written servers", "several threads that write at once"],
        see_also: &["proto-rsv2-3", "two-writers-interleave", "http-body-after-101"],
    },
    Cause {
        id: "proto-control-fragmented",
        phase: Phase::Protocol,
        title: "A control frame was split",
        what: "Pings, pongs and Close frames have to fit into a single frame. This one is marked as \
            the first of several.",
        browser: "Chrome: Invalid frame header. It fails the connection, the page gets 1006.",
        fixes: &[advice("In the server's frame writer, always set the final bit (0x80) on control frames.")],
        seen_with: &["hand-written servers"],
        see_also: &["proto-control-too-long", "close-too-long"],
    },
    Cause {
        id: "proto-control-too-long",
        phase: Phase::Protocol,
        title: "A ping or pong is too long",
        what: "A control frame may carry at most 125 bytes. This one announces more, so readers \
            must refuse it.",
        browser: "Chrome: Invalid frame header. It fails the connection, the page gets 1006.",
        fixes: &[snippet(
            "Send at most 125 bytes with a ping; larger data belongs into a message.",
            "ws.ping(payload.subarray(0, 125));",
        )],
        seen_with: &["pings that carry application data"],
        see_also: &["close-too-long", "proto-control-fragmented"],
    },
    Cause {
        id: "proto-continuation",
        phase: Phase::Protocol,
        title: "A continuation without a beginning",
        what: "A frame says that it continues a message, but none is open. Its beginning was lost, \
            sent as a whole message by mistake, or another writer came in between.",
        browser: "Chrome: Received unexpected continuation frame. It sends a Close 1002, the page \
            gets 1006.",
        fixes: &[
            advice(
                "Send the first fragment as text or binary without the final bit, the others as \
                    continuation, the last with the final bit.",
            ),
            snippet(
                "Give each connection one writer.",
                "mu.Lock(); err := conn.WriteMessage(websocket.TextMessage, data); mu.Unlock()",
            ),
        ],
        seen_with: &["Go programs in which several goroutines write", "hand-written fragmenting"],
        see_also: &["proto-interleaved-data", "two-writers-interleave"],
    },
    Cause {
        id: "proto-interleaved-data",
        phase: Phase::Protocol,
        title: "A new message began inside another",
        what: "A message in several parts was not finished yet when a new one started. Between the \
            parts only control frames are allowed. Two writers without a lock are the usual \
            reason.",
        browser: "Chrome: Received start of new message but previous message is unfinished. It \
            sends a Close 1002, the page gets 1006.",
        fixes: &[
            snippet(
                "Put a lock or a queue before the socket.",
                "mu.Lock(); err := conn.WriteMessage(websocket.TextMessage, data); mu.Unlock()",
            ),
            advice("Finish the fragmented message before sending the next."),
        ],
        seen_with: &["Go programs in which several goroutines write", "streaming code beside ordinary sends"],
        see_also: &["proto-continuation", "two-writers-interleave", "fragment-unfinished"],
    },
    Cause {
        id: "proto-bad-utf8",
        phase: Phase::Protocol,
        title: "A text message is not valid UTF-8",
        what: "A message is marked as text, but its bytes are not. Binary data was sent as text, a \
            text was cut in the middle of a character, or another character set was used.",
        browser: "Chrome: Could not decode a text frame as UTF-8. It sends a Close 1002, the page \
            gets 1006. Node's ws closes with 1007.",
        fixes: &[
            snippet("Send binary data as binary.", "ws.send(buffer, { binary: true });"),
            snippet(
                "Cut texts at characters, not at bytes, and always encode as UTF-8.",
                "ws.send(Buffer.from(text, 'utf8').toString());",
            ),
        ],
        seen_with: &["audio or images sent as text", "texts cut at a byte limit"],
        see_also: &["close-1007", "close-bad-utf8"],
    },
    Cause {
        id: "proto-nonminimal-length",
        phase: Phase::Protocol,
        title: "A length is written longer than needed",
        what: "Short lengths have a short form, and the rules demand it. This frame uses a longer \
            one. Node and Python accept that silently while browsers fail, so tests with a script \
            succeed.",
        browser: "Chrome: Invalid frame header. It fails the connection, the page gets 1006.",
        fixes: &[snippet(
            "Write lengths up to 125 in one byte, up to 65535 in the two-byte form, and only \
                    more in the eight-byte form.",
            "const form = n < 126 ? 1 : n < 65536 ? 3 : 9;",
        )],
        seen_with: &["hand-written servers"],
        see_also: &["proto-length-highbit", "proto-masked-server"],
    },
    Cause {
        id: "proto-length-highbit",
        phase: Phase::Protocol,
        title: "An impossible length",
        what: "The eight-byte length has its highest bit set, which the rules forbid. No sender \
            means such a length; the reader has lost its place, or the number was written with \
            the wrong sign or byte order.",
        browser: "Chrome: Invalid frame header. It fails the connection, the page gets 1006.",
        fixes: &[
            snippet("Write the length unsigned, highest byte first.", "header.writeBigUInt64BE(BigInt(n), 2);"),
            advice("Check the frame before this one in the log, its length may be wrong."),
        ],
        seen_with: &["signed or little-endian lengths", "streams that went out of step"],
        see_also: &["frame-huge", "proto-nonminimal-length", "proto-bad-opcode"],
    },
    Cause {
        id: "frame-huge",
        phase: Phase::Protocol,
        title: "A frame announces a giant size",
        what: "The header promises two gigabytes or more. Hardly anybody means that: the stream is \
            out of step, a length was written wrongly, or somebody tries to exhaust the memory. \
            We stop before taking it in.",
        browser: "Chrome drops the connection with a reset and prints nothing; the page gets 1006. \
            Node and Python close with 1009.",
        fixes: &[
            snippet("In a hand-written server, check length and byte order.", "header.writeBigUInt64BE(BigInt(n), 2);"),
            advice("Send large data in parts, or offer it for download over HTTP."),
        ],
        seen_with: &["wrong byte order", "files sent as one frame"],
        see_also: &["our-limit", "proto-length-highbit", "message-too-big-by-server"],
    },
    Cause {
        id: "frame-truncated",
        phase: Phase::Protocol,
        title: "The connection ended inside a frame",
        what: "A frame announced more bytes than arrived before the connection ended. The process \
            died while sending, or a proxy cut the connection; the log shows how much was \
            missing.",
        browser: "CloseEvent 1006, wasClean false, no text in the console.",
        fixes: &[
            snippet("Read the server's console at that moment.", "sockeye check \"{url}\" --server-log server.log"),
            snippet(
                "Before exiting, close the sockets and wait until they are.",
                "ws.close(1001); ws.once('close', () => process.exit(0));",
            ),
            snippet(
                "In hand-written code, check that the announced length is the number of bytes \
                    written.",
                "const length = Buffer.byteLength(text);",
            ),
        ],
        seen_with: &["crashes while sending", "proxies with a time limit", "wrong lengths"],
        see_also: &["fragment-unfinished", "server-process-died", "connection-terminated"],
    },
    Cause {
        id: "fragment-unfinished",
        phase: Phase::Protocol,
        title: "The connection ended inside a message",
        what: "Parts of a message had arrived, and the connection ended before the last one. Each \
            frame was whole, the message was not.",
        browser: "CloseEvent 1006, wasClean false, no text in the console. The page never sees the \
            parts.",
        fixes: &[
            snippet(
                "Read the server's console at that moment: the code that produced the parts \
                    stopped.",
                "sockeye check \"{url}\" --server-log server.log",
            ),
            snippet(
                "If the source of the data fails, end the message or close with 1011.",
                "ws.close(1011, 'source failed');",
            ),
        ],
        seen_with: &["streams that break off", "crashes while sending"],
        see_also: &["frame-truncated", "server-process-died", "proto-interleaved-data"],
    },
    Cause {
        id: "decompression-bomb",
        phase: Phase::Protocol,
        title: "A tiny message unpacks to a giant one",
        what: "A few compressed bytes unpack to a hundred times their size or more, beyond our \
            limit. Repetitive data can do that honestly; it is also a way to exhaust the memory \
            of the other side. We stopped unpacking.",
        browser: "Chrome has no limit and may freeze for seconds. Node and Python close with 1009.",
        fixes: &[
            advice(
                "If the data is honest, send it in smaller messages, or raise the limit on this \
                    side.",
            ),
            snippet(
                "On a server, always limit what is taken in.",
                "new WebSocketServer({ server, maxPayload: 1024 * 1024 });",
            ),
        ],
        seen_with: &["large, repetitive JSON", "hostile peers"],
        see_also: &["our-limit", "message-too-big-by-server", "proto-deflate-corrupt"],
    },
    Cause {
        id: "middlebox-injection",
        phase: Phase::Protocol,
        title: "Something in between wrote into the stream",
        what: "On an unencrypted connection appeared text that the server did not send: a notice, a \
            login page or an error page of a device on the way. Encrypted connections cannot be \
            touched like that.",
        browser: "Chrome: Invalid frame header, CloseEvent 1006, from certain networks only.",
        fixes: &[
            snippet("Use wss://, so that nobody can write into it.", "sockeye check \"wss://{host}{path}\""),
            advice("Try another network, such as a phone's, to prove it."),
        ],
        seen_with: &["hotel and airport networks", "filtering proxies", "virus scanners"],
        see_also: &["http-body-after-101", "two-writers-interleave", "tls-mitm-proxy"],
    },
];
