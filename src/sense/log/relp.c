/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * RELP, the server's side, as rsyslog's librelp speaks it: TXNR SP COMMAND SP LENGTH [SP DATA] LF.  A message is
 * answered when it is on the disk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sys/clock.h"
#include "sense/log/lines.h"
#include "sense/log/payload.h"
#include "sense/log/stream.h"
#include "sense/log/witness.h"
#include "wire/relp.h"

enum { WAITING_MOST = 8192, SAY_ROOM = 64 << 10 };

struct relp {
    struct {
        uint64_t seq;
        uint32_t txnr;
    } waiting[WAITING_MOST]; /* a ring: what is not yet on the disk */
    uint32_t first, count;
    bool open;
    uint64_t closing; /* txnr of a close that waits for the rest; 0: none */
};

struct relp *relp_new(void)
{
    return calloc(1, sizeof(struct relp));
}

void relp_free(struct relp *r)
{
    free(r);
}

bool relp_waits(const struct relp *r)
{
    return r->count == WAITING_MOST;
}

static bool answer(struct stream *s, uint64_t txnr, const char *text)
{
    char line[512];
    int n = snprintf(line, sizeof(line), "%llu rsp %zu %s\n", (unsigned long long)txnr, strlen(text), text);

    return stream_say(s, line, (size_t)n);
}

/* When all is answered that came before; false: the other side takes nothing. */
static bool say_close(struct stream *s)
{
    static const char last[] = "0 serverclose 0\n";
    struct relp *r = s->relp;
    uint64_t txnr = r->closing;

    if (txnr == 0 || r->count > 0)
        return true;
    r->closing = 0;
    return answer(s, txnr, "200 OK") && stream_say(s, last, sizeof(last) - 1);
}

static void expect(struct relp *r, uint64_t txnr, uint64_t seq)
{
    uint32_t at = (r->first + r->count++) % WAITING_MOST;

    r->waiting[at].seq = seq;
    r->waiting[at].txnr = (uint32_t)txnr;
}

/* False: no room. */
static bool take_message(struct stream *s, const struct relp_frame *f, int64_t now_us)
{
    struct log_line line = {
        .raw = f->data, .peer = slice_of(s->peer, s->peer_len), .way = LOG_RELP, .at_us = now_us, .near_us = now_us
    };
    struct relp *r = s->relp;
    struct intake *in = s->in;
    uint64_t seq;

    if (r->count == WAITING_MOST)
        return false;
    while (line.raw.len > 0 && line.raw.at[line.raw.len - 1] == '\n')
        line.raw.len--;
    seq = intake_line(in, &line, NULL);
    if (seq == 0)
        return false;
    if (s->sampled_us != now_us) {
        s->sampled_us = now_us;
        intake_sample(in, &line);
    }
    expect(r, f->txnr, seq);
    in->acks_wait = true;
    return true;
}

/* A line of another store, with who sent it there behind the one who sent it here; false: no room. */
static bool take_foreign(struct stream *s, struct slice id, struct log_line *line, uint64_t origin_seq, int64_t now_us)
{
    char peer[PAYLOAD_PEER_MAX];
    struct text t = TEXT_IN(peer);

    text_add(&t, slice_of(s->peer, s->peer_len));
    text_word(&t, ",");
    text_add(&t, slice_first(id, ORIGIN_WORD));
    text_word(&t, ",");
    text_word(&t, log_way_name(line->way));
    text_word(&t, ",");
    text_add(&t, line->peer);
    line->peer = slice_of(peer, t.len);
    line->way = LOG_PEER;
    line->origin_seq = origin_seq;
    line->near_us = line->at_us; /* when it came there: what its stamp is compared with */
    line->at_us = now_us;
    return intake_line(s->in, line, NULL) > 0;
}

/* "ID FIRST COUNT\nPAYLOAD": what we have already is passed over. */
static bool take_lines(struct stream *s, const struct relp_frame *f, int64_t now_us, bool *bad)
{
    struct relp *r = s->relp;
    struct slice payload;
    struct slice head = slice_until(f->data, '\n', &payload);
    struct slice id = slice_until(head, ' ', &head);
    struct lines_walk w;
    struct log_line line;
    uint64_t *have;
    uint64_t first;

    if (r->count == WAITING_MOST)
        return false;
    have = s->in->origins && id.len == 64 ? origins_find(s->in->origins, slice_first(id, ORIGIN_WORD)) : NULL;
    *bad = !have || !slice_to_u64(slice_until(head, ' ', &head), &first);
    if (*bad)
        return true;
    w = lines_walk(payload, first);
    while (lines_next(&w, &line)) {
        if (line.seq <= *have)
            continue;
        if (!take_foreign(s, id, &line, line.seq, now_us))
            return false;
        *have = w.seq - 1;
    }
    expect(r, f->txnr, store_last(s->in->store));
    if (store_synced(s->in->store) == store_last(s->in->store)) /* all of it twice: no sync will follow */
        *bad = !relp_synced(s, store_synced(s->in->store));
    else
        s->in->acks_wait = true;
    return true;
}

