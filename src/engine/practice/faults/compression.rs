//! Faults of permessage-deflate (RFC 7692): the 101 accepts what we offered, then literal bytes break its rules.

use super::super::fault::Fault;
use super::super::script::Step;

pub(super) const FAULTS: &[Fault] = &[
    Fault::path(
        "extension-bad-params",
        "upgrade-invalid",
        "Compression with an impossible window",
        "The 101 accepts permessage-deflate with a window of 7 bits; 8 to 15 are legal, so clients fail the \
         connection. Take the server's own parameters out, or update its library.",
        &[
            Step::Head(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n\
                 Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7\r\n\r\n",
            ),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    Fault::path(
        "extension-bad-params-twice",
        "upgrade-invalid",
        "Compression accepted twice",
        "The 101 accepts permessage-deflate two times, usually because the server and a proxy both answer. Let one of \
         them do it.",
        &[
            Step::Head(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\
                 Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
            ),
            Step::AwaitClose,
            Step::Fin,
        ],
    )
    .cause("extension-bad-params"),
    breach(
        "proto-deflate-corrupt",
        "A compressed message that does not inflate",
        "RSV1 is set, but the payload is no DEFLATE data: something between compressed, cut or changed it, or the \
         server lost its window. Switch compression off to see whether it heals.",
        &[ACCEPT, Step::Confirm, Step::Send(b"\xc1\x03\x07\x55\xaa"), Step::AwaitClose, Step::Fin],
    ),
    breach(
        "proto-deflate-corrupt-window",
        "A reference into a window that is empty",
        "The payload refers to earlier messages although each message was to begin anew: the server forgot its own \
         server_no_context_takeover. Update its library.",
        &[
            Step::Head(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n\
                 Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n",
            ),
            Step::Confirm,
            Step::Send(b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00"),
            Step::AwaitClose,
            Step::Fin,
        ],
    )
    .cause("proto-deflate-corrupt"),
    breach(
        "proto-rsv1-on-continuation",
        "RSV1 on a continuation",
        "Only the first frame of a compressed message carries RSV1. The server's encoder sets it on every fragment. \
         Update its library, or do not fragment.",
        &[
            ACCEPT,
            Step::Confirm,
            Step::Send(b"\x41\x03\xf2\x48\xcd\xc0\x04\xc9\xc9\x07\x00"),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    breach(
        "proto-rsv1-on-continuation-ping",
        "A compressed ping",
        "Control frames are never compressed. The server's encoder sets RSV1 on everything. Update its library.",
        &[ACCEPT, Step::Confirm, Step::Send(b"\xc9\x04ping"), Step::AwaitClose, Step::Fin],
    )
    .cause("proto-rsv1-on-continuation"),
    breach(
        "proto-bad-utf8-compressed",
        "Compressed text that is not UTF-8",
        "The message inflates well, but what comes out is no UTF-8: binary was sent as text. Send it as a binary \
         message.",
        &[ACCEPT, Step::Confirm, Step::Send(b"\xc1\x07\x4a\x4c\xfa\x9f\x9c\x02\x00"), Step::AwaitClose, Step::Fin],
    )
    .cause("proto-bad-utf8"),
    breach(
        "proto-interleaved-data-compressed",
        "A message within a compressed message",
        "A new message began before the fragmented, compressed one had ended. Two writers share the connection \
         without a lock. Let one writer send.",
        &[ACCEPT, Step::Confirm, Step::Send(b"\x41\x03\xf2\x48\xcd\x81\x05Hello"), Step::AwaitClose, Step::Fin],
    )
    .cause("proto-interleaved-data"),
    Fault::path(
        "decompression-bomb",
        "ended-by-us",
        "A decompression bomb",
        "A message of 1.5 KB inflates to 1.5 MB, a thousand times its size, and passes the limit that is set here. No \
         real data does that. Chrome would inflate it whole. Find out who sends it.",
        &[
            ACCEPT,
            Step::Confirm,
            Step::Send(b"\xc2\x7e\x05\xeb\xec\xc1\x01\x01\x00\x00\x00\x82\x20\xff\xaf\x6e\x48\x40\x01"),
            Step::Repeat(b"\0", 1_500),
            Step::AwaitClose,
            Step::Fin,
        ],
    )
    .limit(1024 * 1024),
    Fault::path(
        "our-limit-inflated",
        "ended-by-us",
        "A message beyond our own limit once it is inflated",
        "The message is short on the wire, but inflated it is longer than the limit set here, so we ended the \
         connection. The server did nothing wrong. Raise the limit.",
        &[
            ACCEPT,
            Step::Confirm,
            Step::Send(
                b"\xc1\x27\x4a\x4c\x4a\x4e\x49\x4d\x4b\xcf\xc8\xcc\xca\xce\xc9\xcd\xcb\x2f\x28\x2c\x2a\x2e\x29\x2d\
                  \x2b\xaf\xa8\xac\x4a\x1c\x95\x19\x95\x19\x95\x19\x95\xa1\xb3\x0c\x00",
            ),
            Step::AwaitClose,
            Step::Fin,
        ],
    )
    .cause("our-limit")
    .limit(1_000),
];

/// A 101 that accepts compression as it was offered.
const ACCEPT: Step = Step::Head(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
);

const fn breach(id: &'static str, title: &'static str, lesson: &'static str, steps: &'static [Step]) -> Fault {
    Fault::path(id, "protocol-error", title, lesson, steps)
}
