/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * command - every subcommand is one function in a file of its own; main.c is their table.
 *
 * argv[0] is the subcommand's name.  The value is the exit code.  With
 * --help each prints its own usage (cmd/options.h does that).
 */
#ifndef SERVIOLA_CMD_COMMAND_H
#define SERVIOLA_CMD_COMMAND_H

enum exit_code {
    EXIT_FINE = 0,
    EXIT_FOUND = 1,  /* a finding; or nothing found, for commands that look for something */
    EXIT_USAGE = 2,  /* wrong usage or a faulty configuration */
    EXIT_CANNOT = 3, /* could not run: no permission, no daemon, no disk */
};

int cmd_run(int argc, char **argv);
int cmd_hunt(int argc, char **argv);
int cmd_gate(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_why(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_blocks(int argc, char **argv);
int cmd_block(int argc, char **argv);
int cmd_unblock(int argc, char **argv);
int cmd_allow(int argc, char **argv);
int cmd_ack(int argc, char **argv);
int cmd_log(int argc, char **argv);
int cmd_mail(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_reload(int argc, char **argv);
int cmd_xray(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_audit(int argc, char **argv);
int cmd_top(int argc, char **argv);
#endif
