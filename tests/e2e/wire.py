"""A reader of captures (docs/capture.md) with nothing of ours in it."""
import struct, zlib
from collections import namedtuple

Record = namedtuple("Record", "type plate number sample t_s payload")
STATION, BYTES, PORT, ABSENT = 32, 33, 34, 35


def read(path):
    """The records of a .wire file, and how many bytes of it belong to none."""
    data = open(path, "rb").read()
    magic, version, _, crc = struct.unpack_from("<8sIII", data)
    if magic != b"PLDWIRE\0" or version != 1 or crc != zlib.crc32(data[20:512]):
        raise ValueError(f"{path}: not a capture of version 1")
    records, at, torn = [], 512, 0
    while at < len(data):
        head = data[at:at + 40]
        if len(head) == 40 and head[:4] == b"PLRD":
            crc, type_, plate, size, number, sample, t_s = struct.unpack_from("<IHHIQQd", head, 4)
            payload = data[at + 40:at + 40 + size]
            if len(payload) == size and zlib.crc32(head[8:] + payload) == crc:
                records.append(Record(type_, plate, number, sample, t_s, payload))
                at += 40 + (size + 7) // 8 * 8
                continue
        torn += min(8, len(data) - at)
        at += 8
    return records, torn
