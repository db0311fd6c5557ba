#!/bin/bash
# A reload opens new listeners and closes old ones while sessions go on; a server on a port that the gate's jail does
# not know makes the gate start anew; a hand that died lends sockets again.
. "$(dirname "$0")/lib.sh"
house
start sink wall sink --log "$T/mail" --port 2525,2526
until_true 5 test -e "$T/mail"

conf() # LISTENERS
{
    configure wall "gate:
  folder: $T/wall.state/gate
  dns: { servers: [10.2.0.2], total: 100ms } # nobody answers there, and nobody is refused for it
  listeners:
    first: { listen: \"10.2.0.1:25\", to: 127.0.0.1:2525, $same }
$1"
}
same="identity: none, relay_test: no, greet_after: 0s,
      checks: { rdns: off, confirmed: off, generic: off, callback: off, bogus_mx: off, greylist: off }"

reload()
{
    local loaded

    loaded=$(events wall conf.loaded)
    kill -HUP "$(pid_of serviola-wall)"
    is_loaded()
    {
        [ "$(events wall conf.loaded)" -gt "$loaded" ]
    }
    until_true 5 is_loaded
}

takes() # PORT
{
    prints "done" on out worm --to 10.2.0.1 --port "$1" --messages 1 --patience 5
}

refuses() # PORT
{
    prints refused on out worm --to 10.2.0.1 --port "$1" --messages 1 --patience 5
}

gate_pid()
{
    pgrep -f '^serviola -x gate$'
}

conf ""
serviola_again wall
until_true 5 takes 25
was=$(gate_pid)

say "a second listener is opened, while a session of the first goes on"
start held out worm --to 10.2.0.1 --messages 100000 --gap-ms 20 --reuse --patience 5
conf "    second: { listen: \"10.2.0.1:587\", to: 127.0.0.1:2525, $same }"
reload
until_true 5 takes 587
takes 25
[ "$(gate_pid)" = "$was" ]
prints 587 on wall nft list set inet serviola doors

say "and closed again"
conf ""
reload
until_true 5 refuses 587
takes 25
[ "$(gate_pid)" = "$was" ]

kill -0 "$(pid_of held)" || fail "the session was cut"
finish held || true

say "a server on another port: the gate starts anew, as its jail was made for the old one"
conf "    third: { listen: \"10.2.0.1:2600\", to: 127.0.0.1:2526, $same }"
reload
until_true 10 takes 2600
takes 25
[ "$(gate_pid)" != "$was" ]
[ "$(events wall role.died)" = 0 ] || fail "it was no death"

say "the hand dies, and lends sockets again"
kill -KILL "$(pgrep -f '^serviola-hand$' | head -n 1)"
until_true 5 event wall role.died
conf "    fourth: { listen: \"10.2.0.1:2601\", to: 127.0.0.1:2526, $same }"
reload
until_true 15 takes 2601
