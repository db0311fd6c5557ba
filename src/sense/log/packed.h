/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * packed - with what a log may be packed: all that libarchive unpacks by itself.
 *
 * Never archive_read_support_filter_all: for some kinds of file it starts a
 * program of that name (grzip, lrzip, lzop), and the file is from outside.
 */
#ifndef SERVIOLA_SENSE_LOG_PACKED_H
#define SERVIOLA_SENSE_LOG_PACKED_H
#include <archive.h>

static inline void packed_allow(struct archive *a)
{
    (void)archive_read_support_filter_gzip(a);
    (void)archive_read_support_filter_bzip2(a);
    (void)archive_read_support_filter_xz(a);
    (void)archive_read_support_filter_lzma(a);
    (void)archive_read_support_filter_zstd(a);
    (void)archive_read_support_filter_compress(a);
    (void)archive_read_support_format_raw(a);
    (void)archive_read_support_format_empty(a);
}
#endif
