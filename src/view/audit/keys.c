/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/audit/settings.h"

static const struct key service_keys[] = {
    { .name = "tcp",
      .type = KEY_PORTS,
      KEY_AT(struct audit_service, tcp),
      .def = "",
      .help = "TCP ports, such as [25, 443]." },
    { .name = "udp", .type = KEY_PORTS, KEY_AT(struct audit_service, udp), .def = "", .help = "UDP ports." },
    { .name = "from",
      .type = KEY_PREFIXES,
      KEY_AT(struct audit_service, from),
      .def = "",
      .help = "Who may reach them; empty: anybody." },
    { .name = NULL },
};

const struct key audit_keys[] = {
    { .name = "services",
      .type = KEY_EACH,
      KEY_EACH_AT(struct audit_settings, at, count),
      .sub = service_keys,
      .def = "",
      .help =
          "What is meant to be reached from other hosts, such as `mail: { tcp: [25, 587] }` and `office: { tcp: "
          "22, from: 10.0.0.0/8 }`; serviola audit compares it with what listens and with what another host sees." },
    { .name = NULL },
};
