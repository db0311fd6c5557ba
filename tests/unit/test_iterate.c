/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Both ways to see processes and sockets, the kernel's iterators and /proc, tell the same of a process that stands
 * still. */
#include <fcntl.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/iter/load.h"
#include "sense/xray/xray.h"
#include "snap/join.h"

struct world {
    pid_t keeper; /* of the model: a picture leaves out who was forked by its maker */
    pid_t model;  /* stands still while it is looked at */
    int links[ITER_LINKS];
    struct err refused; /* iterators can't be loaded: why */
    bool loaded;
    struct snap *proc, *walk; /* owned */
    struct join *proc_join, *walk_join;
};

static int made(int fd)
{
    if (fd < 0)
        _exit(1);
    return fd;
}

static void tcp(int family)
{
    struct sockaddr_in6 at = { .sin6_family = (sa_family_t)family };
    socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(at);
    int listener = socket(family, SOCK_STREAM, 0);

    if (family == AF_INET)
        ((struct sockaddr_in *)(void *)&at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        at.sin6_addr = in6addr_loopback;
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, len) < 0 || listen(listener, 7) < 0)
        return; /* a host without IPv6 */
    (void)getsockname(listener, (struct sockaddr *)&at, &len);
    for (int i = 0; i < 3; i++) { /* the last one waits to be accepted, and the first has bytes that nobody reads */
        int client = made(socket(family, SOCK_STREAM, 0));

        made(connect(client, (struct sockaddr *)&at, len));
        if (i < 2)
            made(accept(listener, NULL, NULL));
        if (i == 0)
            made((int)write(client, "unread", 6));
    }
}

static void local_sockets(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int listener = made(socket(AF_UNIX, SOCK_STREAM, 0));
    int pair[2];

    (void)snprintf(at.sun_path + 1, sizeof(at.sun_path) - 1, "serviola-test-%d", (int)getpid());
    made(bind(listener, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 20)));
    made(listen(listener, 5));
    made(connect(made(socket(AF_UNIX, SOCK_STREAM, 0)), (struct sockaddr *)&at,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 20)));
    made(accept(listener, NULL, NULL));
    made(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
}

static void be_model(int ready)
{
    char log[] = "/tmp/serviola-test.logXXXXXX";
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NAME, "a ) R 1 model");
    tcp(AF_INET);
    tcp(AF_INET6);
    local_sockets();
    fd = made(socket(AF_INET, SOCK_DGRAM, 0));
    made(bind(fd, (struct sockaddr *)&at, sizeof(at)));
    (void)socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)); /* not everybody may */
    (void)socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    made(unlink((close(made(mkstemp(log))), log)));
    fd = made(open(log, O_WRONLY | O_CREAT | O_EXCL, 0600));
    made(unlink(log));
    made(open("/dev/null", O_RDWR));
    made(open("/", O_RDONLY | O_DIRECTORY));
    made(memfd_create("a memory file", 0));
    fd = getpid();
    made((int)write(ready, &fd, sizeof(fd)));
    for (;;)
        pause();
}

static int group_setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct xray_wish plain = { .plain = true };
    struct xray_wish walk = { .iterators = w ? w->links : NULL };
    struct err e;
    int ready[2];

    if (!w || pipe(ready) < 0)
        return -1;
    *state = w;
    w->keeper = fork();
    if (w->keeper == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ready[0]);
        if (fork() == 0)
            be_model(ready[1]);
        for (;;)
            pause();
    }
    close(ready[1]);
    if (w->keeper <= 0 || read(ready[0], &w->model, sizeof(w->model)) != (ssize_t)sizeof(w->model))
        return -1;
    close(ready[0]);
    w->loaded = iter_load(w->links, &w->refused) == 0;
    if (!w->loaded)
        return 0;
    w->walk = xray_take_as(&walk, &e);
    w->proc = xray_take_as(&plain, &e);
    w->walk_join = w->walk ? join_new(w->walk, &e) : NULL;
    w->proc_join = w->proc ? join_new(w->proc, &e) : NULL;
    return w->walk_join && w->proc_join && join_process(w->walk_join, w->model) && join_process(w->proc_join, w->model)
             ? 0
             : -1;
}

