#!/usr/bin/env python3
"""Runs `sockeye check` against real Node `ws` and Python `websockets` servers and compares each verdict.

`drive.py --sockeye BINARY --work FOLDER [--only TEXT] [--list]`; FOLDER holds node_modules, venv and tls (see run.sh).
A row is one server, one run, one expected verdict. Each run is also searched for the token and the secret.
"""

import argparse
import json
import sys
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from harness import HERE, Server, Tally, free_port, has_ipv6_loopback, localhost_addresses, mint, new_secret, options_of_check, run_sockeye

SECRET = new_secret()
OTHER_SECRET = new_secret()
GOOD = mint(SECRET)
EXPIRED = mint(SECRET, lifetime_secs=-3600)
FOREIGN = mint(OTHER_SECRET)
LONG_TEXT = "x" * 4096

# The server's secret and a wrong one, as files for --secret-file (placed in the work folder).
SECRET_FILES = {"secret": SECRET, "secret-with-line-end": SECRET + "\n", "secret-env": f'JWT_SECRET="{SECRET}"\n'}


@dataclass
class Row:
    """One run. `url` and `args` may name {port}, {work} and {log}; None in an expectation means: any."""

    name: str
    server: tuple | None                    # ("node" | "python", scenario, environment)
    cause: str | set | None
    ending: str | set | None = "closed"
    browser_code: int | None = None
    token: str | None = GOOD                # in the query, percent-encoded; None: no token at all
    host: str = "127.0.0.1"
    scheme: str = "ws"
    path: str = "/"
    args: tuple = ()
    env: dict = field(default_factory=dict)
    confirm_secs: float = 2.0
    also: Callable | None = None            # a further look at the JSON; returns a list of complaints
    secrets: tuple = ()                     # more words that must not be printed
    unless: Callable | None = None          # given the work folder: why the row cannot run here, or None

    def url(self, port):
        host = f"[{self.host}]" if ":" in self.host else self.host
        query = "" if self.token is None else f"token={urllib.parse.quote(self.token, safe='')}&"
        return f"{self.scheme}://{host}:{port}{self.path}?{query}agentId=a1"


def node(scenario, **env):
    return ("node", scenario, {"JWT_SECRET": SECRET, **env})


def python(scenario, **env):
    return ("python", scenario, {"JWT_SECRET": SECRET, **env})


HEALTHY = {"cause": "healthy", "ending": "open", "browser_code": 1000}
DIED = {"cause": "server-process-died", "ending": "fin", "browser_code": 1006}
TERMINATED = {"cause": "connection-terminated", "ending": "fin", "browser_code": 1006}
REFUSED_1008 = {"ending": "closed", "browser_code": 1008}
REFUSED_HTTP = {"ending": "upgrade-refused", "browser_code": 1006}
WITH_SECRET = ("--secret-file", "{work}/secret")
WITH_LOG = ("--server-log", "{log}")


def ids(verdict, key):
    return {entry.get("id") or entry.get("cause") for entry in verdict.get(key) or []}


def finds(wanted):
    return lambda report: [] if wanted in ids(report["verdict"], "findings") else [f"no finding {wanted}: {sorted(ids(report['verdict'], 'findings'))}"]


def alternative(wanted):
    return lambda report: [] if wanted in ids(report["verdict"], "alternatives") else [f"no alternative {wanted}: {sorted(ids(report['verdict'], 'alternatives'))}"]


def equals(pointer, wanted):
    def look(report):
        value = report
        for step in pointer.split("/"):
            value = value.get(step) if isinstance(value, dict) else None
        return [] if value == wanted else [f"{pointer} is {value!r}, not {wanted!r}"]
    return look


def both(*looks):
    return lambda report: [complaint for look in looks for complaint in look(report)]


def names_a_note(report):
    return [] if report["token"]["notes"] else ["token.notes is empty, though only another reading of the secret verifies"]


def no_ipv6(_):
    return None if has_ipv6_loopback() else "no IPv6 loopback on this machine"


def no_certificates(work):
    return None if (work / "tls" / "self.crt").exists() else "no openssl to make certificates with"


