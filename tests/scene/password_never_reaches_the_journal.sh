#!/bin/bash
# A login is seen with its user name; the password is nowhere: not in journal, evidence, logs or output.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall 'hunt: { mode: observe, evidence: { keep: yes }, story_log: gusanos.log }'
password='tr0ub4dor&3-correct-horse'
on pc worm --auth "carol:$password" --messages 2
until_true 5 event wall hunt.auth_seen --src 10.1.0.2
prints carol on wall serviola events --kind hunt.auth_seen
until_true 5 event wall rule.would_block
on wall serviola why 10.1.0.2 >"$T/why.txt" || true
on wall serviola events --json >"$T/events.txt"
on wall serviola events >>"$T/events.txt"
finish serviola-wall || true

say "nowhere: as it is, in base64, alone or with the user name"
for secret in "$password" "$(printf %s "$password" | base64)" "$(printf '\0carol\0%s' "$password" | base64)"; do
    if grep -rlaF -- "$secret" "$T/wall.state" "$T/why.txt" "$T/events.txt" "$T/serviola-wall.err" "$T/serviola-wall.out"; then
        fail "the password is in there"
    fi
done
say "twin: what is no secret is found that way"
grep -raqF carol "$T/events.txt"
