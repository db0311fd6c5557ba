/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * accounts - how long the gate stands still to keep what it learned of accounts: each piece of the ledger that it
 * writes before a sleep, all of them together, and what a minute's round over all accounts takes.
 *
 * usage: accounts [ACCOUNTS [PIECE]]     Prints lines of NAME VALUE UNIT.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sense/gate/ledger.h"
#include "sense/gate/warden.h"

#define HOUR_US 3600000000LL
enum { HOURS = 24, NETWORKS = 8, ROOM = 128 << 20 };

static double now_ms(void) /* of our own: other programs' turns are no pause of the gate's making */
{
    struct timespec t;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void nobody_listens(void *ctx, struct event *ev)
{
    (void)ctx;
    (void)ev;
}

static void learn(struct warden *w, unsigned accounts, int64_t now_us)
{
    char name[32];

    for (unsigned i = 0; i < HOURS * accounts; i++) {
        unsigned hour = i / accounts;
        unsigned who = i % accounts;
        struct addr client = { .family = 4,
                               .ip = { 45, (uint8_t)(hour % NETWORKS), (uint8_t)who, (uint8_t)(who >> 8) } };
        struct verdict v = { .act = VERDICT_PASS };
        int n = snprintf(name, sizeof(name), "user%06u@example.com", who);

        warden_recipient(w, slice_of(name, (size_t)n), client, slice_of(NULL, 0), now_us + hour * HOUR_US + who, &v);
    }
}

/* All of it once more, as src/sense/gate/remember.c writes it. */
static void write_all(struct warden *w, struct ledger *l, size_t piece)
{
    double began_ms = now_ms();
    double worst_ms = 0;

    warden_save_again(w);
    while (warden_news(w) != WARDEN_NOTHING) {
        double from_ms = now_ms();
        struct bytes_out out = { 0 };

        warden_save_some(w, &out, piece);
        if (!ledger_add(l, slice_of(out.at, out.len)))
            exit(1);
        bytes_done(&out);
        worst_ms = now_ms() - from_ms > worst_ms ? now_ms() - from_ms : worst_ms;
    }
    printf("all %.2f ms\nworst_pause %.3f ms\nbytes %zu bytes\n", now_ms() - began_ms, worst_ms, ledger_bytes(l).len);
}

int main(int argc, char **argv)
{
    unsigned accounts = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20000;
    size_t piece = argc > 2 ? strtoul(argv[2], NULL, 10) : 128;
    const struct gate_accounts set = { .response = GATE_ACCOUNT_REFUSE,
                                       .accounts = accounts,
                                       .messages = 1000000,
                                       .factor = 3,
                                       .quiet_us = HOUR_US,
                                       .settled_us = 24 * HOUR_US,
                                       .stop_us = HOUR_US,
                                       .throttle = 6 };
    struct err e = { 0 };
    struct warden *w = warden_new(&set, 7, nobody_listens, NULL, &e);
    struct ledger *l = ledger_new(ROOM, &e);
    double from_ms;

    if (!w || !l || piece == 0) {
        fprintf(stderr, "accounts: %s\n", e.text);
        return 1;
    }
    learn(w, accounts, 2400 * HOUR_US);
    write_all(w, l, piece);
    from_ms = now_ms();
    warden_tick(w, (2400 + HOURS) * HOUR_US);
    printf("round %.2f ms\n", now_ms() - from_ms);
    ledger_free(l);
    warden_free(w);
    return 0;
}
