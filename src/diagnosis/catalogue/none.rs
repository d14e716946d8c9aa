//! Verdicts that accuse nobody: all is well, we cannot tell, or we ended it ourselves.

use super::fix::{advice, snippet};
use super::{Cause, Phase};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "healthy",
        phase: Phase::None,
        title: "Everything works",
        what: "The address resolved, the port answered, the opening handshake was accepted and what \
            was expected arrived. When the watch was over we sent a Close frame and the server \
            answered it. Nothing on this connection needs mending.",
        browser: "An open event, the messages, and at the end a CloseEvent with code 1000 and \
            wasClean true.",
        fixes: &[
            snippet(
                "If the page still fails, the difference lies in the page: its origin, its cookies, its \
                    token or its own code. Send what the page sends, its origin first.",
                "sockeye check \"{url}\" --origin http://localhost:3000",
            ),
            snippet(
                "If it fails only now and then, repeat the check and look at the tally of causes.",
                "sockeye check \"{url}\" --repeat 20",
            ),
        ],
        seen_with: &[],
        see_also: &["undetermined", "close-while-connecting", "http-403-origin"],
    },
    Cause {
        id: "undetermined",
        phase: Phase::None,
        title: "The evidence does not decide",
        what: "What happened is known, why it happened is not: more than one explanation fits and \
            nothing that was seen rules the others out. The verdict lists what was excluded. From \
            one end of a connection some things cannot be known, for instance which of several \
            proxies cut it.",
        browser: "Depends on the ending; after a successful open a browser shows nothing beyond a \
            CloseEvent with code 1006.",
        fixes: &[
            snippet(
                "Show Sockeye the server's console. One line of it often decides.",
                "sockeye check \"{url}\" --server-log server.log",
            ),
            advice(
                "Run the same check on the server's own machine. If it works there, look at what \
                    stands in between.",
            ),
            advice("Connect to the service behind the proxy directly and compare."),
            snippet(
                "Repeat the check: equal times and equal causes are evidence.",
                "sockeye check \"{url}\" --repeat 5 --watch 120",
            ),
        ],
        seen_with: &[],
        see_also: &["connection-terminated", "handler-exception", "upgrade-unanswered"],
    },
    Cause {
        id: "ended-by-user",
        phase: Phase::None,
        title: "This side ended the connection",
        what: "The connection was closed or aborted from the client's side: by a click, a key or the \
            end of the program, or by the page whose connection goes through here. The server did \
            nothing wrong; if it had not answered yet, it had no time to.",
        browser: "A page that calls close() itself gets code 1000 or 1005; a page that is left or \
            reloaded sends 1001.",
        fixes: &[snippet(
            "Connect again and let it run until something happens by itself.",
            "sockeye check \"{url}\" --watch 120",
        )],
        seen_with: &[],
        see_also: &["our-limit", "page-navigation", "peer-never-answers-close"],
    },
    Cause {
        id: "our-limit",
        phase: Phase::None,
        title: "A limit of ours ended the connection",
        what: "The connection met a limit that is set on this side: the largest message we take, \
            the time we wait for a pong, or a pause of our own reading. The peer may have behaved \
            perfectly well.",
        browser: "Browsers have other limits, so a page may well survive what we gave up on.",
        fixes: &[
            advice(
                "Raise the limit in the connection's options and try again. Sizes stop at 64 MiB \
                    for a frame or message unless set, pongs are waited for 10 seconds.",
            ),
            advice(
                "If the message really should be smaller, mend the sender: split large data or send \
                    a link to it.",
            ),
        ],
        seen_with: &[],
        see_also: &["frame-huge", "decompression-bomb", "ping-timeout-1011"],
    },
];
