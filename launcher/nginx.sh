# shellcheck shell=bash
# The instance's own nginx, in front of its fronts.

nginx_start() {
    local changed='' pid
    nginx_write_headers && changed=yes
    nginx_write_conf && changed=yes
    if pid_of nginx; then
        [ -z "$changed" ] || kill -HUP "$pid"
        return 0
    fi
    port_must_be_free "$port_site" site
    rm -f "$sockets/nginx.sock" # of one that was killed
    spawn nginx "$(nginx_program)" -e stderr -p "$var/nginx/" -c "$var/etc/nginx.conf"
}

nginx_program() { PATH=$PATH:/usr/sbin command -v nginx || die "nginx is not installed"; }

nginx_write_conf() {
    local workers keepalive deadline_s files at_once per_address as_user='' upstreams='' index
    workers=$(setting nginx_workers)
    at_once=$(setting nginx_at_once)
    keepalive=$(setting nginx_keepalive)
    ((keepalive > 0)) || keepalive=$at_once
    keepalive=$(((keepalive + workers - 1) / workers))
    per_address=$(setting nginx_per_address)
    ((per_address > 0)) || per_address=$(((at_once + 3) / 4))
    deadline_s=$(($(setting reply_deadline_ms) / 1000 + 10))
    files=$(open_files)
    ((at_once < files)) || die "nginx_at_once is $at_once: no process can have more than $files files"
    [ "$(id -u)" != 0 ] || as_user='user root;'
    for ((index = 0; index < $(setting fronts); index++)); do
        upstreams+="server unix:$sockets/front-$index.sock max_fails=0; "
    done
    fill "$root/nginx/boxoffice.conf.in" user "$as_user" var "$var" web "$root/web" port "$port_site" \
        workers "$workers" files "$files" connections "$((files * 9 / 10))" \
        servers "$upstreams" keepalive "$keepalive" at_once "$at_once" \
        by_address "$per_address" listen "$(nginx_listen)" trusted "$(nginx_trusted)" \
        module "$(nginx_module)" publish "$sockets/nginx.sock" streams "$((files * workers * 3 / 5))" \
        streams_by_address "$((files * workers / 8))" read_s "$deadline_s" issue_rate "$(setting nginx_issue_rate)" \
        issue_burst "$(setting nginx_issue_burst)" headers "$var/etc/nginx-headers.conf" https "$(nginx_https)" |
        write_changed "$var/etc/nginx.conf"
}

# The same on every answer; HSTS where TLS ends before us.
nginx_write_headers() {
    local hsts='' seconds
    seconds=$(setting nginx_hsts_s)
    ((seconds == 0)) || hsts="add_header Strict-Transport-Security max-age=$seconds always;"
    fill "$root/nginx/headers.conf.in" hsts "$hsts" | write_changed "$var/etc/nginx-headers.conf"
}

# What tells a front that browsers come by https: "on", or what nginx itself sees.
nginx_https() { if (($(setting nginx_hsts_s) > 0)); then echo on; else printf '%s\n' "\$https"; fi; }

# Where the packages of nginx's modules put them, relative to nginx's own idea of where it lives.
nginx_module() {
    local folder
    for folder in /usr/lib/nginx/modules /usr/lib64/nginx/modules /usr/share/nginx/modules; do
        [ -r "$folder/ngx_nchan_module.so" ] && printf '%s\n' "$folder/ngx_nchan_module.so" && return
    done
    die "nginx's module nchan is not installed"
}

nginx_listen() {
    local address
    address=$(setting nginx_address)
    [[ $address != *:* ]] || address="[$address]"
    [ "$address" = 0.0.0.0 ] || printf 'listen 127.0.0.1:%s backlog=4096; ' "$port_site"
    [ -z "$address" ] || printf 'listen %s:%s backlog=4096;' "$address" "$port_site"
}

nginx_trusted() {
    local proxies proxy
    IFS=, read -ra proxies <<<"$(setting nginx_trusted)"
    for proxy in "${proxies[@]}"; do
        printf 'set_real_ip_from %s; ' "$proxy"
    done
    ((${#proxies[@]} == 0)) || printf 'real_ip_header X-Forwarded-For; real_ip_recursive on;'
}

site_is_ready() { curl -sf --max-time 5 -o /dev/null "http://127.0.0.1:$port_site/readyz"; }

nginx_wait() { wait_until nginx 30 site_is_ready; }
