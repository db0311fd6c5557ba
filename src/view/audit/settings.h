/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settings - `audit:`, the ports that are meant to be reached, and by whom.
 */
#ifndef SERVIOLA_VIEW_AUDIT_SETTINGS_H
#define SERVIOLA_VIEW_AUDIT_SETTINGS_H
#include "conf/schema.h"

enum { AUDIT_SERVICES = 8 };

struct audit_service {
    char name[KEY_NAME_LEN];
    struct key_ports tcp, udp;
    struct key_prefixes from; /* empty: from anywhere */
};

struct audit_settings {
    uint32_t count;
    struct audit_service at[AUDIT_SERVICES];
};

extern const struct key audit_keys[];
#endif
