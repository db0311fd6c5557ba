/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which packages are installed, and to which belongs what listens.  A helper reads dpkg's files: they may hang. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sense/xray/inner.h"
#include "sys/clock.h"
#include "wire/installed.h"

enum { PROGRAMS_MOST = 64, PATIENCE_MS = 5000 };

struct programs {
    struct slice at[PROGRAMS_MOST]; /* executables that listen */
    size_t count;
};

static void add_program(struct programs *all, struct slice exe)
{
    for (size_t i = 0; i < all->count; i++)
        if (slice_eq(all->at[i], exe))
            return;
    if (exe.len > 1 && all->count < PROGRAMS_MOST)
        all->at[all->count++] = exe;
}

static void find_programs(struct programs *all, const struct snap *s, const struct join *j)
{
    SNAP_LIST(s, SNAP_SOCKET, struct snap_socket, k)
    {
        const struct snap_process *p = k->remote.port == 0 && k->local.port != 0 ? join_process(j, k->pid) : NULL;

        if (p)
            add_program(all, p->exe);
    }
}

/* A file of dpkg; the helper ends soon after, and `*at` is freed by then. */
static struct slice read_file(const char *path, char **at)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    size_t len = 0;
    ssize_t n = 1;

    *at = NULL;
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size < 1 << 28)
        *at = malloc((size_t)st.st_size);
    while (*at && n > 0 && len < (size_t)st.st_size)
        if ((n = read(fd, *at + len, (size_t)st.st_size - len)) > 0)
            len += (size_t)n;
    if (fd >= 0)
        close(fd);
    return slice_of(*at, len);
}

static bool lists(struct slice list, struct slice path)
{
    const uint8_t *at = list.at;
    const uint8_t *end = list.at + list.len;

    while (at && (at = memmem(at, (size_t)(end - at), path.at, path.len))) {
        if ((at == list.at || at[-1] == '\n') && (at + path.len == end || at[path.len] == '\n'))
            return true;
        at++;
    }
    return false;
}

/* /usr/sbin/x may stand in the list as /sbin/x: a Debian whose folders were merged. */
static bool has(struct slice list, struct slice exe)
{
    struct slice bare = slice_skip(exe, 4);

    return lists(list, exe) || (slice_eq(slice_first(exe, 5), SLICE("/usr/")) && lists(list, bare));
}

/* Its list of files; where a package is there for several architectures it is `name:amd64.list`. */
static struct slice read_list(const struct installed *p, char **at)
{
    char path[512];
    struct text t = TEXT_IN(path);
    size_t named;

    text_word(&t, "/var/lib/dpkg/info/");
    text_add(&t, p->name);
    named = t.len;
    text_word(&t, ".list");
    if (access(path, R_OK) < 0) {
        t.len = named;
        text_word(&t, ":");
        text_add(&t, p->architecture);
        text_word(&t, ".list");
    }
    *at = NULL;
    return t.cut ? SLICE("") : read_file(path, at);
}

static void say_package(int fd, const struct installed *p, const struct programs *all)
{
    struct snap_installed record = { .name = p->name, .version = p->version, .architecture = p->architecture };
    char words[2048];
    struct text t = TEXT_IN(words);
    char *at = NULL;
    struct slice list = all->count > 0 ? read_list(p, &at) : SLICE("");

    for (size_t i = 0; i < all->count; i++)
        if (list.len > 0 && has(list, all->at[i])) {
            text_word(&t, t.len > 0 ? " " : "");
            text_add(&t, all->at[i]);
        }
    record.programs = slice_of(words, t.len);
    helper_say_record(fd, SNAP_INSTALLED, &record);
    free(at);
}

static void read_packages(int fd, const void *ctx)
{
    char *at;
    struct slice rest = read_file("/var/lib/dpkg/status", &at);
    struct installed p;

    while (installed_next(&rest, &p))
        say_package(fd, &p, ctx);
    free(at);
}

void xray_installed(struct snap *s)
{
    struct programs all = { .count = 0 };
    struct join *j = join_new(s, NULL);
    struct helper h;

    if (j)
        find_programs(&all, s, j);
    join_free(j);
    if (!helper_start(&h, read_packages, &all)) {
        snap_note(s, "installed", "no process to read the list of packages");
        return;
    }
    helper_collect(&h, 1, clock_mono_us() / 1000 + PATIENCE_MS);
    helper_records(&h, s);
    if (!h.ended)
        snap_note(s, "installed", "reading the list of packages was given up after %d s", PATIENCE_MS / 1000);
    helper_done(&h);
}
