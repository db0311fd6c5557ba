/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * main - runs a fuzz target over its corpus, where libFuzzer is not linked.
 *
 * Arguments are files or folders; each file goes through the target once,
 * from memory that ends exactly where the file does.
 */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned files_run;

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

int main(int argc, char **argv)
{
    int status = 0;

    for (int i = 1; i < argc; i++)
        if (run_path(argv[i]) < 0)
            status = 1;
    printf("%u inputs\n", files_run);
    if (files_run == 0)
        fprintf(stderr, "no input was run: the corpus is empty\n");
    return status || files_run == 0;
}
