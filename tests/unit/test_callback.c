/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "sense/gate/book.h"
#include "sense/gate/callback.h"
#include "sys/clock.h"
#include "sys/loop.h"

#define MS 1000LL
enum { GUESTS = 256, HEARD = 4096, DRIBBLE_US = 10000 };

/* A peer on every address of 127/8, at one port, that says what a test wrote down. */
enum manner { PLAIN, SILENT, HANGS_UP, DRIBBLES, ENDLESS, GREETS_AND_GOES, RESETS_AT_EHLO };

struct answers {
    unsigned count, by[5];
    char words[256];
};

static struct world {
    struct loop *loop;
    struct gate_settings *set;
    struct gate_means means;
    struct self self;
    struct addr own;
    struct callback *callback;
    struct visit visit;
    int64_t wall_s;
    int listener;
    uint16_t port;
    enum manner manner;
    const char *greeting, *ehlo;
    unsigned guests, most_at_once, told, budget_told;
    int guest[GUESTS];
    size_t sent;
    char heard[HEARD];
    size_t heard_len;
    struct answers got;
    unsigned wanted;
    uint32_t poll;
} w;

static int64_t wall(void *ctx)
{
    (void)ctx;
    return w.wall_s * 1000 * MS;
}

static int64_t boot(void *ctx)
{
    (void)ctx;
    return clock_mono_us();
}

static void on_tell(void *ctx, struct event *ev, const struct visit *v)
{
    (void)ctx;
    (void)v;
    w.told += ev->kind == EV_GATE_CALLED_BACK;
    w.budget_told += ev->kind == EV_GATE_CALLBACK_BUDGET;
}

static const char *anybody(const struct gate_means *m, struct addr who, const struct visit *v)
{
    (void)m;
    (void)who;
    (void)v;
    return NULL;
}

/* ---- the peer ---- */

static void say(int fd, const char *text)
{
    (void)send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void end_guest(int fd)
{
    loop_unwatch(w.loop, fd);
    (void)close(fd);
    for (size_t i = 0; i < GUESTS; i++)
        if (w.guest[i] == fd)
            w.guest[i] = -1;
}

static void on_guest(void *ctx, int fd, int events)
{
    static char block[8192];
    char line[512];
    ssize_t n;

    (void)ctx;
    if (w.manner == ENDLESS && (events & LOOP_OUT)) {
        memset(block, 'x', sizeof(block));
        memcpy(block, "220-", 4);
        block[sizeof(block) - 1] = '\n';
        n = send(fd, block, sizeof(block), MSG_NOSIGNAL | MSG_DONTWAIT);
        w.sent += n > 0 ? (size_t)n : 0;
        if (n < 0)
            end_guest(fd);
        return;
    }
    n = recv(fd, line, sizeof(line), MSG_DONTWAIT);
    if (n <= 0) {
        end_guest(fd);
        return;
    }
    if (w.heard_len + (size_t)n < HEARD)
        memcpy(w.heard + w.heard_len, line, (size_t)n);
    w.heard_len += (size_t)n;
    if (w.manner == RESETS_AT_EHLO) {
        struct linger now = { .l_onoff = 1 };

        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
        end_guest(fd);
    } else if (strncmp(line, "EHLO", 4) == 0 && w.ehlo)
        say(fd, w.ehlo);
}

static unsigned guests_now(void)
{
    unsigned n = 0;

    for (size_t i = 0; i < GUESTS; i++)
        n += w.guest[i] >= 0;
    return n;
}

static void on_connection(void *ctx, int fd, int events)
{
    int guest = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)ctx;
    (void)events;
    if (guest < 0)
        return;
    w.guests++;
    if (w.manner == GREETS_AND_GOES)
        say(guest, w.greeting);
    if (w.manner == HANGS_UP || w.manner == GREETS_AND_GOES) {
        (void)close(guest);
        return;
    }
    for (size_t i = 0; i < GUESTS; i++)
        if (w.guest[i] < 0) {
            w.guest[i] = guest;
            break;
        }
    w.most_at_once = guests_now() > w.most_at_once ? guests_now() : w.most_at_once;
    if (w.manner == PLAIN || w.manner == RESETS_AT_EHLO)
        say(guest, w.greeting);
    assert_int_equal(
        loop_watch(w.loop, guest, w.manner == ENDLESS ? LOOP_IN | LOOP_OUT : LOOP_IN, on_guest, NULL, NULL), 0);
}

