#!/usr/bin/env python3
"""The opening handshakes of the real Chromium and the real Node `ws` beside those of Sockeye's presets, byte for byte.

`presets.py --sockeye BINARY --work FOLDER`; FOLDER holds node_modules and tls (see run.sh). A raw server on loopback records
every request. Only the key may differ, and Chromium's number: the preset names one version. `page.test` is a name for this
machine that Chromium is told and that Sockeye reaches through a proxy: to other hosts Chromium offers no brotli in clear.
"""

import argparse
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

from harness import Tally, run_sockeye

WAIT_SECS = 60


class Recorder:
    """Takes requests in clear, by TLS, and behind CONNECT; refuses each upgrade once it is recorded."""

    def __init__(self, tls_folder):
        self.requests = {}
        self.page = b""
        self._came = threading.Condition()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(tls_folder / "self.crt", tls_folder / "self.key")
        self.port = self._listen(False)
        self.tls_port = self._listen(True)

    def _listen(self, is_tls):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def accept():
            while True:
                peer, _ = listener.accept()
                threading.Thread(target=self._serve, args=(peer, is_tls), name="recorder", daemon=True).start()

        threading.Thread(target=accept, name="recorder", daemon=True).start()
        return listener.getsockname()[1]

    def _serve(self, peer, is_tls):
        peer.settimeout(WAIT_SECS)
        try:
            if is_tls:
                peer = self._context.wrap_socket(peer, server_side=True)
            request = read_head(peer)
            if request.startswith(b"CONNECT"):
                peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                return self._serve(peer, request.split()[1].endswith(b":%d" % self.tls_port))
            if b"upgrade: websocket" in request.lower():
                path = request.split()[1].decode()
                if path == "/login" and b"authorization: " not in request.lower():
                    # Chromium sends the login of a URL when it is asked for one.
                    peer.sendall(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"recorder\"\r\nContent-Length: 0\r\n\r\n")
                    return self._serve(peer, False)
                with self._came:
                    self.requests[path] = request
                    self._came.notify_all()
                peer.sendall(b"HTTP/1.1 400 Recorded\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            elif request:
                head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                peer.sendall(head % len(self.page) + self.page)
            peer.close()
        except OSError:
            pass  # a browser opens connections that it then does not use

    def take(self, path):
        """The request for this path, once it has come."""
        with self._came:
            self._came.wait_for(lambda: path in self.requests, WAIT_SECS)
            return self.requests.pop(path, None)


def read_head(peer):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = peer.recv(1)
        if not byte:
            break
        head += byte
    return head


# Path, scheme, host, what the page says beside the URL, and what Sockeye is told.
CHROMIUM = [
    ("/plain?a=1&b=%20", "ws", "127.0.0.1", "", []),
    ("/cookie", "ws", "127.0.0.1", "", ["--header", "Cookie: sid=77"]),
    ("/subprotocols", "ws", "127.0.0.1", ",['chat.v1','chat.v2']", ["--subprotocol", "chat.v1", "--subprotocol", "chat.v2"]),
    ("/login", "ws", "user:pass%20word@127.0.0.1", "", []),
    ("/elsewhere", "ws", "page.test", "", []),
    ("/tls", "wss", "page.test", "", ["--insecure"]),
]

# The same for Node: the arguments behind the URL.
NODE = [
    ("/plain?a=1&b=%20", "ws", "127.0.0.1", "{}", []),
    ("/fields", "ws", "127.0.0.1", "['chat.v1','chat.v2'],{headers:{'X-Own':'1'},origin:'http://o.example'}",
     ["--subprotocol", "chat.v1", "--subprotocol", "chat.v2", "--header", "X-Own: 1", "--origin", "http://o.example"]),
    ("/no-compression", "ws", "127.0.0.1", "{perMessageDeflate:false}", ["--no-compress"]),
    ("/login", "ws", "user:pass%20word@127.0.0.1", "{}", []),
    ("/bearer", "ws", "127.0.0.1", "{headers:{Authorization:'Bearer abc'}}", ["--header", "Authorization: Bearer abc"]),
    ("/login-and-bearer", "ws", "user:pass@127.0.0.1", "{headers:{Authorization:'Bearer abc'}}", ["--header", "Authorization: Bearer abc"]),
    ("/cookie", "ws", "127.0.0.1", "{headers:{'X-One':'1',Cookie:'sid=77','X-Two':'2'}}",
     ["--header", "X-One: 1", "--header", "Cookie: sid=77", "--header", "X-Two: 2"]),
    ("/user-agent", "ws", "127.0.0.1", "{headers:{'User-Agent':'mine','Host':'h.example'}}",
     ["--header", "User-Agent: mine", "--header", "Host: h.example"]),
    ("/tls", "wss", "127.0.0.1", "{rejectUnauthorized:false}", ["--insecure"]),
]


def url_of(recorder, path, scheme, host):
    return f"{scheme}://{host}:{recorder.tls_port if scheme == 'wss' else recorder.port}{path}"


def from_chromium(recorder, work):
    """Every request that a page of 127.0.0.1 makes."""
    sockets = "".join(f"new WebSocket('{url_of(recorder, path, scheme, host)}'{more});" for path, scheme, host, more, _ in CHROMIUM)
    recorder.page = f"<script>document.cookie='sid=77; path=/cookie';{sockets}</script>".encode()
    browser = subprocess.Popen(
        ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-default-apps", "--no-first-run", "--no-proxy-server", "--ignore-certificate-errors", "--lang=en-US",
         "--host-resolver-rules=MAP page.test 127.0.0.1", f"--user-data-dir={work}/presets-chromium", f"http://127.0.0.1:{recorder.port}/"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        return {path: recorder.take(path) for path, *_ in CHROMIUM}
    finally:
        browser.terminate()
        browser.wait()


def from_node(recorder, work):
    calls = "".join(f"ask('{url_of(recorder, path, scheme, host)}',{more});" for path, scheme, host, more, _ in NODE)
    script = f"const WebSocket=require('ws');const ask=(...all)=>new WebSocket(...all).on('error',()=>0);{calls}"
    subprocess.run(["node", "-e", script], cwd=work, check=True, timeout=WAIT_SECS)
    return {path: recorder.take(path) for path, *_ in NODE}


def from_sockeye(recorder, options, preset, row, folder):
    path, scheme, host, _, arguments = row
    if host == "page.test":
        arguments = [*arguments, "--proxy", f"http://127.0.0.1:{recorder.port}"]
    if preset == "chrome":
        arguments = [*arguments, "--origin", f"http://127.0.0.1:{recorder.port}"]
    url = url_of(recorder, path, scheme, host)
    run = run_sockeye(options.sockeye, ["check", url, "--preset", preset, "--no-probes", "--json", *arguments], folder)
    return recorder.take(path), run


def comparable(request):
    """Without the key, and with Chromium's number taken out of its name for itself."""
    text = re.sub(r"(Sec-WebSocket-Key: )[A-Za-z0-9+/]{22}==\r\n", r"\1(a key)\r\n", request.decode("latin-1"))
    return re.sub(r"(?:Headless)?Chrome/\d+(\.0\.0\.0 )", r"Chrome/N\1", text)


def judge(theirs, ours, run):
    if theirs is None:
        return ["the real client sent nothing"]
    if ours is None:
        return [f"Sockeye sent nothing: status {run.status} {run.stderr[-300:]!r}"]
    theirs, ours = comparable(theirs), comparable(ours)
    if theirs == ours:
        return []
    lines = theirs.split("\r\n"), ours.split("\r\n")
    differing = [f"theirs {one!r}, ours {other!r}" for one, other in zip(*lines) if one != other]
    return differing or [f"theirs has {len(lines[0])} lines, ours {len(lines[1])}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockeye", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    options.sockeye, work = options.sockeye.resolve(), options.work.resolve()
    folder = work / "presets"
    folder.mkdir(exist_ok=True)
    recorder = Recorder(work / "tls")
    tally = Tally()
    clients = [("node", NODE, from_node)]
    if shutil.which("chromium"):
        clients.append(("chrome", CHROMIUM, from_chromium))
    else:
        tally.skip("as Chrome", "there is no chromium here")
    for preset, rows, real in clients:
        requests = real(recorder, work)
        for row in rows:
            theirs = requests[row[0]]
            ours, run = from_sockeye(recorder, options, preset, row, folder)
            name = re.search(rb"Chrome/\d+", theirs or b"")
            tally.row(f"{preset} {row[1]}://{row[2]}{row[0]}", judge(theirs, ours, run), name.group(0).decode() if name else "")
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
