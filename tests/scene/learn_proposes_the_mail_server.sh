#!/bin/bash
# Learning proposes who behaves as a mail server for the allow list, and nobody else; and while it learns, nobody is blocked.
. "$(dirname "$0")/lib.sh"
house
sink_on out

say "an hour of mail: a server, a worm with many names, one that nobody wants mail from"
record "$T/hour.pcap" --from 10.1.0.25 --messages 30
record "$T/hour.pcap" --append --from 10.1.0.2 --messages 60 --helos 12 --domains 20
record "$T/hour.pcap" --append --from 10.1.0.3 --messages 30 --refused
on wall serviola hunt --learn --lan 10.1.0.0/16 -r "$T/hour.pcap" >"$T/proposal" || [ $? = 1 ]
cat "$T/proposal"
grep -E '^ *allow:' "$T/proposal" | grep -qwF 10.1.0.25

say "twin: the others are not proposed"
is_not grep -qE '^ *allow:.*10\.1\.0\.[23]\b' "$T/proposal"

say "live, in learn mode, a worm is left alone"
serviola_on wall 'hunt: { mode: learn }'
on pc worm --messages 5
until_true 5 event wall hunt.mail_seen --src 10.1.0.2
[ "$(events wall act.blocked)" = 0 ]
is_not on wall nft list table inet serviola
