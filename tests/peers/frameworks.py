#!/usr/bin/env python3
"""Other frameworks and proxies as people misconfigure them, and the cause that `sockeye check` names for each.

`frameworks.py --sockeye BINARY --work FOLDER [--only TEXT] [--list]`; FOLDER holds node_modules (express-ws, fastify, koa,
vite, http-proxy-middleware, socket.io of two generations, graphql-ws) and venv (aiohttp, tornado, channels, daphne,
hypercorn), see run.sh. Stacks that are not installed are skipped. Rows and their running are those of misconfigured.py.
"""

import sys

from harness import HERE, free_port
from misconfigured import ENDED, Row, main, with_console, ws

MODULES = "/usr/lib/apache2/modules"


def node(scenario, path="/ws", needs=None, **query):
    return lambda stage: ws(stage.node(scenario, script="frameworks.mjs"), path, **query)


def before(scenario, backend, path="/ws", console=False):
    """A development server or proxy in Node before a plain `ws` server; `backend` is None where nobody listens."""
    def setup(stage):
        upstream = free_port() if backend is None else stage.node(backend, name="backend")
        url = ws(stage.node(scenario, script="frameworks.mjs", backend=upstream), path)
        return (url, ("--server-log", stage.log("node"))) if console else url
    return setup


def python(scenario, path):
    def setup(stage):
        port = free_port()
        stage.start("python", [stage.work / "venv/bin/python", "-u", HERE / "frameworks_server.py", scenario, str(port)], port)
        return ws(port, path)
    return setup


def daphne(path, app="channels", *options):
    def setup(stage):
        port = free_port()
        command = [stage.work / "venv/bin/daphne", "-b", "127.0.0.1", "-p", str(port), *options, f"frameworks_server:{app}"]
        stage.start("daphne", command, port, env={"PYTHONPATH": str(HERE)})
        return ws(port, path)
    return setup


def hypercorn(path):
    def setup(stage):
        port = free_port()
        command = [stage.work / "venv/bin/hypercorn", "--bind", f"127.0.0.1:{port}", "frameworks_server:bare"]
        stage.start("hypercorn", command, port, env={"PYTHONPATH": str(HERE)})
        return ws(port, path)
    return setup


def apache(lines, backend="ws", modules=("proxy", "proxy_http", "proxy_wstunnel")):
    def setup(stage):
        upstream, port = free_port() if backend is None else stage.node(backend), free_port()
        load = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in ("mpm_event", "authz_core", *modules))
        conf = stage.write("apache.conf", f"""ServerRoot {stage.folder}
ServerName localhost
PidFile {stage.folder}/apache.pid
ErrorLog {stage.folder}/apache-error.log
DocumentRoot {stage.folder}
Listen 127.0.0.1:{port}
{load}{lines.replace("{port}", str(upstream))}
""")
        stage.start("apache", ["apache2", "-d", stage.folder, "-f", conf, "-DFOREGROUND"], port)
        return ws(port, "/ws")
    return setup


def caddy(lines, backend="ws", scheme="ws"):
    def setup(stage):
        upstream, port = free_port() if backend is None else stage.node(backend), free_port()
        conf = stage.write("Caddyfile", f"""{{
admin off
auto_https off
}}
http://127.0.0.1:{port} {{
{lines.replace("{port}", str(upstream))}
}}
""")
        home = {"HOME": str(stage.folder), "XDG_DATA_HOME": str(stage.folder), "XDG_CONFIG_HOME": str(stage.folder)}
        stage.start("caddy", ["caddy", "run", "--config", conf, "--adapter", "caddyfile"], port, env=home)
        return ws(port, "/ws", scheme)
    return setup


def lighttpd(lines, backend="ws"):
    def setup(stage):
        upstream, port = free_port() if backend is None else stage.node(backend), free_port()
        conf = stage.write("lighttpd.conf", f"""server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{stage.folder}"
server.modules = ( "mod_proxy", "mod_redirect", "mod_access" )
{lines.replace("{port}", str(upstream))}
""")
        stage.start("lighttpd", ["lighttpd", "-D", "-f", conf], port)
        return ws(port, "/ws")
    return setup


def varnish(stage):
    upstream, port = stage.node("ws"), free_port()
    command = ["varnishd", "-F", "-a", f"127.0.0.1:{port}", "-b", f"127.0.0.1:{upstream}", "-n", stage.folder / "varnish", "-s", "malloc,8m", "-T", "none"]
    stage.start("varnish", command, port)
    return ws(port, "/ws")


