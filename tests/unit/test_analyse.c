/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sense/log/analyse/analyse.h"
#include "sense/log/logfiles.h"
#include "wire/logline.h"

#define SECOND 1000000LL
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
/* A Monday. */
#define MONDAY (1196035200LL * SECOND)

/* --- the last word on each matter */

enum { MOST = 2000 };
struct heard {
    struct log_finding at[MOST];
    size_t count;
    int64_t began_us; /* when the newest of them was told, by the clock of `now_us` */
    int64_t now_us;
};

static void on_finding(void *own, const struct log_finding *f)
{
    struct heard *h = own;

    h->began_us = h->now_us;
    for (size_t i = 0; i < h->count; i++)
        if (h->at[i].key == f->key) {
            h->at[i] = *f;
            return;
        }
    assert_true(h->count < MOST);
    h->at[h->count++] = *f;
}

static const struct log_finding *find(const struct heard *h, const char *id, const char *host)
{
    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->at[i].id, id) == 0 && (!host || strcmp(h->at[i].host, host) == 0))
            return &h->at[i];
    return NULL;
}

/* The same, where there must be one. */
static struct log_finding the(const struct heard *h, const char *id, const char *host)
{
    const struct log_finding *f = find(h, id, host);

    if (!f)
        fail_msg("no %s of %s", id, host ? host : "any");
    return f ? *f : (struct log_finding){ 0 };
}

static size_t count(const struct heard *h, const char *id)
{
    size_t n = 0;

    for (size_t i = 0; i < h->count; i++)
        n += strcmp(h->at[i].id, id) == 0;
    return n;
}

static struct heard heard;
static struct analysis *fresh(void)
{
    struct err e;
    struct analysis *a = analysis_new(&analysis_usual, 42, on_finding, &heard, &e);

    memset(&heard, 0, sizeof(heard));
    assert_non_null(a);
    return a;
}

static void say(struct analysis *a, int64_t at_us, const char *host, const char *program, const char *text)
{
    struct log_line l = { .host = slice_text(host),
                          .program = slice_text(program),
                          .text = slice_text(text),
                          .severity = LOG_UNKNOWN,
                          .facility = LOG_UNKNOWN,
                          .stamp_us = at_us,
                          .at_us = at_us,
                          .source = 1 };

    heard.now_us = at_us;
    analyse_line(a, &l);
}

/* A host that says something each 90 seconds, no two lines alike. */
static void chat(struct analysis *a, int64_t from_us, int64_t to_us, const char *host)
{
    char text[64];

    for (int64_t at = from_us; at < to_us; at += 90 * SECOND) {
        (void)snprintf(text, sizeof(text), "served request %lld", (long long)(at / SECOND));
        say(a, at, host, "httpd", text);
    }
}

static void wait_until(struct analysis *a, int64_t from_us, int64_t to_us)
{
    for (int64_t at = from_us; at <= to_us; at += MINUTE) {
        heard.now_us = at;
        analyse_tick(a, at);
    }
}

/* --- silence */

static void a_silent_host_is_noticed_while_it_is_silent(void **state)
{
    struct analysis *a = fresh();
    int64_t end = MONDAY + 4 * DAY;

    (void)state;
    chat(a, MONDAY, end, "web1");
    assert_null(find(&heard, "silence", NULL));
    wait_until(a, end, end + HOUR);
    assert_non_null(find(&heard, "silence", "web1"));
    assert_true(heard.began_us - end < 30 * MINUTE);
    assert_int_equal(the(&heard, "silence", "web1").phase, LOG_BEGAN);
    say(a, end + 18 * HOUR, "web1", "httpd", "back");
    chat(a, end + 18 * HOUR + 10 * SECOND, end + 19 * HOUR, "web1");
    assert_int_equal(count(&heard, "silence"), 1);
    assert_int_equal(the(&heard, "silence", "web1").phase, LOG_ENDED);
    assert_int_equal(the(&heard, "silence", "web1").to_us, end + 18 * HOUR);
    assert_int_equal(the(&heard, "silence", "web1").from_us, end - 90 * SECOND);
    analysis_free(a);
}

static void nobody_is_blamed_for_our_own_absence(void **state)
{
    struct analysis *a = fresh();
    int64_t end = MONDAY + 4 * DAY;

    (void)state;
    chat(a, MONDAY, end, "web1");
    analyse_down(a, end, end + 9 * HOUR);
    chat(a, end + 9 * HOUR, end + 10 * HOUR, "web1");
    wait_until(a, end + 10 * HOUR, end + 10 * HOUR + MINUTE);
    assert_null(find(&heard, "silence", NULL));
    analysis_free(a);
}

