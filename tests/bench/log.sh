#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How fast lines are received and kept, what it costs, and what is lost; rsyslog in the same run, to a plain file.
# Live analysis, which reads every line, has a row of its own: elsewhere it is off.
# usage: log.sh [MESSAGES]     Needs the corpus maker and the sender in SERVIOLA_DATA/../bench/log, rsyslogd for the peer.
# Exit code 1 when a line was lost, or one of the figures of the README is missed.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
tools=${SERVIOLA_DATA:-$top/../shared/data}/../bench/log
build=${SERVIOLA_BUILD:-$top/build}
serviola=$build/serviola
n=${1:-1000000}
if [ ! -f "$tools/mkcorpus.c" ]; then
    echo "skipped: no $tools/mkcorpus.c"
    exit 77
fi
T=$(mktemp -d)
pids=()
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done; wait; rm -rf "$T"' EXIT
cc -O2 -o "$T/mkcorpus" "$tools/mkcorpus.c" -lm 2>/dev/null
cc -O2 -pthread -o "$T/lsend" "$tools/lsend.c" -lssl -lcrypto 2>/dev/null
"$T/mkcorpus" --mb $((n / 5000)) --seed 1 --format 3164 --out "$T/all.log" --truth "$T/truth" >/dev/null 2>&1
head -n "$n" "$T/all.log" >"$T/lines"
rm "$T/all.log"
n=$(wc -l <"$T/lines")
tick=$(getconf CLK_TCK)
missed=0
echo 'log: { analyse: { on: no } }' >"$T/keep.conf"
echo 'log: { analyse: { on: yes } }' >"$T/read.conf"
conf=$T/keep.conf

cpu() # PID: ticks, its own and the kernel's for it
{
    awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"
}

field() # NAME JSON
{
    grep -o "\"$1\":[0-9.]*" <<<"$2" | cut -d: -f2
}

idle() # PID: until it has done nothing for half a second
{
    local before now still=0

    before=$(cpu "$1")
    while [ $still -lt 5 ]; do
        sleep 0.1
        now=$(cpu "$1")
        still=$((now == before ? still + 1 : 0))
        before=$now
    done
}

receive() # PROTOCOL PORT: our receiver, in the background; its pid is the last of pids
{
    rm -rf "$T/store"
    "$serviola" log receive --config "$conf" --store "$T/store" "--$1" "127.0.0.1:$2" "${@:3}" 2>"$T/said" &
    pids+=($!)
    until grep -q log.started "$T/said"; do sleep 0.02; done
}

# WHAT SENT CPU-TICKS SECONDS MOST-CPU LEAST-RATE
report()
{
    local kept

    kept=$("$serviola" log show --store "$T/store" --count)
    awk -v what="$1" -v sent="$2" -v kept="$kept" -v ticks="$3" -v tick="$tick" -v s="$4" -v most="$5" -v least="$6" 'BEGIN {
        cost = ticks / tick / kept * 1e6
        rate = sent / s
        printf "%-26s %9d messages %8.0f/s  %5.2f CPU s per million  lost %d\n", what, sent, rate, cost, sent - kept
        exit !(kept == sent && (most == 0 || cost <= most) && (least == 0 || rate >= least))
    }' || missed=1
}

end_receiver()
{
    kill "${pids[-1]}"
    wait "${pids[-1]}" || true
    unset 'pids[-1]'
}

