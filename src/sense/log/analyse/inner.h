/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inner - what the questions of the analysis share: hosts, streams, patterns, and how a finding is written.
 *
 * A host is who a line says it is from, a stream one program on it, a pattern one kind of message of one program, and
 * a trace such a pattern on one host.  What a pattern means (enum kind_mark) is decided once, when it is first seen:
 * afterwards most lines cost a few look-ups.
 */
#ifndef SERVIOLA_SENSE_LOG_ANALYSE_INNER_H
#define SERVIOLA_SENSE_LOG_ANALYSE_INNER_H
#include "base/table.h"
#include "base/text.h"
#include "sense/log/analyse/analyse.h"
#include "sense/log/analyse/names.h"
#include "sense/log/template.h"

#define SECOND_US 1000000LL
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US   (60 * MINUTE_US)
#define DAY_US    (24 * HOUR_US)

enum kind_mark {
    KIND_HARDWARE = 1 << 0, /* a fault of a device or of a file system: `class` says which */
    KIND_BOOT = 1 << 1,
    KIND_SHUTDOWN = 1 << 2,
    KIND_OOM = 1 << 3,
    KIND_LOSS = 1 << 4,     /* "suppressed N messages" */
    KIND_REPEATED = 1 << 5, /* "last message repeated N times": no loss */
    KIND_CLOCK = 1 << 6,    /* a time service set the clock */
    KIND_AUTH = 1 << 7,     /* a login, or a failed one */
    KIND_ERROR = 1 << 8,    /* it calls itself an error */
    KIND_WARNING = 1 << 9,
    KIND_HUNG = 1 << 10, /* a task waits for its disk */
    KIND_KERNEL = 1 << 11,
    KIND_MAIL = 1 << 12,     /* wire/maillog reads it */
    KIND_PACKET = 1 << 13,   /* the packet filter tells of a packet to a mail port */
    KIND_CAPACITY = 1 << 14, /* a limit was reached */
};

enum fault_class { /* names in kinds.c */
                   FAULT_CLASS_NONE,
                   FAULT_CCISS,
                   FAULT_HPSA,
                   FAULT_ATA,
                   FAULT_NVME,
                   FAULT_SCSI,
                   FAULT_BLOCK,
                   FAULT_MCE,
                   FAULT_EDAC,
                   FAULT_MD,
                   FAULT_EXT,
                   FAULT_XFS,
                   FAULT_BTRFS,
                   FAULT_SMART,
                   FAULT_HEAT,
                   FAULT_CLASSES
};

struct kind {
    uint32_t marks;
    uint8_t fault; /* enum fault_class */
};
struct kind kind_of_message(struct slice program, struct slice text);
const char *fault_class_name(unsigned c);

/* --- how a source usually speaks (rhythm.c) */

enum { RHYTHM_DAYS = 28, RHYTHM_GAPS = 96 };
struct rhythm_hour {
    uint16_t lines;
    uint8_t minutes; /* in which a line came */
    uint8_t known;   /* we listened, and it was not silent out of turn */
};
struct rhythm {
    int64_t first_us, last_us; /* 0: never */
    int64_t hour, minute;      /* numbers of the ones that are counted */
    struct rhythm_hour now;
    struct rhythm_hour past[RHYTHM_DAYS][24];
    uint32_t gap[RHYTHM_GAPS]; /* how long it was quiet between two lines: four steps an octave of seconds */
    uint32_t gaps;
    /* what should have come since the last line */
    int64_t owed_to_us;
    int64_t owed_hour;                 /* the rates below are this hour's */
    uint32_t rate_lines, rate_minutes; /* thousandths an hour */
    int64_t owed_lines, owed_minutes;  /* thousandths */
};
void rhythm_line(struct rhythm *r, int64_t now_us);
void rhythm_owe(struct rhythm *r, int64_t now_us);                    /* brings owed_* up to now */
int64_t rhythm_longest_us(const struct rhythm *r);                    /* of 999 of its 1000 gaps */
void rhythm_forget(struct rhythm *r, int64_t from_us, int64_t to_us); /* these hours are no example */
void rhythm_down(struct rhythm *r, int64_t from_us, int64_t to_us);   /* we did not listen */
void rhythm_save(const struct rhythm *r, struct bytes_out *to);
void rhythm_load(struct rhythm *r, struct bytes_in *from);

/* --- who and what */

