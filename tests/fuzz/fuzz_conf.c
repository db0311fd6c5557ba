/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever the file: it is read or refused with a place that lies in it, and what was read lies in its range. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "conf/read.h"

struct fuzzed {
    int mode;
    bool loud;
    uint64_t doors;
    int64_t patience_us;
    char motto[16];
    struct addr listen;
    struct key_prefixes inside;
    struct key_ports ports;
    struct key_names interfaces;
    uint32_t zero, traps_count;
    struct trap {
        char name[KEY_NAME_LEN];
        uint64_t lines;
    } traps[3];
};

static const char *const modes[] = { "off", "observe", "block", NULL };
static const struct key trap_keys[] = {
    { .name = "lines", .type = KEY_NUMBER, KEY_AT(struct trap, lines), .help = "." },
    { .name = NULL },
};
static const struct key limit_keys[] = {
    { .name = "doors", .type = KEY_NUMBER, KEY_AT(struct fuzzed, doors), .min = 1, .max = 99, .def = "3", .help = "." },
    { .name = NULL },
};
static const struct key keys[] = {
    { .name = "mode", .type = KEY_WORD, KEY_AT(struct fuzzed, mode), .words = modes, .def = "off", .help = "." },
    { .name = "loud", .type = KEY_BOOL, KEY_AT(struct fuzzed, loud), .def = "yes", .help = "." },
    { .name = "patience", .type = KEY_SPAN, KEY_AT(struct fuzzed, patience_us), .def = "1s", .help = "." },
    { .name = "motto", .type = KEY_TEXT, KEY_AT(struct fuzzed, motto), .def = "", .help = "." },
    { .name = "listen", .type = KEY_ADDR, KEY_AT(struct fuzzed, listen), .def = "", .help = "." },
    { .name = "inside", .type = KEY_PREFIXES, KEY_AT(struct fuzzed, inside), .def = "", .help = "." },
    { .name = "ports", .type = KEY_PORTS, KEY_AT(struct fuzzed, ports), .def = "[25]", .help = "." },
    { .name = "interfaces", .type = KEY_NAMES, KEY_AT(struct fuzzed, interfaces), .def = "", .help = "." },
    { .name = "limits", .type = KEY_TABLE, .offset = 0, .sub = limit_keys, .help = "." },
    { .name = "traps",
      .type = KEY_EACH,
      KEY_EACH_AT(struct fuzzed, traps, traps_count),
      .sub = trap_keys,
      .def = "",
      .help = "." },
    { .name = NULL },
};
static const struct section sections[] = { { "gate", ".", keys, sizeof(struct fuzzed) }, { NULL, NULL, NULL, 0 } };

static void check_faults(const struct conf_faults *faults, size_t size)
{
    assert(faults->count > 0);
    for (size_t i = 0; i < faults->count && i < sizeof(faults->at) / sizeof(faults->at[0]); i++) {
        const struct conf_fault *f = &faults->at[i];

        assert(f->text[0] != '\0' && f->line <= size + 1 && f->column <= size + 1);
        assert(f->caret < sizeof(f->source) && f->width < sizeof(f->source));
        for (const char *c = f->source; *c; c++)
            assert((unsigned char)*c >= 0x20 && *c != 0x7f);
        for (const char *c = f->text; *c; c++)
            assert((unsigned char)*c >= 0x20 && *c != 0x7f);
    }
}

static void check_settings(const struct fuzzed *s)
{
    assert(s->mode >= 0 && s->mode < 3);
    assert(s->doors >= 1 && s->doors <= 99);
    assert(s->patience_us >= 0);
    assert(memchr(s->motto, '\0', sizeof(s->motto)));
    assert(s->inside.count <= KEY_PREFIX_CAP && s->ports.count <= KEY_PORT_CAP && s->interfaces.count <= KEY_NAME_CAP);
    assert(s->traps_count <= 3);
    for (uint32_t i = 0; i < s->traps_count; i++)
        assert(s->traps[i].name[0] != '\0' && memchr(s->traps[i].name, '\0', KEY_NAME_LEN));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf_faults *faults = malloc(sizeof(*faults));
    struct fuzzed *settings = calloc(1, sizeof(*settings));
    void *const all[] = { settings };

    if (faults && settings) {
        if (conf_read(slice_of(data, size), "fuzz", sections, all, faults) == 0)
            check_settings(settings);
        else
            check_faults(faults, size);
    }
    free(settings);
    free(faults);
    return 0;
}
