/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/near.h"
#include "conf/read.h"
#include "conf/value.h"

enum { TRAPS = 3 };
struct trap {
    char name[KEY_NAME_LEN];
    struct key_prefixes net;
    uint64_t lines;
};
struct gate {
    int mode;
    bool loud;
    uint64_t doors, room;
    int64_t patience_us;
    char motto[16];
    struct addr listen;
    struct key_prefixes inside;
    struct key_ports ports;
    struct key_names interfaces;
    struct {
        uint64_t knocks;
        int64_t window_us;
    } limits;
    uint32_t traps_count;
    struct trap traps[TRAPS];
};
struct wall {
    uint32_t count;
    struct brick {
        char name[KEY_NAME_LEN];
        struct addr at;
        uint64_t weight;
    } bricks[2];
};

static const char *const modes[] = { "off", "observe", "block", NULL };
static const struct key limit_keys[] = {
    { .name = "knocks", .type = KEY_NUMBER, .offset = 0, .size = 8, .def = "10", .help = "How often one may knock." },
    { .name = "window",
      .type = KEY_SPAN,
      .offset = 8,
      .size = 8,
      .min = 1000000,
      .max = 3600000000,
      .def = "1min",
      .help = "Within which time." },
    { .name = NULL },
};
static const struct key trap_keys[] = {
    { .name = "net", .type = KEY_PREFIXES, KEY_AT(struct trap, net), .help = "Whom it catches." },
    { .name = "lines", .type = KEY_NUMBER, KEY_AT(struct trap, lines), .def = "7", .help = "How many lines it reads." },
    { .name = NULL },
};
static const struct key gate_keys[] = {
    { .name = "mode",
      .type = KEY_WORD,
      KEY_AT(struct gate, mode),
      .words = modes,
      .def = "observe",
      .help = "What to do. It is harmless at first." },
    { .name = "loud", .type = KEY_BOOL, KEY_AT(struct gate, loud), .def = "yes", .help = "Whether it says so." },
    { .name = "doors",
      .type = KEY_NUMBER,
      KEY_AT(struct gate, doors),
      .min = 1,
      .max = 65536,
      .def = "64k",
      .help = "Most clients at once." },
    { .name = "room", .type = KEY_BYTES, KEY_AT(struct gate, room), .def = "1MiB", .help = "Memory for them." },
    { .name = "patience", .type = KEY_SPAN, KEY_AT(struct gate, patience_us), .def = "1h30min", .help = "How long." },
    { .name = "motto", .type = KEY_TEXT, KEY_AT(struct gate, motto), .def = "come: \"in\"", .help = "What it says." },
    { .name = "listen", .type = KEY_ADDR, KEY_AT(struct gate, listen), .def = "", .help = "Where it listens." },
    { .name = "inside",
      .type = KEY_PREFIXES,
      KEY_AT(struct gate, inside),
      .def = "[10.0.0.0/8, fc00::/7]",
      .help = "Our own networks." },
    { .name = "ports", .type = KEY_PORTS, KEY_AT(struct gate, ports), .def = "[25, 587]", .help = "Ports of mail." },
    { .name = "interfaces",
      .type = KEY_NAMES,
      KEY_AT(struct gate, interfaces),
      .max = 15,
      .def = "",
      .help = "Where to look." },
    { .name = "limits", .type = KEY_TABLE, KEY_AT(struct gate, limits), .sub = limit_keys, .help = "Its lines." },
    { .name = "traps",
      .type = KEY_EACH,
      KEY_EACH_AT(struct gate, traps, traps_count),
      .sub = trap_keys,
      .def = "",
      .help = "Traps with a name." },
    { .name = NULL },
};
static const struct key brick_keys[] = {
    { .name = "at", .type = KEY_ADDR, KEY_AT(struct brick, at), .def = "", .help = "Where it lies." },
    { .name = "weight", .type = KEY_NUMBER, KEY_AT(struct brick, weight), .def = "1", .help = "Its weight." },
    { .name = NULL },
};
static const struct key wall_keys[] = {
    { .name = "*",
      .type = KEY_EACH,
      KEY_EACH_AT(struct wall, bricks, count),
      .sub = brick_keys,
      .def = "first: { weight: 3 }\nsecond:\n  at: 192.0.2.1:25\n  weight: 4\n",
      .help = "Bricks with a name." },
    { .name = NULL },
};
static const struct section sections[] = {
    { "gate", "The gate. It opens.", gate_keys, sizeof(struct gate) },
    { "wall", "The wall.", wall_keys, sizeof(struct wall) },
    { NULL, NULL, NULL, 0 },
};

