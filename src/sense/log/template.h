/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * template - which kind of message is this? Learned from the messages alone, one after the other, with one setting for
 * every system.
 *
 * First the masks: what changes from line to line becomes <*>.
 *   - anything with a digit: addresses, ports, MAC, UUID, hex, queue ids, versions, times.  A word in front of a number
 *     stays (core.<*>, onExtend:<*>), and so does a name with one digit inside it (EXT4-fs, jk2_init);
 *   - hex without a digit, paths, mail addresses, host names, the names of days and months in a date;
 *   - a time or size unit behind a number belongs to it, and a size told twice is told once: 4042 bytes (3.94 KB);
 *   - brackets that stand alone and hold nothing are a value left empty; values in a row are one.
 * Then a tree of three floors: number of words, first word, templates.  Two messages with the same words are the same
 * template; so are two that differ only where a name stands: behind for, from, to, by, user, host, ... or behind
 * user= and its like.  There the template holds <*> from then on.  Its id never changes.
 *
 * All is bounded: words and bytes of a template, templates below one first word, templates at all, and how many
 * spellings are remembered for the short way.  A message that finds no room has the id 0, and struct template_told
 * says so.
 */
#ifndef SERVIOLA_SENSE_LOG_TEMPLATE_H
#define SERVIOLA_SENSE_LOG_TEMPLATE_H
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/slice.h"

enum {
    TEMPLATE_WORDS = 64,   /* what follows is one <*> */
    TEMPLATE_BYTES = 1024, /* the same */
    TEMPLATE_MARK = 0x02,  /* how <*> is written inside a template: a byte that no masked message holds */
};

struct template_caps {
    uint32_t templates; /* at all */
    uint32_t children;  /* below one number of words and first word */
    uint32_t spellings; /* masked messages whose template is remembered; the oldest is forgotten */
};
extern const struct template_caps template_usual; /* 20000, 256, 65536: at most 50 MB */

struct template_told {
    uint64_t lines;
    uint64_t cut;      /* longer than TEMPLATE_WORDS or TEMPLATE_BYTES: grouped by their beginning */
    uint64_t no_room;  /* id 0: all templates are taken */
    uint64_t no_child; /* id 0: too many templates begin with the same word */
};

struct templates;
struct templates *templates_new(const struct template_caps *caps, uint64_t seed, struct err *e);
void templates_free(struct templates *t); /* NULL is fine */

/* The id of its template, from 1 on in the order of their first message; 0: no room.  The message is not kept. */
uint32_t templates_learn(struct templates *t, struct slice message);
/* The same in two steps: the first changes nothing that is learned, the second learns what was looked at last. */
void templates_look(struct templates *t, struct slice message);
uint32_t templates_learn_it(struct templates *t);

uint32_t templates_count(const struct templates *t);
struct template_told templates_told(const struct templates *t);
/* Its words, TEMPLATE_MARK for each <*>; borrowed until the next message.  `id` is 1 to templates_count. */
struct slice template_words(const struct templates *t, uint32_t id, uint64_t *lines);

/* What was learned, for the next start: ids stay.  Loaded into a fresh one; what is not sound is refused. */
void templates_save(const struct templates *t, struct bytes_out *to);
int templates_load(struct templates *t, struct bytes_in *from, struct err *e);
#endif
