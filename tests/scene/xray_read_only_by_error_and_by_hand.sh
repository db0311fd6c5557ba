#!/bin/bash
# A file system that went read-only by an error is told from one that an administrator remounted, although mount says rw.
. "$(dirname "$0")/lib.sh"
host box
mkdir "$T/sick" "$T/well"
for name in sick well; do
    truncate -s 16M "$T/$name.img"
    mkfs.ext4 -q -e remount-ro "$T/$name.img"
    mount -o loop,errors=remount-ro "$T/$name.img" "$T/$name"
done
scene_after()
{
    umount "$T/sick" 2>/dev/null || umount -l "$T/sick"
    umount "$T/well" 2>/dev/null || umount -l "$T/well"
}
device() # NAME
{
    basename "$(findmnt -no SOURCE "$T/$1")"
}

say "twin: both are fine"
xray box before
is_not shows before read_only_by_error "$T/sick"
is_not shows before read_only_by_hand "$T/well"

[ -w "/sys/fs/ext4/$(device sick)/trigger_fs_error" ] || skip "this kernel makes no ext4 errors on demand"
echo "a scene" >"/sys/fs/ext4/$(device sick)/trigger_fs_error"
mount -o remount,ro "$T/well"
before_us=${EPOCHREALTIME/./}
xray box now
[ $((${EPOCHREALTIME/./} - before_us)) -lt $((2000000 * ${SCENE_SLOW:-1})) ] || fail "it took more than 2 s"
shows now read_only_by_error "$T/sick" "$(device sick)"
is_not shows now read_only_by_error "$T/well"
is_not shows now read_only_by_hand "$T/sick"
shows now read_only_by_hand "$T/well"
