#!/bin/bash
# kill -9 of the gate, of the keeper of its book, of everything: who is stopped stays stopped, at home she sends on, and who was released stays so.  A damaged file is put aside, and said.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
home=45.7.1.0/24 at=44.1.0.1:10031
[ -z "${six-}" ] || home=2a00:77:1::/48 at='[2a00:44:1::1]:10031'
mx_sink_on
configure mx "serviola:
  control: $T/mx.state/control
  restarts: 100
hunt: { mode: off }
gate:
  folder: $T/mx.state/gate
  policy_listen: \"$at\"
  dns: { servers: [\"$resolver\"], try: 100ms, tries: 1, total: 200ms }
  accounts: { response: refuse, messages: 6, own: [\"$home\"] }"
gate_again
until_true 15 prints policy on mx serviola events --kind gate.listening --json

number=0
sends() # USER ADDRESS: what the policy service says to one more message
{
    number=$((number + 1))
    printf '%s\n' request=smtpd_access_policy protocol_state=RCPT "client_address=$2" "sasl_username=$1" \
        "instance=scene.$number" "sender=$1@example.com" recipient=x@elsewhere.test '' |
        on far python3 -c 'import socket, sys
s = socket.create_connection((sys.argv[1], 10031), 5)
s.sendall(sys.stdin.buffer.read())
print(s.recv(500).decode())' "${far}1"
}

pid_of_part()
{
    pgrep -f "^serviola -x $1\$"
}

is_back() # PART OLD-PID
{
    local pid

    pid=$(pid_of_part "$1") && [ "$pid" != "$2" ]
}

answers_again()
{
    prints "action=" sends warm "$(abroad 99 9)"
}

dies() # PART...
{
    local part old=()

    for part in "$@"; do
        old+=("$(pid_of_part "$part")")
    done
    kill -KILL "${old[@]}"
    for part in "$@"; do
        until_true 10 is_back "$part" "${old[0]}"
        old=("${old[@]:1}")
    done
    until_true 15 answers_again
}

say "ana writes from her home; a thief sends from seven networks, and she is stopped there"
prints "action=DUNNO" sends ana "$(abroad 1 7)"
for net in 2 3 4 5 6 7 8; do
    sends ana "$(abroad $net 9)" >/dev/null
done
until_true 5 event mx gate.account_stopped
prints "this account is stopped" sends ana "$(abroad 4 77)"
prints "action=DUNNO" sends ana "$(abroad 1 8)"

say "in words"
prints "The mail of the account ana is stopped until" on mx serviola why ana
prints "sends as if it were stolen" on mx serviola why ANA
prints '"state":"stopped"' on mx serviola why ana --json
until_true 10 prints "1 known, 1 stopped, 1 suspected now" on mx serviola status

holds()
{
    prints "this account is stopped" sends ana "$(abroad 4 77)"
    prints "action=DUNNO" sends ana "$(abroad 1 8)"
    prints "action=DUNNO" sends ben "$(abroad 4 77)"
}

for who in gate book "gate book"; do
    say "kill -9: $who"
    # shellcheck disable=SC2086 # one word a part
    dies $who
    holds
done

say "kill -9 of everything, once the disk has it"
until_true 5 test -s "$T/mx.state/gate/gate.accounts"
crash mx
gate_again
until_true 15 answers_again
holds
[ "$(events mx gate.account_stopped)" = 1 ] || fail "it was stopped more than once"

say "who is released stays released, through a stop in good order, too"
on mx serviola mail release ana --server-config "$T" >/dev/null 2>&1 || true
until_true 5 event mx gate.account_released
prints "action=DUNNO" sends ana "$(abroad 4 77)"
prints "The account ana may send" on mx serviola why ana
dies gate
prints "action=DUNNO" sends ana "$(abroad 4 77)"
finish serviola-mx || true
gate_again
until_true 15 answers_again
prints "action=DUNNO" sends ana "$(abroad 4 77)"

say "a damaged file is put aside, and said; accounts are learned anew"
finish serviola-mx || true
printf 'XXXX' | dd of="$T/mx.state/gate/gate.accounts" bs=1 seek=40 conv=notrunc 2>/dev/null
gate_again
until_true 10 event mx gate.book_accounts_lost
until_true 15 answers_again
test -s "$T/mx.state/gate/gate.accounts.damaged"
