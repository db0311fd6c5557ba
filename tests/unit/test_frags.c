/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "sense/hunt/frags.h"

static const uint8_t from[4] = { 10, 0, 0, 1 };
static const uint8_t to[4] = { 10, 0, 0, 2 };
static const struct link_packet untagged;
static struct ip_packet whole;

static struct ip_packet piece(uint32_t id, uint32_t offset, bool more, struct slice bytes)
{
    return (struct ip_packet){ .family = 4,
                               .proto = IP_PROTO_TCP,
                               .src = from,
                               .dst = to,
                               .payload = bytes,
                               .wire_len = bytes.len,
                               .fragment = true,
                               .more = more,
                               .id = id,
                               .offset = offset };
}

static bool put(struct frags *f, uint32_t id, uint32_t offset, bool more, struct slice bytes, int64_t now_us)
{
    struct ip_packet p = piece(id, offset, more, bytes);

    return frags_put(f, &untagged, &p, now_us, &whole);
}

static void pieces_in_any_order_make_a_whole(void **state)
{
    struct frags *f = frags_new(1 << 20, 1, NULL);

    (void)state;
    assert_false(put(f, 7, 16, false, SLICE("end"), 1));
    assert_false(put(f, 7, 0, true, SLICE("01234567"), 2));
    assert_false(put(f, 7, 0, true, SLICE("01234567"), 3)); /* a repetition */
    assert_true(put(f, 7, 8, true, SLICE("89abcdef"), 4));
    assert_int_equal(whole.payload.len, 19);
    assert_memory_equal(whole.payload.at, "0123456789abcdefend", 19);
    frags_free(f);
}

static void an_overlap_ends_the_datagram(void **state)
{
    struct frags *f = frags_new(1 << 20, 1, NULL);

    (void)state;
    assert_false(put(f, 7, 0, true, SLICE("0123456789abcdef"), 1));
    assert_false(put(f, 7, 8, true, SLICE("XXXXXXXX"), 2));
    assert_false(put(f, 7, 16, false, SLICE("end"), 3));
    assert_int_equal(frags_dropped(f), 1);
    frags_free(f);
}

static void a_vlan_keeps_its_pieces_to_itself(void **state)
{
    struct link_packet tagged = { .vlan = { 5 }, .vlans = 1 };
    struct frags *f = frags_new(1 << 20, 1, NULL);
    struct ip_packet p = piece(7, 8, false, SLICE("end"));

    (void)state;
    assert_false(put(f, 7, 0, true, SLICE("01234567"), 1));
    assert_false(frags_put(f, &tagged, &p, 2, &whole));
    assert_true(put(f, 7, 8, false, SLICE("end"), 3));
    frags_free(f);
}

static void memory_and_patience_have_an_end(void **state)
{
    struct frags *f = frags_new(65536, 1, NULL);
    static uint8_t bytes[8000];

    (void)state;
    for (uint32_t i = 0; i < 10000; i++)
        assert_false(put(f, i, 0, true, slice_of(bytes, sizeof(bytes)), i));
    assert_true(frags_dropped(f) > 9900);
    assert_false(put(f, 77777, 0, true, SLICE("01234567"), 20000));
    frags_tick(f, 40000000);
    assert_false(put(f, 77777, 8, false, SLICE("end"), 40000001));
    assert_false(put(f, 88888, 65528, true, slice_of(bytes, 16), 40000002)); /* past the largest packet */
    frags_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_in_any_order_make_a_whole),
        cmocka_unit_test(an_overlap_ends_the_datagram),
        cmocka_unit_test(a_vlan_keeps_its_pieces_to_itself),
        cmocka_unit_test(memory_and_patience_have_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
