//! The close codes with a meaning of their own, in order of their numbers.

use crate::diagnosis::catalogue::fix::{advice, command, on_each, snippet};
use crate::diagnosis::catalogue::{Cause, Phase};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "close-1000",
        phase: Phase::Close,
        title: "The server closed normally",
        what: "The server sent a Close frame with 1000: it is done. That is no error of the \
            connection; if it surprises you, ask which code on the server called close, and why. \
            Some servers also send it when a handler simply returns.",
        browser: "CloseEvent 1000, wasClean true, with the server's reason.",
        fixes: &[
            command(
                "Search the server for its close calls.",
                "grep -rn \"\\.close(\" --include='*.js' --include='*.ts' . --exclude-dir=node_modules",
                "Get-ChildItem -Recurse -Include *.js,*.ts | Select-String \"\\.close\\(\"",
            ),
            snippet(
                "In Python websockets, returning from the handler closes; keep it running.",
                "async for message in websocket: ...",
            ),
        ],
        seen_with: &["Python websockets, when the handler returns", "normal ends of a session"],
        see_also: &["close-empty", "close-application", "peer-drops-tcp-on-our-close"],
    },
    Cause {
        id: "close-1001",
        phase: Phase::Close,
        title: "The other side is going away",
        what: "Code 1001 says that an endpoint leaves: a server that shuts down, or a browser whose \
            page was left or reloaded. Look at who sent it first.",
        browser: "CloseEvent 1001, wasClean true.",
        fixes: &[
            snippet(
                "If the server sent it, reconnect after a pause; it is probably restarting.",
                "socket.onclose = e => { if (e.code === 1001) setTimeout(connect, 1000); };",
            ),
            advice("If the page sent it, it was left or reloaded, and nothing is wrong."),
        ],
        seen_with: &["servers that shut down", "pages that are left"],
        see_also: &["close-1012", "page-navigation", "server-restarted"],
    },
    Cause {
        id: "close-1002",
        phase: Phase::Close,
        title: "The server reports a protocol error",
        what: "The server closed with 1002. If its library did so, a frame of the client was wrong, \
            so look at the last ones we sent. Some applications use this code for errors of their \
            own, such as a URL that they could not parse; then the reason text tells.",
        browser: "CloseEvent 1002 with the reason.",
        fixes: &[
            advice(
                "Read the reason and the server's console: a sentence of the application means the \
                    application decided.",
            ),
            snippet(
                "If it could not parse the URL, check path and Host header; build the address with \
                    a fixed base on the server.",
                "const url = new URL(req.url, 'http://localhost');",
            ),
            advice("Otherwise look in the log at the last frames from client to server."),
        ],
        seen_with: &["applications that fail to parse the URL", "libraries that met a bad client frame"],
        see_also: &["close-1007", "url-space-or-quote", "close-1008"],
    },
    Cause {
        id: "close-1003",
        phase: Phase::Close,
        title: "The server does not take this kind of data",
        what: "The server received a kind of message that it cannot handle, mostly binary where it \
            expects text, or the reverse.",
        browser: "CloseEvent 1003 with the reason.",
        fixes: &[
            snippet("Send the kind that the server expects.", "socket.send(JSON.stringify(data));"),
            snippet(
                "Or let the server take both.",
                "ws.on('message', (data, isBinary) => handle(isBinary ? data : data.toString()));",
            ),
        ],
        seen_with: &["servers for text only"],
        see_also: &["close-1007", "close-1008"],
    },
    Cause {
        id: "close-1007",
        phase: Phase::Close,
        title: "The server found the content of a message invalid",
        what: "A message did not match its kind: text that is not UTF-8, or data that could not be \
            unpacked. The message came from this side.",
        browser: "CloseEvent 1007 with the reason.",
        fixes: &[
            snippet("Send binary data as binary, not as text.", "socket.send(new Uint8Array(bytes));"),
            snippet("If compression is at fault, it goes away without it.", "sockeye check \"{url}\" --no-compress"),
        ],
        seen_with: &["Node's ws after invalid UTF-8", "clients that send binary data as text"],
        see_also: &["proto-bad-utf8", "proto-deflate-corrupt", "close-1003"],
    },
    Cause {
        id: "close-1008",
        phase: Phase::Close,
        title: "The server's policy refused us",
        what: "The server closed with 1008, the general code for not allowed. After a login with a \
            token it mostly means that the token was not accepted; the reason text and the \
            server's console say more than the number.",
        browser: "CloseEvent 1008, wasClean true, with the server's reason.",
        fixes: &[
            snippet(
                "Read the reason, then judge the token: dates, signature, audience.",
                "sockeye token YOUR_TOKEN --secret YOUR_SECRET",
            ),
            advice(
                "If the signature does not fit, make sure that the program which signs and the one \
                    which verifies use the same JWT_SECRET, and restart both.",
            ),
            snippet(
                "Other reasons: origin, rate, rights. The console of the server names them.",
                "sockeye check \"{url}\" --server-log server.log",
            ),
        ],
        seen_with: &["token checks in the connection handler", "message rate limits"],
        see_also: &["jwt-expired", "jwt-wrong-secret", "token-missing", "duplicate-kick", "http-401"],
    },
    Cause {
        id: "message-too-big-by-server",
        phase: Phase::Close,
        title: "Our message was too big for the server",
        what: "We sent a message larger than the server takes, and it closed with 1009. The limits \
            differ widely: 1 MiB is usual in Python, 100 MiB in Node's ws.",
        browser: "CloseEvent 1009, wasClean true.",
        fixes: &[
            snippet(
                "Send smaller pieces.",
                "for (let i = 0; i < data.length; i += 65536) socket.send(data.slice(i, i + \
                    65536));",
            ),
            snippet(
                "Or raise the limit. In Node's ws:",
                "new WebSocketServer({ server, maxPayload: 16 * 1024 * 1024 });",
            ),
            snippet("In uvicorn:", "uvicorn app:app --ws-max-size 16777216"),
            snippet("In Socket.IO:", "new Server(server, { maxHttpBufferSize: 1e7 });"),
        ],
        seen_with: &[
            "ws maxPayload, 100 MiB by default",
            "Python websockets max_size, 1 MiB",
            "uvicorn ws_max_size",
            "Socket.IO maxHttpBufferSize, 1 MB",
            "AWS API Gateway, 128 KB",
        ],
        see_also: &["frame-huge", "our-limit", "decompression-bomb"],
    },
    Cause {
        id: "close-1010",
        phase: Phase::Close,
        title: "An expected extension is missing",
        what: "Code 1010 belongs to a client that needs an extension which the server did not agree \
            to. A server that sends it uses the wrong code.",
        browser: "CloseEvent 1010 with the reason.",
        fixes: &[
            snippet(
                "Enable the extension on the server, mostly compression.",
                "new WebSocketServer({ server, perMessageDeflate: true });",
            ),
            advice("If the server sent it, let it use 1002 or a code of its own."),
        ],
        seen_with: &[],
        see_also: &["extension-unrequested", "extension-bad-params"],
    },
    Cause {
        id: "close-1011",
        phase: Phase::Close,
        title: "The server met an internal error",
        what: "The server closed with 1011: something unexpected happened in its own code. Nothing \
            is wrong with the connection; the error stands in the server's console.",
        browser: "CloseEvent 1011, wasClean true, often with an empty reason.",
        fixes: &[
            snippet("Read the server's console at that second.", "sockeye check \"{url}\" --server-log server.log"),
            advice(
                "If the reason speaks of a ping or of keep-alive, the client did not answer in \
                    time.",
            ),
            snippet(
                "Catch errors in the handler and send a reason that helps.",
                "try { await handle(ws); } catch (e) { console.error(e); ws.close(1011, e.name); }",
            ),
        ],
        seen_with: &[
            "Python websockets after an exception",
            "hypercorn and daphne",
            "applications that catch their own errors",
        ],
        see_also: &["handler-exception", "ping-timeout-1011", "db-unreachable"],
    },
    Cause {
        id: "close-1012",
        phase: Phase::Close,
        title: "The server is restarting",
        what: "The server announced a restart and closed properly. Clients should come back after a \
            short, random pause, so that not all return at once.",
        browser: "CloseEvent 1012, wasClean true.",
        fixes: &[snippet(
            "Reconnect after a random pause.",
            "socket.onclose = e => setTimeout(connect, 1000 + Math.random() * 4000);",
        )],
        seen_with: &["uvicorn on SIGTERM", "deployments"],
        see_also: &["server-restarted", "close-1001", "close-1013"],
    },
    Cause {
        id: "close-1013",
        phase: Phase::Close,
        title: "The server is overloaded",
        what: "The server cannot serve this client right now and asks it to come back later.",
        browser: "CloseEvent 1013, wasClean true.",
        fixes: &[
            snippet(
                "Reconnect with growing pauses, never at once.",
                "setTimeout(connect, Math.min(60000, 1000 * 2 ** attempt) * (0.5 + Math.random() / \
                    2));",
            ),
            on_each(
                "On the server, look at limits of connections, memory and load.",
                "ss -s",
                "netstat -anp tcp | awk '{ print $6 }' | sort | uniq -c",
                "Get-NetTCPConnection | Group-Object State",
            ),
        ],
        seen_with: &["servers with a limit of connections"],
        see_also: &["http-429", "http-503", "close-1012"],
    },
    Cause {
        id: "close-1014",
        phase: Phase::Close,
        title: "A gateway got a bad answer from behind",
        what: "Something that stands between you and the real server closed with 1014: what it \
            heard from the server behind it was invalid. It is the counterpart of the HTTP status \
            502.",
        browser: "CloseEvent 1014, wasClean true.",
        fixes: &[
            advice("Check the server behind the gateway, and connect to it directly."),
            on_each(
                "Read the gateway's log at that second.",
                "tail -n 50 /var/log/nginx/error.log",
                "tail -n 50 $(brew --prefix)/var/log/nginx/error.log",
                "Get-Content C:\\nginx\\logs\\error.log -Tail 50",
            ),
        ],
        seen_with: &[],
        see_also: &["http-502", "server-process-died"],
    },
    Cause {
        id: "close-3000",
        phase: Phase::Close,
        title: "The server says: not authorised",
        what: "Code 3000 is registered for missing or invalid credentials, the counterpart of the \
            HTTP status 401. The server accepted the connection first, so that the page can see \
            it.",
        browser: "CloseEvent 3000, wasClean true, with the reason.",
        fixes: &[
            snippet("Judge the token: dates, signature, audience.", "sockeye token YOUR_TOKEN --secret YOUR_SECRET"),
            advice("Fetch a fresh token and connect again."),
        ],
        seen_with: &[],
        see_also: &["close-1008", "close-3003", "http-401", "jwt-expired"],
    },
    Cause {
        id: "close-3003",
        phase: Phase::Close,
        title: "The server says: forbidden",
        what: "Code 3003 is registered for clients that are known but not allowed, the counterpart \
            of the HTTP status 403.",
        browser: "CloseEvent 3003, wasClean true, with the reason.",
        fixes: &[
            snippet("Check the rights of the user or client in the token's claims.", "sockeye token YOUR_TOKEN"),
            advice("Ask the server's console which rule refused."),
        ],
        seen_with: &[],
        see_also: &["close-3000", "http-403", "close-1008"],
    },
    Cause {
        id: "close-application",
        phase: Phase::Close,
        title: "The application closed with its own code",
        what: "Numbers from 3000 to 4999 have the meaning that a library or the application gives \
            them. The reason text and the server's source are the place to look it up; many \
            imitate HTTP, so that 4401 means not logged in and 4403 not allowed.",
        browser: "The page reads it as event.code and event.reason.",
        fixes: &[
            command(
                "Search the server for the number in the verdict.",
                "grep -rnE \"close\\([0-9]{4}\" . --exclude-dir=node_modules",
                "Get-ChildItem -Recurse -Include *.js,*.ts,*.py | Select-String \"close\\(\\d{4}\"",
            ),
            snippet("For 4401, 4403 and their like, judge the token first.", "sockeye token YOUR_TOKEN"),
        ],
        seen_with: &["GraphQL over WebSocket, 4400 to 4499", "applications with codes of their own"],
        see_also: &["close-1008", "close-3000", "close-3003", "duplicate-kick"],
    },
    Cause {
        id: "close-empty",
        phase: Phase::Close,
        title: "The server closed without a code",
        what: "The Close frame was empty. The server's code called close without saying why, so the \
            client reports 1005, which means that no code was given.",
        browser: "CloseEvent 1005, wasClean true, empty reason.",
        fixes: &[
            snippet(
                "Give code and reason at each close, so that the other side learns why.",
                "ws.close(1000, 'session ended');",
            ),
            command(
                "Search the server for calls without arguments.",
                "grep -rn \"\\.close()\" --include='*.js' --include='*.ts' . --exclude-dir=node_modules",
                "Get-ChildItem -Recurse -Include *.js,*.ts | Select-String \"\\.close\\(\\)\"",
            ),
            snippet(
                "If it is a Socket.IO server, use its own client; it closes like this when it hears \
                    a foreign protocol.",
                "import { io } from 'socket.io-client'; const socket = \
                    io('{http}://{host}:{port}');",
            ),
        ],
        seen_with: &[
            "ws.close() without arguments",
            "Socket.IO, after messages that it cannot read",
            "express-ws: no route for the path, or a guard that answers with a status",
            "@fastify/websocket: a route without websocket: true",
        ],
        see_also: &["close-1000", "engineio-ping-timeout", "engineio-error"],
    },
];
