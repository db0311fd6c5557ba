#!/bin/bash
# One address, and one network of many, take their share of the places and no more; their neighbours notice nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
crowd_on_far
mx_sink_on
gate_on "greet_after: 0, checks: { $quiet }" '  limits: { places: 1000, per_address: 10, per_network: 50, rate_address: 0, rate_network: 0, command_wait: 1min }'
gate_takes_mail

held() # N
{
    [ "$(on mx ss -Hnt state established sport = :25 | grep -c .)" = "$1" ]
}
greets() # ADDRESS
{
    prints '220 ' on far smtp --src "$1" --wait 5 "${far}1" 25 QUIT
}

say "an address: ten of thirty"
start one far hold --src "$(one_of_crowd 1 7)" --count 30 "${far}1" 25
until_true 20 grep -q '^held 30' "$T/one.out"
until_true 10 held 10
prints "421 " on far smtp --src "$(one_of_crowd 1 7)" "${far}1" 25
prints "too many" on mx serviola events --kind gate.client_capped --json
tells "too many sessions of this address: 11, and 10 are allowed" "$(one_of_crowd 1 7)"
greets "$(one_of_crowd 1 8)"
finish one || true
until_true 10 held 0

say "a network of a hundred addresses: fifty of a hundred"
sources=()
for number in $(seq 100); do
    sources+=(--src "$(one_of_crowd 2 "$number")")
done
start many far hold "${sources[@]}" --count 100 "${far}1" 25
until_true 20 grep -q '^held 100' "$T/many.out"
until_true 10 held 50
prints "421 " on far smtp --src "$(one_of_crowd 2 200)" "${far}1" 25
tells "too many sessions of this network: 51, and 50 are allowed" "$(one_of_crowd 2 200)"
greets "$(one_of_crowd 3 1)"
finish many || true
until_true 10 held 0
greets "$(one_of_crowd 2 200)"
