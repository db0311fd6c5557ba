/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/memfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/whole.h"

/* Linux 6.3; not in Debian 12's headers. */
enum { MEMFILE_NOEXEC = 0x8, MEMFILE_EXEC = 0x10 };

enum { SEALS = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW };

static int make(const char *name, unsigned kind, struct err *e)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | kind);

    if (fd < 0 && errno == EINVAL) /* an older kernel: every memory file may be executed */
        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return err_set(e, errno, "memory file %s", name);
    return fd;
}

static int seal(int fd, struct err *e)
{
    if (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) < 0)
        return err_set(e, errno, "seal");
    return 0;
}

int memfile_from(const void *bytes, size_t size, const char *name, struct err *e)
{
    int fd = make(name, MEMFILE_NOEXEC, e);

    if (fd < 0)
        return -1;
    if (whole_write(fd, bytes, size) < 0)
        (void)err_set(e, errno, "write");
    else if (seal(fd, e) == 0)
        return fd;
    (void)close(fd);
    return err_wrap(e, "memory file %s", name);
}

static int copy_all(int from, int to, size_t most, struct err *e)
{
    off_t at = 0;

    for (;;) {
        ssize_t n = sendfile(to, from, &at, 1 << 20);

        if (n < 0 && errno != EINTR)
            return err_set(e, errno, "copy");
        if (n == 0)
            return 0;
        if ((size_t)at > most)
            return err_set(e, EFBIG, "copy");
    }
}

int memfile_copy(int from, size_t most, const char *name, struct err *e)
{
    int fd = make(name, MEMFILE_EXEC, e);

    if (fd < 0)
        return -1;
    if (copy_all(from, fd, most, e) < 0 || seal(fd, e) < 0) {
        (void)close(fd);
        return err_wrap(e, "memory file %s", name);
    }
    return fd;
}

int memfile_map_any(int fd, size_t most, struct slice *bytes, struct err *e)
{
    int seals = fcntl(fd, F_GET_SEALS);
    struct stat st;
    void *at;

    if (seals < 0 || (seals & SEALS) != SEALS)
        return err_set(e, 0, "a memory file came unsealed");
    if (fstat(fd, &st) < 0)
        return err_set(e, errno, "memory file");
    if (st.st_size <= 0 || (uint64_t)st.st_size > most)
        return err_set(e, 0, "a memory file of %lld bytes came, where 1 to %zu are right", (long long)st.st_size, most);
    at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd,
              0); /* shared would need a writable seal before 6.7 */
    if (at == MAP_FAILED)
        return err_set(e, errno, "map a memory file");
    *bytes = slice_of(at, (size_t)st.st_size);
    return 0;
}

int memfile_map(int fd, size_t size, const void **at, struct err *e)
{
    struct slice bytes;

    if (memfile_map_any(fd, size, &bytes, e) < 0)
        return -1;
    if (bytes.len != size) {
        memfile_unmap(bytes.at, bytes.len);
        return err_set(e, 0, "a memory file of %zu bytes came, where %zu are right", bytes.len, size);
    }
    *at = bytes.at;
    return 0;
}

void memfile_unmap(const void *at, size_t size)
{
    void *start;

    memcpy(&start, &at, sizeof(start)); /* munmap does not write to it, but its type does not say so */
    if (at)
        (void)munmap(start, size);
}

void memfile_close(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}
