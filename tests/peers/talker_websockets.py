"""A Python `websockets` server that says a fixed talk and compares what is echoed; as talker.mjs, with TALK and DEFLATE."""

import asyncio
import base64
import json
import os

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

TALK = json.load(open(os.environ["TALK"]))
MESSAGES = [(message["kind"] == "text", [base64.b64decode(part) for part in message["parts"]]) for message in TALK["messages"]]
# The names of Node ws, which both talkers are configured in, in the words of this library.
NAMES = {
    "serverNoContextTakeover": "server_no_context_takeover", "clientNoContextTakeover": "client_no_context_takeover",
    "serverMaxWindowBits": "server_max_window_bits", "clientMaxWindowBits": "client_max_window_bits",
}


async def parts_of(ws, parts, report):
    for index, part in enumerate(parts):
        if index:
            await (await ws.ping(TALK["ping"]))
            report["pong"] = TALK["ping"]
        yield part


async def talk(ws):
    extensions = ws.response.headers.get("Sec-WebSocket-Extensions", "")
    report = {"echoed": 0, "wrong": [], "pong": None, "extensions": extensions}
    try:
        for number, (is_text, parts) in enumerate(MESSAGES):
            await ws.send(parts_of(ws, parts, report) if len(parts) > 1 else parts[0], text=is_text)
            whole = b"".join(parts).decode() if is_text else b"".join(parts)
            echo = await ws.recv()
            report["echoed"] += 1
            if type(echo) is not type(whole) or echo != whole:
                report["wrong"].append(number)
        if ws.request.path.startswith("/server-closes"):
            await ws.close(4100, "the talk is over")
        else:
            await ws.recv()
    except ConnectionClosed:
        pass  # how it was closed stands in the report
    await ws.wait_closed()
    report |= {"code": ws.close_code, "reason": ws.close_reason}
    print(f"talk {json.dumps(report)}", flush=True)


async def main():
    deflate = json.loads(os.environ["DEFLATE"])
    extensions = []
    if deflate is not False:
        extensions = [ServerPerMessageDeflateFactory(**{NAMES[name]: value for name, value in deflate.items() if name in NAMES})]
    async with serve(talk, "127.0.0.1", 0, compression=None, extensions=extensions, max_size=1 << 26) as server:
        print(f"listening on port {next(iter(server.sockets)).getsockname()[1]}", flush=True)
        await server.serve_forever()


asyncio.run(main())
