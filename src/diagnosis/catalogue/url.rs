//! Mistakes in the URL or in the arguments of the constructor: no packet leaves the machine, or it goes astray.

use super::fix::{advice, snippet};
use super::{Cause, Phase};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "url-scheme-http",
        phase: Phase::Url,
        title: "The URL starts with http, not ws",
        what: "A WebSocket address begins with ws:// or, encrypted, with wss://. Newer browsers \
            quietly turn http:// into ws:// and https:// into wss://, so it works in one place \
            and throws in another. On the wire nothing is different.",
        browser: "Current Chrome connects as if nothing were wrong; older versions throw a \
            SyntaxError and never create a socket.",
        fixes: &[snippet(
            "Write ws:// instead of http://, and wss:// instead of https://.",
            "const url = address.replace(/^http/, 'ws');",
        )],
        seen_with: &["API base URLs reused for the socket", "clients written against a recent Chrome only"],
        see_also: &["url-scheme-typo", "url-relative"],
    },
    Cause {
        id: "url-scheme-typo",
        phase: Phase::Url,
        title: "The URL has no usable scheme",
        what: "What stands before the first colon is not ws, wss, http or https. The usual reason \
            is a forgotten scheme: in localhost:3001/path the word localhost itself is read as \
            the scheme. Nothing is sent.",
        browser: "The constructor throws a SyntaxError saying which schemes are possible and that, \
            for example, 'localhost' is not allowed. There is no CloseEvent.",
        fixes: &[snippet(
            "Put ws:// (or wss://) in front of the host.",
            "const socket = new WebSocket('ws://localhost:3001/');",
        )],
        seen_with: &["environment variables that hold only host and port"],
        see_also: &["url-scheme-http", "url-relative", "url-bad-port"],
    },
    Cause {
        id: "url-relative",
        phase: Phase::Url,
        title: "The URL is relative",
        what: "The address has no host of its own, only a path. A recent browser completes it from \
            the page's address, so it dials the server that delivered the page, which often is \
            not the WebSocket server. Outside a browser there is no page to complete it from.",
        browser: "New Chrome connects to the page's own host; there the answer is often a web page \
            instead of an upgrade. Older browsers and Node throw a SyntaxError.",
        fixes: &[
            snippet(
                "Write the whole address, with scheme, host and port.",
                "const socket = new WebSocket(`ws://localhost:3001/socket`);",
            ),
            snippet(
                "If the same host is meant, say so explicitly.",
                "const url = new URL('/socket', location.href); url.protocol = \
                    url.protocol.replace('http', 'ws');",
            ),
        ],
        seen_with: &[],
        see_also: &["http-200-spa", "url-host-placeholder"],
    },
    Cause {
        id: "url-fragment",
        phase: Phase::Url,
        title: "The URL contains a #",
        what: "A # starts a fragment, and a WebSocket URL must not have one, not even an empty one. \
            It mostly gets there inside a token or password that was put into the query \
            unencoded. Nothing is sent.",
        browser: "The constructor throws a SyntaxError saying that the URL contains a fragment \
            identifier. There is no CloseEvent.",
        fixes: &[snippet(
            "Remove the # and what follows it, or encode it as %23.",
            "url.searchParams.set('token', token);",
        )],
        seen_with: &[
            "tokens and passwords pasted into the query",
            "URLs taken from location.href of a page with hash routing",
        ],
        see_also: &["url-space-or-quote", "token-double-encoded"],
    },
    Cause {
        id: "url-bad-port",
        phase: Phase::Url,
        title: "The URL cannot be parsed",
        what: "The port is larger than 65535 or not a number, or the host is malformed, for \
            instance an IPv6 address without its closing bracket. No client can make an address \
            of it, so nothing is sent.",
        browser: "The constructor throws a SyntaxError that the URL is invalid. There is no \
            CloseEvent.",
        fixes: &[
            advice("Correct the port: a number from 1 to 65535."),
            snippet("Put IPv6 addresses in brackets.", "const socket = new WebSocket('ws://[::1]:3001/');"),
        ],
        seen_with: &["ports glued together by string concatenation"],
        see_also: &["url-scheme-typo", "url-host-placeholder"],
    },
    Cause {
        id: "url-unsafe-port",
        phase: Phase::Url,
        title: "Browsers refuse to use this port",
        what: "Browsers keep a list of ports that belong to other protocols, such as 22, 6000 or \
            6667, and never connect to them, however healthy the server is. Other programs have \
            no such list, so a test from the command line succeeds.",
        browser: "Chrome prints net::ERR_UNSAFE_PORT and fires a CloseEvent 1006 within the same \
            millisecond. Not a single packet is sent.",
        fixes: &[advice(
            "Move the server to another port, such as 3001 or 8080, or put a proxy on 443 in \
                    front of it.",
        )],
        seen_with: &["servers on port 6000, 6665–6669 or 10080"],
        see_also: &["tcp-refused", "browser-connection-limit"],
    },
    Cause {
        id: "url-host-placeholder",
        phase: Phase::Url,
        title: "The host is a placeholder",
        what: "Where the host name should be stands undefined, null or a leftover of a template. \
            The program built the URL from a variable that had no value, mostly an environment \
            variable that was missing when the front end was built.",
        browser: "It looks like an unknown name: net::ERR_NAME_NOT_RESOLVED and CloseEvent 1006.",
        fixes: &[
            advice(
                "Set the variable and build again; bundlers copy its value at build time, a later \
                    change has no effect.",
            ),
            snippet(
                "Stop early when it is missing.",
                "if (!process.env.NEXT_PUBLIC_WS_URL) throw new Error('NEXT_PUBLIC_WS_URL is not \
                    set');",
            ),
        ],
        seen_with: &["Vite variables without the VITE_ prefix", "Next.js variables without the NEXT_PUBLIC_ prefix"],
        see_also: &["dns-nxdomain", "token-placeholder"],
    },
    Cause {
        id: "url-space-or-quote",
        phase: Phase::Url,
        title: "The URL contains spaces, quotes or line breaks",
        what: "Raw spaces and quotes in the path or query are percent-encoded on the way, and line \
            breaks are removed. The request is sent, but the server receives something else than \
            you see in the code, for example a token that begins with %22.",
        browser: "No complaint at all. The server's refusal comes later, often as a close 1008 or a \
            status 401.",
        fixes: &[snippet(
            "Encode each value once, and trim what was pasted or read from a file.",
            "const url = \"{scheme}://{host}:{port}{path}?token=\" + encodeURIComponent(token.trim());",
        )],
        seen_with: &["tokens copied with their quotation marks from the browser's storage"],
        see_also: &["token-quoted", "token-whitespace", "token-double-encoded"],
    },
    Cause {
        id: "url-userinfo",
        phase: Phase::Url,
        title: "The URL contains a user name or password",
        what: "Credentials before the @ are no reliable way to log in over WebSocket. Some clients \
            turn them into an Authorization header, others leave them out, and they turn up in \
            logs and histories.",
        browser: "Chrome accepts the URL, connects without the credentials, and asks again with an \
            Authorization header if the server answers 401 with WWW-Authenticate: Basic.",
        fixes: &[
            advice(
                "Remove them from the URL and send a token: in the query, in a cookie or as the \
                    first message.",
            ),
            snippet(
                "Outside browsers an explicit header is clearer.",
                "sockeye check \"{url}\" --header \"Authorization: Basic \
                    BASE64_OF_USER_COLON_PASSWORD\"",
            ),
        ],
        seen_with: &[],
        see_also: &["http-401", "token-missing"],
    },
    Cause {
        id: "url-too-long",
        phase: Phase::Url,
        title: "The URL is longer than the server allows",
        what: "The request line exceeds what the server or a proxy is willing to read, so the \
            request is refused before any WebSocket code sees it. The usual reason is a very \
            large token in the query.",
        browser: "Chrome: unexpected response code 414, 431 or 400, depending on who refused. A URL \
            of several megabytes can take the whole page down.",
        fixes: &[
            snippet(
                "Send less in the URL: put the token into a cookie, a subprotocol or the first \
                    message, and keep only identifiers in it.",
                "socket.onopen = () => socket.send(JSON.stringify({ type: 'auth', token }));",
            ),
            snippet("Or raise the limit. In nginx:", "large_client_header_buffers 4 32k;"),
            snippet("In Node, at start:", "node --max-http-header-size=32768 server.js"),
        ],
        seen_with: &[
            "Node: 431 above 16 KiB of head",
            "nginx: 414 above 8 KiB",
            "HAProxy: 400",
            "AWS API Gateway: 4096 characters",
        ],
        see_also: &["http-414", "http-431", "http-400"],
    },
    Cause {
        id: "url-subprotocol-invalid",
        phase: Phase::Url,
        title: "The subprotocol argument is not allowed",
        what: "A subprotocol name may contain only the characters of an HTTP token: no space, no =, \
            no slash, no empty name, and none twice. It usually happens to people who smuggle a \
            login token through that argument. Nothing is sent.",
        browser: "The constructor throws a SyntaxError naming the subprotocol that is invalid. \
            There is no CloseEvent.",
        fixes: &[
            snippet(
                "Encode the token as base64url without padding, and leave out words such as Bearer.",
                "new WebSocket(url, ['auth', btoa(token).replace(/\\+/g, '-').replace(/\\//g, \
                    '_').replace(/=+$/, '')]);",
            ),
            advice("Let the server answer with the plain name (auth), never with the token."),
        ],
        seen_with: &["the trick of sending a bearer token as a subprotocol"],
        see_also: &["subprotocol-unanswered", "token-bearer-prefix"],
    },
];
