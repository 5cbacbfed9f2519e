# shellcheck shell=bash
# TLS within an instance (setting tls=1): an authority of its own and a certificate for localhost,
# which its broker and its database show. Neither then takes anything unencrypted over TCP.

tls_is_on() { [ "$(setting tls)" = 1 ]; }

# Made once; the authority's key is of no use after that, and is not kept.
tls_write() {
    local folder=$var/tls
    tls_is_on && [ ! -s "$folder/server.pem" ] || return 0
    rm -rf "$folder.new" && mkdir -p "$folder.new" || die "cannot create $folder.new"
    tls_certificate "$folder.new/ca" "/CN=boxoffice on port $port_base" -days 3650 \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
    tls_certificate "$folder.new/server" /CN=localhost -days 3650 \
        -CA "$folder.new/ca.pem" -CAkey "$folder.new/ca-key.pem" \
        -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:localhost \
        -addext extendedKeyUsage=serverAuth
    rm "$folder.new/ca-key.pem" && mv "$folder.new" "$folder" || die "cannot create $folder"
}

# Makes PREFIX.pem and its key, PREFIX-key.pem; nothing of the host's own openssl.cnf is in it.
tls_certificate() { # PREFIX SUBJECT ARGUMENT …
    local prefix=$1 subject=$2
    shift 2
    openssl req -x509 -config <(printf '[req]\ndistinguished_name=name\n[name]\n') -subj "$subject" \
        -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$prefix-key.pem" -out "$prefix.pem" "$@" \
        2>"$var/log/openssl.log" || { cat "$var/log/openssl.log" >&2 && die "a certificate could not be made: see above"; }
}
