#!/usr/bin/env python3
"""Kills `sockeye record` with SIGKILL at random moments under a flood, then opens what is on disk.

`kill.py --sockeye BINARY --work FOLDER [--times 20] [--seed N]`. Each file must open, hold at least every frame that
standard error had reported, and be called torn or unfinished.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import time
from pathlib import Path

from harness import HERE, Server, Tally, run_sockeye

REPORTED = re.compile(rb"recorded (\d+) frames?\b")


def record_and_kill(binary, url, journal, errors, wait_secs):
    """Starts a recording and kills it after `wait_secs`; the number of frames reported until then."""
    with errors.open("wb") as stderr:
        process = subprocess.Popen(
            [binary, "record", url, "-o", journal], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
        )
        time.sleep(wait_secs)
        ended_early = process.poll()
        process.kill()
        process.wait()
    counts = [int(count) for count in REPORTED.findall(errors.read_bytes())]
    return max(counts, default=0), ended_early


def exported_frames(path):
    """How many frames a JSON Lines export holds, and whether each line of it is JSON."""
    frames = 0
    with path.open("rb") as lines:
        for line in lines:
            row = json.loads(line)
            frames += row.get("kind") == "frame"
    return frames


def once(binary, work, url, wait_secs):
    journal, exported, errors = work / "killed.sockeye", work / "killed.jsonl", work / "killed.stderr"
    for path in (journal, exported):
        path.unlink(missing_ok=True)
    reported, ended_early = record_and_kill(binary, url, journal, errors, wait_secs)
    note = f"after {wait_secs:.2f} s, reported {reported}"
    if ended_early is not None:
        return [f"the recording ended by itself with status {ended_early}: {errors.read_text(errors='replace')[-300:]!r}"], reported, note
    run = run_sockeye(binary, ["export", str(journal), "--to", "jsonl", "-o", str(exported)], work)
    problems = ["it panicked"] if run.panicked else []
    if run.status != 0:
        return [*problems, f"export ended with status {run.status}: {run.stderr[-300:]!r}"], reported, note
    frames = exported_frames(exported)
    note += f", kept {frames}"
    if frames < reported:
        problems.append(f"{reported} frames had been reported, {frames} are in the file")
    if not re.search(r"\b(torn|unfinished)\b", run.stderr):
        problems.append(f"standard error does not say that the file is torn or unfinished: {run.stderr[-300:]!r}")
    return problems, reported, note


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockeye", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    binary, work = options.sockeye.resolve(), options.work.resolve()
    moments = random.Random(options.seed)
    print(f"seed {options.seed}")

    tally = Tally()
    most = 0
    server = Server(["node", HERE / "node.mjs", "flood"], {}, work, work / "flood.log")
    try:
        url = f"ws://127.0.0.1:{server.port}/"
        for number in range(1, options.times + 1):
            problems, reported, note = once(binary, work, url, moments.uniform(0.4, 4.0))
            most = max(most, reported)
            tally.row(f"kill {number}", problems, note)
    finally:
        server.stop()
    tally.row("frames were reported before a kill", [] if most else ["no recording ever reported a frame"])
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
