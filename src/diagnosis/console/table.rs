//! What is known of console lines, the more particular rows first; each with a line that it recognises.

use super::Scope::{self, Connection, Process};
use super::{is_death_of_script, is_end_of_process, is_exception_head, is_logged_exception};

/// A kind of line.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// How it is recognised.
    pub(super) needle: Needle,
    /// The id of what it tells of.
    pub(super) cause: &'static str,
    /// What it says, as a clause.
    pub(super) meaning: &'static str,
    /// How long it holds.
    pub(super) scope: Scope,
    /// A line of this kind, as the software prints it.
    pub(super) sample: &'static str,
}

/// What a line must have; all in lower case but for [`Needle::Is`].
#[derive(Clone, Copy)]
pub(super) enum Needle {
    /// Every one of these.
    All(&'static [&'static str]),
    /// One of these.
    Any(&'static [&'static str]),
    /// One of the first and one of the second.
    Both(&'static [&'static str], &'static [&'static str]),
    /// One of these as a word of its own.
    Word(&'static [&'static str]),
    /// What this says.
    Is(fn(&str) -> bool),
}

use Needle::{All, Any, Both, Is, Word};

const fn row(needle: Needle, cause: &'static str, scope: Scope, meaning: &'static str, sample: &'static str) -> Row {
    Row { needle, cause, meaning, scope, sample }
}

