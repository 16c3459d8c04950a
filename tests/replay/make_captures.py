#!/usr/bin/python3
"""Writes the captures beside this script: PROTOCOL.CELLS.WHAT.log, the bytes of a port as it would have sent them, with what goes wrong on
real ones. No board was at hand: the bytes follow the makers' published firmware and docs/devices, and are made here without the
project's own encoders. They are kept in the tree; what the core makes of each is NAME.log.chk."""
import math, pathlib, random, struct, zlib

OUT = pathlib.Path(__file__).parent / "captures"
force_N = lambda k: 250 + 120 * math.sin(k / 7)


# ---- native ----

def packet(body):
    blocks = (body + struct.pack("<I", zlib.crc32(body))).split(b"\0")
    assert all(len(b) < 254 for b in blocks)
    return b"".join(bytes([len(b) + 1]) + b for b in blocks) + b"\0"


def hello(cells, name=b"left", version=1):
    return packet(struct.pack("<BBBBII32s32s", 1, version, cells, 0, 100000, 10000000, name, b"SN-0042"))


def native(seq, us, rows, edge=0):
    flat = [c for row in rows for c in row]
    return packet(struct.pack(f"<BBBBII{len(flat)}i", 2, len(rows[0]), len(rows), edge, seq % 2**32, us % 2**32, *flat))


def native_run(first, n, cells=4, per=5, us0=0, edges=()):
    rows = [[int(25 * force_N(k)) + i for i in range(cells)] for k in range(first, first + n)]
    for at in range(0, n, per):
        edge = next((1 + k - at | (64 if up else 0) for k, up in edges if at <= k < at + per), 0)
        yield native(first + at, us0 + 10000 * (first + at), rows[at:at + per], edge)


def native_captures():
    yield "native.4.start", b"\0\0\0" + hello(4) + b"".join(native_run(0, 60, edges=[(13, True), (31, False)]))
    whole = b"".join(native_run(500, 60))
    yield "native.4.joined_late_with_noise", whole[37:200] + bytes(random.Random(1).randbytes(40)) + whole[200:]
    yield "native.2.wrap", hello(2) + b"".join(native_run(2**32 - 30, 60, cells=2, us0=2**32 - 10000 * (2**32 - 30) - 150000))
    packets = list(native_run(0, 100, cells=1))
    yield "native.1.loss_and_restart", b"".join(packets[:6] + packets[9:12] + packets[10:14]) + hello(1) + b"".join(packets[:5])
    yield "native.1.another_version", hello(1, version=2) + b"".join(packets[:2]) + hello(1) + b"".join(packets[2:4])


# ---- lines ----

def lines(make, ks):
    return b"".join(make(k) for k in ks)


def csv_captures():
    row = lambda us: lambda k: b"%d,%d,%d\r\n" % (us(k) % 2**32, 100 * force_N(k), k)
    yield "csv.2.banner", b"HX711 demo\r\nt,left,right\r\n# tare done\r\n" + lines(row(lambda k: 12500 * k), range(50))
    yield "csv.2.noise", lines(row(lambda k: 12500 * k), range(20))[7:] + b"250000,12\xff3,4\r\n2625\x8000,1,1\r\n" + lines(row(lambda k: 12500 * k), range(22, 40))
    yield "csv.2.wrap", b"\n" + lines(row(lambda k: 2**32 - 200000 + 12500 * k), range(40))
    yield "csv.2.loss", b"\n" + lines(row(lambda k: 12500 * k), [*range(20), *range(26, 40)]) + b"500000,1" + lines(row(lambda k: 12500 * k), range(42, 60))


BANNER = (b"\r\nSerial Load Cell Converter version 1.2\r\nBy SparkFun Electronics\r\nNo remote sensor found\r\n"
          b"Minimum time between reports: 100\r\nPress x to bring up settings\r\nReadings:\r\n")


