"""Sockeye against TLS servers that others wrote: `openssl s_server` in every variant that goes wrong, and nginx.

Usage: tls.py --sockeye BINARY --work FOLDER [--only WORD]
Each case is one `sockeye check --json`: ending, cause, findings, and what must be said of the session.
"""

import argparse
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

LOOPBACK = "subjectAltName=DNS:localhost,IP:127.0.0.1"


def sh(command, folder):
    subprocess.run(command, cwd=folder, shell=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def certificates(folder):
    """A CA, a CA of the same name with another key, and leaves with each defect."""
    folder.mkdir(parents=True)
    make_ca = "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout {0}.key -out {0}.crt -subj '/CN=Peers test CA'"
    sh(make_ca.format("ca"), folder)
    sh(make_ca.format("again"), folder)
    sh(f"openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout self.key -out self.crt -subj /CN=localhost -addext '{LOOPBACK}'", folder)
    sh("openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout stranger.key -out stranger.crt -subj '/CN=a stranger'", folder)
    (folder / "issued").mkdir()
    (folder / "issued/index.txt").touch()
    (folder / "issued/serial").write_text("1000\n")

    def leaf(name, extensions, first, last, ca="ca", key="rsa:2048"):
        make = f"ec -pkeyopt ec_paramgen_curve:{key}" if key.startswith("P-") else key
        sh(f"openssl req -newkey {make} -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}", folder)
        (folder / f"{name}.cnf").write_text("\n".join([
            "[ca]", "default_ca=own", "[own]", "database=issued/index.txt", "serial=issued/serial", "new_certs_dir=issued",
            "default_md=sha256", "policy=any", "unique_subject=no", "[any]", "commonName=supplied", "[leaf]", *extensions, ""]))
        sh(f"openssl ca -batch -notext -config {name}.cnf -extensions leaf -cert {ca}.crt -keyfile {ca}.key "
           f"-startdate {first} -enddate {last} -in {name}.csr -out {name}.crt", folder)

    now = time.time()
    stamp = lambda days: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(now + days * 86400))
    usual = (stamp(-1), stamp(30))
    leaf("leaf", [LOOPBACK], *usual)
    leaf("curve", [LOOPBACK], *usual, key="P-384")
    leaf("other-name", ["subjectAltName=DNS:voice.example"], *usual)
    leaf("expired", [LOOPBACK], "20240101000000Z", "20240201000000Z")
    leaf("future", [LOOPBACK], stamp(300), stamp(400))
    leaf("worn", ["subjectAltName=DNS:voice.example"], "20240101000000Z", "20240201000000Z")
    leaf("again-leaf", [LOOPBACK], *usual, ca="again")
    leaf("middle", ["basicConstraints=critical,CA:TRUE"], *usual)
    leaf("below", [LOOPBACK, "authorityInfoAccess=caIssuers;URI:http://ca.invalid/middle.crt"], *usual, ca="middle")
    sh("cat below.crt middle.crt > below-chain.crt", folder)
    leaf("client", ["extendedKeyUsage=clientAuth"], *usual)
    sh("cat client.crt client.key > client-both.pem", folder)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nothing listens on {port}")


class Case:
    def __init__(self, name, server, url, options, ending, cause, findings=(), says=()):
        self.name, self.server, self.url, self.options = name, server, url, options
        self.ending, self.cause, self.findings, self.says = ending, cause, findings, says