def family_rows(peer, make):
    """A server on ::1 alone, reached by each of its names."""
    server = make("good", HOST="::1")
    by_name = "::1" in localhost_addresses()
    return [
        Row(f"{peer}: on ::1 only, by [::1]", server, host="::1", unless=no_ipv6, **HEALTHY),
        Row(f"{peer}: on ::1 only, by 127.0.0.1", server, "localhost-family-mismatch", "connect-failed", 1006, unless=no_ipv6),
        Row(f"{peer}: on ::1 only, by localhost (getaddrinfo gives ::1)", server, host="localhost", unless=no_ipv6,
            **HEALTHY, also=finds("localhost-family-mismatch") if localhost_addresses()[0] != "::1" else None) if by_name else
        Row(f"{peer}: on ::1 only, by localhost (getaddrinfo gives 127.0.0.1 alone)", server, "localhost-family-mismatch",
            {"connect-failed", "open"}, host="localhost", unless=no_ipv6),
        Row(f"{peer}: on 127.0.0.1 only, by localhost", make("good"), host="localhost", **HEALTHY),
    ]


def main_rows(peer, make):
    """What both peers must show alike; scenario names are the same on both sides."""
    return [
        Row(f"{peer}: good token", make("good"), **HEALTHY, also=equals("confirmation/ok", True)),
        Row(f"{peer}: good token, secret given", make("good"), **HEALTHY, args=WITH_SECRET, also=equals("token/signature", "valid")),
        Row(f"{peer}: expired", make("good"), "jwt-expired", **REFUSED_1008, token=EXPIRED, also=equals("token/validity", "expired")),
        Row(f"{peer}: wrong secret, secret given", make("good"), "jwt-wrong-secret", **REFUSED_1008, token=FOREIGN,
            args=WITH_SECRET, also=equals("token/signature", "invalid"), secrets=(OTHER_SECRET,)),
        Row(f"{peer}: wrong secret, no secret given", make("good"), "close-1008", **REFUSED_1008, token=FOREIGN,
            also=alternative("jwt-wrong-secret")),
        Row(f"{peer}: no token", make("good"), "token-missing", **REFUSED_1008, token=None),
        Row(f"{peer}: kills itself with SIGKILL", make("kill-9"), **DIED),
        Row(f"{peer}: close 4001 with a reason", make("close-4001"), "close-application", browser_code=4001,
            also=equals("close/received", {"code": 4001, "reason": "agent not found"})),
        Row(f"{peer}: never confirms", make("never-confirms"), "confirmation-missing", "unconfirmed", confirm_secs=1),
    ] + family_rows(peer, make) + tls_rows(peer, make)


def tls_rows(peer, make):
    def tls(certificate):
        return make("tls", TLS_KEY=f"tls/{certificate}.key", TLS_CERT=f"tls/{certificate}.crt")

    failed = {"ending": "tls-failed", "browser_code": 1006, "scheme": "wss", "unless": no_certificates}
    well = {**HEALTHY, "scheme": "wss", "unless": no_certificates}
    return [
        Row(f"{peer}: wss, self-signed", tls("self"), "tls-self-signed", **failed),
        Row(f"{peer}: wss, self-signed, --insecure", tls("self"), **well, args=("--insecure",)),
        Row(f"{peer}: wss, self-signed, --ca", tls("self"), **well, args=("--ca", "{work}/tls/self.crt")),
        Row(f"{peer}: wss, unknown CA", tls("leaf"), "tls-unknown-ca", **failed),
        Row(f"{peer}: wss, own CA, --ca", tls("leaf"), **well, args=("--ca", "{work}/tls/ca.crt")),
        Row(f"{peer}: wss, another name, --ca", tls("other-name"), "tls-name-mismatch", **failed, args=("--ca", "{work}/tls/ca.crt")),
        Row(f"{peer}: wss, expired, --ca", tls("expired"), "tls-expired", **failed, args=("--ca", "{work}/tls/ca.crt")),
        Row(f"{peer}: ws:// to the TLS port", tls("self"), "plain-to-tls", {"upgrade-cut", "upgrade-invalid", "upgrade-refused"}, 1006,
            unless=no_certificates),
        Row(f"{peer}: wss:// to the plain port", make("good"), "tls-to-plain", "tls-failed", 1006, scheme="wss"),
    ]


