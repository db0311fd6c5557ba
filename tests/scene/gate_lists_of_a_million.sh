#!/bin/bash
# A list of a million networks: who is on it is refused at the door; it is read again under load without a lost session;
# a faulty one leaves the old one in force and says where the fault is.
# alone, since it takes both processors
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
on far ip route add local 44.2.0.0/16 dev lo
ip -n far addr add 2a00:55:1::7/128 dev lo
ip -n far addr add 2a00:55:2::7/128 dev lo
million() # ADDRESS...: a million others, and these
{
    awk 'BEGIN { for (i = 0; i < 1000000; i++) printf "%d.%d.%d.%d/%d\n", 60 + int(i / 65536), int(i / 256) % 256, i % 256, i % 2 ? 0 : 128, i % 2 ? 25 : 25 }'
    printf '%s\n' "$@"
}
quiet='greylist: off, rdns: off, confirmed: off, generic: off, callback: off, bogus_mx: off, dnsbl: off, helo: off'
million 44.2.1.0/24 2a00:55:1::/48 >"$T/listed"
chmod 755 "$T"
gate_on "greet_after: 0, checks: { $quiet }" "  lists: { bad: { file: $T/listed } }
  limits: { per_address: 5000, per_network: 5000, rate_address: 0, rate_network: 0 }"
gate_takes_mail
loaded() { [ "$(events mx gate.lists_loaded)" -ge "$1" ]; }
until_true 20 loaded 1

say "who is listed hears 554 at once, over IPv4 and IPv6; others come in"
prints "554 5.7.1" on far smtp --src 44.2.1.7 44.1.0.1 25
prints "554 5.7.1" on far smtp --src 2a00:55:1::7 2a00:44:1::1 25
prints "220 " on far smtp --src 44.2.2.7 44.1.0.1 25 QUIT
prints "220 " on far smtp --src 2a00:55:2::7 2a00:44:1::1 25 QUIT

say "another million is read while mail comes in: nobody is lost"
start storm far storm --count 4000 --net 44.2.128.0/17 --at-once 50 44.1.0.1 25
million 44.2.2.0/24 >"$T/next"
mv "$T/next" "$T/listed"
until_true 30 loaded 2
wait "$(pid_of storm)"
cat "$T/storm.out"
[ "$(cat "$T/storm.out")" = "250 rcpt 4000" ]
prints "554 5.7.1" on far smtp --src 44.2.2.7 44.1.0.1 25
prints "220 " on far smtp --src 44.2.1.7 44.1.0.1 25 QUIT

say "a fault in it: the old one stays, and the place is named"
{ million; echo "44.2.3.0/99"; } >"$T/next"
mv "$T/next" "$T/listed"
until_true 30 event mx gate.lists_refused
prints ":1000002:1:" on mx serviola events --kind gate.lists_refused --json
prints "554 5.7.1" on far smtp --src 44.2.2.7 44.1.0.1 25
