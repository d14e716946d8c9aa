#!/usr/bin/env python3
"""`sockeye intercept` between the real Chromium and a Node `ws` server: the page sees what it would see without, every byte
goes through, and each connection is laid on whoever ended it.

`intercept.py --sockeye BINARY --work FOLDER`; FOLDER holds node_modules (see run.sh).
"""

import argparse
import http.server
import json
import queue
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

from harness import HERE, Server, Tally

WAIT_SECS = 60

PAGE = """<!doctype html><script>
const sleep = millis => new Promise(done => setTimeout(done, millis));
const closed = ws => new Promise(done => ws.onclose = e => done([e.code, e.reason, e.wasClean]));
const opened = ws => new Promise(done => ws.onopen = done);
const next = ws => new Promise(done => ws.onmessage = e => done(e.data));
const base = 'ws://localhost:PORT', told = 'ws://localhost:TOLD';
const scenes = {
    async plain() {
        const asked = [1, 2, 3].map(n => fetch(base.replace('ws', 'http') + '/' + n).then(answer => answer.text()));
        return Promise.all(asked);
    },
    async echo() {
        const ws = new WebSocket(base + '/echo?token=abc&agentId=1');
        ws.binaryType = 'arraybuffer';
        await opened(ws);
        const text = 'größe 😀 '.repeat(150000), bytes = new Uint8Array(1 << 20).map((_, at) => at * 7 + (at >> 8));
        ws.send(text);
        const isText = await next(ws) === text;
        ws.send(bytes);
        const back = new Uint8Array(await next(ws));
        const isBytes = back.length === bytes.length && back.every((byte, at) => byte === bytes[at]);
        ws.close(3001, 'bye');
        return [isText, isBytes, ws.extensions, await closed(ws)];
    },
    async refused_by_close() { return closed(new WebSocket(base + '/?m=1008')); },
    async terminated() { return closed(new WebSocket(base + '/?m=terminate')); },
    async refused() { return closed(new WebSocket(base + '/?m=401')); },
    async given_up() {
        const ws = new WebSocket(base + '/?m=slow');
        await sleep(400);
        ws.close();
        return closed(ws);
    },
    async left() {
        const frame = document.createElement('iframe');
        frame.srcdoc = `<script>new WebSocket('${base}/left').onopen = () => parent.postMessage('open', '*')</` + 'script>';
        const open = new Promise(done => onmessage = done);
        document.body.append(frame);
        await open;
        frame.remove();
        return 'gone';
    },
    async told_refused() { return closed(new WebSocket(told + '/?m=401', ['chat', 'v2'])); },
    async told_dropped() { return closed(new WebSocket(told + '/?m=terminate')); },
};
onload = async () => {
    for (const [name, scene] of Object.entries(scenes)) {
        let said;
        try { said = await scene(); } catch (error) { said = String(error); }
        await fetch('/said', { method: 'POST', body: JSON.stringify([name, said]) });
    }
};
</script><body>"""


