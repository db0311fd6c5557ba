/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that are not as their packages, or a healthy twin, have them.
 *
 * A helper does it all, since the files may lie on a sick disk.  Every file
 * is looked at; read and hashed are only those that are not exactly as they
 * were (device, inode, size and both times) when they were hashed last.  The
 * change time can't be set by programs, so a file that was put back is read.
 * A folder is opened once for all its files that follow each other.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "sense/xray/hashed.h"
#include "sense/xray/inner.h"
#include "sys/clock.h"
#include "wire/sums.h"

enum {
    FILES_MOST = HASHED_MOST,
    PACKAGES_MOST = 60000,
    SAID_MOST = 400, /* of each kind */
    KINDS = 6,
    THREADS_MOST = 8,
    RULES_MOST = 200,
    DIGEST_MOST = HASHED_DIGEST,
    AT_ONCE = 128, /* files that a thread takes */
    PATIENCE_S = 300,
    MODE_SLACK_S = 3600,
};
static const char info[] = "/var/lib/dpkg/info";
static const char cache_path[] = "/var/lib/serviola/xray/packages.cache";

static const char *const kinds[KINDS] = { "changed", "mode", "missing", "unpackaged", "configuration", "unreadable" };

struct package {
    struct slice name, version;
    int64_t unpacked_s; /* when its list of files was written */
};

enum outcome { NOT_LOOKED_AT, AS_IT_SHOULD, CHANGED, MISSING, UNREADABLE };

struct file {
    struct slice path; /* without the first '/' */
    uint32_t package;
    bool is_configuration;
    uint8_t digest_len;
    uint8_t digest[DIGEST_MOST]; /* as it should be */
    enum outcome outcome;
    bool mode_changed, was_hashed, is_news; /* is_news: it will be known the next time */
    uint32_t mode;
    int64_t changed_s;
};

struct check {
    int fd; /* where records go */
    const char *against;
    struct file *file; /* owned */
    size_t files, files_cap;
    struct package *package; /* owned */
    size_t packages;
    struct hashed_kept old;
    struct hashed *now;     /* owned; one for each file, in their order */
    char *rule[RULES_MOST]; /* of dpkg's path-exclude (-) and path-include (+) */
    size_t rules;
    uint64_t *listed; /* owned: hashes of all names in folders of programs, sorted */
    size_t listed_count, listed_cap;
    atomic_size_t next;
    unsigned said[KINDS];
};

/* --- reading what should be */

static struct slice read_whole(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    uint8_t *at = NULL;
    ssize_t n = 0;

    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size < 1 << 30 && (at = malloc((size_t)st.st_size)))
        n = read(fd, at, (size_t)st.st_size);
    if (fd >= 0)
        close(fd);
    return slice_of(at, n > 0 ? (size_t)n : 0); /* kept until the helper ends */
}

static struct file *add_file(struct check *c)
{
    if (c->files == c->files_cap && c->files < FILES_MOST) {
        size_t cap = c->files_cap ? 2 * c->files_cap : 16384;
        struct file *more = reallocarray(c->file, cap, sizeof(*more));

        if (more) {
            c->file = more;
            c->files_cap = cap;
        }
    }
    if (c->files == c->files_cap)
        return NULL;
    return memset(&c->file[c->files++], 0, sizeof(struct file));
}

