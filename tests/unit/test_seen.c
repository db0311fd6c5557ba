/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What another host saw of this one, and which packages are installed: files that other programs wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "wire/installed.h"
#include "wire/seen.h"

static struct seen seen;

static const struct seen_host *host(const char *address)
{
    struct addr a;

    assert_true(addr_read(slice_text(address), &a));
    for (size_t i = 0; i < seen.hosts; i++)
        if (addr_eq_ip(seen.host[i].address, a))
            return &seen.host[i];
    fail_msg("%s is not among the hosts", address);
    return NULL;
}

static bool read_text(const char *text)
{
    memset(&seen, 0, sizeof(seen));
    return seen_read(&seen, slice_text(text));
}

static void a_port_that_was_tried_and_is_not_named_is_shut(void **state)
{
    (void)state;
    assert_true(read_text("# From: 10.1.0.1\n# Ports scanned: TCP(4;22,25,80-81) UDP(0;)\n"
                          "Host: 10.1.0.2 ()\tPorts: 25/open/tcp/////, 22/filtered/tcp/////\n"));
    assert_string_equal(addr_ip_text(seen.from).text, "10.1.0.1");
    assert_int_equal(host("10.1.0.2")->port[SEEN_TCP][25], SEEN_OPEN);
    assert_int_equal(host("10.1.0.2")->port[SEEN_TCP][22], SEEN_SHUT);
    assert_int_equal(host("10.1.0.2")->port[SEEN_TCP][81], SEEN_SHUT);
    assert_int_equal(host("10.1.0.2")->port[SEEN_TCP][82], SEEN_NOT_TRIED);
    assert_int_equal(host("10.1.0.2")->port[SEEN_UDP][25], SEEN_NOT_TRIED);
}

static void without_the_list_of_what_was_tried_only_named_ports_are_known(void **state)
{
    (void)state;
    assert_true(read_text("Host: 10.1.0.2 ()\tPorts: 25/open/tcp//smtp///\tIgnored State: closed (999)\n"));
    assert_int_equal(seen.from.family, 0);
    assert_int_equal(host("10.1.0.2")->port[SEEN_TCP][25], SEEN_OPEN);
    assert_int_equal(host("10.1.0.2")->port[SEEN_TCP][26], SEEN_NOT_TRIED);
}

static void no_answer_over_udp_says_nothing(void **state)
{
    (void)state;
    assert_true(read_text("# Ports scanned: TCP(0;) UDP(2;53,123)\n"
                          "Host: fd01::2 ()\tPorts: 53/open|filtered/udp/////, 123/open/udp/////\n"));
    assert_int_equal(host("fd01::2")->port[SEEN_UDP][53], SEEN_NOT_TRIED);
    assert_int_equal(host("fd01::2")->port[SEEN_UDP][123], SEEN_OPEN);
}

#define XML_BEGIN "<nmaprun scanner=\"nmap\"><scaninfo type=\"connect\" protocol=\"tcp\" services=\"22,25\"/>"

static void the_form_in_xml_tells_the_same(void **state)
{
    (void)state;
    assert_true(read_text(XML_BEGIN "<host starttime=\"1\"><status state=\"up\"/>"
                                    "<address addr=\"10.1.0.2\" addrtype=\"ipv4\"/>"
                                    "<address addr=\"02:00:0A:01:00:02\" addrtype=\"mac\"/><ports>"
                                    "<port protocol=\"tcp\" portid=\"25\"><state state=\"open\" reason=\"x\"/></port>"
                                    "</ports></host></nmaprun>"));
    assert_int_equal(seen.hosts, 1);
    assert_int_equal(host("10.1.0.2")->port[SEEN_TCP][25], SEEN_OPEN);
    assert_int_equal(host("10.1.0.2")->port[SEEN_TCP][22], SEEN_SHUT);
}

