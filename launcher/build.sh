# shellcheck shell=bash
# Debian packages and the build. Both do nothing, without network or rights, when nothing is missing.

# shellcheck disable=SC2034 # for whoever sources this
readonly -a packages_to_run=(gcc libc6-dev make autoconf automake pkgconf
    librabbitmq-dev libfcgi-dev libmariadb-dev libjson-c-dev uuid-dev libjwt-dev libssl-dev libcurl4-openssl-dev libmicrohttpd-dev libcsv-dev libcmocka-dev
    mariadb-server-core mariadb-client-core rabbitmq-server nginx libnginx-mod-nchan tzdata curl jq openssl)

packages_missing() { # PACKAGE …
    local status package
    local -A installed=()
    while read -r status package; do
        [ "$status" != installed ] || installed[$package]=yes
    done < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null)
    for package in "$@"; do
        [ -n "${installed[$package]-}" ] || printf '%s\n' "$package"
    done
}

packages_need() { # PACKAGE …
    local -a missing
    command -v dpkg-query >/dev/null ||
        die "this is no Debian: install the counterparts of these packages by hand: $*"
    mapfile -t missing < <(packages_missing "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    note "Installing: ${missing[*]}"
    if [ "$(id -u)" = 0 ]; then
        "$root/launcher/install-packages" "${missing[@]}"
    elif command -v sudo >/dev/null; then
        sudo "$root/launcher/install-packages" "${missing[@]}"
    else
        die "these packages are missing, and this user is neither root nor has sudo: ${missing[*]}"
    fi || die "the packages could not be installed: see above"
}

build_folder() { realpath -m -- "${BOXOFFICE_BUILD:-$root/build}"; }

# Builds what changed of these targets.
build() { # TARGET …
    local folder log lock
    folder=$(build_folder)
    log=$folder/build.log
    mkdir -p "$folder" || die "cannot create $folder"
    [ -f "$folder/Makefile" ] || note "Building in $folder"
    # One lock on the sources: autoreconf writes there, whatever the build folder is.
    exec {lock}<"$root"
    flock "$lock"
    build_locked "$folder" "$@" >"$log" 2>&1 {lock}<&- || {
        tail -n 40 "$log" >&2
        die "the build failed: see above and $log"
    }
    exec {lock}<&-
}

build_locked() { # FOLDER TARGET …
    local folder=$1 configured flags words target
    shift
    [ -x "$root/configure" ] || (cd "$root" && autoreconf -fi) || return
    configured=$(cat "$folder/.flags" 2>/dev/null)
    # Without the variable a folder stays as it was configured.
    flags=${BOXOFFICE_CONFIGURE-$configured}
    if [ ! -f "$folder/Makefile" ] || [ "$configured" != "$flags" ]; then
        read -ra words <<<"$flags"
        rm -f "$folder/.flags"
        [ ! -f "$folder/Makefile" ] || make -s -C "$folder" clean
        (cd "$folder" && "$root/configure" -q "${words[@]}") || return
        printf '%s\n' "$flags" >"$folder/.flags"
    fi
    # One target after the other: "all" runs a make of its own, which would compile the files of the next one beside it.
    for target; do
        make -s -C "$folder" -j "$(nproc)" "$target" || return
    done
}
