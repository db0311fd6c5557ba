/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "snap/join.h"
#include "view/explain/explain.h"

static struct snap_process *process(struct snap *s, int64_t pid, int64_t parent, const char *exe, const char *args)
{
    struct snap_process *p = snap_add(s, SNAP_PROCESS);
    char words[256];
    size_t n = strlen(args);

    memcpy(words, args, n);
    for (size_t i = 0; i < n; i++)
        if (words[i] == ' ')
            words[i] = '\0';
    words[n] = '\0';
    p->pid = pid;
    p->parent = parent;
    p->start_ms = (uint64_t)pid;
    p->state = SLICE("S");
    p->exe = snap_keep_text(s, exe);
    p->args = snap_keep(s, slice_of(words, n + 1));
    p->comm = SLICE("x");
    p->image = exe[0] ? SNAP_IMAGE_FILE : SNAP_IMAGE_NONE;
    return p;
}

static void hold(struct snap *s, int64_t pid, uint64_t inode, uint64_t descriptor)
{
    struct snap_holder *h = snap_add(s, SNAP_HOLDER);

    h->pid = pid;
    h->inode = inode;
    h->descriptor = descriptor;
}

static struct snap_socket *tcp(struct snap *s, const char *state, const char *local, const char *remote, uint64_t inode)
{
    struct snap_socket *k = snap_add(s, SNAP_SOCKET);

    k->kind = SLICE("tcp");
    k->state = snap_keep_text(s, state);
    (void)addr_read_port(slice_text(local), &k->local);
    if (remote)
        (void)addr_read_port(slice_text(remote), &k->remote);
    k->inode = inode;
    return k;
}

/* A connection from `client` (descriptor 9) that `server` serves (descriptor 4). */
static void connect_them(struct snap *s, int64_t client, int64_t server, unsigned from, unsigned to)
{
    static uint64_t inode = 1000;
    char a[32];
    char b[32];

    (void)snprintf(a, sizeof(a), "127.0.0.1:%u", from);
    (void)snprintf(b, sizeof(b), "127.0.1.50:%u", to);
    (void)tcp(s, "ESTABLISHED", a, b, ++inode);
    hold(s, client, inode, 9);
    (void)tcp(s, "ESTABLISHED", b, a, ++inode);
    hold(s, server, inode, 4);
}

static const struct finding *find(const struct findings *f, const char *id)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->at[i].id, id) == 0)
            return &f->at[i];
    return NULL;
}

/* Explains, and frees the picture. */
static struct findings *told(struct snap *s)
{
    struct err e;
    struct findings *f;

    assert_int_equal(join_owners(s, &e), 0);
    f = explain(s, &e);
    assert_non_null(f);
    snap_free(s);
    return f;
}

static void assert_found(struct snap *s, const char *id, const char *words)
{
    struct findings *f = told(s);
    const struct finding *found = find(f, id);

    assert_non_null(found);
    if (!strstr(found->text, words))
        print_error("%s\n", found->text);
    assert_non_null(strstr(found->text, words));
    free(f);
}

static void assert_not_found(struct snap *s, const char *id)
{
    struct findings *f = told(s);

    assert_null(find(f, id));
    free(f);
}

/* A front (pid 10) that forks workers, each of which starts a callback. */
static struct snap *front(unsigned workers, bool calls_itself)
{
    struct snap *s = snap_new(NULL);

    (void)process(s, 10, 1, "/usr/bin/perl", "perl /opt/smtp-front");
    (void)process(s, 20, 1, "/usr/bin/perl", "perl /opt/qmail-remote evil.test");
    (void)tcp(s, "LISTEN", "0.0.0.0:25", NULL, 500);
    (void)tcp(s, "LISTEN", "0.0.0.0:2525", NULL, 501);
    hold(s, 10, 500, 3);
    (void)process(s, 11, 1, "/usr/sbin/mta", "mta");
    hold(s, 11, 501, 3);
    for (unsigned i = 0; i < workers; i++) {
        (void)process(s, 100 + 2 * i, 10, "/usr/bin/perl", "perl /opt/smtp-front");
        (void)process(s, 101 + 2 * i, 100 + 2 * i, "/usr/bin/perl", "perl /opt/callback 127.0.1.50");
    }
    for (unsigned i = 0; i < workers; i++) {
        if (calls_itself) {
            connect_them(s, i == 0 ? 20 : 99 + 2 * i, 100 + 2 * i, 40000 + i, 25);
        } else {
            (void)process(s, 1000 + i, 11, "/usr/sbin/mta", "mta");
            connect_them(s, 20, 100 + 2 * i, 40000 + i, 25);
            connect_them(s, 101 + 2 * i, 1000 + i, 50000 + i, 2525);
        }
    }
    return s;
}

