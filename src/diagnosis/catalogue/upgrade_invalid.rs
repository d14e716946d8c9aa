//! A 101 that breaks the rules, an answer that was cut off, or none at all.

use super::fix::{advice, command, on_each, snippet};
use super::{Cause, Phase};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "upgrade-wrong-accept",
        phase: Phase::UpgradeInvalid,
        title: "The server's Sec-WebSocket-Accept is wrong",
        what: "With the 101 the server must prove that it read our key, by sending back a value \
            computed from it. This value does not fit our key. Either the answer belongs to \
            another request, or the computation is wrong.",
        browser: "Chrome: Error during WebSocket handshake: Incorrect 'Sec-WebSocket-Accept' header \
            value. CloseEvent 1006.",
        fixes: &[
            snippet(
                "Compute it from the key exactly as received, with the fixed identifier of the RFC \
                    appended.",
                "createHash('sha1').update(key + \
                    '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')",
            ),
            advice(
                "If a proxy or cache stands in between, forbid caching and reuse for this path, and \
                    compare with a direct connection.",
            ),
        ],
        seen_with: &["hand-written servers", "cached answers", "proxies that mix up requests"],
        see_also: &["upgrade-no-accept", "upgrade-dup-accept"],
    },
    Cause {
        id: "upgrade-no-accept",
        phase: Phase::UpgradeInvalid,
        title: "The server sent no Sec-WebSocket-Accept",
        what: "The answer is a 101, but the header that proves the server understood the WebSocket \
            request is missing. A program that only imitates an upgrade does this, and so does a \
            proxy that drops headers it does not know.",
        browser: "Chrome: Error during WebSocket handshake: 'Sec-WebSocket-Accept' header is \
            missing. CloseEvent 1006.",
        fixes: &[
            snippet(
                "Let a WebSocket library do the handshake.",
                "wss.handleUpgrade(req, socket, head, ws => wss.emit('connection', ws, req));",
            ),
            advice("Let the proxy pass all Sec-WebSocket headers of the answer."),
        ],
        seen_with: &["hand-written servers", "upgrades to something else, such as h2c"],
        see_also: &["upgrade-wrong-accept", "upgrade-header-missing"],
    },
    Cause {
        id: "upgrade-dup-accept",
        phase: Phase::UpgradeInvalid,
        title: "Sec-WebSocket-Accept was sent twice",
        what: "The header that must appear once appears more often. Two handlers answered the same \
            upgrade, or a proxy added a header of its own.",
        browser: "Chrome: 'Sec-WebSocket-Accept' header must not appear more than once in a \
            response. CloseEvent 1006.",
        fixes: &[
            snippet("Let only one handler answer each upgrade.", "console.log(server.listenerCount('upgrade'));"),
            advice("Remove rules that add the header in the proxy."),
        ],
        seen_with: &["two WebSocket libraries on one server", "add_header rules"],
        see_also: &["two-writers-interleave", "upgrade-wrong-accept"],
    },
    Cause {
        id: "upgrade-header-missing",
        phase: Phase::UpgradeInvalid,
        title: "The 101 lacks Upgrade or Connection",
        what: "The status says 101, but the headers Upgrade: websocket and Connection: Upgrade, \
            which must come with it, are not both there. They concern only one hop, so proxies \
            tend to remove them from the answer.",
        browser: "Chrome: 'Upgrade' header is missing, or 'Connection' header is missing. \
            CloseEvent 1006.",
        fixes: &[
            snippet(
                "In a hand-written server, send both.",
                "HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: \
                    Upgrade\\r\\n",
            ),
            snippet(
                "Configure the proxy for WebSockets, or go around it to compare.",
                "proxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;\nproxy_set_header \
                    Connection \"upgrade\";",
            ),
        ],
        seen_with: &["proxies that clean up answers", "hand-written servers"],
        see_also: &["upgrade-header-wrong", "http-upgrade-stripped"],
    },
    Cause {
        id: "upgrade-header-wrong",
        phase: Phase::UpgradeInvalid,
        title: "Upgrade or Connection has a wrong value",
        what: "The 101 switches to something that is not WebSocket, or its Connection header does \
            not contain the word Upgrade. The server agreed to another protocol than the one we \
            asked for.",
        browser: "Chrome: 'Upgrade' header value is not 'WebSocket', or 'Connection' header value \
            must contain 'Upgrade'. CloseEvent 1006.",
        fixes: &[
            advice("Answer exactly with Upgrade: websocket and Connection: Upgrade."),
            advice("Look for a component that upgrades to HTTP/2 and switch that off on this port."),
        ],
        seen_with: &["servers that offer h2c", "hand-written servers"],
        see_also: &["upgrade-header-missing", "tls-alpn-h2-only"],
    },
    Cause {
        id: "upgrade-http-version",
        phase: Phase::UpgradeInvalid,
        title: "The 101 came in an old HTTP version",
        what: "The status line says HTTP/1.0, while an upgrade needs 1.1 or later. Chrome and \
            Node's ws take it nevertheless, Python's websockets does not, so it works for some \
            clients only.",
        browser: "Chrome connects. Nothing is shown.",
        fixes: &[snippet(
            "Let the server, or the proxy that faces the client, answer in HTTP/1.1.",
            "HTTP/1.1 101 Switching Protocols",
        )],
        seen_with: &["proxies that speak HTTP/1.0 to clients", "hand-written servers"],
        see_also: &["upgrade-bare-lf", "http-505"],
    },
    Cause {
        id: "upgrade-bare-lf",
        phase: Phase::UpgradeInvalid,
        title: "The answer's lines end without carriage return",
        what: "Lines of an HTTP head end in two characters, carriage return and line feed. Here \
            only line feeds were sent. Chrome takes that, Node's ws and Python's websockets \
            refuse it.",
        browser: "Chrome connects. Nothing is shown.",
        fixes: &[snippet(
            "End each line of the head with both characters.",
            "socket.write('HTTP/1.1 101 Switching Protocols\\r\\n');",
        )],
        seen_with: &["hand-written servers and scripts"],
        see_also: &["upgrade-http-version", "upgrade-header-missing"],
    },
    Cause {
        id: "upgrade-1xx",
        phase: Phase::UpgradeInvalid,
        title: "An interim answer came before the 101",
        what: "Before the 101 the server sent another interim status such as 100 or 103. That is \
            lawful HTTP in general, but browsers fail the WebSocket handshake on it.",
        browser: "Chrome: Unexpected response code: 100 (or 103). CloseEvent 1006. Node's ws goes \
            on.",
        fixes: &[advice("Switch off early hints and automatic 100 Continue for this path.")],
        seen_with: &["early hints", "proxies that always answer 100 Continue"],
        see_also: &["http-other", "upgrade-http-version"],
    },
    Cause {
        id: "upgrade-headers-too-big",
        phase: Phase::UpgradeInvalid,
        title: "The head of the answer is too large",
        what: "The server's answer carries more than 256 KiB of headers, and clients stop reading \
            there. Usually one piece of code sets cookies again and again.",
        browser: "Chrome: net::ERR_RESPONSE_HEADERS_TOO_BIG, CloseEvent 1006.",
        fixes: &[advice("Look in the log for the header that repeats and remove what adds it.")],
        seen_with: &["cookies set in a loop"],
        see_also: &["http-431", "url-too-long"],
    },
    Cause {
        id: "subprotocol-unanswered",
        phase: Phase::UpgradeInvalid,
        title: "The server chose none of the subprotocols",
        what: "We offered subprotocols and the 101 names none. Browsers treat that as failure: if \
            you ask for a subprotocol, the server must pick one.",
        browser: "Chrome: Sent non-empty 'Sec-WebSocket-Protocol' header but no response was \
            received. CloseEvent 1006.",
        fixes: &[
            snippet(
                "Let the server choose one. In Node's ws:",
                "new WebSocketServer({ server, handleProtocols: (offered) => [...offered][0] });",
            ),
            snippet("In FastAPI:", "await websocket.accept(subprotocol=\"graphql-transport-ws\")"),
            snippet("Or do not offer any in the page.", "const socket = new WebSocket(url);"),
        ],
        seen_with: &["servers that ignore subprotocols", "proxies that drop the header"],
        see_also: &["subprotocol-mismatch", "url-subprotocol-invalid"],
    },
    Cause {
        id: "subprotocol-unrequested",
        phase: Phase::UpgradeInvalid,
        title: "The server chose a subprotocol nobody offered",
        what: "The 101 names a subprotocol although the request offered none. The client cannot \
            speak it, so the handshake fails.",
        browser: "Chrome: Response must not include 'Sec-WebSocket-Protocol' header if not present \
            in request. CloseEvent 1006.",
        fixes: &[
            snippet(
                "Offer the subprotocol that the server insists on.",
                "const socket = new WebSocket(url, 'THE_NAME_IN_THE_ANSWER');",
            ),
            advice("Or let the server answer only with what was offered."),
        ],
        seen_with: &["servers with a fixed subprotocol"],
        see_also: &["subprotocol-mismatch", "subprotocol-unanswered"],
    },
    Cause {
        id: "subprotocol-mismatch",
        phase: Phase::UpgradeInvalid,
        title: "The server chose another subprotocol",
        what: "The 101 names a subprotocol that is not among those we offered. Names are compared \
            exactly, including upper and lower case.",
        browser: "Chrome: 'Sec-WebSocket-Protocol' header value in response does not match any of \
            sent values. CloseEvent 1006.",
        fixes: &[
            snippet(
                "Offer the server's name, exactly as written in its answer.",
                "sockeye check \"{url}\" --subprotocol THE_NAME_IN_THE_ANSWER",
            ),
            advice(
                "GraphQL clients: graphql-ws and graphql-transport-ws are two different protocols; \
                    use one on both sides.",
            ),
        ],
        seen_with: &["GraphQL clients and servers of different generations"],
        see_also: &["subprotocol-unrequested", "subprotocol-unanswered"],
    },
    Cause {
        id: "extension-unrequested",
        phase: Phase::UpgradeInvalid,
        title: "The server uses an extension nobody offered",
        what: "The 101 switches on an extension, mostly compression, that was not in our request. \
            The client could not read what follows, so the handshake fails.",
        browser: "Chrome: Found an unsupported extension, with its name. CloseEvent 1006.",
        fixes: &[
            snippet(
                "Switch the extension off on the server. In Node's ws:",
                "new WebSocketServer({ server, perMessageDeflate: false });",
            ),
            advice(
                "If a proxy removed the offer from the request, let it pass \
                    Sec-WebSocket-Extensions both ways.",
            ),
        ],
        seen_with: &["proxies that touch only one direction"],
        see_also: &["extension-bad-params", "proto-rsv1-no-deflate"],
    },
    Cause {
        id: "extension-bad-params",
        phase: Phase::UpgradeInvalid,
        title: "The compression settings of the server are invalid",
        what: "The server accepted compression with parameters that are unknown, repeated or out of \
            range, for instance a window of other than 8 to 15 bits, or one we had not allowed.",
        browser: "Chrome: Error in permessage-deflate, with the parameter it rejects. CloseEvent \
            1006.",
        fixes: &[
            snippet(
                "Switch compression off on the server, or leave its parameters at their defaults.",
                "new WebSocketServer({ server, perMessageDeflate: false });",
            ),
            snippet("Prove it by connecting without compression.", "sockeye check \"{url}\" --no-compress"),
        ],
        seen_with: &["hand-written negotiation"],
        see_also: &["extension-unrequested", "proto-deflate-corrupt"],
    },
    Cause {
        id: "upgrade-fin-nobytes",
        phase: Phase::UpgradeInvalid,
        title: "The server hung up without an answer",
        what: "Our request was received, and the server closed the connection without a single byte \
            of reply. Its code destroyed the socket, or the process stopped while it looked at \
            the request.",
        browser: "Chrome: Connection closed before receiving a handshake response. CloseEvent 1006.",
        fixes: &[
            snippet(
                "Look for a destroy in the upgrade handler, and answer before it.",
                "socket.end('HTTP/1.1 404 Not Found\\r\\nContent-Length: 0\\r\\nConnection: \
                    close\\r\\n\\r\\n');",
            ),
            snippet(
                "Read the server's console for an exception at that moment.",
                "sockeye check \"{url}\" --server-log server.log",
            ),
            on_each(
                "In nginx, look for return 444, which means exactly this.",
                "grep -rn 444 /etc/nginx/",
                "grep -rn 444 $(brew --prefix)/etc/nginx/",
                "Select-String -Path C:\\nginx\\conf\\*.conf -Pattern 444",
            ),
        ],
        seen_with: &[
            "upgrade listeners that destroy the socket",
            "an exception in verifyClient",
            "nginx return 444",
            "Node's http-proxy with its target down",
        ],
        see_also: &["upgrade-rst-nobytes", "upgrade-partial", "server-process-died", "http-401"],
    },
    Cause {
        id: "upgrade-rst-nobytes",
        phase: Phase::UpgradeInvalid,
        title: "The connection was reset during the handshake",
        what: "Our request went out and the connection was torn down at once, without any reply. A \
            server that expects TLS does it, also a filter in between, or a process killed before \
            it had read the request.",
        browser: "Chrome: Error during WebSocket handshake: net::ERR_CONNECTION_RESET. CloseEvent \
            1006.",
        fixes: &[
            snippet("Try wss:// on the same port.", "sockeye check \"wss://{host}:{port}{path}\""),
            advice(
                "Run the same check on the server's own machine. If it works there, a device in \
                    between resets it.",
            ),
            advice("Read the server's console for a crash."),
        ],
        seen_with: &["ports that expect TLS", "filtering devices", "killed processes"],
        see_also: &["plain-to-tls", "upgrade-fin-nobytes", "tls-reset-after-hello"],
    },
    Cause {
        id: "upgrade-partial",
        phase: Phase::UpgradeInvalid,
        title: "The answer broke off in the middle",
        what: "The server began its reply and the connection ended before the head was complete. A \
            process that dies while writing does this, or a proxy that cuts the answer short.",
        browser: "Chrome: net::ERR_CONNECTION_CLOSED. CloseEvent 1006.",
        fixes: &[
            advice("Read the console of the server, and of the proxy, at that second."),
            advice("Connect to the server behind the proxy directly and compare."),
            snippet(
                "In hand-written code, write the whole head including the empty line before ending.",
                "socket.end('HTTP/1.1 403 Forbidden\\r\\nConnection: close\\r\\n\\r\\n');",
            ),
        ],
        seen_with: &["crashes while writing", "proxies that cut answers"],
        see_also: &["upgrade-fin-nobytes", "server-process-died"],
    },
    Cause {
        id: "upgrade-unanswered",
        phase: Phase::UpgradeInvalid,
        title: "The server never answers the upgrade",
        what: "The connection stands and the request was received, but nothing comes back, neither \
            yes nor no. The code that decides about upgrades never finishes, or nobody feels \
            responsible for this path.",
        browser: "Chrome stays in CONNECTING, without any message. Every further WebSocket to the \
            same address waits behind this one.",
        fixes: &[
            snippet(
                "Answer every upgrade, also for paths you do not serve.",
                "else socket.end('HTTP/1.1 404 Not Found\\r\\nContent-Length: 0\\r\\nConnection: \
                    close\\r\\n\\r\\n');",
            ),
            snippet(
                "In verifyClient call back in every branch, also after an error.",
                "verifyClient: (info, done) => check(info).then(ok => done(ok), () => done(false, \
                    500))",
            ),
            command(
                "See whether the process answers at all; if plain requests hang too, it is blocked \
                    or stopped.",
                "curl -m 5 -i \"{http}://{host}:{port}/\"",
                "curl.exe -m 5 -i \"{http}://{host}:{port}/\"",
            ),
        ],
        seen_with: &[
            "verifyClient that never calls back",
            "upgrade listeners that ignore unknown paths",
            "a database that does not answer",
            "a breakpoint",
        ],
        see_also: &["server-blocked", "upgrade-trickle", "browser-handshake-queue", "http-504"],
    },
    Cause {
        id: "upgrade-trickle",
        phase: Phase::UpgradeInvalid,
        title: "The answer arrives too slowly to ever finish",
        what: "Bytes of the answer do come, but so few and so slowly that the head was not complete \
            within our time limit. Something on the way holds the data back, or the server writes \
            it in tiny pieces.",
        browser: "As without an answer: Chrome stays in CONNECTING and prints nothing.",
        fixes: &[
            snippet("Send the head in one write.", "socket.write(head.join('\\r\\n') + '\\r\\n\\r\\n');"),
            snippet("Switch buffering off in the proxy, and compare with a direct connection.", "proxy_buffering off;"),
        ],
        seen_with: &["slow hand-written servers", "broken buffering in a proxy"],
        see_also: &["upgrade-unanswered", "upgrade-partial"],
    },
];
