/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which host inside opens connections to many mail servers?  Told by the packet filter's lines alone. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/words.h"
#include "sense/log/analyse/inner.h"

enum { SENDERS = 4096, SERVERS = 30, BITS = 1024 };
#define QUIET_US (30 * MINUTE_US)

struct sender_key {
    struct addr client;
    uint32_t host;
    uint32_t zero;
};
struct sender {
    int64_t first_us, last_us;
    uint64_t packets;
    uint32_t servers;
    bool told;
    uint64_t seen[BITS / 64];
};

struct packets {
    struct table *senders;
};

int packets_open(struct analysis *a, struct err *e)
{
    a->packets = calloc(1, sizeof(*a->packets));
    if (!a->packets)
        return err_set(e, ENOMEM, "analysis");
    a->packets->senders = table_new(SENDERS, sizeof(struct sender_key), sizeof(struct sender), a->seed, e);
    return a->packets->senders ? 0 : -1;
}

void packets_close(struct analysis *a)
{
    if (a->packets)
        table_free(a->packets->senders);
    free(a->packets);
}

static void tell(struct analysis *a, const struct sender *k, enum log_phase phase)
{
    const struct sender_key *key = table_key(a->packets->senders, k);
    struct log_finding f = finding_of(a, "mail_egress", GRADE_WARN, key->host);

    f.phase = phase;
    f.from_us = k->first_us;
    f.to_us = phase == LOG_ENDED ? k->last_us : 0;
    f.count = k->packets;
    finding_text(
        &f, _("%s opened %" PRIu64 " connections to port 25 of %" PRIu32 " hosts or more, from %s to %s (seen by %s)"),
        addr_ip_text(key->client).text, k->packets, k->servers, shown_time(k->first_us).text,
        shown_time(k->last_us).text, shown_host(a, key->host).text);
    finding_next(&f, _("serviola hunt finds what it says; serviola block %s stops it"), addr_ip_text(key->client).text);
    finding_tell(a, &f, addr_hash(key->client, 1) ^ (uint64_t)k->first_us);
}

static bool address_after(struct slice s, const char *before, struct addr *at)
{
    const uint8_t *found = memmem(s.at, s.len, before, strlen(before));
    struct slice rest;

    return found && addr_read(slice_until(slice_skip(s, (size_t)(found - s.at) + strlen(before)), ' ', &rest), at);
}

void packets_line(struct analysis *a, struct reading *r)
{
    struct sender_key key = { .host = r->host->id };
    struct sender *k;
    struct addr server;
    uint64_t bit;

    if (!log_has(r->text, "DPT=25 ") || !address_after(r->text, "SRC=", &key.client) ||
        !address_after(r->text, "DST=", &server) || !addr_is_private(key.client) || addr_is_private(server))
        return;
    k = table_add(a->packets->senders, &key, NULL, NULL, NULL);
    k->first_us = k->first_us ? k->first_us : r->at_us;
    k->last_us = r->at_us;
    k->packets++;
    bit = addr_hash(server, a->seed) % BITS;
    k->servers += !(k->seen[bit / 64] >> (bit % 64) & 1);
    k->seen[bit / 64] |= 1ull << (bit % 64);
    if (k->told || k->servers < SERVERS)
        return;
    k->told = true;
    tell(a, k, LOG_BEGAN);
}

void packets_tick(struct analysis *a, int64_t now_us)
{
    struct sender *k = table_oldest(a->packets->senders);

    while (k && now_us - k->last_us > QUIET_US) {
        struct sender *newer = table_newer(a->packets->senders, k);

        if (k->told)
            tell(a, k, LOG_ENDED);
        table_remove(a->packets->senders, k);
        k = newer;
    }
}
