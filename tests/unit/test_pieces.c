/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file read piece by piece gives what it gives when it is read whole, also where it is damaged. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal/pieces.h"

enum { MARK = 77, FILE_BYTES = 3 * PIECES_ROOM, ROUNDS = 24 };

static uint64_t seed;

static uint64_t roll(uint64_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
}

/* Blocks of all sizes, of noise that holds the mark here and there. */
static struct seg_out make_file(void)
{
    static uint8_t payload[SEG_RAW_MAX];
    const uint64_t mark = MARK;
    struct seg_out file = { 0 };

    for (size_t i = 0; i < sizeof(payload); i++)
        payload[i] = (uint8_t)roll(256);
    for (size_t i = 0; i + 8 < sizeof(payload); i += 1000)
        memcpy(payload + i, &mark, sizeof(mark));
    for (uint64_t seq = 1; file.len < FILE_BYTES; seq++) {
        const size_t len = roll(3) == 0 ? SEG_RAW_MAX - roll(100) : 1 + roll(200000);
        struct seg_block b = { .first_seq = seq, .last_seq = seq, .count = 1, .commits = 1, .raw_len = (uint32_t)len };

        assert_int_equal(seg_put_raw(&file, MARK, SEG_LINES, &b, slice_of(payload + sizeof(payload) - len, len), NULL),
                         0);
    }
    return file;
}

static void damage(struct seg_out *file, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        const size_t at = roll(file->len);
        const size_t len = roll(2) == 0 ? 1 : roll(file->len - at) / 2;

        memset(file->at + at, (int)roll(256), len);
    }
    if (roll(2) == 0)
        file->len -= roll(100000);
}

struct seen {
    uint64_t sound, sound_bytes, places, damaged, bad_bytes;
};

static struct seen look(struct seg_scan *scan)
{
    struct seen s = { 0 };
    struct seg_element el;
    uint64_t at = 0;
    enum seg_got got;

    while ((got = seg_next(scan, &el)) != SEG_END) {
        assert_int_equal(el.offset, at); /* no byte is left out, none comes twice */
        at += el.size;
        if (got == SEG_BAD)
            s.bad_bytes += el.size;
        else {
            s.sound += got == SEG_GOT;
            s.damaged += got == SEG_DAMAGED;
            s.sound_bytes += el.size;
            s.places = s.places * 31 + el.offset;
        }
    }
    return s;
}

static int write_file(const char *folder, const struct seg_out *file)
{
    const int dir = open(folder, O_RDONLY | O_DIRECTORY);
    const int fd = openat(dir, "file", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(dir >= 0 && fd >= 0);
    assert_int_equal(write(fd, file->at, file->len), file->len);
    (void)close(fd);
    return dir;
}

static void pieces_give_what_the_whole_gives(void **state)
{
    char folder[] = "/tmp/pieces.XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct seg_out file;
        struct seg_scan whole;
        struct pieces p;
        struct seen expected;
        struct seen seen;
        int dir;

        seed = round;
        file = make_file();
        damage(&file, round % 6);
        dir = write_file(folder, &file);
        whole = (struct seg_scan){ .file = slice_of(file.at, file.len), .mark = MARK };
        expected = look(&whole);
        assert_int_equal(pieces_open(&p, dir, "file", NULL), 0);
        p.scan.mark = MARK;
        seen = look(&p.scan);
        assert_int_equal(pieces_done(&p, NULL), 0);
        assert_memory_equal(&seen, &expected, sizeof(seen));
        assert_int_equal(seen.sound_bytes + seen.bad_bytes, file.len);
        pieces_close(&p);
        (void)unlinkat(dir, "file", 0);
        (void)close(dir);
        seg_out_free(&file);
    }
    (void)rmdir(folder);
}

static void what_cannot_be_read_to_its_end_is_told(void **state)
{
    char folder[] = "/tmp/pieces.XXXXXX";
    struct seg_out file;
    struct err e = { 0 };
    struct pieces p;
    int dir;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(folder));
    seed = 1;
    file = make_file();
    dir = write_file(folder, &file);
    assert_int_equal(pieces_open(&p, dir, "file", NULL), 0);
    p.scan.mark = MARK;
    fd = openat(dir, "file", O_WRONLY);
    assert_int_equal(ftruncate(fd, PIECES_ROOM + 5), 0);
    (void)close(fd);
    (void)look(&p.scan);
    assert_int_equal(pieces_done(&p, &e), -1);
    assert_non_null(strstr(e.text, "read at"));
    pieces_close(&p);
    (void)unlinkat(dir, "file", 0);
    assert_int_equal(pieces_open(&p, dir, "file", &e), -1);
    (void)close(dir);
    (void)rmdir(folder);
    seg_out_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_give_what_the_whole_gives),
        cmocka_unit_test(what_cannot_be_read_to_its_end_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
