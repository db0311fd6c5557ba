/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole of it, and how it is shown. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "view/audit/inner.h"
#include "view/paint.h"

const struct finding_kind audit_kinds[] = {
    { "undeclared_open", N_("others reach a port that nothing declares") },
    { "undeclared", N_("a program listens to others, and nothing declares it; nobody looked from outside") },
    { "bind_to_loopback", N_("a program listens to others, nothing declares it, and nobody outside reaches it") },
    { "open_without_listener", N_("a port is open from outside, and nobody listens here") },
    { "open_to_others", N_("a port is declared for some networks, and open to others") },
    { "declared_unreached", N_("a port is declared, and nobody outside reaches it") },
    { "declared_missing", N_("a port is declared, and nobody listens") },
    { "looked_at_others", N_("what was seen from outside is of another host") },
    { "single_partition", N_("/tmp, /home or /var lie on the file system of /") },
    { "old_kernel", N_("a newer kernel is installed than runs") },
    { "drift_package", N_("the twin has other packages, or other versions") },
    { "drift_listener", N_("the twin has other programs that listen") },
    { "drift_mount", N_("the twin has other file systems mounted") },
    { "drift_kernel", N_("the twin runs another kernel") },
    { "drift_unknown", N_("a picture has no list of packages: they are not compared") },
    { NULL, NULL },
};

static int gravest_first(const void *a, const void *b)
{
    const struct finding *x = a;
    const struct finding *y = b;

    return x->grade != y->grade ? (x->grade > y->grade ? -1 : 1) : 0;
}

/* Keeps the order of those that are as grave: they are few, and large. */
static void sort(struct findings *f)
{
    for (size_t i = 1; i < f->count; i++)
        for (size_t n = i; n > 0 && gravest_first(&f->at[n - 1], &f->at[n]) > 0; n--) {
            struct finding moved = f->at[n];

            f->at[n] = f->at[n - 1];
            f->at[n - 1] = moved;
        }
}

struct audit *audit_new(const struct audit_wish *wish, struct err *e)
{
    struct audit *a = calloc(1, sizeof(*a));
    struct join *j = join_new(wish->snap, e);
    struct explain x = { .s = wish->snap, .j = j, .to = a ? &a->found : NULL };

    if (!a || !j) {
        err_set(e, ENOMEM, "an audit");
        goto failed;
    }
    audit_ports(&x, wish, a);
    audit_house(&x);
    if (wish->twin && audit_drift(&x, wish->twin, e) < 0)
        goto failed;
    sort(&a->found);
    join_free(j);
    return a;
failed:
    join_free(j);
    free(a);
    return NULL;
}

bool audit_is_grave(const struct audit *a)
{
    return a->found.count > 0 && a->found.at[0].grade > GRADE_NOTE;
}

static const char *outside_word(const struct audit *a, const struct audit_row *row)
{
    if (!a->has_outside || row->outside == SEEN_NOT_TRIED)
        return N_("not looked");
    return row->outside == SEEN_OPEN ? N_("open") : N_("shut");
}

static void print_table(const struct audit *a, FILE *to)
{
    (void)fprintf(to, "%-10s %-40s %-18s %-11s %s\n", _("PORT"), _("INSIDE"), _("DECLARED"), _("OUTSIDE"), _("RESULT"));
    for (size_t i = 0; i < a->rows; i++) {
        const struct audit_row *row = &a->row[i];
        char port[16];
        char inside[sizeof(row->program) + sizeof(row->addresses) + 3];

        (void)snprintf(port, sizeof(port), "%u/%s", row->port, row->udp ? "udp" : "tcp");
        (void)snprintf(inside, sizeof(inside), row->addresses[0] ? "%s, %s" : "%s", row->program, row->addresses);
        (void)fprintf(to, "%-10s %-40s %-18s %-11s %s\n", port, inside, row->is_declared ? row->declared : _("no"),
                      _(outside_word(a, row)), row->verdict);
    }
}

void audit_print(const struct audit *a, FILE *to, bool colour)
{
    if (a->rows > 0)
        print_table(a, to);
    else
        (void)fprintf(to, "%s\n", _("Nobody listens, and nothing is declared."));
    if (a->rows_more > 0)
        (void)fprintf(to, _("and %zu more ports\n"), a->rows_more);
    (void)fputs("\n", to);
    findings_print(&a->found, to, colour);
    if (!audit_is_grave(a))
        (void)fprintf(to, "%s\n",
                      a->found.count > 0 ? _("Nothing else is out of order.") : _("Nothing is out of order."));
}

static void json_field(struct text *t, const char *name, const char *value)
{
    text_addf(t, ",\"%s\":\"", name);
    text_json(t, slice_text(value));
    text_word(t, "\"");
}

void audit_json(const struct audit *a, FILE *to)
{
    static const char *const inside[] = { "nobody", "loopback", "reachable" };
    static const char *const outside[] = { "unknown", "shut", "open" };

    for (size_t i = 0; i < a->rows; i++) {
        const struct audit_row *row = &a->row[i];
        char line[6 * sizeof(*row)];
        struct text t = TEXT_IN(line);

        text_addf(&t, "{\"port\":%u,\"protocol\":\"%s\"", row->port, row->udp ? "udp" : "tcp");
        json_field(&t, "inside", inside[row->inside]);
        json_field(&t, "program", row->inside == AUDIT_NOBODY ? "" : row->program);
        json_field(&t, "addresses", row->addresses);
        json_field(&t, "package", row->package);
        json_field(&t, "declared", row->declared);
        json_field(&t, "outside", outside[row->outside]);
        json_field(&t, "verdict", row->verdict);
        (void)fprintf(to, "%s}\n", line);
    }
    findings_json(&a->found, to);
}
