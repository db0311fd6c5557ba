/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/smtpdata.h"

struct passed { /* what a message came to */
    struct smtpdata d;
    uint8_t out[1024];
    size_t out_len, used;
};

static void feed(struct passed *p, struct slice in)
{
    while (in.len > 0 && !p->d.ended) {
        struct slice forward;
        size_t used = smtpdata_next(&p->d, in, &forward);

        assert_true(p->out_len + forward.len <= sizeof p->out);
        if (forward.len > 0)
            memcpy(p->out + p->out_len, forward.at, forward.len);
        p->out_len += forward.len;
        p->used += used;
        in = slice_skip(in, used);
    }
}

/* Cut behind `cut` bytes; each piece in memory that ends where it does. */
static void pass_cut(struct passed *p, enum smtpdata_mode mode, struct slice in, size_t cut)
{
    const struct slice pieces[2] = { slice_first(in, cut), slice_skip(in, cut) };

    memset(p, 0, sizeof *p);
    smtpdata_init(&p->d, mode);
    for (int i = 0; i < 2; i++) {
        uint8_t *copy = malloc(pieces[i].len + 1);

        assert_non_null(copy);
        if (pieces[i].len > 0)
            memcpy(copy, pieces[i].at, pieces[i].len);
        feed(p, slice_of(copy, pieces[i].len));
        free(copy);
    }
}

static void assert_passes(enum smtpdata_mode mode, struct slice in, struct slice out, enum smtpdata_fault fault,
                          bool ended)
{
    for (size_t cut = 0; cut <= in.len; cut++) {
        struct passed p;

        pass_cut(&p, mode, in, cut);
        assert_int_equal(p.out_len, out.len);
        if (out.len > 0)
            assert_memory_equal(p.out, out.at, out.len);
        assert_int_equal(p.d.fault, fault);
        assert_int_equal(p.d.ended, ended);
        if (ended)
            assert_int_equal(p.d.bytes, p.used - 3);
        else
            assert_int_equal(p.used, in.len);
    }
}
#define PASSES(mode, in, out, fault, ended) assert_passes(mode, SLICE(in), SLICE(out), fault, ended)
#define CLEAN(in)                                                                                                      \
    PASSES(SMTPDATA_REFUSE, in, in, SMTPDATA_CLEAN, true);                                                             \
    PASSES(SMTPDATA_NORMALISE, in, in, SMTPDATA_CLEAN, true)
#define TEXT                        "Subject: x\r\n\r\nfirst"
#define HIDDEN                      "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhidden\r\n.\r\n"
#define REFUSED(before, seq, fault) PASSES(SMTPDATA_REFUSE, TEXT seq HIDDEN, before, fault, true)
#define NORMAL(seq, becomes, fault) PASSES(SMTPDATA_NORMALISE, TEXT seq HIDDEN, TEXT becomes HIDDEN, fault, true)

static void a_clean_message_passes_as_it_came(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct smtpdata), 16);
    CLEAN(".\r\n");
    CLEAN("\r\n.\r\n");
    CLEAN("Subject: x\r\n\r\nHello\r\n.\r\n");
    CLEAN("..\r\n...\r\n.. \r\n.x\r\n. \r\n.\r\n");
    CLEAN("a line that is longer than sixteen bytes, and then some\r\nanother of that kind, with 8-bit: \xe9\r\n.\r\n");
}

static void what_stands_behind_the_end_is_left(void **state)
{
    static const char text[] = "x\r\n.\r\nQUIT\r\n";
    struct passed p;

    (void)state;
    for (size_t cut = 0; cut < sizeof text; cut++) {
        pass_cut(&p, SMTPDATA_REFUSE, slice_text(text), cut);
        assert_true(p.d.ended);
        assert_int_equal(p.used, 6);
        assert_int_equal(p.d.bytes, 3);
    }
}

static void a_message_without_an_end_goes_on(void **state)
{
    (void)state;
    PASSES(SMTPDATA_REFUSE, "x\r\n.", "x\r\n.", SMTPDATA_CLEAN, false);
    PASSES(SMTPDATA_REFUSE, "x\r\n.\r", "x\r\n.", SMTPDATA_CLEAN, false); /* the CR is held */
    PASSES(SMTPDATA_REFUSE, "x.\r\n", "x.\r\n", SMTPDATA_CLEAN, false);
    PASSES(SMTPDATA_REFUSE, "\r\n..\r\n", "\r\n..\r\n", SMTPDATA_CLEAN, false);
}

