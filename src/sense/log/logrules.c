/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/logrules.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { LINES_MOST = LOGRULES_BATCH / 8, NAME_MOST = 128, GROUPS_MOST = 512, LEAD = 3, LEADS_MOST = 8, NAMES_MOST = 8 };

/*
 * Most expressions say at once of which program they speak: `^sshd\[[[:digit:]]+\]: text`.  Those of one program are a
 * group, which sees the text alone; those that begin with the same three letters of it are a group, too.  A line is
 * held against its own groups alone, beside the two that hear all: SHORT sees `program[pid]: text`, WHOLE the line as
 * it came.
 */
enum { SHORT, WHOLE };
enum { PLACES = 2048 };

struct group {
    char name[NAME_MOST]; /* "sshd[" with a pid, "sshd:" without one, "ssh" for what begins so; SHORT and WHOLE: "" */
    size_t len;
    struct patterns *set;
};

struct logrules {
    struct group group[GROUPS_MOST];
    uint16_t place[PLACES]; /* by the name's hash, open addressing: index + 1 */
    size_t groups;
    size_t count;
};

struct block {
    struct patterns_scan *scan; /* NULL: no line has come */
    uint8_t *bytes;             /* owned, grows to a batch and a line */
    size_t len, cap;
    uint32_t *from, *line; /* owned: where each of its lines begins, and its number in the batch */
    size_t lines, lines_cap;
};

struct logrules_scan {
    struct logrules *r;
    void (*judged)(void *own, enum logrules_verdict v, struct slice text);
    void *own;
    struct block block[GROUPS_MOST];
    struct block text; /* all lines, to be told */
    size_t lines;
    uint8_t *marks; /* [LINES_MOST] bits of enum rule_layer */
    const struct block *at;
};

static uint16_t *place_of(const struct logrules *r, struct slice name)
{
    size_t at = hash_bytes(name.at, name.len, 1) % PLACES;

    while (r->place[at] != 0 &&
           !slice_eq(name, slice_of(r->group[r->place[at] - 1].name, r->group[r->place[at] - 1].len)))
        at = (at + 1) % PLACES;
    return (uint16_t *)(uintptr_t)&r->place[at];
}

/* Index of the group of that name; 0 (SHORT): there is none. */
static size_t find_group(const struct logrules *r, struct slice name)
{
    size_t at = *place_of(r, name);

    return at > 0 ? at - 1 : SHORT;
}

static struct group *add_group(struct logrules *r, struct slice name, struct err *e)
{
    struct group *g = &r->group[r->groups];

    g->set = patterns_new(e);
    if (!g->set)
        return NULL;
    g->len = name.len;
    if (name.len > 0) {
        memcpy(g->name, name.at, name.len);
        *place_of(r, name) = (uint16_t)(r->groups + 1);
    }
    r->groups++;
    return g;
}

struct logrules *logrules_new(struct err *e)
{
    struct logrules *r = calloc(1, sizeof(*r));

    if (r && add_group(r, SLICE(""), e) && add_group(r, SLICE(""), e))
        return r;
    if (!r)
        (void)err_set(e, ENOMEM, "rules");
    logrules_free(r);
    return NULL;
}

void logrules_free(struct logrules *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->groups; i++)
        patterns_free(r->group[i].set);
    free(r);
}

/* One atom of an expression and what repeats it: (...), [...]+, \w{3}, [...]{11}.  0: something else. */
static size_t atom_length(struct slice s)
{
    size_t n = 0;
    unsigned depth = 0;

    if (s.len < 2 || (s.at[0] != '(' && s.at[0] != '[' && s.at[0] != '\\'))
        return 0;
    do {
        if (s.at[n] == '\\') {
            n += 2;
        } else if (s.at[n] == '[') {
            n += n + 1 < s.len && s.at[n + 1] == '^';
            n += n + 1 < s.len && s.at[n + 1] == ']';
            for (n++; n < s.len && s.at[n] != ']'; n++)
                if (s.at[n] == '[' && n + 1 < s.len && s.at[n + 1] == ':') {
                    const uint8_t *end = memmem(s.at + n, s.len - n, ":]", 2);

                    n = end ? (size_t)(end - s.at) + 1 : s.len;
                }
            n++;
        } else {
            depth += s.at[n] == '(';
            depth -= s.at[n] == ')';
            n++;
        }
    } while (n < s.len && depth > 0);
    if (n < s.len && (s.at[n] == '+' || s.at[n] == '*'))
        return n + 1;
    if (n < s.len && s.at[n] == '{')
        while (n < s.len && s.at[n++] != '}')
            ;
    return n <= s.len ? n : 0;
}

