#!/usr/bin/env python3
"""Sessions that Sockeye wrote, read by the tools of others.

`exports.py --sockeye BINARY --work FOLDER`; in the folder are the npm packages ws, jsonwebtoken, har-validator,
chrome-devtools-frontend and esbuild. A HAR is validated, and read by the code with which Chromium's developer tools
import one; tshark lists the frames of a pcapng; jq reads the JSON Lines; headless Chromium opens the HTML report without
asking anybody for anything; no planted secret is in an unzipped bundle; two sessions are compared by exit status.
"""

import argparse
import base64
import json
import shutil
import subprocess
import sys
import urllib.parse
import zipfile
from pathlib import Path

from harness import HERE, Server, Tally, mint, new_secret, run_sockeye

# The server's own words: a password in JSON, and the same in base64.
PASSWORD = "tr0ub4dor-and-3"
API_KEY = "k-9f8e7d6c5b4a"
COOKIE = "session-cookie-77"


class Exports:
    def __init__(self, binary, work):
        self.binary, self.work = binary, work
        self.tally = Tally()
        self.secret = new_secret()
        self.token = mint(self.secret)

    def sockeye(self, *arguments, limit_secs=90):
        return run_sockeye(self.binary, [str(argument) for argument in arguments], self.work, limit_secs=limit_secs)

    def record(self, server, name, *more):
        path = self.work / name
        path.unlink(missing_ok=True)
        (self.work / ".env").write_text(f"JWT_SECRET={self.secret}\n")
        url = f"ws://127.0.0.1:{server.port}/?token={self.token}&agentId=a1"
        run = self.sockeye(
            "check", url, "--env-file", self.work / ".env", "--header", f"Cookie: sid={COOKIE}", "--server-log", server.log,
            "--send", json.dumps({"type": "login", "password": PASSWORD}), "--send", "x" * 70_000,
            "--watch", "1", "--save", path, *more,
        )
        problems = [] if path.exists() and not run.panicked else [f"status {run.status}: {run.stderr[-400:]}"]
        self.tally.row(f"record {name}", problems)
        return path

    def export(self, session, name, *more):
        out = self.work / name
        out.unlink(missing_ok=True)
        run = self.sockeye("export", session, "-o", out, *more)
        if run.status != 0 or not out.exists():
            raise RuntimeError(f"export to {name}: status {run.status}: {run.stderr[-400:]}")
        return out

    def rows(self, session, *more):
        lines = self.export(session, "rows.jsonl", *more).read_text().splitlines()
        return [json.loads(line) for line in lines]

    def json_lines(self, session):
        out = self.export(session, "session.jsonl")
        script = '[inputs] | {rows: length, frames: map(select(.kind == "frame")) | length, last: last.kind}'
        read = subprocess.run(["jq", "-n", "-c", script, out], capture_output=True, text=True, check=False)
        problems = []
        if read.returncode != 0:
            problems.append(f"jq: {read.stderr[-300:]}")
        else:
            seen = json.loads(read.stdout)
            lines = out.read_text().splitlines()
            frames = sum(json.loads(line)["kind"] == "frame" for line in lines)
            if (seen["rows"], seen["frames"]) != (len(lines), frames):
                problems.append(f"jq counts {seen}, there are {len(lines)} lines with {frames} frames")
        self.tally.row("jq reads the JSON Lines", problems, read.stdout.strip())

    def har(self, session):
        out = self.export(session, "session.har")
        script = "require('har-validator').har(JSON.parse(require('fs').readFileSync(process.argv[1]))).then(() => console.log('valid'), e => { console.log(JSON.stringify(e.errors || e.message)); process.exit(1); })"
        valid = subprocess.run(["node", "-e", script, out], cwd=self.work, capture_output=True, text=True, check=False)
        self.tally.row("a HAR validator takes the HAR", [] if valid.returncode == 0 else [valid.stdout + valid.stderr])
        bundle = self.devtools()
        read = subprocess.run(["node", bundle, out], cwd=self.work, capture_output=True, text=True, check=False)
        problems, note = [], ""
        if read.returncode != 0:
            problems.append(read.stderr[-500:])
        else:
            request = json.loads(read.stdout.splitlines()[0])
            frames = [(kind, opcode, text) for kind, opcode, _, text, _ in request["frames"]]
            wanted = messages(self.rows(session))
            if request["type"] != "websocket" or request["status"] != 101:
                problems.append(f"type {request['type']}, status {request['status']}")
            if frames != wanted:
                problems.append(f"it has {frames!r}, the session has {wanted!r}"[:800])
            note = f"{len(frames)} messages"
        self.tally.row("Chromium's developer tools import the HAR", problems, note)

    def devtools(self):
        """The importer of Chromium's developer tools as one script for Node."""
        front_end = self.work / "node_modules/chrome-devtools-frontend/front_end"
        # Made by its own build; the importer needs no translation.
        (front_end / "core/i18n/locales.js").write_text(
            "export const LOCALES = ['en-US'];\nexport const BUNDLED_LOCALES = ['en-US'];\n"
            "export const DEFAULT_LOCALE = 'en-US';\nexport const REMOTE_FETCH_PATTERN = '';\n"
            "export const LOCAL_FETCH_PATTERN = './locales/@LOCALE@.json';\n"
        )
        shutil.copy(HERE / "devtools_har.mjs", self.work)
        bundle = self.work / "devtools_har.bundle.mjs"
        if not bundle.exists():
            subprocess.run(
                ["npx", "esbuild", "devtools_har.mjs", "--bundle", "--platform=node", "--format=esm", f"--outfile={bundle}",
                 "--log-level=error", "--loader:.css=text", "--loader:.svg=text"],
                cwd=self.work, check=True,
            )
        return bundle

    def pcapng(self, session, *more):
        out = self.export(session, "session.pcapng", *more)
        fields = ["websocket.opcode", "websocket.fin", "websocket.mask", "tcp.srcport", "_ws.malformed"]
        read = tshark(out, "websocket", fields)
        problems = []
        seen = []
        for line in read:
            opcodes, fins, masks, _, malformed = (line.split("\t") + [""] * 5)[:5]
            if malformed:
                problems.append(f"malformed: {line}")
            for opcode, fin, mask in zip(opcodes.split(","), fins.split(","), masks.split(",")):
                seen.append((int(opcode), truth(fin), truth(mask)))
        codes = {"continuation": 0, "text": 1, "binary": 2, "close": 8, "ping": 9, "pong": 10}
        frames = [row for row in self.rows(session) if row["kind"] == "frame"]
        wanted = [(codes[row["opcode"]], row["fin"], row["masked"]) for row in frames]
        if sorted(seen) != sorted(wanted):
            problems.append(f"tshark lists {seen}, the session has {wanted}"[:800])
        bad = tshark(out, "tcp.analysis.flags || tcp.checksum.status == 0 || ip.checksum.status == 0", ["frame.number", "_ws.col.Info"])
        if bad:
            problems.append(f"tshark finds fault with {bad[:5]}")
        syn = tshark(out, "tcp.flags.syn == 1", ["frame.number"])
        if len(syn) < 2:
            problems.append("no SYN and SYN ACK")
        self.tally.row(f"tshark lists the frames of the pcapng {' '.join(more)}".rstrip(), problems, f"{len(seen)} frames")

    def html(self, session):
        out = self.export(session, "session.html")
        netlog, shot = self.work / "netlog.json", self.work / "report.png"
        run = subprocess.run(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
             "--disable-component-update", "--no-first-run", "--disable-sync", "--disable-extensions",
             "--disable-default-apps", "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1280,1600", f"--user-data-dir={self.work}/chromium",
             f"--log-net-log={netlog}", f"--screenshot={shot}", out.as_uri()],
            capture_output=True, text=True, timeout=90, check=False,
        )
        problems = [] if shot.exists() else [f"no screenshot: {run.stderr[-400:]}"]
        asked = requests_of(netlog)
        if asked:
            problems.append(f"the page asks for {asked}")
        self.tally.row("headless Chromium opens the HTML report without a request", problems, f"{shot}")

    def bundle(self, session):
        out = self.export(session, "share.zip")
        with zipfile.ZipFile(out) as archive:
            broken = archive.testzip()
            files = {name: archive.read(name) for name in archive.namelist()}
        problems = [f"{broken} is broken"] if broken else []
        for secret in [self.token, self.secret, PASSWORD, API_KEY, COOKIE, self.token.split(".")[2]]:
            for name, content in files.items():
                for shape in shapes(secret):
                    if shape in content:
                        problems.append(f"{name} holds a planted secret: {shape[:60]!r}")
        wanted = {"report.html", "session.jsonl", "handshake.txt", "console.txt", "checklist.txt", "system.txt"}
        if not wanted <= set(files):
            problems.append(f"missing {wanted - set(files)}")
        for name in ["session.jsonl", "handshake.txt", "ticket.md"]:
            if b"<token#1>" not in files[name] or b"<token#2>" in files[name]:
                problems.append(f"{name} does not call the only token <token#1>")
        self.tally.row("no planted secret is in the unzipped bundle", problems, f"{len(files)} files")
        # The search would find them: they are there without redaction.
        plain = self.export(session, "plain.zip", "--no-redact")
        with zipfile.ZipFile(plain) as archive:
            content = b"".join(archive.read(name) for name in archive.namelist())
        missing = [secret for secret in [self.token, PASSWORD, API_KEY, COOKIE] if not any(s in content for s in shapes(secret))]
        self.tally.row("the same search finds each of them without redaction", [f"not {missing}"] if missing else [])

    def diff(self, one, other):
        for name, arguments, wanted in [
            ("a session and itself", [one, one], 0),
            ("two sessions of two kinds", [one, other], 1),
            ("a session and no file", [one, self.work / "nowhere.sockeye"], 2),
        ]:
            run = self.sockeye("diff", *arguments)
            problems = [] if run.status == wanted else [f"status {run.status}, not {wanted}: {run.stdout[-300:]}{run.stderr[-300:]}"]
            if self.token in run.stdout:
                problems.append("it prints the token")
            self.tally.row(f"diff of {name}", problems, run.stdout.splitlines()[3] if len(run.stdout.splitlines()) > 3 else "")


