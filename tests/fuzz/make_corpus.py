#!/usr/bin/python3
"""Writes the seeds of fuzz_decode_PROTOCOL into corpus/decode_PROTOCOL/ beside this script. They are kept in the tree; run it again
after a change of the head of fuzz_decode.c. It knows the wire frames from docs/devices, not from the code."""
import pathlib
import struct
import zlib

NATIVE_BYTES, NATIVE_BODIES, CSV = 0, 1, 0


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


def platform(us, *cells):
    return b"\xff" * 4 + struct.pack("<I4h", us % 2**32, *cells)


BANNER = b"\r\nSerial Load Cell Converter version 1.2\r\nReadings:\r\n"


def device_seeds():
    openscale = b"".join(b"%d,%.4f,lbs,\r\n" % (100 * i, i / 7) for i in range(8))
    yield "openscale", "banner", BANNER + openscale
    yield "openscale", "all_columns", b"\n" + b"".join(b"%d,%.2f,kg,8388608,23.50,0,\r\n" % (2**32 - 300 + 100 * i, -i) for i in range(3)) + BANNER + b"5,1,kg,\r\n"
    chronojump = b"".join(b"%d;%.2f\r\n" % (11428 * i, i * 3.3) for i in range(8))
    yield "chronojump", "dialogue", b"\xff\x00Force_Sensor-0.6\r\nStarting capture...\r\n" + chronojump + b"91500;R\r\n92000;r\r\n102852;1,5\r\n"
    yield "chronojump", "wrap", b"\n4294960000;1\r\n4294967000;2\r\n4000;3\r\n900000;4\r\n15000;5\r\n26000;6\r\nStarting capture...\r\n0;7\r\n"
    packets = b"".join(platform(4000 * i, i, -1, -1, -i) for i in range(9))
    yield "chronojump-platform", "dialogue", b"Force_Platform-0.1\r\nStarting capture...\r\n" + packets
    yield "chronojump-platform", "rivals", b"".join(platform(2**32 - 9000 + 4000 * i, -1, -1, 10 * i, 0) for i in range(14))[5:]
    yield "chronojump-platform", "damaged", packets[:37] + packets[39:70] + b"\xff\xff" + packets[70:97] + b"\0" + packets[98:]
    sics = b"".join(b"S D %10.1f g\r\n" % (i * 100.5) for i in range(6))
    yield "sics", "dialogue", b'I4 A "0123456789"\r\n' + sics + b"S I\r\nS +\r\nS -\r\nES\r\nS S 1,25 kg\r\nS S 2 lb\r\n"
    for name, content in (("openscale", BANNER + openscale), ("chronojump", b"Force_Sensor-0.4\r\n" + chronojump), ("sics", b"\n" + sics)):
        yield "auto", name, content
    yield "auto", "platform", packets
    yield "auto", "native", b"\0" + packet(hello(1)) + b"".join(packet(data(1, 2, 2 * i, 2000 * i)) for i in range(4))


def main():
    corpus = pathlib.Path(__file__).parent / "corpus"
    named = [(name.split("_")[0].replace("bodies", "native"), name, content) for name, content in seeds()]
    named += [(protocol, name, head(0, 4 if name == "platform" or "platform" in protocol else 1) + content) for protocol, name, content in device_seeds()]
    for protocol, name, content in named:
        out = corpus / f"decode_{protocol}"
        out.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)


if __name__ == "__main__":
    main()