def node_rows():
    peer = "node ws"
    return main_rows(peer, node) + [
        Row("nobody listens", None, "tcp-refused", "connect-failed", 1006),
        Row("nobody listens, by localhost", None, "tcp-refused", "connect-failed", 1006, host="localhost"),

        # The token and the secret.
        Row(f"{peer}: `Bearer ` in the query", node("good"), "token-bearer-prefix", **REFUSED_1008, token=f"Bearer {GOOD}"),
        Row(f"{peer}: quoted token", node("good"), "token-quoted", **REFUSED_1008, token=f'"{GOOD}"'),
        Row(f"{peer}: token with a line end", node("good"), "token-whitespace", **REFUSED_1008, token=f"{GOOD}\n"),
        Row(f"{peer}: token encoded twice", node("good"), "token-double-encoded", **REFUSED_1008, token=GOOD.replace(".", "%2E")),
        Row(f"{peer}: token `undefined`", node("good"), "token-placeholder", **REFUSED_1008, token="undefined"),
        Row(f"{peer}: token cut before its signature", node("good"), "token-truncated", **REFUSED_1008, token=GOOD.rpartition(".")[0]),
        Row(f"{peer}: token is no JWT", node("good"), "jwt-malformed", **REFUSED_1008, token="letmein"),
        Row(f"{peer}: token not yet active", node("good"), "jwt-not-active", **REFUSED_1008, token=mint(SECRET, {"nbf": 4_000_000_000, "exp": 4_100_000_000})),
        Row(f"{peer}: unsecured JWT", node("good"), "jwt-alg-none", **REFUSED_1008, token=mint(SECRET, alg="none")),
        Row(f"{peer}: wrong secret, .env given", node("good"), "jwt-wrong-secret", **REFUSED_1008, token=FOREIGN,
            args=("--env-file", "{work}/secret-env")),
        Row(f"{peer}: good token, .env given", node("good"), **HEALTHY, args=("--env-file", "{work}/secret-env"),
            also=equals("token/signature", "valid")),
        Row(f"{peer}: secret file with a line end", node("good"), **HEALTHY, args=("--secret-file", "{work}/secret-with-line-end"),
            also=both(equals("token/signature", "invalid"), names_a_note)),
        Row(f"{peer}: server without JWT_SECRET, its console given", node("good", JWT_SECRET=""), "jwt-secret-missing", **REFUSED_1008,
            args=WITH_LOG),
        Row(f"{peer}: wrong secret, its console given", node("good"), "jwt-wrong-secret", **REFUSED_1008, token=FOREIGN, args=WITH_LOG),
        Row(f"{peer}: token from the environment", node("good"), **HEALTHY, token=None, args=("--token-env", "PEERS_TOKEN"),
            env={"PEERS_TOKEN": GOOD}),
        Row(f"{peer}: token from a file", node("good"), **HEALTHY, token="placeholder", args=("--token-file", "{work}/token")),
        Row(f"{peer}: path that the guide's server cannot parse", node("good"), "close-1002", browser_code=1002, path="//"),

        # The process ends.
        Row(f"{peer}: process.exit() in the handler", node("exit-at-once"), **DIED),
        Row(f"{peer}: process.exit(1) after the confirmation", node("exit-confirmed"), **DIED, also=equals("confirmation/ok", True)),
        Row(f"{peer}: exception thrown in the handler", node("sync-throw"), **DIED),
        Row(f"{peer}: unhandled rejection", node("unhandled-rejection"), **DIED),
        Row(f"{peer}: process.exit(1) in the upgrade listener", node("exit-in-upgrade"), "server-process-died", {"upgrade-cut"}, 1006),

        # The connection ends.
        Row(f"{peer}: terminate()", node("terminate"), **TERMINATED),
        Row(f"{peer}: terminate() before the confirmation", node("terminate-at-once"), **TERMINATED),
        Row(f"{peer}: terminate(), expired token that nobody checked", node("terminate-at-once"), **TERMINATED, token=EXPIRED,
            also=both(alternative("jwt-expired"), finds("jwt-expired"))),
        Row(f"{peer}: fatal error in the handler, its console given", node("fatal-error"), "handler-exception", "fin", 1006, args=WITH_LOG),
        Row(f"{peer}: resetAndDestroy()", node("reset"), "connection-reset", "rst", 1006),
        Row(f"{peer}: a frame cut short", node("frame-cut"), "frame-truncated", "fin", 1006),
        Row(f"{peer}: an HTTP answer as the first bytes", node("http-body-first"), "http-body-after-101", "protocol-error", 1006),
        Row(f"{peer}: an HTTP answer between frames", node("http-body"), "two-writers-interleave", "protocol-error", 1006),
        Row(f"{peer}: heartbeat, pongs withheld", node("heartbeat"), {"heartbeat-terminate", "connection-terminated"}, "fin", 1006,
            args=("--no-pong", "--watch", "6")),
        Row(f"{peer}: heartbeat, pongs sent", node("heartbeat"), **HEALTHY, args=("--watch", "4")),

        # Close frames.
        Row(f"{peer}: close()", node("close-empty"), "close-empty", browser_code=1005),
        *[Row(f"{peer}: close({code})", node(f"close-{code}"), f"close-{code}", browser_code=code) for code in (1000, 1001, 1011, 1012, 1013)],
        Row(f"{peer}: our text is over maxPayload", node("max-payload"), "message-too-big-by-server", browser_code=1009, args=("--send", LONG_TEXT)),
        Row(f"{peer}: we close with 4000", node("good"), "healthy", "open", 4000, args=("--close", "4000:done"),
            also=equals("close/sent", {"code": 4000, "reason": "done"})),

        # The upgrade.
        Row(f"{peer}: no upgrade listener, 404", node("no-listener-404"), "http-404", **REFUSED_HTTP, also=equals("upgrade/body", "Cannot GET /")),
        Row(f"{peer}: no upgrade listener, 200", node("no-listener-200"), "http-200", **REFUSED_HTTP),
        Row(f"{peer}: no upgrade listener, a page", node("spa"), "http-200-spa", **REFUSED_HTTP),
        Row(f"{peer}: redirect to a login", node("redirect-login"), "http-redirect-login", **REFUSED_HTTP),
        *[Row(f"{peer}: status {code}", node(f"status-{code}"), f"http-{code}", **REFUSED_HTTP) for code in (429, 500, 503)],
        Row(f"{peer}: another path", node("wrong-path"), "http-400-path-mismatch", **REFUSED_HTTP),
        Row(f"{peer}: verifyClient says no", node("verify-client"), "http-401", **REFUSED_HTTP),
        Row(f"{peer}: verifyClient says no, no token", node("verify-client"), "token-missing", **REFUSED_HTTP, token=None),
        Row(f"{peer}: verifyClient says no, expired token", node("verify-client"), "jwt-expired", **REFUSED_HTTP, token=EXPIRED),
        Row(f"{peer}: 401 by hand", node("raw-401"), "http-401", **REFUSED_HTTP),
        Row(f"{peer}: subprotocol unanswered", node("refuses-subprotocol"), "subprotocol-unanswered", "upgrade-invalid", 1006,
            args=("--subprotocol", "chat")),
        Row(f"{peer}: socket destroyed in the upgrade listener", node("upgrade-destroyed"), "upgrade-fin-nobytes", "upgrade-cut", 1006),
        Row(f"{peer}: upgrade never answered", node("upgrade-ignored"), "upgrade-unanswered", "upgrade-unanswered", 1006,
            args=("--upgrade-timeout", "1")),
        Row(f"{peer}: the event loop is blocked", node("upgrade-blocks"), "server-blocked", "upgrade-unanswered", 1006,
            args=("--upgrade-timeout", "1")),

        # All well.
        Row(f"{peer}: two messages echoed", node("good"), **HEALTHY, args=("--send", "one", "--send", "two"),
            also=lambda report: [] if report["frames"]["received"] >= 3 else [f"{report['frames']['received']} frames received"]),
        Row(f"{peer}: permessage-deflate", node("compressing"), **HEALTHY, args=("--send", LONG_TEXT)),
        Row(f"{peer}: permessage-deflate, --no-compress", node("compressing"), **HEALTHY, args=("--send", LONG_TEXT, "--no-compress")),
        Row(f"{peer}: another confirmation", node("other-greeting"), "confirmation-mismatch", "unconfirmed",
            args=("--expect", "json:/type=connection"), confirm_secs=1),
        Row(f"{peer}: the confirmation asked for", node("good"), **HEALTHY, args=("--expect", "json:/type=connection")),
    ]


