//! The server answered with a 5xx or something rarer: it failed, or what stands behind it did.

use crate::diagnosis::catalogue::fix::{advice, command, on_each, snippet};
use crate::diagnosis::catalogue::{Cause, Phase};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "http-500",
        phase: Phase::UpgradeRefused,
        title: "The server failed while handling the request",
        what: "An error in the server's code came before the upgrade was accepted. The connection \
            is fine; the program is not. Its console has the trace.",
        browser: "Chrome: Unexpected response code: 500.",
        fixes: &[
            snippet(
                "Read the server's console for the same second.",
                "sockeye check \"{url}\" --server-log server.log",
            ),
            snippet(
                "Catch errors in the upgrade handler and log them.",
                "server.on('upgrade', (req, socket) => { try { handle(req, socket); } catch (e) { \
                    console.error(e); socket.destroy(); } });",
            ),
        ],
        seen_with: &[
            "uvicorn: Internal Server Error",
            "daphne and hypercorn with an empty body",
            "Python websockets process_request",
        ],
        see_also: &["handler-exception", "db-unreachable", "jwt-secret-missing"],
    },
    Cause {
        id: "http-502",
        phase: Phase::UpgradeRefused,
        title: "The proxy cannot reach the server behind it",
        what: "A proxy answered 502: it could not connect to the server it stands for, or got \
            nonsense from it. The server is down, on another port, or died while answering.",
        browser: "Chrome: Unexpected response code: 502.",
        fixes: &[
            on_each(
                "On the proxy's machine, check that the server listens.",
                "ss -ltnp",
                "lsof -nP -iTCP -sTCP:LISTEN",
                "Get-NetTCPConnection -State Listen",
            ),
            on_each(
                "Read the proxy's error log.",
                "tail -n 50 /var/log/nginx/error.log",
                "tail -n 50 $(brew --prefix)/var/log/nginx/error.log",
                "Get-Content C:\\nginx\\logs\\error.log -Tail 50",
            ),
            snippet(
                "In containers, forward to the service's name, not to localhost.",
                "proxy_pass http://backend:3001;",
            ),
        ],
        seen_with: &["nginx with its upstream down", "Caddy with an empty body"],
        see_also: &["http-503", "http-504", "tcp-refused"],
    },
    Cause {
        id: "http-503",
        phase: Phase::UpgradeRefused,
        title: "The service is not available",
        what: "The server, or a proxy for it, cannot serve right now: nothing healthy stands behind \
            it, it is starting or overloaded, or it limits requests. If it took about three \
            seconds, HAProxy tried several times in vain.",
        browser: "Chrome: Unexpected response code: 503.",
        fixes: &[
            snippet("Check the health of what stands behind the proxy.", "kubectl get endpoints"),
            snippet(
                "If it happens under load only, look for rate limits and limits of connections. In \
                    nginx, give them their own status.",
                "limit_req_status 429;",
            ),
        ],
        seen_with: &[
            "HAProxy without a live server",
            "Apache for ws backends that are down",
            "nginx limit_req, which answers 503 by default",
            "balancers without healthy targets",
        ],
        see_also: &["http-502", "http-504", "http-429"],
    },
    Cause {
        id: "http-504",
        phase: Phase::UpgradeRefused,
        title: "The server behind the proxy did not answer in time",
        what: "The proxy connected to the server behind it, and no answer to the upgrade came \
            within its time limit. A round number of seconds is that limit. The server is blocked \
            or never decides about the upgrade.",
        browser: "Chrome: Unexpected response code: 504, after the proxy's time limit.",
        fixes: &[
            advice(
                "Find what the server waits for during the upgrade: a database, a callback that is \
                    never called.",
            ),
            snippet(
                "Connect to it directly; it will hang there as well.",
                "sockeye check \"{url}\" --upgrade-timeout 120",
            ),
            snippet("Raising the limit helps only if the answer comes at all. In nginx:", "proxy_read_timeout 120s;"),
        ],
        seen_with: &["nginx proxy_read_timeout", "HAProxy timeout server"],
        see_also: &["upgrade-unanswered", "server-blocked", "http-502"],
    },
    Cause {
        id: "http-505",
        phase: Phase::UpgradeRefused,
        title: "The server refuses the HTTP version",
        what: "The server received the request in a version of HTTP that it does not take. Usually \
            a proxy in front speaks HTTP/1.0 to it, which cannot carry an upgrade.",
        browser: "Chrome: Unexpected response code: 505.",
        fixes: &[snippet("In nginx, speak HTTP/1.1 to the server behind.", "proxy_http_version 1.1;")],
        seen_with: &["nginx without proxy_http_version 1.1, in older versions"],
        see_also: &["http-upgrade-stripped", "tls-alpn-h2-only", "upgrade-http-version"],
    },
    Cause {
        id: "http-other",
        phase: Phase::UpgradeRefused,
        title: "The server refused with an unusual status",
        what: "A whole answer came, with a status other than 101 that has no row of its own here. \
            The status text and the body are the server's own words about it.",
        browser: "Chrome: Unexpected response code, and the number.",
        fixes: &[command(
            "Read status, headers and body in the log. Server and Via tell which program on the \
                    way answered.",
            "curl -i \"{http}://{host}:{port}{path}\"",
            "curl.exe -i \"{http}://{host}:{port}{path}\"",
        )],
        seen_with: &["Cloudflare 520 to 526", "nginx 499 and 444 in its log"],
        see_also: &["http-400", "http-404", "http-503"],
    },
    Cause {
        id: "engineio-error",
        phase: Phase::UpgradeRefused,
        title: "This is a Socket.IO server",
        what: "The answer is an error of Engine.IO, the layer below Socket.IO. Such a server is no \
            plain WebSocket server: it has its own path, its own parameters and its own messages \
            on top. The code in the body says which part is missing; an unknown session means \
            that requests of one client reached different processes.",
        browser: "Chrome: Unexpected response code: 400.",
        fixes: &[
            snippet(
                "Use its own client.",
                "import { io } from 'socket.io-client'; const socket = \
                    io('{http}://{host}:{port}');",
            ),
            snippet(
                "For a raw look at it, use its address.",
                "sockeye check \"{scheme}://{host}:{port}/socket.io/?EIO=4&transport=websocket\" \
                    --expect first",
            ),
            snippet(
                "With several processes, keep one client on one process (sticky sessions). In \
                    nginx:",
                "upstream app { ip_hash; server 127.0.0.1:3001; server 127.0.0.1:3002; }",
            ),
        ],
        seen_with: &["Socket.IO: Transport unknown", "Socket.IO: Session ID unknown"],
        see_also: &["engineio-ping-timeout", "http-400"],
    },
];
