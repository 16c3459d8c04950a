#!/usr/bin/python3
"""Writes the seeds of fuzz_wire into corpus/wire/ beside this script. They are kept in the tree; run it again after a change of
fuzz_wire.c."""
import pathlib
import struct

BEGIN, MARK, END, BYTES, PORT, ABSENT = 1, 6, 11, 33, 34, 35


def free(kind, payload=b"", plate=0, later=1):
    return struct.pack("<BBHBB", kind - 1, plate, len(payload), later, 0) + payload


def lines(first, n):
    return b"".join(b"%d\r\n" % (100 + (k * 37) % 400) for k in range(first, first + n))


seeds = {
    "lines": b"\1" + b"".join(free(BYTES, lines(8 * k, 8), later=10) for k in range(40)) + free(END),
    "unplugged": b"\1" + free(PORT, b"\1") + free(BYTES, lines(0, 20)) + free(PORT, b"\0") + free(ABSENT) + free(PORT, b"\1") + free(BYTES, lines(0, 9), later=99),
    "two_recordings": b"\1" + free(BYTES, lines(0, 5)) + free(END) + free(BYTES, lines(5, 5)) + free(MARK, struct.pack("<d", 0.1) + bytes(40)),
    "head": b"\0PLDWIRE\0" + struct.pack("<III", 1, 0, 0) + bytes(492),
}
folder = pathlib.Path(__file__).parent / "corpus" / "wire"
folder.mkdir(parents=True, exist_ok=True)
for name, data in seeds.items():
    (folder / name).write_bytes(data)
