#!/bin/bash
# Names of programs with line ends, brackets and escape sequences stay what they are: no line is forged, no terminal driven.
. "$(dirname "$0")/lib.sh"
host box
cat >"$T/hostile.py" <<'PYTHON'
import ctypes, time
ctypes.CDLL(None).prctl(15, b"a) R 1\n\x1b[2Jb", 0, 0, 0)
time.sleep(60)
PYTHON
cp /bin/sleep "$T/$(printf 'x\n\033]0;owned\007')"
start name box python3 "$T/hostile.py" --password=kept-from-others
start path box "$T/$(printf 'x\n\033]0;owned\007')" 60
renamed()
{
    grep -q 'R 1' "/proc/$(pid_of name)/comm"
}
until_true 5 renamed
rm "$T/$(printf 'x\n\033]0;owned\007')"
xray box now
serviola explain "$T/now.xray" >"$T/words" || [ $? = 1 ]
serviola xray show "$T/now.xray" process >>"$T/words"
grep -q owned "$T/words"
is_not grep -qP '[\x00-\x09\x0b-\x1f\x7f]' "$T/words"
say "a record is a line, in words and in JSON"
[ "$(serviola xray show "$T/now.xray" process | wc -l)" = "$(serviola xray show "$T/now.xray" process --json | wc -l)" ]
tar --zstd -xOf "$T/now.xray" process.jsonl | python3 -c '
import json, sys
names = [json.loads(line).get("comm") for line in sys.stdin]
assert "a) R 1\n\x1b[2Jb" in names, names'
shows now deleted_executable "pid $(pid_of path)"

say "a password in a command line is in no file"
tar --zstd -xOf "$T/now.xray" process.jsonl >"$T/processes"
grep -q -- '--password=\*\*\*' "$T/processes"
is_not grep -q kept-from-others "$T/processes" "$T/words"
