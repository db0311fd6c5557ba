#!/bin/bash
# Where iterators may not be loaded /proc is read, the picture says which it was and why, and the findings are the same.
. "$(dirname "$0")/lib.sh"
host box
cp /bin/sleep "$T/dropper"
start thread box bash -c "exec -a '[kworker/0:1H]' '$T/dropper' 60"
is_dropper()
{
    [[ $(readlink "/proc/$(pid_of thread)/exe") == *dropper* ]]
}
until_true 5 is_dropper
xray box first
on box setpriv --bounding-set=-bpf,-perfmon,-sys_admin --inh-caps=-bpf,-perfmon,-sys_admin \
    "$(command -v serviola)" xray --force -o "$T/second.xray"
serviola explain --json "$T/second.xray" >"$T/second.found" || [ $? = 1 ]
back_end() # NAME
{
    tar --zstd -xOf "$T/$1.xray" host.jsonl | sed 's/.*"back_end":"\([^"]*\)".*/\1/'
}
[ "$(back_end second)" = proc ]
tar --zstd -xOf "$T/second.xray" host.jsonl | grep -q "iterators can't be loaded"
for name in first second; do
    shows $name kernel_thread_impostor "pid $(pid_of thread)" "$T/dropper"
done
say "the first was taken by $(back_end first)"
