//! The server answered with a 2xx, a redirect or a 400: mostly the request reached the wrong handler.

use crate::diagnosis::catalogue::fix::{advice, command, snippet};
use crate::diagnosis::catalogue::{Cause, Phase};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "http-200-spa",
        phase: Phase::UpgradeRefused,
        title: "A web page answered instead of a WebSocket",
        what: "The server replied 200 with an HTML page. The request reached something that \
            delivers pages to everybody: a development server, a file server, or a web \
            application that sends its start page for each unknown path.",
        browser: "Chrome: Error during WebSocket handshake: Unexpected response code: 200. The page \
            itself is never shown.",
        fixes: &[
            command(
                "Compare path and port with those of the WebSocket server; in development it is \
                    often a second process on another port.",
                "curl -i \"{http}://{host}:{port}{path}\"",
                "curl.exe -i \"{http}://{host}:{port}{path}\"",
            ),
            snippet(
                "Let the proxy pass the path on before its catch-all. In nginx:",
                "location /ws {\n  proxy_pass http://127.0.0.1:3001;\n  proxy_http_version 1.1;\n  \
                    proxy_set_header Upgrade $http_upgrade;\n  proxy_set_header Connection \
                    \"upgrade\";\n}",
            ),
            snippet(
                "In Vite's development server:",
                "server: { proxy: { '/ws': { target: 'ws://localhost:3001', ws: true } } }",
            ),
            snippet(
                "In Node, attach the WebSocket server to the HTTP server that listens, not to the \
                    app alone.",
                "const wss = new WebSocketServer({ server });",
            ),
        ],
        seen_with: &[
            "try_files in nginx and Caddy",
            "Express without an upgrade listener",
            "development servers of Vite, Next and webpack",
        ],
        see_also: &["http-404", "http-200", "url-relative", "http-upgrade-stripped"],
    },
    Cause {
        id: "http-200",
        phase: Phase::UpgradeRefused,
        title: "The server answered 200 instead of upgrading",
        what: "A normal answer of success came where a 101 was needed. The path belongs to an \
            ordinary endpoint, or the server ignores the wish to upgrade because nothing there \
            handles it.",
        browser: "Chrome: Error during WebSocket handshake: Unexpected response code: 200.",
        fixes: &[
            snippet(
                "Register an upgrade handler on the server.",
                "server.on('upgrade', (req, socket, head) => wss.handleUpgrade(req, socket, head, \
                    ws => wss.emit('connection', ws, req)));",
            ),
            command(
                "Read the body in the log: it usually shows which program answered.",
                "curl -i \"{http}://{host}:{port}{path}\"",
                "curl.exe -i \"{http}://{host}:{port}{path}\"",
            ),
        ],
        seen_with: &["Express routes", "health check endpoints", "IIS without the WebSocket feature"],
        see_also: &["http-200-spa", "http-upgrade-stripped", "http-204"],
    },
    Cause {
        id: "http-204",
        phase: Phase::UpgradeRefused,
        title: "The server answered 204, without content",
        what: "The server accepted the request and had nothing to say, which is not an upgrade. On \
            Windows servers it is the known sign that WebSocket support is not installed.",
        browser: "Chrome: Error during WebSocket handshake: Unexpected response code: 204.",
        fixes: &[
            snippet("On IIS, install the WebSocket Protocol feature.", "Install-WindowsFeature Web-WebSockets"),
            advice(
                "Elsewhere, check that the path is the socket's and not that of a cross-origin \
                    preflight handler.",
            ),
        ],
        seen_with: &["IIS and SignalR without the WebSocket Protocol feature"],
        see_also: &["http-200", "http-404"],
    },
    Cause {
        id: "http-redirect-slash",
        phase: Phase::UpgradeRefused,
        title: "A redirect over a slash",
        what: "The server redirects to the same path with a slash added or removed at its end. \
            Browsers do not follow redirects for WebSockets, so a difference of one character \
            ends the attempt.",
        browser: "Chrome: Unexpected response code 301, 307 or 308. Python's websockets client \
            follows and works.",
        fixes: &[
            advice("Use exactly the path in the Location header, with or without the slash."),
            snippet(
                "Or stop the redirect and declare the route in both forms. In FastAPI and \
                    Starlette:",
                "app.router.redirect_slashes = False",
            ),
        ],
        seen_with: &["nginx locations that are directories", "Django and Starlette, which add a slash"],
        see_also: &["http-redirect", "http-404"],
    },
    Cause {
        id: "http-redirect-https",
        phase: Phase::UpgradeRefused,
        title: "The server redirects to https",
        what: "Plain HTTP is only used here to send visitors to the encrypted address. Browsers do \
            not follow that for a WebSocket.",
        browser: "Chrome: Unexpected response code 301, 302 or 308.",
        fixes: &[
            snippet("Use wss:// and the port of the encrypted site.", "sockeye check \"wss://{host}{path}\""),
            snippet(
                "Derive the scheme from the page.",
                "const scheme = location.protocol === 'https:' ? 'wss' : 'ws';",
            ),
            snippet(
                "If a proxy ends TLS, let it tell the application so, or it redirects forever.",
                "proxy_set_header X-Forwarded-Proto $scheme;",
            ),
        ],
        seen_with: &["nginx return 301 https://", "HAProxy redirect scheme", "hosting platforms that force https"],
        see_also: &["http-redirect", "mixed-content", "plain-to-tls"],
    },
    Cause {
        id: "http-redirect-login",
        phase: Phase::UpgradeRefused,
        title: "The server redirects to a login page",
        what: "The request passed through the application's login check and was sent to the sign-in \
            page. The session cookie is missing, expired, or not sent to this host.",
        browser: "Chrome: Unexpected response code: 302.",
        fixes: &[
            snippet(
                "Log in first, and check in the log whether a Cookie header was sent.",
                "sockeye check \"{url}\" --header \"Cookie: session=VALUE\"",
            ),
            snippet(
                "Serve socket and page from one host, or set the cookie so that it reaches both.",
                "Set-Cookie: session=…; SameSite=None; Secure; Domain=example.com",
            ),
            advice("Let the login check answer sockets with 401 instead of a redirect."),
        ],
        seen_with: &["session middleware in front of the socket's path"],
        see_also: &["http-401", "token-missing", "http-redirect"],
    },
    Cause {
        id: "http-redirect",
        phase: Phase::UpgradeRefused,
        title: "The server redirects elsewhere",
        what: "The answer is a redirect to another address. A WebSocket client in a browser stops \
            there; only the address given in the constructor counts.",
        browser: "Chrome: Unexpected response code: 301, 302, 303, 307 or 308. The target is not \
            shown.",
        fixes: &[
            command(
                "Read the Location header in the log and use that address directly.",
                "curl -sI \"{http}://{host}:{port}{path}\"",
                "curl.exe -sI \"{http}://{host}:{port}{path}\"",
            ),
            advice("Exempt the socket's path from the redirect."),
        ],
        seen_with: &["moved domains", "www added or removed"],
        see_also: &["http-redirect-slash", "http-redirect-https", "http-redirect-login"],
    },
    Cause {
        id: "http-upgrade-stripped",
        phase: Phase::UpgradeRefused,
        title: "A proxy removed the upgrade",
        what: "Our request asked for an upgrade, the server behind answered as if it had received \
            an ordinary request. Something in between dropped the Upgrade and Connection headers, \
            which proxies do unless told otherwise.",
        browser: "Chrome: Unexpected response code 426, 400 or 404. The body, which would tell \
            more, is not shown.",
        fixes: &[
            snippet(
                "In nginx, pass both headers on and use HTTP/1.1.",
                "proxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;\nproxy_set_header \
                    Connection \"upgrade\";",
            ),
            snippet("In Apache:", "ProxyPass \"/ws\" \"http://127.0.0.1:3001/ws\" upgrade=websocket"),
            snippet("In lighttpd:", "proxy.header = ( \"upgrade\" => \"enable\" )"),
            snippet(
                "In Varnish, pipe such requests, and hand the headers on.",
                "sub vcl_recv { if (req.http.upgrade ~ \"(?i)websocket\") { return (pipe); } }\nsub \
                    vcl_pipe { set bereq.http.upgrade = req.http.upgrade; set \
                    bereq.http.connection = req.http.connection; }",
            ),
            advice(
                "Connect to the service behind the proxy directly. If that works, the proxy is the \
                    place.",
            ),
        ],
        seen_with: &[
            "nginx without proxy_set_header Upgrade",
            "Apache ProxyPass without upgrade=websocket",
            "Varnish without pipe",
            "lighttpd without upgrade enabled",
            "HAProxy rules that delete the header",
        ],
        see_also: &["http-426", "http-404", "http-400-missing-key", "http-505"],
    },
    Cause {
        id: "http-400-path-mismatch",
        phase: Phase::UpgradeRefused,
        title: "The path is not the one the server accepts",
        what: "The Node library ws was created with a fixed path and answers 400 to every other \
            one. With two such servers attached to one HTTP server, the first turns away the \
            requests meant for the second.",
        browser: "Chrome: Error during WebSocket handshake: Unexpected response code: 400.",
        fixes: &[
            snippet("Use the same path on both sides.", "new WebSocketServer({ server, path: '{path}' });"),
            snippet(
                "With several endpoints, use one upgrade handler that chooses.",
                "const wss = new WebSocketServer({ noServer: true });",
            ),
        ],
        seen_with: &["ws with the path option", "two WebSocketServer objects on one HTTP server"],
        see_also: &["http-400", "http-404", "two-writers-interleave"],
    },
    Cause {
        id: "http-400-missing-key",
        phase: Phase::UpgradeRefused,
        title: "A handshake header is missing or wrong",
        what: "The server found no valid Sec-WebSocket-Key or Sec-WebSocket-Version in the request. \
            We sent both, so something on the way removed or changed them; otherwise the client \
            speaks a very old draft.",
        browser: "Chrome: Error during WebSocket handshake: Unexpected response code: 400.",
        fixes: &[
            snippet("Compare the request as sent with the one the server logs.", "console.log(req.rawHeaders);"),
            advice(
                "Let the proxy pass all Sec-WebSocket headers unchanged, and connect without it for \
                    comparison.",
            ),
            advice("Bring an old client library up to date; version 13 is the only one in use."),
        ],
        seen_with: &["filtering proxies", "hand-written clients"],
        see_also: &["http-upgrade-stripped", "http-400", "http-426"],
    },
    Cause {
        id: "http-400",
        phase: Phase::UpgradeRefused,
        title: "The server called the request bad",
        what: "A plain 400 came back. The server, or a proxy in front of it, found something in the \
            request that it does not accept; the body often says what.",
        browser: "Chrome: Error during WebSocket handshake: Unexpected response code: 400. The body \
            is not shown.",
        fixes: &[
            advice(
                "Read the body and the Server header in the log; they name who refused, and often \
                    why.",
            ),
            snippet(
                "Reduce the request: no cookies, no extra headers, no extensions, then add one at a \
                    time.",
                "sockeye check \"{url}\" --no-compress",
            ),
            advice("Read the server's log for the same second."),
        ],
        seen_with: &["oversized cookies or URLs", "hosts that the server does not know"],
        see_also: &["http-400-path-mismatch", "http-400-missing-key", "engineio-error", "plain-to-tls", "url-too-long"],
    },
];
