# shellcheck shell=bash
# mta.lib.sh - real mail servers other than Postfix behind the gate; sourced behind gate.lib.sh.  Their packages can't be
# installed beside it: tools/unpack puts them into build-packages/.  Both listen on 127.0.0.1:2525, take mail for
# example.com, and relay for 127.0.0.0/8; what they took stands in $T/boxes/mail.
#
#   exim_on [LINE...]        Exim; more lines of its main configuration
#   opensmtpd_on [WORD...]   OpenSMTPD; more words of its listener
#   mta_off
#   in_box WORDS             they stand in a message that was taken
set -eEuo pipefail

unpacked() # PACKAGE: sets $package, its folder
{
    package=$TOP/build-packages/$1
    [ -d "$package" ] || skip "$1 is not unpacked: tools/unpack does it"
}

# /etc and the places that a server keeps for itself are the scene's own from here on; USER... are in them.
own_places() # USER...
{
    local user number=61234 folder

    [ ! -d "$T/etc" ] || return 0
    cp -a /etc "$T/etc"
    for user in "$@"; do
        number=$((number + 1))
        printf '%s:x:%s:%s::%s:/bin/sh\n' "$user" $number $number "$T/boxes/$user" >>"$T/etc/passwd"
        printf '%s:x:%s:\n' "$user" $number >>"$T/etc/group"
    done
    rm -f "$T/etc/resolv.conf"
    printf 'nameserver 44.1.0.2\noptions timeout:1 attempts:1\n' >"$T/etc/resolv.conf"
    mount --bind "$T/etc" /etc
    mkdir -p "$T/run/netns"
    mount --rbind /run/netns "$T/run/netns"
    mount --rbind "$T/run" /run
    for folder in /var/lib /var/spool; do
        mount -t tmpfs -o mode=0755 mta $folder
    done
    install -d -m 0755 "$T/boxes"
    for user in "$@"; do
        install -d -m 0755 -o "$user" -g "$user" "$T/boxes/$user"
    done
    : >"$T/boxes/mail"
    chmod 0666 "$T/boxes/mail"
}

mta_answers()
{
    on mx bash -c 'exec 3<>/dev/tcp/127.0.0.1/2525'
}

mta_is_off()
{
    ! mta_answers
}

mta_off()
{
    finish mta || true
    until_true 10 mta_is_off
}

in_box()
{
    grep -qF -- "$1" "$T/boxes/mail"
}

exim_on()
{
    unpacked exim4-daemon-heavy
    own_places Debian-exim
    install -D -m 4755 "$package/usr/sbin/exim4" "$T/bin/exim"
    install -d -o Debian-exim -g Debian-exim "$T/boxes/log" /var/spool/exim4
    chown Debian-exim: "$T/boxes/mail"
    install -d /etc/exim4
    export PATH=$T/bin:$PATH
    cat >/etc/exim4/exim4.conf <<END
exim_path = $T/bin/exim
primary_hostname = mail.example.com
log_file_path = $T/boxes/log/%s
pid_file_path =
daemon_smtp_ports = 2525
local_interfaces = 127.0.0.1
keep_environment =
host_lookup =
acl_smtp_rcpt = takes
hostlist relay_from_hosts = 127.0.0.0/8
$(printf '%s\n' "$@")
begin acl
takes:
  accept hosts = +relay_from_hosts
  accept domains = example.com
  accept authenticated = *
  deny message = relay not permitted
begin routers
box:
  driver = accept
  domains = example.com
  transport = box
world:
  driver = manualroute
  route_list = * 127.0.1.50
  self = send
  transport = world
begin transports
box:
  driver = appendfile
  file = $T/boxes/mail
  user = Debian-exim
  use_lockfile = false
world:
  driver = smtp
  allow_localhost
begin retry
* * F,1h,1m
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = \${if eq{\$auth3}{secret-word}}
  server_set_id = \$auth2
END
    start mta mx "$T/bin/exim" -bdf -q1h
    until_true 10 mta_answers
}

opensmtpd_on()
{
    unpacked opensmtpd
    own_places opensmtpd opensmtpq box
    install -D -m 0755 "$package/usr/sbin/smtpd" "$T/bin/smtpd"
    mkdir -p /var/lib/opensmtpd/empty
    mountpoint -q /usr/libexec || mount --bind "$package/usr/libexec" /usr/libexec
    cat >/etc/smtpd.conf <<END
listen on 127.0.0.1 port 2525 hostname mail.example.com $*
action box mda "cat >>$T/boxes/mail" virtual { "@" = box }
action world relay
match from any for domain example.com action box
match from src 127.0.0.0/8 for any action world
match from local for any action world
END
    start mta mx "$T/bin/smtpd" -d
    until_true 10 mta_answers
}
