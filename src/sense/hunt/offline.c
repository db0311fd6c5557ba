/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/hunt/offline.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "wire/link.h"
#include "wire/pcap.h"

enum {
    READ_BYTES = 256 << 10,                          /* at a time: stays in the processor's cache */
    BUFFER_BYTES = PCAP_RECORD_MAX + 64 + READ_BYTES /* a record is never larger than this less READ_BYTES */
};
enum { TICK_FRAMES = 4096, STEP_US = 10000000, SEED = 0x5e4710a };

struct reader {
    const struct offline_options *o;
    struct offline_result *r;
    struct engine *engine;
    struct pcap_reader pcap;
    int fd;
    size_t from, to; /* bytes in buffer that are not read yet */
    bool ended;
    int64_t now_us; /* goes on with the frames, but not by leaps: one wrong time stamp ends no flow */
    uint64_t frames;
    uint8_t buffer[BUFFER_BYTES];
};

static void print_visible(FILE *to, struct slice s)
{
    while (s.len > 0) {
        char part[1024];
        struct text t = TEXT_IN(part);

        text_ascii(&t, slice_first(s, 200));
        (void)fwrite(part, 1, t.len, to);
        s = slice_skip(s, 200);
    }
}

static void print_mail(const struct reader *x, const struct mail_row *row)
{
    static const char *const names[MAIL_VERBS] = { "MAIL", "RCPT", "SNI", "AUTH" };
    struct addr_words client = addr_ip_text(row->client);
    struct addr_words server = addr_ip_text(row->server);

    fprintf(x->o->mails, "%s\t%u\t%s\t%u\t%s\t", client.text, row->client.port, server.text, row->server.port,
            names[row->verb]);
    print_visible(x->o->mails, row->text);
    (void)fputc('\n', x->o->mails);
}

static void on_mail(void *ctx, const struct mail_row *row)
{
    const struct reader *x = ctx;
    struct engine_source s;

    if (x->o->mails)
        print_mail(x, row);
    if (x->o->learn && engine_source(x->engine, addr_ip(row->client), &s))
        learn_mail(x->o->learn, row, &s);
}

static void on_event(void *ctx, struct event *ev, uint64_t flow)
{
    struct reader *x = ctx;

    (void)flow;
    x->r->events++;
    x->r->findings += ev->grade >= GRADE_WARN && ev->src.family != 0;
    if (x->o->event)
        x->o->event(x->o->ctx, ev);
}

static void pass_time(struct reader *x, int64_t at_us)
{
    if (x->frames++ == 0)
        x->now_us = at_us;
    else if (at_us > x->now_us)
        x->now_us = at_us - x->now_us > STEP_US ? x->now_us + STEP_US : at_us;
    if (x->frames % TICK_FRAMES == 0)
        engine_tick(x->engine, x->now_us);
}

static void on_frame(struct reader *x, const struct pcap_frame *p)
{
    struct engine_frame f = {
        .link = (enum link_type)p->link, .bytes = p->bytes, .wire_len = p->wire_len, .at_us = p->at_us
    };

    if (!link_known(p->link)) {
        if (x->r->unread++ == 0)
            x->r->unread_link = p->link;
        return;
    }
    pass_time(x, p->at_us);
    (void)engine_frame(x->engine, &f);
}

static int fill(struct reader *x, struct err *e)
{
    ssize_t n;

    if (x->from > 0) {
        memmove(x->buffer, x->buffer + x->from, x->to - x->from);
        x->to -= x->from;
        x->from = 0;
    }
    do
        n = read(x->fd, x->buffer + x->to,
                 READ_BYTES < sizeof(x->buffer) - x->to ? READ_BYTES : sizeof(x->buffer) - x->to);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(e, errno, "read");
    x->ended = n == 0;
    x->to += (size_t)n;
    return 0;
}

static enum offline_end broken(struct reader *x, const char *why, struct err *e)
{
    uint64_t offset = x->pcap.offset;

    if (x->pcap.format == PCAP_UNKNOWN) {
        (void)err_set(e, 0, "%s", why);
        return OFFLINE_NO_CAPTURE;
    }
    (void)err_set(e, 0, "%s at byte %" PRIu64 "; read up to there, %" PRIu64 " packets", why, offset,
                  x->r->counts.frames);
    return OFFLINE_CUT;
}

static enum offline_end read_all(struct reader *x, struct err *e)
{
    for (;;) {
        struct pcap_frame frame;
        size_t used;
        enum pcap_got got = pcap_next(&x->pcap, slice_of(x->buffer + x->from, x->to - x->from), &used, &frame);

        x->from += used;
        switch (got) {
        case PCAP_FRAME:
            on_frame(x, &frame);
            break;
        case PCAP_NOTHING:
            break;
        case PCAP_BAD:
            engine_count(x->engine, &x->r->counts);
            return broken(x, x->pcap.fault, e);
        case PCAP_MORE:
            if (!x->ended) {
                if (fill(x, e) < 0)
                    return OFFLINE_FAILED;
                break;
            }
            engine_count(x->engine, &x->r->counts);
            if (x->from == x->to && x->pcap.skip == 0 && x->pcap.offset > 0)
                return OFFLINE_WHOLE;
            return broken(
                x, x->pcap.format == PCAP_UNKNOWN ? "not a capture file: too short" : "the capture is cut off", e);
        }
    }
}

static int open_input(const char *file, struct err *e)
{
    int fd;

    if (strcmp(file, "-") == 0)
        return STDIN_FILENO;
    fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, errno, "open");
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return fd;
}

enum offline_end hunt_offline(const struct offline_options *o, struct offline_result *r, struct err *e)
{
    struct reader *x = malloc(sizeof(*x));
    struct engine_calls calls = { .ctx = x, .event = on_event, .mail = o->mails || o->learn ? on_mail : NULL };
    enum offline_end end = OFFLINE_FAILED;

    *r = (struct offline_result){ 0 };
    if (!x) {
        (void)err_set(e, ENOMEM, "capture buffer");
        return OFFLINE_FAILED;
    }
    x->o = o;
    x->r = r;
    x->from = x->to = 0;
    x->ended = false;
    x->now_us = 0;
    x->frames = 0;
    pcap_init(&x->pcap);
    x->fd = open_input(o->file, e);
    if (x->fd < 0)
        goto out;
    x->engine = engine_new(o->settings, SEED, &calls, e);
    if (!x->engine)
        goto out_fd;
    end = read_all(x, e);
    if (o->learn)
        learn_sources(o->learn, x->engine);
    engine_tick(x->engine, INT64_MAX / 2); /* the end of all flows */
    engine_count(x->engine, &r->counts);
    r->offset = x->pcap.offset;
    engine_free(x->engine);
out_fd:
    if (x->fd != STDIN_FILENO)
        close(x->fd);
out:
    free(x);
    if (end != OFFLINE_WHOLE)
        (void)err_wrap(e, "%s", strcmp(o->file, "-") == 0 ? "standard input" : o->file);
    return end;
}