static void of_a_host_that_is_down_nothing_is_known(void **state)
{
    (void)state;
    assert_true(read_text(XML_BEGIN
                          "<host><status state=\"down\"/><address addr=\"10.1.0.3\" addrtype=\"ipv4\"/></host>"
                          "<host><status state=\"up\"/><address addr=\"10.1.0.2\" addrtype=\"ipv4\"/></host>"));
    assert_int_equal(host("10.1.0.3")->port[SEEN_TCP][22], SEEN_NOT_TRIED);
    assert_int_equal(host("10.1.0.2")->port[SEEN_TCP][22], SEEN_SHUT);
    assert_true(read_text("# Ports scanned: TCP(1;22)\nHost: 10.1.0.3 ()\tStatus: Down\n"));
    assert_int_equal(host("10.1.0.3")->port[SEEN_TCP][22], SEEN_NOT_TRIED);
}

static void what_tells_of_no_host_is_refused(void **state)
{
    (void)state;
    assert_false(read_text(""));
    memset(&seen, 0, sizeof(seen));
    assert_false(seen_read(&seen, slice_of(NULL, 0)));
    assert_false(read_text("<nmaprun>"));
    assert_false(read_text("Host: mail.example.org ()\tPorts: 25/open/tcp/////\n"));
    assert_false(read_text("PORT STATE SERVICE\n25/tcp open smtp\n"));
}

static void more_hosts_than_fit_are_counted(void **state)
{
    char words[2048];
    struct text t = TEXT_IN(words);

    (void)state;
    for (int i = 1; i <= SEEN_HOSTS + 3; i++)
        text_addf(&t, "Host: 10.1.0.%d ()\tStatus: Up\n", i);
    assert_true(read_text(words));
    assert_int_equal(seen.hosts, SEEN_HOSTS);
    assert_int_equal(seen.hosts_more, 3);
}

static void count_ports(void *own, uint16_t first, uint16_t last)
{
    *(unsigned *)own += last - first + 1u;
}

static void lists_of_ports_are_numbers_and_ranges(void **state)
{
    static const char *const wrong[] = { "", "x", "70000", "65536", "9-8", "1-70000", "22 80", "-5", "5-x" };
    unsigned count = 0;

    (void)state;
    assert_true(seen_ports(SLICE("22,80,8000-8100"), count_ports, &count));
    assert_int_equal(count, 103);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (seen_ports(slice_text(wrong[i]), count_ports, &count))
            fail_msg("\"%s\" was taken", wrong[i]);
}

static void a_package_that_is_only_remembered_is_not_installed(void **state)
{
    struct slice rest = SLICE("Package: exim4\nStatus: deinstall ok config-files\nVersion: 4.96\n\n"
                              "Package: libc6\nStatus: install ok installed\nArchitecture: i386\n"
                              "Description: a library\n Version: 9\n .\n Package: none\nVersion: 2.36-9\n\n"
                              "Package: half\nStatus: install ok half-installed\nVersion: 1\n");
    struct installed p;

    (void)state;
    assert_true(installed_next(&rest, &p));
    assert_true(slice_eq(p.name, SLICE("libc6")));
    assert_true(slice_eq(p.version, SLICE("2.36-9")));
    assert_true(slice_eq(p.architecture, SLICE("i386")));
    assert_false(installed_next(&rest, &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_that_was_tried_and_is_not_named_is_shut),
        cmocka_unit_test(without_the_list_of_what_was_tried_only_named_ports_are_known),
        cmocka_unit_test(no_answer_over_udp_says_nothing),
        cmocka_unit_test(the_form_in_xml_tells_the_same),
        cmocka_unit_test(of_a_host_that_is_down_nothing_is_known),
        cmocka_unit_test(what_tells_of_no_host_is_refused),
        cmocka_unit_test(more_hosts_than_fit_are_counted),
        cmocka_unit_test(lists_of_ports_are_numbers_and_ranges),
        cmocka_unit_test(a_package_that_is_only_remembered_is_not_installed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