static void who_speaks_at_night_alone_is_left_in_peace(void **state)
{
    struct analysis *a = fresh();

    (void)state;
    for (int day = 0; day < 10; day++) {
        chat(a, MONDAY + day * DAY + HOUR, MONDAY + day * DAY + 3 * HOUR, "backup01");
        wait_until(a, MONDAY + day * DAY + 3 * HOUR, MONDAY + (day + 1) * DAY);
    }
    assert_int_equal(heard.count, 0);
    analysis_free(a);
}

static void a_burst_does_not_raise_what_is_expected(void **state)
{
    struct analysis *a = fresh();
    char text[64];

    (void)state;
    for (int day = 0; day < 6; day++)
        for (int hour = 0; hour < 24; hour++) {
            say(a, MONDAY + day * DAY + hour * HOUR, "lab1", "ntpd", "synchronized");
            for (int i = 0; i < 3000 && day == 3 && hour == 12; i++) {
                (void)snprintf(text, sizeof(text), "flood %d", i);
                say(a, MONDAY + day * DAY + hour * HOUR + i * SECOND, "lab1", "flooder", text);
            }
        }
    wait_until(a, MONDAY + 6 * DAY, MONDAY + 6 * DAY + 4 * HOUR);
    assert_null(find(&heard, "silence", NULL));
    analysis_free(a);
}

static void three_at_once_are_the_network(void **state)
{
    static const char *const hosts[] = { "a1", "a2", "a3", "b1", "b2" };
    struct analysis *a = fresh();
    char text[64];

    (void)state;
    for (int64_t at = MONDAY; at < MONDAY + 4 * DAY + 2 * HOUR; at += 90 * SECOND)
        for (int h = at < MONDAY + 4 * DAY ? 0 : 3; h < 5; h++) {
            (void)snprintf(text, sizeof(text), "served request %lld", (long long)(at / SECOND));
            say(a, at + h * SECOND, hosts[h], "httpd", text);
        }
    assert_int_equal(count(&heard, "network_silence"), 1);
    assert_int_equal(the(&heard, "network_silence", NULL).proofs, 3);
    assert_null(find(&heard, "silence", NULL));
    analysis_free(a);
}

/* --- small ones */

static void a_lie_in_a_web_request_is_no_login(void **state)
{
    struct analysis *a = fresh();

    (void)state;
    for (int i = 0; i < 30; i++)
        say(a, MONDAY + i * SECOND, "fw01", "sshd", "Failed password for root from 192.0.2.9 port 1 ssh2");
    say(a, MONDAY + MINUTE, "fw01", "httpd",
        "\"GET /\" <34>Dec  5 18:00:00 fw01 sshd[1]: Accepted password for root from 192.0.2.9 port 1 ssh2");
    assert_null(find(&heard, "bruteforce_success", NULL));
    assert_non_null(find(&heard, "bruteforce", "fw01"));
    say(a, MONDAY + 2 * MINUTE, "fw01", "sshd", "Accepted password for backup from 192.0.2.9 port 1 ssh2");
    assert_non_null(find(&heard, "bruteforce_success", "fw01"));
    assert_null(find(&heard, "bruteforce", "fw01")); /* it is one matter */
    analysis_free(a);
}

static void a_dying_disk_is_one_story_in_its_order(void **state)
{
    static const char *const story[][2] = {
        { "smartd", "Device: /dev/sdb, 1 Currently unreadable (pending) sectors" },
        { "smartd", "Device: /dev/sdb, 119 Currently unreadable (pending) sectors" },
        { "kernel", "ata1.00: failed command: READ FPDMA QUEUED" },
        { "kernel", "end_request: I/O error, dev sdb, sector 99" },
        { "kernel",
          "EXT3-fs error (device sdb1) in ext3_reserve_inode_write: IO failure; Remounting filesystem read-only" },
    };
    struct analysis *a = fresh();
    struct log_finding f;

    (void)state;
    say(a, MONDAY, "db02", "kernel", "HP CISS Driver (v 2.6.8)");
    say(a, MONDAY, "db02", "kernel", "cciss0: <0x46> at PCI 0000:06:01.0 IRQ 17 has been found, DAC cycles");
    assert_null(find(&heard, "hardware", NULL));
    for (size_t i = 0; i < 5; i++)
        say(a, MONDAY + (int64_t)(i + 1) * HOUR, "db02", story[i][0], story[i][1]);
    f = the(&heard, "hardware", "db02");
    assert_int_equal(f.proofs, 4);
    assert_non_null(strstr(f.proof[0], "pending"));
    assert_non_null(strstr(f.proof[1], "failed command"));
    assert_non_null(strstr(f.proof[2], "I/O error"));
    assert_non_null(strstr(f.proof[3], "read-only"));
    analysis_free(a);
}