def cases():
    ca = ["--ca", "ca.crt"]
    ok = ("upgrade-refused", "http-200")
    mutual = "-cert leaf.crt -key leaf.key -www -CAfile ca.crt -Verify 1"
    old = "-cipher DEFAULT@SECLEVEL=0"
    c = Case
    wss = "wss://localhost:{port}/"
    yield c("TLS 1.3", "-cert leaf.crt -key leaf.key -www", wss, ca, *ok, says=["TLSv1.3", "X25519", "CN=leaf", "RSA 2048 bits"])
    yield c("TLS 1.2", "-cert leaf.crt -key leaf.key -www -tls1_2", wss, ca, *ok, says=["TLSv1.2", "CN=Peers test CA"])
    yield c("P-384", "-cert curve.crt -key curve.key -www -groups P-384", wss, ca, *ok, says=["secp384r1", "EC P-384"])
    yield c("address in the URL", "-cert leaf.crt -key leaf.key -www", "wss://127.0.0.1:{port}/", ca, *ok)
    yield c("whole chain", "-cert below.crt -key below.key -cert_chain middle.crt -www", wss, ca, *ok, says=["CN=middle"])
    yield c("TLS 1.1 alone", f"-cert leaf.crt -key leaf.key -www -tls1_1 {old}", wss, ca, "tls-failed", "tls-version",
            says=["protocol_version", '"received"'])
    yield c("no common cipher", "-cert leaf.crt -key leaf.key -www -tls1_2 -cipher AES256-SHA", wss, ca,
            "tls-failed", "tls-no-shared-cipher", says=["handshake_failure"])
    yield c("HTTP/2 alone", "-cert leaf.crt -key leaf.key -www -alpn h2", wss, ca, "tls-failed", "tls-alpn-h2-only",
            says=["no_application_protocol"])
    sni = "-cert leaf.crt -key leaf.key -www -servername voice.example -servername_fatal -cert2 other-name.crt -key2 other-name.key"
    yield c("unknown server name", sni, wss, ca, "tls-failed", "tls-unrecognized-name", says=["unrecognized_name"])
    yield c("another name is sent", sni, wss, [*ca, "--sni", "voice.example"], *ok, says=['"server_name": "voice.example"'])
    yield c("no name is sent", sni, wss, [*ca, "--sni", ""], *ok)
    yield c("unknown CA", "-cert leaf.crt -key leaf.key -www", wss, [], "tls-failed", "tls-unknown-ca", says=["unknown_ca", '"sent"'])
    yield c("CA made anew", "-cert again-leaf.crt -key again-leaf.key -www", wss, ca, "tls-failed", "tls-unknown-ca")
    yield c("self-signed", "-cert self.crt -key self.key -www", wss, [], "tls-failed", "tls-self-signed")
    yield c("self-signed and trusted", "-cert self.crt -key self.key -www", wss, ["--ca", "self.crt"], *ok)
    yield c("intermediate missing", "-cert below.crt -key below.key -www", wss, ca, "tls-failed", "tls-missing-intermediate")
    yield c("expired", "-cert expired.crt -key expired.key -www", wss, ca, "tls-failed", "tls-expired")
    yield c("not yet valid", "-cert future.crt -key future.key -www", wss, ca, "tls-failed", "tls-not-yet-valid")
    yield c("another name", "-cert other-name.crt -key other-name.key -www", wss, ca, "tls-failed", "tls-name-mismatch",
            says=["voice.example"])
    yield c("two defects", "-cert worn.crt -key worn.key -www", wss, ca, "tls-failed", "tls-expired", ["tls-name-mismatch"])
    everything = ["tls-expired", "tls-name-mismatch"]
    yield c("three defects", "-cert worn.crt -key worn.key -www", wss, [], "tls-failed", "tls-unknown-ca", everything)
    yield c("three defects, gone on", "-cert worn.crt -key worn.key -www", wss, ["--insecure"], *ok,
            findings=["tls-unknown-ca", *everything])
    for version in ("-tls1_2", "-tls1_3"):
        required = ("tls-failed", "tls-client-cert-required")
        yield c(f"client certificate, none given {version}", f"{mutual} {version}", wss, ca, *required)
        yield c(f"client certificate given {version}", f"{mutual} {version}", wss,
                [*ca, "--client-cert", "client.crt", "--client-key", "client.key"], *ok, says=["asked for and given"])
        yield c(f"client certificate and key in one file {version}", f"{mutual} {version}", wss,
                [*ca, "--client-cert", "client-both.pem"], *ok)
        yield c(f"client certificate of a stranger {version}", f"{mutual} -verify_return_error {version}", wss,
                [*ca, "--client-cert", "stranger.crt", "--client-key", "stranger.key"], *required, says=["does not accept ours"])
    yield c("keys", "-cert leaf.crt -key leaf.key -www", wss, [*ca, "--keylog", "keys.txt"], *ok)