struct world { /* what one reading leaves */
    struct gate gate;
    struct wall wall;
    struct conf_faults faults;
};

static int read_text(struct world *w, struct slice yaml)
{
    void *const settings[] = { &w->gate, &w->wall };

    memset(w, 0, sizeof(*w));
    return conf_read(yaml, "t.conf", sections, settings, &w->faults);
}

static struct world *world(void **state)
{
    return *state;
}

/* The file is refused for this one reason, at this place. */
static void refused(struct world *w, struct slice yaml, unsigned line, unsigned column, const char *because)
{
    assert_int_equal(read_text(w, yaml), -1);
    assert_string_equal(w->faults.at[0].text, because);
    assert_int_equal(w->faults.count, 1);
    assert_int_equal(w->faults.at[0].line, line);
    assert_int_equal(w->faults.at[0].column, column);
}
#define REFUSED(yaml, line, column, because) refused(world(state), SLICE(yaml), line, column, because)

static void an_empty_file_gives_every_default(void **state)
{
    struct world *w = world(state);

    assert_int_equal(read_text(w, SLICE("")), 0);
    assert_int_equal(w->gate.mode, 1);
    assert_true(w->gate.loud);
    assert_int_equal(w->gate.doors, 64000);
    assert_int_equal(w->gate.room, 1048576);
    assert_int_equal(w->gate.patience_us, 5400000000);
    assert_string_equal(w->gate.motto, "come: \"in\"");
    assert_int_equal(w->gate.listen.family, 0);
    assert_int_equal(w->gate.inside.count, 2);
    assert_string_equal(prefix_text(w->gate.inside.at[1]).text, "fc00::/7");
    assert_int_equal(w->gate.ports.at[1], 587);
    assert_int_equal(w->gate.interfaces.count, 0);
    assert_int_equal(w->gate.limits.window_us, 60000000);
    assert_int_equal(w->gate.traps_count, 0);
    assert_int_equal(w->wall.count, 2);
    assert_string_equal(w->wall.bricks[1].name, "second");
    assert_int_equal(w->wall.bricks[1].weight, 4);
    assert_int_equal(w->wall.bricks[1].at.port, 25);
}

static void what_stands_in_the_file_wins_over_the_default(void **state)
{
    struct world *w = world(state);

    assert_int_equal(read_text(w, SLICE("# ours\n"
                                        "gate:\n"
                                        "  mode: block\n"
                                        "  loud: off\n"
                                        "  doors: 12k\n"
                                        "  motto: 'say # no'\n"
                                        "  listen: '[2001:db8::1]:25'\n"
                                        "  inside: 192.0.2.0/24\n"
                                        "  ports:\n"
                                        "  - 2525\n"
                                        "  interfaces: [eth0, eth1.12]\n"
                                        "  limits: { knocks: 3 }\n"
                                        "  traps:\n"
                                        "    honey: { net: 10.1.0.0/16 }\n"
                                        "    jam:\n"
                                        "      net: [10.2.0.0/16, 10.3.0.0/16]\n"
                                        "      lines: 9\n"
                                        "wall: {}\n")),
                     0);
    assert_int_equal(w->gate.mode, 2);
    assert_false(w->gate.loud);
    assert_int_equal(w->gate.doors, 12000);
    assert_string_equal(w->gate.motto, "say # no");
    assert_string_equal(addr_socket_text(w->gate.listen).text, "[2001:db8::1]:25");
    assert_int_equal(w->gate.inside.count, 1);
    assert_int_equal(w->gate.ports.count, 1);
    assert_string_equal(w->gate.interfaces.at[1], "eth1.12");
    assert_int_equal(w->gate.limits.knocks, 3);
    assert_int_equal(w->gate.limits.window_us, 60000000);
    assert_int_equal(w->gate.traps_count, 2);
    assert_string_equal(w->gate.traps[0].name, "honey");
    assert_int_equal(w->gate.traps[0].lines, 7);
    assert_int_equal(w->gate.traps[1].net.count, 2);
    assert_int_equal(w->gate.traps[1].lines, 9);
    assert_int_equal(w->wall.count, 0);
}

