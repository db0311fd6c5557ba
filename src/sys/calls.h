/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * calls - which system calls are left (seccomp); a part of sys/jail.
 *
 * An allow list: what is not on it ends the process (SIGSYS, and a line of
 * type 1326 in the kernel's log that names the call).  Opening files where
 * none are allowed answers EACCES instead, since libc tries that on its own.
 * No mapping can be made executable.
 */
#ifndef SERVIOLA_SYS_CALLS_H
#define SERVIOLA_SYS_CALLS_H
#include "base/err.h"

int calls_enter(unsigned calls, struct err *e); /* enum jail_calls; no_new_privs must be set */
#endif
