/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * arguments - passwords, tokens and keys that stand in a command line.
 *
 * A picture of a server goes to other people; /proc/PID/cmdline, a crontab and the kernel's command line hold what
 * careless people (and careful ones whose program has no other way) wrote there.  Hidden is:
 *
 *   --password=X  --api-key X  PGPASSWORD=X  "token": "X"  password=X,port=3     by the name before it
 *   https://user:X@host/                                                         RFC 3986, 3.2.1
 *   Authorization: Basic X                                                       to the end of the argument
 *   mysql -pX  sshpass -p X  curl -u user:X  redis-cli -a X  smbclient -U u%X    by the habit of the program
 *   openssl ... -passin pass:X
 *
 * A name that speaks of a file, a command or a descriptor (--password-file) is shown with its value.  It is a guess
 * by names: a secret that stands as a bare word is not known for one.
 */
#ifndef SERVIOLA_WIRE_ARGUMENTS_H
#define SERVIOLA_WIRE_ARGUMENTS_H
#include <stddef.h>
#include <stdint.h>

/*
 * Puts at most three stars in the place of each secret, in place, and gives the new length, never more than `len`.
 * Arguments end in a NUL, the last one maybe not; as many NULs are there afterwards, and a second call changes nothing.
 * A text without NULs (a crontab's command, a title a program gave itself) is read as a shell would.
 */
size_t arguments_mask(uint8_t *at, size_t len);
#endif
