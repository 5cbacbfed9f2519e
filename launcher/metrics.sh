# shellcheck shell=bash
# What a Prometheus needs to watch this instance, in VAR/prometheus: the configuration and the alerts
# of ops/, and beside them who is to be scraped. The launcher starts no Prometheus.

metrics_write_targets() {
    local folder=$var/prometheus
    mkdir -p "$folder/targets" || die "cannot create $folder/targets"
    ln -sfn "$root/ops/prometheus.yml" "$root/ops/alerts.yml" "$folder/"
    metrics_processes | metrics_targets | write_changed "$folder/targets/boxoffice.json" || true
    metrics_rabbitmq | metrics_targets |
        write_changed "$folder/targets/rabbitmq.json" || true
}

# Each process and its metrics port: "front-0 127.0.0.1:18010".
metrics_processes() {
    local name
    for name in $(program_names); do
        printf '%s 127.0.0.1:%s\n' "$name" "$(program_metrics_port "$name")"
    done
}

metrics_rabbitmq() {
    local name
    for name in $(rabbitmq_names); do
        printf '%s %s:%s\n' "$name" "$(rabbitmq_address "$name")" "$port_prometheus"
    done
}

# Such lines as a file for file_sd_configs; the labels process and role tell them apart.
metrics_targets() {
    jq -nR '[inputs | split(" ") | {targets: [.[1]], labels: {process: .[0], role: (.[0] | sub("-[0-9]+$"; ""))}}]'
}
