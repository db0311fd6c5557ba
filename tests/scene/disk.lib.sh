# disk.lib.sh - for scenes that need a disk of their own, to freeze it or to cut its power; behind lib.sh.
# shellcheck shell=bash

# $disk is then a small ext4 of its own, mounted.  However the scene ends, it is thawed, those who write there end, and it
# is taken away: else it would outlive us, with its loop device.
disk_on() # MIB [FOLDER [WRITER...]]: as `start` names them
{
    disk=${2:-$T/disk}
    disk_writers=("${@:3}")
    mkdir -p "$disk"
    truncate -s "$1M" "$T/disk.img"
    mkfs.ext4 -q "$T/disk.img"
    mount -o loop "$T/disk.img" "$disk"
}

scene_after()
{
    local writer signal

    fsfreeze -u "$disk" 2>/dev/null || true
    for writer in "${disk_writers[@]}"; do
        signal=KILL
        [[ $writer != serviola-* ]] || signal=TERM
        finish "$writer" "$signal" || true
    done
    umount "$disk" 2>/dev/null || umount -l "$disk" 2>/dev/null || true
}

# The power is cut again and again while `TESTER cut FOLDER` writes; what it said it had acknowledged is there
# according to `TESTER whole FOLDER N`.  What was not synced is gone: FS_IOC_SHUTDOWN without flushing the log.
power_cuts() # TESTER WHAT KIND ROUNDS
{
    local round acknowledged all=0

    disk=$T/disk
    disk_writers=()
    mkdir -p "$disk"
    truncate -s 400M "$T/disk.$3"
    "mkfs.$3" -q "$T/disk.$3"
    for round in $(seq 1 "$4"); do
        mount -o loop "$T/disk.$3" "$disk"
        mkdir -p "$disk/store"
        sync -f "$disk"
        acknowledged=$("$1" cut "$disk/store" 2>"$T/cut.err" | tail -n 1) || fail "$(cat "$T/cut.err")"
        umount "$disk"
        mount -o loop "$T/disk.$3" "$disk"
        [ "$acknowledged" -le "$all" ] || all=$acknowledged
        "$1" whole "$disk/store" "$all" >"$T/whole" 2>&1 || fail "$3, round $round: $(cat "$T/whole")"
        umount "$disk"
    done
    say "$3: $4 power cuts, $all $2 were acknowledged and are there"
}
