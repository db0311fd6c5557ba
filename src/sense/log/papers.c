/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/papers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_open(const char *path, int fd, struct paper *p, struct err *e)
{
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) < 0)
        return err_set(e, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, 0, "%s is no file", path);
    for (p->len = 0; p->len < PAPER_MOST; p->len += (uint32_t)n) {
        n = read(fd, p->text + p->len, PAPER_MOST - p->len);
        if (n < 0)
            return err_set(e, errno, "%s", path);
        if (n == 0)
            break;
    }
    if (p->len == 0 || p->len == PAPER_MOST)
        return err_set(e, 0, "%s has %s in it; a PEM text of 1 to %d bytes is expected", path,
                       p->len == 0 ? "nothing" : "too much", PAPER_MOST - 1);
    if (!memmem(p->text, p->len, "-----BEGIN ", 11))
        return err_set(e, 0, "%s is no PEM text: it has no line -----BEGIN ...", path);
    return 0;
}

static int read_file(const char *path, struct paper *p, struct err *e)
{
    int fd;
    int result;

    if (!path[0])
        return 0;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return err_set(e, errno, "%s", path);
    result = read_open(path, fd, p, e);
    (void)close(fd);
    return result;
}

static int check_named(const struct log_settings *s, struct err *e)
{
    if (!s->certificate[0] || !s->key[0])
        return err_set(e, 0,
                       "tls needs a certificate and its key; name their files, "
                       "log: { certificates: { certificate: FILE, key: FILE } }");
    if (s->client != LOG_CLIENT_ANY && !s->clients[0])
        return err_set(e, 0,
                       "tls with client certificates needs who signs them, "
                       "log: { certificates: { clients: FILE } }; or say client: any");
    return 0;
}

int papers_read(struct papers *p, const struct log_settings *s, struct err *e)
{
    struct papers *fresh = calloc(1, sizeof(*fresh));
    int result = fresh ? 0 : err_set(e, ENOMEM, "log");

    if (result == 0 && s->mode != LOG_OFF && s->tls.count > 0) {
        const struct {
            const char *path, *key;
            struct paper *to;
        } files[] = { { s->certificate, "certificate", &fresh->certificate },
                      { s->key, "key", &fresh->key },
                      { s->clients, "clients", &fresh->clients },
                      { s->revoked, "revoked", &fresh->revoked } };

        result = check_named(s, e) < 0 ? err_wrap(e, "log") : 0;
        for (size_t i = 0; result == 0 && i < sizeof(files) / sizeof(files[0]); i++)
            if (read_file(files[i].path, files[i].to, e) < 0)
                result = err_wrap(e, "log.certificates.%s", files[i].key);
    }
    if (result == 0)
        memcpy(p, fresh, sizeof(*p));
    if (fresh)
        papers_forget(fresh);
    free(fresh);
    return result;
}

void papers_forget(struct papers *p)
{
    explicit_bzero(p, sizeof(*p));
}

struct slice paper_text(const struct paper *p)
{
    return slice_of(p->text, p->len <= PAPER_MOST ? p->len : 0);
}
