"""A peer that is half dead: a Node server that is stopped, and a network that is gone between two namespaces.

Usage: half_dead.py --sockeye BINARY --work FOLDER   (FOLDER holds node_modules/ws)
The second needs root and `ip`; without them it is left out, and says so.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

SERVER = """
const { WebSocketServer } = require('ws');
const wss = new WebSocketServer({ host: process.argv[2], port: 0 }, () => console.log('listening on port ' + wss.address().port));
wss.on('connection', ws => ws.send('{"type":"ready"}'));
"""


class Node:
    def __init__(self, work, host, prefix=()):
        script = work / "half-dead-server.cjs"
        script.write_text(SERVER)
        self.process = subprocess.Popen([*prefix, "node", str(script), host], cwd=work, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(" ", 1)[1])

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


def check(sockeye, url, prefix=(), after=None, options=()):
    """Runs a check that stays, and `after` one second of it."""
    command = [*prefix, sockeye, "check", url, "--json", "--watch", "20", "--ping", "0.3", "--pong-timeout", "3", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    timer = threading.Timer(1.0, after) if after else None
    if timer:
        timer.start()
    began = time.monotonic()
    out, _ = process.communicate(timeout=60)
    return json.loads(out), time.monotonic() - began


def judge(name, result, took, ending, cause, says):
    verdict = result["verdict"]
    wrong = []
    if (verdict["ending"], verdict["cause"]) != (ending, cause):
        wrong.append(f"expected {ending} {cause}, got {verdict['ending']} {verdict['cause']}")
    text = json.dumps(verdict, ensure_ascii=False)
    wrong += [f"{word!r} is not said" for word in says if word not in text]
    trips = result["frames"]["round_trip_ms"]
    if not trips or trips["count"] < 1:
        wrong.append("no round trip was measured before")
    print(f"{'not ok' if wrong else 'ok    '}  {name} ({took:.1f} s): {verdict['certainty']}: {verdict['summary']}")
    for line in wrong:
        print(f"        {line}")
    return not wrong


def stopped(sockeye, work):
    node = Node(work, "127.0.0.1")
    try:
        url = f"ws://127.0.0.1:{node.port}/"
        result, took = check(sockeye, url, after=lambda: node.process.send_signal(signal.SIGSTOP))
        return judge("a Node server that is stopped (SIGSTOP)", result, took, "network-timeout", "server-blocked",
                     ["a plain GET was accepted and not answered", "wait for the server to read them"])
    finally:
        node.stop()


def run(*command):
    subprocess.run(command, check=True)


def cut(sockeye, work):
    """Two namespaces and a cable; one second into the session the cable is pulled at the server's end."""
    names = [f"sockeye-{end}-{os.getpid()}" for end in ("client", "server")]
    client, server = names
    try:
        for name in names:
            run("ip", "netns", "add", name)
        run("ip", "link", "add", "cable-c", "netns", client, "type", "veth", "peer", "name", "cable-s", "netns", server)
        for name, end, address in ((client, "cable-c", "10.99.7.1/24"), (server, "cable-s", "10.99.7.2/24")):
            inside = ("ip", "netns", "exec", name, "ip")
            run(*inside, "addr", "add", address, "dev", end)
            run(*inside, "link", "set", end, "up")
            run(*inside, "link", "set", "lo", "up")
        node = Node(work, "10.99.7.2", ("ip", "netns", "exec", server))
        try:
            # The address goes, the link stays: nothing tells the client, as with a router that died far away.
            pull = lambda: run("ip", "netns", "exec", server, "ip", "addr", "flush", "dev", "cable-s")
            url = f"ws://10.99.7.2:{node.port}/"
            result, took = check(sockeye, url, ("ip", "netns", "exec", client), pull, ["--proxy", "none"])
            return judge("a network that is gone", result, took, "network-timeout", "network-loss",
                         ["were never acknowledged", "sent again"])
        finally:
            node.stop()
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sockeye", required=True)
    parser.add_argument("--work", required=True, type=Path)
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    ok = stopped(arguments.sockeye, work)
    if os.geteuid() == 0 and shutil.which("ip"):
        ok &= cut(arguments.sockeye, work)
    else:
        print("no root or no `ip`: the network that is gone is left out")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
