/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * target - where a probe goes: `to` of a service, taken apart.
 *
 *     192.0.2.1   [2001:db8::1]:8080   www.example.org   https://www.example.org:8443/health?full=1
 */
#ifndef SERVIOLA_SERVICES_TARGET_H
#define SERVIOLA_SERVICES_TARGET_H
#include "base/addr.h"
#include "base/err.h"
#include "sense/watch/services/settings.h"

struct target {
    struct addr addr; /* with port; family 0: `host` has to be looked up first */
    uint16_t port;
    char host[SERVICE_TO]; /* as it was written, without brackets */
    char path[SERVICE_TO]; /* begins with a slash */
};

uint16_t target_usual_port(int probe); /* 0: it has none, as echo */
bool target_read(const struct service *s, struct target *t, struct err *e);
#endif
