# shellcheck shell=bash
# How long the parts of a charge took, by what fronts and account workers tell of themselves on their
# metrics ports (lib/metrics.def). Sourced by bench/http.

# Prints {"request": {"s": …, "count": …}, …}: each of their histograms so far, of all of them together.
spans() {
    jq -r '.[] | select(.labels.role == "front" or .labels.role == "account-worker") | .targets[0]' \
        "$var/prometheus/targets/boxoffice.json" |
        while IFS= read -r address; do
            curl -sf "http://$address/metrics" || exit
        done | awk '
            match($0, /^boxoffice_(request|reply|queue|database|batch)_seconds_(sum|count)/) {
                split($0, word, "_")
                if (word[4] ~ /^sum/) s[word[2]] += $NF
                else count[word[2]] += $NF
            }
            END { for (each in count) printf "%s %.6f %d\n", each, s[each], count[each] }' |
        jq -Rnc '[inputs | split(" ") | {(.[0]): {s: (.[1] | tonumber), count: (.[2] | tonumber)}}] | add'
}
