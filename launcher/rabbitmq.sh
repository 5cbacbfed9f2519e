# shellcheck shell=bash
# The instance's own RabbitMQ: a node with its own name, cookie, epmd, ports and accounts.

readonly rabbitmq_program=/usr/lib/rabbitmq/bin/rabbitmq-server

epmd_start() {
    alive epmd && return
    port_must_be_free "$port_epmd" epmd
    spawn epmd epmd -address 127.0.0.1 -port "$port_epmd"
    wait_until epmd 10 port_answers "$port_epmd"
}

rabbitmq_start() {
    rabbitmq_write_conf
    alive rabbitmq && return
    port_must_be_free "$port_amqp" AMQP
    port_must_be_free "$port_management" "RabbitMQ management"
    local -a in_root
    root_of rabbitmq
    # ALLOW_INPUT makes the script become the server, so that the pid is the server's.
    # Few schedulers that do not spin: the node shares the machine with everything else.
    spawn rabbitmq HOME="$var/rabbitmq" ERL_EPMD_PORT="$port_epmd" ERL_EPMD_ADDRESS=127.0.0.1 \
        ERL_INETRC="$var/etc/erl_inetrc" ERL_CRASH_DUMP=/dev/null \
        RABBITMQ_ALLOW_INPUT=1 RABBITMQ_NODENAME="boxoffice-$port_base@localhost" \
        RABBITMQ_DIST_PORT="$port_dist" RABBITMQ_CONFIG_FILE="$var/etc/rabbitmq.conf" \
        RABBITMQ_ADVANCED_CONFIG_FILE="$var/etc/rabbitmq-advanced.config" \
        RABBITMQ_CONF_ENV_FILE="$var/etc/rabbitmq-env.conf" \
        RABBITMQ_ENABLED_PLUGINS_FILE="$var/etc/rabbitmq-plugins" \
        RABBITMQ_MNESIA_BASE="$var/rabbitmq/data" RABBITMQ_LOG_BASE="$var/log" RABBITMQ_LOGS=- \
        RABBITMQ_PID_FILE="$var/rabbitmq/pid" \
        RABBITMQ_GENERATED_CONFIG_DIR="$var/rabbitmq/config" \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-noinput +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none \
-kernel inet_dist_use_interface {127,0,0,1}" \
        "${in_root[@]}" "$rabbitmq_program"
}

rabbitmq_write_conf() {
    mkdir -p "$var/rabbitmq"
    write_changed "$var/etc/rabbitmq.conf" <<END || true
$(rabbitmq_listeners)
management.tcp.ip = 127.0.0.1
management.tcp.port = $port_management
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = $port_prometheus
default_user = admin
default_pass = $(secret amqp-admin)
disk_free_limit.absolute = 512MB
vm_memory_high_watermark.absolute = 1GB
# Jobs take at most 256 KiB and their results some 2 MiB; more would only fill the memory of who reads it.
max_message_size = 4194304
log.console.level = warning
END
    write_changed "$var/etc/rabbitmq-plugins" <<<'[rabbitmq_management,rabbitmq_prometheus].' || true
    # The node's name resolves whatever the machine's hosts file says.
    write_changed "$var/etc/erl_inetrc" <<<'{host,{127,0,0,1},["localhost"]}. {lookup,[file,native]}.' || true
    write_changed "$var/etc/curl-admin.conf" <<END || true
user = "admin:$(secret amqp-admin)"
END
    if [ ! -s "$var/rabbitmq/.erlang.cookie" ]; then
        secret erlang-cookie >"$var/rabbitmq/.erlang.cookie"
        chmod 400 "$var/rabbitmq/.erlang.cookie"
    fi
}

# Where AMQP is spoken: plainly, or by TLS alone.
rabbitmq_listeners() {
    if tls_is_on; then
        printf '%s\n' 'listeners.tcp = none' "listeners.ssl.1 = 127.0.0.1:$port_amqp" \
            "ssl_options.cacertfile = $var/tls/ca.pem" "ssl_options.certfile = $var/tls/server.pem" \
            "ssl_options.keyfile = $var/tls/server-key.pem" \
            'ssl_options.verify = verify_none' 'ssl_options.fail_if_no_peer_cert = false' \
            'ssl_options.versions.1 = tlsv1.3' 'ssl_options.versions.2 = tlsv1.2'
    else
        printf '%s\n' "listeners.tcp.1 = 127.0.0.1:$port_amqp"
    fi
}

# The management API, as the administrator; the password is in a file, not on the command line.
management() { # PATH [CURL ARGUMENT …]
    local path=$1
    shift
    curl -sf --max-time 30 -K "$var/etc/curl-admin.conf" "$@" \
        "http://127.0.0.1:$port_management/api/$path"
}

rabbitmq_answers() { management health/checks/local-alarms >/dev/null 2>&1; }

rabbitmq_wait() { wait_until rabbitmq 120 rabbitmq_answers; }

# Queues, accounts and what they may do; harmless again.
rabbitmq_prepare() {
    local topology
    topology=$(run_program tool boxoffice-topology --vhost / --accounts) || die "boxoffice-topology failed: see above"
    rabbitmq_definitions "$topology" |
        management definitions -X POST -H 'content-type: application/json' --data-binary @- >/dev/null ||
        die "RabbitMQ refused its definitions: see $var/log/rabbitmq.log"
}

# Passwords are read from their files by jq, not given as arguments.
rabbitmq_definitions() { # TOPOLOGY
    local account
    for account in admin operator front worker importer; do
        secret "amqp-$account" >/dev/null
    done
    jq --rawfile admin "$var/secrets/amqp-admin" --rawfile operator "$var/secrets/amqp-operator" \
        --rawfile front "$var/secrets/amqp-front" --rawfile worker "$var/secrets/amqp-worker" \
        --rawfile importer "$var/secrets/amqp-importer" -f "$root/launcher/accounts.jq" <<<"$1"
}

amqp_url() { # ACCOUNT
    local scheme=amqp host=127.0.0.1
    tls_is_on && scheme=amqps host=localhost
    printf '%s://%s:%s@%s:%s/%%2f\n' "$scheme" "$1" "$(secret "amqp-$1")" "$host" "$port_amqp"
}
