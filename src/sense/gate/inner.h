/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inner - what the gate's own files share.
 */
#ifndef SERVIOLA_GATE_INNER_H
#define SERVIOLA_GATE_INNER_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/rate.h"
#include "base/timers.h"
#include "hand/op.h"
#include "part/link.h"
#include "part/part.h"
#include "sense/gate/check.h"
#include "sense/gate/guess.h"
#include "sense/gate/limits.h"
#include "sense/gate/outbox.h"
#include "sense/gate/ownlist.h"
#include "sense/gate/milter.h"
#include "sense/gate/policy.h"
#include "sense/gate/ports.h"
#include "sense/gate/tarpit.h"
#include "sense/gate/verdict.h"
#include "sense/gate/warden.h"
#include "wire/smtpdata.h"
#include "wire/smtpreply.h"

enum {
    GATE_BUFFER = 65536,
    GATE_DOORS = GATE_LISTENERS * KEY_ADDR_CAP,
    GATE_LINKS = 256,
    GATE_OWN = 4096,       /* our addresses */
    GATE_NAME = 256,       /* bytes of the server's name, */
    GATE_EHLO = 512,       /* and of its login mechanisms */
    SERVER_WAIT_S = 10,    /* until the server has greeted us and answered EHLO */
    SERVER_REPLY_S = 300,  /* until it answers a command, */
    SERVER_VERDICT_S = 600 /* and until it says whether it took a message */
};

struct gate;
struct session;

/* ---- backend.c: a listener's server ---- */

enum backend_state {
    BACKEND_UNKNOWN,
    BACKEND_UP,
    BACKEND_DOWN,
    BACKEND_CLOSED /* must not be used: it was said why */
};
struct backend {
    struct gate *gate;
    const struct gate_listener *at;
    struct addr to; /* as it was when all else here was found out */
    enum backend_state state;
    struct server *probe;    /* under way */
    unsigned step;           /* of the probe */
    bool tested;             /* it was asked to relay, and would not */
    char name[GATE_NAME];    /* as it greets */
    struct smtp_offer offer; /* what it can do; its slices lie in words */
    char words[GATE_EHLO];
    uint32_t failures;         /* connections in a row that came to nothing */
    int64_t next_us, since_us; /* boot clock: the next probe; since when it is down */
};
void backend_tick(struct backend *b, int64_t now_us);
void backend_stop(struct backend *b);
void backend_failed(struct backend *b, const char *why); /* a session's connection came to nothing */
void backend_worked(struct backend *b);

/* ---- server.c: one connection to the server ---- */

struct server_hooks {
    void (*ready)(void *ctx, const struct smtpreply *ehlo);
    void (*reply)(void *ctx, const struct smtpreply *r);                      /* one for each server_say's reply */
    void (*failed)(void *ctx, const char *why, const struct smtpreply *said); /* it is over; `said` may be NULL */
    void (*drained)(void *ctx);                                               /* what waited for the socket is gone */
};
struct server;
/* `helo` NULL or empty: our own name.  Fails through the hook, later. */
struct server *server_open(struct backend *b, struct addr client, struct addr local, const char *client_name,
                           const char *helo, const struct server_hooks *hooks, void *ctx);
void server_say(struct server *s, struct slice lines);
bool server_feed(struct server *s, struct slice bytes); /* false: hold on until drained */
bool server_is_ready(const struct server *s);
void server_close(struct server *s, bool politely); /* QUIT first; NULL is fine; no hook is called any more */
/* Its socket, unwatched, is yours now, or -1; what was read and not yet told is borrowed until server_close. */
int server_give_up(struct server *s, struct slice *unread);
int64_t server_due_us(const struct server *s); /* boot clock: it must have answered by then */
void server_expire(struct server *s);
/* The hand's answer about a socket in a client's name. */
int server_on_lent(struct gate *g, uint32_t id, const struct hand_outcome *o, int fd);

/* ---- door.c: where clients come in ---- */

struct door {
    struct gate *gate;
    const struct gate_listener *at;
    uint32_t listener; /* its index */
    struct addr addr;
    int fd; /* -1: not open */
    bool asked;
};
void door_name_all(struct gate *g); /* after the settings changed */
void door_open_all(struct gate *g); /* those whose server is known */
void door_close_listener(struct gate *g, uint32_t listener);
void door_close_all(struct gate *g);
int door_on_lent(struct gate *g, uint32_t id, const struct hand_outcome *o, int fd);