/* True: *rest is what follows `^stamp host `. */
static bool after_header(struct slice s, struct slice *rest)
{
    static const char *const days[] = { "\\w{3} [", "[[:alpha:]]{3} [", "[A-Z][a-z]{2} [" };
    bool stamp = false;
    size_t n;

    if (s.len < 10 || s.at[0] != '^')
        return false;
    s = slice_skip(s, 1);
    if (s.at[0] == '(') { /* (\w{3} [ :[:digit:]]{11}|[0-9T:.+-]{32}) */
        n = atom_length(s);
        stamp = n > 10 && memmem(s.at, n, "{11}", 4) != NULL;
        s = slice_skip(s, n);
    } else
        for (size_t i = 0; i < sizeof(days) / sizeof(days[0]) && !stamp; i++) {
            size_t lead = strlen(days[i]) - 1;

            stamp = s.len > lead && memcmp(s.at, days[i], lead + 1) == 0;
            if (!stamp)
                continue;
            n = atom_length(slice_skip(s, lead));
            stamp = n > 4 && memcmp(s.at + lead + n - 4, "{11}", 4) == 0;
            s = slice_skip(s, lead + n);
        }
    if (!stamp || s.len < 3 || s.at[0] != ' ')
        return false;
    s = slice_skip(s, 1);
    n = atom_length(s);
    if (n == 0 || n + 1 >= s.len || s.at[n - 1] != '+' || s.at[n] != ' ')
        return false;
    *rest = slice_skip(s, n + 1);
    return true;
}

/* How many bytes at the beginning stand for themselves, three at most, put into `lead`. */
static size_t literal_lead(struct slice s, char lead[LEAD])
{
    size_t n = 0;
    size_t i = 0;

    while (n < LEAD && i < s.len) {
        uint8_t c = s.at[i];

        if (c == '\\' && i + 1 < s.len && !isalnum(s.at[i + 1]) && s.at[i + 1] != '<' && s.at[i + 1] != '>')
            c = s.at[++i];
        else if (!isalnum(c) && c != '_' && c != '-' && c != '/' && c != ' ')
            break;
        i++;
        if (i < s.len && (s.at[i] == '?' || s.at[i] == '*' || s.at[i] == '{'))
            break;
        lead[n++] = (char)c;
    }
    return n;
}

/* `a|b` without brackets around: the second half has a beginning of its own. */
static bool has_bar(struct slice s)
{
    unsigned depth = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] == '[') {
            size_t n = atom_length(slice_skip(s, i));

            i += n > 0 ? n - 1 : 0;
        } else if (s.at[i] == '\\') {
            i++;
        } else if (s.at[i] == '|' && depth == 0) {
            return true;
        }
        depth += i < s.len && s.at[i] == '(';
        depth -= i < s.len && s.at[i] == ')' && depth > 0;
    }
    return false;
}

/* With which letters may a line begin that this expression matches?  0: nobody knows. */
static size_t leads_of(struct slice s, char leads[LEADS_MOST][LEAD])
{
    size_t len, n = 0;
    struct slice inner, rest;

    if (s.len < LEAD + 1 || s.at[0] != '^' || has_bar(s))
        return 0;
    s = slice_skip(s, 1);
    if (s.at[0] != '(')
        return literal_lead(s, leads[0]) == LEAD;
    for (len = 1; len < s.len && s.at[len] != ')'; len++)
        if (s.at[len] == '(' || s.at[len] == '[')
            return 0;
    inner = slice_of(s.at + 1, len - 1);
    rest = slice_skip(s, len + 1);
    while (inner.len > 0 && n < LEADS_MOST - 1)
        if (literal_lead(slice_until(inner, '|', &inner), leads[n++]) < LEAD)
            return 0;
    if (inner.len > 0 || rest.len == 0)
        return 0;
    if (rest.at[0] == '?' || rest.at[0] == '*')
        return literal_lead(slice_skip(rest, 1), leads[n]) == LEAD ? n + 1 : 0;
    return n;
}

/* What an expression's beginning may be, spelled out: postfix/n?qmgr gives two. */
struct names {
    char at[NAMES_MOST][NAME_MOST];
    size_t len[NAMES_MOST];
    size_t count;
};

