#!/bin/bash
# The journal's disk loses its power twenty times: every acknowledged event is there, and the chain verifies.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/disk.lib.sh"
tester=$SERVIOLA_BUILD/tests/unit/test_journal_kill

power_cuts "$tester" events ext4 20
if command -v mkfs.xfs >/dev/null; then
    power_cuts "$tester" events xfs 5
fi
