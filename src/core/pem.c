/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/say.h"

/* A listener that ends TLS here, or NULL. */
static const struct gate_listener *ends_tls(const struct gate_settings *gate)
{
    for (uint32_t i = 0; i < gate->listeners_count; i++)
        if (gate->listeners[i].tls == GATE_TLS_END || gate->listeners[i].implicit_tls)
            return &gate->listeners[i];
    return NULL;
}

static int check_named(const struct gate_settings *gate, struct err *e)
{
    const struct gate_listener *l = ends_tls(gate);

    if (gate->certificate[0] && !gate->key[0])
        return err_set(e, 0, "gate: there is a certificate and no key; name its file, gate: { key: ... }");
    if (gate->key[0] && !gate->certificate[0])
        return err_set(e, 0, "gate: there is a key and no certificate; name its file, gate: { certificate: ... }");
    if (l && !gate->certificate[0])
        return err_set(e, 0,
                       "gate: listener %s ends TLS, which needs gate: { certificate: FILE, key: FILE }; "
                       "or give it tls: strip",
                       l->name);
    return 0;
}

static int read_text(const char *path, int fd, char room[GATE_PEM], size_t *len, struct err *e)
{
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) < 0)
        return err_set(e, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, 0, "%s is no file", path);
    for (*len = 0; *len < GATE_PEM; *len += (size_t)n) {
        n = read(fd, room + *len, GATE_PEM - *len);
        if (n < 0)
            return err_set(e, errno, "%s", path);
        if (n == 0)
            break;
    }
    if (*len == 0 || *len == GATE_PEM)
        return err_set(e, 0, "%s has %s; a PEM text of 1 to %d bytes is expected", path,
                       *len == 0 ? "nothing in it" : "too much in it", GATE_PEM - 1);
    if (!memmem(room, *len, "-----BEGIN ", 11))
        return err_set(e, 0,
                       "%s is no PEM text (it has no line -----BEGIN ...); openssl x509 or openssl pkey, with -inform "
                       "DER, makes one of a DER file",
                       path);
    return st.st_mode & S_IROTH ? 1 : 0;
}

/* 1: everybody may read it. */
static int read_file(const char *path, char room[GATE_PEM], size_t *len, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int result;

    if (fd < 0 && (errno == EACCES || errno == EPERM))
        return err_set(e, errno,
                       "%s: root reads it here without the right to override its mode; let root own it, or give its "
                       "group root the right to read",
                       path);
    if (fd < 0)
        return err_set(e, errno, "%s", path);
    result = read_text(path, fd, room, len, e);
    (void)close(fd);
    return result;
}

int pem_read(struct pem *p, const struct gate_settings *gate, struct err *e)
{
    struct pem fresh = { 0 };
    int open_to_all;

    if (check_named(gate, e) < 0)
        return -1;
    if (gate->certificate[0] && gate->listeners_count > 0) {
        if (read_file(gate->certificate, fresh.certificate, &fresh.certificate_len, e) < 0)
            return err_wrap(e, "gate.certificate");
        open_to_all = read_file(gate->key, fresh.key, &fresh.key_len, e);
        if (open_to_all < 0) {
            pem_forget(&fresh);
            return err_wrap(e, "gate.key");
        }
        if (open_to_all)
            say("%s can be read by everybody on this host; chmod 600 %s", gate->key, gate->key);
    }
    *p = fresh;
    pem_forget(&fresh);
    return 0;
}

void pem_forget(struct pem *p)
{
    explicit_bzero(p, sizeof(*p));
}
