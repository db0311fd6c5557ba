/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pcap - capture files as a stream of bytes: pcap of either byte order in us
 * or ns, and pcapng with interfaces of different kinds.
 *
 * Ours instead of libpcap's, because that one refuses a pcapng file whose
 * interfaces differ in link type, and opens files itself.  Here bytes go in
 * and frames come out; who reads the descriptor is somebody else.
 */
#ifndef SERVIOLA_WIRE_PCAP_H
#define SERVIOLA_WIRE_PCAP_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { PCAP_RECORD_MAX = 1 << 20, PCAP_INTERFACES = 1024 };

struct pcap_interface {
    uint32_t link;     /* number in the LINKTYPE registry */
    uint32_t snap_len; /* 0: no limit */
    uint8_t unit;      /* if_tsresol: 10^-n, or 2^-n with the high bit */
    int64_t offset_s;  /* if_tsoffset */
};

struct pcap_reader {
    uint64_t offset; /* of the next record in the file */
    uint64_t skip;   /* bytes of a long block without packets that are still to come */
    enum { PCAP_UNKNOWN, PCAP_CLASSIC, PCAP_NG } format;
    bool swapped; /* not in this machine's byte order */
    bool nano;
    uint32_t interfaces; /* those over the cap are counted, and their frames not read */
    struct pcap_interface at[PCAP_INTERFACES];
    const char *fault; /* after PCAP_BAD: in words */
};

struct pcap_frame {
    uint32_t link;
    struct slice bytes; /* inside the input */
    size_t wire_len;
    int64_t at_us; /* since 1970 */
};

enum pcap_got {
    PCAP_FRAME,
    PCAP_NOTHING, /* a record without a frame */
    PCAP_MORE,    /* the record goes on behind the input (which never has to exceed PCAP_RECORD_MAX + 64) */
    PCAP_BAD      /* no capture file, or broken from r->offset on */
};

void pcap_init(struct pcap_reader *r);
/* `in` begins at r->offset; *used bytes of it are done with. */
enum pcap_got pcap_next(struct pcap_reader *r, struct slice in, size_t *used, struct pcap_frame *f);
#endif
