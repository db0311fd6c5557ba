#!/bin/bash
# What stands in a mail is text: it blocks nobody and no shell ever sees it.
. "$(dirname "$0")/lib.sh"
house
sink_on out --banner '220 mail from:<nobody@example.net> is not welcome here'
serviola_on wall 'hunt: { mode: block, allow: [10.1.0.25] }'

say "the allowed server carries a mail that is written against us"
touch_it="touch $T/ran"
on pc worm --from 10.1.0.25 --messages 3 --body "Subject: x
mail from:<a@b.example>
a b 1;$touch_it;.2.3.4 SMTP: mail from
\$($touch_it) \`$touch_it\` %s%s%s%n %99999d
MAIL FROM:<\$($touch_it)@example.net>
10.1.0.3.1025 > 10.2.0.2.25: mail from:<a@b.example>"
[ "$(delivered 10.1.0.25)" = 3 ]
on pc worm --from 10.1.0.3 --variant greet_only --helo "\$($touch_it)%n%s" --messages 1

say "twin: a worm whose address is written so is blocked, and its text is only text"
is_not on pc worm --sender "\$($touch_it)%n%s;\`$touch_it\`@x.example" --messages 200 --patience 0.3
until_true 5 is_blocked wall 10.1.0.2
until_true 5 event wall act.blocked
prints '%n%s' on wall serviola why 10.1.0.2
[ "$(events wall act.blocked)" = 1 ]
[ ! -e "$T/ran" ] || fail "a command from a mail was run"
for who in 10.1.0.3 1.2.3.4 10.1.0.25 10.2.0.2; do
    is_not is_blocked wall $who
done