def openscale_captures():
    lbs = lambda k: b"%d,%.4f,lbs,\r\n" % (103 * k + 2210, force_N(k) / 4.4482216152605)
    yield "openscale.1.banner", b"\x00\xf8\xe0" + BANNER + lines(lbs, range(30))
    kg = lambda k: b"%.2f,kg,8388%03d,23.5,0,\r\n" % (force_N(k) / 9.80665, k)
    yield "openscale.1.noise", lines(kg, range(12))[5:] + b"12.\xc3\xff4,kg,8388013,23.5,0,\r\n25.1,k" + lines(kg, range(13, 30))
    wrap = lambda k: b"%d,%.4f,kg,\r\n" % ((2**32 - 900 + 100 * k) % 2**32, force_N(k) / 9.80665)
    yield "openscale.1.wrap", b"\r\n" + lines(wrap, range(30))
    yield "openscale.1.loss_and_menu", (b"\r\n" + lines(lbs, [*range(12), *range(19, 28)]) + b"\r\nSerial Load Cell Converter version 1.2\r\nSystem Configuration\r\n"
                                        b"1) Tare scale to zero [8647409]\r\n6) Change units of measure [lbs]\r\n>\n\rUnits set to kg\r\nx) Exit\r\n>Exiting\r\n"
                                        + lines(lambda k: b"%d,%.4f,kg,\r\n" % (103 * k + 2210, force_N(k) / 9.80665), range(70, 80)) + BANNER + lines(lbs, range(8)))


def chronojump_captures():
    n = lambda k: b"%d;%.2f\r\n" % (11428 * k % 2**32, force_N(k))
    yield "chronojump.1.dialogue", b"\xf0\x00\xffForce_Sensor-0.6\r\nStarting capture...\r\n" + lines(n, range(50))
    comma = lambda k: n(k).replace(b".", b",")
    yield "chronojump.1.noise_and_comma", lines(comma, range(20))[4:] + b"2285\xff0;3\xfe\r\nnan;1\r\n262844;nan\r\n" + lines(comma, range(24, 50))
    yield "chronojump.1.wrap", b"\r\n" + lines(lambda k: b"%d;%.2f\r\n" % ((2**32 - 250000 + 11428 * k) % 2**32, force_N(k)), range(50))
    yield "chronojump.1.loss_and_edges", (b"\r\n" + lines(n, range(15)) + b"163000;R\r\n" + lines(n, range(15, 22)) + b"263000;r\r\n"
                                          + lines(n, range(30, 40)) + b"Capture ended:8388\r\nStarting capture...\r\n" + lines(n, range(12)))


def sics_captures():
    g = lambda k: b"S %s %10.1f g\r\n" % (b"S" if k % 5 == 0 else b"D", force_N(k) / 0.00980665)
    yield "sics.1.dialogue", b'I4 A "B021002593"\r\n' + lines(g, range(30))
    yield "sics.1.noise", lines(g, range(10))[9:] + b"S D     2\xff00.0 g\r\nS S  1000.0\r\nES\r\n" + lines(g, range(10, 25))
    kg = lambda k: b"S D %10.4f kg\r\n" % (force_N(k) / 9.80665)
    yield "sics.1.overload_and_units", b"\r\n" + lines(g, range(8)) + b"S +\r\nS +\r\nS -\r\nS I\r\n" + lines(kg, range(8, 20))
    yield "sics.1.loss", b"\r\n" + lines(g, range(8)) + g(8)[:9] + g(13)[4:] + lines(g, range(14, 25))


# ---- chronojump-platform ----

def platform(us, *cells):
    return b"\xff" * 4 + struct.pack("<I4h", us % 2**32, *cells)


def platform_captures():
    p = lambda k, us0=0: platform(us0 + 4000 * k, int(force_N(k)), int(force_N(k)) // 2, -1, -1)
    intro = b"\xf8Force_Platform-0.1\r\nStarting capture...\r\n"
    yield "chronojump-platform.4.dialogue", intro + b"".join(p(k) for k in range(50))
    run = b"".join(p(k) for k in range(60))
    noise = random.Random(2).randbytes
    yield "chronojump-platform.4.noise", run[5:200] + noise(3) + run[200:420] + noise(17) + run[436:]
    yield "chronojump-platform.4.wrap", b"".join(p(k, 2**32 - 90000) for k in range(50))
    yield "chronojump-platform.4.loss", run[:163] + run[164:400] + run[480:701] + run[719:]
    empty = b"".join(platform(4000 * k, -1, -1, -1, -1) for k in range(30))
    yield "chronojump-platform.4.empty_plate", empty[9:] + intro + b"".join(platform(4000 * k, -1, -1, k, 0) for k in range(30))


def main():
    OUT.mkdir(exist_ok=True)
    for captures in (native_captures, csv_captures, openscale_captures, chronojump_captures, sics_captures, platform_captures):
        for name, content in captures():
            (OUT / f"{name}.log").write_bytes(content)


if __name__ == "__main__":
    main()
