/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hold - the valve: no packet of an unjudged host leaves before the hunt has said so.
 *
 * In hold mode our table queues every client segment to the mail ports whose
 * sender is inside and not allowed.  `serviola-hand -x hold` takes them from
 * the kernel, unread, and passes them to the hunt over a SEQPACKET pair of
 * their own (the answer to HAND_HOLD brings the hunt's end).  The hunt answers each
 * one; a packet that waits longer than settings.hold_wait_us, and every
 * packet while no hunt is there, passes or is dropped as settings.hold_fails_open says.
 * Packets come in the order in which they were sent; verdicts may come in any order.
 *
 * A datagram is one struct msg (sys/chan.h) and its body, as on every link.
 */
#ifndef SERVIOLA_HAND_HOLD_H
#define SERVIOLA_HAND_HOLD_H
#include <stdint.h>

enum hold_op {
    HOLD_PACKET = 250, /* struct hold_packet, then its bytes: valve -> hunt */
    HOLD_VERDICT,      /* struct hold_verdict[1..HOLD_BATCH]: hunt -> valve */
};

enum { HOLD_QUEUE = 2525 };                   /* unless settings.hold_queue says otherwise */
enum { HOLD_BYTES = 64936, HOLD_BATCH = 64 }; /* header and bytes fit CHAN_BODY */

struct hold_packet {
    uint32_t id;     /* the kernel's; to be said in the verdict */
    int32_t in, out; /* ifindex; 0: none (a local sender has no `in`) */
    uint8_t hook;    /* NF_INET_FORWARD or NF_INET_LOCAL_OUT */
    uint8_t family;  /* 4 or 6: the bytes begin with this IP header */
    uint8_t offload; /* bit 0: checksums are left to the card; bit 1: a GSO frame, longer than the MTU */
    uint8_t zero;
    uint32_t len;   /* bytes that follow */
    uint32_t whole; /* bytes the packet has; more than `len` when it was cut */
};

struct hold_verdict {
    uint32_t id;
    uint8_t accept; /* 0: drop */
    uint8_t zero[3];
};
#endif