def python_rows():
    peer = "python websockets"
    return main_rows(peer, python) + [
        Row(f"{peer}: os._exit() after the confirmation", python("exit"), **DIED),
        Row(f"{peer}: transport.abort()", python("abort"), **TERMINATED),
        Row(f"{peer}: exception in the handler", python("exception"), "close-1011", browser_code=1011, also=alternative("handler-exception")),
        Row(f"{peer}: exception in the handler, its console given", python("exception"), "handler-exception", browser_code=1011, args=WITH_LOG),
        Row(f"{peer}: the handler returns", python("return"), "close-1000", browser_code=1000),
        Row(f"{peer}: no upgrade, 404", python("http-404"), "http-404", **REFUSED_HTTP),
        Row(f"{peer}: no upgrade, 200", python("http-200"), "http-200", **REFUSED_HTTP),
        Row(f"{peer}: process_request raises", python("http-500"), "http-500", **REFUSED_HTTP),
        Row(f"{peer}: the origin is not allowed", python("origins"), "http-403-origin", **REFUSED_HTTP, args=("--origin", "http://evil.example")),
        Row(f"{peer}: the origin is allowed", python("origins"), **HEALTHY, args=("--origin", "https://app.example")),
        Row(f"{peer}: our text is over max_size", python("max-size"), "message-too-big-by-server", browser_code=1009, args=("--send", LONG_TEXT)),
        Row(f"{peer}: a subprotocol is required", python("subprotocols"), "http-400", **REFUSED_HTTP),
        Row(f"{peer}: keep-alive, pongs withheld", python("keepalive"), "ping-timeout-1011", browser_code=1011, args=("--no-pong", "--watch", "4")),
        Row(f"{peer}: keep-alive, pongs sent", python("keepalive"), **HEALTHY, args=("--watch", "2")),
    ]


