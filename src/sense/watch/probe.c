/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/probe.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct probe_values {
    uint32_t count;
    struct {
        char name[VALUE_NAME];
        double number;
        int64_t until_us; /* boot clock */
    } at[PROBE_VALUES];
};

struct probe_values *probe_values_new(struct err *e)
{
    struct probe_values *p = calloc(1, sizeof(*p));

    if (!p)
        err_set(e, ENOMEM, "probes");
    return p;
}

void probe_values_free(struct probe_values *p)
{
    free(p);
}

static bool is_sound(const struct link_value *v)
{
    size_t len = strnlen(v->name, sizeof(v->name));

    if (len == 0 || len >= VALUE_NAME || v->good_us < 0 || isinf(v->number))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!((v->name[i] >= 'a' && v->name[i] <= 'z') || (v->name[i] >= 'A' && v->name[i] <= 'Z') ||
              (v->name[i] >= '0' && v->name[i] <= '9') || v->name[i] == '.' || v->name[i] == '_' || v->name[i] == '-'))
            return false;
    return true;
}

bool probe_values_take(struct probe_values *p, const struct link_value *v, int64_t mono_us)
{
    uint32_t i = 0;

    if (!is_sound(v))
        return false;
    while (i < p->count && strncmp(p->at[i].name, v->name, VALUE_NAME) != 0)
        i++;
    if (i == PROBE_VALUES)
        return false;
    if (i == p->count) {
        memcpy(p->at[i].name, v->name, VALUE_NAME);
        p->count++;
    }
    p->at[i].number = v->number;
    p->at[i].until_us = v->good_us < INT64_MAX - mono_us ? mono_us + v->good_us : INT64_MAX;
    return true;
}

void probe_values_sample(const struct probe_values *p, int64_t mono_us, struct values *out)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (mono_us <= p->at[i].until_us)
            (void)values_set(out, p->at[i].name, p->at[i].number);
}