static uint8_t digit(uint8_t c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void add_sum(struct check *c, struct slice path, struct slice digits, size_t package, bool is_configuration)
{
    struct file *f = add_file(c);

    if (!f)
        return;
    f->path = path;
    f->package = (uint32_t)package;
    f->is_configuration = is_configuration;
    f->digest_len = (uint8_t)(digits.len / 2);
    for (size_t i = 0; i < f->digest_len && i < DIGEST_MOST; i++)
        f->digest[i] = (uint8_t)(digit(digits.at[2 * i]) << 4 | digit(digits.at[2 * i + 1]));
}

static size_t package_of(struct check *c, struct slice name)
{
    struct slice rest;
    struct slice bare = slice_until(name, ':', &rest); /* "libc6:amd64" */
    size_t low = 0;
    size_t high = c->packages;

    /* In dpkg's status they stand in some order of its own: sorted after reading. */
    while (low < high) {
        size_t half = (low + high) / 2;
        size_t n = bare.len < c->package[half].name.len ? bare.len : c->package[half].name.len;
        int order = memcmp(c->package[half].name.at, bare.at, n);

        if (order == 0)
            order = c->package[half].name.len < bare.len ? -1 : c->package[half].name.len > bare.len;
        if (order == 0)
            return half;
        if (order < 0)
            low = half + 1;
        else
            high = half;
    }
    return c->packages; /* unknown: the last one is empty */
}

static int by_name(const void *a, const void *b)
{
    const struct package *x = a;
    const struct package *y = b;
    size_t n = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = memcmp(x->name.at, y->name.at, n);

    return order ? order : x->name.len < y->name.len ? -1 : x->name.len > y->name.len;
}

static void read_status(struct check *c)
{
    struct slice text = read_whole("/var/lib/dpkg/status");
    struct slice rest = text;
    struct status_line l;
    size_t last;

    c->package = calloc(PACKAGES_MOST + 1, sizeof(*c->package));
    if (!c->package)
        return;
    for (status_next(&rest, &l); l.kind != STATUS_END && c->packages < PACKAGES_MOST; status_next(&rest, &l)) {
        if (l.kind == STATUS_PACKAGE)
            c->package[c->packages++].name = l.value;
        else if (l.kind == STATUS_VERSION && c->packages > 0)
            c->package[c->packages - 1].version = l.value;
    }
    qsort(c->package, c->packages, sizeof(*c->package), by_name);
    for (rest = text, status_next(&rest, &l), last = c->packages; l.kind != STATUS_END; status_next(&rest, &l)) {
        if (l.kind == STATUS_PACKAGE)
            last = package_of(c, l.value);
        else if (l.kind == STATUS_CONFIGURATION)
            add_sum(c, slice_skip(l.value, 1), l.digits, last, true);
    }
}

/* /bin/x and /usr/bin/x are one since the folders were merged. */
static uint64_t name_key(struct slice path)
{
    while (path.len > 0 && path.at[0] == '/')
        path = slice_skip(path, 1);
    if (path.len > 4 && memcmp(path.at, "usr/", 4) == 0)
        path = slice_skip(path, 4);
    return hash_bytes(path.at, path.len, 1);
}

static void remember_name(struct check *c, struct slice path)
{
    if (c->listed_count == c->listed_cap) {
        size_t cap = c->listed_cap ? 2 * c->listed_cap : 8192;
        uint64_t *more = reallocarray(c->listed, cap, sizeof(*more));

        if (!more)
            return;
        c->listed = more;
        c->listed_cap = cap;
    }
    c->listed[c->listed_count++] = name_key(path);
}

static bool is_program(struct slice path)
{
    static const char *const folders[] = { "/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/" };

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        if (path.len > strlen(folders[i]) && memcmp(path.at, folders[i], strlen(folders[i])) == 0)
            return true;
    return false;
}

static bool is_program_file(const struct file *f)
{
    char path[300];
    struct text t = TEXT_IN(path);

    text_word(&t, "/");
    text_add(&t, f->path);
    return is_program(slice_of(path, t.len));
}

static void read_lists(struct check *c)
{
    DIR *d = opendir(info);
    const struct dirent *entry;

    while (d && (entry = readdir(d))) {
        size_t len = strlen(entry->d_name);
        bool sums = len > 8 && strcmp(entry->d_name + len - 8, ".md5sums") == 0;
        bool list = len > 5 && strcmp(entry->d_name + len - 5, ".list") == 0;
        size_t package;
        struct slice text;
        struct sum_line s;
        struct stat st;
        char path[512];

        if (!sums && !list)
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", info, entry->d_name);
        text = read_whole(path);
        package = package_of(c, slice_of(entry->d_name, len - (sums ? 8 : 5)));
        if (list && stat(path, &st) == 0)
            c->package[package].unpacked_s = st.st_ctime;
        while (text.len > 0) {
            struct slice line = slice_until(text, '\n', &text);

            if (list && is_program(line))
                remember_name(c, line);
            else if (sums && sum_line_read(line, &s))
                add_sum(c, s.path, s.digits, package, false);
        }
    }
    if (d)
        (void)closedir(d);
}

/* Where another package put something else in its place: both names are known. */
static void read_diversions(struct check *c)
{
    struct slice text = read_whole("/var/lib/dpkg/diversions");

    while (text.len > 0) {
        struct slice from = slice_until(text, '\n', &text);
        struct slice to = slice_until(text, '\n', &text);
        struct slice by = slice_until(text, '\n', &text);
        size_t package = package_of(c, by);

        remember_name(c, to);
        for (size_t i = 0; i < c->files; i++)
            if (slice_eq(c->file[i].path, slice_skip(from, 1)) && c->file[i].package != package)
                c->file[i].path = slice_skip(to, 1);
    }
}

static void read_rules_of(struct check *c, const char *path)
{
    struct slice text = read_whole(path);

    while (text.len > 0 && c->rules < RULES_MOST) {
        struct slice line = slice_trim(slice_until(text, '\n', &text));
        struct slice pattern;
        struct slice key = slice_trim(slice_until(line, '=', &pattern));
        bool out = slice_eq(key, SLICE("path-exclude"));
        char *rule;

        pattern = slice_trim(pattern);
        if ((!out && !slice_eq(key, SLICE("path-include"))) || !(rule = calloc(1, pattern.len + 2)))
            continue;
        rule[0] = out ? '-' : '+';
        memcpy(rule + 1, pattern.at, pattern.len);
        c->rule[c->rules++] = rule;
    }
}

static void read_rules(struct check *c)
{
    DIR *d = opendir("/etc/dpkg/dpkg.cfg.d");
    const struct dirent *entry;

    read_rules_of(c, "/etc/dpkg/dpkg.cfg");
    while (d && (entry = readdir(d))) {
        char path[512];

        (void)snprintf(path, sizeof(path), "/etc/dpkg/dpkg.cfg.d/%s", entry->d_name);
        read_rules_of(c, path);
    }
    if (d)
        (void)closedir(d);
}

/* dpkg was told not to unpack it: the last rule that fits counts. */
static bool was_left_out(const struct check *c, const char *path)
{
    bool out = false;

    for (size_t i = 0; i < c->rules; i++)
        if (fnmatch(c->rule[i] + 1, path, 0) == 0)
            out = c->rule[i][0] == '-';
    return out;
}

static void read_twin(struct check *c)
{
    struct slice text = read_whole(c->against);
    struct sum_line s;

    while (text.len > 0)
        if (sum_line_read(slice_until(text, '\n', &text), &s)) {
            char path[4200];
            struct text t = TEXT_IN(path);

            text_word(&t, "/");
            text_add(&t, s.path);
            add_sum(c, s.path, s.digits, c->packages, false);
            if (is_program(slice_of(path, t.len)))
                remember_name(c, s.path);
        }
}

/* --- what was hashed before */

static void read_cache(struct check *c)
{
    struct snap_note n = { .part = SLICE("package") };
    char words[120];
    const char *why;

    if (hashed_read(cache_path, &c->old, &why) || !why)
        return;
    (void)snprintf(words, sizeof(words), "what was hashed before %s: all files are read again", why);
    n.text = slice_text(words);
    helper_say_record(c->fd, SNAP_NOTE, &n);
}

static void write_cache(struct check *c)
{
    (void)mkdir("/var/lib/serviola", 0755);
    (void)mkdir("/var/lib/serviola/xray", 0700);
    (void)hashed_write(cache_path, c->now, c->files);
}

/* --- looking */

static bool hash_file(const char *path, size_t digest_len, uint8_t digest[DIGEST_MOST])
{
    static _Thread_local uint8_t room[256 << 10];
    const EVP_MD *kind = digest_len == 32 ? EVP_sha256() : EVP_md5();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    unsigned len = 0;
    ssize_t n = -1;

    if (ctx && fd >= 0 && EVP_DigestInit_ex(ctx, kind, NULL) == 1) {
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        while ((n = read(fd, room, sizeof(room))) > 0)
            (void)EVP_DigestUpdate(ctx, room, (size_t)n);
        if (n == 0 && EVP_DigestFinal_ex(ctx, digest, &len) != 1)
            n = -1;
    }
    if (fd >= 0)
        close(fd);
    EVP_MD_CTX_free(ctx);
    return n == 0 && len == digest_len;
}

static int64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Where a thread looked last. */
struct folder {
    int fd; /* -1: none, or it can't be opened */
    size_t len;
    size_t behind;   /* how far what was hashed lies behind the place of its file now; it wraps */
    char path[4200]; /* with the last '/' */
};

/* Does it lie in the folder of `path`, which is `len` bytes long with the last '/'? */
static bool is_beside(const struct file *f, const char *path, size_t len)
{
    return f->path.len > len && memcmp(f->path.at, path + 1, len - 1) == 0 &&
           !memchr(f->path.at + len - 1, '/', f->path.len - (len - 1));
}

/*
 * As stat does, from the folder where the file before was: the way to it is
 * walked once.  A folder where the next one is not is not worth being opened.
 */
static int look(struct folder *d, const char *path, const struct file *next, struct stat *st)
{
    const char *name = strrchr(path, '/') + 1;
    size_t len = (size_t)(name - path);

    if (*name == '\0')
        return stat(path, st);
    if (len != d->len || memcmp(path, d->path, len) != 0) {
        if (!next || !is_beside(next, path, len))
            return stat(path, st);
        if (d->fd >= 0)
            close(d->fd);
        memcpy(d->path, path, len);
        d->path[len] = '\0';
        d->len = len;
        d->fd = open(d->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    return d->fd >= 0 ? fstatat(d->fd, name, st, 0) : stat(path, st);
}

static void look_at(struct check *c, struct folder *d, struct file *f, const struct file *next, struct hashed *m)
{
    char path[4200];
    struct text t = TEXT_IN(path);
    struct stat st;
    size_t place;
    bool known;

    text_word(&t, "/");
    text_add(&t, f->path);
    memset(m, 0, sizeof(*m));
    m->path = hash_bytes(path, t.len, f->digest_len);
    if (t.cut || look(d, path, next, &st) < 0) {
        f->outcome = t.cut || (errno != ENOENT && errno != ENOTDIR) ? UNREADABLE
                   : was_left_out(c, path)                          ? AS_IT_SHOULD
                                                                    : MISSING;
        return;
    }
    hashed_look(m, &st);
    f->mode = st.st_mode;
    f->changed_s = st.st_ctime;
    f->mode_changed = (st.st_mode & (S_ISUID | S_ISGID)) != 0 && c->package[f->package].unpacked_s > 0 &&
                      st.st_ctime > c->package[f->package].unpacked_s + MODE_SLACK_S;
    place = (size_t)(f - c->file) + d->behind;
    known = hashed_recall(&c->old, &place, m);
    d->behind = place - (size_t)(f - c->file);
    if (!known) {
        int64_t begun_ns = now_ns();

        f->was_hashed = true;
        if (!S_ISREG(st.st_mode) || !hash_file(path, f->digest_len, m->digest)) {
            m->path = 0;
            f->outcome = UNREADABLE;
            return;
        }
        f->is_news = hashed_is_settled(m, begun_ns);
        if (!f->is_news)
            m->path = 0; /* what is written now may bear the same time: it is read again */
    }
    f->outcome = memcmp(m->digest, f->digest, f->digest_len) == 0 ? AS_IT_SHOULD : CHANGED;
}

static void *worker(void *own)
{
    struct folder d = { .fd = -1 };
    struct check *c = own;
    size_t from;

    while ((from = atomic_fetch_add(&c->next, AT_ONCE)) < c->files)
        for (size_t i = from; i < from + AT_ONCE && i < c->files; i++)
            look_at(c, &d, &c->file[i], i + 1 < c->files ? &c->file[i + 1] : NULL, &c->now[i]);
    if (d.fd >= 0)
        close(d.fd);
    return NULL;
}

static void look_at_all(struct check *c)
{
    pthread_t thread[THREADS_MOST];
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t started = 0;

    while (started + 1 < (size_t)(cpus < THREADS_MOST ? cpus : THREADS_MOST) &&
           pthread_create(&thread[started], NULL, worker, c) == 0)
        started++;
    (void)worker(c);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(thread[i], NULL);
}

/* --- saying */

static void hex_words(struct text *t, const uint8_t *digest, size_t len)
{
    for (size_t i = 0; i < len; i++)
        text_addf(t, "%02x", digest[i]);
}

static bool may_say(struct check *c, const char *what)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i], what) == 0)
            return c->said[i]++ < SAID_MOST;
    return false;
}