static void a_slip_of_the_finger_is_shown_with_the_word_that_was_meant(void **state)
{
    struct world *w = world(state);
    char *printed = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&printed, &len);

    REFUSED("gate:\n  lisen: 0.0.0.0:25\n", 2, 3, "unknown key \"lisen\" in gate; did you mean \"listen\"?");
    conf_print_faults(&w->faults, f, false);
    assert_int_equal(fclose(f), 0);
    assert_string_equal(printed, "t.conf:2:3: unknown key \"lisen\" in gate; did you mean \"listen\"?\n"
                                 "      lisen: 0.0.0.0:25\n"
                                 "      ^~~~~\n");
    free(printed);
    REFUSED("gtae:\n  mode: off\n", 1, 1, "unknown section \"gtae\"; did you mean \"gate\"?");
    REFUSED("gate: {mode: blok}\n", 1, 14, "gate.mode can't be \"blok\"; did you mean \"block\"?");
    REFUSED("gate:\n  limits:\n    windwo: 1s\n", 3, 5,
            "unknown key \"windwo\" in gate.limits; did you mean \"window\"?");
    REFUSED("gate:\n  zebra: 1\n", 2, 3, "unknown key \"zebra\" in gate; `serviola check --defaults` shows every key");
}

static void all_faults_are_told_at_once_in_the_order_of_the_file(void **state)
{
    struct world *w = world(state);

    assert_int_equal(read_text(w, SLICE("gate:\n"
                                        "  ports: [25, 70000]\n"
                                        "  mode: sleep\n"
                                        "  patience: 30\n"
                                        "  mode: off\n"
                                        "  doors: 0\n"
                                        "  inside: [10.0.0.1/8]\n"
                                        "  loud: yes\n"
                                        "  room: \"unfinished\n")),
                     -1);
    assert_int_equal(w->faults.count, 7);
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(w->faults.at[i].line, i < 6 ? i + 2 : 9);
    assert_string_equal(w->faults.at[0].text, "gate.ports: \"70000\" is no port; they go from 1 to 65535");
    assert_string_equal(w->faults.at[1].text, "gate.mode must be off, observe or block, not \"sleep\"");
    assert_string_equal(w->faults.at[2].text,
                        "gate.patience must be a time with its unit, such as 250ms, 30s, 5min, 2h or 36d, not \"30\"");
    assert_string_equal(w->faults.at[3].text, "gate.mode stands twice; it was set in line 3 already");
    assert_string_equal(w->faults.at[4].text, "gate.doors is 0 and must lie between 1 and 65536");
}

