#!/usr/bin/env python3
"""Tokens made by others, and broken ones that a real Node server refuses.

`tokens.py --sockeye BINARY --work FOLDER [--only NAME]`, where FOLDER has Node's ws and jsonwebtoken, and `venv` with PyJWT.
First every token of both libraries must verify with every form of its key. Then each row of CASES: what `sockeye token`
says of it must be exactly the row, the text that it expects from jsonwebtoken must be the one with which a real server
closes, and the verdict of `sockeye check` on that close must name the row's cause.
"""

import argparse
import base64
import hashlib
import hmac
import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

from harness import HERE, Server

SECRET = "s3cret of the peers, long enough"
HEADER = '{"alg":"HS256","typ":"JWT"}'
ACCEPTED = None


def b64(data, altchars=b"-_", pad=False):
    data = data.encode() if isinstance(data, str) else data
    text = base64.b64encode(data, altchars).decode()
    return text if pad else text.rstrip("=")


def signed(claims, secret=SECRET, header=HEADER, digest=hashlib.sha256):
    """A token as HMAC makes it, from texts, so that each may be wrong."""
    text = f"{b64(header)}.{b64(claims)}"
    secret = secret.encode() if isinstance(secret, str) else secret
    return f"{text}.{b64(hmac.new(secret, text.encode(), digest).digest())}"


def claims(**more):
    now = int(time.time())
    return json.dumps({"userId": "u-1", "iat": now, "exp": now + 3600, **more})


def without(name):
    made = json.loads(claims())
    del made[name]
    return json.dumps(made)


def replaced(token, nth, part):
    parts = token.split(".")
    parts[nth] = part
    return ".".join(parts)


def changed(text, at, char):
    return text[:at] + char + text[at + 1:]


