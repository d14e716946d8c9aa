#!/usr/bin/env python3
"""Sessions captured on loopback: the frames and the end of TCP that Sockeye saved must be those that tshark decodes.

`capture.py --sockeye BINARY --work FOLDER [--only TEXT] [--keep]`; FOLDER holds node_modules, venv and tls (see run.sh). All
servers are started first, so that one dumpcap, told their ports, sees every session from its SYN to its last packet.
"""

import argparse
import base64
import json
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Callable

import hostile
import interop
from harness import HERE, Server, Tally, mint, new_secret, options_of_check, run_sockeye
from relay import CLIENT, OPCODES, SERVER, extension, unmask

SECRET = new_secret()
TOKEN = urllib.parse.quote(mint(SECRET), safe="")
MARK = b"sockeye: the capture is whole up to here"


@dataclass
class Row:
    name: str
    start: tuple | Callable         # ("node" | "python" | "talker …", scenario, environment), or what a raw server does
    args: tuple = ()
    scheme: str = "ws"
    path: str = "/"
    frames: int = 1                 # fewer than these would prove nothing


def raw(*pieces, then="fin"):
    """A server that upgrades, writes each piece as a TCP segment of its own, and ends as `then` says."""
    def act(peer):
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            peer.sendall(piece)
            time.sleep(0.002)  # else two pieces may travel in one segment
        peer.settimeout(20)
        if then == "reset":
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            return
        if then == "fin when told":
            peer.recv(1)
        if then != "stay":
            peer.shutdown(socket.SHUT_WR)
        while peer.recv(1 << 16):
            pass
    return hostile.after_upgrade(act)


def raw_tls(*pieces, then):
    """The same over TLS, each piece a record; `then` says whether close_notify comes, and what ends TCP below it."""
    def act(peer):
        for piece in pieces:
            peer.sendall(piece)
        peer.settimeout(20)
        if then.startswith("close_notify"):
            peer.setblocking(False)
            try:
                peer.unwrap()
            except ssl.SSLWantReadError:
                pass  # ours is sent, that of the client is waited for below
            peer.setblocking(True)
        if then.endswith("reset"):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            return
        if then.endswith("fin when told"):
            peer.unwrap()  # returns once the client's close_notify is there
        # It ends TCP and says nothing by TLS.
        if not then.endswith("stay"):
            peer.shutdown(socket.SHUT_WR)
        below = socket.socket(fileno=peer.detach())
        with below:
            below.settimeout(20)
            while below.recv(1 << 16):
                pass

    def serve(peer, work):
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(work / "tls/self.crt", work / "tls/self.key")
        context.keylog_filename = str(work / "keylog")
        hostile.after_upgrade(act)(context.wrap_socket(peer, server_side=True))
    return serve


def glued(peer):
    """The 101 and two frames in one segment."""
    head = hostile.read_head(peer)
    peer.sendall(hostile.switching_protocols(head) + b"\x81\x05glued\x82\x02\x00\xff")
    peer.shutdown(socket.SHUT_WR)
    while peer.recv(1 << 16):
        pass


