//! Faults in which a whole HTTP response other than 101 answers the upgrade.

use super::super::fault::Fault;
use super::super::script::Step;

pub(super) const FAULTS: &[Fault] = &[
    answer(
        "http-200-spa",
        "A page in place of a socket",
        "The web server answered with the page of a single-page application: the path is wrong, the proxy has no \
         rule for it, or the server has no upgrade listener. Dial the WebSocket server itself.",
        &[Step::Http { status: "200 OK", headers: HTML, body: SPA }, Step::Fin],
    ),
    answer(
        "http-200",
        "200 in place of 101",
        "The endpoint answered as to an ordinary request: it is no WebSocket endpoint, or its upgrade listener is \
         missing. Look at the body and correct the path.",
        &[Step::Http { status: "200 OK", headers: JSON, body: "{\"status\":\"ok\"}" }, Step::Fin],
    ),
    answer(
        "http-204",
        "204 in place of 101",
        "The server has the endpoint but not the WebSocket feature (seen on IIS). Enable it.",
        &[Step::Head("HTTP/1.1 204 No Content\r\nServer: Microsoft-IIS/10.0\r\nConnection: close\r\n\r\n"), Step::Fin],
    ),
    answer(
        "http-redirect-slash",
        "Redirect to the path with a slash",
        "The server wants a slash at the end and redirects; browsers do not follow redirects of a WebSocket. Use the \
         URL of the Location field exactly.",
        &[
            Step::Http { status: "301 Moved Permanently", headers: "Location: {path}/?{query}\r\n", body: "" },
            Step::Fin,
        ],
    ),
    answer(
        "http-redirect-https",
        "Redirect to https",
        "The server wants TLS and redirects; browsers do not follow redirects of a WebSocket. Write wss://.",
        &[
            Step::Http {
                status: "308 Permanent Redirect",
                headers: "Location: https://{host}{path}?{query}\r\n",
                body: "",
            },
            Step::Fin,
        ],
    ),
    answer(
        "http-redirect-login",
        "Redirect to the login page",
        "The session's cookie is missing or belongs to another host, so the server sends us to its login page. Log \
         in first, and check SameSite and the host.",
        &[Step::Http { status: "302 Found", headers: "Location: /login?next={path}\r\n", body: "" }, Step::Fin],
    ),
    answer(
        "http-redirect",
        "Redirect elsewhere",
        "The endpoint has moved, and browsers do not follow redirects of a WebSocket. Use the URL of the Location \
         field.",
        &[Step::Http { status: "307 Temporary Redirect", headers: "Location: /v2/socket\r\n", body: "" }, Step::Fin],
    ),
    answer(
        "http-upgrade-stripped",
        "A proxy dropped Upgrade",
        "nginx relays a WebSocket server's 426: it did not pass our Upgrade field on. Set proxy_http_version 1.1 and \
         the Upgrade and Connection fields there.",
        &[
            Step::Http {
                status: "426 Upgrade Required",
                headers: "Server: nginx/1.22.1\r\nContent-Type: text/plain\r\n",
                body: "Upgrade Required",
            },
            Step::Fin,
        ],
    ),
    answer(
        "http-upgrade-stripped-no-mark",
        "426 without a proxy's mark",
        "A 426 that names no other version, though our request did carry Upgrade: something between dropped it \
         without a trace. Dial the server directly to see the difference.",
        &[
            Step::Http {
                status: "426 Upgrade Required",
                headers: "Content-Type: text/plain\r\n",
                body: "Upgrade Required",
            },
            Step::Fin,
        ],
    )
    .cause("http-upgrade-stripped"),
    answer(
        "http-upgrade-stripped-400",
        "The backend saw no Upgrade",
        "The body says that the backend found no `upgrade` token, though we sent one: a proxy dropped it. Pass the \
         Upgrade and Connection fields on there.",
        &[
            Step::Http {
                status: "400 Bad Request",
                headers: "Server: nginx/1.22.1\r\nContent-Type: text/plain; charset=utf-8\r\n",
                body: "Bad Request\nwebsocket: the client is not using the websocket protocol: \
                    'upgrade' token not found in 'Connection' header\n",
            },
            Step::Fin,
        ],
    )
    .cause("http-upgrade-stripped"),
    answer(
        "http-400-path-mismatch",
        "ws serves another path",
        "Node's ws answers exactly so when its `path` option differs from the path of the URL, or when two servers \
         share one HTTP server. Use the same path, or noServer and one upgrade listener.",
        &[Step::Http { status: "400 Bad Request", headers: HTML, body: "Bad Request" }, Step::Fin],
    ),
    answer(
        "http-400-missing-key",
        "Sec-WebSocket-Key was lost",
        "The server misses a field that we did send: a middlebox removed it. Dial the server directly, or over wss.",
        &[
            Step::Http {
                status: "400 Bad Request",
                headers: HTML,
                body: "Missing or invalid Sec-WebSocket-Key header",
            },
            Step::Fin,
        ],
    ),
    answer(
        "http-400",
        "400",
        "The server calls the request bad and says why in the body, which a browser never shows. Read the body.",
        &[
            Step::Http { status: "400 Bad Request", headers: JSON, body: "{\"error\":\"room parameter is required\"}" },
            Step::Fin,
        ],
    ),
    answer(
        "http-401",
        "401",
        "The server wants credentials and took none of ours, though the token is good. Browsers cannot set an \
         Authorization field on a WebSocket. Find out where the server looks for the token.",
        &[Step::Http { status: "401 Unauthorized", headers: HTML, body: "Unauthorized" }, Step::Fin],
    ),
    answer(
        "http-401-bare",
        "A hand-written 401",
        "A status line and nothing else, then FIN: the pattern of an upgrade listener that writes to the socket by \
         hand. The token is good; look at the listener's condition.",
        &[Step::Head("HTTP/1.1 401 Unauthorized\r\n\r\n"), Step::Fin],
    )
    .cause("http-401"),
    answer(
        "proxy-auth-407",
        "407",
        "A proxy wants credentials. Give them, or exempt this host from the proxy; localhost should be exempt \
         always.",
        &[
            Step::Http {
                status: "407 Proxy Authentication Required",
                headers: "Proxy-Authenticate: Basic realm=\"proxy\"\r\nX-Squid-Error: ERR_CACHE_ACCESS_DENIED 0\r\n",
                body: "",
            },
            Step::Fin,
        ],
    ),
    answer(
        "http-403-origin",
        "Origin not allowed",
        "The server compares the Origin field with a list, and ours is not on it; localhost and 127.0.0.1 are two \
         origins. Add the page's origin to the list.",
        &[
            Step::Http {
                status: "403 Forbidden",
                headers: "Content-Type: text/plain; charset=utf-8\r\n",
                body: "Failed to open a WebSocket connection: invalid Origin header: http://localhost:3000.\n",
            },
            Step::Fin,
        ],
    ),
    answer(
        "http-403-starlette",
        "Starlette's empty 403",
        "uvicorn answers so when the path has no WebSocket route, a parameter is missing, or the handler closed \
         before accept(): the close code of the handler is lost. The server's log tells which.",
        &[
            Step::Head(
                "HTTP/1.1 403 Forbidden\r\ndate: Sun, 22 Nov 2026 10:00:00 GMT\r\ncontent-length: 0\r\n\
                 content-type: text/plain\r\nconnection: close\r\n\r\n",
            ),
            Step::Fin,
        ],
    ),
    answer(
        "http-403-proxy",
        "A proxy's rule",
        "The Server field and the page are a proxy's, so the request never reached the application. Look at the \
         proxy's access rules.",
        &[
            Step::Http {
                status: "403 Forbidden",
                headers: "Server: nginx/1.22.1\r\nContent-Type: text/html\r\n",
                body: "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n\
                    <center><h1>403 Forbidden</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n",
            },
            Step::Fin,
        ],
    ),
    answer(
        "http-403",
        "403",
        "The application knows who asks and says no. Its words are in the body, which a browser never shows.",
        &[
            Step::Http { status: "403 Forbidden", headers: JSON, body: "{\"error\":\"plan does not include voice\"}" },
            Step::Fin,
        ],
    ),
    answer(
        "http-404",
        "404",
        "Nothing lives at this path: the path or the port is wrong, or the server has no upgrade listener and treats \
         the handshake as a page request. Compare the path with the server's.",
        &[
            Step::Http {
                status: "404 Not Found",
                headers: "X-Powered-By: Express\r\nContent-Type: text/html; charset=utf-8\r\n",
                body: "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>Error</title>\n</head>\n<body>\n\
                    <pre>Cannot GET /socket</pre>\n</body>\n</html>\n",
            },
            Step::Fin,
        ],
    ),
    answer(
        "http-405",
        "405",
        "The server does not take GET at this path, or something on the way changed the method. Compare the path \
         with the server's routes.",
        &[
            Step::Http { status: "405 Method Not Allowed", headers: "Allow: POST\r\n", body: "Invalid HTTP method" },
            Step::Fin,
        ],
    ),
    answer(
        "http-413",
        "413",
        "The server finds the request too large, though a handshake has no body. A proxy's rule counts the fields. \
         Send less in the URL and in cookies.",
        &[Step::Http { status: "413 Content Too Large", headers: "", body: "" }, Step::Fin],
    ),
    answer(
        "http-414",
        "414",
        "The request line is too long for this server (8 KiB in nginx, less elsewhere). Send the token in the first \
         message or as a subprotocol.",
        &[
            Step::Http {
                status: "414 Request-URI Too Large",
                headers: "Server: nginx/1.22.1\r\nContent-Type: text/html\r\n",
                body: "<html><head><title>414 Request-URI Too Large</title></head></html>\r\n",
            },
            Step::Fin,
        ],
    ),
    answer(
        "http-426",
        "Another protocol version wanted",
        "The server names another Sec-WebSocket-Version than 13: it speaks a draft from before RFC 6455. Update the \
         server's library.",
        &[
            Step::Http { status: "426 Upgrade Required", headers: "Sec-WebSocket-Version: 8, 7\r\n", body: "" },
            Step::Fin,
        ],
    ),
    answer(
        "http-429",
        "429",
        "The server limits how often we may connect, and Retry-After says how long to wait. Usually a reconnect loop \
         without back-off is the reason.",
        &[Step::Http { status: "429 Too Many Requests", headers: "Retry-After: 30\r\n", body: "slow down" }, Step::Fin],
    ),
    answer(
        "http-431",
        "431",
        "The fields are too large for this server: most often cookies of all applications that ever ran on \
         localhost. Delete them, or shorten the token.",
        &[Step::Head("HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n"), Step::Fin],
    ),
    answer(
        "http-500",
        "500",
        "The server failed before it accepted. Its log has the exception; the body has only this.",
        &[Step::Http { status: "500 Internal Server Error", headers: TEXT, body: "Internal Server Error" }, Step::Fin],
    ),
    answer(
        "http-502",
        "502",
        "The proxy could not reach the server behind it: that one is down, or on another port. Start it.",
        &[
            Step::Http {
                status: "502 Bad Gateway",
                headers: NGINX,
                body: "<center><h1>502 Bad Gateway</h1></center>\r\n",
            },
            Step::Fin,
        ],
    ),
    answer(
        "http-503",
        "503",
        "The proxy has no server to send us to, or the server sheds load. Look at the health checks.",
        &[
            Step::Http {
                status: "503 Service Unavailable",
                headers: "Cache-Control: no-cache\r\nContent-Type: text/html\r\n",
                body: "<html><body><h1>503 Service Unavailable</h1>\n\
                    No server is available to handle this request.\n</body></html>\n",
            },
            Step::Fin,
        ],
    ),
    answer(
        "http-504",
        "504",
        "The proxy reached the server, but it did not answer in time: the process is blocked, or its upgrade \
         listener never answers. Look at the server.",
        &[
            Step::Http {
                status: "504 Gateway Time-out",
                headers: NGINX,
                body: "<center><h1>504 Gateway Time-out</h1></center>\r\n",
            },
            Step::Fin,
        ],
    ),
    answer(
        "http-505",
        "505",
        "The backend was addressed in HTTP/1.0, which has no Upgrade. Set proxy_http_version 1.1 in the proxy.",
        &[Step::Http { status: "505 HTTP Version Not Supported", headers: NGINX, body: "" }, Step::Fin],
    ),
    answer(
        "http-other",
        "Another status",
        "The server answered with a status for which there is no typical reason. Its own words are in the body.",
        &[Step::Http { status: "418 I'm a teapot", headers: TEXT, body: "short and stout" }, Step::Fin],
    ),
    answer(
        "engineio-error",
        "A Socket.IO server",
        "The body is an error of Engine.IO: this is a Socket.IO server, which a bare WebSocket cannot talk to. Use \
         socket.io-client, or its path with EIO=4 and transport=websocket.",
        &[
            Step::Http {
                status: "400 Bad Request",
                headers: JSON,
                body: "{\"code\":0,\"message\":\"Transport unknown\"}",
            },
            Step::Fin,
        ],
    ),
];

const HTML: &str = "Content-Type: text/html\r\n";
const JSON: &str = "Content-Type: application/json\r\n";
const TEXT: &str = "Content-Type: text/plain; charset=utf-8\r\n";
const NGINX: &str = "Server: nginx/1.22.1\r\nContent-Type: text/html\r\n";
const SPA: &str = "<!doctype html>\n<html lang=\"en\">\n<head><title>Voice</title></head>\n\
    <body><div id=\"root\"></div><script type=\"module\" src=\"/assets/index.js\"></script></body>\n</html>\n";

const fn answer(id: &'static str, title: &'static str, lesson: &'static str, steps: &'static [Step]) -> Fault {
    Fault::path(id, "upgrade-refused", title, lesson, steps)
}
