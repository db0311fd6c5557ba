#!/bin/bash
# A faulty configuration is refused with place and reason; what runs, runs on.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall 'hunt: { mode: block, allow: [10.1.0.25] }'
good=$(cat "$T/wall.conf")

say "somebody misspells a key and asks for a reload"
cat >>"$T/wall.conf" <<'YAML'
block:
  fro: 1h
  how: perhaps
YAML
is_not on wall serviola check "$T/wall.conf"
prints 'unknown key "fro"' on wall serviola check "$T/wall.conf"
prints '^' on wall serviola check "$T/wall.conf"
is_not on wall serviola reload -c "$T/wall.conf"
prints 'unknown key "fro"' on wall serviola reload -c "$T/wall.conf"
kill -HUP "$(pid_of serviola-wall)"
until_true 5 event wall conf.refused
grep -q 'unknown key "fro"' "$T/serviola-wall.err"

say "the old rules hold"
on pc worm --from 10.1.0.25 --messages 3
is_not on pc worm --messages 200 --patience 0.3
until_true 5 is_blocked wall 10.1.0.2

say "twin: a sound one is taken, without a restart"
loaded=$(events wall conf.loaded)
printf '%s\n' "${good/10.1.0.25/10.1.0.25, 10.1.0.4}" >"$T/wall.conf"
on wall serviola check "$T/wall.conf"
prints 'the configuration is in force' on wall serviola reload -c "$T/wall.conf"
until_true 5 eval '[ "$(events wall conf.loaded)" -gt $loaded ]'

say "what can't change while it runs is named"
fixed=$(cat "$T/wall.conf")
printf '%s\nblock: { table: elsewhere }\n' "$fixed" >"$T/wall.conf"
prints 'block.table changes with the next start' on wall serviola reload -c "$T/wall.conf"
printf '%s\n' "$fixed" >"$T/wall.conf"
prints '"done":true' on wall serviola reload -c "$T/wall.conf" --json
until_true 5 on pc worm --from 10.1.0.4 --messages 3 --patience 0.5
is_not is_blocked wall 10.1.0.4
is_blocked wall 10.1.0.2
