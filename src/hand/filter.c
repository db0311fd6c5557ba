/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/filter.h"

#include <assert.h>
#include <string.h>

#include <linux/if_arp.h>

enum { PORTS = 16, TAGS = 2, EXTENSIONS = 4 };
enum { ETH = 14, TAG = 4, TYPE_AT = 12, PPPOE = 6, PPP = 2 };
enum { TYPE_IP4 = 0x0800, TYPE_IP6 = 0x86dd, TYPE_PPPOE = 0x8864, PPP_IP4 = 0x0021, PPP_IP6 = 0x0057 };
enum { NEXT_HOP = 0, NEXT_TCP = 6, NEXT_ROUTING = 43, NEXT_FRAGMENT = 44, NEXT_AH = 51, NEXT_OPTIONS = 60 };

/* Where a jump may lead; a place is known once it was reached. */
enum place { PASS, DROP, TYPED, IP4, IP6, PORTS_AT_X, ROUND_0, ROUND_END = ROUND_0 + EXTENSIONS, PLACES };

struct writer {
    struct sock_filter *at; /* FILTER_STEPS of them */
    size_t len;
    size_t where[PLACES]; /* index of the step + 1; 0: not yet */
};

static void step(struct writer *w, unsigned code, uint32_t k)
{
    assert(w->len < FILTER_STEPS);
    w->at[w->len++] = (struct sock_filter){ .code = (uint16_t)code, .k = k };
}

static void here(struct writer *w, enum place p)
{
    w->where[p] = w->len + 1;
}

/* Conditional jumps reach 255 steps: each only skips the far one behind it.  `to` is resolved in the end. */
static void jump(struct writer *w, enum place to)
{
    step(w, BPF_JMP | BPF_JA, to);
}

static void jump_if(struct writer *w, uint32_t equals, enum place to)
{
    step(w, BPF_JMP | BPF_JEQ | BPF_K, equals);
    w->at[w->len - 1].jf = 1;
    jump(w, to);
}

static void jump_unless(struct writer *w, uint32_t equals, enum place to)
{
    step(w, BPF_JMP | BPF_JEQ | BPF_K, equals);
    w->at[w->len - 1].jt = 1;
    jump(w, to);
}

static void jump_if_any(struct writer *w, uint32_t bits, enum place to)
{
    step(w, BPF_JMP | BPF_JSET | BPF_K, bits);
    w->at[w->len - 1].jf = 1;
    jump(w, to);
}

/* A = the byte or half-word at X + offset; behind the end of the frame the program ends with "drop". */
static void load(struct writer *w, unsigned size, uint32_t offset)
{
    step(w, BPF_LD | size | BPF_IND, offset);
}

/* X += A */
static void advance(struct writer *w)
{
    step(w, BPF_ALU | BPF_ADD | BPF_X, 0);
    step(w, BPF_MISC | BPF_TAX, 0);
}

static void advance_by(struct writer *w, uint32_t bytes)
{
    step(w, BPF_LD | BPF_IMM, bytes);
    advance(w);
}

static void must_be_version(struct writer *w, uint32_t version)
{
    load(w, BPF_B, 0);
    step(w, BPF_ALU | BPF_AND | BPF_K, 0xf0);
    jump_unless(w, version << 4, DROP);
}

/* Ends at TYPED with X = bytes of tags and A = the type behind them, then finds the IP header. */
static void write_ethernet(struct writer *w)
{
    static const uint32_t tag_types[] = { 0x8100, 0x88a8, 0x9100 };

    step(w, BPF_LDX | BPF_IMM, 0);
    for (int i = 0; i < TAGS; i++) {
        load(w, BPF_H, TYPE_AT);
        for (size_t t = 0; t < sizeof(tag_types) / sizeof(tag_types[0]); t++) {
            step(w, BPF_JMP | BPF_JEQ | BPF_K, tag_types[t]); /* to the advance behind the far jump */
            w->at[w->len - 1].jt = (uint8_t)(sizeof(tag_types) / sizeof(tag_types[0]) - t);
        }
        jump(w, TYPED);
        advance_by(w, TAG);
    }
    load(w, BPF_H, TYPE_AT);
    here(w, TYPED);
    step(w, BPF_ST, 0);
    advance_by(w, ETH);
    step(w, BPF_LD | BPF_MEM, 0);
    jump_if(w, TYPE_IP4, IP4);
    jump_if(w, TYPE_IP6, IP6);
    jump_unless(w, TYPE_PPPOE, DROP);
    load(w, BPF_H, PPPOE);
    step(w, BPF_ST, 0);
    advance_by(w, PPPOE + PPP);
    step(w, BPF_LD | BPF_MEM, 0);
    jump_if(w, PPP_IP4, IP4);
    jump_unless(w, PPP_IP6, DROP);
    jump(w, IP6);
}

