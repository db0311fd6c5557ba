/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rules - what our table holds, as changes of a batch.
 *
 *   table inet serviola {                           owner and persist where the kernel knows them
 *       set ports, doors, block4, block6            who is blocked: timeout per element
 *       set counted4, counted6                      what was stopped of whom: made by the first packet, as a counter
 *                                                   costs more than all the rest of a block
 *       set logged4, logged6                        one log limit per source
 *       set inside4/6, allowed4/6, local4/6         in hold mode: whose mail is queued to us
 *       chain forward, output                       priority filter - 10: before foreign accept rules
 *           tcp dport @ports jump mail
 *       chain input                                 where a gate listens
 *           tcp dport @doors, the first packet of a connection: jump mail
 *       chain guard                                 output again: nobody here mails to our own front door
 *           meta skuid GATE return; ip daddr 127.0.0.1 tcp dport 2525 return; ...
 *           ip daddr 127.0.0.0/8 tcp dport @guarded tcp flags & (syn|ack) == syn reject with tcp reset
 *           in hold mode: tcp dport @ports ip saddr @inside4 ip saddr != @allowed4 queue num 2525
 *       chain mail      ip saddr @block4 jump stop (and block6)
 *       chain stop      count, log, then drop or reject with tcp reset
 *   }
 */
#ifndef SERVIOLA_HAND_RULES_H
#define SERVIOLA_HAND_RULES_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "hand/bans.h"
#include "hand/nl.h"
#include "hand/op.h"

/* Newer than Debian 12's headers (linux/netfilter/nf_tables.h of 6.9): the table outlives its owner. */
enum { RULES_TABLE_PERSIST = 0x4 };

struct rules {
    const struct hand_settings *set;
    uint32_t table_flags;        /* NFT_TABLE_F_OWNER | RULES_TABLE_PERSIST, or 0 */
    bool hold;                   /* with the queue rules */
    bool old_queue;              /* the kernel has no `queue` statement: its xtables twin does the same */
    const struct prefix *inside; /* for hold mode; borrowed */
    const struct prefix *allowed;
    const struct prefix *local;
    size_t inside_count, allowed_count, local_count;
};

void rules_add_table(struct nl_batch *b, const struct rules *r); /* exists already: nothing, or it is adopted */
void rules_delete_table(struct nl_batch *b, const char *table);
void rules_add_content(struct nl_batch *b, const struct rules *r); /* sets, chains, rules; no blocks */

/* Elements of block4 or counted4 (block6 or counted6); all of one family, at most RULES_ELEMENTS. */
enum rules_what {
    RULES_BLOCK,
    RULES_UNBLOCK,
    RULES_COUNT,   /* with what was counted so far; one that is there stays as it is */
    RULES_UNCOUNT, /* all of them have to be there */
};
enum { RULES_ELEMENTS = 256, RULES_ELEMENT_BYTES = 128 };
void rules_elements(struct nl_batch *b, const char *table, enum rules_what what, const struct ban *const *at,
                    size_t count, int64_t now_us);

/* Bytes that a batch needs for table, content and `blocks` elements. */
size_t rules_size(const struct rules *r, size_t blocks);
#endif
