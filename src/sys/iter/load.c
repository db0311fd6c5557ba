/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/iter/load.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Woverlength-strings"
#include "sys/iter/walk.skel.h" /* made by bpftool */
#pragma GCC diagnostic pop

enum { LINKS_FROM = 64 }; /* whoever moves them to fixed numbers, meets none of them there */

/* What libbpf says goes to nobody: the error's number is told. */
static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
    (void)level;
    (void)format;
    (void)args;
    return 0;
}

static int attach(struct walk *w, int link[ITER_LINKS], struct err *e)
{
    const struct bpf_program *const programs[ITER_LINKS] = { w->progs.walk_tasks, w->progs.walk_files,
                                                             w->progs.walk_tcp,   w->progs.walk_udp,
                                                             w->progs.walk_unix,  w->progs.walk_glance };

    for (size_t i = 0; i < ITER_LINKS; i++) {
        struct bpf_link *l = bpf_program__attach_iter(programs[i], NULL);

        if (!l)
            return err_set(e, errno, "attach %s", bpf_program__name(programs[i]));
        link[i] = fcntl(bpf_link__fd(l), F_DUPFD_CLOEXEC, LINKS_FROM); /* it keeps its program, which keeps its map */
        (void)bpf_link__destroy(l);
        if (link[i] < 0)
            return err_set(e, errno, "a descriptor");
    }
    return 0;
}

int iter_load(int link[ITER_LINKS], struct err *e)
{
    libbpf_print_fn_t before = libbpf_set_print(quiet);
    struct walk *w = NULL;
    int status = -1;

    for (size_t i = 0; i < ITER_LINKS; i++)
        link[i] = -1;
    w = walk__open();
    if (!w)
        err_set(e, errno, "open");
    else if (walk__load(w) < 0)
        err_set(e, errno, "load");
    else
        status = attach(w, link, e);
    if (status < 0)
        iter_unload(link);
    walk__destroy(w);
    (void)libbpf_set_print(before);
    return status;
}
