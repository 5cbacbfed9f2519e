# shellcheck shell=bash
# What every part of the launcher needs: messages and files.

say() { printf '%s\n' "$*"; }
note() { printf '%s\n' "$*" >&2; }

die() {
    printf 'boxoffice: %s\n' "$*" >&2
    exit 1
}

# Writes stdin to a file unless that is what it holds; true when it changed.
write_changed() { # FILE
    local text
    IFS= read -r -d '' text
    # $() cuts off the last line's end.
    [ ! -r "$1" ] || [ "$(<"$1")"$'\n' != "$text" ] || return 1
    printf '%s' "$text" >"$1.new" && mv "$1.new" "$1" || die "cannot write $1"
}

# Prints a template with @name@ replaced by the values given; no value on any command line.
fill() { # TEMPLATE NAME VALUE …
    local text
    text=$(<"$1") || die "cannot read $1"
    shift
    while [ $# -gt 0 ]; do
        text=${text//"@$1@"/"$2"}
        shift 2
    done
    printf '%s\n' "$text"
}