/* Each of `names` with each of `more` behind it; `optional`: and without.  False: too many, or too long. */
static bool add_more(struct names *names, const struct names *more, bool optional)
{
    const struct names old = *names;

    if (more->count == 0 || old.count * (more->count + optional) > NAMES_MOST)
        return false;
    names->count = optional ? old.count : 0;
    for (size_t i = 0; i < old.count; i++)
        for (size_t k = 0; k < more->count; k++) {
            size_t n = names->count++;

            if (old.len[i] + more->len[k] > NAME_MOST - 2)
                return false;
            memcpy(names->at[n], old.at[i], old.len[i]);
            memcpy(names->at[n] + old.len[i], more->at[k], more->len[k]);
            names->len[n] = old.len[i] + more->len[k];
        }
    return true;
}

static bool in_name(uint8_t c)
{
    return isalnum(c) || c == '_' || c == '-' || c == '/';
}

static bool add_choice(struct names *n, uint8_t c)
{
    if (n->count == NAMES_MOST)
        return false;
    n->at[n->count][0] = (char)c;
    n->len[n->count++] = 1;
    return true;
}

static size_t names_of(struct slice s, struct names *names, unsigned depth);

/* One letter, [ls] or (a|b?): how many bytes it has, 0 when it is something else. */
static size_t choices_of(struct slice s, struct names *more, unsigned depth)
{
    const uint8_t *end;
    struct slice inner;

    more->count = 0;
    if (in_name(s.at[0]))
        return add_choice(more, s.at[0]);
    if (s.at[0] == '\\')
        return s.len > 1 && s.at[1] != '[' && ispunct(s.at[1]) && s.at[1] != '<' && s.at[1] != '>' &&
                       add_choice(more, s.at[1])
                 ? 2
                 : 0;
    end = memchr(s.at, s.at[0] == '[' ? ']' : ')', s.len);
    if (!end || (s.at[0] != '[' && s.at[0] != '(') || end[-1] == '|')
        return 0;
    inner = slice_of(s.at + 1, (size_t)(end - s.at) - 1);
    while (inner.len > 0 && s.at[0] == '[') {
        if (!isalnum(inner.at[0]) || !add_choice(more, inner.at[0]))
            return 0;
        inner = slice_skip(inner, 1);
    }
    while (inner.len > 0) {
        struct slice one = slice_until(inner, '|', &inner);
        struct names own;

        if (depth > 0 || one.len == 0 || names_of(one, &own, depth + 1) != one.len ||
            more->count + own.count > NAMES_MOST)
            return 0;
        for (size_t i = 0; i < own.count; i++) {
            memcpy(more->at[more->count], own.at[i], own.len[i]);
            more->len[more->count++] = own.len[i];
        }
    }
    return (size_t)(end - s.at) + 1;
}

/* As far as `s` can be spelled out; how far that is. */
static size_t names_of(struct slice s, struct names *names, unsigned depth)
{
    struct names more;
    size_t n = 0;

    names->count = 1;
    names->len[0] = 0;
    while (n < s.len) {
        size_t len = choices_of(slice_skip(s, n), &more, depth);
        uint8_t next = n + len < s.len ? s.at[n + len] : 0;

        if (len == 0 || next == '*' || next == '+' || next == '{' || !add_more(names, &more, next == '?'))
            break;
        n += len + (next == '?');
    }
    return n;
}

#define STAMP "\\[ *[[:digit:]]+\\.[[:digit:]]+\\]" /* the kernel's own */

/* `^sshd\[[[:digit:]]+\]: text` gives "sshd[" and what follows; `^kernel: text` "kernel:", which may have a stamp. */
static bool programs_of(struct slice s, struct names *names, bool *stamp, struct slice *rest)
{
    static const char *const behind[] = { ": ", ":( " STAMP ")? ",
                                          "\\[[[:digit:]]+\\]: ", "\\[[0-9]+\\]: ", "\\[\\d+\\]: " };
    size_t n;

    if (has_bar(s))
        return false;
    s = slice_skip(s, 1);
    n = names_of(s, names, 0);
    s = slice_skip(s, n);
    for (size_t k = 0; k < sizeof(behind) / sizeof(behind[0]) && n > 0; k++) {
        size_t len = strlen(behind[k]);

        if (s.len <= len || memcmp(s.at, behind[k], len) != 0 || strchr("?*+{", s.at[len]))
            continue;
        for (size_t i = 0; i < names->count; i++) {
            if (names->len[i] == 0)
                return false;
            names->at[i][names->len[i]++] = behind[k][0] == ':' ? ':' : '[';
        }
        *stamp = k == 1;
        *rest = slice_skip(s, len);
        return true;
    }
    return false;
}