static void a_front_that_calls_itself_is_a_loop_and_where_it_began_is_told(void **state)
{
    struct findings *f = told(front(40, true));
    const struct finding *found = find(f, "self_loop");

    (void)state;
    assert_true(found && !found->likely && strstr(found->next, "kill 10 20"));
    assert_string_equal(found ? found->text : "",
                        "smtp-front (pid 10) is calling itself: 39 of 40 connections to its port 25 come from its own "
                        "callback, by way of 127.0.1.50; it began with qmail-remote (pid 20): perl /opt/qmail-remote "
                        "evil.test");
    free(f);
}

/* The counts change with the number of places, the length of what is told does not. */
static void a_loop_of_five_and_one_of_two_hundred_are_told_in_as_many_words(void **state)
{
    static const unsigned places[] = { 5, 40, 200 };
    size_t longest = 0, shortest = SIZE_MAX;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct findings *f = told(front(places[i], true));
        const struct finding *found = find(f, "self_loop");
        char count[40];
        size_t len = found ? strlen(found->text) : 0;

        (void)snprintf(count, sizeof(count), "%u of %u", places[i] - 1, places[i]);
        assert_true(found && strstr(found->text, count));
        longest = len > longest ? len : longest;
        shortest = len < shortest ? len : shortest;
        free(f);
    }
    assert_true(longest - shortest <= 8); /* digits */
}

static void a_busy_proxy_in_front_of_a_server_is_no_loop(void **state)
{
    (void)state;
    assert_not_found(front(40, false), "self_loop");
}

/* Beside the front's loop: another server, on port 2626, that another callback of its own calls. */
static void second_front(struct snap *s, unsigned workers)
{
    (void)process(s, 3000, 1, "/usr/sbin/relayd", "relayd");
    (void)process(s, 3001, 1, "/usr/sbin/injector", "injector");
    (void)tcp(s, "LISTEN", "0.0.0.0:2626", NULL, 600);
    hold(s, 3000, 600, 3);
    for (unsigned i = 0; i < workers; i++) {
        (void)process(s, 3100 + 2 * i, 3000, "/usr/sbin/relayd", "relayd");
        (void)process(s, 3101 + 2 * i, 3100 + 2 * i, "/usr/sbin/verifier", "verifier");
    }
    for (unsigned i = 0; i < workers; i++)
        connect_them(s, i == 0 ? 3001 : 3099 + 2 * i, 3100 + 2 * i, 60000 + i, 2626);
}

static void two_loops_at_once_are_two_findings(void **state)
{
    struct snap *s = front(10, true);
    struct findings *f;
    bool first = false;
    bool second = false;
    size_t loops = 0;

    (void)state;
    second_front(s, 8);
    f = told(s);
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->at[i].id, "self_loop") != 0)
            continue;
        loops++;
        first = first || strstr(f->at[i].text, "port 25 ");
        second = second || strstr(f->at[i].text, "port 2626 ");
    }
    assert_int_equal(loops, 2);
    assert_true(first && second);
    free(f);
}

static void what_three_processes_share_is_one_connection(void **state)
{
    struct snap *s = front(10, true);
    struct findings *f;
    const struct finding *loop;

    (void)state;
    SNAP_LIST(s, SNAP_SOCKET, struct snap_socket, k)
    if (k->local.port == 25 && slice_eq(k->state, SLICE("ESTABLISHED")))
        hold(s, 10, k->inode, 7); /* the parent has not closed its copy */
    f = told(s);
    loop = find(f, "self_loop");
    assert_non_null(loop);
    assert_non_null(strstr(loop ? loop->text : "", "9 of 10 connections"));
    free(f);
}

