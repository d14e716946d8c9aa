# Sourced by the scripts of this folder and of ../autobahn: finds the binary and installs what they need from Debian.

# Sets $sockeye: from the environment's SOCKEYE, else the release build, which is made if it is missing.
find_sockeye() { # ROOT
    sockeye=${SOCKEYE:-${CARGO_TARGET_DIR:-$1/target}/release/sockeye}
    if [ ! -x "$sockeye" ]; then
        [ -z "${SOCKEYE:-}" ] || { echo "no binary at $SOCKEYE" >&2; exit 2; }
        (cd "$1" && cargo build --release)
    fi
    sockeye=$(realpath "$sockeye")
}

# Installs each package whose test fails; no server of theirs is started by that.
need() { # PACKAGE TEST PACKAGE TEST …
    local missing=()
    while [ "$#" -ge 2 ]; do
        eval "$2" >/dev/null 2>&1 || missing+=("$1")
        shift 2
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "please install: ${missing[*]}" >&2
        exit 2
    fi
    apt-get update -q
    # Debian starts a server as it is installed, on every interface; a policy file forbids that.
    local policy=/usr/sbin/policy-rc.d made= status=0
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && made=$policy; }
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}" || status=$?
    [ -z "$made" ] || rm -f "$made"
    return "$status"
}
