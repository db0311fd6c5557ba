#!/bin/bash
# A program that calls itself like a thread of the kernel, or like a server it is not, is named with its executable.
. "$(dirname "$0")/lib.sh"
host box
cp /bin/sleep "$T/dropper"
start thread box bash -c "exec -a '[kworker/0:1H]' '$T/dropper' 60"
start server box bash -c "exec -a /usr/sbin/sshd '$T/dropper' 60"
start honest box sleep 60
is_it() # NAME EXECUTABLE
{
    [[ $(readlink "/proc/$(pid_of "$1")/exe") == *"$2"* ]]
}
until_true 5 is_it thread dropper
until_true 5 is_it server dropper
until_true 5 is_it honest "$(readlink -f /bin/sleep)"
xray box now
shows now kernel_thread_impostor "pid $(pid_of thread)" '[kworker/0:1H]' "$T/dropper"
shows now false_name "pid $(pid_of server)" sshd "$T/dropper"

say "twin: nobody else is called so"
[ "$(grep -c -e kernel_thread_impostor -e false_name "$T/now.found")" = 2 ]
