#!/bin/bash
# Who asks for Spanish reads Spanish: commands, the console, faults; what programs read stays as it was.
. "$(dirname "$0")/lib.sh"
[ -e "$SERVIOLA_BUILD/po/es/LC_MESSAGES/serviola.mo" ] || skip "built without gettext"
house
sink_on out --port 25
configure wall 'hunt: { mode: block }'
start serviola-wall wall env LC_ALL=es_ES.UTF-8 LANGUAGE=es serviola run
until_true 10 is_up wall

spanish()
{
    LC_ALL='' LANG=es_ES.UTF-8 LANGUAGE=es "$@"
}

say "a worm is blocked; why it was, in both languages"
is_not on pc worm --messages 50 --patience 0.5
until_true 5 is_blocked wall 10.1.0.2
until_true 5 event wall act.blocked --src 10.1.0.2
prints '10.1.0.2 is blocked until' on wall serviola why 10.1.0.2
prints '10.1.0.2 está bloqueado' spanish on wall serviola why 10.1.0.2
prints 'este equipo habló SMTP con 10.2.0.2' spanish on wall serviola why 10.1.0.2
prints 'equipo bloqueado; serviola why EQUIPO' spanish on wall serviola blocks
prints 'Cortafuegos nuestra tabla está en su sitio' spanish on wall serviola status
prints 'bloquear el correo de un equipo' spanish serviola
prints 'ya está bloqueado; serviola why dice por qué' spanish on wall serviola block 10.1.0.2

say "programs read the same in every language: JSON, journal, names of events"
first=$(on wall serviola events --json --kind act.blocked --limit 1 | sed "s/.*\"seq\":\([0-9]*\).*/\1/")
[ "$(spanish on wall serviola why "$first" --json | tail -n +2)" = "$(on wall serviola why "$first" --json | tail -n +2)" ]
some=(on wall serviola events --json --kind act.) # nothing is blocked meanwhile, but other events may come
[ "$(spanish "${some[@]}")" = "$("${some[@]}")" ]
is_not prints 'bloqueado' spanish on wall serviola why 10.1.0.2 --json
is_not prints 'bloque' spanish on wall serviola status --json

say "the console of a serviola that was started so speaks Spanish, its journal English"
until_true 5 grep -q 'se bloqueó 10.1.0.2' "$T/serviola-wall.out"

say "a faulty file is refused in Spanish; the journal keeps the fault in English"
sed -i 's/mode: block/moed: block/' "$T/wall.conf"
prints 'clave desconocida «moed» en hunt; ¿quiso decir «mode»?' spanish on wall serviola check
kill -HUP "$(pid_of serviola-wall)"
until_true 5 event wall conf.refused
prints 'unknown key' on wall serviola events --kind conf.refused