def check(sockeye, folder, url, options):
    # The port that waits is known; nothing else than what the options say may decide.
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    command = [sockeye, "check", url, "--json", "--connect-timeout", "5", "--upgrade-timeout", "5", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, env=environment)
    if not done.stdout.startswith("{"):
        raise RuntimeError(f"exit {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def judge(case, result):
    verdict = result["verdict"]
    got = (verdict["ending"], verdict["cause"])
    wrong = [] if got == (case.ending, case.cause) else [f"expected {case.ending} {case.cause}, got {got[0]} {got[1]}"]
    found = {finding["id"] for finding in verdict["findings"]}
    wrong += [f"{name} is no finding" for name in case.findings if name not in found]
    text = json.dumps(result, ensure_ascii=False)
    wrong += [f"{word!r} is not said" for word in case.says if word not in text]
    if wrong:
        wrong.append(verdict["summary"])
    return wrong


def openssl_cases(sockeye, folder, only):
    for case in cases():
        if only and only not in case.name:
            continue
        port = free_port()
        command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-quiet", *case.server.split()]
        server = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            yield case.name, judge(case, check(sockeye, folder, case.url.format(port=port), case.options))
        finally:
            server.kill()
            server.wait()
    keys = folder / "keys.txt"
    if not only and keys.exists():
        mode = stat.S_IMODE(keys.stat().st_mode)
        ok = mode == 0o600 and "CLIENT_HANDSHAKE_TRAFFIC_SECRET" in keys.read_text()
        yield "the key log is private and complete", [] if ok else [f"mode {mode:o}"]


NGINX = """
daemon off; error_log stderr; pid {folder}/nginx.pid; events {{}}
http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
uwsgi_temp_path {folder}; scgi_temp_path {folder};
server {{ listen 127.0.0.1:{port} ssl; ssl_certificate leaf.crt; ssl_certificate_key leaf.key;
  ssl_client_certificate ca.crt; ssl_verify_client on; return 200; }} }}
"""


def nginx_cases(sockeye, folder):
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        url = f"wss://localhost:{port}/"
        ca = ["--ca", "ca.crt"]
        client = ["--client-cert", "client.crt", "--client-key", "client.key"]
        for name, url, options, ending, cause in [
            ("nginx wants a client certificate", url, ca, "upgrade-refused", "tls-client-cert-required"),
            ("nginx gets a client certificate", url, ca + client, "upgrade-refused", "http-200"),
            ("nginx, ws:// to its TLS port", f"ws://localhost:{port}/", [], "upgrade-refused", "plain-to-tls"),
        ]:
            yield name, judge(Case(name, "", url, options, ending, cause), check(sockeye, folder, url, options))
    finally:
        server.terminate()
        server.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sockeye", required=True)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--only")
    arguments = parser.parse_args()
    folder = arguments.work.resolve() / "tls-peers"
    shutil.rmtree(folder, ignore_errors=True)
    certificates(folder)
    results = list(openssl_cases(arguments.sockeye, folder, arguments.only))
    if shutil.which("nginx") and not arguments.only:
        results += list(nginx_cases(arguments.sockeye, folder))
    elif not arguments.only:
        print("nginx is not installed: its cases are left out")
    failed = 0
    for name, wrong in results:
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok    '}  {name}{': ' + '; '.join(wrong) if wrong else ''}")
    print(f"{len(results) - failed} of {len(results)} TLS cases")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
