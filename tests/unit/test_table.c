/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/table.h"

struct key {
    uint8_t bytes[5]; /* an odd size: values must be aligned all the same */
};
struct value {
    uint64_t n;
};

static struct key key_of(uint32_t n)
{
    struct key k = { { 7 } };

    memcpy(k.bytes + 1, &n, sizeof(n));
    return k;
}

static struct table *make(size_t cap)
{
    struct table *t = table_new(cap, sizeof(struct key), sizeof(struct value), 42, NULL);

    assert_non_null(t);
    return t;
}

static struct value *put(struct table *t, uint32_t n)
{
    struct key k = key_of(n);
    struct value *v = table_add(t, &k, NULL, NULL, NULL);

    v->n = n;
    return v;
}

static struct value *look(struct table *t, uint32_t n)
{
    struct key k = key_of(n);

    return table_find(t, &k);
}

static void what_was_added_is_found_and_nothing_else(void **state)
{
    struct table *t = make(100);
    struct key k = key_of(5);
    bool fresh = false;
    struct value *v = table_add(t, &k, &fresh, NULL, NULL);

    (void)state;
    assert_true(fresh);
    assert_true(v->n == 0);
    assert_int_equal((uintptr_t)v % 8, 0);
    v->n = 55;
    assert_ptr_equal(table_add(t, &k, &fresh, NULL, NULL), v);
    assert_false(fresh);
    assert_true(look(t, 5)->n == 55);
    assert_null(look(t, 6));
    assert_memory_equal(table_key(t, v), &k, sizeof(k));
    assert_int_equal(table_count(t), 1);
    table_free(t);
}

static void see(void *ctx, const void *key, void *value)
{
    uint32_t *last = ctx;

    memcpy(last, (const uint8_t *)key + 1, sizeof(*last));
    assert_true(((struct value *)value)->n == *last);
}

static void the_oldest_leaves_a_full_table(void **state)
{
    struct table *t = make(3);
    uint32_t left = 99;
    struct key k;

    (void)state;
    (void)put(t, 0);
    (void)put(t, 1);
    (void)put(t, 2);
    table_touch(t, look(t, 0)); /* it spoke again: 1 is the oldest now */
    k = key_of(3);
    ((struct value *)table_add(t, &k, NULL, see, &left))->n = 3;
    assert_int_equal(left, 1);
    assert_null(look(t, 1));
    assert_non_null(look(t, 0));
    assert_int_equal(table_count(t), 3);
    assert_int_equal(table_cap(t), 3);
    table_free(t);
}

static void a_walk_goes_from_the_oldest_to_the_newest(void **state)
{
    struct table *t = make(8);
    uint32_t expected[] = { 1, 3, 4, 0 };
    size_t at = 0;

    (void)state;
    for (uint32_t i = 0; i < 5; i++)
        (void)put(t, i);
    table_remove(t, look(t, 2));
    table_touch(t, look(t, 0));
    for (struct value *v = table_oldest(t); v; v = table_newer(t, v))
        assert_true(v->n == expected[at++]);
    assert_int_equal(at, 4);
    for (struct value *v = table_oldest(t), *next; v; v = next) { /* and all may leave on the way */
        next = table_newer(t, v);
        table_remove(t, v);
    }
    assert_int_equal(table_count(t), 0);
    assert_null(table_oldest(t));
    table_free(t);
}

static void a_value_stays_where_it_is(void **state)
{
    struct table *t = make(1000);
    struct value *first = put(t, 0);

    (void)state;
    for (uint32_t i = 1; i < 1000; i++)
        (void)put(t, i);
    assert_ptr_equal(look(t, 0), first);
    assert_true(first->n == 0);
    table_free(t);
}

static void a_table_of_one_works(void **state)
{
    struct table *t = make(1);

    (void)state;
    for (uint32_t i = 0; i < 10; i++) {
        (void)put(t, i);
        assert_int_equal(table_count(t), 1);
        assert_true(look(t, i)->n == i);
    }
    table_free(t);
}

static void after_clear_it_is_as_new(void **state)
{
    struct table *t = make(10);

    (void)state;
    for (uint32_t i = 0; i < 10; i++)
        (void)put(t, i);
    table_clear(t);
    assert_int_equal(table_count(t), 0);
    assert_null(look(t, 1));
    for (uint32_t i = 20; i < 40; i++)
        (void)put(t, i);
    assert_int_equal(table_count(t), 10);
    assert_true(((struct value *)table_oldest(t))->n == 30);
    table_free(t);
}

static void sizes_that_make_no_sense_are_refused(void **state)
{
    struct err e;

    (void)state;
    assert_null(table_new(0, 4, 4, 1, &e));
    assert_null(table_new(4, 0, 4, 1, &e));
    assert_null(table_new(SIZE_MAX, 4, 4, 1, &e));
    table_free(NULL);
}

/* A plain array beside it, a thousand random steps: both must always agree. */
static void it_agrees_with_a_plain_list(void **state)
{
    enum { CAP = 16, KEYS = 40 };
    struct table *t = make(CAP);
    uint32_t list[CAP + 1]; /* oldest first */
    size_t count = 0;
    uint32_t random = 12345;

    (void)state;
    for (int step = 0; step < 20000; step++) {
        uint32_t n = (random = random * 1664525 + 1013904223) >> 8;
        uint32_t key = n % KEYS;
        bool remove = n / KEYS % 4 == 0;
        struct value *v = look(t, key);
        size_t at = 0;

        while (at < count && list[at] != key)
            at++;
        assert_true((v != NULL) == (at < count));
        if (at < count) {
            memmove(list + at, list + at + 1, (count - at - 1) * sizeof(list[0]));
            count--;
        }
        if (remove && v)
            table_remove(t, v);
        else if (!remove) {
            if (count == CAP)
                memmove(list, list + 1, --count * sizeof(list[0]));
            list[count++] = key;
            (void)put(t, key);
        }
        assert_int_equal(table_count(t), count);
        at = 0;
        for (v = table_oldest(t); v; v = table_newer(t, v))
            assert_true(v->n == list[at++]);
        assert_int_equal(at, count);
    }
    table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_found_and_nothing_else),
        cmocka_unit_test(the_oldest_leaves_a_full_table),
        cmocka_unit_test(a_walk_goes_from_the_oldest_to_the_newest),
        cmocka_unit_test(a_value_stays_where_it_is),
        cmocka_unit_test(a_table_of_one_works),
        cmocka_unit_test(after_clear_it_is_as_new),
        cmocka_unit_test(sizes_that_make_no_sense_are_refused),
        cmocka_unit_test(it_agrees_with_a_plain_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
