//! Faults of framing: after a good 101 and the confirmation, literal bytes that break RFC 6455.

use super::super::fault::Fault;
use super::super::script::Step;

pub(super) const FAULTS: &[Fault] = &[
    breach(
        "http-body-after-101",
        "An HTTP response on the open connection",
        "A second handler wrote an ordinary response on the connection that had been upgraded: its `H` reads as a \
         frame header. Seen with express-ws beside a framework. Let one handler own the upgrade.",
        &[
            Step::Accept,
            Step::Send(b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\nNot Found"),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    breach(
        "http-body-after-101-html",
        "A page on the open connection",
        "HTML came where frames should: another handler wrote its page on the upgraded connection. Let one handler \
         own the upgrade.",
        &[
            Step::Accept,
            Step::Send(b"<!DOCTYPE html>\n<html><body><h1>Not found</h1></body></html>\n"),
            Step::AwaitClose,
            Step::Fin,
        ],
    )
    .cause("http-body-after-101"),
    breach(
        "http-body-after-101-json",
        "JSON without a frame",
        "JSON came where frames should: an error handler wrote its body on the upgraded connection. Let one handler \
         own the upgrade.",
        &[Step::Accept, Step::Send(b"{\"error\":\"not found\",\"status\":404}"), Step::AwaitClose, Step::Fin],
    )
    .cause("http-body-after-101"),
    breach(
        "two-writers-interleave",
        "A page between the frames",
        "A whole frame came and then HTML: two libraries write on the same connection. Attach one WebSocket server \
         to the upgrade.",
        &[
            Step::Accept,
            Step::Confirm,
            Step::Send(b"<!DOCTYPE html>\n<html><body><h1>502 Bad Gateway</h1></body></html>\n"),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    breach(
        "proto-masked-server",
        "The server masks",
        "A server must not mask its frames; browsers fail the connection. A client's encoder was used on the server, \
         or you talk to a mirror.",
        &[
            Step::Accept,
            Step::Confirm,
            Step::Send(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    breach(
        "proto-rsv1-no-deflate",
        "Compressed, but not negotiated",
        "RSV1 is set and the payload inflates, yet no extension was negotiated. A proxy removed \
         Sec-WebSocket-Extensions in one direction. Switch compression off on the server.",
        &[
            Step::Accept,
            Step::Confirm,
            Step::Send(b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    breach(
        "proto-rsv2-3",
        "RSV2 is set",
        "No extension gives RSV2 a meaning. Usually the two sides lost step: look at the frame before this one.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\xa1\x05Hello"), Step::AwaitClose, Step::Fin],
    ),
    breach(
        "proto-rsv2-3-rsv3",
        "RSV3 is set",
        "No extension gives RSV3 a meaning. Usually the two sides lost step: look at the frame before this one.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x91\x05Hello"), Step::AwaitClose, Step::Fin],
    )
    .cause("proto-rsv2-3"),
    breach(
        "proto-bad-opcode",
        "Reserved data opcode",
        "Opcodes 3 to 7 are reserved. A hand-written encoder, or the two sides lost step. Look at the frame before \
         this one.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x83\x05Hello"), Step::AwaitClose, Step::Fin],
    ),
    breach(
        "proto-bad-opcode-control",
        "Reserved control opcode",
        "Opcodes 0xB to 0xF are reserved. A hand-written encoder, or the two sides lost step. Look at the frame \
         before this one.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x8b\x00"), Step::AwaitClose, Step::Fin],
    )
    .cause("proto-bad-opcode"),
    breach(
        "proto-control-fragmented",
        "A fragmented ping",
        "A control frame must have FIN set. The server's library treats a ping as a message. Update it.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x09\x02hi"), Step::AwaitClose, Step::Fin],
    ),
    breach(
        "proto-control-too-long",
        "A ping of 126 bytes",
        "A control frame carries at most 125 bytes. Put the data into a message.",
        &[
            Step::Accept,
            Step::Confirm,
            Step::Send(b"\x89\x7e\x00\x7e"),
            Step::Repeat(b"p", 126),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    breach(
        "proto-continuation",
        "A continuation of nothing",
        "A continuation frame came with no message begun. Two writers share the connection without a lock, or the \
         first fragment was lost in a proxy.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x80\x05Hello"), Step::AwaitClose, Step::Fin],
    ),
    breach(
        "proto-interleaved-data",
        "A message within a message",
        "A new message began before the fragmented one had ended. Two writers share the connection without a lock. \
         Give it one writer.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x01\x03Hel\x81\x05Hello"), Step::AwaitClose, Step::Fin],
    ),
    breach(
        "proto-bad-utf8",
        "Text that is not UTF-8",
        "A text message must be UTF-8, and this one is not: binary was sent as text, or in Latin-1. Send it as a \
         binary message.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x81\x04caf\xe9"), Step::AwaitClose, Step::Fin],
    ),
    breach(
        "proto-bad-utf8-surrogate",
        "A lone surrogate in text",
        "The bytes ED A0 80 are half of a surrogate pair, which UTF-8 forbids: a string was cut between its halves. \
         Cut at characters.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x81\x03\xed\xa0\x80"), Step::AwaitClose, Step::Fin],
    )
    .cause("proto-bad-utf8"),
    breach(
        "proto-bad-utf8-cut",
        "Text cut within a character",
        "The message ends after the first byte of a character: a string was cut at a number of bytes. Cut at \
         characters.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x81\x04caf\xc3"), Step::AwaitClose, Step::Fin],
    )
    .cause("proto-bad-utf8"),
    breach(
        "proto-nonminimal-length",
        "Length in a longer form, 16 bits",
        "Five bytes were announced in the 16-bit form. Browsers fail the connection, Node and Python accept it: \
         works there, 1006 here. Use the shortest form.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x81\x7e\x00\x05Hello"), Step::AwaitClose, Step::Fin],
    ),
    breach(
        "proto-nonminimal-length-64",
        "Length in a longer form, 64 bits",
        "Five bytes were announced in the 64-bit form. Browsers fail the connection, Node and Python accept it. Use \
         the shortest form.",
        &[
            Step::Accept,
            Step::Confirm,
            Step::Send(b"\x81\x7f\x00\x00\x00\x00\x00\x00\x00\x05Hello"),
            Step::AwaitClose,
            Step::Fin,
        ],
    )
    .cause("proto-nonminimal-length"),
    breach(
        "proto-length-highbit",
        "The highest bit of a length",
        "The most significant bit of a 64-bit length must be 0. The two sides lost step, or somebody attacks. Look \
         at the frame before this one.",
        &[
            Step::Accept,
            Step::Confirm,
            Step::Send(b"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x05Hello"),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    Fault::path(
        "frame-huge",
        "ended-by-us",
        "A frame of 4 GiB",
        "A header announced 4 GiB, which no client will hold; Chrome resets TCP without a word. The two sides lost \
         step, or somebody attacks. Look at the frame before this one.",
        &[
            Step::Accept,
            Step::Confirm,
            Step::Send(b"\x82\x7f\x00\x00\x00\x01\x00\x00\x00\x00beginning"),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
];

const fn breach(id: &'static str, title: &'static str, lesson: &'static str, steps: &'static [Step]) -> Fault {
    Fault::path(id, "protocol-error", title, lesson, steps)
}