/* ---- service.c: where mail servers ask ---- */

enum { SERVICE_POLICY = GATE_DOORS + 1, SERVICE_MILTER }; /* ids of their asks for a socket */
void service_open_all(struct gate *g);
int service_on_lent(struct gate *g, uint32_t id, const struct hand_outcome *o, int fd);
void service_reload(struct gate *g);
void service_close_all(struct gate *g);

/* ---- session.c: a client's connection; dialogue.c: its commands; onward.c: what goes on to the server ---- */

enum session_state {
    S_PROXY,    /* a balancer's header has to come */
    S_TLS,      /* handshake */
    S_GREETING, /* a new client waits */
    S_COMMAND,
    S_ASKING,  /* the checks think */
    S_OPENING, /* the server is being connected */
    S_SERVER,  /* the server answers a command */
    S_SECRET,  /* the next line is a secret for the server */
    S_DATA,
    S_VERDICT, /* the server has the whole message */
    S_BLIND,   /* bytes are copied */
    S_LINGER,  /* the last reply is on its way */
    S_DEAD,    /* to be freed before the next sleep */
    S_STATES
};
enum outcome { OUTCOME_ENDED, OUTCOME_PASSED, OUTCOME_DEFERRED, OUTCOME_REFUSED };
enum waits {
    WAITS_NOTHING,
    WAITS_MAIL,
    WAITS_RCPT,
    WAITS_DATA,
    WAITS_DOT,
    WAITS_RSET,
    WAITS_AUTH,
    WAITS_SKIP,
    WAITS_TLS
};

struct session {
    struct session *next, *prev; /* all of them */
    struct session *next_dirty;
    struct gate *gate;
    struct visit *visit; /* owned */
    struct backend *backend;
    struct server *server; /* owned; NULL: not needed yet, or gone */
    struct blind *blind;   /* owned; NULL: bytes are read */
    struct tls *tls;       /* owned */
    struct places places;
    struct outbox out;
    struct inbox in; /* bytes that were read and wait for their turn */
    char *mail;      /* owned: the MAIL line as it came, for the server */
    char *rcpt;      /* owned: the RCPT line */
    char *why;       /* owned: what decided, for the event */
    struct smtpdata data;
    int64_t deadline_us, began_us, data_us;
    uint64_t tried;       /* what the password that the server looks at is known by: guess.h */
    uint64_t bytes, sent; /* of messages; of replies */
    uint32_t timer;
    int fd;
    uint32_t messages, recipients, refused, errors, idle;
    uint16_t code;                     /* the last that matters */
    uint8_t state, outcome, waits;     /* enum session_state, enum outcome, enum waits */
    uint8_t piped;                     /* RCPT went out behind MAIL: its reply comes, too */
    bool watched, hears, sends, dirty; /* in the loop; for reading; for writing; on the dirty list */
    bool esmtp, pipelines, mail_open, server_lost, login_user, plain, unread, injected, data_refused, data_lost, told,
        shut, behind;
    char commands[20]; /* first letters */
};
enum { SESSION_CHUNK = 65536 };

/* Takes fd over. */
void session_new(struct door *d, int fd, struct addr peer, struct addr local);
void session_end_all(struct gate *g);
void session_flush_all(struct gate *g); /* before each sleep: input that waited, replies, ends */
void session_enter(struct session *s, enum session_state state);
void session_say(struct session *s, unsigned code, const char *enhanced, const char *text);
void session_say_raw(struct session *s, struct slice bytes);
void session_say_reply(struct session *s, const struct smtpreply *r);
void session_last_words(struct session *s, unsigned code, const char *enhanced, const char *text); /* then it closes */
bool session_stick(struct session *s, const struct verdict *r); /* into the tarpit; false: no place there */
void session_deafen(struct session *s); /* the server is slower than the client: until drained */
void session_end(struct session *s);    /* now, without a word */
void session_decide(struct session *s, enum outcome o, unsigned code, const char *why);
void session_drop_server(struct session *s, bool politely);
bool session_guesses(struct session *s); /* its address tried too many passwords: that was said, and it closes */

size_t dialogue_line(struct session *s, struct slice in); /* bytes used; 0: the line is not whole */
void dialogue_verdict(struct visit *v, const struct verdict *r);
void dialogue_greet(struct session *s);
void dialogue_ehlo(struct session *s, const struct smtp_offer *o);