def other_last(token):
    """The token with its last character changed to one that carries the same bits and stray ones."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) | 1]


def plus_signature():
    """A good token of which the signature holds a character that standard base64 writes in another way."""
    for nth in range(1000):
        token = signed(claims(nonce=nth))
        if "-" in token.split(".")[2]:
            return token
    raise AssertionError("no signature with a minus")


NOW = int(time.time())
GOOD = signed(claims())
PLUS = plus_signature()
PUBLIC_PEM = ""


def cases(keys):
    """Rows of name, text of the token, secret of the server, the kinds of problems, signature, validity, the reading that
    verifies, the library's text, the cause of the verdict, and what jwt.verify is told besides."""
    rsa = keys["RS256"]
    flat = rsa["secret"].strip().replace("\n", "\\n")
    confused = signed(claims(), secret=rsa["secret"])
    row = lambda name, token, kinds, said, cause, secret=SECRET, signature="invalid", validity="valid", reading=None, \
        options=None: dict(locals())
    whole = dict(signature="valid")
    unread = dict(signature="unchecked", validity="unknown")
    unsecured = lambda alg: f"{b64(json.dumps({'alg': alg}))}.{b64(claims())}."
    return [
        row("good", GOOD, [], ACCEPTED, "healthy", reading="--secret-file", **whole),
        # What stands in a token's place.
        row("undefined", "undefined", ["placeholder"], "jwt malformed", "token-placeholder", **unread),
        row("null", "null", ["placeholder"], "jwt malformed", "token-placeholder", **unread),
        row("object", "[object Object]", ["placeholder"], "jwt malformed", "token-placeholder", **unread),
        row("your token", "YOUR_TOKEN_HERE", ["placeholder"], "jwt malformed", "token-placeholder", **unread),
        row("template", "${TOKEN}", ["placeholder"], "jwt malformed", "token-placeholder", **unread),
        row("session id", "8f14e45fceea167a5a36dedd4bea2543", [], "jwt malformed", "jwt-malformed", **unread),
        # What is wrapped around it.
        row("bearer", f"Bearer {GOOD}", ["bearer_prefix"], "invalid token", "token-bearer-prefix", reading="--secret-file", **whole),
        row("bearer small", f"bearer {GOOD}", ["bearer_prefix"], "invalid token", "token-bearer-prefix", reading="--secret-file", **whole),
        row("authorization", f"Authorization: Bearer {GOOD}", ["bearer_prefix"], "invalid token", "token-bearer-prefix", reading="--secret-file", **whole),
        row("double quotes", f'"{GOOD}"', ["quoted", "quoted"], "invalid token", "token-quoted", reading="--secret-file", **whole),
        row("single quotes", f"'{GOOD}'", ["quoted", "quoted"], "invalid token", "token-quoted", reading="--secret-file", **whole),
        row("typographic quotes", f"“{GOOD}”", ["quoted", "quoted"], "invalid token", "token-quoted", reading="--secret-file", **whole),
        row("quotes and bearer", f'"Bearer {GOOD}"', ["quoted", "bearer_prefix", "quoted"], "invalid token", "token-bearer-prefix", reading="--secret-file", **whole),
        row("line end", f"{GOOD}\n", ["whitespace"], "invalid token", "token-whitespace", reading="--secret-file", **whole),
        row("CR LF", f"{GOOD}\r\n", ["whitespace"], "invalid token", "token-whitespace", reading="--secret-file", **whole),
        row("space before", f" {GOOD}", ["whitespace"], "invalid token", "token-whitespace", reading="--secret-file", **whole),
        row("tab after", f"{GOOD}\t", ["whitespace"], "invalid token", "token-whitespace", reading="--secret-file", **whole),
        row("no-break space", f"{GOOD}\u00a0", ["whitespace"], "invalid token", "token-whitespace", reading="--secret-file", **whole),
        row("zero width space", f"\u200b{GOOD}", ["whitespace"], "invalid token", "token-whitespace", reading="--secret-file", **whole),
        row("byte order mark", f"\ufeff{GOOD}", ["whitespace"], "invalid token", "token-whitespace", reading="--secret-file", **whole),
        row("wrapped line", f"{GOOD[:40]}\n{GOOD[40:]}", ["whitespace"], "invalid token", "token-whitespace", reading="--secret-file", **whole),
        row("comma after", f"{GOOD},", ["surrounding_text"], "invalid token", "jwt-malformed", reading="--secret-file", **whole),
        row("dots escaped", GOOD.replace(".", "%2E"), ["double_encoded"], "jwt malformed", "token-double-encoded", reading="--secret-file", **whole),
        row("quotes escaped", f"%22{GOOD}%22", ["double_encoded", "quoted", "quoted"], "invalid token", "token-quoted", reading="--secret-file", **whole),
        row("standard base64", PLUS.replace("-", "+").replace("_", "/"), ["plus"], "invalid token", "jwt-malformed", reading="--secret-file", **whole),
        row("plus became space", PLUS.replace("-", " "), ["whitespace"], "invalid token", "token-whitespace", reading="--secret-file", **whole),
        row("padding", f"{GOOD}=", ["plus"], "invalid token", "jwt-malformed", reading="--secret-file", **whole),
        # Parts and their number.
        row("header alone", GOOD.split(".")[0], ["truncated"], "jwt malformed", "token-truncated", **unread),
        row("no signature part", GOOD.rsplit(".", 1)[0], ["truncated"], "jwt malformed", "token-truncated", signature="unchecked"),
        row("cut in the claims", GOOD[:60], ["truncated"], "jwt malformed", "token-truncated", **unread),
        row("shortened by a view", f"{GOOD[:30]}...{GOOD[-6:]}", ["truncated"], "jwt malformed", "token-truncated", **unread),
        row("four parts", f"{GOOD}.x", ["part_count"], "jwt malformed", "jwt-malformed", signature="unchecked"),
        row("two tokens", f"{GOOD}.{GOOD}", ["part_count"], "jwt malformed", "jwt-malformed", signature="unchecked"),
        row("empty parts", "..", ["bad_json", "bad_json"], "invalid token", "jwt-malformed", **unread),
        row("cut signature", GOOD[:-1], ["truncated"], "invalid signature", "token-truncated"),
        row("signature cut by ten", GOOD[:-10], ["truncated"], "invalid signature", "token-truncated"),
        row("signature too long", f"{GOOD}AAAA", ["signature_length"], "invalid signature", "jwt-wrong-secret"),
        row("signature taken off", GOOD.rsplit(".", 1)[0] + ".", ["empty_signature"], "jwt signature is required", "jwt-alg-none"),
        row("stray bits", other_last(GOOD), ["bad_base64"], "invalid signature", "jwt-wrong-secret"),
        row("character in the header", changed(GOOD, 5, "!"), ["bad_base64"], "invalid token", "jwt-malformed", signature="unchecked"),
        row("character in the claims", changed(GOOD, GOOD.index(".") + 9, "*"), ["bad_base64"], "invalid token", "jwt-malformed", validity="unknown"),
        row("header no JSON", replaced(GOOD, 0, b64('{"alg":"HS256"')), ["bad_json"], "invalid token", "jwt-malformed", signature="unchecked"),
        row("header an array", replaced(GOOD, 0, b64("[]")), ["not_an_object"], "invalid algorithm", "jwt-malformed", signature="unchecked"),
        row("claims no JSON", signed('{"sub":"a",}'), ["bad_json"], "JSON", "jwt-malformed", validity="unknown", signature="valid", reading="--secret-file"),
        row("claims cut", signed('{"sub":"a","exp":'), ["bad_json"], "JSON", "jwt-malformed", validity="unknown", signature="valid", reading="--secret-file"),
        row("claims a text", signed('"a"'), ["not_an_object"], ACCEPTED, "healthy", validity="unknown", signature="valid", reading="--secret-file"),
        row("claims an array", signed("[1]"), ["not_an_object"], ACCEPTED, "healthy", validity="unknown", signature="valid", reading="--secret-file"),
        # The header.
        row("alg none", unsecured("none"), ["alg_none"], "jwt signature is required", "jwt-alg-none"),
        row("alg None", unsecured("None"), ["alg_none"], "jwt signature is required", "jwt-alg-none"),
        row("alg none, signed", signed(claims(), header='{"alg":"none"}'), ["alg_none", "signature_length"], "invalid algorithm", "jwt-alg-none"),
        row("alg missing", signed(claims(), header='{"typ":"JWT"}'), ["missing_alg"], "invalid algorithm", "jwt-alg-mismatch", signature="unchecked"),
        row("alg in small letters", signed(claims(), header='{"alg":"hs256"}'), ["unknown_alg"], "invalid algorithm", "jwt-alg-mismatch", signature="unchecked"),
        row("alg a number", signed(claims(), header='{"alg":256}'), ["missing_alg"], "invalid algorithm", "jwt-alg-mismatch", signature="unchecked"),
        row("other alg than signed", signed(claims(), header='{"alg":"HS384","typ":"JWT"}'), ["truncated"], "invalid signature", "token-truncated"),
        row("RS256 with a secret", rsa["token"], [], "invalid algorithm", "jwt-alg-mismatch", signature="unchecked", validity="no_expiry"),
        row("HS256 with a public key", GOOD, [], "invalid algorithm", "jwt-alg-mismatch", secret=rsa["secret"], signature="unchecked"),
        row("algorithm confusion", confused, [], "invalid algorithm", "jwt-alg-mismatch", secret=rsa["secret"], reading="the text of --secret-file as a shared secret"),
        # The dates.
        row("expired", signed(claims(exp=NOW - 60)), [], "jwt expired", "jwt-expired", signature="valid", validity="expired", reading="--secret-file"),
        row("not yet valid", signed(claims(nbf=NOW + 600)), [], "jwt not active", "jwt-not-active", signature="valid", validity="not_yet_valid", reading="--secret-file"),
        row("issued later", signed(claims(iat=NOW + 600)), [], ACCEPTED, "healthy", reading="--secret-file", **whole),
        row("no exp", signed(without("exp")), [], ACCEPTED, "healthy", signature="valid", validity="no_expiry", reading="--secret-file"),
        row("exp in milliseconds", signed(claims(exp=(NOW + 60) * 1000)), ["milliseconds_date"], ACCEPTED, "healthy", reading="--secret-file", **whole),
        row("exp a text", signed(claims(exp=str(NOW + 60))), ["non_numeric_date"], "invalid exp value", "jwt-malformed", signature="valid", validity="unknown", reading="--secret-file"),
        row("exp null", signed(claims(exp=None)), ["non_numeric_date"], "invalid exp value", "jwt-malformed", signature="valid", validity="unknown", reading="--secret-file"),
        row("nbf a date", signed(claims(nbf="2025-01-01")), ["non_numeric_date"], "invalid nbf value", "jwt-malformed", signature="valid", validity="unknown", reading="--secret-file"),
        row("exp twice", signed(f'{{"exp":{NOW + 600},"exp":{NOW - 600}}}'), ["duplicate_claim"], "jwt expired", "jwt-expired", signature="valid", validity="expired", reading="--secret-file"),
        row("huge number", signed(claims(id=12345678901234567890123)), ["huge_number"], ACCEPTED, "healthy", reading="--secret-file", **whole),
        # Audience and issuer.
        row("audience", signed(claims(aud="web")), [], "jwt audience invalid. expected: voice", "jwt-audience", reading="--secret-file", options={"audience": "voice"}, **whole),
        row("audience missing", GOOD, [], "jwt audience invalid. expected: voice", "jwt-audience", reading="--secret-file", options={"audience": "voice"}, **whole),
        row("issuer", signed(claims(iss="https://id.example/")), [], "jwt issuer invalid. expected: https://id.example", "jwt-issuer", reading="--secret-file", options={"issuer": "https://id.example"}, **whole),
        # The secret.
        row("another secret", GOOD, [], "invalid signature", "jwt-wrong-secret", secret="another one"),
        row("no secret", GOOD, [], "secret or public key must be provided", "jwt-secret-missing", secret=""),
        row("secret with a line end", GOOD, [], "invalid signature", "jwt-wrong-secret", secret=SECRET + "\n", reading="--secret-file, without its line end"),
        row("secret with CR LF", GOOD, [], "invalid signature", "jwt-wrong-secret", secret=SECRET + "\r\n", reading="--secret-file, without its line end"),
        row("secret in quotes", GOOD, [], "invalid signature", "jwt-wrong-secret", secret=f'"{SECRET}"', reading="--secret-file, without its quotes"),
        row("secret with spaces", GOOD, [], "invalid signature", "jwt-wrong-secret", secret=f" {SECRET} ", reading="--secret-file, without the white space around it"),
        row("secret with a byte order mark", GOOD, [], "invalid signature", "jwt-wrong-secret", secret="\ufeff" + SECRET, reading="--secret-file, without its byte order mark"),
        row("secret as base64", GOOD, [], "invalid signature", "jwt-wrong-secret", secret=b64(SECRET, pad=True), reading="--secret-file, decoded from base64"),
        row("secret as hex", GOOD, [], "invalid signature", "jwt-wrong-secret", secret=SECRET.encode().hex(), reading="--secret-file, decoded from hex"),
        row("signed with a line end", signed(claims(), secret=SECRET + "\n"), [], "invalid signature", "jwt-wrong-secret", reading="--secret-file, with a line end added"),
        row("signed with quotes", signed(claims(), secret=f'"{SECRET}"'), [], "invalid signature", "jwt-wrong-secret", reading="--secret-file, with quotes around it"),
        row("signed with a fallback", signed(claims(), secret="your-secret-key"), [], "invalid signature", "jwt-wrong-secret", reading="the common fallback secret `your-secret-key`"),
        row("signed with the word undefined", signed(claims(), secret="undefined"), [], "invalid signature", "jwt-wrong-secret", reading="the common fallback secret `undefined`"),
        row("key in one line", rsa["token"], [], "invalid algorithm", "jwt-alg-mismatch", secret=flat, validity="no_expiry", reading="--secret-file, with its `\\n` read as line ends"),
        row("key without line ends", rsa["token"], [], "invalid algorithm", "jwt-alg-mismatch", secret=rsa["secret"].replace("\n", " "), validity="no_expiry", reading="--secret-file, with its line ends put back"),
        row("key in quotes", rsa["token"], [], "invalid algorithm", "jwt-alg-mismatch", secret=f'"{rsa["secret"].strip()}"', validity="no_expiry", reading="--secret-file, without its quotes"),
        row("key of another pair", rsa["token"], [], "invalid algorithm", "jwt-alg-mismatch", secret=keys["ES256"]["secret"], signature="unchecked", validity="no_expiry"),
        row("key of another curve", keys["ES384"]["token"], [], '"alg" parameter "ES384" requires curve "secp384r1".', "jwt-alg-mismatch", secret=keys["ES256"]["secret"], signature="unchecked", validity="no_expiry"),
    ]


