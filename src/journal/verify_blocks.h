/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * verify_blocks - what can be said of each block by itself, by all processors at once: it unpacks, its chain leads from
 * where it says to where it says, its events are those its head speaks of.
 */
#ifndef SERVIOLA_JOURNAL_VERIFY_BLOCKS_H
#define SERVIOLA_JOURNAL_VERIFY_BLOCKS_H
#include "journal/segment.h"

enum block_state { BLOCK_WHOLE, BLOCK_NOT_UNPACKED, BLOCK_OFF_CHAIN, BLOCK_OFF_HEAD, BLOCK_NO_MEMORY };

struct block_check {
    struct seg_element el; /* a block, whole by its checksums; borrows from the file's bytes */
    enum block_state state;
    bool head_seen; /* the wanted chain head is one of its commits' */
};
/* `head` is NULL or the chain head that is looked for. */
void verify_blocks(struct block_check *at, size_t count, const uint8_t *head);
#endif
