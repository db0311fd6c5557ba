/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two words behind `serviola log`; argv[0] is the word, the value an exit code. */
#ifndef SERVIOLA_CMD_LOG_PACK_H
#define SERVIOLA_CMD_LOG_PACK_H

int log_pack(int argc, char **argv);
int log_unpack(int argc, char **argv);
#endif
