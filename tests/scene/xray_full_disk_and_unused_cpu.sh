#!/bin/bash
# A full file system and a CPU that nobody uses are told, with figures; with room and all CPUs there is nothing to tell.
. "$(dirname "$0")/lib.sh"
host box
mkdir "$T/full" "$T/roomy"
mount -t tmpfs -o size=4m full "$T/full"
mount -t tmpfs -o size=4m roomy "$T/roomy"
head -c 8M /dev/zero >"$T/full/fill" 2>/dev/null || true
start holder box sh -c "exec 7<$T/full/fill; rm $T/full/fill; exec sleep 60"
until_true 5 test ! -e "$T/full/fill"
echo 0 >"$T/online"
echo 0-1 >"$T/present"

# `ip netns exec` brings a /sys of its own: the CPUs are covered there.
cat >"$T/look" <<'SH'
#!/bin/sh
for file in online present; do
    [ -z "$1" ] || mount --bind "$1/$file" /sys/devices/system/cpu/$file
done
exec serviola xray -o "$2"
SH
chmod +x "$T/look"
on box "$T/look" "$T" "$T/now.xray"
serviola explain --json "$T/now.xray" >"$T/now.found" || [ $? = 1 ]
shows now full_disk "$T/full" "nothing left" "still has $T/full/fill (deleted) open"
shows now unused_cpu "1 of 2 CPUs"

say "twins"
is_not shows now full_disk "$T/roomy"
[ "$(cat /sys/devices/system/cpu/online)" != "$(cat /sys/devices/system/cpu/present)" ] || {
    on box "$T/look" "" "$T/well.xray"
    serviola explain --json "$T/well.xray" >"$T/well.found" || [ $? = 1 ]
    is_not shows well unused_cpu
}
