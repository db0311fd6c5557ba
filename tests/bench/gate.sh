#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# gate.sh - the gate beside its peers, in one run each: CPU seconds for 10,000 sessions, sessions a second, memory and
# CPU while idle connections are held.
#
# usage: gate.sh [SCENARIO...]      runs the harness in SERVIOLA_DATA/../bench/gate; without it this is skipped
#
#   known        a known client's mail goes through (beside: haproxy, floor, smtpd)
#   refused      refused when it connects, by a list (beside: postscreen-drop)
#   protocol     refused after EHLO, MAIL, RCPT (beside: postscreen-reject)
#   many         known, 500 and 1,000 clients at once
#   idle         5,000 held connections, in plain text
# Without one: all.  REPEATS (3) and SESSIONS (6000) may be set.  Needs root, Postfix, haproxy and the load makers of
# that harness.  Compare the CPU of a column; sessions a second are those of the whole set-up.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${SERVIOLA_BUILD:-$top/build}" && pwd)
bench=${SERVIOLA_DATA:-$top/../shared/data}/../bench/gate
[ -x "$bench/run.sh" ] || { echo "skipped: no harness at $bench"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "skipped: it makes control groups, which needs root"; exit 77; }
repeats=${REPEATS:-3} sessions=${SESSIONS:-6000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What run.sh starts as our column: {listen} {backend} {dir} filled in.
cat >"$work/column" <<'COLUMN'
#!/bin/bash
listen=$1 backend=$2 dir=$3 what=$4
off='early_talker: refuse, rdns: off, confirmed: off, generic: off, dnsbl: off, callback: off, bogus_mx: off, greylist: off, helo: off'
lists= list=off
case $what in
refused)
    printf '127.9.0.0/16\n' >"$dir/listed"
    list=refuse lists="lists: { bench: { file: $dir/listed, means: refuse } }"
    ;;
protocol)
    printf 'client.test\nbench.test\n/./\n' >"$dir/listed"
    list=refuse lists="lists: { bench: { file: $dir/listed, what: helo, means: refuse } }"
    ;;
esac
chmod 755 "$dir"
[ ! -e "$dir/listed" ] || chmod 644 "$dir/listed"
cat >"$dir/conf" <<YAML
serviola: { control: $dir/control }
journal: { folder: $dir/journal }
hunt: { mode: off }
watch: { mode: off }
gate:
  folder: $dir/gate
  $lists
  outbound_guard: no
  blocks: no
  listeners:
    gate: { listen: ["$listen"], to: "$backend", identity: none, relay_test: no, greet_after: 0, checks: { list: $list, $off } }
  limits: { places: 20000, per_address: 20000, per_network: 20000, rate_address: 0, rate_network: 0 }
YAML
exec "$SERVIOLA_BUILD/serviola" run -c "$dir/conf" --no-console
COLUMN
chmod +x "$work/column"
export SERVIOLA_BUILD=$build

run() # WHAT SCENARIO "CLIENTS" COLUMN...
{
    local what=$1 scenario=$2 clients=$3

    shift 3
    for ((turn = 0; turn < repeats; turn++)); do # ours and the peers in turn: what the machine does else falls on all
        GATE_SCENARIO=$scenario GATE_CMD="$work/column {listen} {backend} {dir} $what" \
            "$bench/run.sh" -c "$clients" -n "$sessions" -r 1 ${HELD:+-H "$HELD"} -o "$work/$what.tsv" gate "$@" >>"$work/$what.out" 2>&1 ||
            { cat "$work/$what.out"; return 1; }
    done
    awk -F '\t' -v what="$what" '
        NR > 1 { k = $1 FS $3; n[k]++; rate[k] = rate[k] " " $9; cpu[k] = cpu[k] " " $13; p99[k] = p99[k] " " $12; bad[k] += $8; ok[k] += $6; no[k] += $7; if (!(k in seen)) { seen[k] = 1; order[++count] = k } }
        function median(list,   at, m, i, j, t) { m = split(list, at, " "); for (i = 1; i <= m; i++) for (j = i + 1; j <= m; j++) if (at[j] + 0 < at[i] + 0) { t = at[i]; at[i] = at[j]; at[j] = t } return at[int((m + 1) / 2)] }
        END { for (i = 1; i <= count; i++) { split(order[i], w, FS); printf "%-9s %-18s %5s clients  %6s/s  p99 %7s ms  CPU %6s s per 10,000  (gate %.2f of it)  ok %d, refused %d, failed %d\n", what, w[1], w[2], median(rate[order[i]]), median(p99[order[i]]), median(cpu[order[i]]), median(cpu["gate" FS w[2]]) / (median(cpu[order[i]]) + 1e-9), ok[order[i]], no[order[i]], bad[order[i]] } }' "$work/$what.tsv"
    [ -z "${HELD:-}" ] || grep -h '^IDLE' "$work/$what.tsv.idle" "$work/$what.out" | sort -u
}

for what in "${@:-all}"; do
    case $what in known | all) run known deliver "10 100" haproxy floor smtpd ;; esac
    case $what in many | all) run many deliver "500 1000" haproxy ;; esac
    case $what in refused | all) run refused reject "10 100" postscreen-drop ;; esac
    case $what in protocol | all) run protocol reject "10 100" postscreen-reject ;; esac
    case $what in idle | all) HELD=${HELD_CLIENTS:-5000} run idle deliver 10 haproxy ;; esac
done
