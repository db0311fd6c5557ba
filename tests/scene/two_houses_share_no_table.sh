#!/bin/bash
# A second serviola does not take the first one's table away: it says whose it is and how to go on, and then goes on.
. "$(dirname "$0")/lib.sh"
house
serviola_on wall 'hunt: { mode: block }'
on wall serviola block 10.1.0.3 --for 1h
prints owner on wall nft list table inet serviola || skip "this kernel knows no tables with an owner"

second() # YAML
{
    install -d -m 0755 "$T/second.state"
    printf '%s\n' "serviola: { control: $T/second.state/control }" "journal: { folder: $T/second.state/journal }" \
        "hunt: { mode: block }" "$@" >"$T/second.conf"
    start second wall serviola run --no-console -c "$T/second.conf"
}
second
until_true 10 prints 'owns table inet serviola' cat "$T/second.err"
prints 'block: { table: ... }' cat "$T/second.err"
finish second || true
cat "$T/second.err"
is_blocked wall 10.1.0.3
prints 10.1.0.3 on wall nft list table inet serviola

say "with a table of its own it runs"
second 'block: { table: second }'
until_true 10 on wall serviola status -c "$T/second.conf"
prints 'table inet second' on wall nft list tables
finish second || true
is_blocked wall 10.1.0.3
