#!/usr/bin/env python3
"""Servers and proxies as people misconfigure them, and the cause that `sockeye check` names for each.

`misconfigured.py --sockeye BINARY --work FOLDER [--only TEXT] [--list]`; FOLDER holds node_modules (ws, express,
socket.io), venv (uvicorn, fastapi, websockets) and tls (see run.sh). Stacks that are not installed are skipped.
A row is: the servers it needs, one run of Sockeye, one expected cause.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from harness import HERE, START_SECS, Tally, free_port, mint, new_secret, run_sockeye

SECRET = new_secret()
TOKEN = mint(SECRET)


@dataclass
class Row:
    """`setup(stage)` starts the servers and gives the URL; `cause` may be several where the wire cannot tell them apart."""

    name: str
    setup: object
    cause: str | set
    args: tuple = ()
    needs: tuple = ()
    finding: str | None = None


class Stage:
    """The servers of one row, each a child in its own process group, all ended with the row."""

    def __init__(self, work, folder):
        self.work, self.folder, self.children = work, folder, []
        folder.mkdir(parents=True, exist_ok=True)

    def start(self, name, command, port=None, env=None, cwd=None):
        log = (self.folder / f"{name}.log").open("wb")
        child = subprocess.Popen(command, cwd=cwd or self.work, env={**os.environ, **(env or {})}, stdin=subprocess.PIPE,
                                 stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        self.children.append(child)
        if port:
            wait_for_port(port, child, self.folder / f"{name}.log")
        return child

    def log(self, name):
        return str(self.folder / f"{name}.log")

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def node(self, scenario, name="node", script="misconfigured.mjs", backend=None):
        port = free_port()
        self.start(name, ["node", HERE / script, scenario, str(port), str(backend or "")], port)
        return port

    def uvicorn(self, *options):
        port = free_port()
        command = [self.work / "venv/bin/uvicorn", "misconfigured_asgi:app", "--app-dir", HERE, "--port", str(port), *options]
        self.start("uvicorn", command, port)
        return port

    def nginx(self, server, http=""):
        """nginx with these lines in its only `server`; gives the port."""
        port = free_port()
        folder = self.folder / "nginx"
        folder.mkdir(exist_ok=True)
        conf = self.write("nginx.conf", f"""daemon off; master_process off; error_log {folder}/error.log info; pid {folder}/pid;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; {http}
server {{ listen 127.0.0.1:{port}{" ssl" if "ssl_certificate" in server else ""}; {server} }} }}
""")
        self.start("nginx", ["nginx", "-p", folder, "-c", conf], port)
        return port

    def haproxy(self, frontend, backend="", mode="http", bind=""):
        port = free_port()
        conf = self.write("haproxy.cfg", f"""global
    maxconn 64
defaults
    mode {mode}
    timeout connect 500ms
    timeout client 20s
    timeout server 20s
    retries 0
frontend fe
    bind 127.0.0.1:{port} {bind}
{frontend}
    default_backend ws
backend ws
{backend}
""")
        self.start("haproxy", ["haproxy", "-db", "-f", conf], port)
        return port

    def s_server(self, *options, certificate="self"):
        port = free_port()
        tls = self.work / "tls"
        command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-key", tls / f"{certificate}.key",
                   "-cert", tls / f"{certificate}.crt", "-www", *options]
        self.start("openssl", command, port)
        return port

    def end(self):
        for child in reversed(self.children):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            child.stdin.close()


def wait_for_port(port, child, log):
    until = time.monotonic() + START_SECS
    while time.monotonic() < until:
        if child.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.02)
    raise RuntimeError(f"nobody listens on port {port}: {log.read_text(errors='replace')[-600:]!r}")


def ws(port, path="/", scheme="ws", query=f"?token={TOKEN}"):
    return f"{scheme}://127.0.0.1:{port}{path}{query}"


def node(scenario, path="/", query=f"?token={TOKEN}"):
    return lambda stage: ws(stage.node(scenario), path, query=query)


def asgi(path, *options):
    return lambda stage: ws(stage.uvicorn(*options), path)


def proxied(server, backend="ws", http="", path="/"):
    """nginx before a Node server; `{port}` in `server` is the backend's."""
    def setup(stage):
        upstream = free_port() if backend is None else stage.node(backend)
        return ws(stage.nginx(server.replace("{port}", str(upstream)), http), path)
    return setup


