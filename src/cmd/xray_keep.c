/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/xray_keep.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/words.h"
#include "core/settings.h"
#include "journal/seal.h"
#include "sys/clock.h"
#include "sys/say.h"

enum { PATIENCE_MS = 5000 };

/* --- who signs */

/* The journal's key, when there is one that we may read. */
static bool load_keys(const struct common_options *o, struct seal_keys *keys, char why[200])
{
    struct house_settings *conf = calloc(1, sizeof(*conf));
    struct conf_faults *faults = calloc(1, sizeof(*faults));
    struct text t = text_in(why, 200);
    struct err e;
    int dir = -1;
    bool loaded = false;

    if (!conf || !faults)
        goto out;
    (void)settings_read(settings_path(o->conf), conf, faults);
    dir = open(conf->journal.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        text_addf(&t, "no journal in %s: %s", conf->journal.folder, strerror(errno));
    else if (seal_start(&e) < 0 || seal_keys_load(dir, keys, &e) < 0)
        text_addf(&t, "no key of the journal in %s: %s", conf->journal.folder, e.text);
    else
        loaded = true;
out:
    if (dir >= 0)
        close(dir);
    free(conf);
    free(faults);
    return loaded;
}

/* --- writing: a child waits for the disk in our place */

struct answer {
    int status;
    struct err e;
};

static int ask_child(int from, pid_t child, struct err *e)
{
    struct pollfd p = { .fd = from, .events = POLLIN };
    struct answer a;

    if (poll(&p, 1, PATIENCE_MS) == 1 && read(from, &a, sizeof(a)) == (ssize_t)sizeof(a)) {
        (void)waitpid(child, NULL, 0);
        if (a.status < 0)
            *e = a.e;
        return a.status;
    }
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, WNOHANG); /* in state D it dies when the disk lets it */
    return err_set(e, 0, _("the disk does not answer within %d s"), PATIENCE_MS / 1000);
}

int xray_keep_bytes(const struct snap_bytes *b, const char *path, bool replace, struct err *e)
{
    int ends[2];
    pid_t child;
    int status;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set(e, errno, "pipe");
    child = fork();
    if (child == 0) {
        struct answer a = { .status = 0 };

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        a.status = snap_write(path, replace, b, &a.e);
        _exit(write(ends[1], &a, sizeof(a)) == (ssize_t)sizeof(a) ? 0 : 1);
    }
    close(ends[1]);
    status = child < 0 ? err_set(e, errno, "fork") : ask_child(ends[0], child, e);
    close(ends[0]);
    return status;
}

int xray_keep_at(const struct snap *s, const char *path, const struct xray_keep *how, struct err *e)
{
    struct seal_keys keys;
    char why[200] = "";
    struct snap_signer signer = { .keys = NULL, .why = why };
    struct snap_bytes file;
    int status;

    if (load_keys(how->common, &keys, why))
        signer.keys = &keys;
    status = snap_pack_signed(s, how->command, &signer, &file, e);
    seal_keys_forget(&keys);
    if (status == 0) {
        status = xray_keep_bytes(&file, path, how->replace, e);
        snap_bytes_done(&file);
    }
    return status < 0 ? err_wrap(e, _("the picture was not kept")) : 0;
}

/* Letters, digits, dots and dashes of the host's name, and the time. */
static void default_name(const struct snap *s, const char *folder, struct text *t)
{
    struct slice host = slice_first(snap_host(s)->name, 64);
    char when[40];
    struct text stamp = TEXT_IN(when);

    text_addf(t, "%s/", folder);
    for (size_t i = 0; i < host.len; i++) {
        char c = (char)host.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     (c == '.' && i > 0);

        text_addf(t, "%c", plain ? c : '_');
    }
    text_time(&stamp, snap_host(s)->begun_us, 3);
    text_word(t, "-");
    for (size_t i = 0; i < stamp.len; i++)
        if (when[i] != ':' && when[i] != '-')
            text_addf(t, "%c", when[i]);
    text_word(t, ".xray");
}

/* The folders too may lie on the disk that hangs. */
static void make_folders(const char *above, const char *folder)
{
    pid_t child = fork();
    int64_t deadline_us = clock_mono_us() + (int64_t)PATIENCE_MS * 1000;

    if (child == 0) {
        (void)mkdir(above, 0755);
        (void)mkdir(folder, 0700);
        _exit(0);
    }
    while (child > 0 && waitpid(child, NULL, WNOHANG) == 0 && clock_mono_us() < deadline_us)
        (void)poll(NULL, 0, 1);
}

int xray_keep_usual(const struct snap *s, const struct xray_keep *how)
{
    static const char *const folders[][2] = { { "/var/lib/serviola", "/var/lib/serviola/xray" },
                                              { "/run/serviola", "/run/serviola/xray" } };
    struct err e;

    for (size_t i = 0; i < 2; i++) {
        char path[256];
        struct text t = TEXT_IN(path);

        make_folders(folders[i][0], folders[i][1]);
        default_name(s, folders[i][1], &t);
        if (xray_keep_at(s, path, how, &e) == 0) {
            if (!how->common->json)
                (void)printf(_("The picture is kept: %s\n"), path);
            return 0;
        }
        say("%s: %s", path, e.text);
    }
    return -1;
}
