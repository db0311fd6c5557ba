/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * roster - every process of the house, one line each: the table of contents.
 */
#ifndef SERVIOLA_CORE_ROSTER_H
#define SERVIOLA_CORE_ROSTER_H
#include <stdbool.h>
#include <stdint.h>

#include "core/settings.h"
#include "part/part.h"

enum row_kind {
    ROW_CORE,
    ROW_SCRIBE,
    ROW_HAND,
    ROW_LOOK,
    ROW_HOLD,
    ROW_SENSOR,
    ROW_HELPER,
    ROW_WATCH,
    ROW_XRAY,
    ROW_READER, /* reads the events, and tells others of them */
    ROW_CONSOLE
};

enum row_settings {
    SETTINGS_NONE,
    SETTINGS_HOUSE,
    SETTINGS_SCRIBE,
    SETTINGS_HAND,
    SETTINGS_HUNT,
    SETTINGS_GATE,
    SETTINGS_BOOK,
    SETTINGS_LISTS,
    SETTINGS_WATCH,
    SETTINGS_LOG,
    SETTINGS_PROBE,
    SETTINGS_NOTIFY,
    SETTINGS_METRICS,
};

struct row {
    enum row_kind kind;
    const char *name;        /* of the process: `serviola -x NAME` */
    const struct part *part; /* NULL: serviola-hand, an executable of its own */
    const char *mode;        /* serviola-hand's -x; NULL for none */
    enum row_settings settings;
    const char *events;  /* prefix of the events it may report; NULL: none */
    uint16_t may_ask[4]; /* ops of hand/op.h that it may ask; 0 ends */
};

enum { ROSTER_MAX = 16 };
extern const struct row roster[];
extern const uint32_t roster_count;

/* The bytes of the settings that this row gets, written into `room`; returns how many: 0 for a row that gets none. */
size_t roster_settings(const struct row *row, const struct house_settings *h, const struct found *found, void *room,
                       size_t size);
/* Whether the configuration wants it at all. */
bool roster_wanted(const struct row *row, const struct house_settings *h, bool console);

/* Whether a process of this row that was jailed for `old` can't do what `now` says, and has to start anew. */
bool roster_outgrown(const struct row *row, const struct house_settings *old, const struct house_settings *now);

/* `serviola -x NAME`: the body of that process; returns its exit code. */
int roles_main(const char *name);
#endif
