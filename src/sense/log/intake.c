/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/analyst.h"
#include "sense/log/classes.h"
#include "sense/log/forward.h"
#include "sense/log/inner.h"
#include "sense/log/live.h"
#include "sense/log/rulereader.h"
#include "sense/log/mailreader.h"
#include "sense/log/witness.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/text.h"
#include "journal/folder.h"
#include "sense/log/payload.h"
#include "sys/clock.h"
#include "sys/say.h"

enum { SOURCES_KNOWN = 16384, TELL_EVERY_US = 1000000 };

/* ---- what is told ---- */

void intake_tell(struct intake *in, enum event_kind kind, struct addr src, const char *name, const char *why,
                 uint64_t count)
{
    struct event ev = event_new(kind);

    ev.src = src;
    if (name && *name)
        event_add_words(&ev, F_NAME, name);
    if (why && *why)
        event_add_words(&ev, F_WHY, why);
    if (count > 0)
        event_add_number(&ev, F_COUNT, count);
    in->calls.event(in->calls.ctx, &ev);
}

void intake_lost(struct intake *in, const char *where, uint64_t count, const char *why)
{
    in->counts.lost += count;
    intake_tell(in, EV_LOG_LOST, (struct addr){ 0 }, where, why, count);
}

static struct addr address_of(const struct log_line *line)
{
    struct addr a = { 0 };
    struct slice rest;

    if (line->way == LOG_UDP || line->way == LOG_TCP || line->way == LOG_TLS || line->way == LOG_RELP)
        (void)addr_read_port(slice_until(line->peer, ',', &rest), &a);
    return addr_ip(a);
}

void intake_sample(struct intake *in, const struct log_line *line)
{
    struct log_line read = *line;
    struct claims_told told;
    char words[200];
    struct text t = TEXT_IN(words);

    log_line_read(&read);
    read.source = payload_source(read.way, read.peer);
    if (read.way == LOG_FILE || !claims_see(in->claims, &read, &told))
        return;
    if (told.name) {
        text_word(&t, "was ");
        text_ascii(&t, slice_text(told.host_before));
        intake_tell(in, EV_LOG_NAME_CHANGED, address_of(line), told.host, words, 0);
    }
    if (!told.clock)
        return;
    t = TEXT_IN(words);
    text_duration(&t, told.offset_us < 0 ? -told.offset_us : told.offset_us);
    text_word(&t, told.offset_us < 0 ? " behind ours, was " : " ahead of ours, was ");
    text_duration(&t, told.before_us < 0 ? -told.before_us : told.before_us);
    text_word(&t, told.before_us < 0 ? " behind" : " ahead");
    intake_tell(in, EV_LOG_CLOCK_CHANGED, address_of(line), told.clock_of, words, 0);
}

/* ---- who may send ---- */

bool intake_allows(const struct intake *in, struct addr from)
{
    const struct key_prefixes *senders = &in->settings.senders;

    for (uint32_t i = 0; i < senders->count; i++)
        if (prefix_has(senders->at[i], addr_ip(from)))
            return true;
    return senders->count == 0;
}

static void tell_strangers(void *ctx)
{
    struct intake *in = ctx;

    in->strangers.timer = 0;
    if (in->strangers.count == 0)
        return;
    intake_tell(in, EV_LOG_CLIENT_REFUSED, addr_ip(in->strangers.last), NULL,
                "it is not among the senders that the configuration names", in->strangers.count);
    in->strangers.count = 0;
    in->strangers.timer = loop_timer(in->loop, TELL_EVERY_US, 0, tell_strangers, in);
}

void intake_stranger(struct intake *in, struct addr from)
{
    in->strangers.count++;
    in->strangers.last = from;
    in->counts.refused++;
    if (in->strangers.timer == 0)
        tell_strangers(in);
}

/* ---- lines ---- */

static void cut(struct intake *in, struct log_line *line, uint8_t digest[32])
{
    crypto_hash_sha256(digest, line->raw.at, line->raw.len);
    line->whole_bytes = line->raw.len;
    line->raw = slice_first(line->raw, in->settings.line_bytes);
    in->counts.cut++;
}

