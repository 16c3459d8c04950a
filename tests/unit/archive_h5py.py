#!/usr/bin/python3
"""Reads archives with h5py and nothing of ours: archive_h5py.py ARCHIVE_SAMPLE. Exit 0, or 1 and what differs."""
import hashlib
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np

ROWS, SPAN = 90, 120
TABLES = ["calibrations", "session", "marks", "reps", "findings", "sets", "asymmetry", "imbalance", "corrections"]


def text(value):
    return bytes(value).split(b"\0")[0].decode()


def same(got, want, what):
    if not (got == want):
        raise AssertionError(f"{what}: {got!r}, not {want!r}")


def check_root(f, sealed):
    for name, want in [("format", "plated-trace"), ("station", "bench"), ("session", "2023-11-14T22-13-20"),
                       ("software", "plated 0.1.0"), ("created_utc", "2023-11-14T22:13:20.123456789Z"),
                       ("config", "station: bench\nplates: [] # µ\n"), ("ring", "")]:
        same(text(f.attrs[name]), want, f"@{name}")
    same(int(f.attrs["format_version"]), 1, "@format_version")
    same(int(f.attrs["started_host_ns"]), 5_000_000_000, "@started_host_ns")
    same(int(f.attrs["sealed"]), int(sealed), "@sealed")
    same(len(text(f.attrs["digest"])), 64 if sealed else 0, "@digest")
    same(sorted(f), sorted(TABLES + ["plates"]), "the root")


def count(plate, sample, cell):
    return -2**31 if sample == 7 else (sample * 8 + cell) * (-1 if plate else 1)


def check_plates(f):
    for index, (name, cells) in enumerate([("left", 4), ("right", 1)]):
        g = f["plates"][name]
        same(int(g.attrs["index"]), index, "@index")
        same((float(g.attrs["rate_Hz"]), float(g.attrs["tick_s"]), float(g.attrs["count_scale"])), (1000.0, 1e-6, 0.5), "numbers")
        same(len(text(g.attrs["cell_layout"]).split()), cells, "@cell_layout")
        same(g.attrs["cell_positions_mm"].shape, (cells, 2), "@cell_positions_mm")
        same(g["counts"].shape, (ROWS, cells), "counts")
        same(g["counts"].dtype, np.dtype("<i4"), "counts")
        gap, clock, counts = g["gaps"][:], g["clock"][:], g["counts"][:]
        same([text(r) for r in gap["reason"]], ["sequence" if index else "unplug"], "reason")
        same(gap["estimated"].tolist(), [int(not index)], "estimated")
        same(int(ROWS + gap["count"].sum()), SPAN, "rows + missing")
        # the recipe of docs/archive.md: a row's sample number, then its time
        rows = np.arange(ROWS)
        missing = np.concatenate([[0], np.cumsum(gap["count"])])
        sample = rows + missing[np.searchsorted(gap["row"], rows, side="right")].astype(int)
        want = [[count(index, int(s), c) for c in range(cells)] for s in sample]
        same(counts.tolist(), want, f"{name}: counts")
        knot = clock[np.searchsorted(clock["sample"], sample, side="right") - 1]
        t_s = knot["t_s"] + (sample - knot["sample"].astype(int)) * knot["period_s"]
        same(bool(np.all(np.diff(t_s) > 0)), True, "t_s rises")
        if index == 0:
            same((sample[50], round(t_s[50], 9), round(t_s[51], 9)), (80, 0.08, 0.081001), "after the gap")
    same(text(f["plates/left"].attrs["cell_layout"]), "front_left front_right back_left back_right", "@cell_layout")
    same(f["plates/left"].attrs["cell_positions_mm"].tolist(), [[-150, 200], [150, 200], [-150, -200], [150, -200]], "positions")
    same(bool(np.isnan(f["plates/right"].attrs["cell_positions_mm"]).all()), True, "unknown positions are NaN")