static void a_disk_that_was_well_for_a_week_is_told_anew(void **state)
{
    const char *fault = "ata1.00: failed command: READ FPDMA QUEUED";
    struct analysis *a = fresh();

    (void)state;
    say(a, MONDAY, "db02", "kernel", fault);
    say(a, MONDAY + 6 * DAY, "db02", "kernel", fault);
    analyse_tick(a, MONDAY + 12 * DAY);
    assert_int_equal(count(&heard, "hardware"), 1);
    assert_int_equal(the(&heard, "hardware", "db02").phase, LOG_BEGAN);
    analyse_tick(a, MONDAY + 14 * DAY);
    assert_int_equal(the(&heard, "hardware", "db02").phase, LOG_ENDED);
    assert_int_equal(the(&heard, "hardware", "db02").to_us, MONDAY + 6 * DAY);
    say(a, MONDAY + 15 * DAY, "db02", "kernel", fault);
    assert_int_equal(count(&heard, "hardware"), 2);
    analysis_free(a);
}

/* One of them speaks a little later than the others, so that its silence is told before theirs is one. */
static void who_was_told_alone_is_one_of_the_group_and_ends_alone(void **state)
{
    static const char *const hosts[] = { "web1", "web2", "web3", "web4" };
    struct analysis *a = fresh();
    int64_t end = MONDAY + 4 * DAY;

    (void)state;
    for (int64_t at = MONDAY; at < end + 3 * HOUR; at += 20 * SECOND)
        for (int h = 0; h < 4; h++) {
            int64_t last = h == 0 ? end - 4 * MINUTE : end; /* web1 falls silent four minutes before */

            if (h == 3 || at < last || at >= end + HOUR)
                say(a, at + h, hosts[h], "httpd", "served a request");
        }
    assert_non_null(find(&heard, "silence", "web1"));
    assert_int_equal(the(&heard, "silence", "web1").phase, LOG_ENDED);
    assert_null(find(&heard, "silence", "web2"));
    assert_null(find(&heard, "silence", "web3"));
    assert_int_equal(count(&heard, "network_silence"), 1);
    assert_int_equal(the(&heard, "network_silence", NULL).proofs, 3);
    assert_int_equal(the(&heard, "network_silence", NULL).phase, LOG_ENDED);
    analysis_free(a);
}

static void what_a_source_dropped_itself_is_told_with_its_number(void **state)
{
    struct analysis *a = fresh();

    (void)state;
    say(a, MONDAY, "app1", "systemd-journald", "Suppressed 3421 messages from system.slice/app.service");
    assert_int_equal(the(&heard, "source_loss", "app1").count, 3421);
    say(a, MONDAY + HOUR, "app2", "rsyslogd", "message repeated 5 times: [ x ]");
    assert_null(find(&heard, "source_loss", "app2"));
    analysis_free(a);
}

/* --- a mail server */

static void post(struct analysis *a, int64_t at_us, const char *program, unsigned id, const char *rest)
{
    char text[256];

    (void)snprintf(text, sizeof(text), "%05XABCDE: %s", id, rest);
    say(a, at_us, "mx1", program, text);
}

static void two_usual_days_of_mail(struct analysis *a)
{
    for (unsigned i = 0; i < 48 * 20; i++) {
        int64_t at = MONDAY + i * 3 * MINUTE;

        post(a, at, "postfix/cleanup", i, "message-id=<x@y>");
        post(a, at + SECOND, "postfix/smtp", i,
             "to=<a@b.example>, relay=mx.b.example[198.51.100.1]:25, delay=1, dsn=2.0.0, status=sent (ok)");
        post(a, at + 2 * SECOND, "postfix/qmgr", i, "removed");
    }
}