void onward_rcpt(struct session *s);     /* s->mail and s->rcpt go to the server */
void onward_starttls(struct session *s); /* the server ends TLS */
void onward_line(struct session *s, struct slice line, enum waits waits);
bool onward_open(struct session *s); /* false: it was said that it can't be */
extern const struct server_hooks onward_hooks;

struct blind *blind_new(struct session *s, struct slice from_client); /* NULL: it can't be done */
void blind_turn(struct blind *b);                                     /* the client's socket is ready */
void blind_free(struct blind *b);

void message_begin(struct session *s);
size_t message_take(struct session *s, struct slice in); /* bytes used */
void message_answered(struct session *s, const struct smtpreply *r);

/* ---- remember.c: what was learned of accounts outlives us ---- */

struct remember {
    struct ledger *ledger; /* in force, the core has it; NULL: none yet */
    struct ledger *next;   /* takes its place when all is in it; NULL: none is begun */
    size_t base;           /* bytes of the one in force when it was new */
    int64_t next_us;       /* boot clock: what was learned is not written before; who is stopped is at once */
    uint32_t timer;        /* for the next piece, when we have nothing else to do; 0: none */
    bool going_on;         /* there is more to write */
    bool told;             /* that it can't be kept */
    bool came;             /* what an earlier life knew is here */
    bool summed;           /* the core knows */
    struct link_account_sums sums;
};
/* LINK_ACCOUNTS, LINK_ACCOUNTS_KEPT */
int remember_on_accounts(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd);
void remember_tick(struct gate *g); /* before each sleep, and twice a second */
void remember_now(struct gate *g);  /* the last time */
void remember_tell(struct gate *g); /* for the status, when it changed */

/* ---- heard.c ---- */

int heard_on_mail(void *ctx, struct chan *from, const struct msg *head, const void *body, int fd); /* LINK_MAIL */

/* ---- gate.c ---- */

struct gate {
    struct role *role;
    struct gate_settings set; /* in force */
    struct gate_means means;
    struct self self;
    struct addr own[GATE_OWN];
    struct hand_link links[GATE_LINKS]; /* interfaces as the hand told them */
    uint32_t links_count;
    struct timers *timers; /* one a session */
    uint32_t timer;
    int64_t armed_us;        /* when the timer fires; INT64_MAX: not armed */
    struct tls_context *tls; /* NULL: no certificate */
    struct backend backends[GATE_LISTENERS];
    struct door doors[GATE_DOORS];
    uint32_t doors_count;
    struct session *sessions, *dirty;
    uint32_t sessions_count;
    uint64_t next_number;
    uint64_t accepted, passed, refused, deferred, ended; /* sessions since start */
    int spare; /* a descriptor in reserve, to say 421 with when there are no others */
    bool full, filling, paused, stopping, book_came;
    bool own_known;             /* which addresses are ours: before that nobody comes in */
    bool own_cut, own_cut_told; /* there are more than we can know */
    int64_t began_us, stopping_us;
    uint32_t ticks;
    struct rate_bucket capped; /* events of that kind */
    struct server *borrowing;  /* those that wait for a socket in their client's name */
    uint32_t borrowing_count, borrow_id;
    struct lists *lists;     /* owned; means.lists */
    struct warden *warden;   /* who logged in */
    struct guesses *guesses; /* who tried to */
    struct remember remember;
    struct tarpit *tarpit;
    struct ownlist *ownlist;
    struct policy *policy; /* NULL: no socket for it */
    struct milter *milter; /* likewise */
    struct addr policy_at, milter_at;
    bool policy_asked, milter_asked;
    uint16_t ports[GATE_PORTS];
    size_t ports_count;
    uint8_t buffer[GATE_BUFFER];
};
int64_t gate_now_us(const struct gate *g);
void gate_tell(struct gate *g, struct event *ev, const struct visit *v, uint64_t cause);
void gate_arm(struct gate *g); /* the loop's timer, for the earliest of the sessions' */
/* A client is over a limit: an event; may it come in all the same, by the policy or as a known one? */
bool gate_let_in(struct session *s, const struct limit_said *said);
void gate_join(struct session *s);      /* its organisation is known now */
void gate_count_places(struct gate *g); /* events at 80 and 100 per cent */
void gate_named(struct gate *g);        /* a server has told its name */
const char *gate_name(const struct backend *b);
#endif
