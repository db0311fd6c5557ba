/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who tries passwords, and did one fit?  Failures are counted for each address and host; a success out of the same
 * address afterwards joins the finding and makes it an alarm.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/rate.h"
#include "base/words.h"
#include "sense/log/analyse/inner.h"

enum { ATTACKERS = 16384, FAST = 20, ENOUGH = 10, USERS = 4 };
#define FAST_US  (10 * MINUTE_US)
#define QUIET_US HOUR_US

struct attacker_key {
    struct addr client;
    uint32_t host;
    uint32_t program;
};

struct attacker {
    struct rate_window recent;
    int64_t first_us, last_us;
    int64_t success_us; /* 0: none */
    uint64_t failures, invalid;
    bool told;
    uint8_t users, user_len;
    uint8_t name_len[USERS];
    char name[USERS][32];
    char user[32]; /* whose password fitted */
};

struct logins {
    struct table *attackers;
};

int logins_open(struct analysis *a, struct err *e)
{
    a->logins = calloc(1, sizeof(*a->logins));
    if (!a->logins)
        return err_set(e, ENOMEM, "analysis");
    a->logins->attackers = table_new(ATTACKERS, sizeof(struct attacker_key), sizeof(struct attacker), a->seed, e);
    return a->logins->attackers ? 0 : -1;
}

void logins_close(struct analysis *a)
{
    if (a->logins)
        table_free(a->logins->attackers);
    free(a->logins);
}

static void tell(struct analysis *a, const struct attacker *k, enum log_phase phase)
{
    const struct attacker_key *key = table_key(a->logins->attackers, k);
    bool success = k->success_us != 0;
    uint64_t failures = k->failures > k->invalid ? k->failures : k->invalid;
    struct log_finding f =
        finding_of(a, success ? "bruteforce_success" : "bruteforce", success ? GRADE_ALARM : GRADE_WARN, key->host);

    f.phase = phase;
    f.from_us = k->first_us;
    f.to_us = phase == LOG_ENDED ? (success ? k->success_us : k->last_us) : 0;
    f.count = failures;
    if (success)
        finding_text(&f, _("%s tried %" PRIu64 " passwords at %s (%s) from %s on; at %s that of %s fitted"),
                     addr_ip_text(key->client).text, failures, shown_host(a, key->host).text,
                     shown_program(a, key->program).text, shown_time(k->first_us).text, shown_time(k->success_us).text,
                     shown(slice_of(k->user, k->user_len)).text);
    else
        finding_text(&f, _("%s tries passwords at %s (%s): %" PRIu64 " from %s to %s"), addr_ip_text(key->client).text,
                     shown_host(a, key->host).text, shown_program(a, key->program).text, failures,
                     shown_time(k->first_us).text, shown_time(k->last_us).text);
    for (unsigned i = 0; i < k->users; i++)
        finding_proof(&f, _("user %s"), shown(slice_of(k->name[i], k->name_len[i])).text);
    if (success)
        finding_next(&f, _("change the password of %s, end its sessions, see what it did since %s"),
                     shown(slice_of(k->user, k->user_len)).text, shown_time(k->success_us).text);
    else
        finding_next(&f, _("serviola block %s"), addr_ip_text(key->client).text);
    finding_tell_as(a, &f, "bruteforce", addr_hash(key->client, 1) ^ (uint64_t)k->first_us);
}

static struct attacker *attacker_of(struct analysis *a, uint32_t host, uint32_t program, struct addr client, bool add)
{
    struct attacker_key key = { addr_ip(client), host, program };

    return add ? table_add(a->logins->attackers, &key, NULL, NULL, NULL) : table_find(a->logins->attackers, &key);
}

static void note_user(struct attacker *k, struct slice user)
{
    user = slice_first(user, sizeof(k->name[0]));
    for (unsigned i = 0; i < k->users; i++)
        if (slice_eq(user, slice_of(k->name[i], k->name_len[i])))
            return;
    if (k->users == USERS || user.len == 0)
        return;
    memcpy(k->name[k->users], user.at, user.len);
    k->name_len[k->users++] = (uint8_t)user.len;
}

void logins_failed(struct analysis *a, uint32_t host, uint32_t program, struct addr client, struct slice user,
                   uint32_t times, int64_t at_us)
{
    struct attacker *k = attacker_of(a, host, program, client, true);

    if (k->first_us == 0)
        k->first_us = at_us;
    k->last_us = at_us;
    k->failures += times;
    note_user(k, user);
    if (rate_add(&k->recent, FAST_US, at_us, times) < FAST || k->told)
        return;
    k->told = true;
    tell(a, k, LOG_BEGAN);
}

void logins_passed(struct analysis *a, uint32_t host, uint32_t program, struct addr client, struct slice user,
                   int64_t at_us)
{
    struct attacker *k = attacker_of(a, host, program, client, false);

    if (!k || (k->failures < ENOUGH && k->invalid < ENOUGH) || k->success_us != 0)
        return;
    k->success_us = at_us;
    user = slice_first(user, sizeof(k->user));
    k->user_len = (uint8_t)user.len;
    if (user.len > 0)
        memcpy(k->user, user.at, user.len);
    k->told = true;
    tell(a, k, LOG_BEGAN);
}

static struct slice word_after(struct slice s, const char *before)
{
    const uint8_t *at = memmem(s.at, s.len, before, strlen(before));
    struct slice rest;

    if (!at)
        return slice_of(NULL, 0);
    return slice_until(slice_skip(s, (size_t)(at - s.at) + strlen(before)), ' ', &rest);
}

/* The last " from ADDRESS": what a user is called may hold the words, too. */
static bool client_in(struct slice s, struct addr *client)
{
    static const char from[] = " from ";

    for (size_t i = s.len; i >= sizeof(from) - 1; i--)
        if (memcmp(s.at + i - (sizeof(from) - 1), from, sizeof(from) - 1) == 0) {
            struct slice rest;

            return addr_read(slice_until(slice_skip(s, i), ' ', &rest), client);
        }
    return addr_read(word_after(s, "rhost="), client);
}

void logins_line(struct analysis *a, struct reading *r)
{
    struct slice s = r->text;
    struct addr client;
    struct slice user;

    if (!client_in(s, &client))
        return;
    if (log_begins(s, "Accepted ")) {
        logins_passed(a, r->host->id, r->program, client, word_after(s, " for "), r->at_us);
    } else if (log_begins(s, "Failed ")) {
        user = word_after(s, "invalid user ");
        logins_failed(a, r->host->id, r->program, client, user.len > 0 ? user : word_after(s, " for "), 1, r->at_us);
    } else if (log_begins(s, "Invalid user ")) {
        struct attacker *k = attacker_of(a, r->host->id, r->program, client, true);

        k->first_us = k->first_us ? k->first_us : r->at_us;
        k->last_us = r->at_us;
        k->invalid++;
    }
}

void logins_tick(struct analysis *a, int64_t now_us)
{
    struct attacker *k = table_oldest(a->logins->attackers);

    while (k && now_us - k->last_us > QUIET_US) { /* table_add makes who fails the newest */
        struct attacker *newer = table_newer(a->logins->attackers, k);

        if (k->told)
            tell(a, k, LOG_ENDED);
        table_remove(a->logins->attackers, k);
        k = newer;
    }
}