static void three_returns_are_a_loop_and_two_are_not(void **state)
{
    (void)state;
    assert_found(front(3, true), "self_loop", "2 of 3 connections");
    assert_not_found(front(2, true), "self_loop");
}

static void a_row_of_relays_of_one_name_that_ends_is_no_loop(void **state)
{
    struct snap *s = snap_new(NULL);

    (void)state;
    for (unsigned i = 0; i < 32; i++) {
        char at[32];

        (void)snprintf(at, sizeof(at), "0.0.0.0:%u", 7000 + i);
        (void)process(s, 100 + i, 1, "/usr/bin/perl", "perl /opt/relay");
        (void)tcp(s, "LISTEN", at, NULL, 500 + i);
        hold(s, 100 + i, 500 + i, 3);
    }
    for (unsigned i = 1; i < 32; i++)
        connect_them(s, 100 + i - 1, 100 + i, 40000 + i, 7000 + i);
    assert_not_found(s, "self_loop");
}

static void what_a_process_opened_before_it_accepted_is_not_caused_by_it(void **state)
{
    struct snap *s = snap_new(NULL);
    struct snap_holder *h;

    (void)state;
    (void)tcp(s, "LISTEN", "0.0.0.0:2500", NULL, 500);
    for (unsigned i = 0; i < 20; i++)
        (void)process(s, 100 + i, 1, "/opt/load", "load");
    hold(s, 100, 500, 3);
    for (unsigned i = 0; i < 20; i++)
        connect_them(s, 100 + i, 100 + (i + 1) % 20, 40000 + i, 2500);
    h = s->part[SNAP_HOLDER].at;
    for (size_t i = 0; i < s->part[SNAP_HOLDER].count; i++)
        h[i].descriptor = h[i].descriptor == 9 ? 3 : 8;
    assert_not_found(s, "self_loop");
}

static void a_full_listener_tells_who_holds_the_places(void **state)
{
    struct snap *s = front(1, false);
    struct snap_socket *l = s->part[SNAP_SOCKET].at;

    (void)state;
    l->receive_queue = 65;
    l->send_queue = 64;
    assert_found(s, "full_house", "smtp-front (pid 10) on port 25 takes no more connections");
    assert_not_found(front(1, false), "full_house");
}

static struct snap *waiter(const char *wait, const char *stack, unsigned count)
{
    struct snap *s = snap_new(NULL);
    struct snap_mount *m = snap_add(s, SNAP_MOUNT);

    m->point = SLICE("/srv");
    m->source = SLICE("/dev/sdb1");
    m->type = SLICE("ext4");
    for (unsigned i = 0; i < count; i++) {
        struct snap_process *p = process(s, 50 + i, 1, "/usr/sbin/httpd", "httpd");

        p->waiting = 1;
        p->wait = snap_keep_text(s, wait);
        p->stack = snap_keep_text(s, stack);
        p->wait_path = SLICE("/srv/www/log");
    }
    return s;
}

static void who_waits_for_a_disk_is_told_with_its_mount(void **state)
{
    (void)state;
    assert_found(waiter("folio_wait_bit", "folio_wait_bit\n", 8), "stuck_disk",
                 "The file system on /srv does not answer: 8");
    assert_not_found(waiter("folio_wait_bit", "folio_wait_bit\n", 1), "stuck_disk");
    assert_not_found(waiter("wait_for_vfork_done", "wait_for_vfork_done\n__do_sys_vfork\n", 8), "stuck_disk");
}

static void a_frozen_file_system_is_no_broken_disk(void **state)
{
    (void)state;
    assert_found(waiter("percpu_rwsem_wait", "percpu_rwsem_wait\nmnt_want_write\n", 1), "frozen_fs",
                 "on /srv (/dev/sdb1) is frozen");
    assert_not_found(waiter("percpu_rwsem_wait", "percpu_rwsem_wait\nmnt_want_write\n", 8), "stuck_disk");
    assert_not_found(waiter("percpu_rwsem_wait", "percpu_rwsem_wait\ncgroup_attach_task\n", 1), "frozen_fs");
}