/// Every kind of line that says why.
#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    // The server's own secret.
    row(Any(&["secret or public key must be provided", "secretorprivatekey must have a value"]), "jwt-secret-missing", Connection,
        "the server has no secret to verify tokens with", "[WebSocket] ❌ Token verification failed: secret or public key must be provided"),
    row(All(&["jwt_secret configured: no"]), "jwt-secret-missing", Process,
        "the server was started without a secret", "[WebSocket] JWT_SECRET configured: No"),
    row(Both(&["jwt_secret", "jwt secret"], &["undefined", "not set", "not defined", "is missing", "missing env", "must be set", "is required", "not configured"]), "jwt-secret-missing", Process,
        "the server was started without a secret", "Warning: JWT_SECRET is not set"),

    // What libraries say of a token.
    row(Any(&["jwt must be provided"]), "token-missing", Connection,
        "the server got no token", "JsonWebTokenError: jwt must be provided"),
    row(Any(&["jwt signature is required"]), "jwt-alg-none", Connection,
        "the server wants a signed token", "JsonWebTokenError: jwt signature is required"),
    row(Any(&["jwt audience invalid", "audience doesn't match", "invalidaudienceerror", "unexpected \"aud\" claim", "token has invalid audience"]), "jwt-audience", Connection,
        "the token is not meant for this audience", "JsonWebTokenError: jwt audience invalid. expected: voice-service"),
    row(Any(&["jwt issuer invalid", "invalidissuererror", "unexpected \"iss\" claim", "token has invalid issuer"]), "jwt-issuer", Connection,
        "the token is not of the issuer that the server trusts", "jwt.exceptions.InvalidIssuerError: Invalid issuer"),
    row(Any(&["unable to find a signing key that matches", "no kid specified", "jwksnomatchingkey"]), "jwt-kid-missing", Connection,
        "the server did not find the key that the token names", "SigningKeyNotFoundError: Unable to find a signing key that matches 'k1'"),
    row(Any(&["jwt not active", "token is not yet valid", "token is not valid yet", "\"nbf\" claim timestamp check failed", "prematurejwtexception"]), "jwt-not-active", Connection,
        "the token is not valid yet by the server's clock", "[WebSocket] ❌ Token verification failed: jwt not active"),
    row(Any(&["jwt expired", "tokenexpirederror", "signature has expired", "token is expired", "token has expired", "expiredsignatureerror", "expiredjwtexception", "\"exp\" claim timestamp check failed"]), "jwt-expired", Connection,
        "the token has expired by the server's clock", "[WebSocket] ❌ Token verification failed: jwt expired"),
    row(Any(&["invalid algorithm", "invalidalgorithmerror", "alg value is not allowed", "unexpected signing method"]), "jwt-alg-mismatch", Connection,
        "the server does not accept the token's algorithm", "[WebSocket] ❌ Token verification failed: invalid algorithm"),
    row(Any(&["invalid signature", "signature verification failed", "signature is invalid", "jwt signature does not match", "invalidsignatureerror"]), "jwt-wrong-secret", Connection,
        "the server uses another secret or key than the token was signed with", "[WebSocket] ❌ Token verification failed: invalid signature"),
    row(Any(&["jwt malformed", "not enough segments", "invalid compact jws", "token is malformed", "malformedjwtexception", "verification failed: invalid token", "jsonwebtokenerror: invalid token"]), "jwt-malformed", Connection,
        "the server could not read the token", "[WebSocket] ❌ Token verification failed: jwt malformed"),
    row(All(&["token verification failed"]), "close-1008", Connection,
        "the server did not accept the token", "[WebSocket] ❌ Token verification failed: no such session"),

    // The database.
    row(Any(&["prismaclientinitializationerror", "can't reach database server", "prismaclientrustpanicerror"]), "db-unreachable", Connection,
        "the database is not reached", "PrismaClientInitializationError: Can't reach database server at `localhost:5432`"),
    row(Word(&["p1000", "p1001", "p1002", "p1003", "p1017"]), "db-unreachable", Connection,
        "the database does not let the server in", "Error: P1001: the database server was not reached"),
    row(Word(&["p2021", "p2022"]), "db-unreachable", Connection,
        "a table or column is missing in the database", "code: 'P2021', clientVersion: '5.22.0'"),
    row(Word(&["p2024"]), "db-unreachable", Connection,
        "no connection to the database became free in time", "PrismaClientKnownRequestError: P2024"),
    row(Both(&["econnrefused", "connection refused", "etimedout"], &[":5432", ":3306", ":27017", ":6379", ":1433", "port 5432", "port 3306"]), "db-unreachable", Connection,
        "the database is not reached", "Error: connect ECONNREFUSED 127.0.0.1:5432"),
    row(Any(&["mongoserverselectionerror", "mongooseserverselectionerror", "mongonetworkerror", "sequelizeconnection", "communications link failure", "sqlstate[hy000] [2002]"]), "db-unreachable", Connection,
        "the database is not reached", "MongoServerSelectionError: connect ECONNREFUSED ::1:27017"),
    row(Any(&["psycopg2.operationalerror", "psycopg.operationalerror", "asyncpg.exceptions.", "sqlalchemy.exc.operationalerror", "django.db.utils.operationalerror", "pymysql.err.operationalerror"]), "db-unreachable", Connection,
        "the database is not reached", "sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection failed"),
    row(Any(&["password authentication failed for user", "er_access_denied_error", "access denied for user"]), "db-unreachable", Connection,
        "the database refuses the server's login", "error: password authentication failed for user \"app\""),
    row(Any(&["too many clients already", "remaining connection slots are reserved", "er_con_count_error", "connection is not available, request timed out", "timeouterror: queuepool limit"]), "db-unreachable", Connection,
        "the database has no connection left", "FATAL: sorry, too many clients already"),

    // The process as a whole.
    row(Any(&["eaddrinuse", "address already in use", "only one usage of each socket address"]), "address-in-use", Process,
        "another process holds the server's port", "Error: listen EADDRINUSE: address already in use :::3001"),
    row(Both(&["port"], &["is already in use", "was already in use"]), "address-in-use", Process,
        "another process holds the server's port", "Web server failed to start. Port 8080 was already in use."),
    row(Any(&["emfile", "enfile", "too many open files", "worker_connections are not enough"]), "fd-limit", Connection,
        "the server may open no more files and sockets", "Error: accept EMFILE: too many open files"),
    row(Any(&["javascript heap out of memory", "java.lang.outofmemoryerror", "runtime: out of memory", "allocation failed - process out of memory", "outofmemoryexception"]), "out-of-memory", Process,
        "the server's process ran out of memory", "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"),
    row(Any(&["out of memory: killed process", "oom-kill", "oomkilled", "memory allocation of"]), "out-of-memory", Process,
        "the server's process was ended for want of memory", "Out of memory: Killed process 4711 (node) total-vm:2097152kB"),
    row(Word(&["memoryerror"]), "out-of-memory", Process,
        "the server's process ran out of memory", "MemoryError"),
    row(Any(&["err_module_not_found", "cannot find module", "cannot find package", "modulenotfounderror", "could not import module", "importerror:"]), "boot-crash", Process,
        "a module is missing", "Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/app/dist/call.js' imported from /app/dist/server.js"),
    row(Any(&["syntaxerror:", "indentationerror:", "unable to compile typescript", "err_unknown_file_extension", "err_require_esm"]), "boot-crash", Process,
        "a source file cannot be loaded", "SyntaxError: Unexpected token '}'"),
    row(Any(&["missing script:", "missing required environment", "invalid environment variables", "application failed to start", "applicationcontextexception", "error loading asgi app"]), "boot-crash", Process,
        "the program could not start", "npm error Missing script: \"dev:websocket\""),
    row(Any(&["[nodemon] restarting due to", "[tsx] rerunning", "watchfiles detected changes", "statreload detected", "restarting with stat", "file change detected. starting"]), "server-restarted", Connection,
        "a watcher restarts the server because a file has changed", "[nodemon] restarting due to changes..."),
    row(All(&["restarting '", "'"]), "server-restarted", Connection,
        "a watcher restarts the server because a file has changed", "Restarting 'server.js'"),
    row(Any(&["[nodemon] app crashed", "exited with code 1", "exit status 1", "exited with code 134", "exited with code 137", "exited with code 139", "segmentation fault", "npm err! code elifecycle"]), "server-process-died", Process,
        "the server's process has ended", "[nodemon] app crashed - waiting for file changes before starting..."),

    // Origins, upgrades and frames.
    row(Any(&["request origin not allowed", "could not check origin", "invalid origin header", "origin not allowed", "origin header value", "cross origin websocket", "request origin not allowed by upgrader.checkorigin"]), "http-403-origin", Connection,
        "the server does not accept the request's Origin", "[error] Could not check origin for Phoenix.Socket transport."),
    row(Any(&["connection rejected (403 forbidden)"]), "http-403-starlette", Connection,
        "uvicorn was told to refuse before it accepted", "INFO:     connection rejected (403 Forbidden)"),
    row(All(&["websocket reject"]), "http-403", Connection,
        "the application rejected the connection", "WebSocket REJECT /ws/chat/ [127.0.0.1:52114]"),
    row(Any(&["asgi callable returned without completing handshake", "asgi callable returned without sending handshake"]), "http-500", Connection,
        "the application returned before it accepted or refused", "ERROR:    ASGI callable returned without completing handshake."),
    row(Any(&["no supported websocket library detected", "unsupported upgrade request"]), "http-404", Connection,
        "uvicorn has no WebSocket library installed", "WARNING:  No supported WebSocket library detected."),
    row(Any(&["handshake failed due to invalid upgrade header", "upgrade != websocket", "'upgrade' token not found"]), "http-upgrade-stripped", Connection,
        "the request reached the server without its Upgrade field", "Handshake failed due to invalid Upgrade header: null"),
    row(Any(&["upstream prematurely closed"]), "http-502", Connection,
        "the server behind the proxy ended its connection without an answer", "[error] 7#7: *1 upstream prematurely closed connection while reading response header from upstream"),
    row(Any(&["no live upstreams", "while connecting to upstream"]), "http-502", Connection,
        "the proxy does not reach the server behind it", "[error] 7#7: *2 connect() failed (111: Connection refused) while connecting to upstream"),
    row(Any(&["upstream timed out (110"]), "http-504", Connection,
        "the server behind the proxy did not answer in time", "[error] 7#7: *3 upstream timed out (110: Connection timed out) while reading upstream"),
    row(Any(&["keepalive ping timeout"]), "ping-timeout-1011", Connection,
        "the server's ping was not answered in time", "websockets.exceptions.ConnectionClosedError: sent 1011 (internal error) keepalive ping timeout; no close frame received"),
    row(Any(&["transport unknown", "session id unknown", "bad handshake method"]), "engineio-error", Connection,
        "the server speaks Engine.IO and was asked for something else", "engine.io: connection_error { code: 1, message: 'Session ID unknown' }"),
    row(Both(&["socket.io", "engine.io", "client disconnect", "disconnected"], &["ping timeout"]), "engineio-ping-timeout", Connection,
        "Engine.IO's ping was not answered", "socket.io client disconnected: ping timeout"),
    row(Any(&["max payload size exceeded", "ws_err_unsupported_message_length", "payloadtoobig", "message too big"]), "message-too-big-by-server", Connection,
        "our message is longer than the server allows", "RangeError: Max payload size exceeded"),
    row(Any(&["invalid websocket frame", "ws_err_"]), "close-1002", Connection,
        "the server could not read a frame of ours", "RangeError: Invalid WebSocket frame: MASK must be set"),
    row(Any(&["failed to parse url"]), "close-1002", Connection,
        "the server could not read the URL of the request", "[WebSocket] ❌ Failed to parse URL"),

    // The token, as servers and frameworks say that it is missing or refused.
    row(Any(&["no token provided", "token is required", "missing token", "no auth token", "authentication credentials were not provided"]), "token-missing", Connection,
        "the server found no token in the request", "[WebSocket] ❌ No token provided"),
    row(Any(&["unauthorized connection attempt was rejected"]), "http-401", Connection,
        "Action Cable rejected the connection in its connect method", "An unauthorized connection attempt was rejected"),
    row(Any(&["refused connection to"]), "http-403", Connection,
        "the Phoenix socket's connect callback refused", "[info] REFUSED CONNECTION TO MyApp.UserSocket in 2ms"),

    // TLS, as the server's end sees it.
    row(Any(&["ssl3_get_record:http request", "tls_get_more_records:http request", "ssl routines::http request", "client sent an http request to an https server", "[ssl: http_request]"]), "plain-to-tls", Connection,
        "the client spoke plain HTTP to the TLS port", "SSL routines:tls_get_more_records:http request:ssl/record/methods/tls_any_meth.c:88"),
    row(Any(&["invalid http request received", "invalid method encountered b'\\x16", "clienterror: parse error: invalid method encountered"]), "tls-to-plain", Connection,
        "what came was no HTTP request; a TLS handshake on a plain port looks like this", "WARNING:  Invalid HTTP request received."),
    row(Any(&["peer did not return a certificate", "client didn't provide a certificate", "client sent no required ssl certificate"]), "tls-client-cert-required", Connection,
        "the server wants a client certificate and got none", "SSL routines:tls_process_client_certificate:peer did not return a certificate"),
    row(Any(&["no shared cipher", "no cipher suite supported by both client and server"]), "tls-no-shared-cipher", Connection,
        "client and server have no cipher suite in common", "SSL routines:tls_post_process_client_hello:no shared cipher"),
    row(Any(&["unsupported protocol:", "client offered only unsupported versions", "tls_early_post_process_client_hello:unsupported protocol"]), "tls-version", Connection,
        "client and server have no TLS version in common", "SSL routines:tls_early_post_process_client_hello:unsupported protocol"),
    row(Any(&["alert certificate expired"]), "tls-expired", Connection,
        "the client refused the server's certificate: it has expired", "SSL routines:ssl3_read_bytes:sslv3 alert certificate expired"),
    row(Any(&["alert unknown ca", "alert certificate unknown", "alert bad certificate", "tls: unknown certificate", "tls: bad certificate"]), "tls-unknown-ca", Connection,
        "the client refused the server's certificate", "http: TLS handshake error from 127.0.0.1:52114: remote error: tls: unknown certificate authority; tls: unknown certificate"),

    // Proxies.
    row(Any(&["client intended to send too large"]), "http-413", Connection,
        "the request is larger than nginx takes", "[error] 7#7: *4 client intended to send too large body: 2097152 bytes"),
    row(Any(&["client sent too long uri", "request-uri too large"]), "http-414", Connection,
        "the URL is longer than nginx takes", "[info] 7#7: *5 client sent too long URI while reading client request line"),
    row(Any(&["limiting requests, excess", "limiting connections by zone"]), "http-429", Connection,
        "nginx's rate limit refused the request", "[error] 7#7: *6 limiting requests, excess: 5.800 by zone \"ws\""),
    row(Any(&["access forbidden by rule"]), "http-403-proxy", Connection,
        "a rule of nginx forbids the address", "[error] 7#7: *7 access forbidden by rule, client: 127.0.0.1"),
    row(Both(&["worker process"], &["exited on signal", "exited with fatal code"]), "server-process-died", Process,
        "a worker process of nginx ended", "[alert] 7#7: worker process 12 exited on signal 9"),
    row(Both(&["server ", "backend "], &[" is down", "has no server available"]), "http-503", Process,
        "HAProxy takes the server behind it for down", "Server ws/s1 is DOWN, reason: Layer4 connection problem, info: \"Connection refused\""),
    row(Word(&["sc--"]), "http-503", Connection,
        "HAProxy does not reach the server behind it", "fe ws/s1 0/0/-1/-1/3001 503 217 - - SC-- 1/1/0/0/3 0/0 \"GET / HTTP/1.1\""),
    row(Word(&["sh--"]), "http-504", Connection,
        "the server behind HAProxy did not answer in time", "fe ws/s1 0/0/0/-1/3001 504 202 - - sH-- 1/1/0/0/0 0/0 \"GET / HTTP/1.1\""),
    row(Word(&["cd--", "sd--"]), "idle-timeout", Connection,
        "HAProxy's time-out for a silent tunnel ran out", "fe ws/s1 0/0/0/1/60002 101 301 - - sD-- 1/1/0/0/0 0/0 \"GET / HTTP/1.1\""),
    row(Any(&["no upstreams available", "failed to make connection to backend", "error dialing backend", "connect: connection refused\",\"duration"]), "http-502", Connection,
        "the proxy does not reach the server behind it", "AH01114: HTTP: failed to make connection to backend: 127.0.0.1"),
    row(Any(&["no protocol handler was valid for the url"]), "http-500", Connection,
        "Apache lacks mod_proxy_wstunnel or upgrade=websocket", "AH01144: No protocol handler was valid for the URL /ws (scheme 'ws')"),
    row(Any(&["no mapping for get"]), "http-404", Connection,
        "Spring has no handler for the path", "No mapping for GET /ws"),

    // Two answers on one socket.
    row(Any(&["response.writeheader on hijacked connection", "response.write on hijacked connection", "err_http_headers_sent"]), "http-body-after-101", Connection,
        "a second handler answered the upgraded socket with HTTP", "http: response.WriteHeader on hijacked connection from main.handler"),
    row(Any(&["concurrent write to websocket connection"]), "two-writers-interleave", Connection,
        "two writers sent on one connection at once", "panic: concurrent write to websocket connection"),
    row(Any(&["transport close due to", "invalid namespace"]), "engineio-error", Connection,
        "Socket.IO refused the namespace", "socket.io: connect_error Invalid namespace"),

    // A process that ends.
    row(Any(&["application startup failed", "error creating bean with name", "application failed to start", "webserverexception: unable to start", "error: listen eacces", "error: listen eaddrnotavail", "bind: permission denied", "command not found", "[emerg]", "cannot bind socket", "is not recognized as an internal or external command"]), "boot-crash", Process,
        "the program could not start", "ERROR:    Application startup failed. Exiting."),
    row(Both(&["sh: ", "bash: "], &[": not found", "no such file or directory"]), "boot-crash", Process,
        "the shell does not find the program", "sh: 1: tsx: not found"),
    row(Is(is_end_of_process), "server-process-died", Process,
        "the server's process has ended", "Node.js v20.20.2"),
    row(Any(&["lifecycle script `", "npm error command failed", "npm error signal", "elifecycle", "(core dumped)"]), "server-process-died", Process,
        "the script that runs the server has ended with an error", "npm error Lifecycle script `dev:websocket` failed with error:"),

    // Exceptions.
    row(Any(&["fatal error in connection handler"]), "handler-exception", Connection,
        "the connection handler met an error", "[WebSocket] ❌ Fatal error in connection handler: TypeError: Cannot read properties of undefined (reading 'tenantId')"),
    row(Any(&["unhandled rejection", "unhandledpromiserejection", "unhandledrejection"]), "handler-exception", Connection,
        "a promise was rejected and nobody waited for it", "[WebSocket] Unhandled Rejection at: Promise { <rejected> } reason: Error: createCall failed"),
    row(Any(&["uncaught exception", "uncaughtexception", "triggeruncaughtexception"]), "handler-exception", Connection,
        "an exception was not caught", "Uncaught Exception: boom"),
    row(Any(&["handleupgrade() was called more than once"]), "handler-exception", Connection,
        "two WebSocket servers answered the same upgrade", "Error: server.handleUpgrade() was called more than once with the same socket"),
    row(Any(&["exception in asgi application", "connection handler failed", "closing session due to exception"]), "handler-exception", Connection,
        "the connection handler raised an exception", "ERROR:    Exception in ASGI application"),
    row(All(&["traceback (most recent call last)"]), "handler-exception", Connection,
        "Python printed an exception", "Traceback (most recent call last):"),
    row(Any(&["http: panic serving", "an unhandled exception was thrown by the application", "an unhandled exception has occurred while executing the request"]), "handler-exception", Connection,
        "the request's handler met an error that it does not handle", "2026/11/27 10:47:10 http: panic serving 127.0.0.1:52114: assignment to entry in nil map"),
    row(Both(&["** ("], &["error)"]), "handler-exception", Connection,
        "the process of the connection raised an exception", "** (RuntimeError) tenant is missing"),
    row(Any(&["exception in thread \"", "unhandled exception. ", "php fatal error", "panic: ", "' panicked at ", ") panicked at "]), "handler-exception", Connection,
        "the program met an error that it does not handle", "panic: runtime error: index out of range [3] with length 3"),
    row(Is(is_death_of_script), "handler-exception", Connection,
        "the server's script raised an exception", "[error] [3Rz9kVQx] tenant is missing at /srv/voice.pl line 12."),
    row(Is(is_logged_exception), "handler-exception", Connection,
        "the server logged an exception", "{\"level\":50,\"time\":1795772000000,\"err\":{\"type\":\"Error\",\"message\":\"tenant is missing\",\"stack\":\"Error: tenant is missing\\n    at handler (server.js:12:3)\"},\"msg\":\"tenant is missing\"}"),
    row(Is(is_exception_head), "handler-exception", Connection,
        "the server printed an exception", "TypeError: Cannot read properties of undefined (reading 'tenantId')"),
];

