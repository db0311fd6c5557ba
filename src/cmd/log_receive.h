/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * log_receive - serviola log receive, log show, log search, log timeline and log import.
 */
#ifndef SERVIOLA_CMD_LOG_RECEIVE_H
#define SERVIOLA_CMD_LOG_RECEIVE_H

int log_receive(int argc, char **argv);
int log_show(int argc, char **argv);
int log_search(int argc, char **argv);
int log_timeline(int argc, char **argv);
int log_verify(int argc, char **argv);
int log_import(int argc, char **argv);
#endif
