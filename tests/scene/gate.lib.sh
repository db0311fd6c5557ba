# shellcheck shell=bash
# gate.lib.sh - what scenes of the gate share; sourced behind lib.sh.
#
#   far 44.1.0.2, 2a00:44:1::2, also 3 4 5 --- 44.1.0.1, 2a00:44:1::1 mx
#
# mx runs the mail server on 127.0.0.1:2525 and the gate on port 25 of every address; far is the world: clients, other
# mail servers, and the world's name server on port 53 of number 2.
#
#   $far                           what addresses there begin with: `${far}3` is 44.1.0.3; in a twin that sets six=yes
#                                  before it sources a scene, 2a00:44:1::3; $record: A or AAAA
#   crowd_on_far                   far has all of $crowd, too; `one_of_crowd 3 1` is 44.2.3.1 or 2a00:66:0:3::1
#   abroad 3 1                     host 1 of network 3 elsewhere, which nobody need come from: 45.7.3.1 or 2a00:77:3::1
#   gate_house                     draws it
#   gate_on [LISTENER [SECTION]]   starts serviola on mx; LISTENER: more keys of the listener `mx`, as `tls: end,`;
#                                  SECTION: more lines of the section gate, indented by two
#   gate_takes_mail                until it greets
#   $quiet                         checks that ask somebody, switched off; between the braces of `checks`
#   gate_pid                       sets $pid; then `descriptors`, `memory_kb` are the gate's
#   tells WORDS WHAT               serviola why says so of WHAT: an address, an account, or the newest event of a kind
#   ended                          sessions that the journal has the end of
#   postfix_on                     Debian's Postfix as the mail server, which takes mail for example.com; `mails` counts it;
#                                  POSTFIX_SERVICES: more lines of its master.cf
#   certificate                    $T/cert.pem and $T/key.pem
set -eEuo pipefail

# shellcheck disable=SC2034 # scenes use these
far=44.1.0. resolver=44.1.0.2:53 record=A crowd=44.2.0.0/16
# shellcheck disable=SC2034
[ -z "${six-}" ] || far=2a00:44:1:: resolver='[2a00:44:1::2]:53' record=AAAA crowd=2a00:66::/56
# shellcheck disable=SC2034
quiet='greylist: off, rdns: off, confirmed: off, generic: off, callback: off, bogus_mx: off, dnsbl: off, helo: off'

gate_house()
{
    local more

    host far mx
    cable far 44.1.0.2/24 mx 44.1.0.1/24
    cable far 2a00:44:1::2/64 mx 2a00:44:1::1/64
    ip -n mx route add default via 44.1.0.2
    ip -n mx -6 route add default via 2a00:44:1::2
    for more in 3 4 5; do
        address far "44.1.0.$more/24" mx
        address far "2a00:44:1::$more/64" mx
    done
}

crowd_on_far()
{
    on far sysctl -qw net.ipv6.ip_nonlocal_bind=1
    on far ip route add local "$crowd" dev lo
}

one_of_crowd() # NETWORK HOST
{
    if [ -z "${six-}" ]; then
        echo "44.2.$1.$2"
    else
        echo "2a00:66:0:$1::$2"
    fi
}

abroad() # NETWORK HOST
{
    if [ -z "${six-}" ]; then
        echo "45.7.$1.$2"
    else
        echo "2a00:77:$1::$2"
    fi
}

gate_yaml() # [LISTENER [SECTION]]
{
    printf 'hunt: { mode: off }\ngate:\n  folder: %s\n' "$T/mx.state/gate"
    printf '  listeners:\n    mx: { listen: ["0.0.0.0:25", "[::]:25"], to: "127.0.0.1:2525", %s }\n' "${1:-greet_after: 0}"
    printf '%s\n' "${2:-}"
    [[ ${2:-} == *"  dns:"* ]] || printf '  dns: { servers: ["%s"], try: 500ms, tries: 2, total: 2s }\n' "$resolver"
}

gate_on()
{
    configure mx "$(gate_yaml "$@")"
    gate_again
}