static void every_type_refuses_what_it_is_not(void **state)
{
    REFUSED("gate: { loud: perhaps }", 1, 15, "gate.loud must be yes or no, not \"perhaps\"");
    REFUSED("gate: { room: 64k }", 1, 15, "gate.room must be a size such as 512, 64KiB or 16MiB, not \"64k\"");
    REFUSED("gate: { doors: -3 }", 1, 16, "gate.doors must be a number such as 12, 12k or 3M, not \"-3\"");
    REFUSED("gate: { doors: 99999999999999999999 }", 1, 16,
            "gate.doors must be a number such as 12, 12k or 3M, not \"99999999999999999999\"");
    REFUSED("gate: { motto: sixteen letters! }", 1, 16, "gate.motto is 16 bytes long; it may have 15");
    REFUSED("gate: { motto: \"a\\nb\" }", 1, 16, "gate.motto holds a control character");
    REFUSED("gate: { listen: example.org }", 1, 17,
            "gate.listen must be an address such as 192.0.2.1, 192.0.2.1:25 or [2001:db8::1]:25, not \"example.org\"");
    REFUSED("gate: { interfaces: [eth0, 'a b'] }", 1, 28,
            "gate.interfaces: \"a b\" is no name; it has 1 to 15 letters and no blank or slash");
    REFUSED("gate: { interfaces: [fifteen-letters, sixteen-letters-] }", 1, 39,
            "gate.interfaces: \"sixteen-letters-\" is no name; it has 1 to 15 letters and no blank or slash");
    REFUSED("gate: { ports: [25, 587, 25] }", 1, 26, "gate.ports names \"25\" twice");
    REFUSED("gate: { ports: [[25]] }", 1, 17, "gate.ports is a plain list; nothing can be nested in it");
    REFUSED("gate: { mode: [off] }", 1, 15, "gate.mode is one value, not a list");
    REFUSED("gate:\n  mode:\n", 2, 3, "gate.mode has no value; write one, or leave the line out");
    REFUSED("gate: 12\n", 1, 7, "gate must be a block of keys, each `key: value` on a line of its own");
    REFUSED("- gate\n", 1, 1, "the file must begin with a section such as `hunt:`");
    REFUSED("gate: { [a]: b }\n", 1, 9, "a key in gate must be a plain word");
}

static void named_blocks_have_plain_names_that_stand_once_and_are_not_too_many(void **state)
{
    REFUSED("wall: { a/b: {} }", 1, 9, "a name in wall is 1 to 31 letters, digits, dots, - and _");
    REFUSED("wall: { a: {}, a: {} }", 1, 16, "wall.a stands twice");
    REFUSED("wall: { a: {}, b: {}, c: {}, d: {} }", 1, 23, "wall holds more than 2 blocks");
    REFUSED("wall: { a: 3 }", 1, 12, "wall.a must be a block of keys, each `key: value` on a line of its own");
    REFUSED("gate:\n  traps:\n    honey:\n      lines: 3\n", 4, 7,
            "gate.traps.honey.net is missing; it has no default");
    REFUSED("gate: { traps: { honey: { net: [], lins: 3 } } }", 1, 36,
            "unknown key \"lins\" in gate.traps.honey; did you mean \"lines\"?");
}

static void what_is_no_plain_yaml_is_refused_with_its_place(void **state)
{
    REFUSED("gate:\n\tmode: off\n", 2, 1, "this is not YAML: tab character may not be used as indentation");
    REFUSED("gate: &a\n  mode: off\n", 1, 8, "anchors (&) have no place here; write the value out where it is needed");
    REFUSED("gate: *a\n", 1, 8, "aliases (*) have no place here; write the value out");
    REFUSED("gate: { mode: !!str off }\n", 1, 15, "tags (!) have no place here; leave it out");
    REFUSED("gate: {}\n---\nwall: {}\n", 2, 1, "a second document begins here; one file holds one configuration");
    REFUSED("%YAML 1.1\n---\ngate: {}\n", 1, 1, "directives (%) have no place here; leave the line out");
    REFUSED("gate:\n  motto: \xff\n", 2, 10,
            "the byte 0xff is no text; write the file as UTF-8 without control characters");
    REFUSED("gate:\n  motto: \033[2J\n", 2, 10,
            "the byte 0x1b is no text; write the file as UTF-8 without control characters");
    REFUSED("gate: { ports: [25, 587\n", 1, 24, "this is not YAML: flow sequence without a closing bracket");
    REFUSED("gate: {a: {a: {a: {a: {a: {a: {a: {a: {}}}}}}}}}", 1, 35,
            "blocks are nested more than 8 deep here; nothing in a configuration lies that deep");
}

static void a_value_stands_on_one_line(void **state)
{
    static const char because[] = "a value stands on one line; this one goes on in the next";

    REFUSED("gate:\n  motto: |\n    a\n    b\n", 3, 1, because);
    REFUSED("gate:\n  motto: \"a\n    b\"\n", 2, 11, because);
    REFUSED("gate:\n  motto: a\n    b\n", 2, 10, because);
}