static void a_queue_that_grows_and_mail_that_waits_are_told(void **state)
{
    struct analysis *a = fresh();
    int64_t from = MONDAY + 2 * DAY;
    bool timeout = false;

    (void)state;
    two_usual_days_of_mail(a);
    wait_until(a, from, from);
    assert_null(find(&heard, "mail_queue", NULL));
    for (unsigned i = 0; i < 400; i++) {
        post(a, from + i * 2 * SECOND, "postfix/cleanup", 5000 + i, "message-id=<x@y>");
        post(a, from + i * 2 * SECOND, "postfix/smtp", 5000 + i,
             "to=<a@big.example>, relay=none, delay=30, dsn=4.4.1, status=deferred (connect to "
             "mx.big.example[198.51.100.9]:25: Connection timed out)");
    }
    wait_until(a, from + 800 * SECOND, from + 20 * MINUTE);
    assert_true(the(&heard, "mail_queue", "mx1").count >= 200);
    assert_true(the(&heard, "mail_deferred", "mx1").count >= 50);
    analyse_end(a, from + 2 * HOUR);
    for (unsigned i = 0; i < the(&heard, "mail_deferred", "mx1").proofs; i++)
        timeout = timeout || strstr(the(&heard, "mail_deferred", "mx1").proof[i], "no answer in time");
    assert_true(timeout);
    analysis_free(a);
}

static void our_address_on_a_black_list_is_told(void **state)
{
    struct analysis *a = fresh();

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        post(a, MONDAY + i * MINUTE, "postfix/smtp", i,
             "to=<a@b.example>, relay=mx.b.example[198.51.100.1]:25, delay=1, dsn=5.7.1, status=bounced (host "
             "mx.b.example[198.51.100.1] said: 554 5.7.1 Client host [203.0.113.25] blocked using zen.lists.example)");
    assert_non_null(strstr(the(&heard, "mail_blacklisted", "mx1").text, "zen.lists.example"));
    analysis_free(a);
}

static void a_finding_fits_into_an_event(void **state)
{
    struct analysis *a = fresh();
    struct event ev;
    struct slice value;

    (void)state;
    say(a, MONDAY, "app1", "systemd-journald", "Suppressed 3421 messages from system.slice/app.service");
    ev = log_finding_event(&heard.at[0]);
    assert_true(event_is_sound(&ev));
    assert_string_equal(event_name((enum event_kind)ev.kind), "log.found");
    assert_true(event_get(&ev, F_RULE, &value) && slice_eq(value, SLICE("source_loss")));
    assert_true(event_get(&ev, F_NAME, &value) && slice_eq(value, SLICE("app1")));
    assert_int_equal(ev.cut, 0);
    analysis_free(a);
}

/* --- memory */

static struct bytes_out remember(struct analysis *a)
{
    struct bytes_out kept = { 0 };
    struct err e;

    assert_int_equal(analysis_save(a, &kept, &e), 0);
    return kept;
}

static void what_was_learned_survives_a_restart(void **state)
{
    struct analysis *a = fresh();
    struct bytes_out kept, again;
    struct err e;

    (void)state;
    chat(a, MONDAY, MONDAY + 3 * DAY, "web1");
    say(a, MONDAY + 3 * DAY, "web1", "kernel", "cciss: cmd dfb40000 has CHECK CONDITION byte 2 = 0x3");
    kept = remember(a);
    analysis_free(a);
    a = fresh();
    assert_int_equal(analysis_load(a, slice_of(kept.at, kept.len), &e), 0);
    again = remember(a);
    assert_true(slice_eq(slice_of(kept.at, kept.len), slice_of(again.at, again.len)));
    say(a, MONDAY + 4 * DAY, "web1", "kernel", "cciss: cmd dfb40250 has CHECK CONDITION byte 2 = 0x3");
    assert_null(find(&heard, "first_seen", NULL));
    say(a, MONDAY + 4 * DAY, "web1", "kernel", "ata1.00: failed command: READ FPDMA QUEUED");
    assert_non_null(find(&heard, "first_seen", "web1"));
    bytes_done(&kept);
    bytes_done(&again);
    analysis_free(a);
}

