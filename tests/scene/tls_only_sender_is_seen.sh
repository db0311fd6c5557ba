#!/bin/bash
# Mail under TLS cannot be read, but it is seen: who, to which name, how often.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall 'hunt: { mode: observe, allow: [10.1.0.25] }'
on pc worm --tls mx.far.example --port 465 --messages 3
until_true 5 event wall hunt.tls_seen --src 10.1.0.2
prints mx.far.example on wall serviola events --kind hunt.tls_seen --src 10.1.0.2

say "twin: a hello on a port that is none of mail's is nobody's business"
start web out sink --log "$T/web" --port "" --silent 8443
until_true 5 test -e "$T/web"
on pc worm --from 10.1.0.3 --tls mx.far.example --port 8443 --messages 1
[ "$(events wall hunt.tls_seen --src 10.1.0.3)" = 0 ]