static int group_teardown(void **state)
{
    struct world *w = *state;

    if (!w)
        return 0;
    if (w->keeper > 0) { /* the model dies with it */
        (void)kill(w->keeper, SIGKILL);
        (void)waitpid(w->keeper, NULL, 0);
    }
    join_free(w->walk_join);
    join_free(w->proc_join);
    snap_free(w->walk);
    snap_free(w->proc);
    if (w->loaded)
        iter_unload(w->links);
    free(w);
    return 0;
}

static const struct world *world(void **state)
{
    const struct world *w = *state;

    if (!w->loaded) {
        print_message("[  SKIPPED ] iterators can't be loaded here: %s\n", w->refused.text);
        skip();
    }
    return w;
}

#define assert_same_text(a, b)                                                                                         \
    do {                                                                                                               \
        assert_int_equal((a).len, (b).len);                                                                            \
        if ((a).len > 0)                                                                                               \
            assert_memory_equal((a).at, (b).at, (a).len);                                                              \
    } while (0)

static void each_says_which_it_is(void **state)
{
    const struct world *w = world(state);

    assert_same_text(snap_host(w->walk)->back_end, SLICE("iterators"));
    assert_same_text(snap_host(w->proc)->back_end, SLICE("proc"));
    assert_true(snap_host(w->walk)->back_end_why.len > 0);
}

/* As after a kernel's refusal: what was loaded gives nothing. */
static void iterators_that_give_nothing_are_told_and_proc_is_read(void **state)
{
    const int none[ITER_LINKS] = { -1, -1, -1, -1, -1, -1 };
    struct xray_wish wish = { .iterators = none };
    const struct snap_host *h;
    struct err e;
    struct snap *s = xray_take_as(&wish, &e);

    (void)state;
    assert_non_null(s);
    h = snap_host(s);
    assert_true(slice_eq(h->back_end, SLICE("proc")));
    assert_non_null(memmem(h->back_end_why.at, h->back_end_why.len, "iterators can't be read", 23));
    assert_true(s->part[SNAP_PROCESS].count > 1);
    snap_free(s);
}

static void a_process_is_the_same(void **state)
{
    const struct world *w = world(state);
    const struct snap_process *a = join_process(w->walk_join, w->model);
    const struct snap_process *b = join_process(w->proc_join, w->model);

    if (!a || !b) {
        fail();
        return;
    }
    assert_int_equal(a->parent, b->parent);
    assert_int_equal(a->start_ms, b->start_ms);
    assert_same_text(a->state, b->state);
    assert_same_text(a->comm, b->comm);
    assert_same_text(a->exe, b->exe);
    assert_same_text(a->cwd, b->cwd);
    assert_same_text(a->args, b->args);
    assert_same_text(a->unit, b->unit);
    assert_int_equal(a->args_cut, b->args_cut);
    assert_int_equal(a->image, b->image);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->threads, b->threads);
    assert_int_equal(a->uid, b->uid);
    assert_int_equal(a->descriptors, b->descriptors);
    if (b->descriptors_most > 0) /* who lacks a right is not told it by /proc */
        assert_int_equal(a->descriptors_most, b->descriptors_most);
    assert_int_equal(a->network, b->network);
    assert_int_equal(a->waiting, b->waiting);
    assert_false(a->unlisted);
}

/* The kernel sums it up over its processors when it likes. */
static void its_memory_is_about_the_same(void **state)
{
    const struct world *w = world(state);
    uint64_t a = join_process(w->walk_join, w->model)->rss_kib;
    uint64_t b = join_process(w->proc_join, w->model)->rss_kib;

    assert_true(b > 0 && a <= b + 2048 && b <= a + 2048);
}

static const struct snap_socket *same_socket(const struct join *j, int64_t pid, uint64_t inode)
{
    return join_holds(j, pid, inode) ? join_socket(j, inode) : NULL;
}

