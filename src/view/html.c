/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/html.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "view/explain/inner.h"
#include "view/graph.h"

enum { ROWS_MOST = 2000, CELL_MOST = 300, TREE_DEPTH = 60, PAGE_TEXT = 4096 };

static void escape(FILE *to, const char *words)
{
    for (; *words; words++)
        switch (*words) {
        case '&':
            (void)fputs("&amp;", to);
            break;
        case '<':
            (void)fputs("&lt;", to);
            break;
        case '>':
            (void)fputs("&gt;", to);
            break;
        case '"':
            (void)fputs("&quot;", to);
            break;
        case '\'':
            (void)fputs("&#39;", to);
            break;
        default:
            (void)fputc(*words, to);
        }
}

void html_put(FILE *to, struct slice s, size_t most)
{
    char words[PAGE_TEXT];
    struct text t = TEXT_IN(words);

    text_visible(&t, slice_first(s, most));
    escape(to, words);
    if (s.len > most || t.cut)
        (void)fputs("...", to);
}

static void head(const struct snap *s, FILE *to)
{
    const struct snap_host *h = snap_host(s);
    char when[40];
    struct text t = TEXT_IN(when);

    text_time(&t, h->begun_us, 3);
    (void)fputs("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" "
                "content=\"default-src 'none'; style-src 'unsafe-inline'\"><title>x-ray of ",
                to);
    html_put(to, h->name, 100);
    (void)fputs("</title><style>body{font:14px sans-serif;margin:1.5em;color:#123}table{border-collapse:collapse;"
                "font-size:12px}td,th{border:1px solid #cdd;padding:2px 6px;text-align:left;vertical-align:top;"
                "max-width:40em;overflow-wrap:anywhere}pre{font-size:12px;line-height:1.35}summary{cursor:pointer;"
                "font-weight:bold;margin:.6em 0}.alarm{border-left:6px solid #c22;padding-left:.6em}.warn{border-left:"
                "6px solid #d90;padding-left:.6em}.note{border-left:6px solid #89a;padding-left:.6em}"
                "code{background:#eef;padding:1px 4px}</style></head><body>\n<h1>",
                to);
    html_put(to, h->name, 100);
    (void)fprintf(to, ", %s</h1>\n<p>", when);
    html_put(to, h->kernel, 100);
    (void)fprintf(to, ", %zu processes, %zu sockets; read by ", s->part[SNAP_PROCESS].count,
                  s->part[SNAP_SOCKET].count);
    html_put(to, h->back_end_why, 300);
    (void)fprintf(to,
                  ". It took %" PRId64 " ms; meanwhile %" PRIu64 " sockets appeared and %" PRIu64 " vanished, %" PRIu64
                  " processes appeared and %" PRIu64 " vanished.</p>\n",
                  (h->ended_us - h->begun_us) / 1000, h->sockets_appeared, h->sockets_vanished, h->processes_appeared,
                  h->processes_vanished);
}

static void findings(const struct findings *f, FILE *to)
{
    (void)fputs("<h2>What it shows</h2>\n", to);
    if (f->count == 0)
        (void)fputs("<p>Nothing is out of order.</p>\n", to);
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *at = &f->at[i];

        (void)fprintf(to, "<div class=\"%s\"><p><b>%s</b>",
                      at->grade == GRADE_ALARM  ? "alarm"
                      : at->grade == GRADE_WARN ? "warn"
                                                : "note",
                      at->likely ? "(likely) " : "");
        escape(to, at->text);
        (void)fprintf(to, " [%s]</p>", at->id);
        if (at->proofs > 0)
            (void)fputs("<ul>", to);
        for (unsigned p = 0; p < at->proofs; p++) {
            (void)fputs("<li>", to);
            escape(to, at->proof[p]);
        }
        if (at->proofs > 0)
            (void)fputs("</ul>", to);
        if (at->next[0]) {
            (void)fputs("<p><code>", to);
            escape(to, at->next);
            (void)fputs("</code></p>", to);
        }
        (void)fputs("</div>\n", to);
    }
}

/* --- the process tree */

struct tree {
    const struct snap_process *at;
    uint32_t *order; /* owned: by parent, then pid */
    bool *shown;     /* owned */
    size_t count, rows;
    FILE *to;
};

