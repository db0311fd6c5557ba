/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hash - bytes to 64 bits, keyed: who can't know the seed can't choose keys that collide.
 *
 * For tables in memory, with a seed from the kernel's random numbers made at
 * start.  No signature, never stored, never sent.
 */
#ifndef SERVIOLA_BASE_HASH_H
#define SERVIOLA_BASE_HASH_H
#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *at, size_t len, uint64_t seed);
#endif
