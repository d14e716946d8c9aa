#!/usr/bin/env bash
# Autobahn|Testsuite: Sockeye as a client against the fuzzing server, all 517 cases, on loopback.
#
# Takes the binary from $SOCKEYE, else from the release folder (and builds it if it is missing). Arguments go to run.py. The
# suite needs a CPython 2.7: on PATH, under pyenv, or named by $PYTHON27. Its environment is kept beside the build.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/tests/peers/needs.sh"
target=${CARGO_TARGET_DIR:-$root/target}
find_sockeye "$root"

python27() {
    local candidate
    for candidate in "${PYTHON27:-}" "$(command -v python2.7 || true)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/2.7*/bin/python2.7; do
        if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (2, 7))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Autobahn|Testsuite needs a CPython 2.7, and none is on PATH or under pyenv (pyenv install 2.7.18)." >&2
    return 1
}
old_python=$(python27) || exit 2
need python3-venv "python3 -c 'import ensurepip, venv'" build-essential 'command -v cc'

suite=$target/autobahn
if ! "$suite/py27/bin/python" -c 'import autobahntestsuite' 2>/dev/null; then
    # The newest virtualenv that still makes environments for Python 2.7, which runs on Python up to 3.11.
    maker=python3
    for version in 3.11 3.10 3.9; do
        ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 12))' || maker=$(command -v "python$version" || echo "$maker")
    done
    rm -rf "$suite"
    mkdir -p "$suite"
    "$maker" -m venv "$suite/maker"
    "$suite/maker/bin/pip" install --quiet --disable-pip-version-check 'virtualenv<20.22'
    "$suite/maker/bin/virtualenv" --quiet -p "$old_python" "$suite/py27"
    # pip says at length that Python 2.7 is old; what matters is printed if it fails.
    "$suite/py27/bin/pip" install --quiet --disable-pip-version-check autobahntestsuite==25.10.1 >"$suite/install.log" 2>&1 ||
        { cat "$suite/install.log" >&2; exit 2; }
fi

work=$(mktemp -d)
status=0
python3 "$here/run.py" --sockeye "$sockeye" --python "$suite/py27/bin/python" --work "$work/report" "$@" || status=$?
if [ "$status" -eq 0 ]; then
    rm -rf "$work"
else
    printf 'results and wire logs of each case: %s/report\n' "$work" >&2
fi
exit "$status"
