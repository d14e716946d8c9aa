//! The server answered with 401 to 431: who we are, where we went, and how much we sent.

use crate::diagnosis::catalogue::fix::{advice, command, on_each, snippet};
use crate::diagnosis::catalogue::{Cause, Phase};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "http-401",
        phase: Phase::UpgradeRefused,
        title: "The server wants credentials",
        what: "The upgrade was refused with 401: no credentials came, or the server did not accept \
            them. A browser cannot set an Authorization header for a WebSocket, so the token has \
            to travel in the query, a cookie, a subprotocol or the first message.",
        browser: "Chrome: HTTP Authentication failed; no valid credentials available. CloseEvent \
            1006, no number is shown.",
        fixes: &[
            snippet("Check the token.", "sockeye token YOUR_TOKEN --secret YOUR_SECRET"),
            snippet("Send it where the server looks.", "sockeye check \"{url}\" --token-in bearer --token YOUR_TOKEN"),
            snippet(
                "To let the browser see a reason, accept the upgrade and then close with a code.",
                "ws.close(1008, 'token expired');",
            ),
        ],
        seen_with: &["ws with verifyClient returning false", "nginx auth_basic", "FastAPI dependencies that raise 401"],
        see_also: &["token-missing", "jwt-expired", "jwt-wrong-secret", "close-1008"],
    },
    Cause {
        id: "http-403-origin",
        phase: Phase::UpgradeRefused,
        title: "The server does not accept this origin",
        what: "Browsers add an Origin header that says which page asks. The server compared it with \
            its list and refused. Other clients send none, or another, and get through; localhost \
            and 127.0.0.1 are different origins, and so are two ports.",
        browser: "Chrome: Unexpected response code 403; with Rails' ActionCable 404.",
        fixes: &[
            snippet(
                "Add the page's origin, exactly as in the address bar, to the server's list. In \
                    Phoenix:",
                "check_origin: [\"https://app.example.com\", \"http://localhost:3000\"]",
            ),
            snippet("In Rails:", "config.action_cable.allowed_request_origins = [\"http://localhost:3000\"]"),
            snippet("Try it with the origin of your page.", "sockeye check \"{url}\" --origin http://localhost:3000"),
        ],
        seen_with: &[
            "Phoenix check_origin",
            "Rails ActionCable (404)",
            "Spring setAllowedOrigins",
            "Python websockets with origins",
            "Django Channels",
        ],
        see_also: &["http-403", "http-404", "http-403-proxy"],
    },
    Cause {
        id: "http-403-starlette",
        phase: Phase::UpgradeRefused,
        title: "The Python application refused before accepting",
        what: "A bare 403 without a body is what Starlette and FastAPI send whenever a socket is \
            not accepted: an unknown path, a missing query parameter, or a close before accept. A \
            code such as 4401 given there is lost on the way.",
        browser: "Chrome: Unexpected response code: 403. The application's own code and reason \
            never reach the page.",
        fixes: &[
            advice("Read the server's console; its line tells which of the cases it was."),
            snippet("Declare the route as a WebSocket route, at exactly this path.", "@app.websocket(\"{path}\")"),
            snippet(
                "To send your own code, accept first.",
                "await websocket.accept(); await websocket.close(code=4401, reason=\"token \
                    expired\")",
            ),
            snippet("If uvicorn reports no WebSocket library, install one.", "pip install \"uvicorn[standard]\""),
        ],
        seen_with: &[
            "uvicorn with Starlette or FastAPI",
            "close before accept",
            "a required query parameter that is missing",
        ],
        see_also: &["http-403", "http-404", "token-missing"],
    },
    Cause {
        id: "http-403-proxy",
        phase: Phase::UpgradeRefused,
        title: "A proxy or firewall refused the upgrade",
        what: "The 403 carries the marks of something in front of the server: a proxy's Server \
            header or its error page. A rule there forbids the path, the address or upgrades as \
            such; the application never saw the request.",
        browser: "Chrome: Unexpected response code: 403.",
        fixes: &[
            on_each(
                "Look for deny rules and filters in the product named in the answer.",
                "grep -rn \"deny\\|allow\" /etc/nginx/",
                "grep -rnE \"deny|allow\" $(brew --prefix)/etc/nginx/",
                "Select-String -Path C:\\nginx\\conf\\*.conf -Pattern \"deny|allow\"",
            ),
            snippet("In Envoy, allow the upgrade on the route.", "upgrade_configs:\n- upgrade_type: websocket"),
            advice("Connect to the service behind it directly and compare."),
        ],
        seen_with: &["nginx deny", "HAProxy http-request deny", "Cloudflare", "Envoy without upgrade_configs"],
        see_also: &["http-403", "http-403-origin"],
    },
    Cause {
        id: "http-403",
        phase: Phase::UpgradeRefused,
        title: "The server forbids it",
        what: "The upgrade was refused with 403: the server understood who asks and does not allow \
            it. Typical reasons are the origin, the user's rights, or an address list.",
        browser: "Chrome: Unexpected response code: 403. The body is not shown.",
        fixes: &[
            advice("Read the body in the log and the server's console for the reason."),
            snippet(
                "Repeat the check with and without your page's origin; if the answer changes, it is \
                    the origin list.",
                "sockeye check \"{url}\" --origin {http}://{host}:{port}",
            ),
            advice("Check that the user behind the token has the right to open this socket."),
        ],
        seen_with: &[],
        see_also: &["http-403-origin", "http-403-starlette", "http-403-proxy", "http-401", "token-missing"],
    },
    Cause {
        id: "http-404",
        phase: Phase::UpgradeRefused,
        title: "Nothing at this path",
        what: "The server knows no such path. Either path, port or host is wrong, or the server has \
            no handler for upgrades, so that it treats the request as an ordinary one. A proxy \
            that removed the upgrade can have the same effect.",
        browser: "Chrome: Unexpected response code: 404.",
        fixes: &[
            command(
                "Compare the path with the server's, letter by letter and slash by slash.",
                "curl -i \"{http}://{host}:{port}{path}\"",
                "curl.exe -i \"{http}://{host}:{port}{path}\"",
            ),
            snippet(
                "With Express, attach the WebSocket server to the HTTP server, and let that one \
                    listen.",
                "const server = app.listen({port}); new WebSocketServer({ server });",
            ),
            snippet(
                "Behind a proxy, check that it forwards the path unchanged and passes the upgrade \
                    on.",
                "proxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection \"upgrade\";",
            ),
        ],
        seen_with: &[
            "Express: Cannot GET",
            "FastAPI: Not Found in JSON",
            "default sites of nginx",
            "load balancer rules",
        ],
        see_also: &["http-upgrade-stripped", "http-400-path-mismatch", "http-403-origin"],
    },
    Cause {
        id: "http-405",
        phase: Phase::UpgradeRefused,
        title: "The server refuses the method",
        what: "The upgrade has to be a GET request, and the server says that the method is not \
            allowed. Either the path takes only other methods, such as POST, or something on the \
            way changed ours.",
        browser: "Chrome: Unexpected response code: 405.",
        fixes: &[
            advice("Use the socket's path, not that of an API call."),
            command(
                "See what the path allows.",
                "curl -i -X OPTIONS \"{http}://{host}:{port}{path}\"",
                "curl.exe -i -X OPTIONS \"{http}://{host}:{port}{path}\"",
            ),
        ],
        seen_with: &["API routes that take only POST", "ws, when it is given another method"],
        see_also: &["http-404", "http-400"],
    },
    Cause {
        id: "http-413",
        phase: Phase::UpgradeRefused,
        title: "The server found the request too large",
        what: "The answer 413 speaks of a body that is too large, though a handshake has none. Some \
            servers and filters use it for head and URL as well, or the path leads to an upload \
            handler.",
        browser: "Chrome: Unexpected response code: 413.",
        fixes: &[
            snippet(
                "Shorten URL and cookies, or raise the limit in front. In nginx:",
                "client_max_body_size 10m;\nlarge_client_header_buffers 4 32k;",
            ),
            advice("Check that the path is the socket's."),
        ],
        seen_with: &[],
        see_also: &["http-414", "http-431", "url-too-long"],
    },
    Cause {
        id: "http-414",
        phase: Phase::UpgradeRefused,
        title: "The URL is too long for the server",
        what: "The request line, including the query, is longer than the server reads. A large \
            token in the query is the usual reason.",
        browser: "Chrome: Unexpected response code: 414.",
        fixes: &[
            snippet(
                "Send the token in the first message instead.",
                "socket.onopen = () => socket.send(JSON.stringify({ type: 'auth', token }));",
            ),
            snippet("Or raise the limit. In nginx:", "large_client_header_buffers 4 32k;"),
        ],
        seen_with: &["nginx above 8 KiB"],
        see_also: &["url-too-long", "http-431", "http-413"],
    },
    Cause {
        id: "http-426",
        phase: Phase::UpgradeRefused,
        title: "The server asks for another WebSocket version",
        what: "The server answers 426 and names a Sec-WebSocket-Version other than the one we asked \
            for. Everybody speaks version 13 today, so the server is very old, or something \
            changed the header.",
        browser: "Chrome: Unexpected response code: 426.",
        fixes: &[
            snippet("Update the server's WebSocket library.", "npm install ws@latest"),
            snippet("Log the header as the server receives it.", "console.log(req.headers['sec-websocket-version']);"),
        ],
        seen_with: &[],
        see_also: &["http-upgrade-stripped", "http-400-missing-key"],
    },
    Cause {
        id: "http-429",
        phase: Phase::UpgradeRefused,
        title: "Too many connection attempts",
        what: "The server limits how often one client may connect, and the limit is reached. Often \
            a reconnect loop without pause is at work, or several tabs share one address.",
        browser: "Chrome: Unexpected response code: 429; the Retry-After header is not visible to \
            the page.",
        fixes: &[
            snippet(
                "Wait as long as Retry-After says, then reconnect with growing pauses.",
                "setTimeout(connect, Math.min(30000, 500 * 2 ** attempt) * (0.5 + Math.random() / \
                    2));",
            ),
            advice(
                "Find the loop: an effect that reconnects on each render, or an error handler that \
                    reconnects at once.",
            ),
        ],
        seen_with: &["rate limiters in API gateways", "nginx limit_req set to 429"],
        see_also: &["http-503", "duplicate-kick", "close-1013"],
    },
    Cause {
        id: "http-431",
        phase: Phase::UpgradeRefused,
        title: "The request's headers are too large",
        what: "The head of the request is larger than the server reads. Cookies are the usual \
            reason, since all of them for that host are sent; on localhost those of every project \
            you ever ran there come along. A long URL counts too.",
        browser: "Chrome: Unexpected response code: 431.",
        fixes: &[
            advice("Clear the cookies of {host}, or use 127.0.0.1, which has its own."),
            snippet("In Node, raise the limit.", "node --max-http-header-size=32768 server.js"),
        ],
        seen_with: &["Node above 16 KiB"],
        see_also: &["url-too-long", "http-414", "http-400"],
    },
];
