#!/bin/bash
# A host that was allowed by command stays allowed: after a restart, a crash, and for each part that comes back.
. "$(dirname "$0")/lib.sh"
house
sink_on out
configure wall 'hunt: { mode: block }'

may_send()
{
    on pc worm --from 10.1.0.4 --messages 2 --patience 1
    [ "$(events wall act.blocked --src 10.1.0.4)" = 0 ]
    [ "$(events wall hunt.mail_seen --src 10.1.0.4)" = 0 ] || fail "it is reported, although it is allowed"
}

serviola_again wall
on wall serviola allow 10.1.0.4 --why "the printer"
on wall serviola allow 10.1.0.3
on wall serviola allow --remove 10.1.0.3
may_send

say "there is much to read back before it is known again"
for n in $(seq 1 200); do
    on wall serviola allow 192.0.2.1 --why "$n"
    on wall serviola allow --remove 192.0.2.1 --why "$n"
done >/dev/null

say "stopped and started"
finish serviola-wall || true
serviola_again wall
may_send

say "killed and started, and the kernel knows nothing any more"
crash wall
on wall nft flush ruleset
serviola_again wall
may_send

say "only the part that acts is killed"
kill -9 "$(pgrep -of '^[^ ]*serviola-hand$')"
until_true 5 event wall role.died
until_true 10 is_up wall
may_send

say "twin: who was taken off the list again is blocked"
is_not on pc worm --from 10.1.0.3 --messages 50 --patience 0.5
until_true 5 is_blocked wall 10.1.0.3
