#!/usr/bin/env bash
# Sockeye against servers that others wrote (Node `ws`, express, Fastify, Socket.IO, Python `websockets`, uvicorn, aiohttp,
# Tornado, Channels, with nginx, HAProxy, Apache, Caddy, lighttpd and Varnish in front, openssl), well set up and not, against what a relay and tshark saw pass, against raw sockets that mean harm, and with
# the tokens of Node's `jsonwebtoken` and Python's PyJWT.
#
# Takes the binary from $SOCKEYE, else from the release folder (and builds it if it is missing). Arguments go to drive.py.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

. "$here/needs.sh"
find_sockeye "$root"
need nodejs 'command -v node' npm 'command -v npm' openssl 'command -v openssl' python3-venv "python3 -c 'import ensurepip, venv'" \
    nginx-light 'command -v nginx' haproxy 'command -v haproxy' tshark 'command -v tshark && command -v dumpcap' \
    jq 'command -v jq' chromium 'command -v chromium' apache2-bin 'command -v apache2' caddy 'command -v caddy' \
    lighttpd 'command -v lighttpd' varnish 'command -v varnishd'

work=$(mktemp -d)
keep=
trap '[ -n "$keep" ] || rm -rf "$work"' EXIT
cd "$work"

npm install --no-audit --no-fund --loglevel=error ws@8 jsonwebtoken@9 express@4 socket.io@4 har-validator@5 \
    chrome-devtools-frontend esbuild express-ws@5 fastify@5 @fastify/websocket@11 koa@2 vite@5 http-proxy-middleware@3 \
    socket.io-2@npm:socket.io@2 graphql-ws@5 graphql@16
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check websockets uvicorn wsproto fastapi pyjwt cryptography \
    aiohttp tornado channels daphne hypercorn

# A self-signed certificate as developers make them, and a CA of our own with a good, a misnamed and an expired leaf.
certificates() {
    local loopback='subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1'
    mkdir tls && cd tls
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout self.key -out self.crt -subj /CN=localhost -addext "$loopback"
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout ca.key -out ca.crt -subj '/CN=Peers test CA'
    mkdir issued && touch issued/index.txt && echo 1000 >issued/serial
    leaf() { # NAME SUBJECT-ALT-NAME FIRST-DAY LAST-DAY
        openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1"
        printf '%s\n' '[ca]' 'default_ca=own' '[own]' 'database=issued/index.txt' 'serial=issued/serial' \
            'new_certs_dir=issued' 'default_md=sha256' 'policy=any' '[any]' 'commonName=supplied' '[leaf]' "$2" >"$1.cnf"
        openssl ca -batch -notext -config "$1.cnf" -extensions leaf -cert ca.crt -keyfile ca.key \
            -startdate "$3" -enddate "$4" -in "$1.csr" -out "$1.crt"
    }
    local yesterday next_month
    yesterday=$(date -u -d '-1 day' +%Y%m%d%H%M%SZ)
    next_month=$(date -u -d '+30 days' +%Y%m%d%H%M%SZ)
    leaf leaf "$loopback" "$yesterday" "$next_month"
    leaf other-name 'subjectAltName=DNS:voice.example' "$yesterday" "$next_month"
    leaf expired "$loopback" 20240101000000Z 20240201000000Z
}
(certificates) >certificates.log 2>&1 || { cat certificates.log >&2; exit 2; }

failed=()
part() { # NAME COMMAND…
    local name=$1
    shift
    printf '\n-- %s\n' "$name"
    "$@" || failed+=("$name")
}
part 'verdicts against real servers' python3 "$here/drive.py" --sockeye "$sockeye" --work "$work" "$@"
part 'tokens of others, and broken ones' python3 "$here/tokens.py" --sockeye "$sockeye" --work "$work"
part 'misconfigured servers' python3 "$here/misconfigured.py" --sockeye "$sockeye" --work "$work"
part 'misconfigured frameworks' python3 "$here/frameworks.py" --sockeye "$sockeye" --work "$work"
part 'recordings that were killed' python3 "$here/kill.py" --sockeye "$sockeye" --work "$work" --times 20
part 'disks that are full, fixed or gone' python3 "$here/durability.py" --sockeye "$sockeye" --work "$work"
part 'exports in the tools of others' python3 "$here/exports.py" --sockeye "$sockeye" --work "$work"
part 'TLS of openssl and nginx' python3 "$here/tls.py" --sockeye "$sockeye" --work "$work"
part 'half-dead peers' python3 "$here/half_dead.py" --sockeye "$sockeye" --work "$work"
part 'handshakes of Chromium and ws' python3 "$here/presets.py" --sockeye "$sockeye" --work "$work"
part 'a page that goes through' python3 "$here/intercept.py" --sockeye "$sockeye" --work "$work"
part 'interop, every byte' python3 "$here/interop.py" --sockeye "$sockeye" --work "$work"
part 'agreement with a capture' python3 "$here/capture.py" --sockeye "$sockeye" --work "$work"
part 'consoles that mean harm' python3 "$here/console.py" --sockeye "$sockeye" --work "$work"
part 'hostile peers' python3 "$here/hostile.py" --sockeye "$sockeye" --work "$work"

if [ "${#failed[@]}" -gt 0 ]; then
    keep=yes
    printf 'failed: %s\n' "${failed[@]}" >&2
    printf 'server consoles and reports: %s/logs\n' "$work" >&2
    exit 1
fi
