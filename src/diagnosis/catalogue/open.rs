//! After the 101: the confirmation, sudden ends, time-outs, and servers that stop reacting.

use super::fix::{advice, command, on_each, snippet};
use super::{Cause, Phase};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "confirmation-missing",
        phase: Phase::Open,
        title: "The expected first message did not come",
        what: "The socket is open and answers pings, but the message that should confirm the \
            connection was not sent in time. The server waits for something itself, does not send \
            one, or its handler got stuck before that point.",
        browser: "An open event and then nothing. No error, no close.",
        fixes: &[
            snippet(
                "Read the server's console from the connection on; the last line shows how far it \
                    came.",
                "sockeye check \"{url}\" --server-log server.log --confirm-timeout 30",
            ),
            snippet(
                "If the server waits for the client to speak first, send that message.",
                "sockeye check \"{url}\" --expect none --send \"hello\"",
            ),
            snippet(
                "Register the message handler before anything is awaited, or a message may be \
                    missed.",
                "ws.on('message', onMessage); await loadUser();",
            ),
            snippet(
                "If no such message is part of your protocol, do not expect one.",
                "sockeye check \"{url}\" --expect none",
            ),
        ],
        seen_with: &[],
        see_also: &["confirmation-mismatch", "server-blocked", "db-unreachable"],
    },
    Cause {
        id: "confirmation-mismatch",
        phase: Phase::Open,
        title: "The first message is not the expected one",
        what: "The connection works and a message came first, but it does not fit the rule that you \
            set. The verdict shows what came beside what was expected. Perhaps the server reports \
            an error in that message.",
        browser: "An open event and the message, as the server sent it.",
        fixes: &[
            advice("Read the message. If it reports an error, follow that."),
            snippet(
                "If the message is right, change the rule.",
                "sockeye check \"{url}\" --expect \"json:/type=connected\"",
            ),
        ],
        seen_with: &["errors sent as ordinary messages", "Engine.IO's opening packet"],
        see_also: &["confirmation-missing", "engineio-ping-timeout"],
    },
    Cause {
        id: "server-process-died",
        phase: Phase::Open,
        title: "The server process died",
        what: "The connection ended without a Close frame, and afterwards nothing listens on the \
            port, or the process was seen to exit. An exception that nobody caught, a forced exit \
            or the system's memory guard stopped the program; its sockets were closed by the \
            system.",
        browser: "Only CloseEvent 1006 with wasClean false. After a successful open there is no \
            text in the console at all.",
        fixes: &[
            snippet(
                "Read the server's last lines: an exception would stand there. Given its log file, \
                    Sockeye reads along.",
                "sockeye check \"{url}\" --server-log server.log",
            ),
            snippet(
                "Catch errors in the connection handler, and close with a code.",
                "wss.on('connection', (ws, req) => { handle(ws, req).catch(e => { console.error(e); \
                    ws.close(1011, 'internal error'); }); });",
            ),
            snippet(
                "Listen for errors of each socket; in Node an error event without a listener ends \
                    the process.",
                "ws.on('error', console.error);",
            ),
            command("Let a supervisor start it again.", "npx pm2 start server.js", "npx nodemon server.js"),
        ],
        seen_with: &[
            "an exception or unhandled rejection in the handler (Node 15 and later)",
            "process.exit",
            "the system's memory guard",
            "docker stop",
        ],
        see_also: &["handler-exception", "server-restarted", "out-of-memory", "boot-crash", "connection-terminated"],
    },
    Cause {
        id: "server-restarted",
        phase: Phase::Open,
        title: "The server was restarted",
        what: "The connection ended, and the port is now served by another process than before, or \
            by one that started later. In development that is the file watcher at work: somebody \
            saved a file.",
        browser: "CloseEvent 1006; 1001 or 1012 when the server says goodbye properly.",
        fixes: &[
            snippet(
                "Reconnect with a short, growing pause; a restart takes a moment.",
                "socket.onclose = () => setTimeout(connect, 500 + Math.random() * 1000);",
            ),
            snippet(
                "Close sockets with a code before exiting.",
                "process.on('SIGTERM', () => { wss.clients.forEach(ws => ws.close(1012, \
                    'restarting')); server.close(); });",
            ),
            snippet(
                "If no file was changed, look for a supervisor that restarts it, and why.",
                "docker events --since 10m",
            ),
        ],
        seen_with: &["nodemon and tsx watch", "uvicorn --reload", "deployments"],
        see_also: &["server-process-died", "close-1012", "close-1001"],
    },
    Cause {
        id: "connection-terminated",
        phase: Phase::Open,
        title: "The server cut this connection",
        what: "The server's side ended the connection without a Close frame, while the server \
            itself runs on and accepts others. Its code called terminate or destroy, its handler \
            failed and was cleaned up, or a proxy cut the line; nothing on the wire tells which.",
        browser: "CloseEvent 1006, wasClean false, no text in the console.",
        fixes: &[
            command(
                "Search the server's code for places that cut.",
                "grep -rnE \"terminate\\(|destroy\\(\" --include='*.js' --include='*.ts' . \
                    --exclude-dir=node_modules",
                "Get-ChildItem -Recurse -Include *.js,*.ts | Select-String \
                    \"terminate\\(|destroy\\(\"",
            ),
            snippet(
                "Replace them by a close with a reason, so that the other side learns why.",
                "ws.close(1008, 'session replaced');",
            ),
            snippet(
                "Watch the server's console during the next attempt.",
                "sockeye check \"{url}\" --server-log server.log",
            ),
            snippet(
                "If it comes after equal times, look at time limits on the way.",
                "sockeye check \"{url}\" --watch 300 --repeat 2",
            ),
        ],
        seen_with: &["ws.terminate and socket.destroy", "handlers of Python servers that raise", "proxies"],
        see_also: &["handler-exception", "heartbeat-terminate", "idle-timeout", "duplicate-kick", "jwt-expired"],
    },
    Cause {
        id: "connection-reset",
        phase: Phase::Open,
        title: "The connection was reset",
        what: "A reset arrived instead of an orderly end, and the port still accepts connections. \
            The server closed while data from us lay unread, asked for a hard reset, or a device \
            in between gave up on the connection.",
        browser: "CloseEvent 1006, wasClean false, no text in the console.",
        fixes: &[
            snippet("On the server, read what arrives until the end, and close with a Close frame.", "ws.close(1000);"),
            command(
                "Look for resets on purpose in the code.",
                "grep -rnE \"resetAndDestroy|SO_LINGER\" .",
                "Get-ChildItem -Recurse -Include *.js,*.ts,*.py | Select-String \
                    \"resetAndDestroy|SO_LINGER\"",
            ),
            advice(
                "Run the check on the server's own machine. Without resets there, look at firewalls \
                    and balancers.",
            ),
        ],
        seen_with: &["sockets closed with unread data", "SO_LINGER 0", "balancers and firewalls"],
        see_also: &["connection-terminated", "nat-state-lost", "server-process-died"],
    },
    Cause {
        id: "handler-exception",
        phase: Phase::Open,
        title: "The server's connection handler failed",
        what: "An error in the code that serves this connection was not handled there, so the \
            framework dropped the connection, while the process lives on. The server's console \
            carries the trace; frameworks differ in whether they send a Close frame first.",
        browser: "CloseEvent 1006, or 1011 with frameworks that say goodbye properly.",
        fixes: &[
            advice("Read the trace in the server's console and mend that line."),
            snippet(
                "Wrap the handler, and close with 1011 when it fails.",
                "try { await handle(ws); } catch (e) { console.error(e); ws.close(1011, 'internal \
                    error'); }",
            ),
            snippet(
                "In Python, handle the client's leaving apart from real errors.",
                "except WebSocketDisconnect: pass",
            ),
        ],
        seen_with: &[
            "uvicorn applications that raise",
            "hypercorn and daphne: close 1011",
            "Python websockets: close 1011",
        ],
        see_also: &["close-1011", "server-process-died", "db-unreachable", "connection-terminated"],
    },
    Cause {
        id: "heartbeat-terminate",
        phase: Phase::Open,
        title: "The server's heartbeat cut the connection",
        what: "The server checks at fixed intervals whether clients are alive and cuts those it \
            believes dead. Here it never sent the ping it waits an answer for, or our pong did \
            not come. The end comes without a Close frame, always after the same time.",
        browser: "CloseEvent 1006 at a constant age of the connection. Browsers answer pings by \
            themselves.",
        fixes: &[
            snippet(
                "In the server's loop, send the ping in the same round that clears the mark, and \
                    set the mark on each pong.",
                "ws.on('pong', () => { ws.isAlive = true; });\nsetInterval(() => { if (!ws.isAlive) \
                    return ws.terminate(); ws.isAlive = false; ws.ping(); }, 30000);",
            ),
            snippet("Set the mark when the connection opens, or the first round kills it.", "ws.isAlive = true;"),
            advice("In a client that is no browser, answer pings."),
        ],
        seen_with: &["the isAlive loop of Node's ws"],
        see_also: &["ping-timeout-1011", "idle-timeout", "background-tab-throttle"],
    },
    Cause {
        id: "ping-timeout-1011",
        phase: Phase::Open,
        title: "The server's ping was not answered in time",
        what: "The server sent a ping, got no pong within its limit, and closed with 1011 and a \
            text about keep-alive. Either this client was too busy to answer, or the network lost \
            the connection.",
        browser: "CloseEvent 1011, with the server's reason.",
        fixes: &[
            advice("Do not block the client: no long synchronous work where the socket lives."),
            snippet(
                "Give slow clients more time. In uvicorn:",
                "uvicorn app:app --ws-ping-interval 30 --ws-ping-timeout 60",
            ),
            snippet("In Python websockets:", "serve(handler, host, port, ping_interval=30, ping_timeout=60)"),
        ],
        seen_with: &["uvicorn and Python websockets, 20 seconds plus 20 by default"],
        see_also: &["heartbeat-terminate", "network-loss", "background-tab-throttle", "close-1011"],
    },
    Cause {
        id: "engineio-ping-timeout",
        phase: Phase::Open,
        title: "Socket.IO's own ping was not answered",
        what: "Socket.IO sends a text message 2 as its ping and expects 3 in return. A plain \
            WebSocket client does not know that, so the server closes after interval and limit, \
            without a close code.",
        browser: "CloseEvent 1005, about 45 seconds after opening with default settings.",
        fixes: &[
            snippet(
                "Use its own client.",
                "import { io } from 'socket.io-client'; const socket = \
                    io('{http}://{host}:{port}');",
            ),
            snippet(
                "Or speak its protocol: send 40 first, and answer each 2 with 3.",
                "socket.onmessage = e => { if (e.data === '2') socket.send('3'); };",
            ),
        ],
        seen_with: &["Socket.IO 4, 25 seconds plus 20 by default"],
        see_also: &["engineio-error", "close-empty", "ping-timeout-1011"],
    },
    Cause {
        id: "idle-timeout",
        phase: Phase::Open,
        title: "The connection was cut for being idle",
        what: "Nothing was sent in either direction for a certain time, and then something ended \
            the connection, without a Close frame. The time equals a known limit, comes again on \
            repeating, or a probe confirmed it. Mostly it is a proxy or balancer, not the server \
            itself.",
        browser: "CloseEvent 1006, wasClean false, no text in the console.",
        fixes: &[
            snippet(
                "Send a ping in less than half that time.",
                "setInterval(() => wss.clients.forEach(ws => ws.ping()), 25000);",
            ),
            snippet(
                "Or raise the limit in the proxy. In nginx:",
                "proxy_read_timeout 3600s;\nproxy_send_timeout 3600s;",
            ),
            snippet("In HAProxy:", "timeout tunnel 1h"),
            snippet(
                "On AWS, raise the balancer's idle timeout.",
                "aws elbv2 modify-load-balancer-attributes --load-balancer-arn ARN --attributes \
                    Key=idle_timeout.timeout_seconds,Value=3600",
            ),
        ],
        seen_with: &[
            "nginx, 60 seconds",
            "AWS balancers, 60 seconds",
            "HAProxy timeout tunnel",
            "Cloudflare, 100 seconds",
            "Heroku, 55 seconds",
        ],
        see_also: &["lifetime-limit", "heartbeat-terminate", "nat-state-lost"],
    },
    Cause {
        id: "lifetime-limit",
        phase: Phase::Open,
        title: "The connection reached its greatest age",
        what: "The connection is ended at a fixed age, no matter how much traffic there is. Some \
            platforms set such a limit so that they can move clients about; it cannot be \
            prevented, only expected.",
        browser: "CloseEvent 1006, or 1001 where the platform says goodbye.",
        fixes: &[
            snippet(
                "Reconnect without a fuss, and fetch what was missed in between.",
                "socket.onclose = () => setTimeout(connect, 250 + Math.random() * 750);",
            ),
            snippet(
                "On Google Cloud, raise the backend service's limit.",
                "gcloud compute backend-services update SERVICE --timeout=3600 --global",
            ),
        ],
        seen_with: &["Google Cloud backend services, 30 seconds by default", "AWS API Gateway, two hours", "Cloud Run"],
        see_also: &["idle-timeout", "jwt-expired-mid-session", "server-restarted"],
    },
    Cause {
        id: "network-loss",
        phase: Phase::Open,
        title: "The network was lost",
        what: "Our data is no longer acknowledged; the system repeats it with growing pauses, and \
            neither an end nor a reset arrives. The cable, the radio link, the VPN or a router \
            between is gone. Neither side has told the other.",
        browser: "The socket stays OPEN for minutes, until TCP gives up with CloseEvent 1006.",
        fixes: &[
            command("Check the path to {host}.", "ping -c 3 {host}", "ping {host}"),
            snippet(
                "Notice it sooner: send a small message regularly and reconnect when no answer \
                    comes.",
                "if (Date.now() - lastMessageAt > 30000) { socket.close(); connect(); }",
            ),
        ],
        seen_with: &["Wi-Fi that changes networks", "machines that sleep", "VPNs that reconnect"],
        see_also: &["nat-state-lost", "network-change", "ping-timeout-1011"],
    },
    Cause {
        id: "nat-state-lost",
        phase: Phase::Open,
        title: "A router forgot the connection during silence",
        what: "After a long silence the first thing we sent was answered with a reset at once. A \
            router or balancer on the way had dropped its memory of the connection without \
            telling anybody, so our data met a connection that no longer existed.",
        browser: "CloseEvent 1006 at the moment something is sent, not earlier.",
        fixes: &[
            snippet(
                "Send a ping every 30 seconds, so that nothing on the way forgets it.",
                "setInterval(() => wss.clients.forEach(ws => ws.ping()), 30000);",
            ),
            snippet(
                "On Azure, let the balancer announce it and wait longer.",
                "az network lb rule update --resource-group GROUP --lb-name LB --name RULE \
                    --enable-tcp-reset true --idle-timeout 30",
            ),
        ],
        seen_with: &["Azure load balancers, four minutes", "home routers", "mobile networks"],
        see_also: &["idle-timeout", "network-loss", "connection-reset"],
    },
    Cause {
        id: "server-blocked",
        phase: Phase::Open,
        title: "The server process is blocked",
        what: "The system still takes our data, but the program does not react: pings and even \
            plain requests stay unanswered. It is busy with one long task, waits for something \
            synchronously, or has been stopped in a debugger.",
        browser: "Nothing at all: the socket stays OPEN, or in CONNECTING.",
        fixes: &[
            on_each(
                "See whether it computes or waits.",
                "top -H -p {pid}",
                "sample {pid} 2",
                "Get-Process -Id {pid} | Select-Object CPU, Responding",
            ),
            snippet("In Node, look at what runs.", "node --inspect server.js"),
            snippet(
                "Move long work elsewhere, and use asynchronous calls for files, databases and \
                    compression.",
                "new Worker('./heavy.js');",
            ),
        ],
        seen_with: &["long loops in an event loop", "synchronous database calls", "breakpoints", "stopped processes"],
        see_also: &["upgrade-unanswered", "tcp-backlog-full", "peer-never-answers-close"],
    },
];
