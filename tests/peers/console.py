#!/usr/bin/env python3
"""Consoles that mean harm: 5 GiB of log, a line of 100 MB, binary, truncation while it is followed, a flood on a pipe.

`console.py --sockeye BINARY --work FOLDER [--gib N]`; FOLDER holds node_modules (ws, see run.sh). Each row demands that
no line is lost, that long lines say where they were cut, that nothing panics, and that memory stays flat: the peak
resident memory of Sockeye is measured beside that of the same session without a console.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from harness import Tally, run_sockeye
from misconfigured import Stage, ws

MOST_MIB_MORE = 160.0  # the journal in memory keeps 64 MiB, and the sink's queue 16 MiB
LINE_LIMIT = 64 * 1024


def check(binary, stage, port, arguments, watch, **more):
    save = stage.folder / "session.jsonl"
    save.unlink(missing_ok=True)
    run = run_sockeye(binary, ["check", ws(port, query=""), "--json", "--watch", str(watch), "--save", str(save), *arguments], stage.folder, **more)
    lines = []
    if save.exists():
        for row in save.open(errors="replace"):
            if '"console_line"' in row:
                lines.append(json.loads(row)["event"]["text"])
    return run, lines


def numbered(begin, end):
    return [f"line {number} of the server" for number in range(begin, end)]


def contains_in_order(lines, wanted):
    """What is missing of `wanted`, in its order."""
    have = iter(lines)
    lost = [line for line in wanted if line not in have]
    return [f"{len(lost)} of {len(wanted)} lines are lost, the first is {lost[0]!r}"] if lost else []


def harmless(run, base_mib):
    problems = ["it panicked"] if run.panicked else []
    if run.timed_out or run.json() is None:
        problems.append(f"no report: {run.stderr.strip()[-300:]!r}")
    if run.peak_mib > base_mib + MOST_MIB_MORE:
        problems.append(f"peak memory {run.peak_mib:.0f} MiB, {base_mib:.0f} MiB without a console")
    return problems


def writing(act, delay_secs=0.7):
    """Runs `act` beside the session, once the console is followed."""
    timer = threading.Timer(delay_secs, act)
    timer.start()
    return timer


def append(path, data):
    with path.open("ab") as file:
        file.write(data)


def huge_file(binary, stage, port, base_mib):
    log = stage.folder / "huge.log"
    with log.open("wb") as file:
        file.truncate(5 << 30)
    wanted = numbered(0, 2_000)
    timer = writing(lambda: append(log, b"\n" + "\n".join(wanted).encode() + b"\n"))
    run, lines = check(binary, stage, port, ["--server-log", str(log)], 2)
    timer.join()
    log.unlink()
    return run, harmless(run, base_mib) + contains_in_order(lines, wanted)


def long_line(binary, stage, port, base_mib):
    log = stage.folder / "long.log"
    log.touch()

    def act():
        for _ in range(100):
            append(log, b"x" * 1_000_000)
        append(log, b"\nafter the long line\n")

    timer = writing(act)
    run, lines = check(binary, stage, port, ["--server-log", str(log)], 8, limit_secs=150)
    timer.join()
    long = [line for line in lines if line.startswith("xxx")]
    problems = harmless(run, base_mib) + contains_in_order(lines, ["after the long line"])
    if len(long) != 1 or not long[0].endswith("[line cut at 64 KiB]") or not LINE_LIMIT <= len(long[0]) < LINE_LIMIT + 100:
        problems.append(f"{len(long)} long lines, of {[len(line) for line in long][:5]} bytes")
    return run, problems


def binary_file(binary, stage, port, base_mib):
    log = stage.folder / "binary.log"
    log.touch()
    timer = writing(lambda: append(log, os.urandom(2_000_000) + b"\nafter the bytes\n"))
    run, lines = check(binary, stage, port, ["--server-log", str(log)], 8, limit_secs=150)
    timer.join()
    return run, harmless(run, base_mib) + contains_in_order(lines, ["after the bytes"])


def truncated(binary, stage, port, base_mib):
    log = stage.folder / "truncated.log"
    log.write_text("from before\n")
    wanted = []

    def act():
        for part in range(6):
            lines = numbered(part * 500, part * 500 + 500 - 40 * part)
            wanted.extend(lines)
            log.write_text("\n".join(lines) + "\n")  # truncates, then writes
            time.sleep(0.35)

    timer = writing(act)
    run, lines = check(binary, stage, port, ["--server-log", str(log)], 4)
    timer.join()
    return run, harmless(run, base_mib) + contains_in_order(lines, wanted)


def pipe(binary, stage, port, base_mib, gib):
    """A flood on standard input; what has not been read when the session ends was never a part of it."""
    block = "\n".join(f"flood {number} {'.' * 60}" for number in range(20_000)).encode() + b"\n"
    command = [binary, "check", ws(port, query=""), "--json", "--watch", "25", "--server-log", "-", "--server-wait", "0.5"]
    before = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=stage.folder)
    out = []
    reader = threading.Thread(target=lambda: out.append(process.stdout.read()))
    reader.start()
    written, peak_mib = 0, 0.0
    try:
        while written < gib * (1 << 30) and process.poll() is None:
            process.stdin.write(block)
            written += len(block)
            status = Path(f"/proc/{process.pid}/status")
            if written % (len(block) * 8) == 0 and status.exists():
                peak = next((line for line in status.read_text().splitlines() if line.startswith("VmHWM")), "VmHWM: 0 kB")
                peak_mib = max(peak_mib, int(peak.split()[1]) / 1024)
        process.stdin.close()
    except BrokenPipeError:
        pass
    secs = time.monotonic() - before
    process.wait(60)
    reader.join()
    problems = []
    if peak_mib > base_mib + MOST_MIB_MORE:
        problems.append(f"peak memory {peak_mib:.0f} MiB, {base_mib:.0f} MiB without a console")
    if b'"verdict"' not in (out[0] if out else b""):
        problems.append("no report")
    return problems, f"{written / (1 << 30):.2f} GiB in {secs:.0f} s, peak {peak_mib:.0f} MiB"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sockeye", required=True)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--gib", type=float, default=5.0)
    options = parser.parse_args()
    work = options.work.resolve()
    stage = Stage(work, work / "logs" / "console")
    tally = Tally()
    try:
        port = stage.node("ws")
        base, _ = check(options.sockeye, stage, port, [], 1)
        for name, play in [("5 GiB there, 2000 lines added", huge_file), ("a line of 100 MB", long_line),
                           ("2 MB of random bytes", binary_file), ("truncated six times", truncated)]:
            run, problems = play(options.sockeye, stage, port, base.peak_mib)
            tally.row(f"console file: {name}", problems, f"peak {run.peak_mib:.0f} MiB, {base.peak_mib:.0f} MiB without")
        problems, note = pipe(options.sockeye, stage, port, base.peak_mib, options.gib)
        tally.row("console pipe: a flood", problems, note)
    finally:
        stage.end()
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