def check_tables(f):
    datasets = [f[t] for t in TABLES] + [f["plates"][p][t] for p in f["plates"] for t in ("clock", "gaps")]
    for d in datasets:
        columns = d.dtype.names
        same(len(d.attrs["units"]), len(columns), f"{d.name}@units")
        same(len(d.attrs["description"]), len(columns), f"{d.name}@description")
        for column, unit, what in zip(columns, d.attrs["units"], d.attrs["description"]):
            same(bool(text(what)), True, f"{d.name}.{column}: is described")
            if d.dtype[column].kind == "f" and column.endswith("_s"):
                same(text(unit)[:3], "N/s" if column.endswith("N_per_s") else "s", f"{d.name}.{column}: its unit")
            # fixed length all through: h5py has neither objects nor references here
            same(d.dtype[column].hasobject, False, f"{d.name}.{column}")
    rep = f["reps"][0]
    same((text(rep["plate"]), text(rep["side"]), text(rep["exercise"])), ("left", "left", "squat"), "a rep's words")
    same((float(rep["t_s"]), float(rep["peak_force_N"]), int(rep["warmup"])), (0.1, 812.5, 1), "a rep's numbers")
    same(bool(np.isnan(rep["rfd_0_50_N_per_s"])), True, "null is NaN")
    same([(text(r["name"]), float(r["value"])) for r in f["findings"]], [("bounce", 0.1), ("short_hold", 0.5)], "findings")
    same(text(f["sets"][0]["ended_by"]), "stop", "ended_by")
    row = f["asymmetry"][0]
    same((text(row["verdict"]), text(row["mode"]), float(row["value_pct"])), ("left_weaker", "bilateral", -12.5), "asymmetry")
    cal = f["calibrations"][0]
    same((cal["tare"].shape, cal["matrix"].shape), ((8,), (6, 8)), "calibration")
    same((text(cal["plate"]), text(cal["who"]), float(cal["tare"][0]), float(cal["matrix"][0][0])), ("left", "Zoë", 1.25, 0.75), "calibration")
    same(int(cal["when_utc_ns"]), 1700000000123456789, "64 bits")
    mark = f["marks"][0]
    same((text(mark["kind"]), text(mark["value"]), int(mark["sample"])), ("side", "left", 10), "a mark")


def digest(f):
    """The recipe of docs/archive.md, in other words than those of the writer."""
    sha = hashlib.sha256()

    def add(name, obj):
        sha.update(name.encode() + b"\0")
        for a in sorted(obj.attrs):
            if a == "digest":
                continue
            attr = obj.attrs.get_id(a)
            value = np.empty(attr.shape, attr.dtype)
            attr.read(value)
            sha.update(a.encode() + b"\0" + value.tobytes())
        if isinstance(obj, h5py.Dataset):
            sha.update(obj[:int(obj.attrs["sealed_rows"])].tobytes())

    def walk(prefix, group):
        for name in sorted(group):
            add(prefix + name, group[name])
            if isinstance(group[name], h5py.Group):
                walk(prefix + name + "/", group[name])

    add(".", f)
    walk("", f)
    return sha.hexdigest()


def check_filters(f, sealed):
    def visit(_, obj):
        if isinstance(obj, h5py.Dataset):
            same((obj.shuffle, obj.compression, obj.fletcher32), (sealed, "gzip" if sealed else None, sealed), obj.name)
            same(obj.maxshape[0], None, f"{obj.name}: grows")
    f.visititems(visit)


def main():
    if len(sys.argv) != 2:
        print("usage: archive_h5py.py ARCHIVE_SAMPLE", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("sealed", "live"):
            path = os.path.join(folder, kind + ".h5")
            subprocess.run([sys.argv[1], kind, path], check=True)
            with h5py.File(path, "r", swmr=kind == "live") as f:
                try:
                    check_root(f, kind == "sealed")
                    check_plates(f)
                    check_tables(f)
                    check_filters(f, kind == "sealed")
                    if kind == "sealed":
                        same(text(f.attrs["digest"]), digest(f), "the digest")
                        same([int(f["plates"][p].attrs["span"]) for p in ("left", "right")], [SPAN, SPAN], "@span")
                except AssertionError as e:
                    print(f"archive_h5py.py: {kind}: {e}")
                    return 1
    print("archive_h5py.py: sealed and live read alike")
    return 0


if __name__ == "__main__":
    sys.exit(main())
