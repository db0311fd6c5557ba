/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "base/text.h"
#include "sense/hunt/evidence.h"
#include "sense/hunt/mouths.h"

#define FOUND_US INT64_C(1795372083123456) /* 2026-11-22T18:28:03.123456Z */
#define DUE_US   (FOUND_US + EVIDENCE_WAIT_US)

static struct addr worm(void)
{
    return addr_v4(0x0a010002, 40312);
}

static void see(struct evidence *v, uint64_t flow, struct slice bytes, uint32_t vlans, size_t secret_at,
                size_t secret_len)
{
    struct engine_frame f = { .link = LINK_ETHERNET,
                              .bytes = bytes,
                              .wire_len = bytes.len,
                              .at_us = FOUND_US,
                              .vlans = vlans,
                              .tci = { 100, 7 } };
    struct engine_packet p = {
        .flow = flow, .from_client = true, .frame = &f, .secret_at = secret_at, .secret_len = secret_len
    };

    evidence_packet(v, &p);
}

static struct evidence *made(size_t log, size_t flow)
{
    struct err e;
    struct evidence *v = evidence_new(log, flow, &e);

    assert_non_null(v);
    return v;
}

/* The file as libpcap reads it; the frames joined by '|'. */
static void read_back(struct slice file, int *link, char *joined, size_t room)
{
    char why[PCAP_ERRBUF_SIZE];
    char name[] = "/tmp/test_evidence_XXXXXX";
    int fd = mkstemp(name);
    struct text t = text_in(joined, room);
    struct pcap_pkthdr *head;
    const u_char *at;
    pcap_t *p;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, file.at, file.len), file.len);
    close(fd);
    p = pcap_open_offline(name, why);
    unlink(name);
    assert_non_null(p);
    *link = pcap_datalink(p);
    while (pcap_next_ex(p, &head, &at) == 1) {
        assert_true(head->caplen <= head->len);
        text_add(&t, slice_of(at, head->caplen));
        text_word(&t, "|");
    }
    pcap_close(p);
}

static void a_finding_gives_its_flow_s_packets_and_no_other(void **state)
{
    struct evidence *v = made(EVIDENCE_LOG_BYTES, 65536);
    struct evidence_file f;
    char frames[200];
    int link;

    (void)state;
    see(v, 1, SLICE("syn-of-the-worm"), 0, 0, 0);
    see(v, 2, SLICE("somebody-else"), 0, 0, 0);
    assert_true(evidence_case(v, 1, worm(), FOUND_US));
    see(v, 1, SLICE("mail-of-the-worm"), 0, 0, 0);
    assert_false(evidence_take(v, DUE_US - 1, &f));
    assert_true(evidence_take(v, DUE_US, &f));
    assert_string_equal(f.name, "20261122t182803-10.1.0.2-0.pcap");
    assert_int_equal(f.flow, 1);
    assert_true(addr_eq(f.who, addr_ip(worm())));
    read_back(f.pcap, &link, frames, sizeof(frames));
    assert_int_equal(link, DLT_EN10MB);
    assert_string_equal(frames, "syn-of-the-worm|mail-of-the-worm|");
    assert_false(evidence_take(v, DUE_US, &f));
    evidence_free(v);
}

static void a_secret_is_gone_before_it_is_kept(void **state)
{
    struct evidence *v = made(EVIDENCE_LOG_BYTES, 65536);
    struct evidence_file f;
    char frames[200];
    int link;

    (void)state;
    see(v, 1, SLICE("AUTH PLAIN c2VjcmV0 more"), 0, 11, 8);
    see(v, 1, SLICE("secret to the end"), 0, 0, SIZE_MAX);
    see(v, 1, SLICE("place behind the end"), 0, 500, 8);
    assert_true(evidence_case(v, 1, worm(), FOUND_US));
    assert_true(evidence_take(v, DUE_US, &f));
    read_back(f.pcap, &link, frames, sizeof(frames));
    assert_string_equal(frames, "AUTH PLAIN ******** more|*****************|place behind the end|");
    evidence_free(v);
}

static void a_tag_that_the_card_took_off_is_back(void **state)
{
    struct evidence *v = made(EVIDENCE_LOG_BYTES, 65536);
    struct evidence_file f;
    char frames[200] = "";
    int link;

    (void)state;
    see(v, 1, SLICE("AAAAAABBBBBB\x08"), 2, 0, 0);
    assert_true(evidence_case(v, 1, worm(), FOUND_US));
    assert_true(evidence_take(v, DUE_US, &f));
    read_back(f.pcap, &link, frames, sizeof(frames));
    assert_memory_equal(frames, "AAAAAABBBBBB\x88\xa8\0\x64\x81\0\0\x07\x08|", 22);
    evidence_free(v);
}

static void one_flow_fills_neither_the_log_nor_the_file(void **state)
{
    struct evidence *v = made(EVIDENCE_LOG_BYTES, 10000);
    static uint8_t large[4000];
    struct evidence_file f;

    (void)state;
    see(v, 2, SLICE("somebody-else"), 0, 0, 0);
    for (int i = 0; i < 10000; i++)
        see(v, 1, slice_of(large, sizeof(large)), 0, 0, 0);
    assert_true(evidence_case(v, 1, worm(), FOUND_US));
    assert_true(evidence_case(v, 2, worm(), FOUND_US));
    assert_true(evidence_take(v, DUE_US, &f));
    assert_in_range(f.pcap.len, 10000, 10000 + 4096);
    assert_true(evidence_take(v, DUE_US, &f));
    evidence_free(v);
}

