/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/json.h"

#include <string.h>

static void hex(struct text *t, struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        text_addf(t, "%02x", (unsigned)s.at[i]);
}

static struct addr addr_of(struct slice value)
{
    struct addr a = { 0 };

    if (value.len == sizeof(a))
        memcpy(&a, value.at, sizeof(a));
    return a;
}

static struct addr_words addr_words(struct addr a)
{
    return a.port ? addr_socket_text(a) : addr_ip_text(a);
}

static void json_value(struct text *t, enum field_type type, struct slice value)
{
    uint64_t n = 0;

    (void)event_number(value, &n);
    switch (type) {
    case FIELD_NUMBER:
        text_addf(t, "%llu", (unsigned long long)n);
        break;
    case FIELD_SPAN:
        text_addf(t, "%llu.%06llu", (unsigned long long)n / 1000000, (unsigned long long)n % 1000000);
        break;
    case FIELD_TIME:
        text_word(t, "\"");
        text_time(t, (int64_t)n, 6);
        text_word(t, "\"");
        break;
    case FIELD_ADDR:
        text_addf(t, "\"%s\"", addr_words(addr_of(value)).text);
        break;
    case FIELD_HEX:
        text_word(t, "\"");
        hex(t, value);
        text_word(t, "\"");
        break;
    case FIELD_TEXT:
    default:
        text_word(t, "\"");
        text_json(t, value);
        text_word(t, "\"");
        break;
    }
}

static void json_end(struct text *t, const char *addr_key, const char *port_key, struct addr a)
{
    if (a.family == 0)
        return;
    text_addf(t, ",\"%s\":\"%s\"", addr_key, addr_ip_text(a).text);
    if (a.port > 0)
        text_addf(t, ",\"%s\":%u", port_key, (unsigned)a.port);
}

/* A field that only a newer serviola knows goes by its number. */
static void field_key(struct text *t, enum field f)
{
    if (f < F_FIELDS)
        text_word(t, field_name(f));
    else
        text_addf(t, "field_%u", (unsigned)f);
}

void event_json(const struct event *ev, struct text *t)
{
    struct slice value;
    enum field f;

    text_addf(t, "{\"seq\":%llu,\"at\":\"", (unsigned long long)ev->seq);
    text_time(t, ev->at_us, 6);
    text_addf(t, "\",\"kind\":\"%s\",\"grade\":\"%s\"", event_name((enum event_kind)ev->kind),
              grade_name((enum grade)ev->grade));
    if (ev->host > 0)
        text_addf(t, ",\"host\":%lu", (unsigned long)ev->host);
    json_end(t, "src", "sport", ev->src);
    json_end(t, "dst", "dport", ev->dst);
    if (ev->cause > 0)
        text_addf(t, ",\"cause\":%llu", (unsigned long long)ev->cause);
    for (unsigned i = 0; event_field_at(ev, i, &f, &value); i++) {
        text_word(t, ",\"");
        field_key(t, f);
        text_word(t, "\":");
        json_value(t, field_type(f), value);
    }
    text_word(t, ev->cut ? ",\"cut\":true}" : "}");
}