def balanced(frontend, backend, server="ws", path="/", **more):
    """HAProxy before a Node server; `{port}` in `backend` is the server's."""
    def setup(stage):
        upstream = free_port() if server is None else stage.node(server)
        return ws(stage.haproxy(frontend, backend.replace("{port}", str(upstream)), **more), path)
    return setup


def openssl(*options, scheme="wss", certificate="self"):
    return lambda stage: ws(stage.s_server(*options, certificate=certificate), scheme=scheme)


def command(scenario):
    """A server that Sockeye itself starts."""
    def setup(stage):
        port = free_port()
        return ws(port), ("--server-cmd", node_command(stage, scenario, port))
    return setup


def node_command(stage, scenario, port, flags=""):
    return f"cd '{stage.work}' && node {flags} '{HERE / 'misconfigured.mjs'}' {scenario} {port}"


def filled_heap(stage):
    port = free_port()
    return ws(port), ("--server-cmd", node_command(stage, "guide-memory", port, "--max-old-space-size=30"))


def pasted(text):
    """A healthy server, and what a browser's console says about the same URL."""
    def setup(stage):
        return ws(stage.node("ws")), ("--browser-console", str(stage.write("browser.txt", f"[HMR] connected\n{text}\n")))
    return setup


def shell(line):
    return lambda stage: (ws(free_port()), ("--server-cmd", line))


def limited(stage):
    """nginx's rate limit, used up before Sockeye comes."""
    upstream = stage.node("ws")
    port = stage.nginx(f"location / {{ limit_req zone=ws; proxy_pass http://127.0.0.1:{upstream}; {UPGRADE} }}",
                       "limit_req_zone $binary_remote_addr zone=ws:1m rate=1r/m;")
    with socket.create_connection(("127.0.0.1", port)) as first:
        first.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        while first.recv(4096):
            pass
    return ws(port)


def nginx_before_uvicorn(stage):
    upstream = stage.uvicorn()
    return ws(stage.nginx(f"location / {{ proxy_pass http://127.0.0.1:{upstream}; }}"), "/ok")


def nginx_log(server, backend):
    """The same as `proxied`, with nginx's error log as the server's console."""
    def setup(stage):
        url = proxied(server, backend)(stage)
        return url, ("--server-log", str(stage.folder / "nginx" / "error.log"))
    return setup


def with_console(make, name):
    def setup(stage):
        url = make(stage)
        return url, ("--server-log", stage.log(name))
    return setup


def taken_port(stage):
    """A server that Sockeye starts on a port where an older one still listens."""
    port = stage.node("ws")
    return ws(port), ("--server-cmd", node_command(stage, "ws", port), "--server-wait", "3")


