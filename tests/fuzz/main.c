/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * main - runs a fuzz target over its corpus, where libFuzzer is not linked.
 *
 * Arguments are files or folders; each file goes through the target once,
 * from memory that ends exactly where the file does.  Then changed copies of
 * them do, by a fixed seed (FUZZ_SEED): FUZZ_RUNS of them, else 2000 or as
 * many as a second takes.  Without coverage to steer by, but long runs find
 * what a corpus alone does not.
 */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEPT = 4096, LONGEST = 16384, CHANGES = 6 };
static unsigned files_run;
static struct kept { /* inputs that changed copies are made of */
    uint8_t *data;
    size_t size;
} kept[KEPT];
static size_t kept_count;

static int run_file(const char *path, size_t size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(size > 0 ? size : 1);
    int status = -1;

    if (!f || !data)
        goto out;
    if (fread(data, 1, size, f) != size)
        goto out;
    if (getenv("FUZZ_VERBOSE"))
        fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(data, size);
    files_run++;
    status = 0;
    if (kept_count < KEPT && size < LONGEST) {
        kept[kept_count++] = (struct kept){ data, size };
        data = NULL;
    }
out:
    if (status < 0)
        perror(path);
    if (f)
        fclose(f);
    free(data);
    return status;
}

static int run_path(const char *path);

static int run_folder(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *entry;
    int status = 0;

    if (!d) {
        perror(path);
        return -1;
    }
    while ((entry = readdir(d))) {
        char below[PATH_MAX];

        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(below, sizeof below, "%s/%s", path, entry->d_name) >= (int)sizeof below || run_path(below) < 0)
            status = -1;
    }
    closedir(d);
    return status;
}

static int run_path(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0) {
        perror(path);
        return -1;
    }
    return S_ISDIR(st.st_mode) ? run_folder(path) : run_file(path, (size_t)st.st_size);
}

/* ---- changed copies ---- */

static uint64_t seed = 1;

static size_t any(size_t below) /* xorshift64* */
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return below > 0 ? (size_t)((seed * 0x2545f4914f6cdd1du) >> 33) % below : 0;
}

static size_t change(uint8_t *data, size_t size)
{
    static const uint8_t special[] = "\0\r\n\xff\x7f\x80 .:<>@%/9-";
    const struct kept *other = &kept[any(kept_count)];
    size_t at = any(size + 1);
    size_t n = 1 + any(16);

    switch (any(6)) {
    case 0: /* a bit */
        if (at < size)
            data[at] ^= (uint8_t)(1u << any(8));
        return size;
    case 1: /* a byte that means something */
        if (at < size)
            data[at] = special[any(sizeof(special) - 1)];
        return size;
    case 2: /* some less */
        n = n < size - at ? n : size - at;
        memmove(data + at, data + at + n, size - at - n);
        return size - n;
    case 3: /* the end is missing */
        return at;
    case 4: /* another one's part comes between */
        n = any(other->size + 1);
        n = n < LONGEST - size ? n : LONGEST - size;
        memmove(data + at + n, data + at, size - at);
        memcpy(data + at, other->data, n);
        return size + n;
    default: /* some of it twice */
        n = n < size - at ? n : size - at;
        n = n < LONGEST - size ? n : LONGEST - size;
        memmove(data + at + n, data + at, size - at);
        return size + n;
    }
}

static void run_changed(void)
{
    static uint8_t made[LONGEST];
    const struct kept *one = &kept[any(kept_count)];
    size_t size = one->size;
    uint8_t *data;

    memcpy(made, one->data, size);
    for (size_t i = 1 + any(CHANGES); i > 0; i--)
        size = change(made, size);
    data = malloc(size > 0 ? size : 1);
    if (!data)
        return;
    memcpy(data, made, size);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static void run_all_changed(void)
{
    const char *runs = getenv("FUZZ_RUNS");
    const char *from = getenv("FUZZ_SEED");
    unsigned long n = runs ? strtoul(runs, NULL, 10) : 2000;
    unsigned long i = 0;
    clock_t end = clock() + CLOCKS_PER_SEC;

    seed = from ? strtoull(from, NULL, 10) | 1 : 1;
    for (; i < n && kept_count > 0 && (runs || clock() < end); i++)
        run_changed();
    while (kept_count > 0)
        free(kept[--kept_count].data);
    printf("%lu changed\n", i);
}

int main(int argc, char **argv)
{
    int status = 0;

    for (int i = 1; i < argc; i++)
        if (run_path(argv[i]) < 0)
            status = 1;
    printf("%u inputs\n", files_run);
    run_all_changed();
    if (files_run == 0)
        fprintf(stderr, "no input was run: the corpus is empty\n");
    return status || files_run == 0;
}
