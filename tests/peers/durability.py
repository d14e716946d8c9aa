#!/usr/bin/env python3
"""Recordings whose disk is full, read-only, or deleted under them: a note, and nothing lost.

`durability.py --sockeye BINARY --work FOLDER`. Mounts small file systems in memory, which needs root; without it these
rows are skipped.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from harness import HERE, Server, Tally, run_sockeye

SAVED = re.compile(r"the session was saved to (.+)")
RECORDED = re.compile(r"recorded (\d+) frames in")


class Durability:
    def __init__(self, binary, work, port):
        self.binary, self.work = binary, work
        self.url = f"ws://127.0.0.1:{port}/"
        self.tally = Tally()
        self.data = work / "data"
        self.data.mkdir()
        # Where sessions without a name go.
        self.env = {**os.environ, "XDG_DATA_HOME": str(self.data), "TMPDIR": str(self.data)}

    def record(self, journal, secs, meanwhile=None):
        """Records for so long, then interrupts; the status, standard error, and the frames that were counted."""
        errors = self.work / "durability.stderr"
        with errors.open("wb") as stderr:
            process = subprocess.Popen(
                [self.binary, "record", self.url, "-o", journal], env=self.env,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
            )
            if meanwhile:
                threading.Timer(secs / 3, meanwhile).start()
            time.sleep(secs)
            process.send_signal(2)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        text = errors.read_text(errors="replace")
        counts = RECORDED.findall(text)
        return process.returncode, text, int(counts[-1]) if counts else 0

    def frames(self, path):
        run = run_sockeye(self.binary, ["export", str(path), "--to", "json"], self.work, limit_secs=120)
        seen = run.json()
        return None if seen is None else seen["frames"]["sent"] + seen["frames"]["received"]

    def in_trouble(self, name, journal, secs, words, meanwhile=None):
        status, text, counted = self.record(journal, secs, meanwhile)
        problems = ["it panicked"] if "panicked" in text else []
        if not re.search(words, text):
            problems.append(f"no note matches {words!r}: {text[-500:]!r}")
        saved = SAVED.search(text)
        if not saved:
            problems.append(f"nothing was saved elsewhere (status {status}): {text[-500:]!r}")
        else:
            kept = self.frames(saved.group(1).strip())
            if kept != counted or not counted:
                problems.append(f"{counted} frames were counted, {kept} are in what was saved")
        self.tally.row(name, problems, f"{counted} frames")

    def full(self):
        with Mounted(self.work / "small", "size=512k") as folder:
            self.in_trouble("a disk of 512 KiB runs full", folder / "full.sockeye", 1.0, "cannot be written")
            torn = self.frames(folder / "full.sockeye")
            self.tally.row("what fitted on the full disk opens", [] if torn else [f"{torn} frames"], f"{torn} frames")

    def read_only(self):
        with Mounted(self.work / "fixed", "size=2m") as folder:
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
            status, text, _ = self.record(folder / "no.sockeye", 1.0)
            problems = [] if status == 3 and "could not be created" in text else [f"status {status}: {text[-400:]!r}"]
            self.tally.row("a read-only folder is refused in words", problems + (["it panicked"] if "panicked" in text else []))
            # A session without a name goes elsewhere by itself, or to memory.
            env = {**self.env, "XDG_DATA_HOME": str(folder), "TMPDIR": str(folder)}
            out = self.work / "unnamed.jsonl"
            run = run_sockeye(self.binary, ["check", "practice", "--watch", "0", "--save", str(out)], self.work, env=env)
            problems = []
            if run.status != 0 or not out.exists() or "no file can be created" not in run.stderr:
                problems.append(f"status {run.status}: {run.stderr[-400:]!r}")
            self.tally.row("without a place for a journal the session is kept in memory, and says so", problems)

    def deleted(self):
        folder = self.work / "doomed"
        folder.mkdir()
        self.in_trouble(
            "the folder is deleted under a recording", folder / "gone.sockeye", 4.0, "deleted or moved away",
            lambda: shutil.rmtree(folder),
        )


class Mounted:
    """A small file system in memory."""

    def __init__(self, folder, options):
        self.folder, self.options = folder, options

    def __enter__(self):
        self.folder.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", self.options, "tmpfs", self.folder], check=True, capture_output=True)
        return self.folder

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.folder], check=False)


def can_mount(work):
    try:
        with Mounted(work / "probe", "size=64k"):
            return True
    except (subprocess.CalledProcessError, OSError):
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockeye", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    work = options.work.resolve()
    server = Server(["node", HERE / "node.mjs", "flood"], {}, work, work / "durability.log")
    # A folder of its own: another run in the same work folder must not write over these files.
    with tempfile.TemporaryDirectory(prefix="durability-", dir=work) as own:
        try:
            durability = Durability(options.sockeye.resolve(), Path(own), server.port)
            if can_mount(Path(own)):
                durability.full()
                durability.read_only()
            else:
                durability.tally.skip("a full disk, a read-only folder", "no file system can be mounted here")
            durability.deleted()
        finally:
            server.stop()
    return durability.tally.finish()


if __name__ == "__main__":
    sys.exit(main())
