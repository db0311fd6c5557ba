/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/xray_ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/words.h"
#include "cmd/client.h"
#include "core/settings.h"
#include "snap/file.h"
#include "sys/say.h"

static void tell_taking(void)
{
    say(_("another picture is being taken; this one waits for it"));
}

static struct snap *ask_core(const struct house_settings *conf, bool keep, char kept[XRAY_KEPT], struct err *e)
{
    struct client *c = client_open(conf->core.control, e);
    char name[CTL_TEXT];
    int fd = c ? client_xray(c, keep, tell_taking, name, e) : -1;
    struct snap *s = fd >= 0 ? snap_read_from(fd, e) : NULL;

    if (s && name[0])
        (void)snprintf(kept, XRAY_KEPT, "%s/xray/%s", conf->journal.folder, name);
    if (fd >= 0)
        (void)close(fd);
    client_close(c);
    return s;
}

struct snap *xray_ask(const struct common_options *o, bool keep, char kept[XRAY_KEPT], struct err *e)
{
    struct house_settings *conf = calloc(1, sizeof(*conf));
    struct conf_faults *faults = calloc(1, sizeof(*faults));
    struct snap *s = NULL;

    kept[0] = '\0';
    if (conf && faults) {
        (void)settings_read(settings_path(o->conf), conf, faults); /* what can't be read is as it comes */
        s = ask_core(conf, keep, kept, e);
    } else {
        (void)err_set(e, ENOMEM, "settings");
    }
    free(conf);
    free(faults);
    return s;
}
