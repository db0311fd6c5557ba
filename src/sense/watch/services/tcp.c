/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A connection that stands is an answer; under TLS, with a certificate that is good. */
#include "sense/watch/services/attempt.h"

const struct kind kind_tcp = { .quiet = true, .begin = attempt_well };
const struct kind kind_tls = { .tls = true, .begin = attempt_well };
