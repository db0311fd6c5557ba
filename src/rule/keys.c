/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/event.h"
#include "rule/settings.h"

#define SECOND_US 1000000LL
#define DAY_US    (86400 * SECOND_US)

const char *const rule_kind_words[] = {
#define EVENT(id, name, grade, what) name,
#include "journal/events.def"
    NULL,
};

static const char *const act_words[] = { [RULE_NOTE] = "note", [RULE_BLOCK] = "block", NULL };
static const char *const how_words[] = { [BLOCK_DROP] = "drop", [BLOCK_REJECT] = "reject", NULL };

static const struct key rule_keys[] = {
    { .name = "on",
      .type = KEY_WORD,
      KEY_AT(struct rule_settings, on),
      .words = rule_kind_words,
      .words_are = "the name of an event, as in serviola-events(7)",
      .help = "The event that it waits for." },
    { .name = "do",
      .type = KEY_WORD,
      KEY_AT(struct rule_settings, act),
      .words = act_words,
      .def = "block",
      .help = "Block the event's source, or leave it at the event." },
    { .name = "times",
      .type = KEY_NUMBER,
      KEY_AT(struct rule_settings, times),
      .min = 1,
      .max = RULE_TIMES_MAX,
      .def = "1",
      .help = "So many events of one source are needed." },
    { .name = "within",
      .type = KEY_SPAN,
      KEY_AT(struct rule_settings, within_us),
      .min = 1000,
      .max = DAY_US,
      .def = "1min",
      .help = "The time in which they must come." },
    { .name = "for",
      .type = KEY_SPAN,
      KEY_AT(struct rule_settings, span_us),
      .min = 0,
      .max = 366 * DAY_US,
      .def = "0",
      .help = "How long the source is blocked; 0 takes the time of the section block." },
    { .name = NULL },
};

const struct key rules_keys[] = {
    { .name = "*",
      .type = KEY_EACH,
      KEY_EACH_AT(struct rules_settings, at, count),
      .sub = rule_keys,
      .def = "mail_seen: { on: hunt.mail_seen }\n"
             "tls_seen: { on: hunt.tls_seen }\n"
             "rate_crossed: { on: hunt.rate_crossed }\n"
             "servers_crossed: { on: hunt.servers_crossed }\n"
             "senders_crossed: { on: hunt.senders_crossed }\n"
             "domains_crossed: { on: hunt.domains_crossed }\n"
             "helo_changed: { on: hunt.helo_changed }\n"
             "refusals_crossed: { on: hunt.refusals_crossed }\n"
             "volume_crossed: { on: hunt.volume_crossed }\n"
             "callback_failed: { on: gate.callback_failed }\n"
             "password_guesser: { on: gate.password_guesser }\n",
      .help = "A rule. As soon as one stands here, those built in are gone; write down again what is to stay." },
    { .name = NULL },
};

const struct key block_keys[] = {
    { .name = "for",
      .type = KEY_SPAN,
      KEY_AT(struct block_settings, span_us),
      .min = SECOND_US,
      .max = 366 * DAY_US,
      .def = "1h",
      .help = "How long a host stays blocked." },
    { .name = "how",
      .type = KEY_WORD,
      KEY_AT(struct block_settings, how),
      .words = how_words,
      .def = "drop",
      .help = "Drop its packets, or answer them with a TCP reset." },
    { .name = "admin",
      .type = KEY_PREFIXES,
      KEY_AT(struct block_settings, admin),
      .def = "",
      .help = "Networks that are never blocked: put the one there from which you administer this host." },
    { .name = "local_senders",
      .type = KEY_PREFIXES,
      KEY_AT(struct block_settings, local_senders),
      .def = "",
      .help = "Our own addresses that may be blocked all the same. Without an entry here none is." },
    { .name = "per_minute",
      .type = KEY_NUMBER,
      KEY_AT(struct block_settings, per_minute),
      .min = 1,
      .max = 1000000,
      .def = "1000",
      .help = "New blocks in a minute; what is over it is refused, and said." },
    { .name = "total",
      .type = KEY_NUMBER,
      KEY_AT(struct block_settings, total),
      .min = 1,
      .max = 1000000,
      .def = "65536",
      .help = "Hosts that may be blocked at once." },
    { .name = "log_per_minute",
      .type = KEY_NUMBER,
      KEY_AT(struct block_settings, log_per_minute),
      .min = 0,
      .max = 6000,
      .def = "6",
      .help = "Lines in the kernel's log for each blocked source, with the prefix serviola:. 0 writes none." },
    { .name = "table",
      .type = KEY_TEXT,
      KEY_AT(struct block_settings, table),
      .def = "serviola",
      .help = "The nftables table, of the family inet, that is ours alone." },
    { .name = "windows",
      .type = KEY_NUMBER,
      KEY_AT(struct block_settings, windows),
      .min = 16,
      .max = 65536,
      .def = "8192",
      .help = "Sources that rules with more than one in times can count at once." },
    { .name = NULL },
};