/* What was found, and not said, is said as a number. */
static void say_rest(struct check *c)
{
    for (size_t i = 0; i < KINDS; i++) {
        char words[80];
        struct snap_note n = { .part = SLICE("package") };

        if (c->said[i] <= SAID_MOST)
            continue;
        (void)snprintf(words, sizeof(words), "%s: %u more did not fit", kinds[i], c->said[i] - SAID_MOST);
        n.text = slice_text(words);
        helper_say_record(c->fd, SNAP_NOTE, &n);
    }
}

static void say(struct check *c, const struct file *f, const char *what, const char *is, const char *should)
{
    char path[4200];
    struct text t = TEXT_IN(path);
    struct snap_package p = { .what = slice_text(what), .is = slice_text(is), .should = slice_text(should) };

    if (!may_say(c, what))
        return;
    text_word(&t, "/");
    text_add(&t, f->path);
    p.path = slice_of(path, t.len);
    p.package = c->package[f->package].name;
    p.version = c->package[f->package].version;
    p.changed_s = f->changed_s;
    helper_say_record(c->fd, SNAP_PACKAGE, &p);
}

static bool has_to_say(const struct file *f)
{
    return f->outcome != AS_IT_SHOULD || f->mode_changed;
}

static void say_file(struct check *c, const struct file *f, const struct hashed *m)
{
    char is[2 * DIGEST_MOST + 1];
    char should[2 * DIGEST_MOST + 1];
    struct text a = TEXT_IN(is);
    struct text b = TEXT_IN(should);

    if (f->outcome == MISSING && !f->is_configuration)
        say(c, f, "missing", "", "");
    else if (f->outcome == UNREADABLE && !f->is_configuration)
        say(c, f, "unreadable", "", "");
    else if (f->outcome == CHANGED) {
        hex_words(&a, m->digest, f->digest_len);
        hex_words(&b, f->digest, f->digest_len);
        say(c, f, f->is_configuration ? "configuration" : "changed", is, should);
    }
    if (f->mode_changed) {
        a = TEXT_IN(is);
        text_addf(&a, "%04o", f->mode & 07777);
        say(c, f, "mode", is, "as the package set it: the bits were changed since");
    }
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Programs that no package, or twin, knows. */
static void say_unpackaged(struct check *c)
{
    static const char *const folders[] = { "/usr/bin", "/usr/sbin", "/bin", "/sbin" };

    if (c->listed_count == 0)
        return;
    qsort(c->listed, c->listed_count, sizeof(*c->listed), by_value);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        struct stat st;
        DIR *d = lstat(folders[i], &st) == 0 && S_ISDIR(st.st_mode) ? opendir(folders[i]) : NULL;
        const struct dirent *entry;

        while (d && (entry = readdir(d))) {
            struct file f = { .package = (uint32_t)c->packages };
            char path[512];
            uint64_t key;

            (void)snprintf(path, sizeof(path), "%s/%s", folders[i], entry->d_name);
            key = name_key(slice_text(path));
            if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
                bsearch(&key, c->listed, c->listed_count, sizeof(key), by_value))
                continue;
            f.path = slice_skip(slice_text(path), 1);
            f.changed_s = st.st_ctime;
            say(c, &f, "unpackaged", "", "");
        }
        if (d)
            (void)closedir(d);
    }
}

