#!/usr/bin/env python3
"""Raw socket servers that mean harm: each must end in a named cause, in bounded memory, and never in a panic.

`hostile.py --sockeye BINARY --work FOLDER [--only TEXT]`
"""

import argparse
import base64
import hashlib
import random
import socket
import sys
import threading
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from harness import Tally, run_sockeye

PEAK_MIB = 300
LIMIT_SECS = 90
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n"


def read_head(peer):
    """The request head, or None if the peer left before it was whole (a probe that only connects)."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = peer.recv(65536)
        if not part:
            return None
        head += part
    return head


def switching_protocols(head, extra=b""):
    """The 101 that belongs to a request; empty if it is no upgrade (a probe's plain GET)."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"sec-websocket-key":
            accept = base64.b64encode(hashlib.sha1(value.strip() + GUID).digest())
            return (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Accept: " + accept + b"\r\n" + extra + b"\r\n")
    return b""


def linger(peer):
    """Reads until the other side ends, so that no unread byte turns our FIN into a RST."""
    peer.settimeout(20)
    while peer.recv(65536):
        pass


def after_upgrade(act, extra=b""):
    """A server that upgrades properly and then lets `act` loose; anything but an upgrade gets a 426."""
    def serve(peer):
        head = read_head(peer)
        if head is None:
            return
        answer = switching_protocols(head, extra)
        peer.sendall(answer or b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        if answer:
            act(peer)
    return serve


def before_upgrade(act):
    def serve(peer):
        if read_head(peer) is not None:
            act(peer)
    return serve


def pour(peer, block, times):
    """Writes a block again and again, at most `times`, until the peer has had enough."""
    for _ in range(times):
        peer.sendall(block)


def garbage(peer):
    peer.sendall(random.Random(6455).randbytes(4096))
    linger(peer)


def endless_head(peer):
    peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
    pour(peer, b"".join(b"X-Filler-%d: %s\r\n" % (number, b"y" * 100) for number in range(500)), 1 << 20)


def huge_header(peer):
    peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\nX-Filler: ")
    pour(peer, b"y" * 65536, 1600)
    peer.sendall(b"\r\n\r\n")
    linger(peer)


def endless_informational(peer):
    pour(peer, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 500, 1 << 20)


def endless_body(peer):
    peer.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n\r\n")
    pour(peer, b"not here, " * 6000, 1 << 20)


def lying_content_length(peer):
    peer.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 99999999999999999999\r\n\r\nno")


def byte_a_second(peer):
    for byte in b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n":
        peer.sendall(bytes([byte]))
        time.sleep(1)


def lying_length(length):
    def act(peer):
        peer.sendall(b"\x82\x7f" + length.to_bytes(8, "big") + b"z" * 1000)
        linger(peer)
    return act


def million_fragments(last):
    def act(peer):
        peer.sendall(b"\x01\x01a")
        pour(peer, b"\x00\x01a" * 10_000, 100)
        if last:
            peer.sendall(b"\x80\x01z")
            linger(peer)
    return act


def masked_garbage(peer):
    noise = random.Random(7692)
    for _ in range(64):
        peer.sendall(b"\x82\xfe\x01\x00" + noise.randbytes(4 + 256))
    linger(peer)


def reserved_bits(peer):
    peer.sendall(b"\xb2\x00" * 50_000)
    linger(peer)


def bomb(peer):
    """A message of 2 GiB of zeros in 2 MiB: 1000 to 1."""
    squeeze = zlib.compressobj(9, wbits=-15)
    block = squeeze.compress(bytes(1 << 26)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    payload = block * 32
    peer.sendall(b"\xc2\x7f" + len(payload).to_bytes(8, "big") + payload)
    linger(peer)


def ping_flood(peer):
    peer.sendall(b"\x81\x02hi")
    pour(peer, b"\x89\x7d" + b"p" * 125, 1 << 30)


def message_flood(peer):
    peer.sendall(b"\x81\x02hi")
    pour(peer, b"\x82\x7f" + (1 << 20).to_bytes(8, "big") + bytes(1 << 20), 1 << 30)


def endless_message(peer):
    peer.sendall(b"\x02\x01a")
    pour(peer, b"\x00\x7f" + (1 << 20).to_bytes(8, "big") + bytes(1 << 20), 1 << 30)


def endless_tls(peer):
    pour(peer, b"\x16\x03\x03\x40\x00" + b"\x00" * 0x4000, 1 << 20)


@dataclass
class Row:
    """`cause` and `ending` as in a report; a set where more than one is right, None where any name will do."""

    name: str
    serve: Callable
    cause: str | set | None
    ending: str | set | None
    args: tuple = ()
    scheme: str = "ws"
    offers: bytes = b""             # what the request must offer for the row to make sense


ROWS = [
    Row("garbage for HTTP", before_upgrade(garbage), "port-not-http", "upgrade-invalid"),
    Row("an endless head", before_upgrade(endless_head), "upgrade-headers-too-big", "upgrade-invalid"),
    Row("a header of 100 MB", before_upgrade(huge_header), "upgrade-headers-too-big", "upgrade-invalid"),
    Row("endless 103 responses", before_upgrade(endless_informational), "upgrade-1xx", "upgrade-invalid"),
    Row("an endless body", before_upgrade(endless_body), "http-404", "upgrade-refused"),
    Row("a Content-Length beyond 64 bits", before_upgrade(lying_content_length), {"http-403", "http-403-proxy", "token-missing"}, "upgrade-refused"),
    Row("one byte a second", before_upgrade(byte_a_second), "upgrade-trickle", "upgrade-unanswered", ("--upgrade-timeout", "3")),
    Row("a length of 2^40", after_upgrade(lying_length(1 << 40)), "frame-huge", "ended-by-us"),
    Row("a length of 2^63 - 1", after_upgrade(lying_length((1 << 63) - 1)), "frame-huge", "ended-by-us"),
    Row("a length with the high bit", after_upgrade(lying_length((1 << 64) - 1)), "proto-length-highbit", "protocol-error"),
    Row("a million fragments, then FIN", after_upgrade(million_fragments(last=False)), "fragment-unfinished", "fin"),
    Row("a million fragments, one message", after_upgrade(million_fragments(last=True)), {"healthy", "peer-never-answers-close"},
        {"open", "closed-unclean"}),
    Row("masked garbage", after_upgrade(masked_garbage), "proto-masked-server", "protocol-error"),
    Row("reserved bits set", after_upgrade(reserved_bits), "proto-rsv2-3", "protocol-error"),
    Row("a decompression bomb", after_upgrade(bomb, DEFLATE), "decompression-bomb", "ended-by-us", offers=b"permessage-deflate"),
    Row("endless fragments of 1 MiB", after_upgrade(endless_message), "our-limit", "ended-by-us"),
    Row("a flood of pings, nothing read", after_upgrade(ping_flood), None, None),
    Row("a flood of 1 MiB messages, nothing read", after_upgrade(message_flood), None, None),
    Row("endless TLS records that say nothing", endless_tls, {"undetermined", "port-not-http"}, "tls-failed", (), "wss"),
]


class Hostile:
    """A listener that gives each connection to `serve` on a thread of its own, unless the request lacks `offers`."""

    def __init__(self, serve, offers=b""):
        self._serve = serve
        self._offers = offers
        self.lacked_offer = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="hostile-accept", daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(peer,), name="hostile-peer", daemon=True).start()

    def _one(self, peer):
        with peer:
            try:
                if self._offers and self._offers not in peer.recv(65536, socket.MSG_PEEK):
                    self.lacked_offer = True
                    return
                self._serve(peer)
            except OSError:
                return  # the other side had enough, which is what it should do


def matches(wanted, value):
    return value == wanted or (isinstance(wanted, set) and value in wanted)


def judge(row, run):
    problems = []
    if run.panicked:
        problems.append(f"it panicked: {run.stderr[-400:]!r}")
    if run.timed_out:
        return [*problems, f"it did not end within {run.secs:.0f} s (peak {run.peak_mib:.0f} MiB)"], None
    if run.peak_mib >= PEAK_MIB:
        problems.append(f"peak resident memory {run.peak_mib:.0f} MiB, allowed {PEAK_MIB}")
    verdict = (run.json() or {}).get("verdict")
    if not verdict:
        return [*problems, f"no verdict: {run.stdout[:200]!r} {run.stderr[-300:]!r}"], None
    if row.cause is None:
        if verdict["cause"] in (None, "undetermined"):
            problems.append("no named cause")
    elif not matches(row.cause, verdict["cause"]):
        problems.append(f"cause: expected {row.cause}, got {verdict['cause']}: {verdict['summary']}")
    if row.ending is not None and not matches(row.ending, verdict["ending"]):
        problems.append(f"ending: expected {row.ending}, got {verdict['ending']}")
    expected_status = 0 if verdict["cause"] == "healthy" else 1
    if run.status != expected_status:
        problems.append(f"exit status {run.status}, expected {expected_status}")
    return problems, verdict


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockeye", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", default="", help="run the rows whose name contains this")
    options = parser.parse_args()
    tally = Tally()
    for row in ROWS:
        if options.only not in row.name:
            continue
        server = Hostile(row.serve, row.offers)
        try:
            url = f"{row.scheme}://127.0.0.1:{server.port}/"
            run = run_sockeye(
                options.sockeye.resolve(), ["check", url, "--json", "--confirm-timeout", "30", "--watch", "1", *row.args],
                options.work.resolve(), limit_secs=LIMIT_SECS,
            )
        finally:
            server.close()
        if server.lacked_offer:
            tally.skip(row.name, f"this build does not offer {row.offers.decode()}")
            continue
        problems, verdict = judge(row, run)
        answer = f"{verdict['ending']} {verdict['cause']}" if verdict else ""
        tally.row(row.name, problems, f"{answer} {run.secs:.1f} s, peak {run.peak_mib:.0f} MiB")
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
