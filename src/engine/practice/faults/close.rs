//! Faults of the closing handshake: codes, broken Close frames, and peers that do not answer.

use super::super::fault::{Expected, Fault, Setting};
use super::super::script::Step;

pub(super) const FAULTS: &[Fault] = &[
    coded(
        "close-1000",
        "Closed normally",
        "The server closed on purpose and all is in order (1000). If it should have stayed open, look for the \
         call of close() in the server.",
        &[Step::Accept, Step::Confirm, Step::Close(1000, ""), Step::AwaitClose, Step::Fin],
    ),
    coded(
        "close-1001",
        "The server goes away",
        "1001 is sent when a server shuts down or restarts. Reconnect after a pause.",
        &[Step::Accept, Step::Confirm, Step::Close(1001, "Server shutting down"), Step::AwaitClose, Step::Fin],
    ),
    coded(
        "close-1002",
        "The server saw a protocol error",
        "1002 by a library says that a frame of ours was wrong; by an application it may mean anything. Read the \
         reason, then look at the frame sent before it.",
        &[Step::Accept, Step::Confirm, Step::Close(1002, "Protocol error"), Step::AwaitClose, Step::Fin],
    ),
    coded(
        "close-1003",
        "Type not accepted",
        "The server does not take this type of message, usually binary. Send text.",
        &[
            Step::Accept,
            Step::Confirm,
            Step::Close(1003, "Binary messages are not accepted"),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    coded(
        "close-1007",
        "Payload does not match its type",
        "The server found that the payload is not what its type says, for example text that is not UTF-8. Look at \
         the message sent before.",
        &[Step::Accept, Step::Confirm, Step::Close(1007, "Invalid payload"), Step::AwaitClose, Step::Fin],
    ),
    coded(
        "close-1008",
        "A policy was violated",
        "1008 is the general refusal, most often of a token or an origin. The token is good here, so read the \
         reason and the server's console.",
        &[Step::Accept, Step::Confirm, Step::Close(1008, "Policy violation"), Step::AwaitClose, Step::Fin],
    ),
    coded(
        "close-1010",
        "An extension is missing",
        "1010 says that an extension was expected and not negotiated; a client sends it by rights. Offer the \
         extension, or do not require it.",
        &[Step::Accept, Step::Confirm, Step::Close(1010, "permessage-deflate required"), Step::AwaitClose, Step::Fin],
    ),
    coded(
        "close-1011",
        "The server failed",
        "1011 says that the server met a condition it did not expect: an exception in the handler. Its console \
         has the stack trace.",
        &[Step::Accept, Step::Confirm, Step::Close(1011, "Internal error"), Step::AwaitClose, Step::Fin],
    ),
    coded(
        "close-1012",
        "The server restarts",
        "1012 announces a restart. Reconnect after a random pause of some seconds.",
        &[Step::Accept, Step::Confirm, Step::Close(1012, "Service restart"), Step::AwaitClose, Step::Fin],
    ),
    coded(
        "close-1013",
        "The server is overloaded",
        "1013 asks to come back later. Back off, and look at the server's load.",
        &[Step::Accept, Step::Confirm, Step::Close(1013, "Try again later"), Step::AwaitClose, Step::Fin],
    ),
    coded(
        "close-1014",
        "A gateway got no good answer",
        "1014 is a gateway's: the server behind it gave an invalid answer. Look at that server.",
        &[Step::Accept, Step::Confirm, Step::Close(1014, "Bad gateway"), Step::AwaitClose, Step::Fin],
    ),
    coded(
        "close-3000",
        "Unauthorized",
        "3000 is registered for a client that did not authenticate. The token is good here, so look at what else \
         the server wants.",
        &[Step::Accept, Step::Confirm, Step::Close(3000, "Unauthorized"), Step::AwaitClose, Step::Fin],
    ),
    coded(
        "close-3003",
        "Forbidden",
        "3003 is registered for a client that may not do this. Look at the rights of the user.",
        &[Step::Accept, Step::Confirm, Step::Close(3003, "Forbidden"), Step::AwaitClose, Step::Fin],
    ),
    coded(
        "close-application",
        "A code of the application",
        "Codes from 4000 on belong to the application, and only its documentation says what they mean. Read the \
         reason.",
        &[Step::Accept, Step::Confirm, Step::Close(4000, "Agent is busy"), Step::AwaitClose, Step::Fin],
    ),
    coded(
        "duplicate-kick",
        "Another connection took over",
        "The reason says that a second connection with the same agentId ended this one: two tabs, or React's \
         StrictMode connecting twice. Allow several, or connect once.",
        &[
            Step::Accept,
            Step::Confirm,
            Step::Close(4001, "kicked: duplicate session for this agentId"),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    coded(
        "message-too-big-by-server",
        "Our message was too long",
        "The server's limit is smaller than our message, and it closed with 1009 (ws: maxPayload; Python: \
         max_size 1 MiB). Raise the limit, or send less at a time.",
        &[Step::Accept, Step::Confirm, Step::AwaitData, Step::Close(1009, ""), Step::AwaitClose, Step::Fin],
    )
    .sends(128 * 1024),
    Fault::new(
        "message-too-big-then-died",
        "closed",
        "Too long a message, and then the process dies",
        "The server closed with 1009 and then its process ended: the port refuses. The message is the cause, the \
         end of the process a further finding. Send less at a time, and look at the console.",
        Setting::Dies(&[
            Step::Accept,
            Step::Confirm,
            Step::AwaitData,
            Step::Close(1009, "Max payload size exceeded"),
            Step::AwaitClose,
            Step::Die,
            Step::Fin,
        ]),
    )
    .cause("message-too-big-by-server")
    .findings(&["server-process-died"])
    .sends(128 * 1024),
    Fault::new(
        "close-1002-url",
        "closed",
        "Failed to parse URL",
        "The path begins with two slashes, which the server's URL constructor refuses; the application closes with \
         1002 Failed to parse URL. Join host and path with one slash.",
        Setting::Url("ws://{authority}//?{query}"),
    )
    .cause("close-1002"),
    Fault::new(
        "close-1008-agent",
        "closed",
        "agentId is missing",
        "The token is good, but the query names no agent, and the server closes with 1008 agentId is required. Add \
         the parameter.",
        Setting::Url("ws://{authority}/?token={token}"),
    )
    .cause("close-1008"),
    coded(
        "close-empty",
        "A Close frame without a code",
        "The server called close() without a code: the Close frame is empty, and a browser shows 1005. Socket.IO \
         does this for messages it cannot read. Let the server name a code.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x88\x00"), Step::AwaitClose, Step::Fin],
    ),
    coded(
        "garbage-after-close",
        "Bytes after the Close frame",
        "After its Close frame the server sent bytes that are no frame. Browsers ignore them; the code 1000 \
         stands. It is a finding about the server's library.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x88\x02\x03\xe8\xff\xff\xff\xff"), Step::AwaitClose, Step::Fin],
    )
    .cause("close-1000")
    .findings(&["garbage-after-close"]),
    broken(
        "close-illegal-code",
        "1005 on the wire",
        "1005 means that no code came, so it must never travel. Browsers answer 1006. Let the server send a code \
         that may be sent.",
        &[Step::Accept, Step::Confirm, Step::Close(1005, ""), Step::AwaitClose, Step::Fin],
    ),
    broken(
        "close-illegal-code-999",
        "999 on the wire",
        "Codes below 1000 are not used. Chrome accepts it in silence, other clients report 1006. Let the server \
         send a legal code.",
        &[Step::Accept, Step::Confirm, Step::Close(999, ""), Step::AwaitClose, Step::Fin],
    )
    .cause("close-illegal-code"),
    broken(
        "close-illegal-code-1004",
        "1004 on the wire",
        "1004 is reserved. Chrome accepts it in silence, other clients report 1006. Let the server send a legal \
         code.",
        &[Step::Accept, Step::Confirm, Step::Close(1004, ""), Step::AwaitClose, Step::Fin],
    )
    .cause("close-illegal-code"),
    broken(
        "close-illegal-code-1006",
        "1006 on the wire",
        "1006 means that no Close frame came, so it must never travel in one. Somebody passes a browser's code \
         on. Let the server send a legal code.",
        &[Step::Accept, Step::Confirm, Step::Close(1006, ""), Step::AwaitClose, Step::Fin],
    )
    .cause("close-illegal-code"),
    broken(
        "close-illegal-code-1015",
        "1015 on the wire",
        "1015 stands for a failed TLS handshake and must never travel. Let the server send a legal code.",
        &[Step::Accept, Step::Confirm, Step::Close(1015, ""), Step::AwaitClose, Step::Fin],
    )
    .cause("close-illegal-code"),
    broken(
        "close-illegal-code-2999",
        "2999 on the wire",
        "1016 to 2999 are reserved for the protocol. Use 4000 and above for an application's own codes.",
        &[Step::Accept, Step::Confirm, Step::Close(2999, ""), Step::AwaitClose, Step::Fin],
    )
    .cause("close-illegal-code"),
    broken(
        "close-illegal-code-5000",
        "5000 on the wire",
        "Codes end at 4999. Chrome accepts it in silence, other clients report 1006. Use 4000 to 4999.",
        &[Step::Accept, Step::Confirm, Step::Close(5000, ""), Step::AwaitClose, Step::Fin],
    )
    .cause("close-illegal-code"),
    broken(
        "close-illegal-code-65535",
        "65535 on the wire",
        "Codes end at 4999; this is -1 as 16 bits. An exit status was passed on as a code. Use 4000 to 4999.",
        &[Step::Accept, Step::Confirm, Step::Close(65535, ""), Step::AwaitClose, Step::Fin],
    )
    .cause("close-illegal-code"),
    broken(
        "close-1byte",
        "A Close frame of one byte",
        "A code has two bytes, so a payload of one is broken, and browsers answer 1006. Use the library of the \
         server to close.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x88\x01\x03"), Step::AwaitClose, Step::Fin],
    ),
    broken(
        "close-bad-utf8",
        "A reason that is not UTF-8",
        "The reason of a Close frame must be UTF-8; browsers answer 1006 and hide the code. Encode the reason.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x88\x06\x03\xe8caf\xe9"), Step::AwaitClose, Step::Fin],
    ),
    broken(
        "close-too-long",
        "A reason beyond 123 bytes",
        "A Close frame carries at most 125 bytes, two of them the code. A stack trace was sent as the reason. \
         Shorten it.",
        &[
            Step::Accept,
            Step::Confirm,
            Step::Send(b"\x88\x7e\x00\xc8\x03\xf3"),
            Step::Repeat(b"r", 198),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    broken(
        "data-after-close",
        "A message after the Close frame",
        "After its Close frame an endpoint must send nothing more. Chrome turns the 1000 into a 1006, other \
         clients ignore the message. Send first, close then.",
        &[Step::Accept, Step::Confirm, Step::Send(b"\x88\x02\x03\xe8\x81\x04late"), Step::AwaitClose, Step::Fin],
    ),
    Fault::path(
        "peer-never-answers-close",
        "closed-unclean",
        "Our Close frame goes unanswered",
        "We closed, and the server neither answers nor ends TCP: it is blocked, or does not read. A browser stays \
         CLOSING. Look at the server's CPU.",
        &[Step::Accept, Step::Confirm, Step::Silence],
    ),
    Fault::path(
        "peer-drops-tcp-on-our-close",
        "closed-unclean",
        "TCP ends in place of an answer",
        "We closed with 1000, and the server ended TCP without its own Close frame: a browser shows 1006 although \
         all was meant well. Let the server answer the Close frame.",
        &[Step::Accept, Step::Confirm, Step::AwaitClose, Step::Fin],
    ),
    Fault::path(
        "peer-never-closes-tcp",
        "open",
        "TCP stays open after the closing handshake",
        "Both Close frames travelled, but the server, whose task it is, does not end TCP. Browsers give up after two \
         seconds. It is a finding: the server collects sockets.",
        &[Step::Accept, Step::Confirm, Step::AwaitClose, Step::EchoClose, Step::Silence],
    )
    .cause("healthy")
    .findings(&["peer-never-closes-tcp"]),
    Fault::path(
        "close-1000-unconfirmed",
        "closed",
        "Closed before a confirmation",
        "The server accepted and closed at once with 1000, without a message: its handler returned. Look for an \
         early return.",
        &[Step::Accept, Step::Close(1000, ""), Step::AwaitClose, Step::Fin],
    )
    .cause("close-1000")
    .confirm(Expected::None),
];

const fn coded(id: &'static str, title: &'static str, lesson: &'static str, steps: &'static [Step]) -> Fault {
    Fault::path(id, "closed", title, lesson, steps)
}

const fn broken(id: &'static str, title: &'static str, lesson: &'static str, steps: &'static [Step]) -> Fault {
    Fault::path(id, "protocol-error", title, lesson, steps)
}