def run(command, stdin=None):
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)


def secret_file(work, nth, secret):
    path = work / "token-secrets" / f"secret-{nth}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(secret.encode())
    return str(path)


def expecting(options):
    """What the server is told to expect, as our options."""
    return [word for name, value in (options or {}).items() for word in ({"audience": "--aud", "issuer": "--iss"}[name], value)]


def read_token(binary, token, secret, options=None):
    command = [binary, "token", "--json", "--secret-file", secret, *expecting(options)]
    # A line end of the pipe's own is taken off; that of the token stays.
    result = run(command + ["-"], stdin=token + "\n")
    if result.returncode not in (0, 1):
        raise RuntimeError(f"sockeye token: status {result.returncode}: {result.stderr}")
    return json.loads(result.stdout)


def made_by_others(binary, work):
    """Every token of both libraries verifies with its key; gives Node's, by algorithm, and the failures."""
    node = json.loads(run(["node", str(HERE / "tokens.mjs"), "make"]).stdout)
    python = run([str(work / "venv/bin/python"), str(HERE / "tokens_pyjwt.py")])
    if python.returncode:
        raise RuntimeError(python.stderr)
    failures = []
    made = [("jsonwebtoken", one) for one in node] + [("PyJWT", one) for one in json.loads(python.stdout)]
    for nth, (library, one) in enumerate(made):
        report = read_token(binary, one["token"], secret_file(work, f"made-{nth}", one["secret"]))["report"]
        found = (report["signature"], report["problems"], report["alg"])
        if found != ("valid", [], one["alg"]):
            failures.append(f"{library} {one.get('form', one['alg'])}: {found} {report['notes']}")
    algs = sorted({one.get("form", one["alg"]).split(",")[0] for _, one in made})
    print(f"made by others: {len(made) - len(failures)} of {len(made)} verify ({', '.join(algs)})")
    return {one["alg"]: one for one in node}, failures


