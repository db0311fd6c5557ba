/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A picture under other names, as a page, beside another one, and sealed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "snap/file.h"
#include "snap/join.h"
#include "snap/redact.h"
#include "view/change.h"
#include "view/graph.h"
#include "view/html.h"

static struct snap_process *process(struct snap *s, int64_t pid, int64_t parent, const char *exe, const char *args)
{
    struct snap_process *p = snap_add(s, SNAP_PROCESS);

    p->pid = pid;
    p->parent = parent;
    p->start_ms = (uint64_t)pid;
    p->exe = snap_keep_text(s, exe);
    p->args = snap_keep_text(s, args);
    p->state = SLICE("S");
    p->image = SNAP_IMAGE_FILE;
    return p;
}

static struct addr ip(const char *words)
{
    struct addr a = { .family = 0 };

    assert_true(addr_read_port(slice_text(words), &a));
    return a;
}

static void hold(struct snap *s, int64_t pid, uint64_t inode)
{
    struct snap_holder *h = snap_add(s, SNAP_HOLDER);

    *h = (struct snap_holder){ .pid = pid, .descriptor = 4, .inode = inode };
}

static void tcp(struct snap *s, const char *state, const char *local, const char *remote, uint64_t inode, int64_t pid)
{
    struct snap_socket *k = snap_add(s, SNAP_SOCKET);

    k->kind = SLICE("tcp");
    k->state = snap_keep_text(s, state);
    k->local = ip(local);
    if (remote)
        k->remote = ip(remote);
    k->inode = inode;
    hold(s, pid, inode);
}

static struct snap *picture(void)
{
    struct snap *s = snap_new(NULL);
    struct snap_host *h = snap_add(s, SNAP_HOST);

    h->name = SLICE("mail.example.org");
    h->begun_us = 1790000000000000;
    return s;
}

/* Two programs that call each other by way of a listener: one path that closes. */
static struct snap *circle(void)
{
    struct snap *s = picture();

    (void)process(s, 10, 1, "/usr/sbin/front", "front");
    (void)process(s, 11, 10, "/usr/sbin/callback", "callback");
    tcp(s, "LISTEN", "0.0.0.0:25", NULL, 100, 10);
    tcp(s, "ESTABLISHED", "127.0.0.1:40000", "127.0.0.1:25", 101, 11);
    tcp(s, "ESTABLISHED", "127.0.0.1:25", "127.0.0.1:40000", 102, 10);
    assert_int_equal(join_owners(s, NULL), 0);
    return s;
}

static char *page_of(const struct snap *s, size_t *len)
{
    struct err e;
    struct findings *f = explain(s, &e);
    char *at = NULL;
    FILE *to = open_memstream(&at, len);

    assert_non_null(to);
    assert_int_equal(html_page(s, f, to, &e), 0);
    assert_int_equal(fclose(to), 0);
    free(f);
    return at;
}

static void who_calls_its_caller_is_drawn_back(void **state)
{
    struct snap *s = circle();
    struct graph *g = graph_new(s, NULL);

    (void)state;
    assert_int_equal(graph_nodes(g), 2);
    assert_int_equal(graph_back_edges(g), 1);
    graph_free(g);
    snap_free(s);
}

static void local_end(struct snap *s, const char *name, uint64_t inode, uint64_t peer, int64_t pid)
{
    struct snap_socket *k = snap_add(s, SNAP_SOCKET);
    struct snap_holder *h = snap_add(s, SNAP_HOLDER);

    *k = (struct snap_socket){ .kind = SLICE("unix"),
                               .state = SLICE("ESTABLISHED"),
                               .path = slice_text(name),
                               .inode = inode,
                               .peer_inode = peer };
    *h = (struct snap_holder){ .pid = pid, .descriptor = 3, .inode = inode };
}

static void whoever_speaks_through_a_named_socket_is_drawn(void **state)
{
    struct snap *s = picture();
    struct graph *g;
    char *at;
    size_t len;

    (void)state;
    (void)process(s, 10, 1, "/usr/sbin/milter", "milter");
    (void)process(s, 11, 1, "/usr/sbin/smtpd", "smtpd");
    local_end(s, "/run/milter.sock", 100, 101, 10);
    local_end(s, "", 101, 100, 11);
    local_end(s, "", 102, 103, 11); /* a pair of its own: nobody else is at the other end */
    local_end(s, "", 103, 102, 11);
    assert_int_equal(join_owners(s, NULL), 0);
    g = graph_new(s, NULL);
    assert_int_equal(graph_nodes(g), 2);
    graph_free(g);
    at = page_of(s, &len);
    assert_non_null(strstr(at, "/run/milter.sock &#215;1"));
    free(at);
    snap_free(s);
}

static void a_thousand_programs_are_fifty_nodes(void **state)
{
    struct snap *s = picture();
    struct graph *g;
    size_t len;
    char *at;

    (void)state;
    for (int64_t i = 0; i < 1000; i++) {
        char name[40];
        char end[40];

        (void)snprintf(name, sizeof(name), "/usr/bin/program%d", (int)i);
        (void)snprintf(end, sizeof(end), "10.0.0.1:%d", (int)(2000 + i));
        (void)process(s, 100 + i, 1, name, "x");
        tcp(s, "ESTABLISHED", end, "192.0.2.1:443", (uint64_t)(1000 + i), 100 + i);
    }
    assert_int_equal(join_owners(s, NULL), 0);
    g = graph_new(s, NULL);
    assert_true(graph_nodes(g) <= GRAPH_NODES);
    graph_free(g);
    at = page_of(s, &len);
    assert_true(strstr(at, "</svg>") - strstr(at, "<svg") < 200 << 10);
    free(at);
    snap_free(s);
}

