/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settings - the `gate:` section of the configuration.
 */
#ifndef SERVIOLA_GATE_SETTINGS_H
#define SERVIOLA_GATE_SETTINGS_H
#include <stdbool.h>
#include <stdint.h>

#include "conf/schema.h"

enum gate_act { GATE_OFF, GATE_NOTE, GATE_GREYLIST, GATE_REFUSE }; /* what a check's hit leads to */
enum gate_kind { GATE_MX, GATE_SUBMISSION };                       /* what stands behind a listener */
enum gate_tls {
    GATE_TLS_STRIP, /* STARTTLS is not offered */
    GATE_TLS_END,   /* it ends here */
    GATE_TLS_PASS,  /* the server ends it; from STARTTLS on nothing can be read */
};
enum gate_identity { /* how the server learns who the client is */
                     GATE_PROXY2,
                     GATE_PROXY1,
                     GATE_XCLIENT,
                     GATE_TRANSPARENT,
                     GATE_NOBODY, /* it does not: only for a server that trusts no address */
};
enum gate_line_ends { GATE_LINES_REFUSE, GATE_LINES_NORMALISE };
enum gate_grey { GATE_GREY_OFF, GATE_GREY_FLAGGED, GATE_GREY_ALL };
enum gate_outside { GATE_OUTSIDE_AUTO, GATE_OUTSIDE_NO, GATE_OUTSIDE_YES };

struct gate_policy { /* enum gate_act, one a check; see check.h */
    int list, early, pipelining, junk, helo, rdns, confirmed, generic, dnsbl, callback, bogus_mx, limits;
    int greylist; /* enum gate_grey */
};

struct gate_listener {
    char name[KEY_NAME_LEN];
    struct key_addrs listen;
    struct addr to; /* the mail server */
    uint32_t zero;
    int kind; /* enum gate_kind */
    int tls;  /* enum gate_tls */
    bool implicit_tls;
    int identity;                  /* enum gate_identity */
    int outside;                   /* enum gate_outside: auto is yes unless it listens on loopback alone */
    int lines;                     /* enum gate_line_ends */
    bool relay_test;               /* ask the server to relay for a stranger before the listener opens */
    bool blind;                    /* what was passed is spliced: DATA is not read */
    struct key_prefixes balancers; /* PROXY comes from these alone, and must */
    int64_t greet_us;              /* how long an unknown client waits for the banner */
    struct gate_policy checks;
};

enum gate_guessing_act { GATE_GUESSING_OFF, GATE_GUESSING_NOTE, GATE_GUESSING_REFUSE, GATE_GUESSING_BLOCK };
struct gate_guessing { /* guess.h */
    int response;      /* enum gate_guessing_act */
    uint64_t wrong;    /* passwords */
    int64_t within_us, for_us;
};

enum gate_account_act { GATE_ACCOUNT_NOTE, GATE_ACCOUNT_THROTTLE, GATE_ACCOUNT_REFUSE };
struct gate_accounts {                   /* of users who log in: warden.h */
    int response;                        /* enum gate_account_act */
    uint64_t accounts, messages, factor; /* as in rule/account.h */
    int64_t quiet_us, settled_us;
    int64_t stop_us;         /* how long one stays stopped */
    uint64_t throttle;       /* recipients an hour, while it is */
    struct key_prefixes own; /* networks where users are at home */
    struct gate_guessing guessing;
    bool logs;           /* what mail servers log counts, too */
    char countries[200]; /* a file of networks and their countries (wire/countries.h); empty: none */
    char hook[200];      /* a program that is run with the account's name (serviola mail guard) */
};

struct gate_dnsbl {
    char name[KEY_NAME_LEN];
    char zone[128];
    uint64_t weight;
    bool good;              /* a list of good clients: its weight is taken off */
    struct key_prefixes is; /* answers that count; empty: all of 127.0.0.0/8 */
};

