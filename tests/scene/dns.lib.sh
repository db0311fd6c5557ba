# shellcheck shell=bash
# dns.lib.sh - a real name server (unbound) for scenes, which knows what a scene tells it and nothing else; sourced
# behind lib.sh.
#
#   names_on HOST [RECORD...]       starts it there, on port 53 of every address
#   names_add HOST RECORD...        while it runs; RECORD: 'evil.test. MX 10 mx.evil.test.', 'mx.evil.test. A 127.0.1.50',
#                                   'evil.test. TXT "v=spf1 +all"'
#   names_forget HOST NAME...       these do not exist any more; NAME with its final dot
#   names_broken HOST NAME...       it answers SERVFAIL about these and what is below them
#   names_silent HOST NAME...       it does not answer about these and what is below them
#   names_reverse ADDR NAME         prints the record that says that ADDR is called NAME
#   names_off HOST; names_again HOST
#
# A name that nobody told it of does not exist.  Answers hold 5 s, so that a scene can change its mind.

names_on()
{
    local place=$1

    command -v unbound >/dev/null || [ -x /usr/sbin/unbound ] || skip "unbound is not installed"
    cat >"$T/names-$place.conf" <<END
server:
    interface: 0.0.0.0
    interface: ::0
    interface-automatic: yes
    access-control: 0.0.0.0/0 allow
    access-control: ::0/0 allow
    do-daemonize: no
    username: ""
    chroot: ""
    directory: "$T"
    pidfile: ""
    use-syslog: no
    num-threads: 1
    so-reuseport: no
    module-config: "iterator"
    unblock-lan-zones: yes
    local-zone: "test." nodefault
    local-zone: "." static
    local-data: ". 5 SOA names.test. scene.test. 1 3600 600 86400 5"
    local-data: "localhost. 5 A 127.0.0.1"
    include: "$T/names-$place.records"
remote-control:
    control-enable: yes
    control-use-cert: no
    control-interface: "$T/names-$place.socket"
include: "$T/names-$place.zones"
END
    : >"$T/names-$place.records"
    : >"$T/names-$place.zones"
    names_again "$place"
    shift
    [ $# = 0 ] || names_add "$place" "$@"
}

names_again()
{
    start "names-$1" "$1" unbound -c "$T/names-$1.conf"
    until_true 10 names_control "$1" status
}

names_off()
{
    finish "names-$1" || true
}

names_control()
{
    on "$1" unbound-control -q -c "$T/names-$1.conf" "$2"
}

names_add()
{
    local place=$1 record

    shift
    for record in "$@"; do # unbound wants the time behind the name
        printf "local-data: '%s 5 %s'\n" "${record%% *}" "${record#* }"
    done >>"$T/names-$place.records"
    names_control "$place" reload
}

names_forget()
{
    local place=$1 name

    shift
    for name in "$@"; do
        grep -vF "'$name " "$T/names-$place.records" >"$T/names-$place.kept" || true
        mv "$T/names-$place.kept" "$T/names-$place.records"
    done
    names_control "$place" reload
}

names_broken() # they are asked where nobody is
{
    local place=$1 name

    shift
    for name in "$@"; do
        printf 'local-zone: "%s" transparent\n' "$name" >>"$T/names-$place.records"
        printf 'forward-zone:\n    name: "%s"\n    forward-addr: 127.0.0.1@9\n' "$name" >>"$T/names-$place.zones"
    done
    names_control "$place" reload
}

names_silent()
{
    local place=$1

    shift
    printf 'local-zone: "%s" always_deny\n' "$@" >>"$T/names-$place.records"
    names_control "$place" reload
}

names_reverse()
{
    python3 -c 'import ipaddress, sys; print(ipaddress.ip_address(sys.argv[1]).reverse_pointer + ".", "PTR", sys.argv[2])' "$1" "$2"
}