static void a_hostile_name_writes_no_html(void **state)
{
    struct snap *s = circle();
    struct snap_process *p = process(s, 12, 10, "/tmp/</pre><script>alert(1)</script>", "\x1b[2J\"'><img src=x>\n");
    size_t len;
    char *at;

    (void)state;
    p->comm = SLICE("<b>");
    p->image = SNAP_IMAGE_DELETED;
    at = page_of(s, &len);
    assert_null(strstr(at, "<script"));
    assert_null(strstr(at, "<img"));
    assert_null(memchr(at, 0x1b, len));
    assert_non_null(strstr(at, "&lt;script&gt;"));
    assert_non_null(strstr(at, "default-src 'none'"));
    free(at);
    snap_free(s);
}

static void the_same_name_is_replaced_by_the_same_everywhere(void **state)
{
    struct snap *s = picture();
    struct snap_login *l = snap_add(s, SNAP_LOGIN);
    struct snap_socket *k;
    const struct snap_process *p;
    struct err e;

    (void)state;
    l->user = SLICE("maria");
    l->address = ip("198.51.100.7");
    (void)process(s, 5, 1, "/usr/bin/ssh", "ssh maria@198.51.100.7 -p 22 mail.example.org /home/jose/x.py");
    tcp(s, "ESTABLISHED", "127.0.0.1:40000", "198.51.100.7:22", 9, 5);
    assert_int_equal(snap_redact(s, &e), 0);
    p = s->part[SNAP_PROCESS].at;
    k = s->part[SNAP_SOCKET].at;
    l = s->part[SNAP_LOGIN].at;
    assert_true(slice_eq(snap_host(s)->name, SLICE("host-1")));
    assert_true(slice_eq(p->args, SLICE("ssh user-1@198.18.0.1 -p 22 host-1 /home/user-2/x.py")));
    assert_true(slice_eq(l->user, SLICE("user-1")));
    assert_true(addr_eq(k->remote, ip("198.18.0.1:22")));
    assert_true(addr_eq(k->local, ip("127.0.0.1:40000")));
    assert_true(addr_eq_ip(l->address, k->remote));
    snap_free(s);
}

struct told {
    unsigned count;
    char last[CHANGE_WORDS];
    const char *wanted;
    bool found;
};

static void on_change(void *own, const struct change *c)
{
    struct told *t = own;

    t->count++;
    t->found = t->found || (t->wanted && strstr(c->text, t->wanted));
}

static void what_changed_is_said_and_what_did_not_is_not(void **state)
{
    struct snap *a = circle();
    struct snap *b = circle();
    struct told t = { .wanted = "listens now: tcp port 0.0.0.0:4444" };
    struct err e;

    (void)state;
    assert_int_equal(change_tell(a, b, on_change, &t, &e), 0);
    tcp(b, "LISTEN", "0.0.0.0:4444", NULL, 200, 10);
    assert_int_equal(change_tell(a, b, on_change, &t, &e), 1);
    assert_true(t.found);
    t = (struct told){ .wanted = "evil runs: 1 process" };
    (void)process(b, 99, 1, "/tmp/evil", "evil");
    assert_true(change_tell(a, b, on_change, &t, &e) >= 2);
    assert_true(t.found);
    snap_free(a);
    snap_free(b);
}

static void a_sealed_picture_says_by_whom_and_a_changed_one_is_found(void **state)
{
    struct seal_keys keys = { .segment = 1 };
    struct snap_signer signer = { .keys = &keys };
    struct snap *s = circle();
    struct snap *back = snap_new(NULL);
    struct snap_bytes tar;
    struct err e;
    uint8_t *at;

    (void)state;
    assert_int_equal(seal_start(&e), 0);
    seal_keys_make(&keys, 1);
    assert_int_equal(snap_pack_tar(s, NULL, &signer, &tar, &e), 0);
    assert_int_equal(snap_tar_read(slice_of(tar.at, tar.len), back, &e), 0);
    assert_true(back->seal.is_signed);
    assert_int_equal(back->seal.segment, 1);
    snap_free(back);

    at = memmem(tar.at, tar.len, "mail.example.org", 16); /* in the manifest */
    assert_non_null(at);
    at[0] = 'M';
    back = snap_new(NULL);
    assert_int_equal(snap_tar_read(slice_of(tar.at, tar.len), back, &e), -1);
    snap_free(back);
    snap_bytes_done(&tar);

    signer = (struct snap_signer){ .why = "no journal" };
    assert_int_equal(snap_pack_tar(s, NULL, &signer, &tar, &e), 0);
    back = snap_new(NULL);
    assert_int_equal(snap_tar_read(slice_of(tar.at, tar.len), back, &e), 0);
    assert_false(back->seal.is_signed);
    assert_string_equal(back->seal.why, "no journal");
    snap_free(back);
    snap_bytes_done(&tar);
    snap_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_calls_its_caller_is_drawn_back),
        cmocka_unit_test(whoever_speaks_through_a_named_socket_is_drawn),
        cmocka_unit_test(a_thousand_programs_are_fifty_nodes),
        cmocka_unit_test(a_hostile_name_writes_no_html),
        cmocka_unit_test(the_same_name_is_replaced_by_the_same_everywhere),
        cmocka_unit_test(what_changed_is_said_and_what_did_not_is_not),
        cmocka_unit_test(a_sealed_picture_says_by_whom_and_a_changed_one_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