static int add_to(struct logrules *r, struct slice name, enum rule_layer layer, struct slice s, unsigned flags,
                  struct err *e)
{
    size_t at = find_group(r, name);
    struct group *g = at != SHORT ? &r->group[at] : add_group(r, name, e);

    return g ? patterns_add(g->set, s, flags, layer, e) : -1;
}

/* To its program's group, or to those of its beginnings, or to the one that hears all. */
static int add_short(struct logrules *r, enum rule_layer layer, struct slice s, unsigned flags, struct err *e)
{
    char leads[LEADS_MOST][LEAD];
    struct names names;
    struct slice rest;
    bool stamp;
    size_t n;

    if (flags != PATTERN_ERE || s.len < LEAD + 1 || s.at[0] != '^' || r->groups + LEADS_MOST > GROUPS_MOST)
        return patterns_add(r->group[SHORT].set, s, flags, layer, e);
    if (programs_of(s, &names, &stamp, &rest)) {
        char text[PATTERN_BYTES + 2];
        char *to = stpcpy(text, stamp ? "^(" STAMP " )?" : "^");

        to = mempcpy(to, rest.at, rest.len);
        for (size_t i = 0; i < names.count; i++)
            if (add_to(r, slice_of(names.at[i], names.len[i]), layer, slice_of(text, (size_t)(to - text)), flags, e) <
                0)
                return -1;
        return 0;
    }
    n = leads_of(s, leads);
    if (n == 0)
        return patterns_add(r->group[SHORT].set, s, flags, layer, e);
    for (size_t i = 0; i < n; i++)
        if (add_to(r, slice_of(leads[i], LEAD), layer, s, flags, e) < 0)
            return -1;
    return 0;
}

int logrules_add(struct logrules *r, enum rule_layer layer, struct slice expression, unsigned pattern_flags,
                 struct err *e)
{
    char shorter[PATTERN_BYTES + 2];
    struct slice rest;
    int status;

    if (expression.len <= PATTERN_BYTES && after_header(expression, &rest)) {
        shorter[0] = '^';
        memcpy(shorter + 1, rest.at, rest.len);
        status = add_short(r, layer, slice_of(shorter, rest.len + 1), pattern_flags, e);
    } else if (expression.len > 0 && expression.at[0] == '^' && pattern_flags & PATTERN_ERE) {
        status = patterns_add(r->group[WHOLE].set, expression, pattern_flags, layer, e);
    } else
        status = add_short(r, layer, expression, pattern_flags, e);
    r->count += status == 0;
    return status;
}

