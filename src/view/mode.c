/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/mode.h"

#include "base/words.h"

static const struct {
    const char *name;
    const char *what;
} modes[MODES] = {
    [MODE_OFF] = { "off", N_("the hunt is switched off") },
    [MODE_OBSERVE] = { "observe", N_("findings are reported, nobody is blocked") },
    [MODE_LEARN] = { "learn", N_("mail servers are learnt for the allow list, nobody is blocked") },
    [MODE_BLOCK] = { "block", N_("a host that is not on the allow list is blocked at its first mail") },
    [MODE_HOLD] = { "hold", N_("mail of unknown hosts is held until it is judged; the guilty are blocked") },
};

const char *mode_name(unsigned mode)
{
    return mode < MODES ? modes[mode].name : "?";
}

const char *mode_what(unsigned mode)
{
    return mode < MODES ? _(modes[mode].what) : _("this mode is unknown to this version of the command");
}

bool mode_blocks(unsigned mode)
{
    return mode == MODE_BLOCK || mode == MODE_HOLD;
}