def compare(row, said, told, check):
    """What of a row does not hold, in words."""
    report = told["report"]
    wrong = []
    expect = lambda what, found, wanted: wrong.append(f"{what} is {found!r}, not {wanted!r}") if found != wanted else None
    expect("problems", [problem["kind"] for problem in report["problems"]], row["kinds"])
    expect("signature", report["signature"], row["signature"])
    expect("validity", report["validity"], row["validity"])
    expect("reading", report["verified_as"], row["reading"])
    is_json = row["said"] == "JSON"
    expect("the server's text", is_json and "JSON" in (said or "") or said, is_json or row["said"])
    wanted = "a SyntaxError of JSON.parse" if is_json else said
    expect("the text told beforehand", told["jsonwebtoken"], wanted)
    expect("cause", check["verdict"]["cause"], row["cause"])
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sockeye", required=True)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--only")
    args = parser.parse_args()
    keys, failures = made_by_others(args.sockeye, args.work)
    rows = [row for row in cases(keys) if args.only in (None, row["name"])]
    path = args.work / "token-cases.json"
    path.write_text(json.dumps([{"secret": row["secret"], "options": row["options"] or {}} for row in rows]))
    (args.work / "logs").mkdir(exist_ok=True)
    server = Server(["node", str(HERE / "tokens.mjs"), "serve", str(path)], {}, args.work, args.work / "logs/tokens.log")
    passed = 0
    try:
        for nth, row in enumerate(rows):
            secret = secret_file(args.work, nth, row["secret"])
            told = read_token(args.sockeye, row["token"], secret, row["options"])
            # Encoded once, every character of it, so that the server gets the text as it stands in the row.
            url = f"ws://127.0.0.1:{server.port}/case/{nth}?token={quote(row['token'], safe='')}"
            command = [args.sockeye, "check", url, "--secret-file", secret, "--json"]
            result = run(command + ["--watch", "0.1", "--no-probes", *expecting(row["options"])])
            if not result.stdout:
                raise RuntimeError(f"{row['name']}: {result.stderr}")
            check = json.loads(result.stdout)
            received = check["close"]["received"]
            is_refused = received and received["code"] == 1008
            wrong = compare(row, received["reason"] if is_refused else None, told, check)
            passed += not wrong
            failures += [f"{row['name']}: {words}" for words in wrong]
    finally:
        server.stop()
    print(f"broken tokens and secrets: {passed} of {len(rows)} as told, server and explanation alike")
    for failure in failures:
        print(f"  ✗ {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