def needs(*names):
    return tuple(f"node_modules/{name}" for name in names)


AIOHTTP, TORNADO = ("venv/lib/python3.11/site-packages/aiohttp",), ("venv/lib/python3.11/site-packages/tornado",)
DAPHNE, HYPERCORN = ("venv/bin/daphne",), ("venv/bin/hypercorn",)
APACHE, CADDY, LIGHTTPD, VARNISH = (("node_modules", name) for name in ("apache2", "caddy", "lighttpd", "varnishd"))
EXPRESS_WS, FASTIFY = needs("express-ws"), needs("fastify", "@fastify/websocket")
EXCEPTION_UNSEEN = {"connection-terminated", "close-1011"}


def rows(_):
    return [
        Row("express-ws: healthy", node("express-ws"), "healthy", needs=EXPRESS_WS),
        Row("express-ws: no route for the path", node("express-ws", "/other"), "close-empty", needs=EXPRESS_WS),
        Row("express-ws: a guard answers 401 after the 101", node("express-ws-guard"), "close-empty", needs=EXPRESS_WS),
        Row("express-ws: the handler throws", node("express-ws-throws"), {"healthy", "close-empty"}, needs=EXPRESS_WS),
        Row("express-ws: listens with another server", node("express-ws-other-server"), {"http-404", "upgrade-fin-nobytes"}, needs=EXPRESS_WS),

        Row("fastify: healthy", node("fastify"), "healthy", needs=FASTIFY),
        Row("fastify: no route for the path", node("fastify", "/other"), "http-404", needs=FASTIFY),
        Row("fastify: a route without websocket: true", node("fastify-not-a-websocket"), "close-empty", needs=FASTIFY),
        Row("fastify: a guard in preValidation", node("fastify-guard"), "http-401", needs=FASTIFY),
        Row("fastify: a guard, and no token", node("fastify-guard", query=""), "token-missing", needs=FASTIFY),
        Row("fastify: the handler throws", node("fastify-throws"), EXCEPTION_UNSEEN, needs=FASTIFY),
        Row("fastify: the handler throws, its console given", with_console(node("fastify-throws"), "node"), "handler-exception", needs=FASTIFY),
        Row("fastify: verifyClient answers 403", node("fastify-verify"), "http-403", needs=FASTIFY),
        Row("fastify: the plugin is missing", node("fastify-no-plugin"), "http-200", needs=FASTIFY),
        Row("koa: no upgrade listener", node("koa"), "http-404", needs=needs("koa")),

        Row("socket.io: another path", node("socketio-path", "/socket.io/", query="?EIO=4&transport=websocket"), "upgrade-fin-nobytes", needs=needs("socket.io")),
        Row("socket.io: allowRequest looks at Origin", node("socketio-origin", "/socket.io/", query="?EIO=4&transport=websocket"), "engineio-error", needs=needs("socket.io")),
        Row("socket.io: a middleware rejects the namespace", node("socketio-reject", "/socket.io/", query="?EIO=4&transport=websocket"), {"healthy", "engineio-error"}, args=("--send", "40"), needs=needs("socket.io")),
        Row("socket.io: our message is over maxHttpBufferSize", node("socketio-small", "/socket.io/", query="?EIO=4&transport=websocket"), "message-too-big-by-server", args=("--send", "4" + "x" * 500), needs=needs("socket.io")),
        Row("socket.io 2: nobody pings it", node("socketio-2", "/socket.io/", query="?EIO=3&transport=websocket"), "engineio-ping-timeout", args=("--watch", "4"), needs=needs("socket.io-2")),
        Row("socket.io 2: plain WebSocket to /", node("socketio-2", "/"), "engineio-error", needs=needs("socket.io-2")),
        Row("socket.io 2: an unknown session id", node("socketio-2", "/socket.io/", query="?EIO=3&transport=websocket&sid=nope"), "engineio-error", needs=needs("socket.io-2")),
        Row("graphql-ws: nobody sends connection_init", node("graphql-ws", "/graphql"), "close-application", args=("--subprotocol", "graphql-transport-ws", "--watch", "2"), needs=needs("graphql-ws")),
        Row("graphql-ws: no subprotocol", node("graphql-ws", "/graphql"), "close-application", needs=needs("graphql-ws")),

        Row("vite: a proxy without ws: true", before("vite", "ws"), "upgrade-unanswered", args=("--upgrade-timeout", "2"), needs=needs("vite")),
        Row("http-proxy-middleware: no ws: true", before("http-proxy-no-ws", "ws"), "upgrade-unanswered", args=("--upgrade-timeout", "2"), needs=needs("http-proxy-middleware")),
        Row("http-proxy-middleware: the backend is down", before("http-proxy-down", None), "upgrade-fin-nobytes", args=("--upgrade-timeout", "2"), needs=needs("http-proxy-middleware")),

        Row("aiohttp: healthy", python("aiohttp", "/ok"), "healthy", needs=AIOHTTP),
        Row("aiohttp: no route for the path", python("aiohttp", "/nowhere"), "http-404", needs=AIOHTTP),
        Row("aiohttp: an ordinary handler", python("aiohttp", "/text"), "http-200", needs=AIOHTTP),
        Row("aiohttp: a route for POST", python("aiohttp", "/post"), "http-405", needs=AIOHTTP),
        Row("aiohttp: HTTPUnauthorized", python("aiohttp", "/guarded"), "http-401", needs=AIOHTTP),
        Row("aiohttp: HTTPForbidden", python("aiohttp", "/forbidden"), "http-403", needs=AIOHTTP),
        Row("aiohttp: an exception before prepare()", python("aiohttp", "/raises-first"), "http-500", needs=AIOHTTP),
        Row("aiohttp: an exception before prepare(), its console given", with_console(python("aiohttp", "/raises-first"), "python"), "handler-exception", needs=AIOHTTP),
        Row("aiohttp: an exception after prepare()", python("aiohttp", "/raises-later"), EXCEPTION_UNSEEN, needs=AIOHTTP),
        Row("aiohttp: an exception after prepare(), its console given", with_console(python("aiohttp", "/raises-later"), "python"), "handler-exception", needs=AIOHTTP),
        Row("aiohttp: our message is over max_msg_size", python("aiohttp", "/small"), "message-too-big-by-server", args=("--send", "x" * 500), needs=AIOHTTP),
        Row("aiohttp: heartbeat, pongs withheld", python("aiohttp", "/heartbeat"), {"heartbeat-terminate", "connection-terminated"}, args=("--no-pong", "--watch", "4"), needs=AIOHTTP),
        Row("aiohttp: another subprotocol", python("aiohttp", "/chat"), "subprotocol-unanswered", args=("--subprotocol", "audio"), needs=AIOHTTP),

        Row("tornado: healthy", python("tornado", "/ok"), "healthy", needs=TORNADO),
        Row("tornado: check_origin refuses", python("tornado", "/ok"), "http-403-origin", args=("--origin", "http://page.example"), needs=TORNADO),
        Row("tornado: no route for the path", python("tornado", "/nowhere"), "http-404", needs=TORNADO),
        Row("tornado: an ordinary handler", python("tornado", "/page"), {"http-200", "http-200-spa"}, needs=TORNADO),
        Row("tornado: a handler for POST", python("tornado", "/posts"), "http-405", needs=TORNADO),
        Row("tornado: HTTPError(401) in prepare()", python("tornado", "/guarded"), "http-401", needs=TORNADO),
        Row("tornado: an exception in open()", python("tornado", "/raises"), EXCEPTION_UNSEEN, needs=TORNADO),
        Row("tornado: an exception in open(), its console given", with_console(python("tornado", "/raises"), "python"), "handler-exception", needs=TORNADO),
        Row("tornado: pings, pongs withheld", python("tornado", "/ok"), "heartbeat-terminate", args=("--no-pong", "--watch", "4"), needs=TORNADO),
        Row("tornado: close(1008) about the token", python("tornado", "/closes"), {"jwt-expired", "close-1008"}, needs=TORNADO),

        Row("channels: healthy", daphne("/ok"), "healthy", needs=DAPHNE),
        Row("channels: no route for the path", daphne("/nowhere"), "http-500", needs=DAPHNE),
        Row("channels: no route for the path, its console given", with_console(daphne("/nowhere"), "daphne"), {"handler-exception", "http-500"}, needs=DAPHNE),
        Row("channels: close() in connect()", daphne("/refuses"), "http-403", needs=DAPHNE),
        Row("channels: an exception in connect()", daphne("/raises-first"), "http-500", needs=DAPHNE),
        Row("channels: an exception after accept()", daphne("/raises-later"), "close-1011", args=("--watch", "3"), needs=DAPHNE),
        Row("channels: an exception after accept(), its console given", with_console(daphne("/raises-later"), "daphne"), "handler-exception", args=("--watch", "3"), needs=DAPHNE),
        Row("channels: close(4401)", daphne("/closes"), "close-application", needs=DAPHNE),
        Row("channels: AllowedHostsOriginValidator", daphne("/origin"), "http-403", needs=DAPHNE),
        Row("channels: connect() neither accepts nor closes", daphne("/hesitates"), "upgrade-unanswered", args=("--upgrade-timeout", "2"), needs=DAPHNE),
        Row("daphne: a Django project without Channels", daphne("/ws", "django_alone"), "http-500", needs=DAPHNE),
        Row("hypercorn: an exception before accept", hypercorn("/raises-first"), "http-500", needs=HYPERCORN),
        Row("hypercorn: close before accept", hypercorn("/refuses"), "http-403", needs=HYPERCORN),
        Row("hypercorn: an exception after accept", hypercorn("/raises-later"), EXCEPTION_UNSEEN, needs=HYPERCORN),
        Row("hypercorn: an exception after accept, its console given", with_console(hypercorn("/raises-later"), "hypercorn"), "handler-exception", needs=HYPERCORN),
        Row("hypercorn: the application returns", hypercorn("/returns"), "close-1011", needs=HYPERCORN),

        Row("apache: ProxyPass without upgrade=websocket", apache("ProxyPass /ws http://127.0.0.1:{port}/"), "http-upgrade-stripped", needs=APACHE),
        Row("apache: ProxyPass with upgrade=websocket", apache("ProxyPass /ws http://127.0.0.1:{port}/ upgrade=websocket"), "healthy", needs=APACHE),
        Row("apache: the backend is down", apache("ProxyPass /ws ws://127.0.0.1:{port}/", None), {"http-503", "http-502"}, needs=APACHE),
        Row("apache: mod_proxy_wstunnel is not loaded", apache("ProxyPass /ws ws://127.0.0.1:{port}/", modules=("proxy",)), {"http-500", "http-502", "http-503"}, needs=APACHE),
        Row("apache: Require all denied", apache("<Location />\nRequire all denied\n</Location>"), "http-403-proxy", needs=APACHE),
        Row("apache: no ProxyPass for the path", apache(""), "http-404", needs=APACHE),
        Row("apache: ProxyTimeout", apache("ProxyTimeout 1\nProxyPass /ws http://127.0.0.1:{port}/ upgrade=websocket", "ws-hanging"), {"http-502", "http-504"}, args=("--upgrade-timeout", "6"), needs=APACHE),

        Row("caddy: healthy behind it", caddy("reverse_proxy 127.0.0.1:{port}"), "healthy", needs=CADDY),
        Row("caddy: the backend is down", caddy("reverse_proxy 127.0.0.1:{port}", None), "http-502", needs=CADDY),
        Row("caddy: no route for the path", caddy("handle /api/* {\nreverse_proxy 127.0.0.1:{port}\n}"), "http-200", needs=CADDY),
        Row("caddy: file_server", caddy("file_server"), "http-404", needs=CADDY),
        Row("caddy: header_up drops Upgrade", caddy("reverse_proxy 127.0.0.1:{port} {\nheader_up -Upgrade\nheader_up -Connection\n}"), "http-upgrade-stripped", needs=CADDY),
        Row("caddy: the backend ends in its answer", caddy("reverse_proxy 127.0.0.1:{port}", "half-answer"), "http-502", needs=CADDY),
        Row("caddy: respond 403", caddy("respond 403"), {"http-403", "http-403-proxy"}, needs=CADDY),
        Row("caddy: redir to https", caddy("redir https://127.0.0.1{uri}"), "http-redirect-https", needs=CADDY),

        Row("lighttpd: a proxy without upgrade", lighttpd('proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => {port} ) ) )'), "http-upgrade-stripped", needs=LIGHTTPD),
        Row("lighttpd: a proxy with upgrade", lighttpd('proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => {port} ) ) )\nproxy.header = ( "upgrade" => "enable" )'), "healthy", needs=LIGHTTPD),
        Row("lighttpd: the backend is down", lighttpd('proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => {port} ) ) )', None), {"http-503", "http-502"}, needs=LIGHTTPD),
        Row("lighttpd: url.access-deny", lighttpd('url.access-deny = ( "" )'), "http-403-proxy", needs=LIGHTTPD),
        Row("varnish: no pipe", varnish, "http-upgrade-stripped", needs=VARNISH),
    ]


if __name__ == "__main__":
    sys.exit(main(rows, "frameworks"))
