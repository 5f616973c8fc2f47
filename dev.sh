#!/bin/sh
# Sets this checkout up in .venv and runs it there. A second run skips the set-up.
#
#   sh dev.sh demo [OPTIONS]   train a model on the shipped data and write a full report on it
#   sh dev.sh test [OPTIONS]   run the tests in two processes (options go to pytest; -n 0: in one)
#   sh dev.sh setup            set up for development, run nothing
#
# PYTHON=/path/to/python3 chooses the interpreter (3.11 or newer).
set -eu
cd "$(dirname "$0")"

# Without compiled bytecode every start takes several times as long.
unset PYTHONDONTWRITEBYTECODE
PIP_DISABLE_PIP_VERSION_CHECK=1
PIP_NO_INPUT=1
export PIP_DISABLE_PIP_VERSION_CHECK PIP_NO_INPUT

VENV=.venv
APT_PACKAGES="libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
APT_TEST_PACKAGES="chromium poppler-utils"
NEWER="import sys; raise SystemExit(sys.version_info < (3, 11))"

say() { printf 'dev.sh: %s\n' "$*" >&2; }
die() { say "$*"; exit 2; }

find_python() {
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
        if "$candidate" -c "$NEWER" >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

make_venv() {
    if "$VENV/bin/python" -c "$NEWER" >/dev/null 2>&1 && "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        return 0
    fi
    python=$(find_python) || die "no Python 3.11 or newer found; install one, or name it: PYTHON=/path/to/python3 sh dev.sh"
    say "making $VENV with $("$python" --version)"
    rm -rf "$VENV"
    if ! "$python" -m venv "$VENV" >"${TMPDIR:-/tmp}/govern-venv.$$" 2>&1; then
        cat "${TMPDIR:-/tmp}/govern-venv.$$" >&2
        rm -rf "$VENV" "${TMPDIR:-/tmp}/govern-venv.$$"
        die "no virtual environment could be made; on Debian or Ubuntu: sudo apt-get install -y python3-venv"
    fi
    rm -f "${TMPDIR:-/tmp}/govern-venv.$$"
}

pdf_works() { "$VENV/bin/python" -c "import weasyprint" >/dev/null 2>&1; }

# WeasyPrint starts without harfbuzz-subset too, with a warning that it will be required.
pdf_complete() { "$VENV/bin/python" -W error:HarfBuzz -c "import weasyprint" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

may_install() { command -v apt-get >/dev/null 2>&1 && { [ "$(id -u)" = 0 ] || sudo -n true >/dev/null 2>&1; }; }

install_packages() {
    # shellcheck disable=SC2086  # a list of packages
    { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends $1; } </dev/null >&2 || true
}

install_pdf_libraries() {
    if pdf_complete; then
        return 0
    fi
    if command -v apt-get >/dev/null 2>&1; then
        line="sudo apt-get install -y $APT_PACKAGES"
        if may_install; then
            say "installing what the PDF needs: $APT_PACKAGES"
            install_packages "$APT_PACKAGES"
        fi
    elif command -v brew >/dev/null 2>&1; then
        line="brew install pango"
        say "installing what the PDF needs: pango"
        brew install pango </dev/null >&2 || true
    else
        line="install Pango with your system's package manager"
    fi
    if ! pdf_works; then
        say "reports will have no PDF until the system has Pango: $line"
    fi
}

browser_works() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    return 1
}

# The card is tried in a browser, its PDF with poppler; without them these tests are skipped and say so.
install_test_programs() {
    if browser_works && command -v pdftotext >/dev/null 2>&1; then
        return 0
    fi
    if may_install; then
        say "installing what tests of the card need: $APT_TEST_PACKAGES"
        install_packages "$APT_TEST_PACKAGES"
    fi
    if ! browser_works; then
        say "tests of the card in a browser will be skipped: sudo apt-get install -y $APT_TEST_PACKAGES"
    fi
}

# The stamp holds the checksum of pyproject.toml, so a changed dependency installs again.
set_up() {
    extras=$1
    wanted="$(cksum <pyproject.toml) $(pwd)"
    make_venv
    for done in "$extras" dev; do
        if [ "$(cat "$VENV/.set-up-$done" 2>/dev/null)" = "$wanted" ]; then
            return 0
        fi
    done
    say "installing govern and its dependencies into $VENV (a few minutes the first time)"
    if [ "$extras" = dev ]; then what=".[dev]"; else what="."; fi
    "$VENV/bin/python" -m pip install --quiet --compile --editable "$what" </dev/null ||
        die "the installation failed; the lines above say why"
    install_pdf_libraries
    if [ "$extras" = dev ]; then install_test_programs; fi
    "$VENV/bin/python" -m compileall -q govern
    printf '%s\n' "$wanted" >"$VENV/.set-up-$extras"
}

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
    demo) set_up demo; exec "$VENV/bin/govern" demo "$@" ;;
    test) set_up dev; exec "$VENV/bin/python" -m pytest -n 2 --dist loadfile "$@" ;;
    setup) set_up dev ;;
    *) die "usage: sh dev.sh demo | test | setup" ;;
esac