static void a_changed_memory_is_an_error(void **state)
{
    struct analysis *a = fresh();
    struct bytes_out kept;
    struct err e;

    (void)state;
    chat(a, MONDAY, MONDAY + HOUR, "web1");
    kept = remember(a);
    analysis_free(a);
    for (size_t at = 0; at < kept.len; at += 1 + kept.len / 97) {
        a = fresh();
        kept.at[at] ^= 0x40;
        assert_int_equal(analysis_load(a, slice_of(kept.at, kept.len), &e), -1);
        kept.at[at] ^= 0x40;
        assert_int_equal(analysis_load(a, slice_of(kept.at, at), &e), -1);
        analysis_free(a);
    }
    bytes_done(&kept);
}

/* --- the generated corpus with its planted truth: shared data, not part of the tree */

static const char *data_file(const char *name)
{
    static char path[1200];
    const char *data = getenv("SERVIOLA_DATA");

    if (data)
        (void)snprintf(path, sizeof(path), "%s/%s", data, name);
    else
        (void)snprintf(path, sizeof(path), "%s/../shared/data/%s", getenv("SOURCE_ROOT") ? getenv("SOURCE_ROOT") : ".",
                       name);
    return access(path, R_OK) == 0 ? path : NULL;
}

/* ARRIVAL <tab> PEER <tab> line.  What was delivered late bears the time when it was written: arrival never goes back.
 */
static void read_arrival(struct analysis *a, struct slice line, int64_t *now_us)
{
    struct slice rest;
    struct slice number = slice_until(line, '\t', &rest);
    struct slice fraction;
    uint64_t s = 0;
    uint64_t us = 0;
    struct logline p;
    struct log_line l = { .source = 1 };

    (void)slice_until(rest, '\t', &rest);
    assert_true(slice_to_u64(slice_until(number, '.', &fraction), &s) && slice_to_u64(fraction, &us));
    if ((int64_t)(s * 1000000 + us) > *now_us)
        *now_us = (int64_t)(s * 1000000 + us);
    logline_read(rest, *now_us + DAY, 0, &p);
    l.raw = rest;
    l.host = p.host;
    l.program = p.program;
    l.text = p.text;
    l.pid = p.pid;
    l.severity = p.priority >= 0 ? (uint8_t)((unsigned)p.priority % 8U) : LOG_UNKNOWN;
    l.facility = LOG_UNKNOWN;
    l.stamp_us = p.stamp_us;
    l.at_us = *now_us;
    analyse_line(a, &l);
}

static struct slice corpus; /* unpacked; empty: not there */
static void load_corpus(void)
{
    const char *path = data_file("log/corpus/arr_seed11.log.xz");
    struct archive *x;
    struct archive_entry *entry;
    uint8_t *bytes = NULL;
    size_t len = 0;

    if (!path || corpus.len > 0)
        return;
    x = archive_read_new();
    (void)archive_read_support_filter_all(x);
    (void)archive_read_support_format_raw(x);
    assert_int_equal(archive_read_open_filename(x, path, 1 << 16), ARCHIVE_OK);
    assert_int_equal(archive_read_next_header(x, &entry), ARCHIVE_OK);
    for (;;) {
        la_ssize_t n;

        bytes = realloc(bytes, len + (1 << 20));
        assert_non_null(bytes);
        n = archive_read_data(x, bytes + len, 1 << 20);
        assert_true(n >= 0);
        if (n == 0)
            break;
        len += (size_t)n;
    }
    (void)archive_read_free(x);
    corpus = slice_of(bytes, len);
}

static struct analysis *read_corpus(void)
{
    struct analysis *a = fresh();
    struct slice rest = corpus;
    int64_t now_us = 0;

    while (rest.len > 0)
        read_arrival(a, slice_until(rest, '\n', &rest), &now_us);
    analyse_end(a, now_us);
    return a;
}

static int64_t when(const char *iso)
{
    struct logline l;
    char line[64];

    (void)snprintf(line, sizeof(line), "%s h p: t", iso);
    logline_read(slice_text(line), 0, 0, &l);
    return l.stamp_us;
}

static void assert_near(int64_t at_us, const char *iso, int64_t within_us)
{
    if (llabs(at_us - when(iso)) > within_us)
        fail_msg("%lld s beside %s", (long long)((at_us - when(iso)) / SECOND), iso);
}

static void assert_stolen(const char *name, const char *from, uint64_t messages, const char *addresses)
{
    for (size_t i = 0; i < heard.count; i++) {
        const struct log_finding *f = &heard.at[i];

        if (strcmp(f->id, "stolen_account") != 0 || !strstr(f->text, name))
            continue;
        assert_near(f->from_us, from, 5 * MINUTE);
        assert_true(f->count * 100 > messages * 98 && f->count * 100 < messages * 102);
        assert_non_null(strstr(f->text, addresses));
        return;
    }
    fail_msg("%s", name);
}