gate_again()
{
    start serviola-mx mx serviola run --no-console
    until_true 15 answers mx
}

gate_takes_mail() # [ARGUMENT of smtp...]
{
    until_true 60 prints "220 " on far smtp --src "${far}2" --wait 5 "$@" "${far}1" 25 QUIT
}

gate_pid()
{
    pid=$(part_pid mx gate)
}

descriptors()
{
    find "/proc/$pid/fd" -type l | wc -l
}

memory_kb()
{
    awk '/VmRSS/ { print $2 }' "/proc/$pid/status"
}

tells() # WORDS ADDRESS|USER|KIND
{
    until_true 20 tells_now "$@"
}

tells_now()
{
    local what=$2

    [[ $what != *.*_* ]] || what=$(on mx serviola events --kind "$2" --json | tail -n 1 | sed 's/.*"seq":\([0-9]*\).*/\1/')
    prints "$1" on mx serviola why "$what"
}

ended()
{
    events mx gate.session_passed,gate.session_refused,gate.session_deferred,gate.session_ended
}

mx_sink_on() # [ARGUMENT]: a mail server that takes everything
{
    start sink mx proxied_sink --log "$T/mail" --port 2525 "$@"
    until_true 20 test -e "$T/mail"
}

certificate()
{
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mail.example.com -keyout "$T/key.pem" \
        -out "$T/cert.pem" 2>/dev/null
}

postfix_on() # [LINE of main.cf...]
{
    local config=$T/postfix spool=$T/spool line
    command -v postfix >/dev/null || [ -x /usr/sbin/postfix ] || skip "Postfix is not installed"
    mkdir -p "$config" "$spool" "$T/boxes" "$T/postlib"
    chown postfix: "$T/postlib"
    chmod 1777 "$T/boxes"
    cp /etc/postfix/master.cf.proto "$config/master.cf" 2>/dev/null || cp /usr/share/postfix/master.cf.dist "$config/master.cf"
    sed -i -e 's/^smtp  *inet.*/127.0.0.1:2525 inet n - n - - smtpd/' -e '/^[a-z0-9.:].*unix/ s/^\([^ ]*  *[^ ]*  *[^ ]*  *[^ ]*  *\)y/\1n/' "$config/master.cf"
    {
        printf 'queue_directory = %s\ndata_directory = %s\n' "$spool" "$T/postlib"
        printf 'myhostname = mail.example.com\nmydestination =\nmynetworks = 127.0.0.0/8\ninet_interfaces = all\n'
        printf 'virtual_mailbox_domains = example.com\nvirtual_mailbox_base = %s\nvirtual_mailbox_maps = static:all/\n' "$T/boxes"
        printf 'virtual_uid_maps = static:65534\nvirtual_gid_maps = static:65534\nvirtual_minimum_uid = 1\n'
        printf 'smtpd_upstream_proxy_protocol = haproxy\nsmtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n'
        printf 'smtpd_peername_lookup = no\nsmtpd_recipient_restrictions =\nalias_maps =\nalias_database =\n'
        printf 'maillog_file = %s\nmaillog_file_prefixes = /tmp, %s\ncompatibility_level = 3.6\n' "$T/maillog" "$T"
        for line in "$@"; do
            printf '%s\n' "$line"
        done
    } | awk -F ' *=' '!($1 in at) { at[$1] = ++keys } { line[at[$1]] = $0 } END { for (i = 1; i <= keys; i++) print line[i] }' >"$config/main.cf"
    printf '%s\n' "${POSTFIX_SERVICES-}" >>"$config/master.cf"
    grep -q '^postlog' "$config/master.cf" || printf 'postlog unix-dgram n - n - 1 postlogd\n' >>"$config/master.cf"
    on mx postfix -c "$config" start >"$T/postfix.err" 2>&1
    until_true 10 on mx bash -c 'exec 3<>/dev/tcp/127.0.0.1/2525'
}

mails()
{
    find "$T/boxes" -path '*/new/*' -type f 2>/dev/null | wc -l
}
