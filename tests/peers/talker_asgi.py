"""An ASGI application under uvicorn that says a fixed talk: `talker_asgi.py IMPLEMENTATION`, with TALK and DEFLATE.

IMPLEMENTATION is one of uvicorn's: `websockets`, `websockets-sansio`, `wsproto`. ASGI knows no fragments and no pings, so
messages of several parts are sent whole; uvicorn itself pings where the implementation can.
"""

import base64
import json
import os
import socket
import sys

import uvicorn

TALK = json.load(open(os.environ["TALK"]))
MESSAGES = [(message["kind"], b"".join(map(base64.b64decode, message["parts"]))) for message in TALK["messages"]]


async def application(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    report = {"echoed": 0, "wrong": [], "pong": None, "code": None, "reason": None}
    for number, (kind, data) in enumerate(MESSAGES):
        await send({"type": "websocket.send", **({"text": data.decode()} if kind == "text" else {"bytes": data})})
        event = await receive()
        if event["type"] != "websocket.receive":
            report |= {"code": event.get("code"), "reason": event.get("reason")}
            break
        report["echoed"] += 1
        echo = event.get("text")
        if (echo.encode() if echo is not None else event.get("bytes")) != data or (echo is not None) != (kind == "text"):
            report["wrong"].append(number)
    else:
        if scope["path"].startswith("/server-closes"):
            await send({"type": "websocket.close", "code": 4100, "reason": "the talk is over"})
            report |= {"code": 4100, "reason": "the talk is over"}
        else:
            event = await receive()
            report |= {"code": event.get("code"), "reason": event.get("reason")}
    print(f"talk {json.dumps(report)}", flush=True)


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"listening on port {listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        application, ws=sys.argv[1], lifespan="off", log_level="warning", ws_max_size=1 << 26, ws_ping_interval=0.5, ws_ping_timeout=5,
        ws_per_message_deflate=json.loads(os.environ["DEFLATE"]) is not False,
    )
    uvicorn.Server(config).run(sockets=[listener])


main()
