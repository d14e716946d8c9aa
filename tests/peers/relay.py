"""A witness of our own between Sockeye and a server: relays every byte, then reads the frames out of what it saw.

It shares no code with Sockeye: the parser is forty lines, inflating is Python's zlib.
"""

import re
import socket
import threading
import zlib
from dataclasses import dataclass, field

CLIENT, SERVER = "client_to_server", "server_to_client"
OPCODES = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}


@dataclass
class Frame:
    direction: str
    opcode: int
    fin: bool
    rsv: int
    masked: bool
    payload: bytes                  # as on the wire, unmasked
    message: int = 0                # the opcode of the message it belongs to
    inflated: bytes | None = None   # None if its message is not compressed


@dataclass
class Session:
    """One relayed connection."""

    seen: dict = field(default_factory=lambda: {CLIENT: bytearray(), SERVER: bytearray()})
    first_end: str | None = None    # whose FIN came first

    def frames(self):
        """The frames of each direction, in order."""
        heads, rest = {}, {}
        for direction, seen in self.seen.items():
            head, _, rest[direction] = bytes(seen).partition(b"\r\n\r\n")
            heads[direction] = head.decode("latin-1")
        deflate = extension(heads[SERVER])
        return {direction: read_frames(direction, rest[direction], deflate) for direction in rest}


def extension(head):
    """The parameters of permessage-deflate in the 101, or None."""
    line = re.search(r"(?im)^sec-websocket-extensions:\s*permessage-deflate\s*(.*?)\r?$", head)
    if line is None:
        return None
    parameters = {}
    for part in filter(None, (part.strip() for part in line.group(1).split(";"))):
        name, _, value = part.partition("=")
        parameters[name.strip()] = value.strip().strip('"')
    return parameters


def unmask(payload, key):
    length = len(payload)
    pad = (key * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(length, "big")


def read_frames(direction, data, deflate):
    frames, at = [], 0
    prefix = "client" if direction == CLIENT else "server"
    fresh = deflate is not None and f"{prefix}_no_context_takeover" in deflate
    inflate = zlib.decompressobj(-15)
    message, compressed = 0, False
    while at < len(data):
        first, second = data[at], data[at + 1]
        length, at = second & 0x7F, at + 2
        if length >= 126:
            size = 2 if length == 126 else 8
            length, at = int.from_bytes(data[at:at + size], "big"), at + size
        key = b""
        if second & 0x80:
            key, at = data[at:at + 4], at + 4
        payload = data[at:at + length]
        assert len(payload) == length, f"{direction}: a frame is cut short"
        at += length
        if key:
            payload = unmask(payload, key)
        opcode, rsv, fin = first & 15, first >> 4 & 7, bool(first & 0x80)
        frame = Frame(direction, opcode, fin, rsv, bool(key), payload, message=opcode)
        if opcode in (0, 1, 2):
            if opcode:
                message, compressed = opcode, bool(rsv & 4)
                if compressed and fresh:
                    inflate = zlib.decompressobj(-15)
            frame.message = message
            if compressed:
                frame.inflated = inflate.decompress(payload)
                if fin:
                    frame.inflated += inflate.decompress(b"\x00\x00\xff\xff")
        frames.append(frame)
    return frames


class Relay:
    """Listens on a free port of loopback and relays each connection to `target`: a port there, or a Unix socket's path."""

    def __init__(self, target):
        self._target = target
        self.sessions = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = []
        threading.Thread(target=self._accept, name="relay-accept", daemon=True).start()

    def close(self):
        """Stops listening and waits for what still runs."""
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = self._connect()
            session = Session()
            self.sessions.append(session)
            for direction, source, sink in ((CLIENT, client, server), (SERVER, server, client)):
                thread = threading.Thread(target=self._pump, args=(session, direction, source, sink), name="relay", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _connect(self):
        if isinstance(self._target, int):
            return socket.create_connection(("127.0.0.1", self._target))
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(self._target))
        return server

    @staticmethod
    def _pump(session, direction, source, sink):
        try:
            while part := source.recv(1 << 16):
                session.seen[direction] += part
                sink.sendall(part)
        except OSError:
            pass  # a reset is passed on as an end; what came before it is kept
        session.first_end = session.first_end or direction
        try:
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other end is gone already