static void tell_contradiction(const struct stream *s, const struct seg_seal *first, const struct witness_answer *a)
{
    char name[ORIGIN_WORD + 1];

    (void)sodium_bin2hex(name, sizeof(name), first->id, ORIGIN_WORD / 2);
    intake_tell(s->in, EV_LOG_HEAD_REFUSED, addr_ip(s->from), name, a->why, a->segment);
}

/* "SEALS": of segments whose heads we are to sign; answered with a word and what we sign (witness.h). */
static void take_heads(struct stream *s, const struct relp_frame *f, int64_t now_us, bool *bad)
{
    char room[64 + sizeof(((struct witness_answer *)NULL)->at)];
    const char *said;
    char id[65];
    struct witness_answer a;
    struct seg_seal first;
    enum witness_word word;
    const uint64_t *have;
    size_t len;

    *bad = f->data.len < sizeof(first);
    if (*bad)
        return;
    memcpy(&first, f->data.at, sizeof(first));
    (void)sodium_bin2hex(id, sizeof(id), first.id, sizeof(first.id));
    have = origins_find(s->in->origins, slice_of(id, ORIGIN_WORD));
    word = witness_judge(s->in->witness, f->data, have ? *have : 0, now_us, clock_mono_us(), &a);
    *bad = word == WITNESS_BAD;
    if (*bad)
        return;
    if (a.news)
        tell_contradiction(s, &first, &a);
    said = witness_word_text(word);
    len = (size_t)snprintf(room, sizeof(room), "%llu rsp %zu 200 %s\n", (unsigned long long)f->txnr,
                           strlen(said) + 5 + a.count * sizeof(a.at[0]), said);
    memcpy(room + len, a.at, a.count * sizeof(a.at[0]));
    len += a.count * sizeof(a.at[0]);
    room[len++] = '\n';
    *bad = !stream_say(s, room, len);
}

static bool take_frame(struct stream *s, const struct relp_frame *f, int64_t now_us, bool *bad)
{
    struct relp *r = s->relp;

    if (s->way == LOG_PEER && r->open && slice_eq(f->command, SLICE("lines")))
        return take_lines(s, f, now_us, bad);
    if (s->way == LOG_PEER && r->open && s->in->witness && slice_eq(f->command, SLICE("heads"))) {
        take_heads(s, f, now_us, bad);
        return true;
    }
    if (slice_eq(f->command, SLICE("syslog"))) {
        *bad = !r->open;
        return r->open && take_message(s, f, now_us);
    }
    if (slice_eq(f->command, SLICE("open"))) {
        r->open = true;
        *bad = !answer(s, f->txnr,
                       s->way == LOG_PEER && s->in->witness
                           ? "200 OK\nrelp_version=0\nrelp_software=serviola\ncommands=lines,heads"
                       : s->way == LOG_PEER ? "200 OK\nrelp_version=0\nrelp_software=serviola\ncommands=lines"
                                            : "200 OK\nrelp_version=0\nrelp_software=serviola\ncommands=syslog");
    } else if (slice_eq(f->command, SLICE("close"))) {
        r->open = false;
        r->closing = f->txnr;
        *bad = !say_close(s);
    } else
        *bad = !answer(s, f->txnr, "500 this command is not known");
    return true;
}

size_t relp_feed(struct stream *s, struct slice bytes, int64_t now_us, bool *bad)
{
    struct slice all = bytes;
    struct relp_frame f;

    while (bytes.len > 0 && !*bad) {
        enum relp_got got = relp_frame_read(bytes, STORE_LINE_MAX, &f);

        if (got != RELP_WHOLE) {
            *bad = got == RELP_BAD;
            break;
        }
        if (!take_frame(s, &f, now_us, bad))
            break;
        bytes = slice_skip(bytes, f.used);
    }
    return all.len - bytes.len;
}

bool relp_synced(struct stream *s, uint64_t seq)
{
    struct relp *r = s->relp;
    char room[SAY_ROOM];
    size_t len = 0;

    while (r->count > 0 && r->waiting[r->first].seq <= seq) {
        len += (size_t)snprintf(room + len, sizeof(room) - len, "%u rsp 6 200 OK\n", r->waiting[r->first].txnr);
        r->first = (r->first + 1) % WAITING_MOST;
        r->count--;
        if (len > sizeof(room) - 64) {
            if (!stream_say(s, room, len))
                return false;
            len = 0;
        }
    }
    if (r->count > 0)
        s->in->acks_wait = true;
    return (len == 0 || stream_say(s, room, len)) && say_close(s);
}