uint64_t intake_line(struct intake *in, struct log_line *line, const uint8_t *digest)
{
    uint8_t made[32];
    bool too_long = line->raw.len > in->settings.line_bytes;
    uint64_t seq;

    if (in->holding)
        return 0;
    if (too_long)
        cut(in, line, made);
    live_arrives(in->live, line->at_us);
    seq = store_append(in->store, line, too_long ? made : digest);
    if (seq == 0)
        return 0;
    in->counts.lines++;
    in->counts.bytes += line->raw.len;
    return seq;
}

/* ---- holding everybody ---- */

bool intake_is_held(const struct intake *in)
{
    return in->holding;
}

int intake_watch(struct intake *in, struct source *s, struct err *e)
{
    if (loop_watch(in->loop, s->fd, LOOP_IN, s->ready, s->ctx, e) < 0)
        return -1;
    s->held = false;
    s->next = in->sources;
    in->sources = s;
    if (in->holding) {
        loop_unwatch(in->loop, s->fd);
        s->held = true;
    }
    return 0;
}

void intake_unwatch(struct intake *in, struct source *s)
{
    struct source **at = &in->sources;

    while (*at && *at != s)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = s->next;
    loop_unwatch(in->loop, s->fd);
}

static void hold(struct intake *in)
{
    in->holding = true;
    for (struct source *s = in->sources; s; s = s->next)
        if (!s->held) {
            loop_unwatch(in->loop, s->fd);
            s->held = true;
        }
}

static void on_room(void *ctx)
{
    struct intake *in = ctx;
    struct source *s = in->sources;
    struct err e;

    if (!in->holding)
        return;
    in->holding = false;
    for (; s; s = s->next)
        if (s->held && loop_watch(in->loop, s->fd, LOOP_IN, s->ready, s->ctx, &e) == 0)
            s->held = false;
    /* What a stream has in its own memory no descriptor reports. */
    if (in->streams)
        streams_resume(in->streams);
    if (in->follow)
        follow_resume(in->follow);
}

/* ---- the store ---- */

static void push(struct intake *in);

static void push_due(void *ctx)
{
    struct intake *in = ctx;

    in->push_timer = 0;
    push(in);
}

static void push(struct intake *in)
{
    int64_t in_us = store_push(in->store, clock_mono_us(), in->acks_wait);

    if (in_us > 0 && in->push_timer == 0)
        in->push_timer = loop_timer(in->loop, in_us, 0, push_due, in);
    if (!store_has_room(in->store) && !in->holding)
        hold(in);
}

static void before_sleep(void *ctx)
{
    push(ctx);
}

static void on_store(void *ctx, int fd, int events)
{
    struct intake *in = ctx;

    (void)fd;
    (void)events;
    store_turn(in->store);
}

static void on_synced(void *ctx, uint64_t seq)
{
    struct intake *in = ctx;

    in->acks_wait = false;
    if (in->streams)
        streams_synced(in->streams, seq);
    if (in->follow)
        follow_synced(in->follow, seq);
    if (in->kmsg)
        kmsg_synced(in->kmsg, seq);
    if (in->journald)
        journald_synced(in->journald, seq);
    if (in->forwards)
        forwards_synced(in->forwards, seq);
    if (in->live)
        live_synced(in->live, seq);
    if (in->origins && seq == store_last(in->store))
        origins_save(in->origins, seq, clock_mono_us());
}

static void on_failed(void *ctx, const struct err *why, bool full)
{
    struct intake *in = ctx;

    say("log store: %s", why->text);
    intake_tell(in, full ? EV_LOG_DISK_FULL : EV_LOG_DISK_FAILED, (struct addr){ 0 }, in->settings.folder, why->text,
                0);
}

static void on_back(void *ctx, int64_t span_us)
{
    struct intake *in = ctx;
    struct event ev = event_new(EV_LOG_DISK_BACK);

    event_add_words(&ev, F_NAME, in->settings.folder);
    event_add_number(&ev, F_SPAN, (uint64_t)span_us);
    in->calls.event(in->calls.ctx, &ev);
}

