/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/pem.h"

#include <string.h>

#include "sys/pemtext.h"
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

int pem_read(struct pem *p, const struct gate_settings *gate, struct err *e)
{
    struct pem fresh = { 0 };
    bool open_to_all = false;
    ssize_t len;

    if (check_named(gate, e) < 0)
        return -1;
    if (gate->certificate[0] && gate->listeners_count > 0) {
        len = pemtext_read(gate->certificate, fresh.certificate, sizeof(fresh.certificate), NULL, e);
        if (len < 0)
            return err_wrap(e, "gate.certificate");
        fresh.certificate_len = (size_t)len;
        len = pemtext_read(gate->key, fresh.key, sizeof(fresh.key), &open_to_all, e);
        if (len < 0) {
            pem_forget(&fresh);
            return err_wrap(e, "gate.key");
        }
        fresh.key_len = (size_t)len;
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
