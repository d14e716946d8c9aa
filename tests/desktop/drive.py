#!/usr/bin/env python3
"""Drives the real window with keys: connects, sends, sees a 1008 and a 1006, saves, opens again."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SOCKEYE = os.environ["SOCKEYE"]
SHOTS = Path(os.environ["SOCKEYE_SHOTS"])
# Beside the installed packages, under a name that may stand in a picture.
SERVER = shutil.copy(sys.argv[1], "server.mjs")
SECRET = "desktop-secret"
passed, failed = 0, 0


def check(what, ok, detail=""):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
    print(f"{'ok  ' if ok else 'FAIL'} {what}{'' if ok else ': ' + str(detail)}", flush=True)


def wait_for(what, probe, seconds=30):
    """Polls until the probe gives something; an assertion with words otherwise."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = probe()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come in {seconds} s")


class Server:
    """The guide's Node server with one scenario."""

    def __init__(self, scenario):
        env = dict(os.environ, JWT_SECRET=SECRET)
        self.process = subprocess.Popen(
            ["node", SERVER, scenario], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
        )
        for line in self.process.stdout:
            if "listening on port" in line:
                self.port = int(line.rsplit(" ", 1)[1])
                break
        self.lines = []
        threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True).start()

    def connections(self):
        """How many connections have come so far."""
        return sum("New connection attempt" in line for line in list(self.lines))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def token(expires_in):
    script = f"console.log(require('jsonwebtoken').sign({{userId:'u',tenantId:'t'}},'{SECRET}',{{expiresIn:{expires_in}}}))"
    return subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True).stdout.strip()