static void no_false_end_is_taken_and_nothing_behind_it_is_handed_on(void **state)
{
    (void)state;
    REFUSED(TEXT, "\n.\n", SMTPDATA_BARE_LF);
    REFUSED(TEXT, "\n.\r\n", SMTPDATA_BARE_LF);
    REFUSED(TEXT "\r\n.", "\r\n.\n", SMTPDATA_BARE_LF);
    REFUSED(TEXT, "\r.\r", SMTPDATA_BARE_CR);
    REFUSED(TEXT, "\r.\n", SMTPDATA_BARE_CR);
    REFUSED(TEXT, "\n.\r", SMTPDATA_BARE_LF);
    REFUSED(TEXT, "\r.\r\n", SMTPDATA_BARE_CR);
    REFUSED(TEXT "\r\n.", "\r\n.\r", SMTPDATA_BARE_CR);
    REFUSED(TEXT "\r\n", "\r\n\0.\r\n", SMTPDATA_NUL);
    REFUSED(TEXT "\r\n.", "\r\n.\0\r\n", SMTPDATA_NUL);
    REFUSED(TEXT "\r\n.", "\r\n.\r\r\n", SMTPDATA_BARE_CR);
    REFUSED(TEXT, "\r\r\n.\r\r\n", SMTPDATA_BARE_CR);
}

static void a_false_end_becomes_text(void **state)
{
    (void)state;
    NORMAL("\n.\n", "\r\n..\r\n", SMTPDATA_BARE_LF);
    NORMAL("\n.\r\n", "\r\n..\r\n", SMTPDATA_BARE_LF);
    NORMAL("\r\n.\n", "\r\n..\r\n", SMTPDATA_BARE_LF);
    NORMAL("\r.\r", " . ", SMTPDATA_BARE_CR);
    NORMAL("\r.\n", " .\r\n", SMTPDATA_BARE_CR);
    NORMAL("\n.\r", "\r\n.. ", SMTPDATA_BARE_LF);
    NORMAL("\r.\r\n", " .\r\n", SMTPDATA_BARE_CR);
    NORMAL("\r\n.\r", "\r\n. ", SMTPDATA_BARE_CR);
    NORMAL("\r\n\0.\r\n", "\r\n .\r\n", SMTPDATA_NUL);
    NORMAL("\r\n.\0\r\n", "\r\n. \r\n", SMTPDATA_NUL);
    NORMAL("\r\n.\r\r\n", "\r\n. \r\n", SMTPDATA_BARE_CR);
    NORMAL("\r\r\n.\r\r\n", " \r\n. \r\n", SMTPDATA_BARE_CR);
}

static void faults_in_a_row_make_no_end_either(void **state)
{
    (void)state;
    NORMAL("\r\n.\n.\r\n", "\r\n..\r\n..\r\n", SMTPDATA_BARE_LF);
    NORMAL("\n\n.\n\n", "\r\n\r\n..\r\n\r\n", SMTPDATA_BARE_LF);
    NORMAL("\n..\n", "\r\n...\r\n", SMTPDATA_BARE_LF);
    NORMAL("\r\r\r", "   ", SMTPDATA_BARE_CR);
    NORMAL("\n\r.", "\r\n .", SMTPDATA_BARE_LF);
    NORMAL("\n\r\r\n", "\r\n \r\n", SMTPDATA_BARE_LF);
}

static void the_true_end_behind_a_fault_is_found(void **state)
{
    (void)state;
    PASSES(SMTPDATA_REFUSE, "a\nb\r\n.\r\n", "a", SMTPDATA_BARE_LF, true);
    PASSES(SMTPDATA_REFUSE, "a\n\r\n.\r\n", "a", SMTPDATA_BARE_LF, true);
    PASSES(SMTPDATA_REFUSE, "a\r\r\n.\r\n", "a", SMTPDATA_BARE_CR, true);
    PASSES(SMTPDATA_NORMALISE, "a\r\r\n.\r\n", "a \r\n.\r\n", SMTPDATA_BARE_CR, true);
}

static void clean_text_is_handed_on_where_it_lies(void **state)
{
    static const char text[] = "one\r\ntwo\r\n..three\r\nfour";
    struct smtpdata d;
    struct slice forward;

    (void)state;
    smtpdata_init(&d, SMTPDATA_NORMALISE);
    assert_int_equal(smtpdata_next(&d, slice_text(text), &forward), sizeof text - 1);
    assert_ptr_equal(forward.at, text);
    assert_int_equal(forward.len, sizeof text - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_message_passes_as_it_came),
        cmocka_unit_test(what_stands_behind_the_end_is_left),
        cmocka_unit_test(a_message_without_an_end_goes_on),
        cmocka_unit_test(no_false_end_is_taken_and_nothing_behind_it_is_handed_on),
        cmocka_unit_test(a_false_end_becomes_text),
        cmocka_unit_test(faults_in_a_row_make_no_end_either),
        cmocka_unit_test(the_true_end_behind_a_fault_is_found),
        cmocka_unit_test(clean_text_is_handed_on_where_it_lies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
