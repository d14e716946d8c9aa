"""Python servers as people misconfigure them: `frameworks_server.py SCENARIO PORT`; only what a scenario needs is loaded.

aiohttp and Tornado serve all their paths at once; the ASGI applications `channels` and `bare` are run by daphne and hypercorn.
"""

import asyncio
import logging
import sys


def serve_aiohttp(port):
    from aiohttp import WSMsgType, web

    async def ready(request, **options):
        socket = web.WebSocketResponse(**options)
        await socket.prepare(request)
        await socket.send_str("ready")
        return socket

    async def ok(request):
        socket = await ready(request)
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                await socket.send_str(message.data)
        return socket

    async def raises_first(_):
        raise RuntimeError("settings are not loaded")

    async def raises_later(request):
        await ready(request)
        raise ValueError("tenant is missing")

    async def small(request):
        socket = await ready(request, max_msg_size=100)
        async for _ in socket:
            pass
        return socket

    async def heartbeat(request):
        socket = await ready(request, heartbeat=0.6)
        async for _ in socket:
            pass
        return socket

    async def chat(request):
        return await ready(request, protocols=("chat",))

    async def guarded(_):
        raise web.HTTPUnauthorized(text="no session")

    async def text(_):
        return web.Response(text="hello")

    async def forbidden(_):
        raise web.HTTPForbidden(text="not for you")

    app = web.Application()
    app.add_routes([
        web.get("/ok", ok), web.get("/text", text), web.get("/raises-first", raises_first),
        web.get("/raises-later", raises_later), web.get("/small", small), web.get("/heartbeat", heartbeat), web.get("/chat", chat),
        web.get("/guarded", guarded), web.get("/forbidden", forbidden), web.post("/post", ok),
    ])

    web.run_app(app, host="127.0.0.1", port=port, print=lambda *_: print(f"Server listening on port {port}", flush=True))


def serve_tornado(port):
    import tornado.ioloop
    import tornado.web
    import tornado.websocket

    class Ok(tornado.websocket.WebSocketHandler):
        def open(self):
            self.write_message("ready")

        def on_message(self, message):
            self.write_message(message)

    class Raises(Ok):
        def open(self):
            self.write_message("ready")
            raise ValueError("tenant is missing")

    class Guarded(Ok):
        def prepare(self):
            raise tornado.web.HTTPError(401)

    class Page(tornado.web.RequestHandler):
        def get(self):
            self.write("hello")

    class Posts(tornado.web.RequestHandler):
        def post(self):
            self.write("hello")

    class Closes(Ok):
        def open(self):
            self.close(1008, "token has expired")

    async def main():
        app = tornado.web.Application(
            [("/ok", Ok), ("/raises", Raises), ("/guarded", Guarded), ("/page", Page), ("/posts", Posts), ("/closes", Closes)],
            websocket_ping_interval=0.6, websocket_ping_timeout=0.4)
        app.listen(port, "127.0.0.1")
        print(f"Server listening on port {port}", flush=True)
        await asyncio.Event().wait()

    asyncio.run(main())


def channels_app():
    """A Django project with Channels; its consumers do one thing wrong each."""
    from django.conf import settings

    settings.configure(DEBUG=False, SECRET_KEY="peers", ALLOWED_HOSTS=["app.example"], ROOT_URLCONF=__name__)
    import django

    django.setup()
    from channels.generic.websocket import WebsocketConsumer
    from channels.routing import ProtocolTypeRouter, URLRouter
    from channels.security.websocket import AllowedHostsOriginValidator
    from django.core.asgi import get_asgi_application
    from django.urls import path

    class Ok(WebsocketConsumer):
        def connect(self):
            self.accept()
            self.send("ready")

    class Refuses(WebsocketConsumer):
        def connect(self):
            self.close()

    class RaisesFirst(WebsocketConsumer):
        def connect(self):
            raise RuntimeError("settings are not loaded")

    class RaisesLater(Ok):
        def connect(self):
            super().connect()
            raise ValueError("tenant is missing")

    class Closes(WebsocketConsumer):
        def connect(self):
            self.accept()
            self.close(code=4401)

    class Hesitates(WebsocketConsumer):
        def connect(self):
            pass

    routes = {"ok": Ok, "refuses": Refuses, "raises-first": RaisesFirst, "raises-later": RaisesLater, "closes": Closes, "hesitates": Hesitates}
    inner = URLRouter([path(name, consumer.as_asgi()) for name, consumer in routes.items()])
    guarded = URLRouter([path("origin", AllowedHostsOriginValidator(Ok.as_asgi()))])

    async def websocket(scope, receive, send):
        await (guarded if scope["path"] == "/origin" else inner)(scope, receive, send)

    return ProtocolTypeRouter({"http": get_asgi_application(), "websocket": websocket})


urlpatterns = []


def __getattr__(name):
    """The ASGI applications, made when a server asks for them."""
    if name == "channels":
        return channels_app()
    if name == "django_alone":
        channels_app()
        from django.core.asgi import get_asgi_application

        return get_asgi_application()
    raise AttributeError(name)


async def bare(scope, receive, send):
    """A bare ASGI application, for hypercorn."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return
    path = scope["path"]
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"not here"})
        return
    if path == "/raises-first":
        raise RuntimeError("settings are not loaded")
    if path == "/refuses":
        await send({"type": "websocket.close"})
        return
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "ready"})
    if path == "/raises-later":
        raise ValueError("tenant is missing")
    if path == "/returns":
        return
    while (await receive())["type"] != "websocket.disconnect":
        pass


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    {"aiohttp": serve_aiohttp, "tornado": serve_tornado}[sys.argv[1]](int(sys.argv[2]))
