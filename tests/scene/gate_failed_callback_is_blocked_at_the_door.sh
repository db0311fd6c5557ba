#!/bin/bash
# A client without a reverse name whose port 25 does not answer is refused, and then dropped by the kernel for a while:
# on the gate's own ports alone, although the hunt only observes.  Its neighbour still comes in.
. "$(dirname "$0")/lib.sh"

#   out 10.2.0.2, .3, .4 --- wall 10.2.0.1 with the gate | 10.1.0.1 --- pc 10.1.0.2
house
address out 10.2.0.3/24 wall
address out 10.2.0.4/24 wall
start sink wall sink --log "$T/mail" --port 2525
until_true 20 test -e "$T/mail"

cat >"$T/unbound.conf" <<END
server:
  interface: 127.0.0.53
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "$T"
  pidfile: ""
  use-syslog: no
  local-zone: "." static
  local-data: "friend.example. A 10.2.0.3"
  local-data-ptr: "10.2.0.3 friend.example"
END
start dns wall unbound -c "$T/unbound.conf"
until_true 5 on wall sh -c 'ss -Hlun | grep -q 127.0.0.53'

serviola_on wall "hunt: { mode: observe }
gate:
  folder: $T/wall.state/gate
  dns: { servers: [127.0.0.53] }
  callback: { private: yes, connect: 1s }
  greylist: { delay: 0s }
  listeners:
    mx:
      listen: 10.2.0.1:25
      to: 127.0.0.1:2525
      identity: none
      relay_test: no
      greet_after: 0s
      checks: { greylist: off, generic: off }"
until_true 5 event wall gate.listening

knocks() # SOURCE
{
    on out worm --from "$1" --to 10.2.0.1 --messages 1 --patience 3
}

say "the stranger is called back, nobody answers: it hears so, and is blocked with that as the cause"
prints "done" knocks 10.2.0.4
until_true 10 event wall gate.callback_failed --src 10.2.0.4
until_true 5 is_blocked wall 10.2.0.4
event wall act.blocked --src 10.2.0.4
prints 25 on wall serviola events --kind act.blocked --src 10.2.0.4
prints '10.2.0.4 is blocked until' on wall serviola why 10.2.0.4
prints 'port 25' on wall serviola why 10.2.0.4

say "it gets no further connection, its neighbour does, and what is forwarded is not touched"
prints silence knocks 10.2.0.4
prints "done" knocks 10.2.0.3
is_not on wall nft list chain inet serviola forward
is_not on wall nft list chain inet serviola output

say "the gateway, the server and ourselves stay, whoever asks"
is_not on wall serviola block 10.2.0.1
is_not on wall serviola block 10.2.0.2
is_not on wall serviola block 127.0.0.1

say "the block survives kill -9 of everything, and can be lifted"
crash wall
serviola_again wall
until_true 5 is_blocked wall 10.2.0.4
prints silence knocks 10.2.0.4
on wall serviola unblock 10.2.0.4
is_free()
{
    [ -z "$(on wall serviola blocks --json)" ]
}
until_true 5 is_free
prints "done" knocks 10.2.0.4