/* Each of these costs libfyaml minutes or hundreds of megabytes. */
static void what_would_take_the_reader_long_is_refused_before(void **state)
{
    struct world *w = world(state);
    size_t size = 1 << 20;
    char *big = malloc(size + 1);
    struct text t = text_in(big, size + 1);

    assert_non_null(big);
    memset(big, '[', size);
    refused(w, slice_of(big, size), 1, 65, "more than 64 brackets are open here; was one of them not closed?");
    memset(big, '%', size);
    refused(w, slice_of(big, size), 1, 1, "directives (%) have no place here; leave the line out");
    memset(big, 'a', size);
    refused(w, slice_of(big, size), 1, 65537, "this line is longer than 64 KiB; a list may go on in the next one");
    text_word(&t, "gate:\n  motto: |\n");
    while (t.len < size - 2)
        text_word(&t, " \n");
    assert_int_equal(read_text(w, slice_text(big)), -1);
    memset(big, '[', 100);
    memcpy(big, "# [", 3); /* in a comment they open nothing */
    memcpy(big + 100, "\ngate: {}\n", 10);
    assert_int_equal(read_text(w, slice_of(big, 110)), 0);
    free(big);
}

static void a_billion_laughs_cost_nothing(void **state)
{
    REFUSED("gate: &a [lol]\nwall: &b [*a, *a, *a]\nc: [*b, *b, *b]\n", 1, 8,
            "anchors (&) have no place here; write the value out where it is needed");
}

static void too_much_of_anything_is_a_fault(void **state)
{
    struct world *w = world(state);
    size_t size = (1 << 20) + 1;
    char *big = malloc(size);
    struct text t = text_in(big, size);

    assert_non_null(big);
    memset(big, '\n', size);
    assert_int_equal(read_text(w, slice_of(big, size - 1)), 0);
    refused(w, slice_of(big, size), 0, 0, "it is larger than 1 MiB; that is no configuration");

    text_word(&t, "gate: { inside: [");
    for (unsigned i = 0; i < 1030; i++)
        text_addf(&t, "10.%u.%u.0/24,%s", i / 256, i % 256, i % 64 ? "" : "\n ");
    text_word(&t, "] }");
    assert_int_equal(read_text(w, slice_text(big)), -1);
    assert_int_equal(w->faults.count, 1);
    assert_string_equal(w->faults.at[0].text, "gate.inside holds more than 1024 entries");
    assert_true(w->faults.at[0].caret < sizeof(w->faults.at[0].source));

    t = text_in(big, size);
    for (unsigned i = 0; i < 100000; i++)
        text_word(&t, "gate: x\n");
    assert_int_equal(read_text(w, slice_text(big)), -1);
    assert_true(w->faults.count > 64);
    assert_int_equal(w->faults.at[62].line, 64);
    free(big);
}

static void what_is_switched_off_by_a_comment_may_be_switched_on(void **state)
{
    struct world *w = world(state);
    struct world *other = calloc(1, sizeof(*other));
    char *printed = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&printed, &len);

    assert_non_null(other);
    conf_print_defaults(sections, f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(read_text(w, SLICE("")), 0);
    assert_int_equal(read_text(other, slice_of(printed, len)), 0);
    assert_memory_equal(&w->gate, &other->gate, sizeof(w->gate));
    assert_memory_equal(&w->wall, &other->wall, sizeof(w->wall));

    for (char *c = printed; *c; c++) /* `#key`, but not `# words` */
        if (*c == '#' && c[1] != ' ' && c[1] != '\n')
            memmove(c, c + 1, strlen(c));
    assert_non_null(strstr(printed, "\n  mode: observe\n"));
    assert_non_null(strstr(printed, "\n  at: 192.0.2.1:25\n") ? NULL : printed);
    if (read_text(other, slice_text(printed)) != 0)
        conf_print_faults(&other->faults, stderr, false);
    assert_int_equal(other->faults.count, 0);
    assert_memory_equal(&w->gate, &other->gate, sizeof(w->gate));
    assert_memory_equal(&w->wall, &other->wall, sizeof(w->wall));
    free(printed);
    free(other);
}

