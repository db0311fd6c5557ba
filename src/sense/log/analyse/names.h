/* SPDX-License-Identifier: GPL-3.0-or-later */
/* names - each name gets a small number, from 1 on, that never changes; 0: there is no room for another one. */
#ifndef SERVIOLA_SENSE_LOG_ANALYSE_NAMES_H
#define SERVIOLA_SENSE_LOG_ANALYSE_NAMES_H
#include "base/bytes.h"
#include "base/err.h"
#include "base/slice.h"

enum { NAMES_LENGTH = 64 }; /* longer ones are cut */

struct names;
struct names *names_new(uint32_t cap, uint64_t seed, struct err *e);
void names_free(struct names *n); /* NULL is fine */
uint32_t names_id(struct names *n, struct slice name);
uint32_t names_find(struct names *n, struct slice name);   /* 0: it has none */
struct slice names_of(const struct names *n, uint32_t id); /* id 0: "(others)" */
uint32_t names_count(const struct names *n);
void names_save(const struct names *n, struct bytes_out *to);
int names_load(struct names *n, struct bytes_in *from, struct err *e); /* into an empty one */
#endif
