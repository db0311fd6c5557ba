#!/bin/bash
# A server that knows neither PROXY nor XCLIENT still sees who the client is: the gate calls it in the client's name,
# from a socket that the hand lends.  In our own name the hand lends none.
. "$(dirname "$0")/lib.sh"

#   out 10.2.0.2 --- 10.2.0.1 wall with the gate 10.1.0.1 --- pc 10.1.0.2 with the mail server
house
start sink pc sink --log "$T/mail" --port 25
until_true 20 test -e "$T/mail"

say "what the server sends to the client comes home to the gate"
on wall nft -f - <<'END' || skip "this kernel's nft marks no packets"
table ip home {
    chain pre {
        type filter hook prerouting priority mangle
        ip saddr 10.1.0.2 tcp sport 25 meta mark set 1
    }
}
END
on wall ip rule add fwmark 1 lookup 100
on wall ip route add local default dev lo table 100

serviola_on wall "gate:
  folder: $T/wall.state/gate
  dns: { servers: [10.2.0.2], total: 100ms } # nobody answers there, and nobody is refused for it
  listeners:
    mx:
      listen: 10.2.0.1:25
      to: 10.1.0.2:25
      identity: transparent
      relay_test: no
      greet_after: 0s
      checks: { rdns: off, confirmed: off, generic: off, callback: off, bogus_mx: off, greylist: off }"
until_true 5 event wall gate.listening

on out worm --to 10.2.0.1 --messages 3 --patience 15
until_true 5 grep -q . "$T/mail"
[ "$(delivered)" = 3 ]
[ "$(delivered 10.2.0.2)" = 3 ] || fail "the server saw somebody else: $(cat "$T/mail")"