static void a_disk_that_finishes_nothing_is_stuck_and_a_busy_one_is_not(void **state)
{
    struct snap *s = waiter("io_schedule", "io_schedule\n", 1);
    struct snap_disk *d = snap_add(s, SNAP_DISK);

    (void)state;
    *d = (struct snap_disk){
        .name = SLICE("sdb"), .in_flight = 3, .in_flight_after = 5, .done = 100, .done_after = 100
    };
    assert_found(s, "stuck_disk", "does not answer");
    s = waiter("io_schedule", "io_schedule\n", 1);
    d = snap_add(s, SNAP_DISK);
    *d = (struct snap_disk){
        .name = SLICE("sdb"), .in_flight = 3, .in_flight_after = 5, .done = 100, .done_after = 900
    };
    assert_not_found(s, "stuck_disk");
}

static struct snap *log_of(const char *text, unsigned facility)
{
    struct snap *s = snap_new(NULL);
    struct snap_kmsg *k = snap_add(s, SNAP_KMSG);

    k->text = snap_keep_text(s, text);
    k->facility = facility;
    return s;
}

static void a_failing_controller_is_named(void **state)
{
    (void)state;
    assert_found(log_of("cciss: cmd dfb40000 has CHECK CONDITION byte 2 = 0x3", 0), "failing_disk",
                 "controller driver cciss");
    assert_found(log_of("cciss: cmd dfb40000 has CHECK CONDITION byte 2 = 0x3", 1), "failing_disk",
                 "written by a program");
    assert_not_found(log_of("cciss0: <0xb060> at PCI 0000:06:01.0 IRQ 16 using DAC", 0), "failing_disk");
}

static struct findings *with_past(const struct snap *s, const struct event *ev, size_t count)
{
    struct explain_past past = { ev, count };
    struct err e;
    struct findings *f = explain_with(s, &past, &e);

    assert_non_null(f);
    return f;
}

static void what_the_kernel_said_long_ago_is_no_alarm_now(void **state)
{
    static const int64_t ages_s[] = { 60, 7200, 2 * 86400 };
    static const enum grade grades[] = { GRADE_ALARM, GRADE_WARN, GRADE_NOTE };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct snap *s = log_of("cciss: cmd dfb40000 has CHECK CONDITION byte 2 = 0x3", 0);
        struct snap_host *h = snap_add(s, SNAP_HOST);
        struct findings *f;

        h->booted_us = 1000000;
        h->begun_us = h->booted_us + 10 * 86400 * INT64_C(1000000);
        ((struct snap_kmsg *)s->part[SNAP_KMSG].at)->at_us = (10 * 86400 - ages_s[i]) * INT64_C(1000000);
        f = with_past(s, NULL, 0);
        assert_int_equal(f->count, 1);
        assert_int_equal(f->at[0].grade, grades[i]);
        assert_int_equal(strstr(f->at[0].text, "before this picture") != NULL, i > 0);
        free(f);
        snap_free(s);
    }
}

static void the_journal_proves_what_the_picture_shows(void **state)
{
    struct snap *s = snap_new(NULL);
    struct snap_host *h = snap_add(s, SNAP_HOST);
    struct event ev = event_new(EV_LOG_FOUND);
    struct findings *f;

    (void)state;
    h->begun_us = h->ended_us = ev.at_us = 1795000000 * INT64_C(1000000);
    event_add_words(&ev, F_RULE, "stolen_account");
    event_add_words(&ev, F_WHY, "alba sends to 400 domains");
    f = with_past(s, &ev, 1);
    assert_int_equal(f->count, 1);
    assert_string_equal(f->at[0].id, "stolen_account");
    assert_non_null(strstr(f->at[0].text, "alba sends to 400 domains"));
    free(f);
    f = with_past(s, NULL, 0);
    assert_int_equal(f->count, 0);
    free(f);
    ev = event_new(EV_GATE_FULL); /* no finding of its own: it only proves one */
    f = with_past(s, &ev, 1);
    assert_int_equal(f->count, 0);
    free(f);
    snap_free(s);
}

