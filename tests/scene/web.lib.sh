# shellcheck shell=bash
# web.lib - nginx from a folder of the scene's own, as people run it.
#
#   web_on HOST [PORT]   serves "all is ok" there on port 80 and, with a certificate of its own making, on 443
#   web_gone HOST        ends it; what it held is closed at once
#   probes_on HOST YAML  serviola there, that watches and probes these services; nothing else
#   services KIND        the names in events of this kind, in order, on the host `us`
#   are KIND NAMES       they are these, and no more
#   times KIND           `since` of each, in microseconds
#   near FROM TO TIME... it was between FROM and TO, and each is within a second of that

# A certificate for $1 (days: $2) in $T/web.pem, its key in $T/web.key
web_certificate()
{
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "${2-30}" -subj "/CN=$1" \
        -addext "subjectAltName=IP:$1" -keyout "$T/web.key" -out "$T/web.pem" 2>/dev/null
}

web_on() # HOST
{
    command -v nginx >/dev/null || skip "nginx is not installed"
    mkdir -p "$T/web/www" "$T/web/tmp"
    printf 'all is ok\n' >"$T/web/www/health"
    [ -e "$T/web.pem" ] || web_certificate 10.1.0.2
    cat >"$T/web/nginx.conf" <<CONF
daemon off;
worker_processes 1;
user root;
pid $T/web/pid;
error_log $T/web/error.log;
events { worker_connections 128; }
http {
    access_log $T/web/access.log;
    client_body_temp_path $T/web/tmp/a; proxy_temp_path $T/web/tmp/b; fastcgi_temp_path $T/web/tmp/c;
    uwsgi_temp_path $T/web/tmp/d; scgi_temp_path $T/web/tmp/e;
    server {
        listen 80;
        listen 443 ssl;
        ssl_certificate $T/web.pem;
        ssl_certificate_key $T/web.key;
        root $T/web/www;
        location / { default_type text/plain; limit_rate \${WEB_RATE}; }
    }
}
CONF
    sed -i "s/limit_rate .*;/limit_rate ${WEB_RATE:-0};/; s/; }; }/; }/" "$T/web/nginx.conf"
    start "web-$1" "$1" nginx -p "$T/web" -c "$T/web/nginx.conf" -e "$T/web/error.log"
    until_true 5 on "$1" python3 -c 'import socket; socket.create_connection(("127.0.0.1", 443), 1)'
}

web_gone() # HOST
{
    finish "web-$1" TERM || true
}

probes_on() # HOST SERVICES
{
    configure "$1" "
hunt: { mode: off }
watch:
  read_disks: no
  services:$2"
    start "serviola-$1" "$1" serviola run --no-console
    until_true 10 answers "$1"
}

services() # KIND
{
    on us serviola events --kind "$1" --json | sed 's/.*"name":"\([^"]*\)".*/\1/' | sort | tr '\n' ' '
}

are() # KIND NAMES
{
    [ "$(services "$1")" = "$2 " ] || {
        services "$1"
        return 1
    }
}

times() # KIND
{
    on us serviola events --kind "$1" --json | python3 -c '
import json, sys
from datetime import datetime
for line in sys.stdin:
    since = json.loads(line)["since"]
    print(round(datetime.fromisoformat(since.replace("Z", "+00:00")).timestamp() * 1e6))'
}

near() # FROM TO TIME...
{
    local from=$1 to=$2 time

    shift 2
    [ $# -gt 0 ] || fail "no times"
    for time in "$@"; do
        say "$(((time - from) / 1000)) ms after its beginning, which took $(((to - from) / 1000)) ms"
        # A second; and what a busy machine adds.
        if [ $((from - time)) -gt 1500000 ] || [ $((time - to)) -gt 1500000 ]; then
            fail "more than a second"
        fi
    done
}

value_is() # NAME NUMBER
{
    [ "$(on us serviola watch --json "$1" | sed -n 's/.*"is":\([-0-9.]*\).*/\1/p' | head -n 1)" = "$2" ]
}
