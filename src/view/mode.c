/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/mode.h"

static const struct {
    const char *name;
    const char *what;
} modes[MODES] = {
    [MODE_OFF] = { "off", "the hunt is switched off" },
    [MODE_OBSERVE] = { "observe", "findings are reported, nobody is blocked" },
    [MODE_LEARN] = { "learn", "mail servers are learnt for the allow list, nobody is blocked" },
    [MODE_BLOCK] = { "block", "a host that is not on the allow list is blocked at its first mail" },
    [MODE_HOLD] = { "hold", "mail of unknown hosts is held until it is judged; the guilty are blocked" },
};

const char *mode_name(unsigned mode)
{
    return mode < MODES ? modes[mode].name : "?";
}

const char *mode_what(unsigned mode)
{
    return mode < MODES ? modes[mode].what : "this mode is unknown to this version of the command";
}

bool mode_blocks(unsigned mode)
{
    return mode == MODE_BLOCK || mode == MODE_HOLD;
}