/// Lines that say that the server has begun to listen, each with a sample.
pub(super) const STARTS: &[(Needle, &str)] = &[
    (
        Any(&["server listening on", "listening on port", "listening at http", "listening on http", "listening on ws"]),
        "[WebSocket] Server listening on port 3001",
    ),
    (All(&["websocket server running on"]), "✅ Voice WebSocket Server running on ws://localhost:3001"),
    (
        Any(&[
            "uvicorn running on",
            "application startup complete",
            "hypercorn running on",
            "running on http://",
            "listening on tcp address",
        ]),
        "INFO:     Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)",
    ),
    (
        Any(&[
            "server listening at",
            "server started on",
            "server is running",
            "server running on",
            "server running at",
            "listening at: http",
            "listening on :",
            "listening on 1",
            "listening on 2",
            "listening on 3",
            "listening on 4",
            "listening on 5",
            "listening on 6",
            "listening on 7",
            "listening on 8",
            "listening on 9",
            "listening on localhost",
            "listening on 0.0.0.0",
            "listening on 127.0.0.1",
            "listening on [::",
            "ready on http",
            "started server on",
            "websocket server started",
            "started on port",
            "running on port",
        ]),
        "Server listening at http://127.0.0.1:3001",
    ),
    (
        Any(&["tomcat started on port", "netty started on port", "now listening on:"]),
        "Tomcat started on port 8080 (http) with context path '/'",
    ),
];

