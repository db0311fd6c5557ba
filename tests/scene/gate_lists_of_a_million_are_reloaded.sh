#!/bin/bash
# A list of a million prefixes is in force seconds after its file changed, without a session lost; a bad line leaves the
# old list in force, and is named.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
mkdir -p "$T/lists"
echo "44.1.0.3 # a bad one" >"$T/lists/bad"
chmod -R a+rX "$T/lists"
gate_on 'greet_after: 0, checks: { greylist: off, rdns: off, confirmed: off, generic: off, callback: off, bogus_mx: off }' \
    "  lists:
    bad: { file: $T/lists/bad, what: addresses, means: refuse }"
gate_takes_mail

hears() # SOURCE
{
    on far smtp --src "$1" --wait 5 44.1.0.1 25 "EHLO far.test" "MAIL FROM:<>" "RCPT TO:<b@example.com>" QUIT
}

say "who is on the list is refused, its neighbour is not"
until_true 5 event mx gate.lists_loaded
prints "554 5.7.1 listed here" hears 44.1.0.3
prints "250 " hears 44.1.0.4

say "a session is open while the list becomes a million lines long"
start patient far smtp --src 44.1.0.5 --wait 20 44.1.0.1 25 "EHLO far.test" "@sleep 4" "MAIL FROM:<>" "RCPT TO:<b@example.com>" QUIT
python3 - "$T/lists/new" <<'END'
import sys
with open(sys.argv[1], "w") as f:
    for i in range(1000000):
        f.write("%d.%d.%d.%d/32\n" % (60 + i // 65536, i // 256 % 256, i % 256, i % 7))
    f.write("44.1.0.4\n")
END
chmod a+r "$T/lists/new"
mv "$T/lists/new" "$T/lists/bad"
refused()
{
    prints "554 5.7.1 listed here" hears 44.1.0.4
}
until_true 15 refused
prints "250 " hears 44.1.0.3
prints 1000001 on mx serviola events --kind gate.lists_loaded --json
until_true 10 grep -q "221" "$T/patient.out"
is_not grep -qE "^(4|5)|EOF|SILENCE" "$T/patient.out"

say "a line that is none is named with its place, and the list that was stays"
sed '$a44.1.0.300' "$T/lists/bad" >"$T/lists/new"
mv "$T/lists/new" "$T/lists/bad"
until_true 15 event mx gate.lists_refused
prints "bad:1000002:1:" on mx serviola events --kind gate.lists_refused
refused
