#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Hours of lines with reloads of rules in between: memory and descriptors of each process must not grow, and no line is lost.
# usage: soak.sh [MINUTES [LINES_A_SECOND [SECONDS_BETWEEN_RELOADS]]]     1440 5000 60 is a day.
# Runs in a network namespace of its own.  Exit code 1 when something grew, or a line was lost.
set -euo pipefail

build=${SERVIOLA_BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build}
if [ -z "${SOAK_INSIDE:-}" ]; then
    SOAK_INSIDE=1 exec unshare --net --mount --pid --fork --mount-proc --kill-child "$0" "$@"
fi
minutes=${1:-60}
rate=${2:-5000}
between=${3:-60}
T=$(mktemp -d)
chmod 0755 "$T"
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$T"' EXIT
ip link set lo up
install -d -m 0755 "$T/state"
export PATH=$build:$PATH SERVIOLA_CONF=$T/conf

with_rule() # NUMBER
{
    cat >"$T/conf" <<YAML
serviola: { control: $T/control }
journal: { folder: $T/state/journal }
hunt: { mode: off }
watch: { mode: off }
log:
  mode: keep
  folder: $T/state/log
  tcp: "127.0.0.1:5514"
  keep: { size: 256MiB }
  analyse:
    rules:
      changes: { match: "the vault number $1 was opened", means: attack }
YAML
}

processes()
{
    pgrep "^serviola" | sort -n
}

# PID ROLE ANONYMOUS-KB DESCRIPTORS of each; what is mapped from files and may be dropped does not count, nor does the descriptor
# that a reader of the log keeps of each sealed segment (of at most so many: sense/log/lines.c).
picture()
{
    for pid in $(processes); do
        printf '%s %s %s %s\n' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline" | awk '{ print $NF }')" \
            "$(awk '$1 == "RssAnon:" { print $2 }' "/proc/$pid/status")" "$(find "/proc/$pid/fd" -mindepth 1 ! -lname '*.zst' | wc -l)"
    done
}

with_rule 0
serviola run --no-console >"$T/out" 2>"$T/err" &
for _ in $(seq 50); do
    if ss -Hltn "sport = :5514" | grep -q .; then break; fi
    sleep 0.2
done
ss -Hltn "sport = :5514" | grep -q . || { cat "$T/err"; exit 1; }
python3 - "$rate" "$minutes" >"$T/sent" <<'PYTHON' &
import socket, sys, time
rate, minutes = int(sys.argv[1]), float(sys.argv[2])
s = socket.create_connection(("127.0.0.1", 5514))
begin, sent = time.monotonic(), 0
while True:
    due = int((time.monotonic() - begin) * rate)
    if due >= rate * 60 * minutes:
        break
    stamp = time.strftime("%b %e %H:%M:%S")
    s.sendall(b"".join(b"<13>%s web%d app[%d]: request %x of 10.0.%d.%d took %d ms\n" % (stamp.encode(), n % 24, n % 30000, n, n % 256, n // 256 % 256, n % 997) for n in range(sent, due)))
    sent = max(sent, due)
    time.sleep(0.05)
print(sent)
PYTHON
sender=$!
settled= # after the first tenth: what is learned in the beginning is no growth
reloads=0
begin=$SECONDS
while kill -0 $sender 2>/dev/null; do
    sleep "$between"
    reloads=$((reloads + 1))
    with_rule $reloads
    serviola reload >/dev/null
    if [ -z "$settled" ] && [ $((SECONDS - begin)) -ge $((minutes * 6)) ]; then
        settled=$(picture)
    fi
done
wait $sender
now=$(picture)
sent=$(cat "$T/sent")
received()
{
    serviola status --json | grep -o '"received":[0-9]*' | head -n 1 | cut -d: -f2
}
for _ in $(seq 100); do
    [ "$(received)" != "$sent" ] || break
    sleep 0.1
done
echo "$sent lines sent in $minutes min, $(received) received, $reloads reloads; load $(cut -d' ' -f1 /proc/loadavg)"
missed=0
[ "$(received)" = "$sent" ] || missed=1
while read -r pid role kb fds; do
    read -r was_kb was_fds <<<"$(awk -v p="$pid" '$1 == p { print $3, $4 }' <<<"$settled")"
    echo "$role: $kb KB of its own (${was_kb:-?} after a tenth of the time), $fds descriptors (${was_fds:-?})"
    if [ -z "$was_kb" ] || [ "$kb" -gt $((was_kb + was_kb / 10 + 1024)) ] || [ "$fds" -gt $((was_fds + 2)) ]; then
        echo "  it grew, or was started again"
        missed=1
    fi
done <<<"$now"
exit $missed