static void a_file_is_read_and_a_missing_one_is_a_fault_without_a_place(void **state)
{
    struct world *w = world(state);
    void *const settings[] = { &w->gate, &w->wall };
    char name[] = "/tmp/serviola-test-conf-XXXXXX";
    int fd = mkstemp(name);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "gate: { doors: 3 }\n", 19), 19);
    close(fd);
    assert_int_equal(conf_read_file(name, sections, settings, &w->faults), 0);
    assert_int_equal(w->gate.doors, 3);
    unlink(name);
    assert_int_equal(conf_read_file(name, sections, settings, &w->faults), -1);
    assert_string_equal(w->faults.at[0].text, "it can't be read: No such file or directory");
    assert_int_equal(w->faults.at[0].line, 0);
}

static void a_caret_stands_under_the_word_in_long_lines_and_other_alphabets(void **state)
{
    struct world *w = world(state);
    const struct conf_fault *f = &w->faults.at[0];
    char line[400];
    struct text t = TEXT_IN(line);

    REFUSED("gate: { motto: 'mañana', loud: ¿qué? }", 1, 32, "gate.loud must be yes or no, not \"¿qué?\"");
    assert_int_equal(f->caret, 31);
    assert_int_equal(f->width, 5);
    text_word(&t, "gate: { ports: [1");
    for (unsigned i = 2; i < 10; i++)
        text_addf(&t, ",                         %u", i);
    text_word(&t, "], mod: off }");
    assert_int_equal(read_text(w, slice_text(line)), -1);
    assert_true(f->caret + f->width < sizeof(f->source));
    assert_memory_equal(f->source + f->caret, "mod", 3);
    assert_memory_equal(f->source, "...", 3);
}

static void times_are_read_as_people_write_them(void **state)
{
    static const struct {
        const char *words;
        int64_t us; /* -1: refused */
    } spans[] = {
        { "0", 0 },
        { "250ms", 250000 },
        { "30s", 30000000 },
        { "5min", 300000000 },
        { "2h", 7200000000 },
        { "36d", 3110400000000 },
        { "1h30min", 5400000000 },
        { "7us", 7 },
        { "5m", -1 },
        { "30", -1 },
        { "", -1 },
        { "s", -1 },
        { "-3s", -1 },
        { "3 s", -1 },
        { "999999999999d", -1 },
        { "1h30", -1 },
        { "99999999999999999999s", -1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        int64_t us = -1;

        assert_int_equal(value_span(slice_text(spans[i].words), &us), spans[i].us >= 0);
        assert_int_equal(us, spans[i].us);
    }
}

static void the_nearest_word_is_one_that_a_finger_can_miss(void **state)
{
    static const char *const words[] = { "listen", "limits", "interfaces", "a", NULL };

    (void)state;
    assert_int_equal(near_distance(SLICE("lisetn"), SLICE("listen"), 3), 1);
    assert_int_equal(near_distance(SLICE("LISTEN"), SLICE("listen"), 3), 0);
    assert_int_equal(near_distance(SLICE("kitten"), SLICE("sitting"), 3), 3);
    assert_int_equal(near_distance(SLICE("kitten"), SLICE("sitting"), 2), 3);
    assert_int_equal(near_distance(SLICE(""), SLICE("ab"), 2), 2);
    assert_string_equal(near_of(SLICE("limit"), words), "limits");
    assert_string_equal(near_of(SLICE("interface"), words), "interfaces");
    assert_null(near_of(SLICE("x"), words));
    assert_null(near_of(SLICE("entirely"), words));
}

static void a_wrong_table_is_found_by_its_own_test(void **state)
{
    static const struct key short_member[] = {
        { .name = "mode", .type = KEY_NUMBER, KEY_AT(struct gate, mode), .def = "1", .help = "An int is no uint64_t." },
        { .name = NULL },
    };
    static const struct key bad_default[] = {
        { .name = "doors",
          .type = KEY_NUMBER,
          KEY_AT(struct gate, doors),
          .min = 1,
          .max = 5,
          .def = "9",
          .help = "." },
        { .name = NULL },
    };
    struct section wrong[] = { { "gate", "", short_member, sizeof(struct gate) }, { NULL, NULL, NULL, 0 } };
    struct err e;

    (void)state;
    assert_int_equal(schema_check(sections, &e), 0);
    assert_int_equal(schema_check(wrong, &e), -1);
    assert_string_equal(e.text, "gate: mode: the member has 4 bytes, its type 8");
    wrong[0].keys = bad_default;
    assert_int_equal(schema_check(wrong, &e), -1);
    assert_string_equal(e.text, "gate: the built-in default is wrong: gate.doors is 9 and must lie between 1 and 5");
}

static void the_manual_page_shows_each_key(void **state)
{
    char *printed = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&printed, &len);

    (void)state;
    conf_print_mdoc(sections, f);
    assert_int_equal(fclose(f), 0);
    assert_non_null(strstr(printed, ".It Ic \"mode\" : Cm \"off\" | Cm \"observe\" | Cm \"block\"\n"
                                    "What to do.\nIt is harmless at first.\nDefault:\n.Li \"observe\" .\n"));
    assert_non_null(strstr(printed, ".Bd -literal -offset indent\nfirst: { weight: 3 }\n"));
    free(printed);
}