def rows():
    sends = ("--send", "one", "--send", "zwei 鮭", "--send", "x" * 70_000)
    return [
        Row("node: echo, our close", ("node", "good", {}), sends, frames=9),
        Row("node: compressed echo", ("node", "compressing", {}), sends, frames=9),
        Row("node: echo, compression not offered", ("node", "compressing", {}), (*sends, "--no-compress"), frames=9),
        Row("node: close 4001", ("node", "close-4001", {}), frames=3),
        Row("node: empty close", ("node", "close-empty", {}), frames=3),
        Row("node: terminate()", ("node", "terminate", {})),
        Row("node: resetAndDestroy()", ("node", "reset", {})),
        Row("node: killed", ("node", "kill-9", {})),
        Row("node: exits", ("node", "exit-confirmed", {})),
        Row("node: a frame cut short", ("node", "frame-cut", {})),
        Row("node: pings", ("node", "heartbeat", {}), ("--watch", "3.5"), frames=5),
        Row("node: 404", ("node", "no-listener-404", {}), frames=0),
        Row("node: socket destroyed in the upgrade", ("node", "upgrade-destroyed", {}), frames=0),
        Row("node over TLS: echo", ("node", "tls", {"TLS_KEY": "tls/self.key", "TLS_CERT": "tls/self.crt"}), ("--insecure", *sends), "wss", frames=9),
        Row("python over TLS: echo", ("python", "tls", {"TLS_KEY": "tls/self.key", "TLS_CERT": "tls/self.crt"}), ("--insecure", *sends), "wss", frames=9),
        Row("raw over TLS: close_notify, FIN", raw_tls(b"\x81\x02hi", then="close_notify, fin"), ("--insecure",), "wss"),
        Row("raw over TLS: close_notify, FIN after ours", raw_tls(b"\x81\x02hi", then="close_notify, fin when told"), ("--insecure",), "wss"),
        Row("raw over TLS: close_notify, RST", raw_tls(b"\x81\x02hi", then="close_notify, reset"), ("--insecure",), "wss"),
        Row("raw over TLS: close_notify alone", raw_tls(b"\x81\x02hi", then="close_notify, stay"), ("--insecure",), "wss"),
        Row("raw over TLS: FIN alone", raw_tls(b"\x01\x02hi", then="fin"), ("--insecure",), "wss"),
        Row("raw over TLS: RST", raw_tls(b"\x81\x02hi", then="reset"), ("--insecure",), "wss"),
        Row("node: a talk of fragments and 1 MiB", ("talker node", {"threshold": 0}), ("--echo",), path="/server-closes", frames=20),
        Row("node: the same without compression", ("talker node", False), ("--echo",), path="/server-closes", frames=20),
        Row("python: echo", ("python", "good", {}), sends, frames=9),
        Row("python: abort()", ("python", "abort", {})),
        Row("python: the handler returns", ("python", "return", {}), frames=3),
        Row("python: keep-alive", ("python", "keepalive", {}), ("--watch", "1.5"), frames=5),
        Row("python: a talk of fragments and 1 MiB", ("talker websockets", {"serverNoContextTakeover": True}), ("--echo",),
            path="/server-closes", frames=20),
        Row("raw: glued behind the 101", glued, frames=2),
        Row("raw: a byte a segment", raw(*(bytes([byte]) for byte in b"\x01\x03Hel\x89\x01p\x80\x02lo")), frames=4),
        Row("raw: many frames a segment", raw(b"".join(b"\x82\x7e" + n.to_bytes(2, "big") + bytes(n) for n in range(126, 400))), frames=274),
        Row("raw: reserved bits", raw(b"\x81\x02hi", b"\xb1\x01a", then="fin when told"), frames=3),
        Row("raw: a reserved opcode", raw(b"\x83\x02hi", then="fin when told"), frames=2),
        Row("raw: a masked frame", raw(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", then="fin when told"), frames=2),
        Row("raw: a length longer than needed", raw(b"\x81\x7e\x00\x05Hello"), frames=1),
        Row("raw: data after a close", raw(b"\x88\x02\x03\xe8\x81\x04late", then="fin when told"), frames=3),
        Row("raw: a message, then RST", raw(b"\x81\x02hi", then="reset")),
        Row("raw: never answers our close", raw(b"\x81\x02hi", then="stay"), frames=2),
    ]


class RawServer:
    """The raw servers of hostile.py, in the clothes of Server."""

    def __init__(self, serve):
        self._server = hostile.Hostile(serve)
        self.port = self._server.port

    def stop(self):
        self._server.close()


def start(row, work, log):
    if callable(row.start):
        serve = row.start
        return RawServer(serve if row.scheme == "ws" else lambda peer: serve(peer, work))
    kind, *rest = row.start
    if kind.startswith("talker "):
        command, env = interop.programs(kind.split()[1], rest[0], work)
        return Server(command, env, work, log)
    scenario, env = rest
    program = ["node", HERE / "node.mjs"] if kind == "node" else [work / "venv/bin/python", "-u", HERE / "websockets_server.py"]
    return Server([*program, scenario], {"JWT_SECRET": SECRET, "TLS_KEYLOG": str(work / "keylog"), **env}, work, log)


class Capture:
    """dumpcap on loopback, for some ports."""

    def __init__(self, ports, path):
        self._path = path
        self._marks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._marks.bind(("127.0.0.1", 0))
        mark_port = self._marks.getsockname()[1]
        wanted = " or ".join([*(f"tcp port {port}" for port in ports), f"udp port {mark_port}"])
        loopback = "lo0" if sys.platform == "darwin" else "lo"
        self._process = subprocess.Popen(
            ["dumpcap", "-q", "-i", loopback, "-B", "64", "-f", wanted, "-w", path], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        self.words = []
        for line in self._process.stderr:
            self.words.append(line)
            if line.startswith("File:"):
                break
        else:
            raise PermissionError("dumpcap cannot capture on loopback: " + "".join(self.words).strip())
        threading.Thread(target=lambda: self.words.extend(self._process.stderr), name="dumpcap", daemon=True).start()

    def finish(self):
        """Ends the capture once a mark that was sent after everything else stands in the file."""
        until = time.monotonic() + 20
        while MARK not in self._path.read_bytes()[-65536:]:
            if time.monotonic() > until:
                raise RuntimeError("the capture does not come to its end: " + "".join(self.words))
            self._marks.sendto(MARK, self._marks.getsockname())
            time.sleep(0.1)
        self._process.terminate()
        self._process.wait()
        dropped = re.search(r"received/dropped on interface .*?: \d+/(\d+)", "".join(self.words))
        if dropped and dropped.group(1) != "0":
            raise RuntimeError(f"dumpcap lost {dropped.group(1)} packets")


@dataclass
class Captured:
    """One TCP connection as tshark decodes it."""

    frames: dict = field(default_factory=lambda: {CLIENT: [], SERVER: []})
    ends: list = field(default_factory=list)     # (direction, "fin" or "rst"), in order
    head: str = ""                               # of the response
    close_notify: bool = False                   # whether the server sent it


def decode(path, ports, tls_ports, keylog):
    """The first connection to each port."""
    command = ["tshark", "-r", path, "-o", f"tls.keylog_file:{keylog}", "-T", "json", "-x", "--no-duplicate-keys"]
    # By itself it gives up on segments that were captured in another order.
    command += ["-o", "tcp.reassemble_out_of_order:TRUE"]
    for port in ports:
        command += ["-d", f"tcp.port=={port},{'tls' if port in tls_ports else 'http'}"]
        command += ["-d", f"tls.port=={port},http"] if port in tls_ports else []
    command += ["-Y", "websocket || http.response || tls.alert_message || tcp.flags.fin == 1 || tcp.flags.reset == 1 || tcp.flags.syn == 1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    streams, of_port = {}, {}
    for packet in json.loads(done.stdout):
        layers = packet["_source"]["layers"]
        tcp = layers["tcp"]
        stream, source, target = tcp["tcp.stream"], int(tcp["tcp.srcport"]), int(tcp["tcp.dstport"])
        port, direction = (target, CLIENT) if target in ports else (source, SERVER)
        of_port.setdefault(port, stream)
        seen = streams.setdefault(stream, Captured())
        for head in listed(layers.get("http_raw")):
            if direction == SERVER and not seen.head:
                seen.head = bytes.fromhex(head if isinstance(head, str) else head[0]).decode("latin-1")
        for frame in listed(layers.get("websocket")):
            seen.frames[direction].append(frame_of(frame))
        if direction == SERVER and '"tls.alert_message.desc": "0"' in json.dumps(layers.get("tls", {})):
            seen.close_notify = True
        flags = int(tcp["tcp.flags"], 16)
        if flags & 0x05:
            seen.ends.append((direction, "rst" if flags & 0x04 else "fin"))
    return {port: streams[stream] for port, stream in of_port.items()}


def listed(layer):
    """tshark writes one as itself, several as a list; a raw value is a list that begins with a string."""
    if layer is None:
        return []
    if isinstance(layer, dict) or (isinstance(layer, list) and layer and isinstance(layer[0], str)):
        return [layer]
    return layer


def frame_of(layer):
    def number(name):
        return int(layer[name], 0)
    length = number("websocket.payload_length")
    length = number(f"websocket.payload_length_ext_{16 if length == 126 else 64}") if length >= 126 else length
    payload = bytes.fromhex(layer.get("websocket.payload_raw", [""])[0])
    if "websocket.masked_payload_raw" in layer:
        # tshark itself unmasks no more than 256 KiB.
        key = bytes.fromhex(layer["websocket.masking_key_raw"][0])
        payload = unmask(bytes.fromhex(layer["websocket.masked_payload_raw"][0]), key)
    return {
        "opcode": number("websocket.opcode"), "fin": bool(number("websocket.fin")), "rsv": number("websocket.rsv"),
        "masked": bool(number("websocket.mask")), "length": length, "payload": payload,
    }


def compare_frames(captured, saved):
    problems = []
    deflate = extension(captured.head)
    for direction in (CLIENT, SERVER):
        # tshark shows no frame that never became whole.
        whole = [row for row in saved[direction] if not row.get("truncated")]
        true = captured.frames[direction]
        if len(true) != len(whole):
            problems.append(f"{direction}: tshark decodes {len(true)} frames, {len(whole)} were saved")
        contents = inflated(true, direction, deflate)
        for number, (frame, content, row) in enumerate(zip(true, contents, whole)):
            opcode = OPCODES.get(frame["opcode"], f"reserved 0x{frame['opcode']:X}")
            wanted = {"opcode": opcode, **{name: frame[name] for name in ("fin", "rsv", "masked", "length")}}
            got = {name: row.get(name) for name in wanted}
            if wanted != got:
                problems.append(f"{direction} frame {number}: tshark has {wanted}, {got} was saved")
            if len(frame["payload"]) != frame["length"] or interop.payload_of(row) != content:
                problems.append(f"{direction} frame {number}: the payload differs: {content[:40]!r}, {interop.payload_of(row)[:40]!r} was saved")
    return problems


def inflated(frames, direction, deflate):
    """The payloads, those of compressed messages inflated with zlib."""
    fresh = deflate is not None and f"{'client' if direction == CLIENT else 'server'}_no_context_takeover" in deflate
    inflate, compressed, contents = zlib.decompressobj(-15), False, []
    for frame in frames:
        content = frame["payload"]
        if deflate is not None and frame["opcode"] in (0, 1, 2):
            if frame["opcode"]:
                compressed = bool(frame["rsv"] & 4)
                if fresh and compressed:
                    inflate = zlib.decompressobj(-15)
            if compressed:
                content = inflate.decompress(content) + (inflate.decompress(b"\x00\x00\xff\xff") if frame["fin"] else b"")
        contents.append(content)
    return contents


def compare_end(captured, rows_saved, report):
    """Whether TLS ended before TCP; who ended TCP first, and with what."""
    if not captured.ends:
        return ["tshark sees no end of TCP"]
    first, how = captured.ends[0]
    ends = ("read_ended", "transport_ended", "we_closed_tcp")
    kinds = [(row["kind"], (row.get("event") or {}).get("end")) for row in rows_saved if row["kind"] in ends]
    tcp_end = report["close"]["tcp_end"]
    if captured.close_notify != (kinds[:1] == [("read_ended", "close_notify")]):
        return [f"close_notify by the capture: {captured.close_notify}; saved: {kinds}"]
    if captured.close_notify:
        kinds = [("read_ended", end) if kind == "transport_ended" else (kind, end) for kind, end in kinds[1:]]
    if first == CLIENT:
        is_right = kinds[:1] == [("we_closed_tcp", None)] and tcp_end not in ("fin", "rst")
        return [] if is_right else [f"we ended TCP first by the capture; saved: {kinds}, tcp_end {tcp_end}"]
    wanted = {"fin": "fin", "rst": "reset"}[how]
    if kinds[:1] != [("read_ended", wanted)] or tcp_end != how:
        return [f"the server ended TCP first with {how.upper()} by the capture; saved: {kinds}, tcp_end {tcp_end}"]
    return []


def run_one(row, port, binary, folder):
    folder.mkdir()
    saved = folder / "session.jsonl"
    url = f"{row.scheme}://127.0.0.1:{port}{row.path}?token={TOKEN}&agentId=a1"
    watch = () if "--watch" in row.args else ("--watch", "30") if "--echo" in row.args else ("--watch", "0.7")
    expect = () if row.frames > 2 else ("--expect", "none")
    arguments = ["check", url, "--json", "--no-probes", "--no-redact", "--save", str(saved), *watch, *expect, *row.args]
    return run_sockeye(binary, arguments, folder), saved


def judge(row, run, saved, captured):
    report = run.json()
    if run.panicked or report is None or captured is None or not saved.exists():
        return [f"no report: status {run.status} {run.stderr[-300:]!r}, captured: {captured is not None}"]
    lines = [json.loads(line) for line in saved.read_text().splitlines()]
    problems = compare_frames(captured, interop.saved_frames(saved)) + compare_end(captured, lines, report)
    count = sum(map(len, captured.frames.values()))
    if count < row.frames:
        problems.append(f"tshark decodes {count} frames alone, expected {row.frames} at least")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockeye", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", default="", help="run the rows whose name contains this")
    parser.add_argument("--keep", type=Path, help="copy the capture to here")
    options = parser.parse_args()
    binary, work = options.sockeye.resolve(), options.work.resolve()
    folder = work / "capture"
    folder.mkdir(exist_ok=True)
    (work / "keylog").touch()
    (work / "talk.json").write_text(json.dumps({"ping": interop.PING, "messages": interop.talk()}))
    offered = options_of_check(binary)
    chosen = [row for row in rows() if options.only in row.name]
    if "--no-compress" not in offered:
        chosen = [replace(row, args=tuple(word for word in row.args if word != "--no-compress")) for row in chosen]
    servers, results, path = [], [], folder / "sessions.pcapng"
    try:
        for number, row in enumerate(chosen):
            servers.append(start(row, work, folder / f"{number:02}.log"))
        ports = [server.port for server in servers]
        capture = Capture(ports, path)
        for number, (row, port) in enumerate(zip(chosen, ports)):
            results.append(run_one(row, port, binary, folder / f"{number:02}"))
        capture.finish()
    finally:
        for server in servers:
            server.stop()
    if options.keep:
        options.keep.write_bytes(path.read_bytes())
    tls_ports = {port for row, port in zip(chosen, ports) if row.scheme == "wss"}
    captured = decode(path, ports, tls_ports, work / "keylog")
    tally = Tally()
    for row, port, (run, saved) in zip(chosen, ports, results):
        seen = captured.get(port)
        ends = ", ".join(f"{'server' if direction == SERVER else 'client'} {how.upper()}" for direction, how in (seen.ends if seen else [])[:3])
        count = sum(map(len, seen.frames.values())) if seen else 0
        tally.row(row.name, judge(row, run, saved, seen), f"{count} frames, {ends}")
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
