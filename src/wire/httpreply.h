/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * httpreply - what a web server answers to one GET (RFC 9112), as it comes in, and whether a text stands in it.
 *
 * Nothing is kept but one line and how far the text has been matched, so a
 * page may be as long as it likes; who wants it whole brings room for it.  Interim answers (1xx) are passed over;
 * chunked pages are put together.
 */
#ifndef SERVIOLA_WIRE_HTTPREPLY_H
#define SERVIOLA_WIRE_HTTPREPLY_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { HTTPREPLY_LINE = 8192, HTTPREPLY_LINES = 256, HTTPREPLY_WANTED = 127, HTTPREPLY_LOCATION = 240 };

enum httpreply_got {
    HTTPREPLY_MORE,
    HTTPREPLY_WHOLE, /* the end of the page */
    HTTPREPLY_BAD,   /* that is no answer */
};

enum httpreply_state {
    HTTPREPLY_STATUS,
    HTTPREPLY_HEAD,
    HTTPREPLY_SIZE, /* of the next chunk */
    HTTPREPLY_CHUNK,
    HTTPREPLY_CHUNK_END,
    HTTPREPLY_TRAILER,
    HTTPREPLY_LENGTH,  /* a page of a known length */
    HTTPREPLY_ENDLESS, /* until the connection ends */
    HTTPREPLY_OVER,
};

struct httpreply {
    enum httpreply_state state;
    unsigned status; /* 0: not known yet */
    bool head_whole; /* the page begins */
    bool found;      /* the wanted text, or none is wanted */
    bool chunked, has_length;
    uint32_t lines; /* read so far */
    uint64_t left;  /* of the page, or of the chunk */
    uint64_t bytes; /* of the page so far */
    uint8_t wanted[HTTPREPLY_WANTED];
    uint8_t back[HTTPREPLY_WANTED]; /* how much of it still matches behind a mismatch */
    size_t wanted_len, matched;
    uint8_t *page; /* borrowed, where it is kept as far as there is room; NULL: it is not */
    size_t page_room;
    char location[HTTPREPLY_LOCATION]; /* where it leads instead; empty: nowhere, or further than there is room for */
    size_t line_len;
    uint8_t line[HTTPREPLY_LINE];
};

/* At most HTTPREPLY_WANTED bytes are looked for. */
void httpreply_init(struct httpreply *r, struct slice wanted);
enum httpreply_got httpreply_feed(struct httpreply *r, struct slice in);
/* The connection ended: was that the end of the page? */
bool httpreply_ends(const struct httpreply *r);
#endif