static void a_program_reads_each_key_as_one_object(void **state)
{
    char *printed = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&printed, &len);

    (void)state;
    conf_print_json(sections, f);
    assert_int_equal(fclose(f), 0);
    assert_ptr_equal(strstr(printed, "{\"section\":\"gate\",\"key\":\"mode\",\"type\":\"word\",\"default\":\"observe\","
                                     "\"min\":null,\"max\":null,\"words\":[\"off\",\"observe\",\"block\"],\"help\":"),
                     printed);
    assert_non_null(strstr(printed, "\"default\":\"come: \\\"in\\\"\""));
    assert_non_null(strstr(printed, "\n{\"section\":\"gate\",\"key\":\"traps.*."));
    assert_null(strstr(printed, "\"key\":\"limits\""));
    free(printed);
}

static int make_world(void **state)
{
    *state = calloc(1, sizeof(struct world));
    return *state ? 0 : -1;
}

static int end_world(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_gives_every_default),
        cmocka_unit_test(what_stands_in_the_file_wins_over_the_default),
        cmocka_unit_test(a_slip_of_the_finger_is_shown_with_the_word_that_was_meant),
        cmocka_unit_test(all_faults_are_told_at_once_in_the_order_of_the_file),
        cmocka_unit_test(every_type_refuses_what_it_is_not),
        cmocka_unit_test(named_blocks_have_plain_names_that_stand_once_and_are_not_too_many),
        cmocka_unit_test(what_is_no_plain_yaml_is_refused_with_its_place),
        cmocka_unit_test(a_value_stands_on_one_line),
        cmocka_unit_test(what_would_take_the_reader_long_is_refused_before),
        cmocka_unit_test(a_billion_laughs_cost_nothing),
        cmocka_unit_test(too_much_of_anything_is_a_fault),
        cmocka_unit_test(what_is_switched_off_by_a_comment_may_be_switched_on),
        cmocka_unit_test(a_file_is_read_and_a_missing_one_is_a_fault_without_a_place),
        cmocka_unit_test(a_caret_stands_under_the_word_in_long_lines_and_other_alphabets),
        cmocka_unit_test(times_are_read_as_people_write_them),
        cmocka_unit_test(the_nearest_word_is_one_that_a_finger_can_miss),
        cmocka_unit_test(a_wrong_table_is_found_by_its_own_test),
        cmocka_unit_test(the_manual_page_shows_each_key),
        cmocka_unit_test(a_program_reads_each_key_as_one_object),
    };

    return cmocka_run_group_tests(tests, make_world, end_world);
}
