/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The chain, what followed and the evidence, below why_answer's paragraph. */
#include <string.h>

#include "base/words.h"
#include "journal/json.h"
#include "view/line.h"
#include "view/number.h"
#include "view/paint.h"
#include "view/when.h"
#include "view/why.h"

struct page {
    const struct why_case *c;
    FILE *to;
    unsigned width; /* 0: lines are not folded */
    bool colour;
};

/* Words go to the next line when they would pass the width; a word is never cut. */
static void fold_words(const struct page *p, const char *words)
{
    struct slice rest = slice_text(words);
    unsigned column = 0;

    while (rest.len > 0) {
        struct slice word = slice_until(rest, ' ', &rest);

        if (column > 0 && p->width > 0 && column + 1 + word.len > p->width) {
            (void)fputc('\n', p->to);
            column = 0;
        } else if (column > 0) {
            (void)fputc(' ', p->to);
            column++;
        }
        (void)fwrite(word.at, 1, word.len, p->to);
        column += (unsigned)word.len;
    }
    (void)fputc('\n', p->to);
}

static void print_event(const struct page *p, const char *lead, const struct event *ev)
{
    char fields[LINE_TEXT];
    struct text t = TEXT_IN(fields);
    enum grade g = (enum grade)ev->grade;

    line_fields(&t, ev);
    (void)fprintf(p->to, "  %s%s#%-6llu%s %s  %s%-20s%s %s\n", lead, paint_on(p->colour, PAINT_BOLD),
                  (unsigned long long)ev->seq, paint_off(p->colour), when_full(ev->at_us).text,
                  paint_on(p->colour, paint_of(g)), event_name((enum event_kind)ev->kind), paint_off(p->colour),
                  _(event_what((enum event_kind)ev->kind)));
    if (ev->src.family || ev->dst.family)
        (void)fprintf(p->to, "             %s%s%s\n", ev->src.family ? addr_text(ev->src).text : "",
                      ev->dst.family ? " -> " : "", ev->dst.family ? addr_text(ev->dst).text : "");
    if (fields[0])
        (void)fprintf(p->to, "             %s%s%s\n", paint_on(p->colour, PAINT_DIM), fields, paint_off(p->colour));
}

static void heading(const struct page *p, const char *words)
{
    (void)fprintf(p->to, "\n%s%s%s\n", paint_on(p->colour, PAINT_BOLD), words, paint_off(p->colour));
}

static void print_chain(const struct page *p, const struct event *chain, size_t n)
{
    const struct event *root = &chain[n - 1];

    heading(p, _("How it came about, the newest first:"));
    for (size_t i = 0; i < n; i++)
        print_event(p, i ? "<- " : "   ", &chain[i]);
    if (n == WHY_DEPTH)
        (void)fprintf(p->to, _("  <- and so on: the chain is longer than %d\n"), (int)WHY_DEPTH);
    else if (root->cause == 0)
        (void)fprintf(p->to, _("  <- nothing in the journal led to this: it came from outside\n"));
    else
        (void)fprintf(p->to, _("  <- #%llu, which the journal does not hold any more\n"),
                      (unsigned long long)root->cause);
}

static bool holds(const struct event *chain, size_t n, uint64_t seq)
{
    for (size_t i = 0; i < n; i++)
        if (chain[i].seq == seq)
            return true;
    return false;
}

/* Events about the same host that one of the chain led to; the checkpoints of a block say nothing new. */
static bool follows(const struct event *ev, const struct event *chain, size_t n)
{
    return ev->cause != 0 && ev->kind != EV_ACT_BLOCK_KEPT && holds(chain, n, ev->cause) && !holds(chain, n, ev->seq);
}

enum { FOLLOWERS_SHOWN = 12 };

static void print_followers(const struct page *p, const struct event *chain, size_t n)
{
    size_t found = 0;

    for (size_t i = 0; i < p->c->count; i++) {
        const struct event *ev = &p->c->about[i];

        if (!follows(ev, chain, n) || ev->kind == EV_HUNT_EVIDENCE_KEPT)
            continue;
        if (found++ == 0)
            heading(p, _("What followed from it:"));
        if (found <= FOLLOWERS_SHOWN)
            print_event(p, "-> ", ev);
    }
    if (found > FOLLOWERS_SHOWN)
        (void)fprintf(p->to, _("  -> and %zu more\n"), found - FOLLOWERS_SHOWN);
}

