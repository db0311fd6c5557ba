#!/bin/bash
# The log that the story's scripts wrote is there for those who have tools for it.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall 'hunt: { mode: block, story_log: gusanos.log }'
is_not on pc worm --messages 200 --patience 0.3
until_true 5 is_blocked wall 10.1.0.2

log()
{
    find "$T/wall.state" -name gusanos.log -size +0 | grep .
}
until_true 5 log
file=$(log)
cat "$file"
grep -q '10\.1\.0\.2' "$file"
grep -qi 'mail from:.*john.doe@mail.com' "$file"
finish serviola-wall || true

say "twin: without the key there is no such file"
rm -r "$T/wall.state"
on wall nft flush ruleset
serviola_on wall 'hunt: { mode: block }'
is_not on pc worm --messages 200 --patience 0.3
until_true 5 is_blocked wall 10.1.0.2
is_not log
