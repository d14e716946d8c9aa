//! What only the server's console can tell.

use super::fix::{advice, command, on_each, snippet};
use super::{Cause, Phase};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "db-unreachable",
        phase: Phase::ServerConsole,
        title: "The server cannot use its database",
        what: "The connection handler needs the database, and the database does not answer, refuses \
            the login or lacks a table. The socket is accepted and closed a little later, often \
            after a wait of five to ten seconds.",
        browser: "CloseEvent 1006 or 1011, some seconds after the open event.",
        fixes: &[
            command(
                "Test the database from the server's machine.",
                "psql \"$DATABASE_URL\" -c \"select 1\"",
                "Test-NetConnection DB_HOST -Port 5432",
            ),
            command(
                "With Prisma, check the schema and bring it up to date.",
                "npx prisma migrate status && npx prisma migrate deploy",
                "npx prisma migrate status; npx prisma migrate deploy",
            ),
            snippet(
                "Catch the error and tell the client.",
                "catch (e) { console.error(e); ws.close(1011, 'database unavailable'); }",
            ),
        ],
        seen_with: &[
            "Prisma P1001, server not reached",
            "Prisma P1000, login refused",
            "Prisma P2021, table missing",
            "Prisma P2024, pool exhausted",
        ],
        see_also: &["handler-exception", "close-1011", "confirmation-missing"],
    },
    Cause {
        id: "address-in-use",
        phase: Phase::ServerConsole,
        title: "Another process already holds the port",
        what: "The server could not listen, because its port is taken. The older process that holds \
            it answers in its place, so you are testing old code, or another program altogether.",
        browser: "Nothing special: the browser talks to whoever holds the port.",
        fixes: &[
            on_each(
                "Find out who it is.",
                "ss -ltnp 'sport = :{port}'",
                "lsof -nP -iTCP:{port} -sTCP:LISTEN",
                "netstat -ano | findstr :{port}",
            ),
            command("End that process, if it is yours, and start again.", "kill {pid}", "Stop-Process -Id {pid}"),
            command(
                "Or use another port.",
                "PORT=3002 npm run dev:websocket",
                "$env:PORT = \"3002\"; npm run dev:websocket",
            ),
        ],
        seen_with: &["a forgotten terminal", "a watcher whose child lives on", "EADDRINUSE"],
        see_also: &["tcp-refused", "server-restarted", "boot-crash"],
    },
    Cause {
        id: "fd-limit",
        phase: Phase::ServerConsole,
        title: "The server has run out of file descriptors",
        what: "Each connection takes one of the files that a process may have open, and none is \
            left. New connections are taken and dropped, or not taken at all. Either the limit is \
            low or closed connections are not released.",
        browser: "A long CONNECTING, or CloseEvent 1006 right away.",
        fixes: &[
            on_each(
                "Compare what is open with the limit.",
                "ls /proc/{pid}/fd | wc -l; grep \"open files\" /proc/{pid}/limits",
                "lsof -p {pid} | wc -l; launchctl limit maxfiles",
                "(Get-Process -Id {pid}).HandleCount",
            ),
            snippet("Raise the limit for the server. In its systemd unit:", "LimitNOFILE=65536"),
            on_each(
                "Look for connections that are never closed.",
                "ss -tn 'sport = :{port}' | wc -l",
                "netstat -anp tcp | grep -c '[.]{port} '",
                "(Get-NetTCPConnection -LocalPort {port}).Count",
            ),
        ],
        seen_with: &["EMFILE", "file watchers", "sockets that leak"],
        see_also: &["tcp-backlog-full", "peer-never-closes-tcp", "browser-connection-limit"],
    },
    Cause {
        id: "out-of-memory",
        phase: Phase::ServerConsole,
        title: "The server ran out of memory",
        what: "The process used more memory than it may and was ended, by its own runtime or by the \
            system. Every connection ends at the same moment.",
        browser: "CloseEvent 1006 for all clients at once.",
        fixes: &[
            snippet(
                "Find what grows: messages queued for slow clients, lists of connections, caches.",
                "console.log(process.memoryUsage().heapUsed, ws.bufferedAmount);",
            ),
            snippet("Drop clients that do not keep up.", "if (ws.bufferedAmount > 1_000_000) ws.terminate();"),
            on_each(
                "Ask the system whether it was the one who ended it.",
                "sudo dmesg | grep -i \"killed process\"",
                "log show --last 1h --predicate 'eventMessage CONTAINS \"memorystatus\"'",
                "Get-WinEvent -LogName System -MaxEvents 50",
            ),
            snippet("Give Node more, if the data is honest.", "node --max-old-space-size=4096 server.js"),
        ],
        seen_with: &["Node: JavaScript heap out of memory, exit status 134", "exit status 137 in containers"],
        see_also: &["server-process-died", "decompression-bomb", "server-restarted"],
    },
    Cause {
        id: "boot-crash",
        phase: Phase::ServerConsole,
        title: "The server fails while starting",
        what: "The program ended before it began to listen, so nothing accepts connections. A \
            module is missing, a file does not parse, or a setting is absent; the first error in \
            the console names it.",
        browser: "net::ERR_CONNECTION_REFUSED, CloseEvent 1006.",
        fixes: &[
            advice("Read the first error in the console, not the last."),
            snippet("Install what is missing.", "npm ci"),
            snippet("Run it without the watcher, to see the whole trace.", "node --trace-uncaught server.js"),
        ],
        seen_with: &["ERR_MODULE_NOT_FOUND", "SyntaxError before listening", "missing environment variables"],
        see_also: &["tcp-refused", "address-in-use", "jwt-secret-missing"],
    },
];
