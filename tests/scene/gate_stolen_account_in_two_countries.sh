#!/bin/bash
# With a file of countries the event says in words where an account is used and where it was first seen; two countries at
# once that are not its own are suspected sooner.  The file is read again while a session is open; a bad line is named
# by its number and leaves the old countries.  Without the file nothing is said of countries.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
es=203.0.113. ro=198.51.100. vn=45.1.0. vn2=45.1.1. pt=192.0.2. other=44.99.1. de=2a00:99::
es_net=203.0.113.0/24 ro_net=198.51.100.0/24 vn_net='ipv4|45.1.0.0|512' pt_net=192.0.2.0/24 at=44.1.0.1:10031
[ -z "${six-}" ] || {
    es=2a00:77:1:: ro=2a00:77:2:: vn=2a00:77:4:: vn2=2a00:77:5:: pt=2a00:77:6:: other=2a00:77:7::
    es_net=2a00:77:1::/48 ro_net=2a00:77:2::/48 vn_net='ipv6|2a00:77:4::|47' pt_net=2a00:77:6::/48 at='[2a00:44:1::1]:10031'
}
cat >"$T/countries" <<END
# all three forms in one file
$es_net ES
$ro_net,RO,RO-B,Bucharest,
2|ripencc|1700000000|2|19830705|20231115|+0100
ripencc|*|ipv4|*|1|summary
ripencc|VN|$vn_net|20100101|allocated|a
ripencc|DE|ipv6|$de|32|20100101|allocated|b
END
configure mx "hunt: { mode: off }
gate:
  folder: $T/mx.state/gate
  policy_listen: \"$at\"
  dns: { servers: [\"$resolver\"], try: 100ms, tries: 1, total: 200ms }
  accounts: { response: note, messages: 20, countries: $T/countries }"
gate_again
until_true 15 prints policy on mx serviola events --kind gate.listening --json
until_true 10 event mx gate.lists_loaded
prints '"count":4' on mx serviola events --kind gate.lists_loaded --json

# A session that stays open over all of it: each line of its input is one message, USER ADDRESS.
mkfifo "$T/letters"
cat >"$T/client" <<'END'
import socket, sys
s = socket.create_connection((sys.argv[2], 10031), 20)
for number, line in enumerate(open(sys.argv[1])):
    user, client = line.split()
    s.sendall((f"request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address={client}\nsasl_username={user}\n"
               f"instance=scene.{number}\nsender={user}@example.com\nrecipient=x@elsewhere.test\n\n").encode())
    print(s.recv(500).decode().strip(), flush=True)
END
start client far python3 "$T/client" "$T/letters" "${far}1"
exec 4>"$T/letters"
letters=0
sends() # USER ADDRESS...
{
    local user=$1 address

    for address in "${@:2}"; do
        echo "$user $address" >&4
        letters=$((letters + 1))
    done
    until_true 10 answered
}
answered()
{
    [ "$(grep -c '^action=' "$T/client.out")" = "$letters" ]
}

say "ana is from Spain; her password is used in Romania and Vietnam: ten messages of twenty are enough"
sends ana "${es}7" "${ro}1" "${ro}2" "${vn2}1" "${vn}2" "${ro}3" "${de}1" "${vn2}4" "${vn}5"
is_not event mx gate.account_abused
sends ana "${ro}9" "${vn2}9"
until_true 5 event mx gate.account_abused
prints "from ES, RO, VN, DE, while it was first seen in ES" on mx serviola why last

say "twin: ben writes as much from one country abroad"
sends ben "${es}8" "${ro}1" "${ro}2" "${ro}3" "${ro}4" "${ro}5" "${ro}6" "${ro}7" \
    "${ro}8" "${ro}9" "${ro}10" "${ro}11"
[ "$(events mx gate.account_abused)" = 1 ] || fail "$(on mx serviola events --kind gate.account_abused)"

say "a bad line is named by its number, and the old countries stay"
echo "$pt_net Atlantis" >>"$T/countries"
until_true 10 prints "$T/countries:8:$((${#pt_net} + 2)): a country has two letters" on mx serviola events --kind gate.lists_refused --json
prints '"list":"countries"' on mx serviola events --kind gate.lists_refused --json

say "a good one is in force at once, and the session went on"
sed -i 's/ Atlantis/ PT/' "$T/countries"
until_true 10 prints 2 events mx gate.lists_loaded
sends eva "${pt}1" "${ro}1" "${ro}2" "${vn2}1" "${vn}2" "${ro}3" "${de}1" "${vn2}4" "${vn}5" "${vn2}7" "${vn2}8" "${vn2}9"
until_true 5 prints "first seen in PT" on mx serviola why last
exec 4>&-

say "without the file networks alone count, and nothing is said of countries"
finish serviola-mx || true
sed -i 's/, countries: [^ ]*//' "$T/mx.conf"
gate_again
until_true 15 prints 2 events mx gate.listening
letters=0
start client far python3 "$T/client" "$T/letters" "${far}1"
exec 4>"$T/letters"
until_true 10 sends zoe "${es}7"
for net in "$ro" "$vn2" "$vn" "$pt" "$other"; do
    sends zoe "${net}1" "${net}2" "${net}3" "${net}4" "${net}5"
done
exec 4>&-
until_true 5 prints '"user":"zoe"' on mx serviola events --kind gate.account_abused --json
on mx serviola events --kind gate.account_abused --json | grep '"user":"zoe"' >"$T/zoe"
is_not grep -q countries "$T/zoe"