static void on_expired(void *ctx, const struct journal_expired *x)
{
    intake_tell(ctx, EV_LOG_EXPIRED, (struct addr){ 0 }, NULL, NULL, x->segments);
}

static void on_head(void *ctx, const struct seg_seal *s)
{
    struct intake *in = ctx;

    if (in->forwards)
        forwards_head(in->forwards, s);
}

static struct store_limits limits_of(const struct log_settings *s)
{
    struct store_limits l = store_default_limits();

    l.files.segment_bytes = s->segment_bytes;
    l.files.segment_age_us = s->segment_us;
    l.files.total_bytes = s->keep_bytes;
    l.files.age_us = s->keep_us;
    l.files.reserve_bytes = s->reserve_bytes;
    l.sync_us = s->sync_us;
    l.memory_bytes = s->memory_bytes;
    l.level = (int)s->level;
    l.head_us = s->head_us;
    l.again_us = s->again_us;
    l.columns = s->columns;
    return l;
}

/* What other serviolas forward to us: how far we have it, and the key that we sign their heads with. */
static int open_origins(struct intake *in, const char *folder, struct err *e)
{
    struct err why;

    in->origins = origins_open(folder, e);
    if (!in->origins)
        return -1;
    in->witness = witness_open(folder, &why);
    if (!in->witness)
        say("%s; no heads are cosigned", why.text);
    return 0;
}

static int open_store(struct intake *in, struct err *e)
{
    const struct store_calls calls = { .ctx = in,
                                       .synced = on_synced,
                                       .room = on_room,
                                       .failed = on_failed,
                                       .back = on_back,
                                       .head = on_head,
                                       .expired = on_expired };
    const struct store_limits l = limits_of(&in->settings);
    struct journal_opened found;

    in->store = store_open(in->settings.folder, &l, &calls, clock_wall_us(), &found, e);
    if (!in->store)
        return -1;
    if (found.torn_bytes > 0)
        intake_tell(in, EV_LOG_STORE_TORN, (struct addr){ 0 }, folder_name(found.torn_segment, "wal").text,
                    "the bytes are kept beside it as .torn", found.torn_bytes);
    return 0;
}

/* ---- all of it ---- */

static int make_receivers(struct intake *in, const struct papers *papers, struct err *e)
{
    in->datagrams = datagrams_new(in, e);
    if (!in->datagrams)
        return -1;
    in->streams = streams_new(in, papers, e);
    if (!in->streams)
        return -1;
    if (in->settings.kernel && !(in->kmsg = kmsg_new(in, e)))
        return -1;
    return in->settings.journald && !(in->journald = journald_new(in, e)) ? -1 : 0;
}

struct intake *intake_new(struct loop *loop, const struct log_settings *s, const struct papers *papers,
                          const struct intake_calls *calls, struct err *e)
{
    struct intake *in = calloc(1, sizeof(*in));
    uint64_t seed;

    if (!in || getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        err_set(e, errno, "log");
        free(in);
        return NULL;
    }
    in->loop = loop;
    in->settings = *s;
    in->calls = *calls;
    in->room = malloc(INTAKE_READ + STORE_LINE_MAX + 64);
    in->claims = claims_new(SOURCES_KNOWN, seed, e);
    if (!in->room)
        err_set(e, ENOMEM, "log");
    if (in->room && in->claims && make_receivers(in, papers, e) == 0)
        return in;
    intake_free(in, 0);
    return NULL;
}

/* Who reads the lines as they come. */
static int start_readers(struct intake *in, struct err *e)
{
    in->live = live_new(in, e);
    if (!in->live || (in->settings.mail && mailreader_add(in->live, e) < 0))
        return -1;
    if (in->settings.analyse.on && (analyst_add(in->live, &in->settings.analyse, e) < 0 ||
                                    !(in->rules = rulereader_add(in->live, &in->settings.analyse, e))))
        return -1;
    if (classes_add(in->live, &in->settings, e) < 0)
        return -1;
    return live_start(in->live, e);
}