def intermediate(stage):
    """A leaf whose issuer is not sent, behind a root that is trusted."""
    tls = stage.folder
    run = lambda *words: subprocess.run(words, cwd=tls, check=True, capture_output=True)
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "5", "-keyout", "root.key", "-out", "root.crt", "-subj", "/CN=Peers root")
    for child, parent, extension in [("middle", "root", "basicConstraints=critical,CA:true"),
                                     ("leaf", "middle", "subjectAltName=DNS:localhost,IP:127.0.0.1\nauthorityInfoAccess=caIssuers;URI:http://127.0.0.1:9/middle.crt")]:
        (tls / f"{child}.ext").write_text(extension + "\n")
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{child}.key", "-out", f"{child}.csr", "-subj", f"/CN=Peers {child}")
        run("openssl", "x509", "-req", "-in", f"{child}.csr", "-CA", f"{parent}.crt", "-CAkey", f"{parent}.key", "-CAcreateserial",
            "-days", "5", "-extfile", f"{child}.ext", "-out", f"{child}.crt")
    port = free_port()
    stage.start("openssl", ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-key", tls / "leaf.key", "-cert", tls / "leaf.crt", "-www"], port)
    return ws(port, scheme="wss"), ("--ca", str(tls / "root.crt"))


UPGRADE = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"
PASS = f"proxy_pass http://127.0.0.1:{{port}}; {UPGRADE}"
CERTIFICATE = "ssl_certificate ../../../tls/self.crt; ssl_certificate_key ../../../tls/self.key;"
NODE, ASGI, NGINX, HAPROXY = ("node_modules",), ("venv/bin/uvicorn",), ("node_modules", "nginx"), ("node_modules", "haproxy")
ENDED = {"connection-terminated", "idle-timeout"}
QUICK = ("--expect", "none", "--watch", "0.3")


def rows(tls):
    certificate = CERTIFICATE.replace("../../../tls", str(tls))
    return [
        # express
        Row("express: no upgrade listener", node("express-only"), "http-404", needs=NODE),
        Row("express: every path is the page", node("express-spa"), "http-200-spa", needs=NODE),
        Row("express: redirect to a login", node("express-login"), "http-redirect-login", needs=NODE),
        Row("express: app.listen() in place of server.listen()", node("express-app-listen"), "http-404", needs=NODE),
        Row("express: ws has another path", node("express-path", "/socket"), "http-400-path-mismatch", needs=NODE),
        Row("express: two WebSocketServers on one server", node("express-two-servers", "/voice"), "http-400-path-mismatch", needs=NODE),
        Row("express: a rate limiter", node("express-rate-limit"), "http-429", needs=NODE),
        Row("express: a login guard before the upgrade", node("express-json-401"), "http-401", needs=NODE),
        Row("express: a login guard, no token", node("express-json-401", query=""), "token-missing", needs=NODE),
        Row("express: a second upgrade listener answers with HTTP", node("express-second-answer"), {"http-body-after-101", "two-writers-interleave"}, needs=NODE),
        Row("express: two WebSocketServers take the same upgrade", node("express-upgraded-twice"), "server-process-died", needs=NODE),

        # Socket.IO
        Row("socket.io: plain WebSocket to /", node("socketio"), "engineio-error", needs=NODE),
        Row("socket.io: no transport named", node("socketio", "/socket.io/", ""), "engineio-error", needs=NODE),
        Row("socket.io: polling asked for", node("socketio", "/socket.io/", "?EIO=4&transport=polling"), {"close-empty", "engineio-error"}, needs=NODE),
        Row("socket.io: unknown session id (no sticky sessions)", node("socketio", "/socket.io/", "?EIO=4&transport=websocket&sid=nope"), "engineio-error", needs=NODE),
        Row("socket.io: protocol version of an old client", node("socketio", "/socket.io/", "?EIO=3&transport=websocket"), {"http-body-after-101", "engineio-error"}, needs=NODE),
        Row("socket.io: allowRequest refuses", node("socketio-forbidden", "/socket.io/", "?EIO=4&transport=websocket"), {"http-400", "engineio-error"}, needs=NODE),
        Row("socket.io: polling is the only transport", node("socketio-polling-only", "/socket.io/", "?EIO=4&transport=websocket"), "engineio-error", needs=NODE),
        Row("socket.io: pings that nobody answers", node("socketio-fast", "/socket.io/", "?EIO=4&transport=websocket"), "engineio-ping-timeout", args=("--watch", "4"), needs=NODE),
        Row("socket.io: garbage in place of a packet", node("socketio", "/socket.io/", "?EIO=4&transport=websocket"), {"close-empty", "engineio-ping-timeout", "engineio-error"}, args=("--send", "garbage", "--watch", "3"), needs=NODE),

        # uvicorn and FastAPI
        Row("fastapi: unknown path", asgi("/nowhere"), "http-403-starlette", needs=ASGI),
        Row("fastapi: a path for HTTP only", asgi("/http-only"), "http-403-starlette", needs=ASGI),
        Row("fastapi: a query parameter is missing", asgi("/needs-room"), "http-403-starlette", needs=ASGI),
        Row("fastapi: close(4401) before accept()", asgi("/closes-4401-first"), "http-403-starlette", needs=ASGI),
        Row("fastapi: an exception before accept()", asgi("/raises-first"), "http-500", needs=ASGI),
        Row("fastapi: an exception before accept(), its console given", with_console(asgi("/raises-first"), "uvicorn"), "handler-exception", needs=ASGI),
        Row("fastapi: an exception after accept(), its console given", with_console(asgi("/raises-later"), "uvicorn"), "handler-exception", needs=ASGI),
        Row("fastapi: HTTPException(401) in a dependency", asgi("/depends-401"), "http-401", needs=ASGI),
        Row("fastapi: the handler returns", asgi("/returns"), {"close-1000", "connection-terminated"}, needs=ASGI),
        Row("fastapi: close(1008) with a reason of PyJWT", asgi("/policy"), {"jwt-expired", "close-1008"}, needs=ASGI),
        Row("fastapi: os._exit() in the handler", asgi("/ends-process"), "server-process-died", needs=ASGI),
        Row("uvicorn: asked to end", asgi("/asked-to-end"), "close-1012", args=("--watch", "4"), needs=ASGI),
        Row("uvicorn: no WebSocket library", asgi("/ok", "--ws", "none"), "http-404", needs=ASGI),
        Row("uvicorn: our text is over ws-max-size", asgi("/ok", "--ws-max-size", "100"), "message-too-big-by-server", args=("--send", "x" * 500), needs=ASGI),
        Row("uvicorn: wss:// to the plain port", lambda stage: ws(stage.uvicorn(), "/ok", "wss"), "tls-to-plain", needs=ASGI),

        # nginx
        Row("nginx: nothing set for the upgrade", proxied("location / { proxy_pass http://127.0.0.1:{port}; }"), "http-upgrade-stripped", needs=NGINX),
        Row("nginx: Upgrade without Connection", proxied("location / { proxy_pass http://127.0.0.1:{port}; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; }"), "http-upgrade-stripped", needs=NGINX),
        Row("nginx: nothing set, before uvicorn", nginx_before_uvicorn, {"http-404", "http-upgrade-stripped"}, needs=("venv/bin/uvicorn", "nginx")),
        Row("nginx: the backend is down", proxied(f"location / {{ {PASS} }}", None), "http-502", needs=NGINX),
        Row("nginx: the backend is down, its error log given", nginx_log(f"location / {{ {PASS} }}", None), "http-502", needs=NGINX),
        Row("nginx: the backend does not answer", proxied(f"location / {{ {PASS} proxy_read_timeout 1s; }}", "ws-hanging"), "http-504", args=("--upgrade-timeout", "6"), needs=NGINX),
        Row("nginx: the backend ends in its answer", proxied(f"location / {{ {PASS} }}", "half-answer"), "http-502", needs=NGINX),
        Row("nginx: try_files for a page", lambda stage: (stage.write("index.html", "<!DOCTYPE html><html><div id=root></div></html>"), ws(stage.nginx(f"root {stage.folder}; location / {{ try_files $uri /index.html; }}"), "/ws"))[1], "http-200-spa", needs=NGINX),
        Row("nginx: redirect to the path with a slash", proxied("location = /ws { return 301 /ws/; }", path="/ws"), "http-redirect-slash", needs=NGINX),
        Row("nginx: redirect to https", proxied("return 301 https://$host$request_uri;"), "http-redirect-https", needs=NGINX),
        Row("nginx: return 444", proxied("return 444;"), "upgrade-fin-nobytes", needs=NGINX),
        Row("nginx: deny all", proxied("location / { deny all; }"), "http-403-proxy", needs=NGINX),
        Row("nginx: no location for the path", proxied("root /nowhere; location /api/ { return 204; }"), "http-404", needs=NGINX),
        Row("nginx: return 204", proxied("return 204;"), "http-204", needs=NGINX),
        Row("nginx: return 503 for maintenance", proxied("return 503;"), "http-503", needs=NGINX),
        Row("nginx: basic authentication", proxied('auth_basic "private"; auth_basic_user_file /dev/null;'), "http-401", needs=NGINX),
        Row("nginx: limit_req", limited, "http-503", needs=NGINX),
        Row("nginx: the URL is too long", lambda stage: ws(stage.nginx("return 204;"), query="?token=" + "a" * 12_000), {"url-too-long", "http-414"}, needs=NGINX),
        Row("nginx: ws:// to the TLS port", proxied(f"{certificate} location / {{ {PASS} }}"), "plain-to-tls", needs=NGINX),
        Row("nginx: a client certificate is required", lambda stage: ws(stage.nginx(f"{certificate} ssl_client_certificate {tls}/ca.crt; ssl_verify_client on; return 204;"), scheme="wss"), "tls-client-cert-required", args=("--insecure",), needs=NGINX),
        Row("nginx: proxy_read_timeout of 2 s, both silent", proxied(f"location / {{ {PASS} proxy_read_timeout 2s; }}"), ENDED, args=("--watch", "4"), needs=NGINX),
        Row("nginx: the backend ends in the middle", proxied(f"location / {{ {PASS} }}", "guide-terminates"), "connection-terminated", needs=NGINX),
        Row("nginx: error_page turns the refusal into a page", proxied("location / { return 404; } error_page 404 =200 /page; location = /page { default_type text/html; return 200 '<!DOCTYPE html><div id=app></div>'; }"), "http-200-spa", needs=NGINX),
        Row("nginx: stub answers 200 as text", proxied("default_type text/plain; return 200 'ok';"), "http-200", needs=NGINX),
        Row("nginx: return 405", proxied("return 405;"), "http-405", needs=NGINX),

        # HAProxy
        Row("haproxy: the server is down", balanced("", "    server s1 127.0.0.1:{port}", None), "http-503", needs=HAPROXY),
        Row("haproxy: the server does not answer", balanced("", "    timeout server 1s\n    server s1 127.0.0.1:{port}", "ws-hanging"), "http-504", args=("--upgrade-timeout", "6"), needs=HAPROXY),
        Row("haproxy: del-header Upgrade", balanced("    http-request del-header Upgrade", "    server s1 127.0.0.1:{port}"), "http-upgrade-stripped", needs=HAPROXY),
        Row("haproxy: redirect scheme https", balanced("    redirect scheme https", "    server s1 127.0.0.1:{port}"), "http-redirect-https", needs=HAPROXY),
        Row("haproxy: deny", balanced("    http-request deny", "    server s1 127.0.0.1:{port}"), "http-403-proxy", needs=HAPROXY),
        Row("haproxy: timeout tunnel of 2 s", balanced("", "    timeout tunnel 2s\n    server s1 127.0.0.1:{port}"), ENDED, args=("--watch", "4"), needs=HAPROXY),
        Row("haproxy: deny with 429", balanced("    http-request deny deny_status 429", "    server s1 127.0.0.1:{port}"), "http-429", needs=HAPROXY),
        Row("haproxy: tcp mode to a dead server", balanced("", "    server s1 127.0.0.1:{port}", None, mode="tcp"), {"upgrade-fin-nobytes", "upgrade-rst-nobytes"}, needs=HAPROXY),
        Row("haproxy: tcp mode to an SSH server", balanced("", "    server s1 127.0.0.1:{port}", "banner-ssh", mode="tcp"), "port-not-http", needs=HAPROXY),
        Row("haproxy: healthy behind it", balanced("", "    server s1 127.0.0.1:{port}"), "healthy", needs=HAPROXY),

        # openssl s_server
        Row("openssl: self-signed", openssl(), "tls-self-signed"),
        Row("openssl: self-signed, --insecure, no WebSocket behind it", openssl(), {"http-200", "http-200-spa"}, args=("--insecure",)),
        Row("openssl: ws:// to the TLS port", openssl(scheme="ws"), "plain-to-tls"),
        Row("openssl: only an old cipher suite", openssl("-tls1_2", "-cipher", "AES128-SHA"), "tls-no-shared-cipher"),
        Row("openssl: only TLS 1.1", openssl("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), "tls-version"),
        Row("openssl: a client certificate is required, TLS 1.2", openssl("-tls1_2", "-Verify", "1", "-verify_return_error"), "tls-client-cert-required", args=("--insecure",)),
        Row("openssl: expired, --ca", openssl(certificate="expired"), "tls-expired", args=("--ca", str(tls / "ca.crt"))),
        Row("openssl: another name, --ca", openssl(certificate="other-name"), "tls-name-mismatch", args=("--ca", str(tls / "ca.crt"))),
        Row("openssl: the intermediate certificate is missing", intermediate, {"tls-missing-intermediate"}),

        # Other things on the port
        Row("an SSH server", node("banner-ssh"), "port-not-http", needs=NODE),
        Row("a mail server", node("banner-smtp"), "port-not-http", needs=NODE),
        Row("a service that says nothing", node("silent"), {"upgrade-unanswered", "server-blocked"}, args=("--upgrade-timeout", "1"), needs=NODE),
        Row("an answer that is cut off", node("half-answer"), "upgrade-partial", needs=NODE),

        # A server that Sockeye starts, supervises and ends
        Row("--server-cmd: healthy", command("guide"), "healthy", needs=NODE),
        Row("--server-cmd: an exception in the handler", command("guide-throws"), "handler-exception", needs=NODE, finding="server-process-died"),
        Row("--server-cmd: an unhandled rejection", command("guide-rejects"), "handler-exception", needs=NODE, finding="server-process-died"),
        Row("--server-cmd: process.exit(1)", command("guide-exit"), "server-process-died", needs=NODE),
        Row("--server-cmd: process.exit(0)", command("guide-exit-0"), "server-process-died", needs=NODE),
        Row("--server-cmd: SIGKILL", command("guide-kill"), "server-process-died", needs=NODE),
        Row("--server-cmd: abort()", command("guide-abort"), "server-process-died", needs=NODE),
        Row("--server-cmd: the heap is full", filled_heap, "out-of-memory", args=("--watch", "20"), needs=NODE, finding="server-process-died"),
        Row("--server-cmd: the database is down", command("guide-database"), "db-unreachable", needs=NODE),
        Row("--server-cmd: a fatal error in the handler", command("guide-fatal"), "handler-exception", needs=NODE),
        Row("--server-cmd: terminate() without a word", command("guide-terminates"), "connection-terminated", needs=NODE),
        Row("--server-cmd: throws before it listens", command("guide-throws-at-start"), "boot-crash", needs=NODE),
        Row("--server-cmd: a module is missing", command("guide-no-module"), "boot-crash", needs=NODE),
        Row("--server-cmd: ends at once", command("guide-ends-at-once"), "boot-crash", needs=NODE),
        Row("--server-cmd: the program does not exist", shell("no-such-program-anywhere --port 3001"), "boot-crash"),
        Row("--server-cmd: no such npm script", shell("npm run no-such-script"), "boot-crash", needs=NODE),
        Row("--server-cmd: an older server has the port", taken_port, "healthy", needs=NODE, finding="address-in-use"),

        # What only a browser knows, pasted beside a healthy server
        Row("--browser-console: a page over https", pasted("Mixed Content: The page at 'https://app.example/' was loaded over HTTPS, but attempted to connect to the insecure WebSocket endpoint 'ws://127.0.0.1/'. This request has been blocked; this endpoint must be available over WSS."), "mixed-content", needs=NODE),
        Row("--browser-console: React's StrictMode", pasted("WebSocket connection to 'ws://127.0.0.1/' failed: WebSocket is closed before the connection is established."), "close-while-connecting", needs=NODE),
        Row("--browser-console: the page's policy, Firefox", pasted("Content-Security-Policy: The page\u2019s settings blocked the loading of a resource (connect-src) at ws://127.0.0.1/ because it violates the following directive: \u201cconnect-src 'self'\u201d"), "csp-connect-src", needs=NODE),
        Row("--browser-console: offline", pasted("WebSocket connection to 'ws://127.0.0.1/' failed: Error in connection establishment: net::ERR_INTERNET_DISCONNECTED"), "browser-offline", needs=NODE),
        Row("--browser-console: sent too soon", pasted("Uncaught InvalidStateError: Failed to execute 'send' on 'WebSocket': Still in CONNECTING state."), "send-before-open", needs=NODE),
        Row("--browser-console: nothing of note", pasted("Download the React DevTools for a better development experience"), "healthy", needs=NODE),
    ]


def missing(needs, work):
    absent = [need for need in needs if not (work / need).exists() and not shutil.which(need)]
    return f"{', '.join(absent)} is not installed" if absent else None


def offered(binary):
    return subprocess.run([binary, "check", "--help"], capture_output=True, text=True, check=True).stdout


def judge(row, run):
    report = run.json()
    if run.panicked or report is None:
        return ["it panicked" if run.panicked else f"no report: {run.stderr.strip()[-300:]!r}"], ""
    verdict = report["verdict"]
    problems = []
    if verdict["cause"] not in (row.cause if isinstance(row.cause, set) else {row.cause}):
        problems.append(f"expected {row.cause}, got {verdict['cause']} ({verdict['certainty']}): {verdict['summary']}")
    if row.finding and row.finding not in {finding["id"] for finding in verdict["findings"]}:
        problems.append(f"no finding {row.finding}")
    if TOKEN in run.stdout + run.stderr:
        problems.append("the token is printed")
    if run.status != (0 if verdict["cause"] == "healthy" else 1):
        problems.append(f"exit status {run.status}")
    return problems, f"{verdict['cause']}, {verdict['certainty']}"


def outlived(url):
    """Whether a server that Sockeye started lives on: nothing of it may stay behind."""
    host, port = urllib.parse.urlsplit(url).netloc.split(":")
    until = time.monotonic() + 3
    while time.monotonic() < until:
        try:
            socket.create_connection((host, int(port)), 0.5).close()
        except OSError:
            return []
        time.sleep(0.1)  # a process that was killed may take a moment
    return ["the server that Sockeye started lives on"]


def play(row, binary, work, folder):
    stage = Stage(work, folder)
    try:
        setup = row.setup(stage)
        url, more = setup if isinstance(setup, tuple) else (setup, ())
        arguments = ["check", url, "--json", "--confirm-timeout", "1.5", "--watch", "0.4", *more]
        # A row's own watch takes the place of the usual one.
        if "--watch" in row.args:
            arguments = [word for word in arguments if word not in ("--watch", "0.4")]
        problems, note = judge(row, run_sockeye(binary, [*arguments, *row.args], stage.folder, limit_secs=60))
        if "--server-cmd" in more and row.setup is not taken_port:
            problems += outlived(url)
        return problems, note
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        return [f"the server did not start: {error}"], ""
    finally:
        stage.end()


def main(rows=rows, logs="misconfigured"):
    parser = argparse.ArgumentParser()
    parser.add_argument("--sockeye", required=True)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    work = options.work.resolve()
    table = [(number, row) for number, row in enumerate(rows(work / "tls")) if options.only in row.name]
    if options.list:
        print("\n".join(f"{row.name}: {row.cause}" for _, row in table))
        return 0
    tally, help_text = Tally(), offered(options.sockeye)
    for number, row in table:
        reason = missing(row.needs, work)
        option = row.name.partition(":")[0]
        if reason is None and option.startswith("--") and option not in help_text:
            reason = f"this build offers no {option}"
        if reason:
            tally.skip(row.name, reason)
            continue
        problems, note = play(row, options.sockeye, work, work / "logs" / logs / f"{number:03}")
        tally.row(row.name, problems, note)
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
