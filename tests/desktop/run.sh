#!/usr/bin/env bash
# The real window under Xvfb, driven by keys against the guide's Node server; a picture after each step.
#
# Takes the binary from $SOCKEYE, else from the release folder (and builds it if it is missing). Pictures go to
# $SOCKEYE_SHOTS, or to a temporary folder that is removed at the end.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

sockeye=${SOCKEYE:-${CARGO_TARGET_DIR:-$root/target}/release/sockeye}
if [ ! -x "$sockeye" ]; then
    [ -z "${SOCKEYE:-}" ] || { echo "no binary at $SOCKEYE" >&2; exit 2; }
    (cd "$root" && cargo build --release)
fi
sockeye=$(realpath "$sockeye")

missing=()
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
command -v Xvfb >/dev/null || missing+=(xvfb)
command -v xdotool >/dev/null || missing+=(xdotool)
command -v xclip >/dev/null || missing+=(xclip)
command -v import >/dev/null || missing+=(imagemagick)
for library in libXcursor.so.1:libxcursor1 libXi.so.6:libxi6 libxkbcommon-x11.so.0:libxkbcommon-x11-0 libGL.so.1:libgl1 libEGL.so.1:libegl1; do
    ldconfig -p | grep -q "${library%%:*}" || missing+=("${library##*:}")
done
ls /usr/lib/*/dri/swrast_dri.so >/dev/null 2>&1 || missing+=(libgl1-mesa-dri)
if [ "${#missing[@]}" -gt 0 ]; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "please install: ${missing[*]}" >&2
        exit 2
    fi
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --no-audit --no-fund --loglevel=error ws@8 jsonwebtoken@9
export SOCKEYE=$sockeye SOCKEYE_SHOTS=${SOCKEYE_SHOTS:-$work/shots}
status=0
for part in drive workbench; do
    printf "\n-- %s\n" "$part"
    python3 "$here/$part.py" "$root/tests/peers/node.mjs" || status=1
done
exit $status
