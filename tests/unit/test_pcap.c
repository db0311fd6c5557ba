/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "wire/pcap.h"

static struct pcap_reader r;

/* Little-endian, microseconds, Ethernet; one frame of three bytes at 1.000002 s. */
#define HEADER "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\1\0\0\0"
#define RECORD "\1\0\0\0\2\0\0\0\3\0\0\0\x09\0\0\0abc"

static enum pcap_got next(struct slice *in, struct pcap_frame *f)
{
    size_t used;
    enum pcap_got got;

    do {
        got = pcap_next(&r, *in, &used, f);
        *in = slice_skip(*in, used);
    } while (got == PCAP_NOTHING);
    return got;
}

static void a_frame_has_time_length_and_link(void **state)
{
    struct slice in = SLICE(HEADER RECORD);
    struct pcap_frame f;

    (void)state;
    pcap_init(&r);
    assert_int_equal(next(&in, &f), PCAP_FRAME);
    assert_int_equal(f.at_us, 1000002);
    assert_int_equal(f.wire_len, 9);
    assert_int_equal(f.link, 1);
    assert_int_equal(f.bytes.len, 3);
    assert_int_equal(next(&in, &f), PCAP_MORE);
    assert_int_equal(r.offset, 43);
}

static void the_other_byte_order_and_nanoseconds_are_read(void **state)
{
    struct slice in = SLICE("\xa1\xb2\x3c\x4d\0\2\0\4\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\x65"
                            "\0\0\0\1\0\0\x07\xd0\0\0\0\1\0\0\0\1z");
    struct pcap_frame f;

    (void)state;
    pcap_init(&r);
    assert_int_equal(next(&in, &f), PCAP_FRAME);
    assert_int_equal(f.at_us, 1000002);
    assert_int_equal(f.link, 101);
}

static void what_is_cut_off_says_where(void **state)
{
    struct slice in = SLICE(HEADER RECORD RECORD);
    struct pcap_frame f;

    (void)state;
    in.len -= 1;
    pcap_init(&r);
    assert_int_equal(next(&in, &f), PCAP_FRAME);
    assert_int_equal(next(&in, &f), PCAP_MORE);
    assert_int_equal(r.offset, 43);
}

static void other_files_and_absurd_lengths_are_refused(void **state)
{
    struct slice text = SLICE("#!/bin/sh\necho hello, this is no capture\n");
    struct slice absurd = SLICE(HEADER "\1\0\0\0\2\0\0\0\xff\xff\xff\x7f\x09\0\0\0abc");
    struct pcap_frame f;

    (void)state;
    pcap_init(&r);
    assert_int_equal(next(&text, &f), PCAP_BAD);
    pcap_init(&r);
    assert_int_equal(next(&absurd, &f), PCAP_BAD);
    assert_int_equal(r.offset, 24);
}

static void each_interface_of_a_pcapng_has_its_own_link(void **state)
{
    struct slice in =
        SLICE("\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0"
              "\1\0\0\0\x14\0\0\0\1\0\0\0\0\0\0\0\x14\0\0\0"
              "\1\0\0\0\x20\0\0\0\x65\0\0\0\0\0\0\0\x09\0\1\0\x09\0\0\0\0\0\0\0\x20\0\0\0"
              "\6\0\0\0\x24\0\0\0\1\0\0\0\0\0\0\0\xd0\7\0\0\1\0\0\0\1\0\0\0z\0\0\0\x24\0\0\0"
              "\6\0\0\0\x24\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\1\0\0\0\1\0\0\0y\0\0\0\x24\0\0\0");
    struct pcap_frame f;

    (void)state;
    pcap_init(&r);
    assert_int_equal(next(&in, &f), PCAP_FRAME);
    assert_int_equal(f.link, 101);
    assert_int_equal(f.at_us, 2);
    assert_int_equal(next(&in, &f), PCAP_FRAME);
    assert_int_equal(f.link, 1);
    assert_int_equal(f.at_us, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_has_time_length_and_link),
        cmocka_unit_test(the_other_byte_order_and_nanoseconds_are_read),
        cmocka_unit_test(what_is_cut_off_says_where),
        cmocka_unit_test(other_files_and_absurd_lengths_are_refused),
        cmocka_unit_test(each_interface_of_a_pcapng_has_its_own_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
