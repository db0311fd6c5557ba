/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * whole - reads and writes that go on until all is done, through signals and short counts (read(2), write(2)).
 *
 * For files and pipes that block.  A reader that stops at the first short count
 * takes half a file for all of it.
 */
#ifndef SERVIOLA_SYS_WHOLE_H
#define SERVIOLA_SYS_WHOLE_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The bytes read, fewer than `cap` only at the end; -1: errno says why, and how far it came is not told. */
ssize_t whole_read(int fd, void *at, size_t cap);
ssize_t whole_pread(int fd, void *at, size_t cap, uint64_t offset);

/* 0: every byte is written; -1: errno says why, ENOSPC when the file takes no more; some bytes may stand there. */
int whole_write(int fd, const void *at, size_t len);
int whole_pwrite(int fd, const void *at, size_t len, uint64_t offset);
#endif
