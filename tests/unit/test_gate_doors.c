/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When the gate asks for its listening sockets, and what it lets go.  The core is the other end of its link. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "part/part.h"
#include "sense/gate/inner.h"
#include "sys/chan.h"

struct world {
    struct role role;
    struct gate *gate;
    int core;
};

static struct addr at(const char *text)
{
    struct addr a;

    assert_true(addr_read_port(slice_text(text), &a));
    return a;
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct err e;
    int pair[2];

    assert_int_equal(chan_pair(pair, &e), 0);
    w->core = pair[0];
    w->role.core = chan_new(pair[1], "core", NULL, 0, w, &e);
    w->gate = calloc(1, sizeof(*w->gate));
    assert_true(w->role.core && w->gate);
    w->gate->role = &w->role;
    w->gate->set.listeners_count = 1;
    w->gate->set.listeners[0].listen = (struct key_addrs){ .count = 1, .at = { at("192.0.2.1:25") } };
    w->gate->set.policy_listen = at("127.0.0.1:10031");
    w->gate->backends[0].state = BACKEND_UP;
    door_name_all(w->gate);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    chan_free(w->role.core);
    (void)close(w->core);
    free(w->gate);
    free(w);
    return 0;
}

/* What the core hears next: the op, or 0; `place` is filled. */
static unsigned heard(const struct world *w, struct hand_listen *place)
{
    struct {
        struct msg head;
        struct hand_listen place;
    } said;

    memset(place, 0, sizeof(*place));
    if (recv(w->core, &said, sizeof(said), MSG_DONTWAIT) != sizeof(said))
        return 0;
    *place = said.place;
    return said.head.op;
}

static void nothing_opens_before_our_own_addresses_are_known(void **state)
{
    struct world *w = *state;
    struct hand_listen place;

    w->gate->book_came = true;
    door_open_all(w->gate);
    assert_int_equal(heard(w, &place), 0);
    w->gate->own_known = true;
    door_open_all(w->gate);
    assert_int_equal(heard(w, &place), HAND_LISTEN);
    assert_true(addr_eq(place.at, at("127.0.0.1:10031")));
    assert_int_equal(heard(w, &place), HAND_LISTEN);
    assert_true(addr_eq(place.at, at("192.0.2.1:25")));
    door_open_all(w->gate);
    assert_int_equal(heard(w, &place), 0); /* asked once */
}

static void nothing_opens_before_the_book_or_for_a_server_that_is_not_looked_at(void **state)
{
    struct world *w = *state;
    struct hand_listen place;

    w->gate->own_known = true;
    door_open_all(w->gate);
    assert_int_equal(heard(w, &place), 0);
    w->gate->book_came = true;
    w->gate->backends[0].state = BACKEND_CLOSED;
    w->gate->set.policy_listen = (struct addr){ 0 };
    door_open_all(w->gate);
    assert_int_equal(heard(w, &place), 0);
}

/* Also one that it had not opened yet: the gate before it may have. */
static void a_door_that_is_closed_on_purpose_is_not_kept(void **state)
{
    struct world *w = *state;
    struct hand_listen place;

    door_close_listener(w->gate, 0);
    assert_int_equal(heard(w, &place), HAND_LET_GO);
    assert_true(addr_eq(place.at, at("192.0.2.1:25")));
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(nothing_opens_before_our_own_addresses_are_known),
        IN_A_WORLD(nothing_opens_before_the_book_or_for_a_server_that_is_not_looked_at),
        IN_A_WORLD(a_door_that_is_closed_on_purpose_is_not_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
