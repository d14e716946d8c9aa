"""A Python `websockets` server with one thing wrong: `websockets_server.py SCENARIO`.

It behaves as the server of the troubleshooting guide does; a scenario replaces one part. It listens on port 0 and names
the port in the guide's own line. HOST, JWT_SECRET, TLS_KEY and TLS_CERT come from the environment.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import signal
import ssl
import sys
import time
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import serve

SECRET = os.environ.get("JWT_SECRET", "")
CONFIRMATION = json.dumps({"type": "connection", "message": "WebSocket connection established"})


def say(line):
    print(line, flush=True)


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verify(token):
    """Returns the claims of an HS256 token, or raises ValueError with the words that JWT libraries use."""
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError("jwt malformed")
    signature = hmac.new(SECRET.encode(), f"{parts[0]}.{parts[1]}".encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(signature, unpadded(parts[2])):
        raise ValueError("invalid signature")
    claims = json.loads(unpadded(parts[1]))
    if claims.get("exp", float("inf")) <= time.time():
        raise ValueError("jwt expired")
    return claims


async def welcome(ws):
    """The guide's connection handler; answers True once the connection is confirmed."""
    say(f"[WebSocket] New connection attempt from: {ws.remote_address[0]}")
    say(f"[WebSocket] Request URL: {ws.request.path}")
    token = parse_qs(urlsplit(ws.request.path).query).get("token", [""])[0]
    if not token:
        await ws.close(1008, "Authentication required")
        return False
    say(f"[WebSocket] Token received, length: {len(token)}")
    try:
        claims = verify(token)
    except ValueError as error:
        say(f"[WebSocket] ❌ Token verification failed: {error}")
        await ws.close(1008, "Authentication failed")
        return False
    say(f"[WebSocket] ✅ Token verified successfully for user: {claims.get('userId')} tenant: {claims.get('tenantId')}")
    await ws.send(CONFIRMATION)
    say("[WebSocket] ✅ Connection confirmed message sent")
    return True


async def good(ws):
    if await welcome(ws):
        async for message in ws:
            await ws.send(message)


async def confirmed_then(ws, act):
    if await welcome(ws):
        await asyncio.sleep(0.06)
        await act(ws)


async def leave(_):
    os._exit(1)


async def kill(_):
    os.kill(os.getpid(), signal.SIGKILL)


async def abort(ws):
    ws.transport.abort()


async def fail(_):
    raise RuntimeError("handler failed")


async def nothing(_):
    return


async def close_4001(ws):
    await ws.close(4001, "agent not found")


async def silent(ws):
    async for _ in ws:
        pass


def status(code, body):
    return lambda connection, _: connection.respond(code, body)


def broken(*_):
    raise RuntimeError("process_request failed")


def after(act):
    return lambda ws: confirmed_then(ws, act)


# name: (handler, options of serve)
SCENARIOS = {
    "good": (good, {}),
    "exit": (after(leave), {}),
    "kill-9": (after(kill), {}),
    "abort": (after(abort), {}),
    "exception": (after(fail), {}),
    "return": (after(nothing), {}),
    "close-4001": (after(close_4001), {}),
    "never-confirms": (silent, {}),
    "http-404": (good, {"process_request": status(404, "Not Found\n")}),
    "http-200": (good, {"process_request": status(200, "OK\n")}),
    "http-500": (good, {"process_request": broken}),
    "origins": (good, {"origins": ["https://app.example"]}),
    "max-size": (good, {"max_size": 1024}),
    "subprotocols": (good, {"subprotocols": ["graphql-ws"]}),
    "keepalive": (good, {"ping_interval": 0.4, "ping_timeout": 0.4}),
    "tls": (good, {"ssl": True}),
}


async def main():
    handler, options = SCENARIOS[sys.argv[1]]
    if options.get("ssl"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.environ["TLS_CERT"], os.environ["TLS_KEY"])
        context.keylog_filename = os.environ.get("TLS_KEYLOG")
        options = {**options, "ssl": context}
    async with serve(handler, os.environ.get("HOST", "127.0.0.1"), 0, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        say(f"[WebSocket] Server listening on port {port}")
        await server.serve_forever()


asyncio.run(main())
