/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "journal/crc32c.h"
#include "sense/watch/reel.h"
#include "sense/watch/reel_marks.h"

struct reel_reader {
    ZSTD_DCtx *zstd;
    struct reel_picture now;
    long hz;
    uint64_t step_from_ticks; /* when the picture before was taken, since boot; 0: there is none */
    uint8_t *told;            /* of a key: the places of processes that it names */
    uint8_t *raw;
    struct slice rest; /* of it */
    bool bad;
};

struct reel_reader *reel_reader_new(struct err *e)
{
    struct reel_reader *r = calloc(1, sizeof(*r));

    if (r) {
        r->hz = sysconf(_SC_CLK_TCK) > 0 ? sysconf(_SC_CLK_TCK) : 100;
        r->zstd = ZSTD_createDCtx();
        r->now.processes = calloc(REEL_PROCESSES, sizeof(*r->now.processes));
        r->now.sockets = calloc(REEL_SOCKETS, sizeof(*r->now.sockets));
        r->now.listeners = calloc(REEL_LISTENERS, sizeof(*r->now.listeners));
        r->told = calloc(REEL_PROCESSES, 1);
        r->raw = malloc(REEL_RAW);
    }
    if (r && r->zstd && r->now.processes && r->now.sockets && r->now.listeners && r->told && r->raw)
        return r;
    reel_reader_free(r);
    err_set(e, ENOMEM, "the recorder's past");
    return NULL;
}

void reel_reader_free(struct reel_reader *r)
{
    if (!r)
        return;
    (void)ZSTD_freeDCtx(r->zstd);
    free(r->now.processes);
    free(r->now.sockets);
    free(r->now.listeners);
    free(r->told);
    free(r->raw);
    free(r);
}

const struct reel_picture *reel_picture(const struct reel_reader *r)
{
    return &r->now;
}

/* ---- bytes ---- */

static void get_bytes(struct reel_reader *r, void *at, size_t n)
{
    memset(at, 0, n);
    if (r->rest.len < n) {
        r->bad = true;
        r->rest.len = 0;
        return;
    }
    memcpy(at, r->rest.at, n);
    r->rest = slice_skip(r->rest, n);
}

static uint64_t get_number(struct reel_reader *r)
{
    uint64_t n = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte;

        get_bytes(r, &byte, 1);
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return r->bad ? 0 : n;
    }
    r->bad = true;
    return 0;
}

static uint64_t get_difference(struct reel_reader *r, uint64_t before)
{
    uint64_t n = get_number(r);

    return before + (n >> 1 ^ (~(n & 1) + 1));
}

/* The next place below `most`; false at the end, or when it is none. */
static bool get_place(struct reel_reader *r, uint32_t *place, uint32_t most)
{
    uint64_t step = get_number(r);

    if (step == 0 || r->bad)
        return false;
    if (step - 1 >= most || *place + step - 1 >= most) {
        r->bad = true;
        return false;
    }
    *place += (uint32_t)(step - 1);
    return true;
}

static struct addr get_addr(struct reel_reader *r)
{
    struct addr a = { 0 };
    uint64_t port;

    get_bytes(r, &a.family, 1);
    port = get_number(r);
    if ((a.family != 0 && a.family != 4 && a.family != 6) || port > UINT16_MAX)
        r->bad = true;
    a.port = (uint16_t)port;
    get_bytes(r, a.ip, a.family == 4 ? 4 : 16);
    return a;
}

/* ---- values ---- */

static void get_name(struct reel_reader *r, uint32_t expected)
{
    char name[VALUE_NAME] = { 0 };
    uint64_t len = get_number(r);

    if (len == 0 || len >= VALUE_NAME) {
        r->bad = true;
        return;
    }
    get_bytes(r, name, len);
    if (!values_set(&r->now.values, name, (double)NAN) || r->now.values.count != expected + 1)
        r->bad = true; /* a name that is there already, or a table that is full */
}

static void get_values(struct reel_reader *r)
{
    uint64_t names = get_number(r);
    uint32_t place = 0;

    for (uint64_t i = 0; i < names && !r->bad; i++)
        get_name(r, r->now.values.count);
    while (!r->bad && get_place(r, &place, r->now.values.count)) {
        struct value *v = &r->now.values.at[place];

        get_bytes(r, &v->number, sizeof(v->number));
        v->was_known = v->was_known || !isnan(v->number);
    }
}

/* ---- processes ---- */

/* CPU time since the picture before; all of it, when the process began since then. */
static uint64_t step_of(const struct reel_reader *r, const struct fact_process *before, const struct fact_process *now,
                        bool is_new)
{
    bool same = before->state && before->pid == now->pid && before->start_ticks == now->start_ticks;
    uint64_t from = same ? before->cpu_ticks : 0;

    if (now->state == 0 || now->cpu_ticks < from)
        return 0;
    if (same || (is_new && r->step_from_ticks > 0 && now->start_ticks >= r->step_from_ticks))
        return now->cpu_ticks - from;
    return 0;
}

