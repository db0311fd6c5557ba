#!/bin/bash
# The disk under everything dies: not only the journal's, also that of serviola's own programs, libraries and /etc, and what is read
# waits as well as what is written.  What happens then is told in time, recorded, and in the journal when the disk is back.
# (A file system whose server is stopped: whatever is not in memory already never comes.)
. "$(dirname "$0")/lib.sh"
. "$SCENES/notice.lib.sh"
command -v bindfs >/dev/null || skip "no bindfs"
[ -c /dev/fuse ] || skip "no /dev/fuse"
host box
root=$T/root
store=$T/store
noticed box "
    mail: { by: mail, to: admin@example.org, server: 'smtp://127.0.0.1:2525', tls: off }
    hook: { by: hook, url: 'http://127.0.0.1:8080/' }" "
journal: { folder: $store/var/journal }"
sed -i "s,control: .*,control: $T/run/control,; /second is gone/s/do: .notify./do: [xray, notify]/" "$T/box.conf"

with_libraries() # FILE...: below $store
{
    local file

    for file in "$@" $(ldd "$@" | grep -o '/[^ )]*[^ ):]' | grep -vxF "$*"); do
        [ -e "$store$file" ] || install -D "$file" "$store$file"
    done
}
install -D -t "$store/sbin" "$SERVIOLA_BUILD/serviola" "$SERVIOLA_BUILD/serviola-hand"
for program in serviola serviola-hand; do
    with_libraries "$SERVIOLA_BUILD/$program"
    rm "$store$SERVIOLA_BUILD/$program"
done
with_libraries "$(ldconfig -p | awk '/libcurl\.so\.4/ { print $NF; exit }')"
mkdir -p "$store"/{etc,proc,sys,dev,run,tmp,var} "$root" "$T/run"
echo never >"$store/etc/never_read"
cp /etc/passwd /etc/group /etc/nsswitch.conf "$store/etc/"
sed "s,control: .*,control: /run/control,; s,$store/var,/var," "$T/box.conf" >"$store/etc/serviola.conf"
# A disk's file system, too, remembers what it has seen.
bindfs -f -o entry_timeout=3600,attr_timeout=3600 "$store" "$root" 2>"$T/disk.err" & # not with `start`: what is mounted in `on` is seen there alone
echo $! >"$T/disk.pid"
until_true 5 mountpoint -q "$root"
scene_after()
{
    kill -CONT "$(pid_of disk)" 2>/dev/null || true
    finish serviola-root || true
    umount -l "$root"
}
for folder in proc sys dev; do
    mount --rbind "/$folder" "$root/$folder"
done
mount --bind "$T/run" "$root/run"
receiver box --smtp 127.0.0.1:2525 --http 127.0.0.1:8080
until_true 5 on box bash -c 'exec 4<>/dev/tcp/127.0.0.1/2525'
start serviola-root box env SERVIOLA_CONF=/etc/serviola.conf chroot "$root" /sbin/serviola run --no-console
until_true 10 on box serviola status
until_true 5 event box watch.started
until_true 5 event box notify.started
until_true 5 prints 1 on box serviola watch process.second.running
start follow box serviola events --follow --json
until_true 5 grep -q watch.started "$T/follow.out"

say "a healthy disk is not spoken of"
finish drudge KILL || true
until_true 4 came mail 1
is_not grep 'has not answered' "$N/mail.1"
works drudge box
until_true 4 came mail 2

say "the disk dies, and then something that must run"
kill -STOP "$(pid_of disk)"
stopped=$(date +%H:%M:%S)
dead() # READS OF IT WAIT
{
    ! timeout -s KILL 1 cat "$root/etc/never_read" >/dev/null 2>&1
}
until_true 5 dead
finish second KILL || true
killed_us=${EPOCHREALTIME/./}
told_by() # mail|post
{
    grep -qs 'second is gone: process' "$N/$1".*
}
until_true 5 told_by mail
until_true 5 told_by post
say "told after $(((${EPOCHREALTIME/./} - killed_us) / 1000)) ms"
mail=$(grep -l 'second is gone: process' "$N"/mail.* | head -n 1)
tr -d '\r' <"$mail" | sed '1,/^$/d' | sed -n 1p | grep -q '^the disk of the journal has not answered'
seconds_of_it()
{
    [ "$(on box serviola top --at "$stopped" --play 20s --lines 1 --json | grep -c .)" -ge 4 ]
}
until_true 10 seconds_of_it
until_true 5 grep -q '"xray.taken"' "$T/follow.out"
grep -q '"scribe.stuck"' "$T/follow.out"

say "the disk answers again, and has all of it"
kill -CONT "$(pid_of disk)"
until_true 5 grep -q '"scribe.back"' "$T/follow.out"
works second box
until_true 5 grep -q '"watch.recovered".*second is gone' "$T/follow.out"
finish follow || true
finish serviola-root || true
on box serviola events --json | grep -q '"watch.triggered".*second is gone'
[ -s "$store/var/journal/xray/$(sed -n 's/.*"xray.taken".*"name":"\([^"]*\)".*/\1/p' "$T/follow.out" | tail -n 1)" ]
