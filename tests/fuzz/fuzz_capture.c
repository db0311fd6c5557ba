/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A capture file of any bytes goes through reader and engine: caps hold, events are sound, rows lie in what was
 * captured. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sense/hunt/engine.h"
#include "wire/pcap.h"

static void on_event(void *ctx, struct event *ev, uint64_t flow)
{
    (void)ctx;
    (void)flow;
    assert(event_is_sound(ev));
}

static void on_mail(void *ctx, const struct mail_row *row)
{
    volatile uint8_t last = 0;

    (void)ctx;
    assert(row->verb < MAIL_VERBS && row->text.len <= 8192 && row->user.len <= 1024);
    for (size_t i = 0; i < row->text.len; i++)
        last = row->text.at[i];
    (void)last;
}

static void on_packet(void *ctx, const struct engine_packet *p)
{
    (void)ctx;
    assert(p->secret_at + p->secret_len <= p->frame->bytes.len);
}

static const struct hunt_settings *settings(void)
{
    static struct hunt_settings s = { .limits = { true, 60000000, 2, 2, 2, 2, 2, 2, 1000 },
                                      .ports = { .count = 4, .at = { 25, 465, 587, 2525 } },
                                      .flows = 64,
                                      .sources = 64,
                                      .half_open = 64,
                                      .reorder_bytes = 4096,
                                      .reorder_total = 65536,
                                      .fragments_bytes = 65536,
                                      .line_bytes = 512,
                                      .idle_us = 600000000,
                                      .half_open_us = 10000000,
                                      .closed_us = 5000000 };

    return &s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct engine_calls calls = { NULL, on_event, on_mail, on_packet };
    struct engine *g = engine_new(settings(), 1, &calls, NULL);
    struct pcap_reader *r = malloc(sizeof(*r));
    struct slice in = slice_of(data, size);
    struct engine_counts c;

    if (!g || !r)
        abort();
    pcap_init(r);
    for (;;) {
        struct pcap_frame p;
        size_t used;
        enum pcap_got got = pcap_next(r, in, &used, &p);

        if (got == PCAP_MORE || got == PCAP_BAD)
            break;
        assert(used <= in.len);
        in = slice_skip(in, used);
        if (got == PCAP_FRAME) {
            struct engine_frame f = { .link = (enum link_type)p.link,
                                      .bytes = p.bytes,
                                      .wire_len = p.wire_len,
                                      .at_us = p.at_us,
                                      .sum = SUM_GOOD };

            assert(p.bytes.at >= data && p.bytes.at + p.bytes.len <= data + size);
            (void)engine_frame(g, &f);
        }
    }
    engine_tick(g, INT64_MAX / 2);
    engine_count(g, &c);
    assert(c.flows_now == 0 && c.reorder_now == 0);
    engine_free(g);
    free(r);
    return 0;
}
