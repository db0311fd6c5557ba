/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/lock.h"

#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Linux 5.14; an older kernel refuses it, and the pages come when they are touched. */
enum { POPULATE_READ = 22 };

static int read_in(struct dl_phdr_info *object, size_t size, void *ctx)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    (void)size;
    (void)ctx;
    for (unsigned i = 0; i < object->dlpi_phnum; i++) {
        uintptr_t from = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
        uintptr_t first = from & ~(page - 1);

        if (object->dlpi_phdr[i].p_type == PT_LOAD)
            (void)madvise((void *)first, from + object->dlpi_phdr[i].p_filesz - first, POPULATE_READ);
    }
    return 0;
}

void lock_read_in(void)
{
    (void)dl_iterate_phdr(read_in, NULL);
}

/* With a limit, a later malloc would fail when it is reached: all or nothing. */
int lock_allow(struct err *e)
{
    const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
    struct rlimit now;

    if (setrlimit(RLIMIT_MEMLOCK, &all) < 0 && (getrlimit(RLIMIT_MEMLOCK, &now) < 0 || now.rlim_cur != RLIM_INFINITY))
        return err_set(e, 0, "the limit on locked memory can't be raised; start as root, with LimitMEMLOCK=infinity");
    return 0;
}

int lock_memory(struct err *e)
{
    int status = lock_allow(e);

    if (status == 0 && mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
        status = err_set(e, errno, "mlockall");
    lock_read_in(); /* what is not locked stays while memory is not short */
    return status;
}