void intake_reload(struct intake *in, const struct log_settings *s, const struct papers *papers)
{
    const struct store_limits limits = limits_of(s);
    struct err e;

    in->settings = *s;
    store_renew(in->store, &limits);
    if (in->rules)
        rulereader_renew(in->rules, &s->analyse);
    if (s->peers.count > 0 && !in->origins && open_origins(in, s->folder, &e) < 0) {
        say("%s; no other serviola is listened to", e.text);
        in->settings.peers.count = 0;
    }
    datagrams_renew(in->datagrams);
    streams_renew(in->streams, papers);
}

uint64_t intake_lacks(struct intake *in, const struct log_port *port)
{
    uint64_t wanted = port->way == LOG_UDP ? in->settings.udp_sockets : 1;
    uint64_t has;

    if (!log_port_is_named(&in->settings, port))
        return 0;
    has = port->way == LOG_UDP ? datagrams_sockets(in->datagrams, port) : streams_listens(in->streams, port);
    return wanted > has ? wanted - has : 0;
}

int intake_listen(struct intake *in, const struct log_port *port, int fd, struct err *e)
{
    int result = intake_lacks(in, port) == 0 ? err_set(e, 0, "it is not named any more")
               : port->way == LOG_UDP        ? datagrams_listen(in->datagrams, port, fd, e)
                                             : streams_listen(in->streams, port, fd, e);

    if (result < 0)
        (void)close(fd);
    return result;
}

int intake_start(struct intake *in, struct err *e)
{
    if (open_store(in, e) < 0 || store_start(in->store, e) < 0)
        return -1;
    in->follow = follow_new(in, e);
    in->forwards = in->follow ? forwards_new(in, e) : NULL;
    if (in->settings.peers.count > 0 && in->forwards && open_origins(in, in->settings.folder, e) < 0)
        return -1;
    if (!in->forwards || forwards_start(in->forwards, e) < 0 ||
        loop_watch(in->loop, store_fd(in->store), LOOP_IN, on_store, in, e) < 0 ||
        datagrams_start(in->datagrams, e) < 0 || streams_start(in->streams, e) < 0 ||
        (in->kmsg && kmsg_start(in->kmsg, e) < 0) || (in->journald && journald_start(in->journald, e) < 0) ||
        follow_start(in->follow, e) < 0 || start_readers(in, e) < 0)
        return -1;
    loop_before_sleep(in->loop, before_sleep, in);
    intake_tell(in, EV_LOG_STARTED, (struct addr){ 0 }, in->settings.folder, NULL, 0);
    return 0;
}

int intake_read(struct intake *in, int fd, enum log_way way, struct slice peer, struct err *e)
{
    return streams_read(in->streams, fd, way, peer, e);
}

void intake_free(struct intake *in, int64_t wait_us)
{
    if (!in)
        return;
    loop_untimer(in->loop, in->push_timer);
    loop_untimer(in->loop, in->strangers.timer);
    datagrams_free(in->datagrams);
    forwards_free(in->forwards);
    live_free(in->live);
    if (in->store) {
        loop_unwatch(in->loop, store_fd(in->store));
        store_close(in->store, wait_us);
    }
    streams_free(in->streams);
    follow_free(in->follow);
    journald_free(in->journald);
    kmsg_free(in->kmsg);
    origins_close(in->origins);
    witness_close(in->witness);
    claims_free(in->claims);
    free(in->room);
    free(in);
}

void intake_figures(const struct intake *in, struct link_lines *to)
{
    *to = (struct link_lines){ .received = in->counts.lines, .analysed = in->rules != NULL };
    if (!in->rules)
        return;
    to->unread = live_unread(in->live);
    rulereader_figures(in->rules, &to->rules, &to->unknown);
}

struct intake_counts intake_counts(const struct intake *in)
{
    return in->counts;
}

struct store *intake_store(struct intake *in)
{
    return in->store;
}
