/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unpack - the floor of each search through everything: CPU seconds that zstd takes for all frames of FILES, one by
 * one. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zstd.h>

enum { ROOM = 2 << 20 };

static double unpack(FILE *f, void *room)
{
    static const size_t most = (size_t)1 << 30;
    char *bytes = malloc(most);
    size_t len = bytes ? fread(bytes, 1, most, f) : 0;
    ZSTD_DCtx *z = ZSTD_createDCtx();
    clock_t from = clock();

    for (size_t at = 0; z && at < len;) {
        size_t size = ZSTD_findFrameCompressedSize(bytes + at, len - at);

        if (ZSTD_isError(size) || ZSTD_isError(ZSTD_decompressDCtx(z, room, ROOM, bytes + at, size)))
            break;
        at += size;
    }
    from = clock() - from;
    ZSTD_freeDCtx(z);
    free(bytes);
    return (double)from / CLOCKS_PER_SEC;
}

int main(int argc, char **argv)
{
    void *room = malloc(ROOM);
    double took = 0;

    for (int i = 1; room && i < argc; i++) {
        FILE *f = fopen(argv[i], "re");

        if (!f)
            return 1;
        took += unpack(f, room);
        (void)fclose(f);
    }
    (void)printf("%.3f\n", took);
    free(room);
    return 0;
}