def lacking(row, offered):
    """Why a row cannot run: an option that this build does not offer."""
    missing = [argument for argument in row.args if argument.startswith("--") and argument not in offered]
    return f"this build offers no {' '.join(missing)}" if missing else None


def matches(wanted, value):
    return wanted is None or value == wanted or (isinstance(wanted, set) and value in wanted)


def judge(row, run, report):
    """What is wrong with a run; empty when nothing is."""
    problems = leaks(row, run)
    if run.panicked:
        problems.append("it panicked")
    if run.timed_out:
        return [*problems, f"it did not end within {run.secs:.0f} s"]
    if report is None:
        return [*problems, "standard output is not one JSON object"]
    verdict = report.get("verdict") or {}
    for name, wanted, value in [
        ("cause", row.cause, verdict.get("cause")),
        ("ending", row.ending, verdict.get("ending")),
        ("browser_code", row.browser_code, (report.get("close") or {}).get("browser_code")),
        ("exit status", 0 if row.cause == "healthy" else 1, run.status),
    ]:
        if not matches(wanted, value):
            problems.append(f"{name}: expected {wanted}, got {value}")
    try:
        problems += row.also(report) if row.also else []
    except (KeyError, TypeError) as missing:
        problems.append(f"the report lacks {missing}")
    return problems