static void dribble(void *ctx)
{
    (void)ctx;
    for (size_t i = 0; i < GUESTS && w.manner == DRIBBLES; i++)
        if (w.guest[i] >= 0)
            say(w.guest[i], "2");
}

/* ---- the world ---- */

static int set_up(void **state)
{
    struct sockaddr_in any = { .sin_family = AF_INET };
    socklen_t len = sizeof(any);

    (void)state;
    w = (struct world){ .wall_s = 1700000000, .greeting = "220 mx.far.example ESMTP\r\n", .ehlo = "250 hello\r\n" };
    memset(w.guest, 0xff, sizeof(w.guest));
    w.loop = loop_new(NULL);
    w.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(w.listener, (struct sockaddr *)&any, len), 0);
    assert_int_equal(listen(w.listener, 512), 0);
    assert_int_equal(getsockname(w.listener, (struct sockaddr *)&any, &len), 0);
    w.port = ntohs(any.sin_port);
    assert_int_equal(loop_watch(w.loop, w.listener, LOOP_IN, on_connection, NULL, NULL), 0);
    assert_true(loop_timer(w.loop, DRIBBLE_US, DRIBBLE_US, dribble, NULL) != 0);
    w.set = calloc(1, sizeof(*w.set));
    w.set->callback = (struct gate_callback){ .connect_us = 300 * MS,
                                              .greeting_us = 300 * MS,
                                              .total_us = 400 * MS,
                                              .good_us = 7 * 86400000 * MS,
                                              .refused_us = 4 * 3600000 * MS,
                                              .silent_us = 2 * 3600000 * MS,
                                              .in_flight = 50,
                                              .per_network = 1000,
                                              .port = w.port };
    w.own = addr_v4(0xc6120001, 0);
    w.self = (struct self){ .own = &w.own, .count = 1 };
    w.means = (struct gate_means){ .set = w.set,
                                   .self = &w.self,
                                   .loop = w.loop,
                                   .name = "mx.house.example",
                                   .now_us = boot,
                                   .wall_us = wall,
                                   .tell = on_tell };
    w.means.book = book_new(-1, 5000, NULL);
    book_set(w.means.book, &w.set->greylist, &w.set->callback);
    w.callback = callback_new(&w.means, NULL);
    assert_non_null(w.callback);
    callback_judge(w.callback, anybody);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    callback_free(w.callback);
    for (size_t i = 0; i < GUESTS; i++)
        if (w.guest[i] >= 0)
            end_guest(w.guest[i]);
    loop_unwatch(w.loop, w.listener);
    (void)close(w.listener);
    book_free(w.means.book);
    loop_free(w.loop);
    free(w.set);
    return 0;
}

static void on_answer(void *ctx, enum callback_result r, const char *words)
{
    struct answers *a = ctx;

    a->count++;
    a->by[r]++;
    (void)snprintf(a->words, sizeof(a->words), "%s", words);
}

static struct addr far(uint32_t n)
{
    return addr_v4(0x7f010001 + n, 0);
}

static struct callback_call *ask(uint32_t n)
{
    return callback_ask(w.callback, far(n), &w.visit, on_answer, &w.got);
}

static void look(void *ctx)
{
    (void)ctx;
    if (w.got.count >= w.wanted && callback_in_flight(w.callback) == 0)
        loop_stop(w.loop);
}