static void everything_planted_is_found_and_nothing_else(void **state)
{
    struct analysis *a;
    struct log_finding f;

    (void)state;
    load_corpus();
    if (corpus.len == 0)
        skip();
    a = read_corpus();

    f = the(&heard, "silence", "vlnx1"); /* the second story */
    assert_near(f.from_us, "2007-12-05T18:28:00Z", 15 * MINUTE);
    assert_near(f.to_us, "2007-12-06T12:29:20Z", SECOND);
    assert_int_equal(count(&heard, "silence"), 1);
    assert_non_null(find(&heard, "program_silence", "mx2"));
    assert_int_equal(count(&heard, "program_silence"), 1);
    f = the(&heard, "late", NULL);
    assert_int_equal(count(&heard, "late"), 1);

    assert_int_equal(count(&heard, "reboot"), 2);
    assert_non_null(find(&heard, "reboot", "vlnx1"));
    assert_non_null(find(&heard, "reboot", "db01"));
    assert_int_equal(count(&heard, "reboot_unclean"), 2);
    assert_non_null(find(&heard, "reboot_unclean", "vlnx1"));
    assert_non_null(find(&heard, "reboot_unclean", "ns2"));

    f = the(&heard, "clock", "fw02");
    assert_true(f.count >= 3595 && f.count <= 3605);
    assert_int_equal(count(&heard, "clock"), 1);
    assert_non_null(find(&heard, "clock_unset", "ns2"));
    f = the(&heard, "clock_skew", "app2");
    assert_true(f.count >= 418 && f.count <= 422);
    assert_int_equal(count(&heard, "clock_skew"), 1);

    assert_int_equal(count(&heard, "stolen_account"), 3);
    assert_stolen("m.rossi@cliente.example", "2007-12-03T02:10:00Z", 7428, "14 addresses");
    assert_stolen("user1539@empresa.example", "2007-12-04T08:00:00Z", 2129, "1 address");
    assert_stolen("user3076@tienda.example", "2007-12-07T22:00:00Z", 2229, "3 addresses");

    f = the(&heard, "bruteforce_success", "fw01");
    assert_int_equal(f.count, 5435);
    assert_non_null(strstr(f.text, "backup"));
    assert_int_equal(count(&heard, "bruteforce_success"), 1);

    assert_non_null(find(&heard, "hardware", "db02"));
    assert_non_null(find(&heard, "hardware", "vlnx1"));
    assert_non_null(find(&heard, "hardware", "web03"));
    assert_int_equal(count(&heard, "hardware"), 3);
    assert_int_equal(count(&heard, "hung_task"), 1);
    assert_non_null(find(&heard, "burst", "web02"));
    assert_non_null(find(&heard, "burst", "mx4"));
    assert_non_null(find(&heard, "mail_egress", "fw01"));
    assert_non_null(find(&heard, "replay", "web03"));
    assert_int_equal(the(&heard, "source_loss", "app1").count, 3421);
    analysis_free(a);
}

static void what_is_new_since_the_boot_begins_with_the_controller(void **state)
{
    struct analysis *a;
    bool check = false, cpus = false, hung = false;

    (void)state;
    load_corpus();
    if (corpus.len == 0)
        skip();
    a = read_corpus();
    assert_near(analyse_reboot(a, SLICE("vlnx1")), "2007-12-06T12:29:20Z", SECOND);
    memset(&heard, 0, sizeof(heard));
    analyse_new(a, when("2007-12-06T12:29:00Z"), SLICE(""), 10, on_finding, &heard);
    for (size_t i = 0; i < heard.count; i++) {
        check = check || strstr(heard.at[i].text, "CHECK CONDITION");
        cpus = cpus || strstr(heard.at[i].text, "NR_CPUS");
        hung = hung || strstr(heard.at[i].text, "blocked for more than");
    }
    assert_true(check && cpus && hung);
    memset(&heard, 0, sizeof(heard));
    analyse_new(a, when("2007-12-06T12:29:00Z"), SLICE("vlnx1"), MOST, on_finding, &heard);
    for (size_t i = 0; i < heard.count; i++) {
        assert_null(strstr(heard.at[i].text, "HP CISS Driver"));
        assert_null(strstr(heard.at[i].text, "has been found"));
    }
    analysis_free(a);
}