static void only_the_minutes_around_it_are_asked_of_the_journal(void **state)
{
    struct snap *s = snap_new(NULL);
    struct snap_host *h = snap_add(s, SNAP_HOST);
    struct event ev = event_new(EV_GATE_DNS_DOWN);

    (void)state;
    h->begun_us = h->ended_us = 1795000000 * INT64_C(1000000);
    ev.at_us = h->begun_us - 60 * INT64_C(1000000);
    assert_true(explain_past_wants(s, &ev));
    ev.at_us = h->begun_us - EXPLAIN_BEFORE_US - 1;
    assert_false(explain_past_wants(s, &ev));
    ev = event_new(EV_GATE_DNS_BACK);
    ev.at_us = h->begun_us;
    assert_false(explain_past_wants(s, &ev));
    snap_free(s);
}

static struct snap *disk(uint64_t left, uint64_t inodes_left, const char *options)
{
    struct snap *s = snap_new(NULL);
    struct snap_mount *m = snap_add(s, SNAP_MOUNT);

    *m = (struct snap_mount){ .point = SLICE("/var"),
                              .source = SLICE("/dev/sda2"),
                              .type = SLICE("ext4"),
                              .major = 8,
                              .answer = SNAP_ANSWERED,
                              .bytes = 1 << 30,
                              .bytes_free = left,
                              .inodes = 1000,
                              .inodes_free = inodes_left,
                              .options = SLICE("rw") };
    m->super_options = snap_keep_text(s, options);
    return s;
}

static void a_disk_without_room_or_inodes_is_full(void **state)
{
    (void)state;
    assert_found(disk(0, 500, "rw"), "full_disk", "/var has nothing left");
    assert_found(disk(1 << 29, 3, "rw"), "full_disk", "inodes");
    assert_not_found(disk(1 << 29, 500, "rw"), "full_disk");
    assert_not_found(disk(0, 0, "ro"), "full_disk"); /* an image on CD is always full */
}

static void read_only_by_error_is_told_from_read_only_by_hand(void **state)
{
    struct snap *s = disk(1 << 29, 500, "ro");
    struct snap_kmsg *k = snap_add(s, SNAP_KMSG);

    (void)state;
    k->text = SLICE("EXT4-fs (sda2): re-mounted 0b3c ro. Quota mode: none.");
    assert_found(s, "read_only_by_hand", "/var (/dev/sda2)");
    assert_found(disk(1 << 29, 500, "rw,emergency_ro"), "read_only_by_error", "although mount still says rw");
    assert_not_found(disk(1 << 29, 500, "rw,emergency_ro"), "read_only_by_hand");
    assert_not_found(disk(1 << 29, 500, "ro"), "read_only_by_error");
    assert_not_found(disk(1 << 29, 500, "ro"), "read_only_by_hand"); /* as fstab wants it */
}

