#!/usr/bin/env python3
"""Sockeye echoes a fixed talk of servers that others wrote, and every byte and size that it records is held against a relay.

`interop.py --sockeye BINARY --work FOLDER [--only TEXT]`; FOLDER holds node_modules and venv (see run.sh). A row is one
server, compression on or off, and who closes. Three must agree: the server (which compares each echo), the relay between
the two (relay.py, which reads the frames by itself), and the rows that Sockeye saved.
"""

import argparse
import base64
import json
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from harness import HERE, Server, Tally, options_of_check, run_sockeye
from relay import CLIENT, OPCODES, SERVER, Relay, extension

PING = "are you there"
MIB = 1 << 20


def talk():
    """The messages: kind and parts. More than one part are fragments, with a ping between them."""
    words = ["Sockeye", "lachs", "Ünïcödé", "鮭", "🐟", "\u202e", "close", "1006", "{}", "\\", "\n"]
    chance = random.Random(6455)
    long_text = " ".join(chance.choice(words) for _ in range(MIB // 5)).encode()[:MIB].decode(errors="ignore")
    long_text += "x" * (MIB - len(long_text.encode()))
    noise = chance.randbytes(MIB // 2) + bytes(MIB // 2)
    cut = "a text in three parts, the second cut amid a character: 鮭".encode()
    messages = [
        ("text", [b"hello"]), ("text", [b""]), ("binary", [b""]), ("binary", [bytes(range(256))]), ("text", [long_text.encode()]),
        ("binary", [noise]), ("text", [cut[:20], cut[20:40], cut[40:]]), ("binary", [noise[:70_000], noise[-70_000:]]),
        ("text", [b"hello"]),
    ]
    return [{"kind": kind, "parts": [base64.b64encode(part).decode() for part in parts]} for kind, parts in messages]


@dataclass
class Row:
    name: str
    start: str                      # which server
    deflate: object                 # the options of permessage-deflate in Node's words, or False
    closer: str
    offers: bool = True             # whether Sockeye offers compression
    fragments: bool = True          # whether the server can send fragments and a ping between them


def rows():
    on = {"threshold": 0}
    found = []
    for name, start, fragments in [
        ("Node ws", "node", True), ("python websockets", "websockets", True), ("uvicorn with wsproto", "uvicorn wsproto", False),
        ("uvicorn with websockets", "uvicorn websockets", False), ("nginx in front of Node ws", "nginx", True),
    ]:
        for closer in ("server", "client"):
            found.append(Row(f"{name}, compression, the {closer} closes", start, on, closer, True, fragments))
            found.append(Row(f"{name}, compression not offered, the {closer} closes", start, on, closer, False, fragments))
        found.append(Row(f"{name}, compression declined", start, False, "server", True, fragments))
    for name, start in [("Node ws", "node"), ("python websockets", "websockets")]:
        for parameters in [
            {"serverNoContextTakeover": True}, {"clientNoContextTakeover": True}, {"clientMaxWindowBits": 9},
            {"serverNoContextTakeover": True, "clientNoContextTakeover": True, "clientMaxWindowBits": 10},
        ]:
            words = ", ".join(parameters)
            found.append(Row(f"{name}, {words}", start, on | parameters, "server"))
    return found


def programs(start, deflate, work):
    """The command of a talker, and its environment."""
    env = {"TALK": str(work / "talk.json"), "DEFLATE": json.dumps(deflate), "PYTHONUNBUFFERED": "1"}
    python = work / "venv/bin/python"
    if start in ("node", "nginx"):
        return ["node", HERE / "talker.mjs"], env
    if start == "websockets":
        return [python, HERE / "talker_websockets.py"], env
    return [python, HERE / "talker_asgi.py", start.split()[1]], env


class Nginx:
    """nginx as people put it before a WebSocket server, on loopback, with a configuration of its own."""

    def __init__(self, port, folder):
        self._folder = folder
        folder.mkdir(exist_ok=True)
        socket_path = folder / "nginx.sock"
        socket_path.unlink(missing_ok=True)
        self.socket_path = socket_path
        (folder / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
            "events { worker_connections 64; }\n"
            f"http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;\n"
            f"uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;\n"
            "map $http_upgrade $connection_upgrade { default upgrade; '' close; }\n"
            f"server {{ listen unix:{socket_path}; location / {{ proxy_pass http://127.0.0.1:{port}; proxy_http_version 1.1;\n"
            "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; proxy_set_header Host $host; } } }\n"
        )
        self._process = subprocess.Popen(["nginx", "-c", folder / "nginx.conf", "-p", folder, "-e", folder / "error.log"])
        until = time.monotonic() + 10
        while not socket_path.exists():
            if time.monotonic() > until or self._process.poll() is not None:
                raise RuntimeError(f"nginx does not start: {(folder / 'error.log').read_text()}")
            time.sleep(0.02)

    def stop(self):
        self._process.terminate()
        self._process.wait()


def saved_frames(path):
    """The frames of each direction as Sockeye saved them."""
    frames = {CLIENT: [], SERVER: []}
    for line in path.read_text().splitlines():
        row = json.loads(line)
        if row["kind"] == "frame":
            frames[row["direction"]].append(row)
    return frames


def payload_of(row):
    data = base64.b64decode(row["base64"]) if "base64" in row else row.get("text", "").encode()
    return row["code"].to_bytes(2, "big") + data if "code" in row else data


def compare(witnessed, saved):
    """What Sockeye saved against what the relay saw."""
    problems = []
    for direction in (CLIENT, SERVER):
        if len(witnessed[direction]) != len(saved[direction]):
            problems.append(f"{direction}: {len(witnessed[direction])} frames passed, {len(saved[direction])} were saved")
        for number, (true, row) in enumerate(zip(witnessed[direction], saved[direction])):
            wanted = {
                "opcode": OPCODES[true.opcode], "fin": true.fin, "rsv": true.rsv, "masked": true.masked, "length": len(true.payload),
                "inflated_length": None if true.inflated is None else len(true.inflated),
            }
            got = {name: row.get(name) for name in wanted}
            if wanted != got:
                problems.append(f"{direction} frame {number}: {wanted} passed, {got} was saved")
            if payload_of(row) != (true.payload if true.inflated is None else true.inflated):
                problems.append(f"{direction} frame {number}: its payload differs")
    return problems


def whole_messages(frames):
    """The messages of one direction: kind and payload."""
    found, parts = [], []
    for frame in frames:
        if frame.opcode < 8:
            parts.append(frame.payload if frame.inflated is None else frame.inflated)
            if frame.fin:
                found.append((OPCODES[frame.message], b"".join(parts)))
                parts = []
    return found


def judge(row, run, talker, session, saved):
    problems = ["it panicked"] if run.panicked else []
    report = run.json()
    if report is None or session is None:
        return [*problems, f"no report: status {run.status} {run.stderr[-300:]!r}"]
    spoken = [(message["kind"], b"".join(map(base64.b64decode, message["parts"]))) for message in talk()]
    witnessed = session.frames()
    # What the server thinks.
    if talker is None:
        return [*problems, "the server told nothing of its talk"]
    if talker["wrong"] or talker["echoed"] != len(spoken):
        problems.append(f"the server got {talker['echoed']} echoes, wrong were {talker['wrong']}")
    code, reason = (4100, "the talk is over") if row.closer == "server" else (4200, "enough")
    if (talker["code"], talker["reason"]) != (code, reason):
        problems.append(f"the server saw close {talker['code']} {talker['reason']!r}")
    if row.fragments and talker["pong"] != PING:
        problems.append(f"the ping among the fragments was answered with {talker['pong']!r}")
    # What passed between them.
    for direction in (CLIENT, SERVER):
        if whole_messages(witnessed[direction]) != spoken:
            problems.append(f"{direction}: the messages on the wire are not those of the talk")
    problems += compare(witnessed, saved)
    deflate = extension(bytes(session.seen[SERVER]).partition(b"\r\n\r\n")[0].decode("latin-1"))
    if (deflate is not None) != (row.offers and row.deflate is not False):
        problems.append(f"permessage-deflate: {deflate}")
    is_compressed = any(frame.inflated is not None for frame in witnessed[SERVER])
    if is_compressed != (deflate is not None):
        problems.append(f"compressed frames of the server: {is_compressed}")
    is_compressed = any(frame.inflated is not None for frame in witnessed[CLIENT])
    if is_compressed != (deflate is not None):
        problems.append(f"compressed frames of ours: {is_compressed}")
    opcodes = [frame.opcode for frame in witnessed[SERVER]]
    if row.fragments and not any(opcodes[at:at + 3] == [first, 9, 0] for first in (0, 1, 2) for at in range(len(opcodes))):
        problems.append("no ping stands between two fragments")
    # What Sockeye makes of it.
    frames = {"sent": len(witnessed[CLIENT]), "received": len(witnessed[SERVER])}
    counts = {key: report["frames"][key] for key in frames}
    if counts != frames:
        problems.append(f"frames: {counts} reported, {frames} passed")
    close = report["close"]
    mirror = {"code": code, "reason": reason}
    if (close["received"], close["clean"]) != (mirror if row.closer == "server" else close["received"], True):
        problems.append(f"close: {close}")
    first, second = ("received", "sent") if row.closer == "server" else ("sent", "received")
    if close[first] != mirror or (close[second] or {}).get("code") != code:
        problems.append(f"close: {close}")
    return problems


def play(row, binary, work, folder):
    """One row; what is wrong with it, and a note."""
    folder.mkdir()
    command, env = programs(row.start, row.deflate, work)
    server, nginx, relay = Server(command, env, work, folder / "server.log"), None, None
    saved = folder / "session.jsonl"
    try:
        target = server.port
        if row.start == "nginx":
            nginx = Nginx(server.port, folder)
            target = nginx.socket_path
        relay = Relay(target)
        url = f"ws://127.0.0.1:{relay.port}/{row.closer}-closes"
        arguments = ["check", url, "--json", "--echo", "--no-redact", "--no-probes", "--save", str(saved)]
        arguments += ["--watch", "30"] if row.closer == "server" else ["--watch", "4", "--close", "4200:enough"]
        arguments += [] if row.offers else ["--no-compress"]
        run = run_sockeye(binary, arguments, folder)
        relay.close()
    finally:
        # The talker tells of its talk before it goes.
        until = time.monotonic() + 5
        while "\ntalk " not in server.console() and time.monotonic() < until:
            time.sleep(0.05)
        server.stop()
        if nginx:
            nginx.stop()
    lines = [line for line in server.console().splitlines() if line.startswith("talk ")]
    talker = json.loads(lines[-1][5:]) if lines else None
    session = relay.sessions[0] if relay.sessions else None
    problems = judge(row, run, talker, session, saved_frames(saved) if saved.exists() else {CLIENT: [], SERVER: []})
    wire = sum(map(len, session.seen.values())) if session else 0
    return problems, f"{wire} bytes passed, {run.secs:.1f} s"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockeye", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", default="", help="run the rows whose name contains this")
    options = parser.parse_args()
    binary, work = options.sockeye.resolve(), options.work.resolve()
    (work / "talk.json").write_text(json.dumps({"ping": PING, "messages": talk()}))
    (work / "interop").mkdir(exist_ok=True)
    tally = Tally()
    offered = options_of_check(binary)
    for number, row in enumerate(rows()):
        if options.only not in row.name:
            continue
        if row.deflate is not False and "--no-compress" not in offered:
            tally.skip(row.name, "this build offers no compression")
        else:
            tally.row(row.name, *play(row, binary, work, work / "interop" / f"{number:02}"))
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