class Display:
    """An X server of our own."""

    def __init__(self, size):
        read, write = os.pipe()
        words = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"]
        self.process = subprocess.Popen(words, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        # The number and its line end are written apart; a pipe closed in between would end the server.
        with os.fdopen(read) as numbers:
            self.name = ":" + numbers.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Window:
    """The program in its window, with a home of its own, or one that an earlier window has left."""

    def __init__(self, display, home=None, **extra):
        self.home = home or tempfile.TemporaryDirectory()
        self.is_own_home = home is None
        path = f"{self.home.name}/bin:{os.environ['PATH']}"
        self.env = dict(os.environ, DISPLAY=display.name, HOME=self.home.name, PATH=path, LIBGL_ALWAYS_SOFTWARE="1", **extra)
        for name in ("WAYLAND_DISPLAY", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS"):
            self.env.pop(name, None)
        self.log = open(f"{self.home.name}/stderr", "w+")
        self.process = subprocess.Popen([SOCKEYE], env=self.env, stdout=self.log, stderr=self.log)
        wait_for("the window", self.focus, 60)
        time.sleep(2)

    def focus(self):
        """Gives the window the keyboard once it is there: no window manager does that here."""
        if not self.is_alive():
            raise AssertionError(f"the window is gone: {self.stderr()}")
        for name in self.run("xdotool", "search", "--onlyvisible", "--name", "^Sockeye", check=False).split():
            words = ["xdotool", "windowfocus", name]
            if subprocess.run(words, env=self.env, capture_output=True, timeout=30).returncode == 0:
                return name
        return None

    def run(self, *words, check=True):
        return subprocess.run(words, env=self.env, capture_output=True, text=True, check=check, timeout=30).stdout

    def keys(self, *keys, then=0.4):
        self.run("xdotool", "key", "--clearmodifiers", *keys)
        time.sleep(then)

    def paste(self, text):
        clip = subprocess.Popen(["xclip", "-selection", "clipboard"], env=self.env, stdin=subprocess.PIPE)
        clip.communicate(text.encode(), timeout=10)
        self.keys("ctrl+v", then=0.6)

    def shot(self, name):
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.run("import", "-window", "root", str(SHOTS / f"{name}.png"))

    def url(self, url):
        self.keys("ctrl+l")
        self.keys("ctrl+a")
        self.paste(url)

    def is_alive(self):
        return self.process.poll() is None

    def stderr(self):
        self.log.flush()
        return Path(self.log.name).read_text(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        if self.is_own_home:
            self.home.cleanup()


def rows(path, *more):
    """The rows of a saved session, as the command line reads them."""
    words = [SOCKEYE, "export", str(path), "--to", "jsonl", *more]
    out = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def verdict(path):
    concluded = [row for row in rows(path) if row["kind"] == "concluded"]
    return concluded[-1]["event"]["cause"] if concluded else None


def save(window, name):
    path = Path(window.home.name) / name
    window.keys("ctrl+s", then=1.2)
    window.keys("ctrl+a")
    window.paste(str(path))
    window.keys("Return", then=0.5)
    try:
        return wait_for(f"the file {name}", lambda: path if path.exists() else None, 10)
    except AssertionError:
        window.shot(f"failed-{name}")
        return None


def main_path(display, look, light=False, **extra):
    """The main task in one look: a picture after each step, under the look's name."""
    with Window(display, **extra) as window:
        if light:
            window.keys("ctrl+k")
            window.run("xdotool", "type", "light, dark")
            window.keys("Return", then=4)
        shot = lambda name: window.shot(f"{look}-{name}")
        shot("01-first-start")
        good, expired = token(3600), token(-3600)
        with Server("good") as server:
            window.url(f"ws://127.0.0.1:{server.port}/?token={good}&agentId=a1")
            window.keys("ctrl+Return", then=1.5)
            shot("02-open")
            window.keys("ctrl+m")
            window.paste("hello from the window")
            window.keys("ctrl+Return", then=1)
            shot("03-sent")
            window.keys("ctrl+d", then=1.5)
            shot("04-closed")
            path = save(window, "open.sockeye")
            check(f"{look}: a session is saved", path is not None)
            if path:
                texts = [row.get("text") for row in rows(path) if row.get("direction") == "client_to_server"]
                check(f"{look}: what was typed was sent", any("hello from the window" in (text or "") for text in texts), texts)
                check(f"{look}: the user's own close is nobody's fault", verdict(path) == "ended-by-user", verdict(path))
            window.keys("ctrl+n")
            window.url(f"ws://127.0.0.1:{server.port}/?token={expired}&agentId=a1")
            window.keys("ctrl+Return", then=2)
            shot("05-close-1008")
            path = save(window, "expired.sockeye")
            check(f"{look}: 1008 is explained by the token", path is not None and verdict(path) == "jwt-expired", path and verdict(path))
        with Server("exit-confirmed") as server:
            window.keys("ctrl+n")
            window.url(f"ws://127.0.0.1:{server.port}/?token={good}&agentId=a1")
            window.keys("ctrl+Return", then=2.5)
            shot("06-close-1006")
            window.keys("ctrl+j")
            window.keys("Tab")
            window.keys("Return", then=0.8)
            shot("07-evidence")
            path = save(window, "died.sockeye")
            check(f"{look}: 1006 is explained by the dead process", path is not None and verdict(path) == "server-process-died", path and verdict(path))
        if path:
            window.keys("ctrl+o", then=1.2)
            window.keys("ctrl+a")
            window.paste(str(path))
            window.keys("Return", then=1.5)
            shot("08-opened-again")
        check(f"{look}: the window lives", window.is_alive(), window.stderr())
        check(f"{look}: nothing panicked", "panicked" not in window.stderr(), window.stderr())


def dialog(display):
    """A file dialog answers: here a program by the name of zenity, which the window finds on its PATH."""
    with Window(display) as window:
        folder = Path(window.home.name) / "bin"
        folder.mkdir()
        zenity = folder / "zenity"
        zenity.write_text('#!/bin/sh\nsleep 0.3\necho "$HOME/from the dialog.sockeye"\n')
        zenity.chmod(0o755)
        window.keys("ctrl+Return", then=1.5)
        window.keys("ctrl+d", then=1)
        window.keys("ctrl+s", then=0.5)
        path = Path(window.home.name) / "from the dialog.sockeye"
        try:
            wait_for("the file", path.exists, 10)
        except AssertionError:
            window.shot("failed-dialog")
        check("a file dialog says where to save", path.exists() and verdict(path) == "ended-by-user", window.stderr())


def profile(display):
    """The form is saved under a name: in a private file, without its token; the name is still there after a restart."""
    home, secret = tempfile.TemporaryDirectory(), token(3600)
    path = Path(home.name) / ".config/sockeye/profiles.json"
    with Window(display, home) as window:
        window.url(f"ws://127.0.0.1:3001/?token={secret}&agentId=a1")
        window.keys("ctrl+k")
        window.run("xdotool", "type", "as a profile")
        window.keys("Return", then=1)
        window.run("xdotool", "type", "voice")
        window.keys("Return", then=0.5)
        try:
            wait_for("the profile", path.exists, 10)
        except AssertionError:
            window.shot("failed-profile")
        window.shot("profile-01-saved")
    text = path.read_text() if path.exists() else "{}"
    profiles = json.loads(text).get("profiles", [])
    check("a profile is saved under its name", [profile["name"] for profile in profiles] == ["voice"], text)
    check("the URL is in it, the token is not", "agentId=a1" in text and secret not in text, text)
    check("its file is private", path.exists() and path.stat().st_mode & 0o777 == 0o600)
    with Window(display, home) as window:
        window.shot("profile-02-after-a-restart")
        check("the window starts with it", window.is_alive() and "panicked" not in window.stderr(), window.stderr())
    kept = "".join(file.read_text() for file in Path(home.name).glob(".local/share/sockeye/*.ron"))
    check("its name is kept, and no token", "voice" in kept and secret not in kept, kept)
    home.cleanup()


def done():
    """Says what passed, and ends the program."""
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    with Display("1280x800") as display:
        main_path(display, "dark")
        main_path(display, "light", light=True)
        dialog(display)
        profile(display)
    with Display("1024x700") as display:
        main_path(display, "small")
    with Display("2560x1600") as display:
        main_path(display, "scale-2", WINIT_X11_SCALE_FACTOR="2")
    done()
