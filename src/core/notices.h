/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * notices - the part that tells people (act/notify), with the sentences of view/tell: who reads a notice and who asks
 * serviola why reads the same words.
 */
#ifndef SERVIOLA_CORE_NOTICES_H
#define SERVIOLA_CORE_NOTICES_H
#include "part/part.h"

extern const struct part core_notices;
#endif