struct quiet {       /* a silence that was told or will be; silence.c */
    uint64_t key;    /* 0: none */
    int64_t from_us; /* the last line before */
    int64_t to_us;   /* the first one after; 0: still silent */
    int64_t lost;    /* lines that should have come */
    uint64_t alone;  /* the key it was told under before it was one of a group; 0: none */
    bool told, of_group;
};

struct offbeat { /* lines whose stamps are not where they should be; clock.c */
    uint32_t lines;
    int64_t first_us, last_us; /* arrival */
    int64_t least_us, most_us; /* stamp minus arrival */
    int64_t first_stamp_us, last_stamp_us;
    int64_t before_us; /* arrival of the last line that was on time */
    bool told;
};

enum { OFFSET_SAMPLES = 33 };
struct log_host {
    uint32_t id;
    bool offset_known, skew_told;
    uint8_t samples;
    int32_t sample[OFFSET_SAMPLES]; /* milliseconds: stamp minus arrival */
    int64_t offset_us;              /* how far its clock is ahead */
    int64_t newest_stamp_us, on_time_us;
    struct offbeat off;
    int64_t late_from_us, late_to_us; /* stamps of lines that came late, most recently */
    uint64_t late_lines;
    int64_t booted_us, halted_us; /* last boot, last word of a clean shutdown */
    int64_t uptime_us;            /* the kernel's newest stamp */
    uint32_t last_program;        /* its newest line: what a silence begins with */
    uint8_t last_len;
    char last[160];
    struct rhythm rhythm;
    struct quiet quiet;
};

enum { RAMP_HOURS = 96 };
struct log_stream {
    uint32_t host, program;
    struct rhythm rhythm;
    struct quiet quiet;
    int64_t ramp_hour;
    uint16_t ramp_lines[RAMP_HOURS], ramp_errors[RAMP_HOURS]; /* by hour number */
    int64_t ramp_from_us;                                     /* 0: none is open */
    uint64_t ramp_count;
};

struct log_pattern { /* key: program, template */
    struct kind kind;
    uint32_t hosts;
    int64_t first_us;
    uint64_t lines;
};

struct trace_key {
    uint32_t host, program, template;
};
struct log_trace {
    int64_t first_us, last_us;
    uint64_t lines;

    struct kind kind;
    uint8_t severity; /* the gravest seen, or LOG_UNKNOWN */
    bool only_here;   /* no other host had it before */
    uint16_t example_len;
    char example[240]; /* the first message, as it came */
    /* bursts (burst.c): lines in steps of five minutes */
    int64_t step;
    uint32_t in_step, busiest; /* of the steps before */
    int64_t burst_from_us, burst_last_us;
    uint64_t burst_lines;
};

/* A line on its way through the questions. */
struct reading {
    const struct log_line *line;
    struct slice text; /* of the message, without the kernel's stamp */
    int64_t at_us;
    int64_t uptime_us;         /* -1: none */
    struct log_host *host;     /* by copies_line; that of the others when it is a new one */
    struct log_stream *stream; /* NULL: no room */
    struct log_trace *trace;   /* NULL: no room */
    struct kind kind;
    uint32_t program, template;
    bool fresh;     /* this trace is new */
    uint64_t print; /* copies.c's */
};

struct analysis {
    struct analysis_caps caps;
    uint64_t seed;
    log_found *found;
    void *own;
    struct templates *templates;
    struct names *host_names, *program_names;
    struct log_host *hosts; /* caps.hosts + 1 places, by id; 0: the others */
    struct table *streams;  /* struct stream_key -> struct log_stream */
    struct table *patterns; /* struct pattern_key -> struct log_pattern */
    struct table *traces;   /* struct trace_key -> struct log_trace */
    struct analysis_told told;
    int64_t began_us, now_us, ticked_us;
    struct groups *groups;   /* silence.c */
    struct clocks *clocks;   /* clock.c */
    struct copies *copies;   /* copies.c */
    struct faults *faults;   /* hardware.c */
    struct logins *logins;   /* logins.c */
    struct mails *mails;     /* mail.c */
    struct queues *queues;   /* mailqueue.c */
    uint32_t bursts;         /* how many are open */
    struct packets *packets; /* packets.c */
};

/* --- writing a finding: begin, add, tell */

