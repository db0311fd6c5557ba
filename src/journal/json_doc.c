/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/json.h"

static const struct {
    const char *schema;
    const char *words;
} types[] = {
    [FIELD_TEXT] = { "\"type\":\"string\"", "text" },
    [FIELD_NUMBER] = { "\"type\":\"integer\",\"minimum\":0", "number" },
    [FIELD_TIME] = { "\"type\":\"string\",\"format\":\"date-time\"", "time" },
    [FIELD_SPAN] = { "\"type\":\"number\",\"minimum\":0", "seconds" },
    [FIELD_HEX] = { "\"type\":\"string\",\"pattern\":\"^([0-9a-f]{2})*$\"", "hexadecimal" },
    [FIELD_ADDR] = { "\"type\":\"string\"", "address" },
};

static const struct {
    const char *name;
    const char *schema;
    const char *help;
    bool always;
} common[] = {
    { "seq", "\"type\":\"integer\",\"minimum\":0", "its number; rises by one from event to event", true },
    { "at", "\"type\":\"string\",\"format\":\"date-time\"", "when it happened (UTC)", true },
    { "kind", NULL, "what happened", true },
    { "grade", "\"enum\":[\"note\",\"warn\",\"alarm\"]",
      "note: good to know; warn: somebody should look; alarm: somebody must", true },
    { "host", "\"type\":\"integer\",\"minimum\":1", "another host that reported it; absent: this one", false },
    { "src", "\"type\":\"string\"", "the address that did it", false },
    { "sport", "\"type\":\"integer\",\"minimum\":1,\"maximum\":65535", "its port", false },
    { "dst", "\"type\":\"string\"", "the address it was done to", false },
    { "dport", "\"type\":\"integer\",\"minimum\":1,\"maximum\":65535", "its port", false },
    { "cause", "\"type\":\"integer\",\"minimum\":1", "number of the event that led to this one", false },
    { "cut", "\"const\":true", "a field did not fit and was shortened or left out", false },
};
enum { COMMON = sizeof(common) / sizeof(common[0]) };

static void print_kinds(FILE *to)
{
    (void)fputs("\"enum\":[\"event.unknown\"", to);
    for (unsigned k = EV_NONE + 1; k < EV_KINDS; k++)
        (void)fprintf(to, ",\"%s\"", event_name((enum event_kind)k));
    (void)fputs("]", to);
}

void event_print_schema(FILE *to)
{
    (void)fputs("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\n"
                "\"title\":\"serviola event\",\n\"type\":\"object\",\n\"required\":[",
                to);
    for (unsigned i = 0, n = 0; i < COMMON; i++)
        if (common[i].always)
            (void)fprintf(to, "%s\"%s\"", n++ ? "," : "", common[i].name);
    (void)fputs("],\n\"properties\":{", to);
    for (unsigned i = 0; i < COMMON; i++) {
        (void)fprintf(to, "%s\n\"%s\":{", i ? "," : "", common[i].name);
        if (common[i].schema)
            (void)fputs(common[i].schema, to);
        else
            print_kinds(to);
        (void)fprintf(to, ",\"description\":\"%s\"}", common[i].help);
    }
    for (unsigned f = F_NONE + 1; f < F_FIELDS; f++)
        (void)fprintf(to, ",\n\"%s\":{%s,\"description\":\"%s\"}", field_name((enum field)f),
                      types[field_type((enum field)f)].schema, field_help((enum field)f));
    (void)fputs("},\n\"patternProperties\":{\"^field_[0-9]+$\":{\"type\":\"string\"}},\n"
                "\"additionalProperties\":false}\n",
                to);
}

void event_print_mdoc(FILE *to)
{
    (void)fputs(".Sh EVENTS\nEach event has a kind and a grade.\n.Bl -tag -width Ds\n", to);
    for (unsigned k = EV_NONE + 1; k < EV_KINDS; k++)
        (void)fprintf(to, ".It Sy %s Pq %s\n%s.\n", event_name((enum event_kind)k),
                      grade_name(event_grade((enum event_kind)k)), event_what((enum event_kind)k));
    (void)fputs(".El\n.Sh FIELDS\nThese stand in every event where they have something to say:\n"
                ".Bl -tag -width Ds\n",
                to);
    for (unsigned i = 0; i < COMMON; i++)
        (void)fprintf(to, ".It Sy %s\n%s.\n", common[i].name, common[i].help);
    (void)fputs(".El\n.Pp\nThese belong to some kinds:\n.Bl -tag -width Ds\n", to);
    for (unsigned f = F_NONE + 1; f < F_FIELDS; f++)
        (void)fprintf(to, ".It Sy %s Pq %s\n%s.\n", field_name((enum field)f), types[field_type((enum field)f)].words,
                      field_help((enum field)f));
    (void)fputs(".El\n", to);
}
