#!/bin/bash
# A program whose file was removed, one whose file was replaced, and one that never was a file are three different things.
. "$(dirname "$0")/lib.sh"
host box
for name in removed replaced kept; do
    cp /bin/sleep "$T/$name"
    start $name box "$T/$name" 60
done
start memory box python3 -c '
import os
image = os.memfd_create("x")
os.write(image, open("/bin/sleep", "rb").read())
os.execve(image, ["-bash", "60"], {})'
runs()
{
    [ "$(readlink "/proc/$(pid_of "$1")/exe")" != "$(readlink -f /bin/bash)" ] &&
        [[ $(readlink "/proc/$(pid_of "$1")/exe") == *"$2"* ]]
}
for name in removed replaced kept; do
    until_true 5 runs $name "$T/$name"
done
until_true 5 runs memory memfd
rm "$T/removed"
cp /bin/sleep "$T/new"
mv "$T/new" "$T/replaced"
xray box now
shows now deleted_executable "removed (pid $(pid_of removed))"
shows now upgraded_executable "replaced (pid $(pid_of replaced))"
shows now memfd_executable "pid $(pid_of memory)"

say "twins: each is one of them, and who is in order is none"
is_not shows now deleted_executable replaced
is_not shows now upgraded_executable removed
for id in deleted_executable upgraded_executable memfd_executable; do
    is_not shows now $id kept
done