static void wait_for(unsigned answers)
{
    uint32_t timer = loop_timer(w.loop, 1000, 1000, look, NULL);

    w.wanted = answers;
    assert_int_equal(loop_run(w.loop, NULL), 0);
    loop_untimer(w.loop, timer);
    assert_int_equal(w.got.count, answers);
}

static void expect(enum callback_result r, const char *words)
{
    (void)ask(0);
    wait_for(1);
    if (w.got.by[r] != 1 || !strstr(w.got.words, words))
        fail_msg("it was said: %s", w.got.words);
}

/* Called again, it is answered without another connection. */
static void expect_remembered(enum callback_result r)
{
    unsigned guests = w.guests;

    w.got = (struct answers){ 0 };
    assert_null(ask(0));
    assert_int_equal(w.got.by[r], 1);
    assert_int_equal(w.guests, guests);
}

/* ---- cases 9 and 10 ---- */

static void a_mail_server_hears_ehlo_and_quit_and_nothing_else(void **state)
{
    char *second;

    (void)state;
    w.ehlo = "250-mx.far.example\r\n250-SIZE\r\n250 PIPELINING\r\n";
    expect(CALLBACK_SPEAKS, "250 PIPELINING");
    expect_remembered(CALLBACK_SPEAKS);
    assert_int_equal(w.guests, 1);
    assert_int_equal(w.told, 1);
    assert_int_equal(strncmp(w.heard, "EHLO cb-", 8), 0);
    assert_non_null(strstr(w.heard, ".mx.house.example\r\n"));
    second = strstr(w.heard, "\r\n") + 2;
    assert_true(*second == '\0' || strcmp(second, "QUIT\r\n") == 0);
    w.wall_s += 7 * 86400 + 1;
    w.got = (struct answers){ 0 };
    assert_non_null(ask(0)); /* after a week it is called again */
    wait_for(1);
}

