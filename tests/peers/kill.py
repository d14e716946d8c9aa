#!/usr/bin/env python3
"""Kills `sockeye record` with SIGKILL at random moments under a flood, then opens what is on disk.

`kill.py --sockeye BINARY --work FOLDER [--times 20] [--cuts 5] [--seed N]`. Each file must open, hold at least every
frame that standard error had reported, and be called torn or unfinished; so must what is left when the last file is cut
short at random bytes, as when the machine itself goes down.
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
# "from byte N on the file cannot be read" is how a torn file is called.
NOT_WHOLE = re.compile(r"\bunfinished\b|\btorn\b|\bfrom byte \d+ on the file cannot be read\b")


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


def export(binary, work, journal):
    """Exports a journal; what is wrong with that, and how many frames came out."""
    exported = work / "killed.jsonl"
    exported.unlink(missing_ok=True)
    run = run_sockeye(binary, ["export", str(journal), "--to", "jsonl", "-o", str(exported)], work, limit_secs=180)
    problems = ["it panicked"] if run.panicked else []
    if run.status != 0:
        return [*problems, f"export ended with status {run.status}: {run.stderr[-300:]!r}"], 0
    if not NOT_WHOLE.search(run.stderr):
        problems.append(f"standard error does not say that the file is torn or unfinished: {run.stderr[-300:]!r}")
    return problems, exported_frames(exported)


def kill_once(binary, work, url, journal, wait_secs):
    journal.unlink(missing_ok=True)
    errors = work / "killed.stderr"
    reported, ended_early = record_and_kill(binary, url, journal, errors, wait_secs)
    note = f"after {wait_secs:.2f} s, reported {reported}"
    if ended_early is not None:
        return [f"the recording ended by itself with status {ended_early}: {errors.read_text(errors='replace')[-300:]!r}"], reported, note
    problems, frames = export(binary, work, journal)
    if frames < reported:
        problems.append(f"{reported} frames had been reported, {frames} are in the file")
    return problems, reported, f"{note}, kept {frames}"


def cut_once(binary, work, journal, length):
    short = work / "cut.sockeye"
    with journal.open("rb") as whole, short.open("wb") as out:
        out.write(whole.read(length))
    problems, frames = export(binary, work, short)
    return problems, f"to {length} of {journal.stat().st_size} bytes, kept {frames}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockeye", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--cuts", type=int, default=5)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    binary, work = options.sockeye.resolve(), options.work.resolve()
    moments = random.Random(options.seed)
    print(f"seed {options.seed}")

    tally = Tally()
    most = 0
    journal = work / "killed.sockeye"
    server = Server(["node", HERE / "node.mjs", "flood"], {}, work, work / "flood.log")
    try:
        url = f"ws://127.0.0.1:{server.port}/"
        for number in range(1, options.times + 1):
            problems, reported, note = kill_once(binary, work, url, journal, moments.uniform(0.4, 4.0))
            most = max(most, reported)
            tally.row(f"kill {number}", problems, note)
    finally:
        server.stop()
    for number in range(1, options.cuts + 1):
        length = moments.randrange(4096, journal.stat().st_size)
        problems, note = cut_once(binary, work, journal, length)
        tally.row(f"cut {number}", problems, note)
    tally.row("frames were reported before a kill", [] if most else ["no recording ever reported a frame"])
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
