#!/bin/bash
# The log store's disk loses its power twenty times: every acknowledged line is there, and the chain verifies.
. "$(dirname "$0")/lib.sh"
tester=$SERVIOLA_BUILD/tests/unit/test_store
disk=$T/disk
mkdir "$disk"

scene_after() # a mount would keep its loop device
{
    umount "$disk" 2>/dev/null || umount -l "$disk" 2>/dev/null || true
}

# What was not synced is gone: FS_IOC_SHUTDOWN without flushing the log.
power_cuts() # KIND ROUNDS
{
    local round acknowledged all=0

    truncate -s 400M "$T/disk.$1"
    "mkfs.$1" -q "$T/disk.$1"
    for round in $(seq 1 "$2"); do
        mount -o loop "$T/disk.$1" "$disk"
        mkdir -p "$disk/log"
        sync -f "$disk"
        acknowledged=$("$tester" cut "$disk/log" 2>"$T/cut.err" | tail -n 1) || fail "$(cat "$T/cut.err")"
        umount "$disk"
        mount -o loop "$T/disk.$1" "$disk"
        [ "$acknowledged" -le "$all" ] || all=$acknowledged
        "$tester" whole "$disk/log" "$all" >"$T/whole" 2>&1 || fail "$1, round $round: $(cat "$T/whole")"
        umount "$disk"
    done
    say "$1: $2 power cuts, $all lines were acknowledged and are there"
}

power_cuts ext4 20
if command -v mkfs.xfs >/dev/null; then
    power_cuts xfs 5
fi

say "twin: a line more than was acknowledged is not promised"
mount -o loop "$T/disk.ext4" "$disk"
is_not "$tester" whole "$disk/log" 999999999
umount "$disk"
