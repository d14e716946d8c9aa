//! Reasons on the browser's side: most of them never reach the wire.

use super::fix::{advice, on_each, snippet};
use super::{Cause, Phase};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "close-while-connecting",
        phase: Phase::Browser,
        title: "The page closed the socket before it was open",
        what: "The page's own code called close while the handshake was still under way. The server \
            sees a connection that comes and goes. In React's development mode every effect runs, \
            is cleaned up and runs again, which does exactly this.",
        browser: "Chrome: WebSocket is closed before the connection is established. CloseEvent 1006 \
            and an error event.",
        fixes: &[
            advice(
                "Ignore it if a second connection opens right after; it does not happen in a \
                    production build.",
            ),
            snippet(
                "Or let the clean-up wait for the open event.",
                "return () => { if (s.readyState === 0) s.onopen = () => s.close(); else s.close(); \
                    };",
            ),
            snippet(
                "Or keep one socket for the whole page, outside the components.",
                "export const socket = new WebSocket(url);",
            ),
        ],
        seen_with: &["React's StrictMode", "components that unmount at once", "hot reload"],
        see_also: &["page-navigation", "duplicate-kick", "upgrade-unanswered"],
    },
    Cause {
        id: "page-navigation",
        phase: Phase::Browser,
        title: "The page was left or reloaded",
        what: "The browser sent a Close frame with 1001, as it does when a page goes away: by a \
            link, a reload or the closing of its tab. It is the normal end of a page's life.",
        browser: "The page itself sees nothing more. The server gets 1001 with an empty reason.",
        fixes: &[
            snippet(
                "If nobody left the page, look for code or tools that reload it.",
                "addEventListener('beforeunload', () => console.trace('page is leaving'));",
            ),
            advice("On the server, treat 1001 as an ordinary end, not as an error."),
        ],
        seen_with: &["hot reload", "forms that submit and reload"],
        see_also: &["close-1001", "close-while-connecting"],
    },
    Cause {
        id: "mixed-content",
        phase: Phase::Browser,
        title: "A secure page may not open an insecure socket",
        what: "The page came over https, and the URL says ws. Browsers forbid that, except for the \
            own machine. Nothing is sent.",
        browser: "The constructor throws a SecurityError: an insecure WebSocket connection may not \
            be initiated from a page loaded over HTTPS.",
        fixes: &[
            snippet(
                "Use wss:// from https pages.",
                "const url = `${location.protocol === 'https:' ? 'wss' : \
                    'ws'}://${location.host}/ws`;",
            ),
            snippet(
                "Give the server a certificate, or let the site's proxy forward the path.",
                "location /ws {\n  proxy_pass http://127.0.0.1:3001;\n  proxy_http_version 1.1;\n  \
                    proxy_set_header Upgrade $http_upgrade;\n  proxy_set_header Connection \
                    \"upgrade\";\n}",
            ),
        ],
        seen_with: &["sites that moved to https", "preview deployments"],
        see_also: &["http-redirect-https", "tls-to-plain", "csp-connect-src"],
    },
    Cause {
        id: "csp-connect-src",
        phase: Phase::Browser,
        title: "The page's security policy forbids the address",
        what: "The page was delivered with a Content-Security-Policy whose connect-src does not \
            list this address. The browser blocks the attempt before anything is sent. The word \
            'self' did not always include sockets.",
        browser: "The console names the directive that was violated. An error event comes, a close \
            event may not come at all.",
        fixes: &[
            snippet(
                "Add the socket's origin to the policy.",
                "Content-Security-Policy: connect-src 'self' {scheme}://{host}:{port}",
            ),
            snippet(
                "With Helmet in Express:",
                "helmet({ contentSecurityPolicy: { directives: { connectSrc: [\"'self'\", \
                    \"{scheme}://{host}:{port}\"] } } })",
            ),
        ],
        seen_with: &["Helmet's defaults", "policies in a meta element"],
        see_also: &["mixed-content", "extension-blocked"],
    },
    Cause {
        id: "browser-connection-limit",
        phase: Phase::Browser,
        title: "The browser's limit of sockets is reached",
        what: "A browser keeps at most 255 WebSockets open at once. Old ones were never closed, so \
            a new one is refused at once, without a packet.",
        browser: "Chrome: Insufficient resources. CloseEvent 1006.",
        fixes: &[
            snippet(
                "Close the old socket before opening the next, above all when reconnecting.",
                "if (socket) socket.close(1000);",
            ),
            advice("Share one connection for all parts of the page."),
        ],
        seen_with: &["reconnect loops that keep the old socket", "one socket for each list row"],
        see_also: &["browser-handshake-queue", "fd-limit", "close-while-connecting"],
    },
    Cause {
        id: "browser-handshake-queue",
        phase: Phase::Browser,
        title: "An earlier handshake blocks this one",
        what: "Browsers carry out one WebSocket handshake at a time for each address and port. An \
            earlier one, perhaps in another tab, still waits for its answer, so this one has not \
            even been sent.",
        browser: "CONNECTING, no message, nothing on the wire.",
        fixes: &[
            snippet(
                "Find and mend the handshake that never gets an answer; the others go on as soon as \
                    it ends.",
                "sockeye check \"{url}\"",
            ),
            snippet(
                "Give up on attempts that take too long.",
                "setTimeout(() => { if (s.readyState === 0) s.close(); }, 5000);",
            ),
            advice("As a way round, use another name or port for the second socket."),
        ],
        seen_with: &["a path that the server never answers", "another tab of the same application"],
        see_also: &["upgrade-unanswered", "server-blocked", "tls-silent"],
    },
    Cause {
        id: "extension-blocked",
        phase: Phase::Browser,
        title: "A browser extension blocked the connection",
        what: "An add-on, such as a blocker of advertising or tracking, stopped the request inside \
            the browser. Nothing is sent.",
        browser: "Chrome: net::ERR_BLOCKED_BY_CLIENT. CloseEvent 1006.",
        fixes: &[
            on_each(
                "Try a private window without extensions.",
                "chromium --incognito --disable-extensions",
                "open -na \"Google Chrome\" --args --incognito --disable-extensions",
                "Start-Process chrome \"--incognito --disable-extensions\"",
            ),
            advice(
                "Make an exception for the site, or avoid words such as ads, track or analytics in \
                    host and path.",
            ),
        ],
        seen_with: &["advertising blockers", "privacy tools", "company policies"],
        see_also: &["csp-connect-src", "private-network-access"],
    },
    Cause {
        id: "private-network-access",
        phase: Phase::Browser,
        title: "The browser protects the private network",
        what: "A public page wants to reach an address in the private network or on this machine. \
            Browsers ask the user first, or refuse, to keep web pages from reaching devices at \
            home.",
        browser: "A request for permission, or a blocked connection with a note in the console. \
            CloseEvent 1006.",
        fixes: &[
            advice("Answer the browser's question with yes, or look it up in the site's settings."),
            snippet("For development, load the page from the same machine or network.", "http://localhost:3000/"),
            advice("Give the private server a public name with a certificate and use wss."),
        ],
        seen_with: &["public pages that talk to devices or localhost"],
        see_also: &["mixed-content", "extension-blocked"],
    },
    Cause {
        id: "browser-offline",
        phase: Phase::Browser,
        title: "The browser is offline",
        what: "The machine has no network, or the developer tools simulate that. New connections \
            fail at once; an open socket may stay open in the simulation.",
        browser: "Chrome: net::ERR_INTERNET_DISCONNECTED. CloseEvent 1006.",
        fixes: &[
            advice("In the developer tools, under Network, switch Offline back to no throttling."),
            snippet(
                "Check the network, then reconnect when the browser reports that it is back.",
                "addEventListener('online', connect);",
            ),
        ],
        seen_with: &["the Offline switch in the developer tools", "machines without a default route"],
        see_also: &["network-change", "dns-unreachable", "tcp-unreachable"],
    },
    Cause {
        id: "network-change",
        phase: Phase::Browser,
        title: "The machine changed its network",
        what: "The machine slept, or went from one network to another, and its address changed. \
            Connections over the old address are dead, even if nobody says so.",
        browser: "Chrome: net::ERR_NETWORK_CHANGED, or a CloseEvent 1006 without any text after \
            waking.",
        fixes: &[
            snippet(
                "Reconnect on wake and on change.",
                "addEventListener('online', \
                    connect);\ndocument.addEventListener('visibilitychange', checkConnection);",
            ),
            advice("Keep the session on the server for a while, so that a client can take it up again."),
        ],
        seen_with: &["sleeping laptops", "Wi-Fi to cable", "VPN switched on or off"],
        see_also: &["network-loss", "browser-offline", "nat-state-lost"],
    },
    Cause {
        id: "background-tab-throttle",
        phase: Phase::Browser,
        title: "A hidden tab's timers run too slowly",
        what: "Browsers let timers of hidden tabs run seldom, after a while only once a minute. A \
            heartbeat that the page sends by timer then comes too late, and the server takes the \
            client for dead.",
        browser: "The close that the server uses for dead clients, while the tab is in the \
            background only.",
        fixes: &[
            snippet(
                "Let the server send protocol pings; browsers answer them without the page's code.",
                "setInterval(() => wss.clients.forEach(ws => ws.ping()), 25000);",
            ),
            advice("Be patient: allow more than a minute before a client counts as dead."),
            snippet("Or run the timer in a worker.", "new Worker('heartbeat.js');"),
        ],
        seen_with: &["heartbeats by setInterval", "tabs left in the background"],
        see_also: &["heartbeat-terminate", "ping-timeout-1011"],
    },
    Cause {
        id: "send-before-open",
        phase: Phase::Browser,
        title: "The page sent before the socket was open",
        what: "The constructor returns at once, while the handshake is still on its way. Calling \
            send before the open event is an error, and the code after it does not run. The \
            connection itself may be fine.",
        browser: "InvalidStateError: Failed to execute 'send': Still in CONNECTING state.",
        fixes: &[
            snippet("Wait for the open event.", "socket.addEventListener('open', () => socket.send(data));"),
            snippet("Or keep a queue.", "socket.readyState === 1 ? socket.send(data) : queue.push(data);"),
        ],
        seen_with: &[],
        see_also: &["close-while-connecting", "confirmation-missing"],
    },
    Cause {
        id: "close-code-api",
        phase: Phase::Browser,
        title: "The page passed a close code that is not allowed",
        what: "A page may close only with 1000 or a number from 3000 to 4999, and with a reason of \
            at most 123 bytes. Anything else throws, and the socket is not closed at all.",
        browser: "InvalidAccessError for the code, or a SyntaxError for a reason that is too long.",
        fixes: &[
            snippet("Use 1000 or a number of your own.", "socket.close(4000, 'reason');"),
            snippet("Keep the reason short, counted in bytes.", "new TextEncoder().encode(reason).length <= 123"),
        ],
        seen_with: &["code that passes on event.code, such as 1006"],
        see_also: &["close-illegal-code", "close-too-long", "close-1001"],
    },
];
