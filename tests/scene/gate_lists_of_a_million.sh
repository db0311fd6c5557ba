#!/bin/bash
# A list of a million networks: who is on it is refused at the door; it is read again under load without a lost session;
# a faulty one leaves the old one in force and says where the fault is.
# alone, since it takes both processors
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
crowd_on_far
net() # NUMBER: a network of the crowd
{
    local first

    first=$(one_of_crowd "$1" 0)
    echo "$first/$([[ $first == *:* ]] && echo 64 || echo 24)"
}

good=44.2.128.0/17
[ -z "${six-}" ] || good=2a00:66:0:80::/57
million() # ADDRESS...: a million others, and these
{
    awk -v six="${six-}" 'BEGIN {
        for (i = 0; i < 1000000; i++)
            if (six)
                printf "2a%02x:%x:%x::/48\n", 1 + int(i / 65536), int(i / 256) % 256, i % 256
            else
                printf "%d.%d.%d.%d/25\n", 60 + int(i / 65536), int(i / 256) % 256, i % 256, i % 2 ? 0 : 128
    }'
    printf '%s\n' "$@"
}
million "$(net 1)" >"$T/listed"
chmod 755 "$T"
gate_on "greet_after: 0, checks: { $quiet }" "  lists: { bad: { file: $T/listed } }
  limits: { per_address: 5000, per_network: 5000, rate_address: 0, rate_network: 0 }"
gate_takes_mail
loaded() { [ "$(events mx gate.lists_loaded)" -ge "$1" ]; }
until_true 20 loaded 1

say "who is listed hears 554 at once; others come in"
prints "554 5.7.1" on far smtp --src "$(one_of_crowd 1 7)" "${far}1" 25
tells "is in bad, line 1000001" "$(one_of_crowd 1 7)"
prints "220 " on far smtp --src "$(one_of_crowd 2 7)" "${far}1" 25 QUIT

say "another million is read while mail comes in: nobody is lost"
start storm far storm --count 4000 --net "$good" --at-once 50 "${far}1" 25
million "$(net 2)" >"$T/next"
mv "$T/next" "$T/listed"
until_true 30 loaded 2
wait "$(pid_of storm)"
cat "$T/storm.out"
[ "$(cat "$T/storm.out")" = "250 rcpt 4000" ]
prints "554 5.7.1" on far smtp --src "$(one_of_crowd 2 7)" "${far}1" 25
prints "220 " on far smtp --src "$(one_of_crowd 1 7)" "${far}1" 25 QUIT

say "a fault in it: the old one stays, and the place is named"
{ million; echo "44.2.3.0/99"; } >"$T/next"
mv "$T/next" "$T/listed"
until_true 30 event mx gate.lists_refused
prints ":1000002:1:" on mx serviola events --kind gate.lists_refused --json
tells ":1000002:1:" gate.lists_refused
prints "554 5.7.1" on far smtp --src "$(one_of_crowd 2 7)" "${far}1" 25
