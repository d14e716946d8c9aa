#!/usr/bin/env python3
"""The token workbench in the real window, by keys alone: paste, mend, use, connect; verify with a slip; mint; the matrix.

Then what must not outlive the window: a copied secret in the clipboard, and planted secrets in anything that is written.
Arguments and environment are those of drive.py.
"""
import base64
import os
import subprocess
import time
from pathlib import Path

from drive import SECRET, SOCKEYE, Display, Server, Window, check, done, rows, save, token, wait_for

# From the button that uses the token, which has the focus after a paste: audience, issuer, leeway, then the secret.
TO_SECRET = 4
# From the secret: the button that shows it, four forms, the field of a file, and the header of the variants.
TO_VARIANTS = 7
# Once something was sent: the button that inspects it.
SENT = 1
# In the section that mints: three presets, the claims above, the editor, the algorithm, then the secret.
PRESET_TO_SECRET = 6


class Workbench(Window):
    """The window, with words for what is done in the token panel."""

    def clip(self, text):
        """Puts a text into the clipboard, owned by another program, as everything is that was copied elsewhere."""
        clip = subprocess.Popen(["xclip", "-selection", "clipboard"], env=self.env, stdin=subprocess.PIPE)
        clip.communicate(text.encode(), timeout=10)

    def clipboard(self):
        """What a paste would give; empty where nothing owns the clipboard."""
        words = ["xclip", "-selection", "clipboard", "-o"]
        return subprocess.run(words, env=self.env, capture_output=True, text=True, timeout=10).stdout

    def take(self, text):
        """Pastes a text into the token panel with one key."""
        self.clip(text)
        self.keys("ctrl+t", then=1)

    def tab(self, times):
        # Each in a pass of its own: the focus moves once a pass.
        self.run("xdotool", "key", "--clearmodifiers", "--delay", "200", *["Tab"] * times)
        time.sleep(0.3)

    def type(self, text):
        self.run("xdotool", "type", "--delay", "10", text)
        time.sleep(0.6)

    def theme(self, name):
        if name == "light":
            self.keys("ctrl+k")
            self.type("light, dark")
            self.keys("Return", then=4)

    def quit(self):
        self.keys("ctrl+q", then=0.1)
        self.process.wait(timeout=30)


def sockeye(*words):
    return subprocess.run([SOCKEYE, *words], capture_output=True, text=True, timeout=60)


def main_path(display, look, theme):
    good = token(3600)
    with Workbench(display) as window, Server("good") as server:
        window.theme(theme)
        shot = lambda name: window.shot(f"token-{look}-{name}")
        window.url(f"ws://127.0.0.1:{server.port}/?token=old&agentId=a1")
        window.take(f"Authorization: Bearer {good}")
        shot("01-decode")
        window.tab(1)
        window.keys("Return")
        shot("02-mended")
        window.keys("Return")
        window.keys("ctrl+Return", then=2)
        shot("03-used")
        window.keys("ctrl+d", then=1.5)
        path = save(window, "used.sockeye")
        sent = [row.get("text", "") for row in rows(path, "--no-redact") if row["kind"] == "request"] if path else []
        is_sent = any(f"?token={good}&agentId=a1 " in text for text in sent)
        check(f"{look}: what was pasted was mended, used and sent without a mouse", is_sent, sent)

        window.take(good)
        window.tab(TO_SECRET)
        window.type(f'"{SECRET}"')
        shot("04-verify-slip")
        window.keys("ctrl+a")
        window.type(SECRET)
        shot("05-verify")
        window.tab(TO_VARIANTS + SENT + 1)
        window.keys("Return", then=1)
        window.tab(1)
        window.keys("Return")
        window.tab(PRESET_TO_SECRET)
        window.type(SECRET)
        window.tab(1)
        window.keys("Return")
        window.tab(2)
        window.keys("Return", then=0.6)
        shot("06-mint")
        minted = window.clipboard()
        judged = sockeye("token", minted, "--secret", SECRET)
        is_new = minted != good and judged.returncode == 0
        check(f"{look}: a token minted by keys is good", is_new, judged.stdout + judged.stderr)

        window.take(good)
        window.tab(TO_SECRET + TO_VARIANTS + SENT)
        window.keys("Return", then=1.5)
        shot("07-variants")
        made = sockeye("token", "variants", good, "--secret", SECRET).stdout.splitlines()
        window.tab(len(made))
        before = server.connections()
        window.keys("Return", then=1)
        tried = lambda: server.connections() - before >= len(made)
        try:
            wait_for("every variant on the server", tried, 90)
        except AssertionError:
            pass
        check(f"{look}: every variant was tried on the server", tried(), f"{server.connections() - before} of {len(made)}")
        time.sleep(2)
        shot("08-matrix")
        window.tab(1)
        shot("09-matrix-row")
        check(f"{look}: the window lives", window.is_alive(), window.stderr())
        check(f"{look}: nothing panicked", "panicked" not in window.stderr(), window.stderr())


