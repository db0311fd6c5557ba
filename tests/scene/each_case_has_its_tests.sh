#!/bin/bash
# Every test that tests/cases.md names is there.
. "$(dirname "$0")/lib.sh"

there() # NAME
{
    case $1 in
    unit:*) [ -f "$TOP/tests/unit/test_${1#unit:}.c" ] ;;
    fuzz:*) [ -f "$TOP/tests/fuzz/fuzz_${1#fuzz:}.c" ] ;;
    bench:*) [ -x "$TOP/tests/bench/${1#bench:}.sh" ] ;;
    demo:*) [ -x "$TOP/tools/demo-${1#demo:}" ] ;;
    *'*') [ -f "$TOP/tests/scene/${1%'*'}.sh" ] && compgen -G "$TOP/tests/scene/${1%'*'}_over_ipv6.sh" >/dev/null ;;
    *) [ -f "$TOP/tests/scene/$1.sh" ] ;;
    esac
}

named=0
while read -r name; do
    named=$((named + 1))
    there "$name" || fail "tests/cases.md names $name, which is not there"
done < <(sed -n 's/^| [0-9][0-9 -]*| .* | \(.*\) |$/\1/p' "$TOP/tests/cases.md" | tr ',' '\n' | tr -d ' ')
[ $named -gt 150 ]

say "and one that is not there would be told"
is_not there unit:of_nobody
is_not there gate_dns_is_up*