/* As run-parts has it: letters, digits, _ and -, so no backup of an editor and no .dpkg-old. */
static int is_rule_file(const struct dirent *d)
{
    for (const char *c = d->d_name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-')
            return 0;
    return 1;
}

struct noter {
    void (*note)(void *own, const char *file, unsigned line, const char *why);
    void *own;
};

static int read_file(struct logrules *r, enum rule_layer layer, const char *path, const struct noter *to)
{
    FILE *f = fopen(path, "re");
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    struct err e;

    if (!f) {
        to->note(to->own, path, 0, strerrordesc_np(errno));
        return 0;
    }
    for (unsigned number = 1; (n = getline(&line, &cap, f)) >= 0; number++) {
        struct slice s = slice_of(line, (size_t)n);

        while (s.len > 0 && (s.at[s.len - 1] == '\n' || s.at[s.len - 1] == '\r'))
            s.len--;
        if (s.len == 0 || s.at[0] == '#' || slice_trim(s).len == 0)
            continue;
        if (logrules_add(r, layer, s, PATTERN_ERE, &e) < 0)
            to->note(to->own, path, number, e.text);
    }
    free(line);
    (void)fclose(f);
    return 0;
}

static int read_folder(struct logrules *r, enum rule_layer layer, const char *folder, const char *name,
                       const struct noter *to, struct err *e)
{
    char path[4096];
    struct dirent **list = NULL;
    int n;

    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
        return err_set(e, ENAMETOOLONG, "%s", folder);
    n = scandir(path, &list, is_rule_file, alphasort);
    if (n < 0)
        return errno == ENOENT ? 0 : err_set(e, errno, "%s", path);
    for (int i = 0; i < n; i++) {
        char file[4096 + NAME_MOST + 256];

        (void)snprintf(file, sizeof(file), "%s/%s", path, list[i]->d_name);
        (void)read_file(r, layer, file, to);
        free(list[i]);
    }
    free(list);
    return 0;
}

int logrules_logcheck(struct logrules *r, const char *folder, enum logrules_level level,
                      void (*note)(void *own, const char *file, unsigned line, const char *why), void *own,
                      struct err *e)
{
    static const struct {
        const char *name;
        enum rule_layer layer;
        int level;
    } folders[] = {
        { "cracking.d", LOGRULES_ATTACK, 0 },
        { "cracking.ignore.d", LOGRULES_ATTACK_NOT, 0 },
        { "violations.d", LOGRULES_VIOLATION, 0 },
        { "violations.ignore.d", LOGRULES_VIOLATION_NOT, 0 },
        { "ignore.d.paranoid", LOGRULES_IGNORE, LOGRULES_PARANOID },
        { "ignore.d.server", LOGRULES_IGNORE, LOGRULES_SERVER },
        { "ignore.d.workstation", LOGRULES_IGNORE, LOGRULES_WORKSTATION },
    };
    struct noter to = { note, own };

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        if (folders[i].level <= (int)level && read_folder(r, folders[i].layer, folder, folders[i].name, &to, e) < 0)
            return -1;
    return 0;
}

int logrules_compile(struct logrules *r, struct err *e)
{
    return patterns_compile(r->group[SHORT].set, e) < 0 ? -1 : patterns_compile(r->group[WHOLE].set, e);
}

size_t logrules_count(const struct logrules *r)
{
    return r->count;
}

/* --- judging */

struct logrules_scan *logrules_scan_new(struct logrules *r,
                                        void (*judged)(void *own, enum logrules_verdict v, struct slice text),
                                        void *own, struct err *e)
{
    struct logrules_scan *s = calloc(1, sizeof(*s));

    if (s) {
        s->r = r;
        s->judged = judged;
        s->own = own;
        s->marks = calloc(LINES_MOST, 1);
    }
    if (!s || !s->marks) {
        logrules_scan_free(s);
        (void)err_set(e, ENOMEM, "rules");
        return NULL;
    }
    return s;
}

static void free_block(struct block *b)
{
    patterns_scan_free(b->scan);
    free(b->bytes);
    free(b->from);
    free(b->line);
}

void logrules_scan_free(struct logrules_scan *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < GROUPS_MOST; i++)
        free_block(&s->block[i]);
    free_block(&s->text);
    free(s->marks);
    free(s);
}

