/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tell_log - the sentences of the part log, and of what it finds in the lines.
 */
#ifndef SERVIOLA_VIEW_TELL_LOG_H
#define SERVIOLA_VIEW_TELL_LOG_H
#include "journal/event.h"

const char *tell_log_template(enum event_kind kind); /* NULL: none of ours */
#endif
