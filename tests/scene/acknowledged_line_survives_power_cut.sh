#!/bin/bash
# The log store's disk loses its power twenty times: every acknowledged line is there, and the chain verifies.
# SCENE_ROUNDS=100: as often on each file system.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/disk.lib.sh"
tester=$SERVIOLA_BUILD/tests/unit/test_store_kill

power_cuts "$tester" lines ext4 "${SCENE_ROUNDS:-20}"
if command -v mkfs.xfs >/dev/null; then
    power_cuts "$tester" lines xfs "${SCENE_ROUNDS:-5}"
fi

say "twin: a line more than was acknowledged is not promised"
mount -o loop "$T/disk.ext4" "$disk"
is_not "$tester" whole "$disk/store" 999999999
umount "$disk"
