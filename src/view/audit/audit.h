/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * audit - what of a host can be reached, beside what should be; what stands in it; and what its twin has otherwise.
 *
 * Pure: a picture, the declared services, what another host saw, and the
 * twin's picture in; a table and findings out.  Their ids are not among those
 * of serviola xray: a picture that is taken in need says nothing of them.
 */
#ifndef SERVIOLA_VIEW_AUDIT_AUDIT_H
#define SERVIOLA_VIEW_AUDIT_AUDIT_H
#include "view/audit/settings.h"
#include "view/explain/explain.h"
#include "wire/seen.h"

enum { AUDIT_ROWS = 1024 };

enum audit_inside { AUDIT_NOBODY, AUDIT_LOOPBACK, AUDIT_REACHABLE };

struct audit_row { /* a port */
    bool udp, is_declared;
    uint16_t port;
    enum audit_inside inside;
    enum seen_state outside;
    char program[120];   /* "-": nobody listens */
    char addresses[160]; /* where it listens; "" when nobody does */
    char package[80];    /* to which its executable belongs; "": not known */
    char declared[160];  /* "anybody", "10.0.0.0/8"; "" when it is not declared */
    const char *verdict; /* the id of what was found, or "fine", "inner": only reached from the host itself */
};

struct audit {
    struct audit_row row[AUDIT_ROWS];
    size_t rows, rows_more;
    bool has_outside; /* another host looked, at an address that is told */
    struct findings found;
};

struct audit_wish {
    const struct snap *snap;
    const struct audit_settings *declared;
    const struct seen *outside; /* NULL: nobody looked */
    const struct snap *twin;    /* NULL: no comparison */
};

/* The caller frees it with free(); the table in the order of ports, findings the gravest first. */
struct audit *audit_new(const struct audit_wish *wish, struct err *e);
extern const struct finding_kind audit_kinds[]; /* what an audit can find, as finding_kinds */
void audit_print(const struct audit *a, FILE *to, bool colour);
void audit_json(const struct audit *a, FILE *to); /* one line each: rows have "port", findings "finding" */
bool audit_is_grave(const struct audit *a);       /* more than notes */
#endif
