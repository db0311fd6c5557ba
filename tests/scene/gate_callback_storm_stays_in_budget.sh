#!/bin/bash
# Ten thousand clients without a name come within seconds: callbacks stay within their budget, everybody is answered, and
# a known-good client is served meanwhile.
# alone, since it takes both processors
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
. "$(dirname "$0")/dns.lib.sh"
gate_house
names_on far 'far.test. MX 10 mail.far.test.' "mail.far.test. $record ${far}5"
mx_sink_on
crowd_on_far
printf '%s\n' "${far}5" >"$T/friends"
chmod 755 "$T"
gate_on 'greet_after: 0' "  limits: { places: 12000, per_address: 100, per_network: 1000, rate_address: 0, rate_network: 0 }
  lists: { friends: { file: $T/friends, means: allow } }
  callback: { connect: 1s, greeting: 1s, total: 2s, in_flight: 50, per_network: 2 }"
gate_takes_mail --src "${far}5"

say "the storm"
start storm far storm --count 10000 --net "$crowd" --at-once 3000 --wait 50 "${far}1" 25
until_true 20 event mx gate.called_back
before_us=${EPOCHREALTIME/./}
on far smtp --src "${far}5" --wait 10 "${far}1" 25 "EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 100" QUIT >"$T/talk"
say "a friend's mail took $(((${EPOCHREALTIME/./} - before_us) / 1000)) ms meanwhile"
wait "$(pid_of storm)"
cat "$T/storm.out"
is_not grep -q '^lost' "$T/storm.out"
is_not grep -q '^250 rcpt' "$T/storm.out"
[ "$(awk '{ n += $3 } END { print n }' "$T/storm.out")" = 10000 ]

say "never more than two callbacks a second to one network"
until_true 5 event mx gate.callback_budget
tells "more callbacks were asked for than may be made" gate.callback_budget
on mx serviola events --kind gate.called_back --json | python3 -c '
import collections, ipaddress, json, sys
seen = collections.Counter()
for line in sys.stdin:
    e = json.loads(line)
    net = ipaddress.ip_network(e["src"]).supernet(new_prefix=64 if ":" in e["src"] else 24)
    seen[net, e["at"][:19]] += 1
print(sum(seen.values()), "callbacks, most to one network in one second:", max(seen.values()))
sys.exit(max(seen.values()) > 4)'
prints "" on mx serviola status