static void compare(int fd, const void *ctx)
{
    static struct check c;
    size_t hashed = 0;
    size_t news = 0;
    struct snap_gauge g = { .name = SLICE("packages.files") };

    c.fd = fd;
    c.against = ctx;
    read_status(&c);
    if (c.against)
        read_twin(&c);
    else {
        read_lists(&c);
        read_diversions(&c);
        read_rules(&c);
    }
    c.now = calloc(c.files + 1, sizeof(*c.now));
    if (!c.package || !c.now)
        return;
    read_cache(&c);
    look_at_all(&c);
    for (size_t i = 0; i < c.files; i++) {
        hashed += c.file[i].was_hashed;
        news += c.file[i].is_news;
    }
    say_unpackaged(&c);
    for (int pass = 0; pass < 2; pass++) /* programs first: there may be more than is said */
        for (size_t i = 0; i < c.files; i++)
            if (has_to_say(&c.file[i]) && is_program_file(&c.file[i]) == (pass == 0))
                say_file(&c, &c.file[i], &c.now[i]);
    say_rest(&c);
    g.value = c.files;
    helper_say_record(fd, SNAP_GAUGE, &g);
    g.name = SLICE("packages.hashed");
    g.value = hashed;
    helper_say_record(fd, SNAP_GAUGE, &g);
    if (news > 0 && !c.against)
        write_cache(&c);
}

void xray_packages(struct xray *x, const char *against)
{
    struct helper h;

    if (against && access(against, R_OK) < 0) {
        snap_note(x->s, "package", "the manifest can't be read: %s", strerror(errno));
        return;
    }
    if (!helper_start(&h, compare, against)) {
        snap_note(x->s, "package", "no process to compare files");
        return;
    }
    helper_collect(&h, 1, clock_mono_us() / 1000 + PATIENCE_S * 1000);
    helper_records(&h, x->s);
    if (!h.ended)
        snap_note(x->s, "package", "comparing files was given up after %d s, or found too much", PATIENCE_S);
    helper_done(&h);
}