static int by_parent(const void *a, const void *b, void *own)
{
    const struct snap_process *all = own;
    const struct snap_process *x = &all[*(const uint32_t *)a];
    const struct snap_process *y = &all[*(const uint32_t *)b];

    if (x->parent != y->parent)
        return x->parent < y->parent ? -1 : 1;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static void line(struct tree *t, const struct snap_process *p, unsigned depth)
{
    (void)fprintf(t->to, "%*s%" PRId64 " ", (int)(2 * depth), "", p->pid);
    html_put(t->to, p->state, 4);
    (void)fputs(" ", t->to);
    html_put(t->to, program_of(p), 60);
    (void)fputs("  ", t->to);
    escape(t->to, words_args(p).text);
    (void)fputs("\n", t->to);
    t->rows++;
}

static void below(struct tree *t, int64_t parent, unsigned depth)
{
    size_t low = 0;
    size_t high = t->count;

    while (low < high) {
        size_t half = (low + high) / 2;

        if (t->at[t->order[half]].parent < parent)
            low = half + 1;
        else
            high = half;
    }
    for (; low < t->count && t->at[t->order[low]].parent == parent && t->rows < ROWS_MOST; low++) {
        uint32_t i = t->order[low];

        if (t->shown[i])
            continue;
        t->shown[i] = true;
        line(t, &t->at[i], depth);
        if (depth < TREE_DEPTH)
            below(t, t->at[i].pid, depth + 1);
    }
}

static void process_tree(const struct snap *s, FILE *to)
{
    struct tree t = { .at = s->part[SNAP_PROCESS].at, .count = s->part[SNAP_PROCESS].count, .to = to };

    t.order = calloc(t.count + 1, sizeof(*t.order));
    t.shown = calloc(t.count + 1, sizeof(*t.shown));
    if (t.order && t.shown && t.count > 0) {
        for (size_t i = 0; i < t.count; i++)
            t.order[i] = (uint32_t)i;
        qsort_r(t.order, t.count, sizeof(*t.order), by_parent, s->part[SNAP_PROCESS].at);
        (void)fputs("<details><summary>process tree</summary><pre>", to);
        below(&t, 0, 0);
        for (size_t i = 0; i < t.count && t.rows < ROWS_MOST; i++) /* whose parent is not in the picture */
            if (!t.shown[t.order[i]]) {
                t.shown[t.order[i]] = true;
                line(&t, &t.at[t.order[i]], 0);
                below(&t, t.at[t.order[i]].pid, 1);
            }
        if (t.rows >= ROWS_MOST)
            (void)fprintf(to, "only %d of %zu are shown\n", ROWS_MOST, t.count);
        (void)fputs("</pre></details>\n", to);
    }
    free(t.order);
    free(t.shown);
}

/* --- tables */

static void cell(const struct snap_field *f, const uint8_t *record, FILE *to)
{
    const void *at = record + f->offset;

    (void)fputs("<td>", to);
    if (snap_field_is_empty(f, record))
        return;
    if (f->type == SNAP_TYPE_TEXT)
        html_put(to, *(const struct slice *)at, CELL_MOST);
    else if (f->type == SNAP_TYPE_U64)
        (void)fprintf(to, "%" PRIu64, *(const uint64_t *)at);
    else if (f->type == SNAP_TYPE_I64)
        (void)fprintf(to, "%" PRId64, *(const int64_t *)at);
    else if (f->type == SNAP_TYPE_FLAG)
        (void)fputs("yes", to);
    else
        (void)fputs(addr_socket_text(*(const struct addr *)at).text, to);
}

static void table(const struct snap *s, enum snap_part part, FILE *to)
{
    const struct snap_kind *k = &snap_kinds[part];
    const uint8_t *all = s->part[part].at;
    size_t count = s->part[part].count;
    size_t rows = count < ROWS_MOST ? count : ROWS_MOST;
    bool wanted[64] = { false };

    if (count == 0)
        return;
    (void)fprintf(to, "<details><summary>%s: %zu</summary><table><tr>", k->name, count);
    for (size_t f = 0; k->fields[f].type != SNAP_TYPE_END && f < 64; f++) {
        for (size_t i = 0; i < rows && !wanted[f]; i++)
            wanted[f] = !snap_field_is_empty(&k->fields[f], all + i * k->size);
        if (wanted[f])
            (void)fprintf(to, "<th>%s", k->fields[f].name);
    }
    for (size_t i = 0; i < rows; i++) {
        (void)fputs("\n<tr>", to);
        for (size_t f = 0; k->fields[f].type != SNAP_TYPE_END && f < 64; f++)
            if (wanted[f])
                cell(&k->fields[f], all + i * k->size, to);
    }
    (void)fputs("</table>", to);
    if (rows < count)
        (void)fprintf(to, "<p>and %zu more: serviola xray show FILE %s</p>", count - rows, k->name);
    (void)fputs("</details>\n", to);
}

int html_page(const struct snap *s, const struct findings *f, FILE *to, struct err *e)
{
    struct graph *g = graph_new(s, e);

    if (!g)
        return -1;
    head(s, to);
    findings(f, to);
    (void)fputs("<h2>Who is connected to whom</h2>\n", to);
    if (graph_nodes(g) > 0)
        graph_svg(g, to);
    else
        (void)fputs("<p>Nobody.</p>\n", to);
    graph_free(g);
    (void)fputs("<h2>All of it</h2>\n", to);
    process_tree(s, to);
    for (size_t p = 0; p < SNAP_PARTS; p++)
        table(s, (enum snap_part)p, to);
    (void)fputs("</body></html>\n", to);
    return ferror(to) ? err_set(e, errno, "write") : 0;
}
