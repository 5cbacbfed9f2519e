# shellcheck shell=bash
# The instance's own RabbitMQ: nodes with names, a cookie, an epmd, ports and accounts of their own.
# There is one, `rabbitmq`, or with rabbitmq_nodes=3 a cluster of three, rabbitmq-0 to rabbitmq-2. Ports
# are scarce, loopback addresses are not: the second and the third have 127.0.0.2 and 127.0.0.3, and the
# ports of the first, but for those that they talk among themselves on, of which epmd wants each to be another.

readonly rabbitmq_program=/usr/lib/rabbitmq/bin/rabbitmq-server
readonly rabbitmq_ticktime_s=8 # a node that is not heard of for so long is taken for dead (net_ticktime)

rabbitmq_is_cluster() { [ "$(setting rabbitmq_nodes)" != 1 ]; }

rabbitmq_names() {
    if rabbitmq_is_cluster; then
        printf '%s\n' rabbitmq-0 rabbitmq-1 rabbitmq-2
    else
        echo rabbitmq
    fi
}

# What a name stands for: rabbitmq -> 0, rabbitmq-2 -> 2.
rabbitmq_index() { # NAME
    local index=${1#rabbitmq}
    printf '%s\n' "${index#-}" | sed 's/^$/0/'
}

rabbitmq_address() { printf '127.0.0.%s\n' "$(($(rabbitmq_index "$1") + 1))"; } # NAME

rabbitmq_addresses() { # [:PORT]
    local name
    for name in $(rabbitmq_names); do
        printf '%s%s\n' "$(rabbitmq_address "$name")" "${1:-}"
    done
}

rabbitmq_dist_port() { # NAME
    local index
    index=$(rabbitmq_index "$1")
    printf '%s\n' "$((index == 0 ? port_dist : port_base + 6 + index))"
}

# The first keeps the name that a node alone has.
rabbitmq_node() { # NAME
    local index
    index=$(rabbitmq_index "$1")
    if [ "$index" = 0 ]; then
        printf 'boxoffice-%s@localhost\n' "$port_base"
    else
        printf 'boxoffice-%s-%s@rabbitmq-%s\n' "$port_base" "$index" "$index"
    fi
}

# A node alone knows nothing of others, and one of three waits for them.
rabbitmq_check_nodes() {
    local recorded=1 nodes
    nodes=$(setting rabbitmq_nodes)
    [[ $nodes = [13] ]] || die "setting rabbitmq_nodes is \"$nodes\": it takes 1 or 3"
    ! rabbitmq_is_cluster || ! tls_is_on ||
        die "rabbitmq_nodes=3 does not go with tls=1: the nodes have addresses, and certificates are for names"
    { read -r recorded <"$var/rabbitmq/nodes"; } 2>/dev/null || [ -d "$var/rabbitmq/data" ] || return 0
    [ "$recorded" = "$nodes" ] ||
        die "rabbitmq_nodes was $recorded when this instance was made, and stays so: take another BOXOFFICE_VAR"
}

epmd_start() {
    alive epmd && return
    port_must_be_free "$port_epmd" epmd
    spawn epmd epmd -address 127.0.0.1,127.0.0.2,127.0.0.3 -port "$port_epmd"
    wait_until epmd 10 port_answers "$port_epmd"
}

# All of a cluster at once: a node that was there before waits for the others.
rabbitmq_start() {
    local name
    for name in $(rabbitmq_names); do
        rabbitmq_start_node "$name"
    done
}

rabbitmq_start_node() { # NAME
    local name=$1 address
    address=$(rabbitmq_address "$name")
    rabbitmq_write_conf "$name"
    alive "$name" && return
    port_must_be_free "$port_amqp" AMQP "$address"
    port_must_be_free "$port_management" "RabbitMQ management" "$address"
    local -a in_root
    root_of rabbitmq
    # ALLOW_INPUT makes the script become the server, so that the pid is the server's.
    # Few schedulers that do not spin: the node shares the machine with everything else.
    # What it sends to other nodes comes from its own address, as if it were another host.
    spawn "$name" HOME="$var/rabbitmq" ERL_EPMD_PORT="$port_epmd" ERL_EPMD_ADDRESS=127.0.0.1 \
        ERL_INETRC="$var/etc/erl_inetrc" ERL_CRASH_DUMP=/dev/null \
        RABBITMQ_ALLOW_INPUT=1 RABBITMQ_NODENAME="$(rabbitmq_node "$name")" \
        RABBITMQ_DIST_PORT="$(rabbitmq_dist_port "$name")" RABBITMQ_CONFIG_FILE="$var/etc/$name.conf" \
        RABBITMQ_ADVANCED_CONFIG_FILE="$var/etc/rabbitmq-advanced.config" \
        RABBITMQ_CONF_ENV_FILE="$var/etc/rabbitmq-env.conf" \
        RABBITMQ_ENABLED_PLUGINS_FILE="$var/etc/rabbitmq-plugins" \
        RABBITMQ_MNESIA_BASE="$var/rabbitmq/data" RABBITMQ_LOG_BASE="$var/log" RABBITMQ_LOGS=- \
        RABBITMQ_PID_FILE="$var/rabbitmq/$name.pid" \
        RABBITMQ_GENERATED_CONFIG_DIR="$var/rabbitmq/config-$name" \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-noinput +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none \
-kernel inet_dist_use_interface {${address//./,}} -kernel inet_dist_connect_options [{ip,{${address//./,}}}]" \
        "${in_root[@]}" "$rabbitmq_program"
}

rabbitmq_write_conf() { # NAME
    local address
    address=$(rabbitmq_address "$1")
    mkdir -p "$var/rabbitmq"
    setting rabbitmq_nodes >"$var/rabbitmq/nodes"
    write_changed "$var/etc/$1.conf" <<END || true
$(rabbitmq_listeners "$address")
management.tcp.ip = $address
management.tcp.port = $port_management
prometheus.tcp.ip = $address
prometheus.tcp.port = $port_prometheus
default_user = admin
default_pass = $(secret amqp-admin)
disk_free_limit.absolute = 512MB
vm_memory_high_watermark.absolute = 1GB
# Jobs take at most 256 KiB and their results some 2 MiB; more would only fill the memory of who reads it.
max_message_size = 4194304
log.console.level = warning
$(rabbitmq_cluster_conf)
END
    write_changed "$var/etc/rabbitmq-plugins" <<<'[rabbitmq_management,rabbitmq_prometheus].' || true
    # The nodes' names resolve whatever the machine's hosts file says.
    write_changed "$var/etc/erl_inetrc" <<END || true
{host,{127,0,0,1},["localhost"]}.
{host,{127,0,0,2},["rabbitmq-1"]}.
{host,{127,0,0,3},["rabbitmq-2"]}.
{lookup,[file,native]}.
END
    write_changed "$var/etc/curl-admin.conf" <<END || true
user = "admin:$(secret amqp-admin)"
END
    if [ ! -s "$var/rabbitmq/.erlang.cookie" ]; then
        secret erlang-cookie >"$var/rabbitmq/.erlang.cookie"
        chmod 400 "$var/rabbitmq/.erlang.cookie"
    fi
}

# Nodes find one another at their first start. One that does not see most of them stops serving: what it
# confirmed alone would be lost. Leaders of queues are spread.
rabbitmq_cluster_conf() {
    local name number=0
    rabbitmq_is_cluster || return 0
    printf '%s\n' 'cluster_partition_handling = pause_minority' 'queue_leader_locator = balanced' \
        "net_ticktime = $rabbitmq_ticktime_s" \
        'cluster_formation.peer_discovery_backend = classic_config'
    for name in $(rabbitmq_names); do
        number=$((number + 1))
        printf 'cluster_formation.classic_config.nodes.%s = %s\n' "$number" "$(rabbitmq_node "$name")"
    done
}

# Where AMQP is spoken: plainly, or by TLS alone.
rabbitmq_listeners() { # ADDRESS
    if tls_is_on; then
        printf '%s\n' 'listeners.tcp = none' "listeners.ssl.1 = $1:$port_amqp" \
            "ssl_options.cacertfile = $var/tls/ca.pem" "ssl_options.certfile = $var/tls/server.pem" \
            "ssl_options.keyfile = $var/tls/server-key.pem" \
            'ssl_options.verify = verify_none' 'ssl_options.fail_if_no_peer_cert = false' \
            'ssl_options.versions.1 = tlsv1.3' 'ssl_options.versions.2 = tlsv1.2'
    else
        printf '%s\n' "listeners.tcp.1 = $1:$port_amqp"
    fi
}

# The management API of any node, as the administrator; the password is in a file, not on the command line.
management() { # PATH [CURL ARGUMENT …]
    local address
    for address in $(rabbitmq_addresses); do
        management_of "$address" "$@" && return
    done
    return 1
}

management_of() { # ADDRESS PATH [CURL ARGUMENT …]
    local address=$1 path=$2
    shift 2
    curl -sf --max-time 30 -K "$var/etc/curl-admin.conf" "$@" "http://$address:$port_management/api/$path"
}

rabbitmq_answers() { # NAME
    management_of "$(rabbitmq_address "$1")" health/checks/local-alarms >/dev/null 2>&1
}

# Queues get their members when they are made: among all nodes.
rabbitmq_wait() {
    local name
    for name in $(rabbitmq_names); do
        rabbitmq_wait_node "$name"
    done
}

rabbitmq_wait_node() { wait_until "$1" 120 rabbitmq_answers "$1"; } # NAME

# Queues, accounts and what they may do; harmless again.
rabbitmq_prepare() {
    local topology
    topology=$(run_program tool boxoffice-topology --vhost / --accounts) || die "boxoffice-topology failed: see above"
    rabbitmq_definitions "$topology" |
        management definitions -X POST -H 'content-type: application/json' --data-binary @- >/dev/null ||
        die "RabbitMQ refused its definitions: see $var/log/rabbitmq*.log"
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

# The address of the cluster, as our own programs understand it.
amqp_url() { # ACCOUNT
    if tls_is_on; then
        amqp_url_of "$1" amqps "localhost:$port_amqp"
    else
        amqp_url_of "$1" amqp "$(rabbitmq_addresses ":$port_amqp" | paste -sd ,)"
    fi
}

# The address of its first node, as any program does.
amqp_url_first() { # ACCOUNT
    amqp_url "$1" | sed -E 's/,[^/]*//'
}

amqp_url_of() { # ACCOUNT SCHEME HOSTS
    printf '%s://%s:%s@%s/%%2f\n' "$2" "$1" "$(secret "amqp-$1")" "$3"
}
