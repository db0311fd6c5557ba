/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What disks say of themselves (SMART).  Each is asked by the helper, in turn: one that does not answer ends the
 * asking. */
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sense/xray/inner.h"
#include "wire/smart.h"

enum { ANSWER_MS = 800, WORDS = 160 };

/* What the helper says of one. */
struct answer {
    uint32_t disk; /* index into the part */
    char words[WORDS];
};

static bool ask_nvme(int fd, struct text *t)
{
    uint8_t page[512] = { 0 };
    struct nvme_admin_cmd c = { .opcode = 0x02, /* Get Log Page */
                                .nsid = UINT32_MAX,
                                .addr = (uint64_t)(uintptr_t)page,
                                .data_len = sizeof(page),
                                .cdw10 = 0x02 | (sizeof(page) / 4 - 1) << 16,
                                .timeout_ms = ANSWER_MS };

    return ioctl(fd, NVME_IOCTL_ADMIN_CMD, &c) == 0 && smart_nvme_read(slice_of(page, sizeof(page)), t);
}

static bool ask_ata(int fd, struct text *t)
{
    /* ATA PASS-THROUGH (16), no data, with the registers in the sense data: SMART RETURN STATUS. */
    uint8_t command[16] = { 0x85, 0x06, 0x20, 0, 0xda, 0, 0, 0, 0, 0, 0x4f, 0, 0xc2, 0, 0xb0, 0 };
    uint8_t sense[32] = { 0 };
    struct sg_io_hdr h = { .interface_id = 'S',
                           .dxfer_direction = SG_DXFER_NONE,
                           .cmd_len = sizeof(command),
                           .mx_sb_len = sizeof(sense),
                           .cmdp = command,
                           .sbp = sense,
                           .timeout = ANSWER_MS };

    return ioctl(fd, SG_IO, &h) == 0 && smart_ata_read(slice_of(sense, h.sb_len_wr), t);
}

static bool begins(struct slice s, const char *with)
{
    return s.len > strlen(with) && memcmp(s.at, with, strlen(with)) == 0;
}

/* Whole disks that can be asked: nvme0n1, sda; a part of one ends in a digit behind a letter or a p. */
static bool is_asked(struct slice name, bool *nvme)
{
    *nvme = begins(name, "nvme");
    if (*nvme)
        return !memchr(name.at, 'p', name.len);
    return begins(name, "sd") && name.at[name.len - 1] >= 'a';
}

static void ask_all(int fd, const void *ctx)
{
    const struct xray *x = ctx;
    uint32_t number = 0;

    SNAP_LIST(x->s, SNAP_DISK, struct snap_disk, d)
    {
        struct answer a = { .disk = number++ };
        struct text t = TEXT_IN(a.words);
        char path[96];
        bool nvme;
        int disk;

        if (!is_asked(d->name, &nvme) || d->name.len > 64)
            continue;
        (void)snprintf(path, sizeof(path), "/dev/%.*s", (int)d->name.len, (const char *)d->name.at);
        disk = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (disk < 0)
            continue;
        if (nvme ? ask_nvme(disk, &t) : ask_ata(disk, &t))
            helper_say(fd, &a, sizeof(a));
        close(disk);
    }
}

void xray_health_begin(struct xray *x)
{
    (void)helper_start(&x->health, ask_all, x);
}

void xray_health_end(struct xray *x)
{
    struct snap_disk *all = x->s->part[SNAP_DISK].at;
    struct slice said;

    if (!x->health.at)
        return;
    helper_collect(&x->health, 1, x->deadline_ms);
    for (said = helper_said(&x->health); said.len >= sizeof(struct answer);
         said = slice_skip(said, sizeof(struct answer))) {
        struct answer a;

        memcpy(&a, said.at, sizeof(a));
        a.words[WORDS - 1] = '\0';
        if (a.disk < x->s->part[SNAP_DISK].count)
            all[a.disk].health = snap_keep_text(x->s, a.words);
    }
    if (!x->health.ended)
        snap_note(x->s, "disk", "a disk did not say in time how it is");
    helper_done(&x->health);
}