static void a_closed_port_is_refused_for_four_hours(void **state)
{
    (void)state;
    loop_unwatch(w.loop, w.listener);
    (void)close(w.listener);
    expect(CALLBACK_REFUSED, "onnection refused");
    expect_remembered(CALLBACK_REFUSED);
    w.wall_s += 4 * 3600 + 1;
    w.got = (struct answers){ 0 };
    (void)ask(0);
    wait_for(1);
    assert_int_equal(w.told, 2);
    w.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void silence_is_silence(void **state)
{
    (void)state;
    w.manner = SILENT;
    expect(CALLBACK_SILENT, "no greeting in time");
    expect_remembered(CALLBACK_SILENT);
}

static void a_byte_now_and_then_is_silence_at_the_end_of_all_time(void **state)
{
    int64_t began = clock_mono_us();

    (void)state;
    w.set->callback.greeting_us = 10000 * MS;
    w.manner = DRIBBLES;
    expect(CALLBACK_SILENT, "no greeting in time");
    assert_true(clock_mono_us() - began >= 400 * MS);
}

static void a_greeting_that_refuses_is_a_refusal(void **state)
{
    (void)state;
    w.greeting = "554-go away\r\n554 no mail here\r\n";
    expect(CALLBACK_REFUSED, "554 no mail here");
}

static void a_busy_server_is_a_mail_server(void **state)
{
    (void)state;
    w.greeting = "421 too many connections\r\n";
    expect(CALLBACK_SPEAKS, "421");
}

static void a_busy_server_that_goes_in_the_middle_of_its_words_is_a_mail_server(void **state)
{
    (void)state;
    w.manner = GREETS_AND_GOES;
    w.greeting = "421-4.3.2 too many connections\r\n421 co";
    expect(CALLBACK_SPEAKS, "421-4.3.2 too many");
    w.greeting = "421 4.3.2 too ma";
    w.got = (struct answers){ .count = 0 };
    (void)ask(1);
    wait_for(1);
    assert_int_equal(w.got.by[CALLBACK_SPEAKS], 1);
}

static void one_that_resets_the_connection_at_ehlo_has_greeted(void **state)
{
    (void)state;
    w.manner = RESETS_AT_EHLO;
    expect(CALLBACK_SPEAKS, "hangs up at EHLO");
}

static void one_that_refuses_our_ehlo_is_a_mail_server(void **state)
{
    (void)state;
    w.ehlo = "554 your token is mine\r\n";
    expect(CALLBACK_SPEAKS, "554");
}

static void what_is_no_smtp_is_refused_and_its_bytes_are_made_visible(void **state)
{
    (void)state;
    w.greeting = "SSH-2.0-\033[2JOpenSSH\r\n";
    expect(CALLBACK_REFUSED, "no SMTP: SSH-2.0-\\x1b[2JOpenSSH");
}

static void who_hangs_up_without_a_word_is_refused(void **state)
{
    (void)state;
    w.manner = HANGS_UP;
    (void)ask(0);
    wait_for(1);
    assert_int_equal(w.got.by[CALLBACK_REFUSED], 1);
}

static void an_endless_greeting_is_cut(void **state)
{
    (void)state;
    w.set->callback.greeting_us = w.set->callback.total_us = 20000 * MS;
    w.manner = ENDLESS;
    expect(CALLBACK_REFUSED, "64 KiB");
}

/* ---- cases 11 and 12: budgets ---- */

static void five_hundred_connections_of_one_address_cause_one_call(void **state)
{
    (void)state;
    w.wanted = 500;
    for (int i = 0; i < 500; i++)
        (void)ask(0);
    assert_int_equal(callback_in_flight(w.callback), 1);
    wait_for(500);
    assert_int_equal(w.got.by[CALLBACK_SPEAKS], 500);
    assert_int_equal(w.guests, 1);
}

static void a_storm_of_addresses_stays_within_the_budget(void **state)
{
    (void)state;
    w.manner = SILENT;
    for (uint32_t i = 0; i < 1000; i++)
        (void)ask(i * 256);
    assert_int_equal(callback_in_flight(w.callback), 50);
    assert_int_equal(w.got.by[CALLBACK_BUSY], 950);
    assert_int_equal(w.budget_told, 1); /* said once, not a thousand times */
    wait_for(1000);
    assert_true(w.most_at_once <= 50);
    assert_int_equal(w.got.by[CALLBACK_SILENT], 50);
}

static void one_network_is_called_so_often_a_second(void **state)
{
    (void)state;
    w.set->callback.per_network = 2;
    for (uint32_t i = 0; i < 10; i++)
        (void)ask(i);
    (void)ask(256); /* a neighbour is not concerned */
    assert_int_equal(w.got.by[CALLBACK_BUSY], 8);
    wait_for(11);
    assert_int_equal(w.got.by[CALLBACK_SPEAKS], 3);
}

static void who_left_is_not_told_and_the_result_is_kept(void **state)
{
    (void)state;
    callback_drop(ask(0));
    (void)ask(1);
    wait_for(1);
    w.got = (struct answers){ 0 };
    expect_remembered(CALLBACK_SPEAKS);
}

/* ---- the fences ---- */

static struct addr addr(const char *text)
{
    struct addr a = { 0 };

    assert_true(addr_read(slice_text(text), &a));
    return a;
}

static void our_own_addresses_are_never_called(void **state)
{
    static const char *const never[] = { "127.0.1.50", "127.255.255.255", "::1",      "0.0.0.0",   "0.1.2.3",
                                         "::",         "198.18.0.1",      "10.1.2.3", "224.0.0.1", "255.255.255.255",
                                         "fe80::1",    "169.254.1.1",     "ff02::1",  "fc00::1",   "203.0.113.77",
                                         "192.0.2.25" };

    (void)state;
    callback_judge(w.callback, callback_never);
    w.set->own.count = 1;
    assert_true(prefix_read(SLICE("203.0.113.64/26"), &w.set->own.at[0]));
    w.set->listeners_count = 1;
    w.set->listeners[0].to = addr("192.0.2.25");
    w.visit.local = w.own;
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        w.got = (struct answers){ 0 };
        assert_null(callback_ask(w.callback, addr(never[i]), &w.visit, on_answer, &w.got));
        if (w.got.by[CALLBACK_NEVER] != 1)
            fail_msg("%s is called: %s", never[i], w.got.words);
    }
    assert_null(callback_never(&w.means, addr("192.0.2.1"), &w.visit));
    w.set->callback.private_too = true;
    assert_null(callback_never(&w.means, addr("10.1.2.3"), &w.visit));
    w.visit.local = addr("127.0.1.50"); /* who came in there is ourselves, whatever it is called */
    assert_non_null(callback_never(&w.means, addr("192.0.2.1"), &w.visit));
    w.visit.local = addr("192.0.2.1");
    assert_non_null(callback_never(&w.means, addr("192.0.2.1"), &w.visit));
}

