/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/papers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sys/pemtext.h"

static int read_file(const char *path, struct paper *p, struct err *e)
{
    ssize_t len = path[0] ? pemtext_read(path, (char *)p->text, sizeof(p->text), NULL, e) : 0;

    p->len = len > 0 ? (uint32_t)len : 0;
    return len < 0 ? -1 : 0;
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