static bool on_hit(void *own, uint32_t layer, struct slice line)
{
    struct logrules_scan *s = own;
    const struct block *b = s->at;
    size_t at = (size_t)(line.at - b->bytes);
    size_t low = 0;
    size_t high = b->lines;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (b->from[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    s->marks[b->line[low]] |= (uint8_t)(1u << layer);
    return false;
}

static enum logrules_verdict verdict_of(unsigned marks)
{
    if (marks & 1u << LOGRULES_ATTACK && !(marks & 1u << LOGRULES_ATTACK_NOT))
        return LOGRULES_ATTACKS;
    if (marks & 1u << LOGRULES_VIOLATION && !(marks & 1u << LOGRULES_VIOLATION_NOT))
        return LOGRULES_VIOLATES;
    return marks & 1u << LOGRULES_IGNORE ? LOGRULES_HARMLESS : LOGRULES_UNKNOWN;
}

/* What waits in a group's block is held against its rules. */
static int hold_against(struct logrules_scan *s, size_t group, struct block *lines, struct err *e)
{
    struct patterns *set = s->r->group[group].set;
    struct block *b = &s->block[group];

    if (lines->lines == 0 || patterns_count(set) == 0)
        return 0;
    if (!b->scan && patterns_compile(set, e) == 0)
        b->scan = patterns_scan_new(set, e);
    s->at = lines;
    return b->scan ? patterns_block(b->scan, slice_of(lines->bytes, lines->len), on_hit, s, e) : -1;
}

int logrules_flush(struct logrules_scan *s, struct err *e)
{
    const struct block *b = &s->text;
    int status = 0;

    for (size_t i = 0; i < s->r->groups; i++) {
        struct block *k = i == SHORT ? &s->text : &s->block[i];

        if (status == 0)
            status = hold_against(s, i, k, e);
        if (i != SHORT)
            k->lines = k->len = 0;
    }
    for (size_t i = 0; status == 0 && i < s->lines; i++) {
        size_t end = i + 1 < s->lines ? b->from[i + 1] : b->len;

        s->judged(s->own, verdict_of(s->marks[i]), slice_of(b->bytes + b->from[i], end - b->from[i] - 1));
    }
    memset(s->marks, 0, s->lines);
    s->lines = s->text.lines = s->text.len = 0;
    return status;
}

static int make_room(struct block *b, size_t bytes, struct err *e)
{
    if (b->cap - b->len < bytes) {
        size_t cap = 2 * b->cap > b->len + bytes ? 2 * b->cap : b->len + bytes;
        uint8_t *to = realloc(b->bytes, cap);

        if (!to)
            return err_set(e, ENOMEM, "rules");
        b->bytes = to;
        b->cap = cap;
    }
    if (b->lines == b->lines_cap) {
        size_t cap = b->lines_cap ? 2 * b->lines_cap : 256;
        uint32_t *from = reallocarray(b->from, cap, sizeof(*from));
        uint32_t *line;

        if (!from)
            return err_set(e, ENOMEM, "rules");
        b->from = from;
        line = reallocarray(b->line, cap, sizeof(*line));
        if (!line)
            return err_set(e, ENOMEM, "rules");
        b->line = line;
        b->lines_cap = cap;
    }
    return 0;
}

/* A line out of `parts`. */
static int put(struct logrules_scan *s, struct block *b, const struct slice *parts, size_t n, struct err *e)
{
    size_t len = 1;

    for (size_t i = 0; i < n; i++)
        len += parts[i].len;
    if (make_room(b, len, e) < 0)
        return -1;
    b->from[b->lines] = (uint32_t)b->len;
    b->line[b->lines++] = (uint32_t)s->lines;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].len > 0)
            memcpy(b->bytes + b->len, parts[i].at, parts[i].len);
        b->len += parts[i].len;
    }
    b->bytes[b->len++] = '\n';
    return 0;
}

/* A newline inside the line that was put last is a blank to the rules. */
static void flatten(struct block *b)
{
    uint8_t *to = b->bytes + b->from[b->lines - 1];
    uint8_t *end = b->bytes + b->len - 1;

    while ((to = memchr(to, '\n', (size_t)(end - to))) != NULL)
        *to++ = ' ';
}

/* Into the group of that name, if there is one. */
static int put_into(struct logrules_scan *s, size_t group, struct slice subject, struct err *e)
{
    return group == SHORT ? 0 : put(s, &s->block[group], &subject, 1, e);
}

int logrules_line(struct logrules_scan *s, const struct log_line *l, struct err *e)
{
    enum { LONGEST = LOGRULES_BATCH / 2 };
    const struct logrules *r = s->r;
    char pid[16];
    char name[NAME_MOST];
    struct slice parts[4] = {
        slice_first(l->program, LONGEST / 4), { NULL, 0 }, { NULL, 0 }, slice_first(l->text, LONGEST)
    };
    struct slice subject;

    if ((s->lines == LINES_MOST || s->text.len > LOGRULES_BATCH) && logrules_flush(s, e) < 0)
        return -1;
    if (l->pid > 0)
        parts[1] = slice_of(pid, (size_t)snprintf(pid, sizeof(pid), "[%u]", l->pid));
    if (l->program.len > 0)
        parts[2] = SLICE(": ");
    if (put(s, &s->text, parts, 4, e) < 0)
        return -1;
    flatten(&s->text);
    subject = slice_of(s->text.bytes + s->text.from[s->lines], s->text.len - 1 - s->text.from[s->lines]);
    if (l->program.len > 0 && l->program.len < NAME_MOST) {
        memcpy(name, l->program.at, l->program.len);
        name[l->program.len] = l->pid > 0 ? '[' : ':';
        if (put_into(s, find_group(r, slice_of(name, l->program.len + 1)),
                     slice_skip(subject, subject.len - parts[3].len), e) < 0)
            return -1;
    }
    if ((subject.len >= LEAD && put_into(s, find_group(r, slice_first(subject, LEAD)), subject, e) < 0) ||
        (patterns_count(r->group[WHOLE].set) > 0 && put_into(s, WHOLE, slice_first(l->raw, LONGEST), e) < 0))
        return -1;
    if (s->block[WHOLE].lines > 0)
        flatten(&s->block[WHOLE]);
    s->lines++;
    return 0;
}