/* One host's own files, as they were saved after the second story: two rotations, no year, no arrival. */
static void write_story(const char *folder)
{
    struct slice rest = corpus;
    char path[256];
    FILE *f[2];

    (void)snprintf(path, sizeof(path), "%s/messages.1", folder);
    f[0] = fopen(path, "we");
    (void)snprintf(path, sizeof(path), "%s/messages", folder);
    f[1] = fopen(path, "we");
    assert_true(f[0] && f[1]);
    while (rest.len > 0) {
        struct slice line = slice_until(rest, '\n', &rest);
        struct slice text, unused;

        (void)slice_until(line, '\t', &text);
        (void)slice_until(text, '\t', &text);
        (void)slice_until(text, '>', &text);
        if (text.len < 24 || memcmp(text.at + 15, " vlnx1 ", 7) != 0)
            continue;
        (void)unused;
        (void)fwrite(text.at, 1, text.len, f[memcmp(text.at, "Dec  6", 6) >= 0 && text.at[0] == 'D']);
        (void)fputc('\n', f[memcmp(text.at, "Dec  6", 6) >= 0 && text.at[0] == 'D']);
    }
    assert_int_equal(fclose(f[0]) | fclose(f[1]), 0);
}

static void no_note(void *own, const char *name, const char *why)
{
    (void)own;
    fail_msg("%s: %s", name, why);
}

static void the_second_story_is_found_in_its_own_files(void **state)
{
    char folder[] = "/tmp/serviola-story-XXXXXX";
    char *paths[] = { folder };
    struct logfiles_order o = { .paths = paths, .count = 1, .now_us = INT64_MAX / 4, .year = 2007, .note = no_note };
    struct analysis *a;
    struct logfiles *f;
    struct log_line l;
    struct err e;
    struct log_finding silence;
    char path[256];

    (void)state;
    load_corpus();
    if (corpus.len == 0)
        skip();
    assert_non_null(mkdtemp(folder));
    write_story(folder);
    a = fresh();
    f = logfiles_open(&o, &e);
    assert_non_null(f);
    l.at_us = 0;
    while (logfiles_next(f, &l, &e) > 0)
        analyse_line(a, &l);
    logfiles_close(f);
    analyse_end(a, l.at_us);
    (void)snprintf(path, sizeof(path), "%s/messages.1", folder);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/messages", folder);
    (void)unlink(path);
    (void)rmdir(folder);
    silence = the(&heard, "silence", "vlnx1");
    assert_int_equal(count(&heard, "silence"), 1);
    assert_near(silence.from_us, "2007-12-05T18:28:00Z", 15 * MINUTE);
    assert_near(silence.to_us, "2007-12-06T12:29:20Z", SECOND);
    assert_non_null(strstr(silence.text, "nobody had shut it down"));
    analysis_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_host_is_noticed_while_it_is_silent),
        cmocka_unit_test(nobody_is_blamed_for_our_own_absence),
        cmocka_unit_test(who_speaks_at_night_alone_is_left_in_peace),
        cmocka_unit_test(a_burst_does_not_raise_what_is_expected),
        cmocka_unit_test(three_at_once_are_the_network),
        cmocka_unit_test(a_lie_in_a_web_request_is_no_login),
        cmocka_unit_test(a_dying_disk_is_one_story_in_its_order),
        cmocka_unit_test(a_disk_that_was_well_for_a_week_is_told_anew),
        cmocka_unit_test(who_was_told_alone_is_one_of_the_group_and_ends_alone),
        cmocka_unit_test(what_a_source_dropped_itself_is_told_with_its_number),
        cmocka_unit_test(a_queue_that_grows_and_mail_that_waits_are_told),
        cmocka_unit_test(our_address_on_a_black_list_is_told),
        cmocka_unit_test(a_finding_fits_into_an_event),
        cmocka_unit_test(what_was_learned_survives_a_restart),
        cmocka_unit_test(a_changed_memory_is_an_error),
        cmocka_unit_test(everything_planted_is_found_and_nothing_else),
        cmocka_unit_test(what_is_new_since_the_boot_begins_with_the_controller),
        cmocka_unit_test(the_second_story_is_found_in_its_own_files),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    free((void *)(uintptr_t)corpus.at);
    return failed;
}
