#!/usr/bin/python3
"""Writes the seeds of fuzz_journal into corpus/journal/ beside this script. They are kept in the tree; run it again
after a change of fuzz_journal.c. It knows the framing from docs/archive.md, not from record.h."""
import json
import pathlib
import struct
import zlib

JOURNAL, RING, JSON, SEAL = range(4)
BEGIN, BLOCK, CLOCK, GAP, CALIBRATION, MARK, REP, SET, ASYMMETRY, SESSION, END = range(1, 12)


def record(kind, payload, lsn, sample=0, plate=0):
    rest = struct.pack("<HHIQQd", kind, plate, len(payload), lsn, sample, 0.0)
    return struct.pack("<II", 0x44524C50, zlib.crc32(payload, zlib.crc32(rest))) + rest + payload + bytes(-len(payload) % 8)


def free(kind, payload=b"", sample=0, plate=0, back=0):
    """A record as the sealing mode takes it: header and size are made by the harness."""
    return bytes([kind, plate, back, 8]) + struct.pack("<Qd", sample, 0.25) + payload


def recording():
    plate = {"name": "left", "device": "d", "device_serial": "", "protocol": "csv", "rate_Hz": 80, "tick_s": None,
             "count_scale": 1.0, "cells": [{"name": "force", "x_mm": None, "y_mm": 1.5}]}
    return json.dumps({"name": "n", "station": "s", "session": "x", "software": "p", "ring": "", "created_utc_ns": 1,
                       "started_host_ns": 2, "config": "a: 1\n", "plates": [plate]}).encode()


def seeds():
    whole = record(BEGIN, recording(), 1) + record(BLOCK, bytes(64), 2) + record(GAP, struct.pack("<QQIB3x", 4, 2, 1, 1), 3, 4)
    yield "journal_whole", bytes([JOURNAL, 2]) + whole[1:]
    yield "journal_torn", bytes([JOURNAL]) + whole[:-11]
    yield "journal_damaged", bytes([JOURNAL]) + whole[:60] + b"?" + whole[61:]
    yield "ring_head", bytes([RING, 1]) + struct.pack("<QQ", 8192, 5).ljust(48, b"\0") + struct.pack("<Q", 512)
    yield "ring_data", bytes([RING, 2, 6]) + whole
    yield "ring_filler", bytes([RING, 2, 8]) + b"FILL" * 20
    yield "json", bytes([JSON]) + recording()
    yield "seal_plain", bytes([SEAL]) + free(CLOCK, struct.pack("<QddQqq", 0, 0.0, 1e-3, 0, 0, 0)) + free(BLOCK, bytes(64)) + free(
        GAP, struct.pack("<QQIB3x", 4, 2, 1, 1)) + free(BLOCK, bytes(64), 6) + free(BLOCK, bytes(64), 40, 1) + free(END, struct.pack("<QQ", 20, 99))
    yield "seal_overlap", bytes([SEAL]) + b"".join(free(BLOCK, bytes(range(64)), s) for s in (9, 0, 2, 11, 5))
    yield "seal_events", bytes([SEAL]) + b"".join(free(k, bytes(64), 3) for k in (MARK, SESSION, CALIBRATION, SET, REP, ASYMMETRY))
    yield "seal_mark_of_digest", bytes([SEAL]) + free(MARK, bytes(8) + b"digest".ljust(56, b"\0"))


def main():
    out = pathlib.Path(__file__).parent / "corpus" / "journal"
    out.mkdir(parents=True, exist_ok=True)
    for name, content in seeds():
        (out / name).write_bytes(content)


if __name__ == "__main__":
    main()
