#!/usr/bin/env bash
# Sets Echoic up in this checkout: system packages, .venv, weights. `make demo` and `make test` call it first.
#
#   tools/setup.sh demo    with the weights that the demo needs
#   tools/setup.sh test    with every weight file of the catalogue
#
# Run it as often as you like: what is done is not done again, and what Ctrl-C cut short is taken up again. Environment:
#   ECHOIC_EXTRA=cpu|gpu   which packages to install; otherwise gpu where nvidia-smi works, cpu elsewhere
#   ECHOIC_MODELS=FOLDER   where the weights lie; otherwise the user's cache folder
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

purpose=${1:-}
if [[ $purpose != demo && $purpose != test ]]; then
    echo "tools/setup.sh: found '${purpose}', allowed are demo and test" >&2
    exit 2
fi

venv=$PWD/.venv
stamp=$venv/.echoic-installed # what was installed from, once all of it is
unfinished=$PWD/.setup/installing # there while packages are being installed
log=$PWD/.setup/install.log
torch_cpu_index=https://download.pytorch.org/whl/cpu # the PyTorch project's own, for machines whose pip offers only torch with CUDA
debian_packages=(
    gcc g++ pkg-config libcairo2-dev libgirepository1.0-dev # PyGObject and meeteval are built from source
    gir1.2-gst-plugins-base-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav
    espeak-ng # phonemes, for spoken answers and to make scenes
)

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
fail() {
    printf 'set-up stopped: %s\n' "$*" >&2
    exit 1
}

interrupted() {
    printf '\nset-up interrupted; run it again to go on\n' >&2
    exit 130
}
trap interrupted INT TERM

what_is_installed_from() { cat pyproject.toml tools/setup.sh tools/constraints/*.txt | sha256sum; }

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        if [[ -n $candidate ]] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed; found $(python3 --version 2>&1 || echo none). Install it, or name it: make PYTHON=/path/to/python3.11"
}

install_system_packages() {
    local python=$1 wanted=("${debian_packages[@]}") missing=() package
    "$python" -c 'import ensurepip, venv' 2>/dev/null || wanted+=(python3-venv)
    "$python" -c 'import pathlib, sys, sysconfig; sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())' || wanted+=(python3-dev)
    if ! command -v dpkg-query >/dev/null; then
        say "this is no Debian: Echoic needs what these Debian packages hold, from your own system: ${wanted[*]}"
        return
    fi
    for package in "${wanted[@]}"; do
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    local as_root=()
    if ((EUID != 0)); then
        if sudo -n true 2>/dev/null; then
            as_root=(sudo)
        else
            fail "these system packages are missing, and installing them needs root. Install them, then run this again:
  sudo apt-get install ${missing[*]}"
        fi
    fi
    say "system packages: ${missing[*]}"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
    logged "${apt[@]}" update
    logged "${apt[@]}" install --no-install-recommends "${missing[@]}"
}

# Runs a command into the log; on the terminal stand only what is large, what is built, and what went wrong.
logged() {
    printf '$ %s\n' "$*" >>"$log"
    if ! PYTHONUNBUFFERED=1 "$@" 2>&1 </dev/null | tee -a "$log" |
        awk '/^ *Downloading .* MB\)/ && match($0, /[0-9.]+ MB/) && substr($0, RSTART) + 0 >= 10 { say("downloading " $2 ", " substr($0, RSTART, RLENGTH)) }
             /^ *Building wheel for .*started/ { say("building " $4) }
             /^Installing collected packages/ { say("installing " split($0, names, ",") " packages") }
             /^ *(ERROR|error:|E:)/ { say(substr($0, 1, 110)) }
             function say(what) { print "    " what; fflush() }' >&2; then
        tail -n 15 "$log" >&2
        fail "this command failed: $*
  All that it said is in $log. Mend that, or check the network, and run this again."
    fi
}

choose_extra() {
    if [[ -n ${ECHOIC_EXTRA:-} ]]; then
        [[ $ECHOIC_EXTRA == cpu || $ECHOIC_EXTRA == gpu ]] || fail "ECHOIC_EXTRA is '$ECHOIC_EXTRA'; allowed are cpu and gpu"
        echo "$ECHOIC_EXTRA"
    elif nvidia-smi >/dev/null 2>&1; then
        echo gpu
    else
        echo cpu
    fi
}

install_python_packages() {
    local python=$1 extra=$2 constraints=tools/constraints/$2.txt
    if [[ -e $unfinished ]]; then
        say "an earlier set-up was interrupted; .venv is made anew (what was downloaded is kept in pip's cache)"
        rm -rf "$venv"
    fi
    touch "$unfinished"
    say "Python packages into .venv, for a ${extra^^}; the log is in .setup/install.log"
    [[ -x $venv/bin/python ]] || logged "$python" -m venv "$venv"
    local pip=("$venv/bin/python" -m pip --disable-pip-version-check --no-input) without_dependencies=(openai-whisper)
    if [[ $extra == cpu ]]; then
        # Plain torch brings gigabytes of CUDA on Linux. Where pip would take that, torch comes from the PyTorch project's CPU wheels instead.
        local plan
        plan=$("${pip[@]}" install --quiet --dry-run --report - --constraint "$constraints" torch 2>>"$log") || fail "pip finds no torch; see $log"
        if grep -qE '"name": "(nvidia|cuda)-' <<<"$plan"; then
            logged "${pip[@]}" install --no-deps --constraint "$constraints" --index-url "$torch_cpu_index" torch
        fi
    else
        without_dependencies+=(faster-whisper)
    fi
    logged "${pip[@]}" install --constraint "$constraints" --editable ".[$extra,live,llm,whisper,scene,dev]"
    # These declare packages that they need only sometimes, and that do harm here; pyproject.toml says which.
    logged "${pip[@]}" install --constraint "$constraints" --no-deps "${without_dependencies[@]}"
    what_is_installed_from >"$stamp"
    rm "$unfinished"
}

mkdir -p .setup
if [[ -e $unfinished || ! -e $stamp || $(<"$stamp") != "$(what_is_installed_from)" ]]; then
    python=$(find_python)
    : >"$log"
    extra=$(choose_extra)
    install_system_packages "$python"
    install_python_packages "$python" "$extra"
fi

case $purpose in
demo) wanted=(--config configs/replay.yaml) listed=("${wanted[@]}") ;;
test) wanted=(--all) listed=() ;;
esac
weights=${ECHOIC_MODELS:-${XDG_CACHE_HOME:-$HOME/.cache}/echoic/models}
weights_list=$venv/.echoic-weights-$purpose # what the names were made from, then the names
what_weights_depend_on() { { cat models/catalog.yaml configs/replay.yaml && grep -rh --include='*.py' 'weights: ClassVar' stages | sort; } | sha256sum; }
weights_are_here() {
    local name
    {
        read -r name && [[ $name == "$(what_weights_depend_on)" ]] || return 1
        while read -r name; do [[ -s $weights/$name ]] || return 1; done
    } <"$weights_list"
}
if [[ ! -e $weights_list ]] || ! weights_are_here; then
    say "weights, into $weights"
    "$venv/bin/echoic" models fetch "${wanted[@]}"
    {
        what_weights_depend_on
        "$venv/bin/echoic" models list --json "${listed[@]}" 2>/dev/null | "$venv/bin/python" -c 'import json, sys; [print(row["name"]) for row in json.load(sys.stdin)]'
    } >"$weights_list.new"
    mv "$weights_list.new" "$weights_list"
fi
