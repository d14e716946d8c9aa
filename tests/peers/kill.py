#!/usr/bin/env python3
"""Kills `sockeye record` with SIGKILL at random moments under a flood, then opens what is on disk.

`kill.py --sockeye BINARY --work FOLDER [--times 200] [--cuts 5] [--seed N]`. Each file must open, hold at least every row
that was published (the trace tells of each publication before a face can see it), and be called torn or unfinished; so
must what is left when the last file is cut short at random bytes, as when the machine itself goes down.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import HERE, Server, Tally, run_sockeye

# A publication, as the recorder's trace has it.
PUBLISHED = re.compile(rb"published\b.*?\bframes=(\d+)")
TRACE = "sockeye::engine::recording=trace"
ESCAPES = re.compile(rb"\x1b\[[0-9;]*m")
# "from byte N on the file cannot be read" is how a torn file is called.
NOT_WHOLE = re.compile(r"\bunfinished\b|\btorn\b|\bfrom byte \d+ on the file cannot be read\b")


def record_and_kill(binary, url, journal, errors, wait_secs):
    """Starts a recording and kills it after `wait_secs`; the frames published until then, and how often that was."""
    with errors.open("wb") as stderr:
        process = subprocess.Popen(
            [binary, "record", url, "-o", journal], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
            env={**os.environ, "SOCKEYE_LOG": TRACE},
        )
        time.sleep(wait_secs)
        ended_early = process.poll()
        process.kill()
        process.wait()
    counts = [int(count) for count in PUBLISHED.findall(ESCAPES.sub(b"", errors.read_bytes()))]
    return max(counts, default=0), len(counts), ended_early


def folded_frames(binary, work, journal):
    """How many frames a journal holds, counted without writing them all; what is wrong with it."""
    run = run_sockeye(binary, ["export", str(journal), "--to", "json"], work, limit_secs=180)
    problems = ["it panicked"] if run.panicked else []
    seen = run.json()
    if run.status != 0 or seen is None:
        return [*problems, f"export ended with status {run.status}: {run.stderr[-300:]!r}"], 0
    if not NOT_WHOLE.search(run.stderr):
        problems.append(f"standard error does not say that the file is torn or unfinished: {run.stderr[-300:]!r}")
    return problems, seen["frames"]["sent"] + seen["frames"]["received"]


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
    arguments = ["export", str(journal), "--to", "jsonl", "-o", str(exported), "--no-redact"]
    run = run_sockeye(binary, arguments, work, limit_secs=180)
    problems = ["it panicked"] if run.panicked else []
    if run.status != 0:
        return [*problems, f"export ended with status {run.status}: {run.stderr[-300:]!r}"], 0
    if not NOT_WHOLE.search(run.stderr):
        problems.append(f"standard error does not say that the file is torn or unfinished: {run.stderr[-300:]!r}")
    return problems, exported_frames(exported)


# A journal begins with its header.
HEADER_BYTES = 64


def kill_once(binary, work, url, journal, wait_secs, is_read_in_full):
    journal.unlink(missing_ok=True)
    errors = work / "killed.stderr"
    published, times, ended_early = record_and_kill(binary, url, journal, errors, wait_secs)
    note = f"after {wait_secs:.2f} s, {times} publications, the last of {published} frames"
    if ended_early is not None:
        return [f"the recording ended by itself with status {ended_early}: {errors.read_text(errors='replace')[-300:]!r}"], published, note
    if not journal.exists() or journal.stat().st_size < HEADER_BYTES:
        # It was killed before it had begun.
        return ([f"{published} frames were published, there is no journal"] if published else []), published, note
    problems, frames = (export if is_read_in_full else folded_frames)(binary, work, journal)
    if frames < published:
        problems.append(f"{published} frames had been published, {frames} are in the file")
    return problems, published, f"{note}, kept {frames}"


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
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--cuts", type=int, default=5)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    binary, work = options.sockeye.resolve(), options.work.resolve()
    moments = random.Random(options.seed)
    print(f"seed {options.seed}")

    tally = Tally()
    most = killed_amid = 0
    server = Server(["node", HERE / "node.mjs", "flood"], {}, work, work / "flood.log")
    # A folder of its own: another run in the same work folder must not write over these files.
    with tempfile.TemporaryDirectory(prefix="kill-", dir=work) as own:
        own = Path(own)
        journal = own / "killed.sockeye"
        try:
            url = f"ws://127.0.0.1:{server.port}/"
            for number in range(1, options.times + 1):
                # One in twenty is read row by row.
                wait_secs = moments.uniform(0.02, 0.8)
                problems, published, note = kill_once(binary, own, url, journal, wait_secs, number % 20 == 0)
                most = max(most, published)
                killed_amid += published > 0
                tally.row(f"kill {number}", problems, note)
        finally:
            server.stop()
        for number in range(1, options.cuts + 1):
            length = moments.randrange(64, journal.stat().st_size)
            problems, note = cut_once(binary, own, journal, length)
            tally.row(f"cut {number}", problems, note)
    is_amid = killed_amid * 2 > options.times
    tally.row("most were killed amid a recording", [] if is_amid else [f"{killed_amid} of {options.times}"], f"{killed_amid}, up to {most} frames")
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