static void print_file(const struct page *p, const struct event *ev)
{
    char name[256];
    char digest[2 * 32 + 1];
    struct text t = TEXT_IN(name);
    struct text hex = TEXT_IN(digest);
    struct slice value;
    uint64_t bytes = 0;

    if (event_get(ev, F_NAME, &value))
        text_visible(&t, value);
    if (event_get(ev, F_DIGEST, &value))
        line_value(&hex, F_DIGEST, value);
    (void)event_get_number(ev, F_BYTES, &bytes);
    (void)fprintf(p->to, _("  %s%s%s\n             %s bytes, event #%llu, SHA-256 %s\n"),
                  p->c->evidence ? p->c->evidence : "", p->c->evidence ? "/" : "", name, number_words(bytes).text,
                  (unsigned long long)ev->seq, digest[0] ? digest : _("not known"));
}

static bool has_finding(const struct event *chain, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (chain[i].kind >= EV_HUNT_MAIL_SEEN && chain[i].kind < EV_HUNT_EVIDENCE_KEPT)
            return true;
    return false;
}

static void print_evidence(const struct page *p, const struct event *chain, size_t n)
{
    size_t found = 0;

    for (size_t i = 0; i < p->c->count; i++) {
        const struct event *ev = &p->c->about[i];

        if (ev->kind != EV_HUNT_EVIDENCE_KEPT || !holds(chain, n, ev->cause))
            continue;
        if (found++ == 0)
            heading(p, _("Evidence (tcpdump -nXr FILE shows it):"));
        print_file(p, ev);
    }
    if (found == 0 && has_finding(chain, n)) {
        heading(p, _("Evidence:"));
        (void)fprintf(p->to, _("  no packets were kept for this; the proof is in the fields above\n"));
    }
}

static void print_more(const struct page *p)
{
    if (p->c->who.family == 0 || p->c->count < 2)
        return;
    (void)fprintf(p->to,
                  p->c->more ? _("\n%zu events and older ones are about %s; to see them: serviola events --src %s\n")
                             : _("\n%zu events are about %s; to see them: serviola events --src %s\n"),
                  p->c->count, addr_ip_text(p->c->who).text, addr_ip_text(p->c->who).text);
}

void why_print(const struct why_case *c, FILE *to, unsigned width, bool colour)
{
    struct why_verdict v = why_judge(c);
    struct page p = { .c = c, .to = to, .width = width, .colour = colour };
    const struct event *from = c->asked ? c->asked : v.decision ? v.decision : v.block;
    struct event chain[WHY_DEPTH];
    char answer[4096];
    struct text t = TEXT_IN(answer);
    size_t n;

    why_answer(&t, c, &v);
    fold_words(&p, answer);
    if (!from)
        return;
    n = why_chain(c, from, chain);
    print_chain(&p, chain, n);
    print_followers(&p, chain, n);
    print_evidence(&p, chain, n);
    print_more(&p);
}

void why_json(const struct why_case *c, FILE *to)
{
    struct why_verdict v = why_judge(c);
    const struct event *from = c->asked ? c->asked : v.decision ? v.decision : v.block;
    struct event chain[WHY_DEPTH];
    char answer[4096];
    char line[8192];
    struct text words = TEXT_IN(answer);
    struct text t = TEXT_IN(line);
    size_t n = from ? why_chain(c, from, chain) : 0;

    why_answer(&words, c, &v);
    text_word(&t, "{");
    if (c->who.family)
        text_addf(&t, "\"about\":\"%s\",\"state\":\"%s\",", addr_ip_text(c->who).text, why_state_name(v.state));
    if (c->who.family && v.state == WHY_BLOCKED && v.until_us != 0) {
        text_word(&t, "\"until\":\"");
        text_time(&t, v.until_us, 6);
        text_word(&t, "\",");
    }
    if (from)
        text_addf(&t, "\"event\":%llu,", (unsigned long long)from->seq);
    text_word(&t, "\"answer\":\"");
    text_json(&t, slice_text(answer));
    text_word(&t, "\"}");
    (void)fprintf(to, "%s\n", line);
    for (size_t i = 0; i < n; i++) {
        t = TEXT_IN(line);
        event_json(&chain[i], &t);
        (void)fprintf(to, "%s\n", line);
    }
}
