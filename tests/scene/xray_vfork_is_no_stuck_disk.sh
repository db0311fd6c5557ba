#!/bin/bash
# A parent that waits for its vfork child is in state D: it is in the picture with where it waits, and no disk is suspected.
. "$(dirname "$0")/lib.sh"
host box
mkfifo "$T/never"
# posix_spawn(3) forks as vfork does, and the child opens a pipe that nobody writes to
start parent box python3 -c "
import os
os.posix_spawn('/bin/true', ['true'], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 0, '$T/never', os.O_RDONLY, 0)])"
in_state_d()
{
    grep -q '^State:.D' "/proc/$(pid_of parent)/status"
}
until_true 5 in_state_d
xray box now
tar --zstd -xOf "$T/now.xray" process.jsonl | grep "\"pid\":$(pid_of parent)," >"$T/parent"
grep '"state":"D"' "$T/parent" | grep -qE 'vfork|clone' || fail "nobody is seen to wait for its child"
is_not shows now stuck_disk
is_not shows now frozen_fs