/* Each: what the kernel said, one after the other; then what is found. */
static void what_was_said_of_another_mount_or_disk_is_no_error_of_this_one(void **state)
{
    static const struct {
        const char *lines[4], *found;
    } logs[] = {
        { { "EXT4-fs (sda2): mounted filesystem 0b3c r/w", "EXT4-fs (sda2): Remounting filesystem read-only" },
          "read_only_by_error" },
        { { "EXT4-fs (sda2): Remounting filesystem read-only", "EXT4-fs (sda2): unmounting filesystem 0b3c.",
            "EXT4-fs (sda2): mounted filesystem 0b3c r/w", "EXT4-fs (sda2): re-mounted 0b3c ro." },
          "read_only_by_hand" },
        { { "EXT4-fs (sda2): Remounting filesystem read-only", "EXT4-fs (sda2): re-mounted 0b3c r/w.",
            "EXT4-fs (sda2): re-mounted 0b3c ro." },
          "read_only_by_hand" },
        { { "EXT4-fs (sda2): re-mounted 0b3c ro.", "EXT4-fs (sda2): re-mounted 0b3c r/w.",
            "EXT4-fs (sda2): Remounting filesystem read-only" },
          "read_only_by_error" },
        { { "EXT4-fs (sda2): re-mounted 0b3c ro.", "EXT4-fs (sda21): Remounting filesystem read-only" },
          "read_only_by_hand" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
        bool error = strcmp(logs[i].found, "read_only_by_error") == 0;
        struct snap *s[2];

        for (size_t n = 0; n < 2; n++) {
            s[n] = disk(1 << 29, 500, "ro");
            for (size_t k = 0; k < 4 && logs[i].lines[k]; k++)
                ((struct snap_kmsg *)snap_add(s[n], SNAP_KMSG))->text = slice_text(logs[i].lines[k]);
        }
        assert_found(s[0], logs[i].found, "/var (/dev/sda2)");
        assert_not_found(s[1], error ? "read_only_by_hand" : "read_only_by_error");
    }
}

static struct snap *with_image(enum snap_image image)
{
    struct snap *s = snap_new(NULL);

    process(s, 50, 1, "/usr/sbin/updaterd (deleted)", "updaterd")->image = image;
    return s;
}

static void a_deleted_executable_is_not_an_upgraded_one(void **state)
{
    (void)state;
    assert_found(with_image(SNAP_IMAGE_DELETED), "deleted_executable", "updaterd (pid 50)");
    assert_not_found(with_image(SNAP_IMAGE_DELETED), "upgraded_executable");
    assert_found(with_image(SNAP_IMAGE_REPLACED), "upgraded_executable", "old version");
    assert_not_found(with_image(SNAP_IMAGE_REPLACED), "deleted_executable");
    assert_found(with_image(SNAP_IMAGE_MEMORY), "memfd_executable", "from memory");
    assert_not_found(with_image(SNAP_IMAGE_FILE), "deleted_executable");
}

static void a_program_that_calls_itself_a_kernel_thread_is_found(void **state)
{
    struct snap *s = snap_new(NULL);
    struct snap_process *p = process(s, 60, 1, "/tmp/x", "[kworker/0:1H]");

    (void)state;
    p->comm = SLICE("kworker/0:1H");
    assert_found(s, "kernel_thread_impostor", "[kworker/0:1H]");
    s = snap_new(NULL);
    p = process(s, 60, 2, "", "");
    p->comm = SLICE("kworker/0:1H");
    p->flags = 0x00200000;
    assert_not_found(s, "kernel_thread_impostor");
}

static void a_borrowed_name_is_found_and_a_real_server_is_not(void **state)
{
    struct snap *s = snap_new(NULL);

    (void)state;
    process(s, 60, 1, "/tmp/.x/y", "/usr/sbin/sshd -D")->comm = SLICE("sshd");
    assert_found(s, "false_name", "calls itself sshd, and is the program /tmp/.x/y");
    s = snap_new(NULL);
    process(s, 60, 1, "/usr/sbin/sshd", "sshd:")->comm = SLICE("sshd");
    process(s, 61, 1, "/usr/lib/systemd/systemd", "/sbin/init")->comm = SLICE("systemd");
    process(s, 62, 1, "/usr/bin/perl", "perl /usr/sbin/spamd")->comm = SLICE("spamd");
    process(s, 63, 1, "/usr/bin/dash", "sh -c x")->comm = SLICE("sh");
    assert_not_found(s, "false_name");
}

static void hidden_things_are_told_and_escaped(void **state)
{
    struct snap *s = snap_new(NULL);
    struct snap_name *n = snap_add(s, SNAP_NAME);

    (void)state;
    n->path = SLICE("/tmp/.\033[8mx");
    n->why = SLICE("control");
    n->kind = SLICE("folder");
    assert_found(s, "hidden_name", "\"/tmp/.\\x1b[8mx\"");
    s = snap_new(NULL);
    process(s, 70, 1, "", "")->unlisted = true;
    assert_found(s, "hidden_process", "pid 70 lives");
    s = snap_new(NULL);
    (void)process(s, 70, 1, "/usr/bin/cat", "cat");
    assert_not_found(s, "hidden_process");
}

static struct snap *mails(unsigned servers)
{
    struct snap *s = snap_new(NULL);

    (void)process(s, 80, 1, "/tmp/dropper", "dropper");
    for (unsigned i = 0; i < servers; i++) {
        char to[32];

        (void)snprintf(to, sizeof(to), "203.0.113.%u:25", i + 1);
        (void)tcp(s, "SYN_SENT", "192.0.2.1:4000", to, 900 + i);
        hold(s, 80, 900 + i, i);
    }
    return s;
}

static void many_unanswered_calls_to_mail_servers_are_a_worm(void **state)
{
    (void)state;
    assert_found(mails(12), "worm", "dropper (pid 80) tries to reach 12 mail servers");
    assert_not_found(mails(9), "worm");
}

static void short_memory_and_idle_cpus_are_told(void **state)
{
    struct snap *s = log_of("Out of memory: Killed process 77 (java) total-vm:9kB", 0);
    struct snap_gauge *g;
    struct snap_host *h;

    (void)state;
    assert_found(s, "memory", "killed 1 process");
    assert_not_found(log_of("Out of memory: Killed process 77 (java)", 1), "memory"); /* written by a program */
    s = snap_new(NULL);
    g = snap_add(s, SNAP_GAUGE);
    *g = (struct snap_gauge){ SLICE("memory.MemTotal_kib"), 1000000 };
    g = snap_add(s, SNAP_GAUGE);
    *g = (struct snap_gauge){ SLICE("memory.MemAvailable_kib"), 9000 };
    assert_found(s, "memory", "Memory is short");
    s = snap_new(NULL);
    h = snap_add(s, SNAP_HOST);
    h->cpus_present = 2;
    h->cpus_online = 1;
    assert_found(s, "unused_cpu", "1 of 2 CPUs are not used");
    s = snap_new(NULL);
    h = snap_add(s, SNAP_HOST);
    h->cpus_present = h->cpus_online = 2;
    assert_not_found(s, "unused_cpu");
}

static void an_empty_picture_shows_nothing(void **state)
{
    struct findings *f = told(snap_new(NULL));

    (void)state;
    assert_int_equal(f->count, 0);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_front_that_calls_itself_is_a_loop_and_where_it_began_is_told),
        cmocka_unit_test(a_loop_of_five_and_one_of_two_hundred_are_told_in_as_many_words),
        cmocka_unit_test(a_busy_proxy_in_front_of_a_server_is_no_loop),
        cmocka_unit_test(two_loops_at_once_are_two_findings),
        cmocka_unit_test(what_three_processes_share_is_one_connection),
        cmocka_unit_test(three_returns_are_a_loop_and_two_are_not),
        cmocka_unit_test(a_row_of_relays_of_one_name_that_ends_is_no_loop),
        cmocka_unit_test(what_a_process_opened_before_it_accepted_is_not_caused_by_it),
        cmocka_unit_test(a_full_listener_tells_who_holds_the_places),
        cmocka_unit_test(who_waits_for_a_disk_is_told_with_its_mount),
        cmocka_unit_test(a_frozen_file_system_is_no_broken_disk),
        cmocka_unit_test(a_disk_that_finishes_nothing_is_stuck_and_a_busy_one_is_not),
        cmocka_unit_test(a_failing_controller_is_named),
        cmocka_unit_test(what_the_kernel_said_long_ago_is_no_alarm_now),
        cmocka_unit_test(the_journal_proves_what_the_picture_shows),
        cmocka_unit_test(only_the_minutes_around_it_are_asked_of_the_journal),
        cmocka_unit_test(a_disk_without_room_or_inodes_is_full),
        cmocka_unit_test(read_only_by_error_is_told_from_read_only_by_hand),
        cmocka_unit_test(what_was_said_of_another_mount_or_disk_is_no_error_of_this_one),
        cmocka_unit_test(a_deleted_executable_is_not_an_upgraded_one),
        cmocka_unit_test(a_program_that_calls_itself_a_kernel_thread_is_found),
        cmocka_unit_test(a_borrowed_name_is_found_and_a_real_server_is_not),
        cmocka_unit_test(hidden_things_are_told_and_escaped),
        cmocka_unit_test(many_unanswered_calls_to_mail_servers_are_a_worm),
        cmocka_unit_test(short_memory_and_idle_cpus_are_told),
        cmocka_unit_test(an_empty_picture_shows_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