/* The name that the peer heard. */
static struct slice heard_token(void)
{
    struct slice after;

    return slice_until(slice_skip(slice_of(w.heard, w.heard_len), 5), '\r', &after);
}

static void our_token_is_known_and_a_changed_or_old_one_is_not(void **state)
{
    struct gate_settings *theirs = calloc(1, sizeof(*theirs));
    struct gate_means their_means = w.means;
    struct callback *other;
    char name[256];

    (void)state;
    their_means.set = theirs;
    other = callback_new(&their_means, NULL);
    expect(CALLBACK_SPEAKS, "");
    assert_true(text_cstr(name, sizeof(name), heard_token()));
    assert_true(callback_is_ours(w.callback, slice_text(name)));
    assert_false(callback_is_ours(other, slice_text(name))); /* it has another secret */
    w.wall_s += 86401;
    assert_false(callback_is_ours(w.callback, slice_text(name)));
    w.wall_s -= 86401;
    name[7] = name[7] == '0' ? '1' : '0';
    assert_false(callback_is_ours(w.callback, slice_text(name)));
    assert_false(callback_is_ours(w.callback, SLICE("cb-")));
    assert_false(callback_is_ours(w.callback, SLICE("mx.house.example")));
    callback_free(other);
    free(theirs);
}

static void gates_that_share_a_token_know_each_other(void **state)
{
    struct gate_settings *theirs = calloc(1, sizeof(*theirs));
    struct gate_means their_means = w.means;
    struct callback *other;

    (void)state;
    (void)snprintf(w.set->token, sizeof(w.set->token), "one secret for both");
    (void)snprintf(theirs->token, sizeof(theirs->token), "one secret for both");
    their_means.set = theirs;
    other = callback_new(&their_means, NULL);
    expect(CALLBACK_SPEAKS, "");
    assert_true(callback_is_ours(other, heard_token()));
    callback_free(other);
    free(theirs);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_mail_server_hears_ehlo_and_quit_and_nothing_else),
        TEST(a_closed_port_is_refused_for_four_hours),
        TEST(silence_is_silence),
        TEST(a_byte_now_and_then_is_silence_at_the_end_of_all_time),
        TEST(a_greeting_that_refuses_is_a_refusal),
        TEST(a_busy_server_is_a_mail_server),
        TEST(a_busy_server_that_goes_in_the_middle_of_its_words_is_a_mail_server),
        TEST(one_that_resets_the_connection_at_ehlo_has_greeted),
        TEST(one_that_refuses_our_ehlo_is_a_mail_server),
        TEST(what_is_no_smtp_is_refused_and_its_bytes_are_made_visible),
        TEST(who_hangs_up_without_a_word_is_refused),
        TEST(an_endless_greeting_is_cut),
        TEST(five_hundred_connections_of_one_address_cause_one_call),
        TEST(a_storm_of_addresses_stays_within_the_budget),
        TEST(one_network_is_called_so_often_a_second),
        TEST(who_left_is_not_told_and_the_result_is_kept),
        TEST(our_own_addresses_are_never_called),
        TEST(our_token_is_known_and_a_changed_or_old_one_is_not),
        TEST(gates_that_share_a_token_know_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
