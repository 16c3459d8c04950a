#!/usr/bin/python3
"""Writes the seeds of fuzz_decode into corpus/decode/ beside this script. They are kept in the tree; run it again
after a change of the head of fuzz_decode.c. It knows the wire frame from docs/devices/native.md, not from wire.h."""
import pathlib
import struct
import zlib

NATIVE_BYTES, NATIVE_BODIES, CSV = range(3)


def head(mode, cells, separator=0, decimal_comma=0, decimals=0, time_column=0, first_column=1, unit=0, time_bits=0, reset=0, split=7):
    return bytes([mode, (cells - 1) | separator << 3 | decimal_comma << 5, decimals | time_column << 3 | (first_column - 1) << 5,
                  unit | time_bits << 2, reset, split])


def packet(body):
    blocks = (body + struct.pack("<I", zlib.crc32(body))).split(b"\0")
    return b"".join(bytes([len(b) + 1]) + b for b in blocks) + b"\0"


def hello(cells, version=1):
    return struct.pack("<BBBBII32s32s", 1, version, cells, 0, 1000000, 250000, b"plate", b"SN-1")


def data(cells, samples, seq, us):
    counts = [(seq * 7919 + i * 104729) % 100000 - 50000 for i in range(cells * samples)]
    return struct.pack(f"<BBBBII{len(counts)}i", 2, cells, samples, 0, seq % 2**32, us % 2**32, *counts)


def bodies(*all_bodies):
    return b"".join(bytes([len(b)]) + b for b in all_bodies)


def seeds():
    stream = [hello(2)] + [data(2, 4, 4 * i, 4000 * i) for i in range(6)]
    wire = b"".join(map(packet, stream))
    yield "native_clean", head(NATIVE_BYTES, 2) + wire
    yield "native_middle_and_reset", head(NATIVE_BYTES, 2, reset=128) + wire[13:]
    yield "native_damaged", head(NATIVE_BYTES, 2) + wire[:120] + b"\xff" + wire[121:150] + wire[153:]
    yield "bodies_clean", head(NATIVE_BODIES, 2) + bodies(*stream)
    yield "bodies_wrap", head(NATIVE_BODIES, 1) + bodies(*[data(1, 8, 2**32 - 20 + 8 * i, 2**32 - 15000 + 8000 * i) for i in range(6)])
    yield "bodies_restart", head(NATIVE_BODIES, 1, reset=100) + bodies(
        data(1, 2, 900, 900000), data(1, 2, 902, 902000), data(1, 2, 0, 10), hello(1), data(1, 2, 0, 5), hello(1, 2), data(1, 2, 2, 9))
    yield "bodies_long_silence", head(NATIVE_BODIES, 1) + bodies(
        *[data(1, 8, 8 * i, 8000 * i) for i in range(3)], data(1, 8, 10**7, 10**10), data(1, 1, 10**7 + 8, 5))
    yield "csv_plain", head(CSV, 1) + b"banner\r\n1\r\n-22\r\n333\r\n# note\r\n\r\n2147483648\r\n4\r\n"
    yield "csv_time", head(CSV, 4, time_column=1, first_column=2, time_bits=32) + b"\n" + b"".join(
        b"%d,%d,%d,%d,%d\n" % ((2**32 - 3000 + 1000 * i) % 2**32, i, -i, 100 * i, 7) for i in range(8))
    yield "csv_restart", head(CSV, 1, time_column=1, first_column=2, unit=1) + b"\n50000,1\n50010,2\n3,3\n13,4\n900000,5\n23,6\n"
    yield "csv_decimal_comma", head(CSV, 2, 1, 1, 3, 1, 2, 2) + b"\n0,0125;12,5;-0,0005;kg;\n0,025;.;1\n0,0375;1,23456;7\n"
    yield "csv_blanks", head(CSV, 2, separator=3, decimals=2, first_column=2) + b"\n a  1.005 \t 2\r\n b 3\r\n c 4 5 6\n c 4 5 6\n"
    yield "csv_long_line", head(CSV, 1) + b"\n" + b"0" * 600 + b"\n5\n" + b"0" * 511 + b"9\n"


def main():
    out = pathlib.Path(__file__).parent / "corpus" / "decode"
    out.mkdir(parents=True, exist_ok=True)
    for name, content in seeds():
        (out / name).write_bytes(content)


if __name__ == "__main__":
    main()
