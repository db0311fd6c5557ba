/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/dns_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"

enum { BYTES_AN_ENTRY = 512 }; /* on the average; longer answers make others leave */

struct dns_cache {
    struct table *table; /* struct dns_question: struct dns_kept * */
    size_t bytes;
};

_Static_assert(sizeof(struct dns_question) == DNS_NAME, "a question has no padding");

bool dns_question_set(struct dns_question *q, enum dns_kind kind, struct slice name)
{
    memset(q, 0, sizeof(*q));
    q->kind = (uint8_t)kind;
    if (!dns_name_is_sound(name))
        return false;
    if (name.at[name.len - 1] == '.')
        name.len--;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.at[i];

        q->name[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    return true;
}

static struct slice keep(uint8_t **free_at, struct slice s)
{
    uint8_t *at = *free_at;

    if (s.len > 0)
        memcpy(at, s.at, s.len);
    *free_at += s.len;
    return slice_of(at, s.len);
}

struct dns_kept *dns_kept_new(const struct dns_answer *a, int64_t until_us)
{
    size_t bytes = sizeof(struct dns_kept) + a->count * sizeof(a->at[0]);
    struct dns_kept *k;
    uint8_t *free_at;

    for (uint32_t i = 0; i < a->count; i++)
        bytes += a->at[i].name.len + a->at[i].text.len;
    k = malloc(bytes);
    if (!k)
        return NULL;
    k->users = 1;
    k->until_us = until_us;
    k->bytes = bytes;
    k->answer = *a;
    k->answer.at = k->at;
    free_at = (uint8_t *)(k->at + a->count);
    for (uint32_t i = 0; i < a->count; i++) {
        k->at[i] = a->at[i];
        k->at[i].name = keep(&free_at, a->at[i].name);
        k->at[i].text = keep(&free_at, a->at[i].text);
    }
    return k;
}

void dns_kept_let_go(struct dns_kept *k)
{
    if (k && --k->users == 0)
        free(k);
}

struct dns_cache *dns_cache_new(size_t entries, uint64_t seed, struct err *e)
{
    struct dns_cache *c = calloc(1, sizeof(*c));

    if (!c) {
        (void)err_set(e, 0, "dns cache: no memory");
        return NULL;
    }
    c->table = table_new(entries, sizeof(struct dns_question), sizeof(struct dns_kept *), seed, e);
    if (c->table)
        return c;
    free(c);
    return NULL;
}

static void forget(struct dns_cache *c, struct dns_kept **place)
{
    c->bytes -= (*place)->bytes;
    dns_kept_let_go(*place);
    table_remove(c->table, place);
}

void dns_cache_forget(struct dns_cache *c)
{
    while (table_count(c->table) > 0)
        forget(c, table_oldest(c->table));
}

void dns_cache_free(struct dns_cache *c)
{
    if (!c)
        return;
    dns_cache_forget(c);
    table_free(c->table);
    free(c);
}

struct dns_kept *dns_cache_find(struct dns_cache *c, const struct dns_question *q, int64_t now_us)
{
    struct dns_kept **place = table_find(c->table, q);

    if (!place)
        return NULL;
    if ((*place)->until_us <= now_us) {
        forget(c, place);
        return NULL;
    }
    table_touch(c->table, place);
    (*place)->users++;
    return *place;
}

void dns_cache_put(struct dns_cache *c, const struct dns_question *q, struct dns_kept *k)
{
    struct dns_kept **place = table_find(c->table, q);

    if (place)
        forget(c, place);
    while (table_count(c->table) > 0 &&
           (table_count(c->table) == table_cap(c->table) || c->bytes + k->bytes > table_cap(c->table) * BYTES_AN_ENTRY))
        forget(c, table_oldest(c->table));
    place = table_add(c->table, q, NULL, NULL, NULL);
    *place = k;
    k->users++;
    c->bytes += k->bytes;
}

size_t dns_cache_bytes(const struct dns_cache *c)
{
    return c->bytes;
}