static void get_process(struct reel_reader *r, uint32_t place)
{
    struct reel_process *p = &r->now.processes[place];
    struct fact_process now = p->is;
    uint8_t marks;

    get_bytes(r, &marks, 1);
    if (marks & MARK_NEW) {
        memset(&now, 0, sizeof(now));
        now.pid = (int32_t)(get_number(r) & INT32_MAX);
        now.start_ticks = get_number(r);
        now.kernel = get_number(r) != 0;
    }
    if (marks & (MARK_NEW | MARK_STATE))
        get_bytes(r, &now.state, 1);
    if (marks & (MARK_NEW | MARK_CPU))
        now.cpu_ticks = get_difference(r, now.cpu_ticks);
    if (marks & (MARK_NEW | MARK_RSS))
        now.rss_pages = get_difference(r, now.rss_pages);
    if (marks & (MARK_NEW | MARK_COMM)) {
        uint64_t len = get_number(r);

        r->bad = r->bad || len > FACT_COMM;
        memset(now.comm, 0, sizeof(now.comm));
        get_bytes(r, now.comm, len <= FACT_COMM ? len : 0);
    }
    if (marks & (MARK_NEW | MARK_KIN)) {
        now.parent = (int32_t)(get_number(r) & INT32_MAX);
        now.threads = (uint32_t)get_number(r);
    }
    if (marks & MARK_GONE)
        memset(&now, 0, sizeof(now));
    p->step_ticks = step_of(r, &p->is, &now, marks & MARK_NEW);
    p->is = now;
    r->told[place] = 1;
}

static void get_processes(struct reel_reader *r, bool key)
{
    uint32_t place = 0;

    for (uint32_t i = 0; i < r->now.processes_room; i++)
        r->now.processes[i].step_ticks = 0;
    while (!r->bad && get_place(r, &place, REEL_PROCESSES)) {
        get_process(r, place);
        if (place >= r->now.processes_room)
            r->now.processes_room = place + 1;
    }
    for (uint32_t i = 0; i < r->now.processes_room; i++) {
        if (key && !r->told[i])
            memset(&r->now.processes[i], 0, sizeof(r->now.processes[i]));
        r->told[i] = 0;
    }
}

/* ---- sockets ---- */

static void get_socket(struct reel_reader *r, struct fact_socket *s)
{
    uint8_t marks;

    get_bytes(r, &marks, 1);
    if (marks & MARK_NEW) {
        memset(s, 0, sizeof(*s));
        s->local = get_addr(r);
        s->remote = get_addr(r);
        s->uid = (uint32_t)get_number(r);
        s->inode = get_number(r);
    }
    if (marks & (MARK_NEW | MARK_STATE))
        get_bytes(r, &s->state, 1);
    if (marks & MARK_GONE)
        memset(s, 0, sizeof(*s));
}

static void get_sockets(struct reel_reader *r, bool key)
{
    uint32_t place = 0;

    if (key) {
        memset(r->now.sockets, 0, r->now.sockets_room * sizeof(*r->now.sockets));
        r->now.sockets_room = 0;
    }
    while (!r->bad && get_place(r, &place, REEL_SOCKETS)) {
        get_socket(r, &r->now.sockets[place]);
        if (place >= r->now.sockets_room)
            r->now.sockets_room = place + 1;
    }
}

static void get_listeners(struct reel_reader *r)
{
    uint8_t changed;
    uint64_t count;

    get_bytes(r, &changed, 1);
    if (!changed)
        return;
    count = get_number(r);
    if (count > REEL_LISTENERS)
        r->bad = true;
    r->now.listeners_count = 0;
    for (uint64_t i = 0; i < count && !r->bad; i++) {
        struct fact_listener *l = &r->now.listeners[r->now.listeners_count++];

        l->local = get_addr(r);
        l->waiting = (uint32_t)get_number(r);
        l->most = (uint32_t)get_number(r);
        l->uid = (uint32_t)get_number(r);
        l->inode = get_number(r);
    }
}

/* ---- a frame ---- */

bool reel_peek(struct slice rest, struct reel_head *h)
{
    if (rest.len < sizeof(*h))
        return false;
    memcpy(h, rest.at, sizeof(*h));
    return h->magic == REEL_MAGIC && h->raw <= REEL_RAW && h->len <= ZSTD_COMPRESSBOUND(REEL_RAW) &&
           reel_size(h) <= rest.len;
}

size_t reel_size(const struct reel_head *h)
{
    return (sizeof(*h) + h->len + 7) & ~(size_t)7;
}

static bool unpack(struct reel_reader *r, struct slice rest, const struct reel_head *h)
{
    const uint8_t *packed = rest.at + sizeof(*h);
    size_t n;

    if (crc32c(0, packed, h->len) != h->crc)
        return false;
    n = ZSTD_decompressDCtx(r->zstd, r->raw, REEL_RAW, packed, h->len);
    r->rest = slice_of(r->raw, n);
    return !ZSTD_isError(n) && n == h->raw;
}

int reel_read(struct reel_reader *r, struct slice *rest, struct err *e)
{
    struct reel_head h;

    if (rest->len == 0)
        return 0;
    if (!reel_peek(*rest, &h) || !unpack(r, *rest, &h))
        return err_set(e, 0, "a picture of the recorder is damaged");
    *rest = slice_skip(*rest, reel_size(&h));
    if (!h.key && !r->now.whole)
        return 1; /* what changed, but since what? */
    r->bad = false;
    if (h.key)
        values_forget(&r->now.values);
    r->step_from_ticks = r->now.mono_us > 0 ? (uint64_t)r->now.mono_us / (uint64_t)(1000000 / r->hz) : 0;
    get_values(r);
    get_processes(r, h.key);
    get_sockets(r, h.key);
    get_listeners(r);
    r->now.whole = !r->bad;
    if (r->bad)
        return err_set(e, 0, "a picture of the recorder makes no sense");
    r->now.step_us = r->now.mono_us && h.mono_us > r->now.mono_us ? h.mono_us - r->now.mono_us : 0;
    r->now.at_us = h.at_us;
    r->now.mono_us = h.mono_us;
    return 1;
}
