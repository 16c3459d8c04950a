# scripts/lib/deps.sh - what plated needs from Debian. Sourced by bash scripts; needs bash and apt alone.
#   deps_install SET...   installs what is missing of these sets, asking nothing; says what it installs
#   deps_list [SET...]    prints PACKAGE and PURPOSE, all sets if none is named
#   deps_npm FOLDER       the same for what comes from npm, below FOLDER/node_modules
# The one list of packages: everything else asks here.

deps_table() {
    cat <<'TABLE'
build   gcc                 the C compiler
build   libc6-dev           headers of the C library
build   cmake               configures the build
build   ninja-build         runs it
build   pkg-config          finds the libraries
build   libserialport-dev   serial ports
build   libzmq3-dev         the stream and the control socket
build   libhdf5-dev         the archive
build   libcyaml-dev        the configuration
build   libyaml-dev         the same, below it
build   libjansson-dev      JSON
build   libgsl-dev          quantiles of the t distribution
build   zlib1g-dev          CRC-32 of records
build   libsystemd-dev      readiness and watchdog under systemd
build   python3             manual pages
run     python3             scripts/demo
test    clang               the second compiler, and libFuzzer
test    libclang-rt-dev     libFuzzer and clang's sanitizers
test    libcmocka-dev       unit tests
test    gcc-avr             firmware for an 8-bit board
test    avr-libc            its C library
test    python3             end-to-end tests
test    python3-pytest      their runner
test    python3-zmq         a subscriber that is not ours
test    python3-jsonschema  the schemas of docs/schemas/ against what is sent
test    nodejs              examples/subscriber.js
test    npm                 its binding of ZeroMQ
test    python3-h5py        a reader of the archive that is not ours
test    python3-numpy       expected values
test    python3-scipy       the reference filter
test    iproute2            a second machine, in a network namespace
test    mandoc              looks the manual pages through
test    zsh                 its completion
test    hdf5-tools          h5dump, another reader
test    octave              another (with what it needs, some 400 MB)
test    r-cran-hdf5r        another
test    python3-matplotlib  plate-report
peers   python3-serial      the Python loggers of scripts/bench-latency --all
peers   python3-msgpack     the same
format  clang-format        scripts/format
TABLE
}

deps_list() {
    local set package purpose
    while read -r set package purpose; do
        [ $# -eq 0 ] || [[ " $* " == *" $set "* ]] || continue
        printf '%s\t%s\n' "$package" "$purpose"
    done < <(deps_table)
}

deps_missing() {
    local have package
    have=" $(dpkg-query -W -f '${Package}=${db:Status-Status} ' 2>/dev/null) "
    while IFS=$'\t' read -r package _; do
        [[ "$have" == *" $package=installed "* ]] && continue
        [ "$package" = npm ] && command -v npm >/dev/null && continue # it comes with other packages of Node.js, and is at odds with them
        printf '%s\n' "$package"
    done < <(deps_list "$@") | sort -u
}

deps_install() {
    local missing as_root=()
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "${0##*/}: not a Debian system: install the likes of these yourself if the build stops:" \
            "$(deps_list "$@" | cut -f1 | sort -u | tr '\n' ' ')" >&2
        return 0
    fi
    mapfile -t missing < <(deps_missing "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "${0##*/}: packages are missing and neither root nor sudo is here: as root, run: apt-get install ${missing[*]}" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    echo "installing from Debian: ${missing[*]}"
    deps_apt update || return 1
    deps_apt install --no-install-recommends "${missing[@]}" || return 1
}

deps_npm() {
    local packages=(zeromq@6) missing=() package
    for package in "${packages[@]}"; do
        [ -d "$1/node_modules/${package%@*}" ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing from npm into $1: ${missing[*]}"
    mkdir -p "$1" && npm install --prefix "$1" --no-save --no-package-lock --no-audit --no-fund --ignore-scripts "${missing[@]}" >"$1/log" 2>&1 || {
        tail -n 30 "$1/log" >&2
        echo "${0##*/}: npm install failed: see above, mend it and run this again" >&2
        return 1
    }
}

deps_apt() {
    local log
    log=$(mktemp) || return 1
    if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 \
        -o Dpkg::Options::=--force-confold "$@" </dev/null >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        echo "${0##*/}: apt-get $1 failed: see above, mend it and run this again" >&2
        return 1
    fi
    rm -f "$log"
}
