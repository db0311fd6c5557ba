#!/bin/bash
# In learn mode nobody is blocked, and whoever behaves as a mail server is proposed for the allow list.
. "$(dirname "$0")/lib.sh"
house
sink_on out
sink_pc()
{
    start sink-pc pc sink --log "$T/mail-pc" --port 25 --silent ""
    until_true 5 test -e "$T/mail-pc"
}
sink_pc
serviola_on wall 'hunt: { mode: learn }'

say "10.1.0.25 receives mail from the outside and sends some"
on out worm --to 10.1.0.25 --messages 5
on pc worm --from 10.1.0.25 --messages 10
until_true 5 event wall hunt.allow_proposed --src 10.1.0.25
prints 10.1.0.25 on wall serviola events --kind hunt.allow_proposed

say "nobody is blocked meanwhile"
[ "$(events wall act.blocked)" = 0 ]
