/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * filter - the packet filter of a capture: mail ports, in whatever wrapping, and nothing else.
 *
 * A classic BPF program, made here and nowhere else.  It passes TCP segments
 * whose source or destination port is in the list, and every TCP fragment that
 * is not the first.  Ethernet frames may carry up to two tags (802.1Q,
 * 802.1ad), then PPPoE or plain IP; a tag that the card took off makes no
 * difference, as the rest has moved up.  IPv6 extension headers are followed
 * four deep; a deeper chain is passed for the hunt to judge.
 */
#ifndef SERVIOLA_HAND_FILTER_H
#define SERVIOLA_HAND_FILTER_H
#include <stddef.h>
#include <stdint.h>

#include <linux/filter.h>

enum filter_frame {
    FILTER_ETHERNET, /* ARPHRD_ETHER, ARPHRD_LOOPBACK: 14 bytes, then what the type says */
    FILTER_IP,       /* ARPHRD_NONE, ARPHRD_PPP, tunnels, or a cooked socket: the IP header comes first */
};

enum { FILTER_STEPS = 320 };

/* What a socket on such a link sees; anything unknown is captured cooked (SOCK_DGRAM), so IP comes first. */
enum filter_frame filter_frame_of(uint32_t link_type);

/* Returns the number of steps written, 0 when `ports` is empty or over 16. */
size_t filter_build(enum filter_frame frame, const uint16_t *ports, size_t count, struct sock_filter out[FILTER_STEPS]);
#endif