/// What exceptions say that are the consequence of an end, not its cause.
pub(super) const CONSEQUENCES: &[&str] = &[
    "connectionclosed",
    "connectionreset",
    "econnreset",
    "epipe",
    "brokenpipe",
    "broken pipe",
    "connection reset by peer",
    "websocketdisconnect",
    "clientdisconnect",
    "write after end",
    "err_stream_destroyed",
    "err_stream_premature_close",
    "eoferror",
    "invalidmessage",
    "invalidhandshake",
    "invalidupgrade",
    "cancellederror",
];

/// Lines that say that all is well so far: what they mean, and a sample of each.
pub(super) const SIGNS: &[(Needle, &str, &str)] = &[
    (
        All(&["jwt_secret configured: yes"]),
        "the server has a secret to verify tokens with",
        "[WebSocket] JWT_SECRET configured: Yes (custom secret)",
    ),
    (
        Any(&["new connection attempt from", "websocket handshaking", "\" [accepted]"]),
        "the server received a connection",
        "[WebSocket] New connection attempt from: ::1",
    ),
    (All(&["token received, length"]), "the token reached the server", "[WebSocket] Token received, length: 256"),
    (
        All(&["token verified successfully"]),
        "the server accepted the token",
        "[WebSocket] ✅ Token verified successfully for user: u1 tenant: t1",
    ),
    (
        All(&["connection confirmed message sent"]),
        "the server confirmed the connection",
        "[WebSocket] ✅ Connection confirmed message sent",
    ),
    (
        Any(&["info:     connection open", "websocket connect /", "client connected"]),
        "the server opened the connection",
        "INFO:     connection open",
    ),
];
