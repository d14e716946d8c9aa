"""What the scripts of this folder share: a server as a child process, one run of Sockeye, and test tokens."""

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
START_SECS = 60.0


class Server:
    """A server process that names its port in the line `listening on port N`; its console goes to `log`."""

    def __init__(self, command, env, cwd, log):
        self.log = Path(log)
        self._port = None
        self._ready = threading.Event()
        self.process = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **env}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=self._read, name="server-console", daemon=True)
        self._reader.start()

    @property
    def port(self):
        if not self._ready.wait(START_SECS) or self._port is None:
            self.stop()
            raise RuntimeError(f"the server named no port: {self.console()!r}")
        return self._port

    def console(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self._reader.join(2)

    def _read(self):
        with self.log.open("wb") as log:
            for line in self.process.stdout:
                log.write(line)
                log.flush()
                found = re.search(rb"listening on port (\d+)", line)
                if found:
                    self._port = int(found.group(1))
                    self._ready.set()
        self._ready.set()


@dataclass
class Run:
    """How one run of Sockeye ended."""

    status: int
    stdout: str
    stderr: str
    peak_mib: float
    secs: float
    timed_out: bool

    @property
    def panicked(self):
        return self.status == 101 or "panicked at" in self.stderr

    def json(self):
        """The one object on standard output, or None."""
        try:
            return json.loads(self.stdout)
        except ValueError:
            return None


def run_sockeye(binary, arguments, cwd, env=None, limit_secs=60.0):
    """Runs Sockeye to its end and measures its peak resident memory."""
    started = time.monotonic()
    # Files without a name: scripts that share a folder must not write over what another one's Sockeye says.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [binary, *arguments], cwd=cwd, env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL, stdout=out, stderr=err,
        )
        timer = threading.Timer(limit_secs, process.send_signal, [signal.SIGKILL])
        timer.start()
        _, raw_status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(raw_status)
        timer.cancel()
        secs = time.monotonic() - started
        stdout, stderr = written(out), written(err)
    return Run(
        status=process.returncode,
        stdout=stdout,
        stderr=stderr,
        peak_mib=usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024),
        secs=secs,
        timed_out=process.returncode == -signal.SIGKILL,
    )


def written(file):
    """What was written to a file that is open still."""
    file.seek(0)
    return file.read().decode(errors="replace")


def options_of_check(binary):
    """The long options that this build of `sockeye check` offers."""
    text = subprocess.run([binary, "check", "--help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"--[a-z][a-z0-9-]*", text))


def free_port(host="127.0.0.1"):
    """A port on which nobody listens."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as held:
        held.bind((host, 0))
        return held.getsockname()[1]


def has_ipv6_loopback():
    try:
        with socket.socket(socket.AF_INET6) as held:
            held.bind(("::1", 0))
        return True
    except OSError:
        return False


def localhost_addresses():
    """What getaddrinfo gives for `localhost`, in its order."""
    return list(dict.fromkeys(row[4][0] for row in socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)))


def new_secret():
    return secrets.token_urlsafe(24)


def mint(secret, claims=None, lifetime_secs=3600, alg="HS256"):
    """A token as the guide's server wants it; `alg` may be `none`."""
    now = int(time.time())
    claims = {"userId": "u1", "tenantId": "t1", "iat": now - 7200, "exp": now + lifetime_secs, **(claims or {})}
    signing_input = f"{_base64url(json.dumps({'alg': alg, 'typ': 'JWT'}))}.{_base64url(json.dumps(claims))}"
    if alg == "none":
        return f"{signing_input}."
    signature = hmac.new(secret.encode(), signing_input.encode(), hashlib.sha256).digest()
    return f"{signing_input}.{_base64url(signature)}"


def _base64url(data):
    data = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Tally:
    """One line a row, and the sum at the end."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def row(self, name, problems, note=""):
        if problems:
            self.failed += 1
        else:
            self.passed += 1
        print(f"{'FAIL' if problems else 'ok  '} {name}{'  ' + note if note else ''}", flush=True)
        for problem in problems:
            print(f"       {problem}", flush=True)

    def skip(self, name, reason):
        self.skipped += 1
        print(f"skip {name}: {reason}", flush=True)

    def finish(self):
        """Prints the sum alone on a line; the exit status."""
        if self.skipped:
            print(f"{self.skipped} skipped", flush=True)
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0