def truth(field):
    return field in ("1", "True")


def tshark(path, display_filter, fields):
    command = ["tshark", "-r", path, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-2", "-Y", display_filter, "-T", "fields"]
    for field in fields:
        command += ["-e", field]
    read = subprocess.run(command, capture_output=True, text=True, check=False)
    if read.returncode != 0:
        raise RuntimeError(f"tshark: {read.stderr[-400:]}")
    return [line for line in read.stdout.split("\n") if line]


def messages(rows):
    """The messages of a session as a HAR has them, put together from its JSON Lines."""
    codes = {"text": 1, "binary": 2, "close": 8, "ping": 9, "pong": 10}
    opened, found = {}, []
    for row in rows:
        if row["kind"] != "frame":
            continue
        data = base64.b64decode(row["base64"]) if "base64" in row else row.get("text", "").encode()
        kind = "send" if row["direction"] == "client_to_server" else "receive"
        if row["opcode"] in ("close", "ping", "pong"):
            text = (f"{row['code']} " if "code" in row else "") + data.decode(errors="replace")
            found.append((kind, codes[row["opcode"]], text.rstrip()))
            continue
        opcode = row.get("message", row["opcode"])
        whole = opened.pop(kind, b"") + data
        if row["fin"]:
            text = base64.b64encode(whole).decode() if opcode == "binary" else whole.decode(errors="replace")
            found.append((kind, codes[opcode], text))
        else:
            opened[kind] = whole
    return found


def shapes(secret):
    """The forms in which a secret may have left."""
    raw = secret.encode()
    quoted = json.dumps(secret)[1:-1]
    texts = {
        secret, quoted, json.dumps(quoted)[1:-1], urllib.parse.quote(secret, safe=""),
        "".join(f"%{byte:02X}" for byte in raw), "".join(f"%{byte:02x}" for byte in raw),
        raw.hex(), raw.hex().upper(), secret.replace("&", "&amp;").replace('"', "&quot;"),
    }
    found = {text.encode() for text in texts} | {raw[:24], raw[-24:]}
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        whole = encoded[-(-before * 8 // 6):(before + len(raw)) * 8 // 6]
        found |= {whole, whole.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def requests_of(netlog):
    """Every URL that a page asked the network for; what the browser asks for itself has no origin."""
    log = json.loads(netlog.read_text())
    kinds = {number: name for name, number in log["constants"]["logEventTypes"].items()}
    urls = set()
    for event in log["events"]:
        params = event.get("params", {})
        url = params.get("url", "")
        if params.get("initiator") != "not an origin" and kinds.get(event["type"]) == "URL_REQUEST_START_JOB" and url.startswith(("http:", "https:", "ws:", "wss:")):
            urls.add(url)
    return sorted(urls)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockeye", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    exports = Exports(options.sockeye.resolve(), options.work.resolve())
    env = {"JWT_SECRET": exports.secret, "PASSWORD": PASSWORD, "API_KEY": API_KEY}
    server = Server(["node", HERE / "node.mjs", "medley"], env, exports.work, exports.work / "medley.log")
    try:
        session = exports.record(server, "medley.sockeye")
        other = exports.record(server, "other.sockeye", "--subprotocol", "v2", "--send", "one more")
    finally:
        server.stop()
    exports.json_lines(session)
    exports.har(session)
    exports.pcapng(session)
    exports.pcapng(session, "--no-redact")
    if shutil.which("chromium"):
        exports.html(session)
    else:
        exports.tally.skip("headless Chromium opens the HTML report", "there is no chromium here")
    exports.bundle(session)
    exports.diff(session, other)
    return exports.tally.finish()


if __name__ == "__main__":
    sys.exit(main())