struct log_finding finding_of(const struct analysis *a, const char *id, enum grade grade, uint32_t host);
void finding_text(struct log_finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void finding_proof(struct log_finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void finding_next(struct log_finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `what` makes the key, together with the host and the id, or with `as` where that is another one's. */
void finding_tell(struct analysis *a, struct log_finding *f, uint64_t what);
void finding_tell_as(struct analysis *a, struct log_finding *f, const char *as, uint64_t what);

struct log_words {
    char text[256];
};
struct log_words shown(struct slice s); /* escaped, cut with dots when it is long */
struct log_words shown_host(const struct analysis *a, uint32_t id);
struct log_words shown_program(const struct analysis *a, uint32_t id);
struct log_words shown_time(int64_t at_us); /* 2007-12-05T18:28:00Z */
struct log_words shown_span(int64_t us);

bool log_has(struct slice s, const char *word);
bool log_begins(struct slice s, const char *word);
/* The number behind `word`; false: there is none. */
bool log_number_after(struct slice s, const char *word, uint64_t *n);

/* --- the questions: each file answers one */

/* Was this line here before?  First of all: true when it is a copy of an earlier one, which counts nowhere else.
 * copies_look asks for the memory that copies_line reads, a while before. */
int copies_open(struct analysis *a, struct err *e);
void copies_close(struct analysis *a);
void copies_look(struct analysis *a, struct reading *r);
bool copies_line(struct analysis *a, struct reading *r);
void copies_tick(struct analysis *a, int64_t now_us);

int clock_open(struct analysis *a, struct err *e);
void clock_close(struct analysis *a);
void clock_line(struct analysis *a, struct reading *r);
void clock_tick(struct analysis *a, int64_t now_us);

int silence_open(struct analysis *a, struct err *e);
void silence_close(struct analysis *a);
void silence_line(struct analysis *a, struct reading *r);
void silence_tick(struct analysis *a, int64_t now_us);
void silence_end(struct analysis *a); /* who spoke again is told without waiting */
void silence_down(struct analysis *a, int64_t from_us, int64_t to_us);

void first_line(struct analysis *a, struct reading *r);
void burst_line(struct analysis *a, struct reading *r);
void burst_tick(struct analysis *a, int64_t now_us);
void burst_leaves(void *analysis, const void *key, void *trace); /* its trace is forgotten */
void ramp_line(struct analysis *a, struct reading *r);
void ramp_tick(struct analysis *a, int64_t now_us);
void reboot_line(struct analysis *a, struct reading *r);
void oom_line(struct analysis *a, struct reading *r);

void loss_line(struct analysis *a, struct reading *r);

int hardware_open(struct analysis *a, struct err *e);
void hardware_close(struct analysis *a);
void hardware_line(struct analysis *a, struct reading *r);
void hardware_tick(struct analysis *a, int64_t now_us);
void hardware_end(struct analysis *a);

int logins_open(struct analysis *a, struct err *e);
void logins_close(struct analysis *a);
void logins_line(struct analysis *a, struct reading *r);
void logins_failed(struct analysis *a, uint32_t host, uint32_t program, struct addr client, struct slice user,
                   uint32_t times, int64_t at_us);
void logins_passed(struct analysis *a, uint32_t host, uint32_t program, struct addr client, struct slice user,
                   int64_t at_us);
void logins_tick(struct analysis *a, int64_t now_us);

int mail_open(struct analysis *a, struct err *e);
void mail_close(struct analysis *a);
void mail_line(struct analysis *a, struct reading *r);
void mail_tick(struct analysis *a, int64_t now_us);
void mail_end(struct analysis *a, int64_t now_us);
int mail_own(struct analysis *a, struct prefix net, struct err *e);
void mail_save(struct analysis *a, struct bytes_out *to);
int mail_load(struct analysis *a, struct slice kept, struct err *e);

/* The part of mail.c that looks at whole servers: queue, delays, black lists (mailqueue.c). */
struct maillog;
int mailqueue_open(struct analysis *a, struct err *e);
void mailqueue_close(struct analysis *a);
void mailqueue_line(struct analysis *a, struct reading *r, const struct maillog *m);
void mailqueue_tick(struct analysis *a, int64_t now_us);
void mailqueue_end(struct analysis *a);

int packets_open(struct analysis *a, struct err *e);
void packets_close(struct analysis *a);
void packets_line(struct analysis *a, struct reading *r);
void packets_tick(struct analysis *a, int64_t now_us);
#endif