enum gate_list_what { GATE_LIST_ADDRESSES, GATE_LIST_RDNS, GATE_LIST_HELO };
enum gate_list_means { GATE_LIST_ALLOW, GATE_LIST_GREYLIST, GATE_LIST_REFUSE };
struct gate_list {
    char name[KEY_NAME_LEN];
    char file[200];
    int what;  /* enum gate_list_what */
    int means; /* enum gate_list_means */
};

struct gate_limits {
    uint64_t places;                                        /* sessions at once, */
    uint64_t reserve;                                       /* of which per cent are kept for known-good clients */
    uint64_t per_address, per_network, per_organisation;    /* sessions at once; /24 or /64 */
    uint64_t rate_address, rate_network, rate_organisation; /* connections a minute; 0: no limit */
    uint64_t recipients;                                    /* of one message */
    uint64_t unknown_recipients;                            /* refused by the server, in one session */
    uint64_t errors;                                        /* bad commands in one session */
    uint64_t idle_commands;                                 /* NOOP, RSET, VRFY ... between two messages */
    uint64_t line_bytes;                                    /* of a command */
    int64_t command_us, data_us, session_us;
    uint64_t data_rate; /* bytes a second at least, after 30 s of DATA */
    uint64_t tarpit;    /* places for the refused; 0: none */
    int64_t tarpit_us;  /* one byte each */
};

struct gate_greylist {
    int64_t delay_us, window_us, good_us;
    uint64_t passes;  /* until a client is known */
    uint64_t entries; /* of the book: pairs, clients, callbacks */
    bool spf;         /* a passing sender's domain may be the key */
};

struct gate_callback {
    int64_t connect_us, greeting_us, total_us;
    int64_t good_us, refused_us, silent_us; /* how long each outcome is remembered */
    uint64_t in_flight, per_network;        /* at once; begun in a second, of one /24 or /64 */
    uint64_t port;
    bool private_too; /* clients of private networks are called as well */
};

struct gate_dns {
    struct key_addrs servers; /* empty: those of resolv.conf */
    int64_t try_us, total_us;
    uint64_t tries, cache, in_flight;
};

enum { GATE_LISTENERS = 8, GATE_DNSBLS = 16, GATE_LISTS = 16, GATE_PEM = 32768 };
struct gate_settings {
    char name[256];             /* our name in greetings; empty: the server's own */
    char token[128];            /* shared secret of gates that call back; empty: made at start */
    struct key_prefixes own;    /* public addresses that are ours too (behind a translator) */
    struct key_addrs resolvers; /* no key: those of resolv.conf, filled in at start */
    uint32_t zero, listeners_count;
    struct gate_listener listeners[GATE_LISTENERS];
    uint32_t zero2, dnsbls_count;
    struct gate_dnsbl dnsbls[GATE_DNSBLS];
    uint64_t dnsbl_from; /* the sum of weights that is a hit */
    uint32_t zero3, lists_count;
    struct gate_list lists[GATE_LISTS];
    struct key_prefixes generic_exempt;
    char certificate[200], key[200];   /* files; read at start and at each reload by the one who may */
    uint32_t certificate_len, key_len; /* no keys: what stood in them */
    char certificate_pem[GATE_PEM], key_pem[GATE_PEM];
    char folder[200];                 /* where the book is kept */
    struct addr policy_listen;        /* check_policy_service; family 0: none */
    struct addr milter_listen;        /* smtpd_milters; family 0: none */
    struct gate_policy policy_checks; /* what is asked there */
    struct gate_accounts accounts;
    bool blocks;         /* a failed callback blocks its client for a while */
    bool outbound_guard; /* local programs reach no port 25 on loopback but the servers' own */
    struct gate_limits limits;
    struct gate_greylist greylist;
    struct gate_callback callback;
    struct gate_dns dns;
    struct key_prefixes transcripts; /* sessions of these clients are told command by command */
};

/* What the gate's two helpers get of it (core/settings.c). */
struct book_settings {
    char folder[200];
    struct gate_greylist greylist;
    struct gate_callback callback;
};
struct lists_settings {
    uint32_t zero, count;
    struct gate_list at[GATE_LISTS];
    char countries[200]; /* of gate_accounts */
};

extern const struct key gate_keys[];
#endif
