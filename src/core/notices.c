/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/notices.h"

#include "act/notify/notify.h"
#include "view/tell.h"

static int notices_open(struct role *r, struct err *e)
{
    return notify_open(r, tell, e);
}

const struct part core_notices = {
    .name = "notify",
    .what = "tells people",
    .user = "serviola-notify",
    .keys = notify_keys,
    .settings_size = sizeof(struct notify_house),
    .calls = JAIL_CONNECT,
    .locked = true,
    .open = notices_open,
    .confine = notify_confine,
    .run = notify_run,
    .ops = notify_ops,
    .ops_count = NOTIFY_OPS,
    .stop = notify_stop,
};