static void the_oldest_frames_leave_and_the_newest_stay_whole(void **state)
{
    struct evidence *v = made(64 << 10, 4096);
    struct evidence_file f;
    uint8_t frame[1000];
    char frames[40000] = "";
    int link;

    (void)state;
    for (uint64_t flow = 1; flow < 5000; flow++) { /* sizes that meet the end of the memory at every remainder */
        memset(frame, 'a' + (int)(flow % 26), sizeof(frame));
        see(v, flow, slice_of(frame, 1 + flow * 7919 % 999), 0, 0, 0);
    }
    assert_true(evidence_case(v, 1, worm(), FOUND_US));
    assert_false(evidence_take(v, DUE_US, &f)); /* nothing is left of it: no file */
    assert_true(evidence_case(v, 4999, worm(), FOUND_US));
    assert_true(evidence_take(v, DUE_US, &f));
    read_back(f.pcap, &link, frames, sizeof(frames));
    assert_int_equal(strlen(frames), 1 + 4999 * 7919 % 999 + 1);
    assert_int_equal(strspn(frames, (char[]){ 'a' + 4999 % 26, 0 }), strlen(frames) - 1);
    evidence_free(v);
}

/* A frame from the card of this number. */
static void see_card(struct evidence *v, uint64_t flow, unsigned card)
{
    uint8_t bytes[64] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, (uint8_t)(card >> 8), (uint8_t)card, 8, 0 };

    see(v, flow, slice_of(bytes, sizeof(bytes)), 0, 0, 0);
}

static void two_hundred_hosts_at_once_each_get_their_file(void **state)
{
    struct evidence *v = made(EVIDENCE_LOG_BYTES, 65536);
    struct evidence_file f;
    size_t files = 0;

    (void)state;
    for (uint64_t flow = 1; flow <= 200; flow++) {
        see_card(v, flow, (unsigned)flow);
        assert_true(evidence_case(v, flow, worm(), FOUND_US));
        assert_false(evidence_case(v, flow, worm(), FOUND_US)); /* one is open for it */
    }
    assert_int_equal(evidence_open(v), 200);
    while (evidence_take(v, DUE_US, &f))
        files++;
    assert_int_equal(files, 200);
    evidence_free(v);
}

static void more_cases_than_there_is_room_for_are_refused(void **state)
{
    struct evidence *v = made(EVIDENCE_LOG_BYTES, 65536);

    (void)state;
    for (uint64_t flow = 1; flow <= EVIDENCE_CASES + 1; flow++) {
        see_card(v, flow, (unsigned)flow);
        assert_int_equal(evidence_case(v, flow, worm(), FOUND_US), flow <= EVIDENCE_CASES);
    }
    assert_false(evidence_case(v, 0, worm(), FOUND_US)); /* about no flow */
    evidence_free(v);
}

static void one_card_with_many_addresses_has_few_files(void **state)
{
    struct evidence *v = made(EVIDENCE_LOG_BYTES, 65536);
    struct evidence_file f;

    (void)state;
    for (uint64_t flow = 1; flow <= 100; flow++) {
        see_card(v, flow, 7);
        assert_int_equal(evidence_case(v, flow, worm(), FOUND_US), flow <= EVIDENCE_MOUTH);
    }
    see_card(v, 101, 8);
    assert_true(evidence_case(v, 101, worm(), FOUND_US));
    while (evidence_take(v, DUE_US, &f))
        ;
    see_card(v, 102, 7);
    assert_true(evidence_case(v, 102, worm(), FOUND_US + MOUTHS_MINUTE_US));
    evidence_free(v);
}

static void the_longest_name_fits(void **state)
{
    struct evidence *v = made(EVIDENCE_LOG_BYTES, 65536);
    struct evidence_file f;
    struct addr a;

    (void)state;
    assert_true(addr_read(SLICE("2001:db8:1234:5678:9abc:def0:1234:5678"), &a));
    see(v, 1, SLICE("x"), 0, 0, 0);
    assert_true(evidence_case(v, 1, a, FOUND_US));
    assert_true(evidence_take(v, DUE_US, &f));
    assert_string_equal(f.name, "20261122t182803-2001:db8:1234:5678:9abc:def0:1234:5678-0.pcap");
    evidence_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finding_gives_its_flow_s_packets_and_no_other),
        cmocka_unit_test(a_secret_is_gone_before_it_is_kept),
        cmocka_unit_test(a_tag_that_the_card_took_off_is_back),
        cmocka_unit_test(one_flow_fills_neither_the_log_nor_the_file),
        cmocka_unit_test(the_oldest_frames_leave_and_the_newest_stay_whole),
        cmocka_unit_test(two_hundred_hosts_at_once_each_get_their_file),
        cmocka_unit_test(more_cases_than_there_is_room_for_are_refused),
        cmocka_unit_test(one_card_with_many_addresses_has_few_files),
        cmocka_unit_test(the_longest_name_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