static void write_ip4(struct writer *w)
{
    here(w, IP4);
    must_be_version(w, 4);
    load(w, BPF_B, 9);
    jump_unless(w, NEXT_TCP, DROP);
    load(w, BPF_H, 6);
    jump_if_any(w, 0x1fff, PASS); /* a fragment that is not the first has no ports */
    load(w, BPF_B, 0);
    step(w, BPF_ALU | BPF_AND | BPF_K, 0x0f);
    step(w, BPF_ALU | BPF_LSH | BPF_K, 2);
    advance(w);
    jump(w, PORTS_AT_X);
}

/* The extension header at X, whose kind was in A: its successor goes to M[0], X behind it. */
static void write_extension(struct writer *w, uint32_t units_more, uint32_t shift)
{
    load(w, BPF_B, 0);
    step(w, BPF_ST, 0);
    load(w, BPF_B, 1);
    step(w, BPF_ALU | BPF_ADD | BPF_K, units_more);
    step(w, BPF_ALU | BPF_LSH | BPF_K, shift);
    advance(w);
    step(w, BPF_LD | BPF_MEM, 0);
}

/* One round of an IPv6 chain: A holds the kind of header at X.  Ends at `next` with the same for the following one. */
static void write_round(struct writer *w, enum place next)
{
    enum { FRAGMENT_STEPS = 10, EXTENSION_STEPS = 9 };
    size_t from;

    jump_if(w, NEXT_TCP, PORTS_AT_X);
    step(w, BPF_JMP | BPF_JEQ | BPF_K, NEXT_FRAGMENT);
    w->at[w->len - 1].jf = FRAGMENT_STEPS;
    from = w->len;
    load(w, BPF_B, 0);
    step(w, BPF_ST, 0);
    load(w, BPF_H, 2);
    jump_if_any(w, 0xfff8, PASS); /* two steps */
    advance_by(w, 8);             /* three */
    step(w, BPF_LD | BPF_MEM, 0);
    jump(w, next);
    assert(w->len - from == FRAGMENT_STEPS);
    step(w, BPF_JMP | BPF_JEQ | BPF_K, NEXT_AH);
    w->at[w->len - 1].jf = EXTENSION_STEPS;
    from = w->len;
    write_extension(w, 2, 2); /* RFC 4302: 4-byte units, less two */
    jump(w, next);
    assert(w->len - from == EXTENSION_STEPS);
    step(w, BPF_JMP | BPF_JEQ | BPF_K, NEXT_HOP);
    w->at[w->len - 1].jt = 3;
    step(w, BPF_JMP | BPF_JEQ | BPF_K, NEXT_ROUTING);
    w->at[w->len - 1].jt = 2;
    jump_unless(w, NEXT_OPTIONS, DROP);
    write_extension(w, 1, 3); /* RFC 8200: 8-byte units, less one */
}

static void write_ip6(struct writer *w)
{
    here(w, IP6);
    must_be_version(w, 6);
    load(w, BPF_B, 6);
    step(w, BPF_ST, 0);
    advance_by(w, 40);
    step(w, BPF_LD | BPF_MEM, 0);
    for (int i = 0; i < EXTENSIONS; i++) {
        here(w, (enum place)(ROUND_0 + i));
        write_round(w, (enum place)(ROUND_0 + i + 1));
    }
    here(w, ROUND_END);
    jump_if(w, NEXT_TCP, PORTS_AT_X);
    for (size_t i = 0; i < 5; i++) {
        static const uint8_t more[5] = { NEXT_HOP, NEXT_ROUTING, NEXT_FRAGMENT, NEXT_AH, NEXT_OPTIONS };

        jump_if(w, more[i], PASS); /* a longer chain: the hunt follows it */
    }
    jump(w, DROP);
}

static void write_ports(struct writer *w, const uint16_t *ports, size_t count)
{
    here(w, PORTS_AT_X);
    for (uint32_t side = 0; side < 4; side += 2) {
        load(w, BPF_H, side);
        for (size_t i = 0; i < count; i++)
            jump_if(w, ports[i], PASS);
    }
    here(w, DROP);
    step(w, BPF_RET | BPF_K, 0);
    here(w, PASS);
    step(w, BPF_RET | BPF_K, 0xffffffff);
}

enum filter_frame filter_frame_of(uint32_t link_type)
{
    return link_type == ARPHRD_ETHER || link_type == ARPHRD_LOOPBACK ? FILTER_ETHERNET : FILTER_IP;
}

size_t filter_build(enum filter_frame frame, const uint16_t *ports, size_t count, struct sock_filter out[FILTER_STEPS])
{
    struct writer w = { .at = out };

    if (count == 0 || count > PORTS)
        return 0;
    if (frame == FILTER_ETHERNET)
        write_ethernet(&w);
    else {
        step(&w, BPF_LDX | BPF_IMM, 0);
        load(&w, BPF_B, 0);
        step(&w, BPF_ALU | BPF_AND | BPF_K, 0xf0);
        jump_if(&w, 0x60, IP6);
    }
    write_ip4(&w);
    write_ip6(&w);
    write_ports(&w, ports, count);
    for (size_t i = 0; i < w.len; i++)
        if (out[i].code == (BPF_JMP | BPF_JA))
            out[i].k = (uint32_t)(w.where[out[i].k] - 1 - (i + 1));
    return w.len;
}
