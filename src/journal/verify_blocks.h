/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * verify_blocks - what can be said of each block by itself, by all processors at once: its bytes are those that were
 * sealed; or it unpacks, its chain leads from where it says to where it says, its events are those its head speaks of.
 */
#ifndef SERVIOLA_JOURNAL_VERIFY_BLOCKS_H
#define SERVIOLA_JOURNAL_VERIFY_BLOCKS_H
#include "journal/segment.h"

enum block_state { BLOCK_WHOLE, BLOCK_NOT_UNPACKED, BLOCK_OFF_CHAIN, BLOCK_OFF_HEAD, BLOCK_OFF_PROOF, BLOCK_NO_MEMORY };

struct block_head { /* what the chain is to be behind that record */
    uint64_t seq;
    const uint8_t *chain;
    bool met, fits;
};

struct block_check {
    struct seg_element el; /* borrows from the file's bytes */
    enum seg_got got;
    bool is_block;        /* whole by its checksums; what is none is passed over */
    const uint8_t *proof; /* what a seal says its bytes are: then it is not unpacked.  NULL: nothing */
    enum block_state state;
    bool head_seen;           /* the wanted chain head is one of its commits' */
    struct block_head *heads; /* by their numbers, of this block alone: then it is unpacked */
    size_t heads_count;
};
/* `head` is NULL or the chain head that is looked for. */
void verify_blocks(struct block_check *at, size_t count, const uint8_t *head);
#endif
