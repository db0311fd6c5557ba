/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/tell_log.h"

#include "base/words.h"

static const char *const templates[EV_KINDS] = {
    [EV_LOG_STARTED] = N_("lines are received and kept[ in {name}]"),
    [EV_LOG_STORE_TORN] = N_(
        "the end of a log segment[ ({name})] was torn[: {bytes} bytes were cut off at the last whole block][; {why}]"),
    [EV_LOG_LOST] = N_("[{count} ]lines were lost before they could be kept[, at {name}][: {why}]"),
    [EV_LOG_DISK_FULL] = N_("the disk of the log store[ {name}] is full, senders are held[: {why}]"),
    [EV_LOG_DISK_FAILED] = N_("the disk of the log store[ {name}] refuses what is written[: {why}]"),
    [EV_LOG_DISK_BACK] = N_("the log store[ {name}] is written again[ after {span}]"),
    [EV_LOG_EXPIRED] = N_("[{count} ]old log segments were removed"),
    [EV_LOG_NAME_CHANGED] = N_("{src} calls itself[ {name}] in its lines[, {why}]"),
    [EV_LOG_CLOCK_CHANGED] = N_("the clock of[ {name}] is not ours[: {why}]"),
    [EV_LOG_FRAME_BROKEN] = N_("a message of {src} had a length that is not true[: {why}]"),
    [EV_LOG_CLIENT_REFUSED] = N_("{src} was refused as a sender of lines[: {why}]"),
    [EV_LOG_FILE_PROBLEM] = N_("the file[ {name}] can't be followed as it should[: {why}]"),
    [EV_LOG_FORWARD_LOST] = N_("lines can't be forwarded[ to {name}], they wait in the store[: {why}]"),
    [EV_LOG_FORWARD_BACK] = N_("lines are forwarded again[ to {name}][, {count} had waited]"),
    [EV_LOG_FOUND] = N_("the lines of the logs show[: {why}][ ({rule})]"),
    [EV_LOG_FOUND_OVER] = N_("what the logs showed is over[: {why}][ ({rule})]"),
    [EV_LOG_PROOF] = N_("it is proved[ for {name}] by[: {proof}]"),
};

const char *tell_log_template(enum event_kind kind)
{
    return kind < EV_KINDS ? templates[kind] : NULL;
}
