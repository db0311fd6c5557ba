# SPDX-License-Identifier: GPL-3.0-or-later
"""packets - an IPv4 TCP segment as bytes, for forge and record."""
import ipaddress
import struct

SYN, PUSH, ACK = 2, 8, 16


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def segment(source, sport, to, port, seq, ack, flags, data=b""):
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(to).packed

    def tcp(check):
        return struct.pack("!HHIIBBHHH", sport, port, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 5 << 4, flags, 64000, check, 0) + data

    def ip(check):
        return struct.pack("!BBHHHBBH", 0x45, 0, 40 + len(data), 0, 0, 64, 6, check) + ends

    pseudo = ends + struct.pack("!BBH", 0, 6, 20 + len(data))
    return ip(checksum(ip(0))) + tcp(checksum(pseudo + tcp(0)))