def clipboard(display):
    """A secret that was copied goes with the window if it is still in the clipboard; anything else stays."""
    def copied(window):
        pasted = token(60)
        window.take(pasted)
        window.tab(TO_SECRET)
        window.type(SECRET)
        window.tab(TO_VARIANTS)
        window.keys("Return", then=1.5)
        window.tab(1)
        window.keys("Return")
        # The variant stands below its buttons: what uses it, then what copies it.
        made = sockeye("token", "variants", pasted, "--secret", SECRET).stdout.splitlines()
        window.tab(len(made))
        window.keys("Return")
        text = window.clipboard()
        check("a variant was copied", text != pasted and text.count(".") == 2 and text.startswith("eyJ"), text)
        return text

    with Workbench(display) as window:
        text = copied(window)
        # As clipboard managers do: the same text, owned by a program that stays.
        window.clip(text)
        check("another program owns the copy", window.clipboard() == text)
        window.quit()
        check("a copied token is gone with the window", window.clipboard() == "", window.clipboard())
    with Workbench(display) as window:
        copied(window)
        window.clip("something else")
        window.quit()
        check("what was copied later stays", window.clipboard() == "something else", window.clipboard())


def planted(display):
    """Secrets typed and read everywhere are in no title, no trace, no file that the window writes by itself."""
    secrets = {place: f"planted-{place}-{nth}4711" for nth, place in enumerate(["panel", "mint", "env", "kin"])}
    with Workbench(display, SOCKEYE_LOG="trace") as window, Server("good") as server:
        good = token(3600)
        folder = Path(window.home.name) / "project"
        folder.mkdir()
        (folder / ".env").write_text(f"JWT_SECRET={secrets['env']}\n")
        (folder / ".env.local").write_text(f"JWT_SECRET={secrets['kin']}\n")
        window.url(f"ws://127.0.0.1:{server.port}/?token={good}&agentId=a1")
        window.take(good)
        window.tab(TO_SECRET)
        window.type(secrets["panel"])
        window.tab(TO_VARIANTS - 1)
        window.type(str(folder / ".env"))
        window.tab(1)
        window.keys("Return", then=1)
        window.shot("token-planted-01-read")
        # A choice of the secret that decides stands between the button and the headers.
        window.tab(3)
        window.keys("Return", then=1)
        window.tab(1)
        window.keys("Return")
        window.tab(PRESET_TO_SECRET)
        window.type(secrets["mint"])
        window.tab(1)
        window.keys("Return")
        window.shot("token-planted-02-minted")
        window.keys("ctrl+f")
        window.type(secrets["panel"])
        window.keys("Return")
        window.keys("ctrl+Return", then=2)
        titles = window.run("xdotool", "search", "--onlyvisible", "--name", "^Sockeye", "getwindowname", "%@")
        window.keys("ctrl+d", then=1.5)
        saved = save(window, "planted.sockeye")
        check("the session was saved", saved is not None)
        titles += window.run("xdotool", "search", "--onlyvisible", "--name", "^Sockeye", "getwindowname", "%@")
        window.quit()
        trace = window.stderr()
        check("the trace was on", "TRACE" in trace or "DEBUG" in trace, trace[:200])
        written = [path for path in Path(window.home.name).rglob("*") if path.is_file() and path.parent != folder]
        texts = {str(path.relative_to(window.home.name)): path.read_bytes() for path in written}
        texts["the titles"] = titles.encode()
        for place, secret in secrets.items():
            shapes = [secret.encode(), base64.b64encode(secret.encode()).rstrip(b"="), secret.encode().hex().encode()]
            found = [name for name, text in texts.items() if any(shape in text for shape in shapes)]
            check(f"the secret of {place} is in none of {len(texts)} texts", not found, found)
        # A journal holds the request as it travelled, and is readable for its owner alone.
        bearing = {name for name, text in texts.items() if good.encode() in text}
        check("the token is in recordings alone", all(name.endswith(".sockeye") for name in bearing), bearing)
        modes = {name: oct((Path(window.home.name) / name).stat().st_mode & 0o777) for name in bearing}
        check("recordings are private", set(modes.values()) == {"0o600"}, modes)


if __name__ == "__main__":
    with Display("1280x800") as display:
        main_path(display, "dark", "dark")
        main_path(display, "light", "light")
        clipboard(display)
        planted(display)
    with Display("1024x700") as display:
        main_path(display, "small-dark", "dark")
        main_path(display, "small-light", "light")
    done()