def leaks(row, run):
    printed = run.stdout + run.stderr
    kinds = {SECRET: "the secret", GOOD.rpartition(".")[2]: "the good token's signature", **{word: "a secret" for word in row.secrets}}
    if row.token and row.token.count(".") >= 1:
        kinds[row.token] = "the token"
        kinds[row.token.rpartition(".")[2] or row.token] = "the token's signature"
    return [f"{what} is printed" for word, what in kinds.items() if word in printed]


def play(row, number, binary, work):
    """One row: server up, Sockeye, server down."""
    server = None
    log = work / "logs" / f"{number:03}.log"
    if row.server:
        peer, scenario, env = row.server
        program = ["node", HERE / "node.mjs"] if peer == "node" else [work / "venv/bin/python", "-u", HERE / "websockets_server.py"]
        server = Server([*program, scenario], env, work, log)
    try:
        port = server.port if server else free_port()
        arguments = ["check", row.url(port), "--json"]
        if "--watch" not in row.args:
            arguments += ["--watch", "0.5"]
        arguments += ["--confirm-timeout", str(row.confirm_secs)]
        arguments += [argument.replace("{work}", str(work)).replace("{log}", str(log)) for argument in row.args]
        return run_sockeye(binary, arguments, work, row.env)
    finally:
        if server:
            server.stop()


def show(row, run, report, work, number):
    if report is not None:
        print("       " + json.dumps(report.get("verdict"), ensure_ascii=False)[:1500])
        (work / "logs" / f"{number:03}.json").write_text(run.stdout)
        print(f"       whole report: {work / 'logs' / f'{number:03}.json'}")
    elif run.stdout or run.stderr:
        print(f"       stdout: {run.stdout[:400]!r} stderr: {run.stderr[:800]!r}")


def repeated(binary, work, tally):
    """`--repeat` counts outcomes; the text output says the verdict and leaks as little as the JSON does."""
    server = Server(["node", HERE / "node.mjs", "good"], {"JWT_SECRET": SECRET}, work, work / "logs/repeat.log")
    try:
        row = Row("", None, None)
        url = row.url(server.port)
        run = run_sockeye(binary, ["check", url, "--repeat", "3", "--watch", "0.2", "--json"], work)
        report = run.json() or {}
        problems = leaks(row, run)
        if run.status != 0:
            problems.append(f"exit status {run.status}")
        if report.get("tally") != {"healthy": 3} or len(report.get("runs") or []) != 3:
            problems.append(f"tally {report.get('tally')}, {len(report.get('runs') or [])} runs")
        tally.row("node ws: --repeat 3", problems)

        row = Row("", None, None, token=EXPIRED)
        run = run_sockeye(binary, ["check", row.url(server.port), "--watch", "0.2"], work)
        problems = leaks(row, run)
        if run.status != 1 or "jwt-expired" not in run.stdout:
            problems.append(f"exit status {run.status}, standard output {run.stdout[:300]!r}")
        if "\x1b[" in run.stdout:
            problems.append("colour although standard output is no terminal")
        tally.row("node ws: expired, as text", problems)
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockeye", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--only", default="", help="run the rows whose name contains this")
    parser.add_argument("--list", action="store_true", help="print the rows and stop")
    options = parser.parse_args()
    rows = node_rows() + python_rows()
    if options.list:
        print("\n".join(row.name for row in rows))
        return 0

    binary, work = options.sockeye.resolve(), options.work.resolve()
    (work / "logs").mkdir(exist_ok=True)
    (work / "token").write_text(GOOD)
    for name, content in SECRET_FILES.items():
        (work / name).write_text(content)
    tally = Tally()
    offered = options_of_check(binary)
    for number, row in enumerate(rows):
        if options.only not in row.name:
            continue
        reason = lacking(row, offered) or (row.unless and row.unless(work))
        if reason:
            tally.skip(row.name, reason)
            continue
        run = play(row, number, binary, work)
        report = run.json()
        problems = judge(row, run, report)
        verdict = (report or {}).get("verdict") or {}
        tally.row(row.name, problems, f"{verdict.get('ending')} {verdict.get('cause')} {verdict.get('certainty')} {run.secs:.1f} s")
        if problems:
            show(row, run, report, work, number)
    if not options.only:
        repeated(binary, work, tally)
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