class Page(http.server.BaseHTTPRequestHandler):
    """Gives the page, and takes what it says."""

    def do_GET(self):
        body = self.server.page.encode() if self.path == "/" else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.server.said.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Relay:
    """`sockeye intercept --json`: each finished connection comes as a line."""

    def __init__(self, binary, target, work, *more):
        command = [binary, "intercept", "--listen", "0", "--target", target, *more]
        self.stories = queue.Queue()
        self.process = subprocess.Popen(
            [*command, "--json"], cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        self.said = queue.Queue()
        threading.Thread(target=self._read, name="relay", daemon=True).start()
        threading.Thread(target=self._notes, name="relay-notes", daemon=True).start()
        self.port = self._port()

    def _read(self):
        for line in self.process.stdout:
            self.stories.put(json.loads(line))

    def _notes(self):
        for line in self.process.stderr:
            self.said.put(line)

    def _port(self):
        while True:
            found = re.search(r"ws://localhost:(\d+)", self.said.get(timeout=WAIT_SECS))
            if found:
                return int(found.group(1))

    def story(self):
        return self.stories.get(timeout=WAIT_SECS)

    def stop(self):
        self.process.terminate()
        self.process.wait(WAIT_SECS)


# Of each scene: the mark of its URL, what the page must say, how the session must end, and why.
SCENES = {
    # Plain HTTP goes through and is no session.
    "plain": (None, lambda said: said == ["plain"] * 3, None, None),
    "echo": ("/echo?", lambda said: said == [True, True, "permessage-deflate", [3001, "bye", True]], "ended-by-us", "ended-by-user"),
    "refused_by_close": ("m=1008", lambda said: said == [1008, "Invalid token", True], "closed", "close-1008"),
    "terminated": ("m=terminate", lambda said: said == [1006, "", False], "fin", "connection-terminated"),
    "refused": ("m=401", lambda said: said == [1006, "", False], "upgrade-refused", "http-401"),
    "given_up": ("m=slow", lambda said: said == [1006, "", False], "ended-by-us", "close-while-connecting"),
    "left": ("/left", lambda said: said == "gone", "ended-by-us", "page-navigation"),
    "told_refused": ("m=401", lambda said: said[0] == 4999 and said[1].startswith("http-401: "), "upgrade-refused", "http-401"),
    "told_dropped": ("m=terminate", lambda said: said[0] == 4999 and said[1].startswith("connection-terminated: "), "fin",
                     "connection-terminated"),
}


def judge(said, fits, story, ending, cause):
    verdict = story["verdict"]
    problems = [] if fits(said) else [f"the page says {said!r}"]
    if (verdict["ending"], verdict["cause"]) != (ending, cause):
        problems.append(f"{verdict['ending']}, {verdict['cause']}, not {ending}, {cause}: {verdict['summary']}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockeye", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    binary, work = options.sockeye.resolve(), options.work.resolve()
    tally = Tally()
    if not shutil.which("chromium"):
        tally.skip("a page through a relay", "there is no chromium here")
        return tally.finish()
    folder = work / "intercept"
    folder.mkdir(exist_ok=True)
    script = work / "intercept.mjs"
    script.write_text((HERE / "intercept.mjs").read_text())
    server = Server(["node", script], {}, work, folder / "server.log")
    relays = []
    browser = None
    pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    try:
        target = f"ws://localhost:{server.port}"
        relays = [Relay(binary, target, folder), Relay(binary, target, folder, "--tell-page")]
        pages.said = queue.Queue()
        pages.page = PAGE.replace("PORT", str(relays[0].port)).replace("TOLD", str(relays[1].port))
        threading.Thread(target=pages.serve_forever, name="page", daemon=True).start()
        browser = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
             "--disable-component-update", "--disable-default-apps", "--no-first-run", "--no-proxy-server",
             f"--user-data-dir={folder}/chromium", f"http://localhost:{pages.server_address[1]}/"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        said = dict(pages.said.get(timeout=WAIT_SECS) for _ in SCENES)
        # A session is over when it is judged, not in the order of the scenes.
        told = [name for name in SCENES if name.startswith("told")]
        stories = [[relay.story() for _ in range(count)] for relay, count in zip(relays, (len(SCENES) - 1 - len(told), len(told)))]
        for name, (mark, fits, ending, cause) in SCENES.items():
            if mark is None:
                tally.row(name, [] if fits(said[name]) else [f"the page says {said[name]!r}"], "no session")
                continue
            story = next((story for story in stories[name in told] if mark in story["url"]), None)
            problems = judge(said[name], fits, story, ending, cause) if story else ["there is no session of it"]
            if name == "echo" and story and (story["frames"]["sent"] < 3 or story["frames"]["received"] < 3):
                problems.append(f"frames: {story['frames']}")
            if "abc" in json.dumps(story):
                problems.append("the token stands in the report")
            tally.row(name, problems, cause)
    finally:
        if browser:
            browser.terminate()
            browser.wait()
        for relay in relays:
            relay.stop()
        server.stop()
        pages.shutdown()
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