# START: seconds from then until the last line was written to the store's active file; the sender is through before,
# when the kernel has its last byte
kept_after()
{
    stat -c %.6Y "$T"/store/*.wal | sort -n | tail -n 1 | awk -v start="$1" '{ print $1 - start }'
}

with_lsend() # WHAT PROTOCOL PORT CONNECTIONS RATE MOST-CPU LEAST-RATE [ARGUMENT...]
{
    local before after sent start seconds

    receive "$2" "$3" "${@:8}"
    before=$(cpu "${pids[-1]}")
    start=$(date +%s.%N)
    sent=$("$T/lsend" "$2" 127.0.0.1 "$3" "$T/lines" -c "$4" -n "$n" -f lf ${5:+-r "$5"})
    idle "${pids[-1]}"
    after=$(cpu "${pids[-1]}")
    seconds=$(kept_after "$start")
    end_receiver
    report "$1" "$(field msgs "$sent")" $((after - before)) "$seconds" "$6" "$7"
}

echo "$n messages of $(($(stat -c %s "$T/lines") / n)) bytes; load $(cut -d' ' -f1 /proc/loadavg)"
with_lsend "TCP, 4 connections" tcp 15140 4 "" 1.0 600000
conf=$T/read.conf
with_lsend "TCP, and analysed live" tcp 15145 4 "" 0 0
conf=$T/keep.conf
with_lsend "UDP, 200,000 a second" udp 15141 1 200000 0 0
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/key.pem" -out "$T/cert.pem" -days 1 -subj /CN=bench 2>/dev/null
with_lsend "TLS, 4 connections" tls 15142 4 "" 1.5 0 --certificate "$T/cert.pem" --key "$T/key.pem"
for how in "1 1024" "4 1024"; do
    receive relp 15143
    before=$(cpu "${pids[-1]}")
    # shellcheck disable=SC2086
    sent=$("$build/tests/bench/relp_send" 127.0.0.1 15143 "$T/lines" $how)
    idle "${pids[-1]}"
    after=$(cpu "${pids[-1]}")
    end_receiver
    report "RELP, on disk, ${how% *} client(s)" "$(field acked "$sent")" $((after - before)) \
        "$(field seconds "$sent")" 0 200000
done
start=$(date +%s%N)
"$serviola" log verify "$T/store" >/dev/null
ns=$(($(date +%s%N) - start))
if compgen -G "$T/store/*.zst" >/dev/null; then
    awk -v b="$(stat -c %s "$T/lines")" -v sealed="$(cat "$T"/store/*.zst | wc -c)" -v open="$(cat "$T"/store/*.wal | wc -c)" -v ns=$ns 'BEGIN {
        printf "%-26s %.2f times smaller with index and seals, where sealed; verified at %.2f GB/s of text\n", "the store", (b - open) / sealed, b / ns }'
fi

if command -v rsyslogd >/dev/null; then
    cat >"$T/rsyslog.conf" <<END
global(workDirectory="$T" net.enableDNS="off" maxMessageSize="256k")
main_queue(queue.size="200000" queue.dequeueBatchSize="2048")
module(load="imptcp" threads="2")
input(type="imptcp" address="127.0.0.1" port="15144")
action(type="omfile" file="$T/plain" template="RSYSLOG_FileFormat" ioBufferSize="256k" asyncWriting="on" flushOnTXEnd="off")
END
    rsyslogd -n -i "$T/rsyslog.pid" -f "$T/rsyslog.conf" >"$T/rsyslog.said" 2>&1 &
    pids+=($!)
    until (: </dev/tcp/127.0.0.1/15144) 2>/dev/null; do sleep 0.05; done
    before=$(cpu "${pids[-1]}")
    start=$(date +%s%N)
    "$T/lsend" tcp 127.0.0.1 15144 "$T/lines" -c 4 -n "$n" -f lf >/dev/null
    idle "${pids[-1]}"
    s=$((($(date +%s%N) - start) / 1000000 - 500))
    after=$(cpu "${pids[-1]}")
    awk -v n="$n" -v ticks=$((after - before)) -v tick="$tick" -v ms="$s" 'BEGIN {
        printf "%-26s %9d messages %8.0f/s  %5.2f CPU s per million  (plain file, nothing durable)\n", "peer: rsyslog, TCP", n, n / ms * 1000, ticks / tick / n * 1e6 }'
    end_receiver
fi
exit $missed
