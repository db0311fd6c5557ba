/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libarchive - what packs and unpacks; loaded when the first file wants it.
 *
 * It brings eight more libraries along, down to one of 30 MB that knows all languages; nothing that runs for long needs
 * any of them, and starting each program with them costs a third of the start.
 */
#ifndef SERVIOLA_SENSE_LOG_LIBARCHIVE_H
#define SERVIOLA_SENSE_LOG_LIBARCHIVE_H
#include <archive.h>
#include <archive_entry.h>

#include "base/err.h"

#define LIBARCHIVE_CALLS(CALL)                                                                                         \
    CALL(error_string)                                                                                                 \
    CALL(read_new)                                                                                                     \
    CALL(read_free)                                                                                                    \
    CALL(read_support_filter_gzip)                                                                                     \
    CALL(read_support_filter_bzip2)                                                                                    \
    CALL(read_support_filter_xz)                                                                                       \
    CALL(read_support_filter_lzma)                                                                                     \
    CALL(read_support_filter_zstd)                                                                                     \
    CALL(read_support_filter_compress)                                                                                 \
    CALL(read_support_format_raw)                                                                                      \
    CALL(read_support_format_empty)                                                                                    \
    CALL(read_support_format_tar)                                                                                      \
    CALL(read_open_filename)                                                                                           \
    CALL(read_open_fd)                                                                                                 \
    CALL(read_next_header)                                                                                             \
    CALL(read_data)                                                                                                    \
    CALL(read_data_block)                                                                                              \
    CALL(write_new)                                                                                                    \
    CALL(write_free)                                                                                                   \
    CALL(write_close)                                                                                                  \
    CALL(write_set_format_gnutar)                                                                                      \
    CALL(write_add_filter_zstd)                                                                                        \
    CALL(write_set_bytes_per_block)                                                                                    \
    CALL(write_set_bytes_in_last_block)                                                                                \
    CALL(write_open_fd)                                                                                                \
    CALL(write_header)                                                                                                 \
    CALL(write_data)                                                                                                   \
    CALL(entry_new)                                                                                                    \
    CALL(entry_free)                                                                                                   \
    CALL(entry_filetype)                                                                                               \
    CALL(entry_hardlink)                                                                                               \
    CALL(entry_mtime)                                                                                                  \
    CALL(entry_pathname)                                                                                               \
    CALL(entry_set_filetype)                                                                                           \
    CALL(entry_set_mtime)                                                                                              \
    CALL(entry_set_pathname)                                                                                           \
    CALL(entry_set_perm)                                                                                               \
    CALL(entry_set_size)                                                                                               \
    CALL(entry_size)                                                                                                   \
    CALL(entry_size_is_set)                                                                                            \
    CALL(entry_sparse_count)                                                                                           \
    CALL(entry_symlink)

struct libarchive {
#define LIBARCHIVE_MEMBER(name) __typeof__(&archive_##name) name;
    LIBARCHIVE_CALLS(LIBARCHIVE_MEMBER)
#undef LIBARCHIVE_MEMBER
    __typeof__(&archive_errno) error_number; /* errno is a macro's name */
};
extern struct libarchive libarchive; /* archive_read_new is libarchive.read_new; all NULL before it is loaded */

int libarchive_load(struct err *e); /* again and again, by any thread */
/*
 * Lets `a` read a file that is packed with what libarchive unpacks by itself, or not at all.  Never
 * archive_read_support_filter_all: for some kinds of file it starts a program of that name (grzip, lrzip, lzop), and
 * the file is from outside.
 */
void libarchive_allow_packed(struct archive *a);
#endif
