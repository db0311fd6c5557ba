#!/bin/bash
# Command lines of megabytes are cut and said to be cut, those that the kernel can't read too; 15,000 descriptors of one
# process are all counted, by an x-ray that may itself open 100.
. "$(dirname "$0")/lib.sh"
host box
cat >"$T/trap.py" <<'PYTHON'
# A page of its own arguments is a mapping of a file, whose disk may hang: the kernel does not go there.
import ctypes, os, time
stat = open("/proc/self/stat", "rb").read().rpartition(b")")[2].split()
page = (int(stat[45]) + 8191) & ~4095 # the second page behind arg_start
file = os.open(__file__, os.O_RDONLY)
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
# PROT_READ, MAP_PRIVATE | MAP_FIXED
if libc.mmap(ctypes.c_void_p(page), ctypes.c_size_t(4096), 1, 0x12, file, ctypes.c_long(0)) != page:
    raise OSError(ctypes.get_errno(), "mmap")
time.sleep(60)
PYTHON
cat >"$T/many.py" <<'PYTHON'
import os, resource, time
resource.setrlimit(resource.RLIMIT_NOFILE, (16000, 16000))
held = [os.open("/dev/null", os.O_RDONLY) for _ in range(15000)]
os.close(held[500]) # they are not in a row
os.close(held[501])
os.close(held[502])
for number in range(15900, 15905):
    os.dup2(held[0], number)
open(os.environ["T"] + "/many.ready", "w").close()
time.sleep(60)
PYTHON
pad()
{
    head -c "$1" /dev/zero | tr '\0' p
}
piece=$(pad 120000)
start big box python3 -c 'import time; time.sleep(60)' "$piece" "$piece" "$piece" "$piece" "$piece" "$piece" "$piece" \
    "$piece" "$piece" "$piece" "$piece" "$piece" "$piece" "$piece" "$piece"
start trap box python3 "$T/trap.py" "$(pad 16384)"
start small box sleep 60
start many box env T="$T" python3 "$T/many.py"
until_true 30 test -e "$T/many.ready"
trapped()
{
    [ "$(wc -c <"/proc/$(pid_of trap)/cmdline")" -lt 16384 ]
}
until_true 20 trapped

taken() # NAME COMMAND...: what it says of the four
{
    local name=$1

    shift
    on box "$@" serviola xray --force -o "$T/$name.xray"
    tar --zstd -xOf "$T/$name.xray" process.jsonl | python3 -c '
import json, sys
by = {p["pid"]: p for p in map(json.loads, sys.stdin)}
big, trap, small, many = (by[int(pid)] for pid in sys.argv[1:])
assert big["args_cut"] and len(big["args"]) == 32768, len(big["args"])
assert trap["args_cut"] and "trap.py" in trap["args"] and len(trap["args"]) < 16384, len(trap["args"])
assert not small.get("args_cut") and "60" in small["args"], small
assert 15005 <= many["descriptors"] <= 15012, many["descriptors"]
assert many["descriptors_most"] == 16000, many' "$(pid_of big)" "$(pid_of trap)" "$(pid_of small)" "$(pid_of many)"
}
taken walk prlimit --nofile=100
say "the same by /proc"
taken proc prlimit --nofile=100 setpriv --bounding-set=-bpf,-perfmon,-sys_admin --inh-caps=-bpf,-perfmon,-sys_admin
