/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/why_account.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/words.h"
#include "cmd/command.h"
#include "journal/json.h"
#include "sys/clock.h"
#include "sys/say.h"
#include "view/line.h"
#include "view/paint.h"
#include "view/why_account.h"

enum { MOST = 256 }; /* events of one account that are looked at: the newest */

struct known {
    struct slice account;
    struct event about[MOST]; /* a ring */
    size_t count;             /* ever */
};

static bool take(void *own, const struct event *ev)
{
    struct known *k = own;

    if (account_is_meant(ev, k->account))
        k->about[k->count++ % MOST] = *ev;
    return true;
}

static int by_seq(const void *a, const void *b)
{
    const struct event *x = a;
    const struct event *y = b;

    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void print_json(const struct known *k, size_t count, const struct account_verdict *v, const char *answer)
{
    char line[LINE_TEXT * 4];
    struct text t = TEXT_IN(line);

    text_word(&t, "{\"about\":\"");
    text_json(&t, k->account);
    text_addf(&t, "\",\"state\":\"%s\",", account_state_name(v->state));
    if (v->state == ACCOUNT_STOPPED) {
        text_word(&t, "\"until\":\"");
        text_time(&t, v->until_us, 6);
        text_word(&t, "\",");
    }
    text_word(&t, "\"answer\":\"");
    text_json(&t, slice_text(answer));
    text_word(&t, "\"}");
    (void)puts(line);
    for (size_t i = count; i-- > 0;) {
        t = TEXT_IN(line);
        event_json(&k->about[i], &t);
        (void)puts(line);
    }
}

static void print(const struct known *k, size_t count, const char *answer)
{
    bool colour = paint_wanted(STDOUT_FILENO);
    char line[LINE_TEXT];

    (void)printf("%s\n\n%s\n", answer, _("What was reported of it, the newest first:"));
    for (size_t i = count; i-- > 0;) {
        struct text t = TEXT_IN(line);

        line_full(&t, &k->about[i], colour);
        (void)printf("  %s\n", line);
    }
    if (k->count > MOST)
        (void)printf(_("  and %zu older ones\n"), k->count - MOST);
}

int why_account(struct sight *s, struct slice account, bool json)
{
    static const enum event_kind kinds[] = { EV_GATE_ACCOUNT_ABUSED, EV_GATE_ACCOUNT_STOPPED,
                                             EV_GATE_ACCOUNT_RELEASED };
    const struct query q = { .kinds = kinds, .kinds_count = sizeof(kinds) / sizeof(kinds[0]) };
    struct known *k = calloc(1, sizeof(*k));
    int64_t now_us = clock_wall_us();
    struct account_verdict v;
    char answer[2048];
    struct text t = TEXT_IN(answer);
    struct err e;
    size_t count;
    int code = -1;

    if (!k) {
        say(_("no memory"));
        return EXIT_CANNOT;
    }
    k->account = account;
    if (sight_query(s, &q, take, k, NULL, &e) < 0) {
        say("%s", e.text);
        code = EXIT_CANNOT;
    } else if (k->count > 0) {
        count = k->count < MOST ? k->count : MOST;
        qsort(k->about, count, sizeof(k->about[0]), by_seq);
        v = account_judge(k->about, count, now_us);
        account_answer(&t, account, &v, now_us);
        if (json)
            print_json(k, count, &v, answer);
        else
            print(k, count, answer);
        code = EXIT_FINE;
    }
    free(k);
    return code;
}
