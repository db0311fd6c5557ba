#!/bin/bash
# Names made to be overlooked, files among devices, and a process under a mount are found; everyday names are not.
. "$(dirname "$0")/lib.sh"
host box
mount -t tmpfs -o mode=1777 names /var/tmp
mkdir '/var/tmp/...' '/var/tmp/.. ' /var/tmp/.ICE-unix "/var/tmp/$(printf '.\033[8mx')"
cp /bin/sleep '/var/tmp/.../sshd'
mount -t tmpfs -o mode=1777 names /dev/shm
mkdir /dev/shm/.sysd /dev/shm/honest
start runs box '/var/tmp/.../sshd' 60
start hides box sleep 60
start seen box sleep 60
mkdir "$T/empty"
mount --bind "$T/empty" "/proc/$(pid_of hides)"

on box serviola xray -o "$T/now.xray"
serviola explain --json "$T/now.xray" >"$T/now.found" || [ $? = 1 ]
shows now hidden_name '/var/tmp/...' sshd
shows now hidden_name '"/var/tmp/.. "'
shows now hidden_name '/var/tmp/.\x1b[8mx'
shows now hidden_name '/dev/shm/.sysd'
shows now hidden_process "pid $(pid_of hides)" "a mount lies over"

say "twins"
is_not shows now hidden_name .ICE-unix
is_not shows now hidden_name honest
is_not shows now hidden_process "pid $(pid_of seen)"
umount "/proc/$(pid_of hides)"
