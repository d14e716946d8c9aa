#!/usr/bin/env python3
"""Runs `sockeye check --echo` over every case of Autobahn|Testsuite's fuzzing server and judges the report.

`run.py --sockeye BINARY --python PYTHON27 --work FOLDER [--only 9. --only 12.1.] [--servers 2]`. PYTHON27 has
autobahntestsuite installed (see run.sh). Each server is a process of its own on loopback; they share the cases. A case
must not be FAILED, nor UNIMPLEMENTED, nor end with a wrong code or uncleanly; NON-STRICT must be explained below. Sockeye's
own count of frames is held against the server's.
"""

import argparse
import collections
import json
import os
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "peers"))

from harness import Server, Tally, options_of_check, run_sockeye  # noqa: E402

# What each case that is not strictly as the suite wants it does, and why that is right.
NON_STRICT = {
    "6.4.3": "text that is not UTF-8 is refused at the end of its frame, not in its midst: RFC 6455 §8.1 sets no moment",
    "6.4.4": "as 6.4.3, the frame sent octet by octet",
}
# The suite gives no verdict on these; they are listed so that a change is seen.
WELL = {"OK", "INFORMATIONAL", "NON-STRICT"}
WELL_CLOSED = {"OK", "INFORMATIONAL"}
# A case of the suite waits 480 s at most.
CASE_SECS = 500
RESULT_SECS = 15.0


class Queue:
    """The cases that wait, the long ones first: they stand at the end of the suite's list."""

    def __init__(self, numbers):
        self._numbers = collections.deque(sorted(numbers, reverse=True))
        self._lock = threading.Lock()

    def take(self):
        with self._lock:
            return self._numbers.popleft() if self._numbers else None


def start(python, folder):
    folder.mkdir(parents=True)
    server = Server([python, HERE / "fuzzing_server.py", folder], {"PYTHONUNBUFFERED": "1"}, folder, folder / "console.log")
    server.port  # waits until it listens
    return server


def result_of(folder, case):
    """What the server found; it writes that once its end of the connection is over."""
    path = folder / f"{case}.json"
    until = time.monotonic() + RESULT_SECS
    while not path.exists():
        if time.monotonic() > until:
            return None
        time.sleep(0.02)
    return json.loads(path.read_text(encoding="utf-8", errors="replace"))


def count(stats):
    return sum(stats.values())


def judge(run, result):
    """What is wrong with one case."""
    problems = []
    if run.panicked:
        problems.append(f"it panicked: {run.stderr[-400:]!r}")
    if run.timed_out:
        problems.append(f"it did not end within {CASE_SECS} s")
    report = run.json()
    if report is None:
        problems.append(f"no JSON: {run.stdout[:200]!r} {run.stderr[-300:]!r}")
    if result is None:
        return [*problems, "the server has no result"]
    if result["behavior"] not in WELL:
        problems.append(f"{result['behavior']}: {result['result']}")
    if result["behaviorClose"] not in WELL_CLOSED:
        problems.append(f"close {result['behaviorClose']}: {result['resultClose']}")
    if result["behavior"] == "NON-STRICT" and result["id"] not in NON_STRICT:
        problems.append(f"NON-STRICT, and nothing explains it: {result['result']}")
    if report and result["createStats"]:
        # What the server got is what we sent; it may end without having read all.
        sent, got = report["frames"]["sent"], count(result["rxFrameStats"])
        if got != sent:
            problems.append(f"Sockeye says that it sent {sent} frames, the server got {got}")
    return problems


def serve(server, folder, queue, cases, options, results):
    """Runs cases against one server until none is left."""
    work = folder / "run"
    work.mkdir()
    while (number := queue.take()) is not None:
        case = cases[number - 1]
        url = f"ws://127.0.0.1:{server.port}/runCase?case={number}&agent=sockeye"
        run = run_sockeye(
            options.sockeye, ["check", url, "--echo", "--expect", "none", "--watch", "900", "--no-probes", "--json"], work,
            limit_secs=CASE_SECS,
        )
        result = result_of(folder, case)
        results[number] = (run.secs, result and result["behavior"], judge(run, result), run.json())


def show(cases, results, chosen):
    tally = Tally()
    behaviors = collections.Counter()
    secs = collections.Counter()
    for number in sorted(chosen):
        case = cases[number - 1]
        took, behavior, problems, _ = results[number]
        behaviors[behavior or "no result"] += 1
        secs[case.split(".")[0]] += took
        if problems or behavior not in ("OK", None):
            tally.row(case, problems, f"{behavior}{': ' + NON_STRICT[case] if case in NON_STRICT and behavior == 'NON-STRICT' else ''}")
        else:
            tally.passed += 1
    print(", ".join(f"{count} {behavior}" for behavior, count in sorted(behaviors.items())))
    print("seconds of each family: " + ", ".join(f"{family}: {took:.0f}" for family, took in sorted(secs.items(), key=lambda row: int(row[0]))))
    return tally


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockeye", type=Path, required=True)
    parser.add_argument("--python", type=Path, required=True, help="a CPython 2.7 that has autobahntestsuite")
    parser.add_argument("--work", type=Path, required=True, help="a folder that does not exist yet")
    parser.add_argument("--only", action="append", default=[], help="run the cases whose id begins with this")
    parser.add_argument("--servers", type=int, default=max(2, os.cpu_count() or 2))
    options = parser.parse_args()
    options.sockeye = options.sockeye.resolve()
    work = options.work.resolve()

    started = time.monotonic()
    folders = [work / f"server-{number}" for number in range(1, options.servers + 1)]
    servers = []
    results = {}
    try:
        servers = [start(options.python.absolute(), folder) for folder in folders]
        cases = json.loads((folders[0] / "cases.json").read_text())
        chosen = [n for n, case in enumerate(cases, 1) if not options.only or case.startswith(tuple(options.only))]
        if "--no-compress" not in options_of_check(options.sockeye):
            print("skip 12.* and 13.*: this build offers no compression", flush=True)
            chosen = [n for n in chosen if not cases[n - 1].startswith(("12.", "13."))]
        queue = Queue(chosen)
        threads = [
            threading.Thread(target=serve, args=(server, folder, queue, cases, options, results), name=f"cases-{server.port}")
            for server, folder in zip(servers, folders)
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            threads[0].join(20)
            for thread in threads[1:]:
                thread.join(0.1)
            print(f"   {len(results)} of {len(chosen)} cases, {time.monotonic() - started:.0f} s", flush=True)
    finally:
        for server in servers:
            server.stop()
    missing = [n for n in chosen if n not in results]
    for number in missing:
        results[number] = (0.0, None, ["it was not run"], None)
    tally = show(cases, results, chosen)
    print(f"{len(chosen) - len(missing)} of {len(cases)} cases run in {time.monotonic() - started:.0f} s")
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