static void its_sockets_are_the_same(void **state)
{
    const struct world *w = world(state);
    const struct snap_socket *a;
    size_t cursor = 0;
    size_t count = 0;

    while ((a = join_held(w->walk_join, w->model, &cursor))) {
        const struct snap_socket *b = same_socket(w->proc_join, w->model, a->inode);

        if (slice_eq(a->kind, SLICE("raw")))
            continue; /* raw_diag is a module of its own, and may be missing */
        if (!b) {
            fail_msg("socket %llu is in one alone", (unsigned long long)a->inode);
            return;
        }
        assert_same_text(a->kind, b->kind);
        assert_same_text(a->state, b->state);
        assert_same_text(a->path, b->path);
        assert_true(addr_eq(a->local, b->local));
        assert_true(addr_eq(a->remote, b->remote));
        assert_int_equal(a->network, b->network);
        assert_int_equal(a->peer_inode, b->peer_inode);
        if (!slice_eq(a->kind, SLICE("packet")))
            assert_int_equal(a->uid, b->uid);
        assert_int_equal(a->timer, b->timer);
        if (!slice_eq(a->kind, SLICE("packet")) && !slice_eq(a->kind, SLICE("unix"))) {
            assert_int_equal(a->receive_queue, b->receive_queue);
            assert_int_equal(a->send_queue, b->send_queue);
        }
        assert_int_equal(a->pid, b->pid);
        assert_int_equal(a->peer_pid, b->peer_pid);
        count++;
    }
    assert_true(count >= 12);
    cursor = 0;
    while ((a = join_held(w->proc_join, w->model, &cursor)))
        count -= !slice_eq(a->kind, SLICE("raw"));
    assert_int_equal(count, 0);
}

/* A connection that is not accepted yet has nobody's number. */
static size_t waiting(const struct snap *s, const struct join *j, int64_t pid)
{
    size_t cursor = 0;
    size_t count = 0;
    const struct snap_socket *listener;

    while ((listener = join_held(j, pid, &cursor)))
        if (slice_eq(listener->kind, SLICE("tcp")) && slice_eq(listener->state, SLICE("LISTEN")))
            SNAP_LIST(s, SNAP_SOCKET, struct snap_socket, k)
    count += k->inode == 0 && addr_eq(k->local, listener->local) && slice_eq(k->state, SLICE("ESTABLISHED"));
    return count;
}

static void who_waits_to_be_accepted_is_seen(void **state)
{
    const struct world *w = world(state);

    assert_true(waiting(w->walk, w->walk_join, w->model) >= 1);
    assert_int_equal(waiting(w->walk, w->walk_join, w->model), waiting(w->proc, w->proc_join, w->model));
}

static bool has_file(const struct snap *s, int64_t pid, const struct snap_file *f)
{
    SNAP_LIST(s, SNAP_FILE, struct snap_file, other)
    if (other->pid == pid && other->descriptor == f->descriptor && slice_eq(other->path, f->path))
        return true;
    return false;
}

static size_t files_of(const struct snap *s, int64_t pid, const struct snap *in)
{
    size_t count = 0;

    SNAP_LIST(s, SNAP_FILE, struct snap_file, f)
    {
        if (f->pid != pid)
            continue;
        assert_true(has_file(in, pid, f));
        count++;
    }
    return count;
}

static void its_files_are_the_same(void **state)
{
    const struct world *w = world(state);
    size_t count = files_of(w->walk, w->model, w->proc);

    assert_true(count >= 3);
    assert_int_equal(files_of(w->proc, w->model, w->walk), count);
}

static void every_process_of_one_is_in_the_other(void **state)
{
    const struct world *w = world(state);
    size_t missing = 0;

    SNAP_LIST(w->proc, SNAP_PROCESS, struct snap_process, p)
    if (p->start_ms + 2000 < join_process(w->proc_join, w->model)->start_ms)
        missing += !join_process(w->walk_join, p->pid);
    assert_int_equal(missing, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_says_which_it_is),
        cmocka_unit_test(iterators_that_give_nothing_are_told_and_proc_is_read),
        cmocka_unit_test(a_process_is_the_same),
        cmocka_unit_test(its_memory_is_about_the_same),
        cmocka_unit_test(its_sockets_are_the_same),
        cmocka_unit_test(who_waits_to_be_accepted_is_seen),
        cmocka_unit_test(its_files_are_the_same),
        cmocka_unit_test(every_process_of_one_is_in_the_other),
    };

    return cmocka_run_group_tests_name("iterate", tests, group_setup, group_teardown);
}
