"""The pictures of scripts/plot-detector: force, the detector's phases as colours, the truth as marks."""
import argparse
import csv
import json
import math
import os
import re
import subprocess
import sys
import tempfile

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

import bench_detector

COLOUR = {"drive": "#f4a261", "hold": "#8ecae6", "lower": "#b7d7a8", "unknown": "#d9d9d9"}
TRUTH = {"onset_s": "#d00000", "bottom_s": "#f77f00", "top_s": "#5a189a", "descent_s": "#1d6fd0", "end_s": "#222222"}
RATE_HZ, SHOWN = 250, 2
PLAIN = ("nothing", "tare", "rate", "step", "hum")


def usage(text):
    print(f"plot-detector: {text}", file=sys.stderr)
    sys.exit(2)


def run(bin_dir, cell, seed):
    """(the set as bench_detector says it, {plate: (t, true, measured)}) of a cell VARIATION@RATE#SET."""
    parts = re.fullmatch(r"(.+)@([0-9.]+)#([0-9]+)", cell)
    if not parts:
        usage(f"--cell: {cell} is not VARIATION@RATE#SET: take it from scripts/bench-detector --failures")
    name, rate, k = parts.groups()
    with tempfile.TemporaryDirectory() as work:
        dump = os.path.join(work, "dump.csv")
        done = subprocess.run([os.path.join(bin_dir, "bench_detector"), name, rate, "--set", k, str(seed), "--dump", dump],
                              capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"plot-detector: {cell}: {done.stderr.strip()}")
        force = {}
        with open(dump) as f:
            for plate, t, true, measured in csv.reader(f):
                for column, v in zip(force.setdefault(plate, ([], [], [])), (t, true, measured)):
                    column.append(float(v))
    return next(bench_detector.read_sets(done.stdout.splitlines())), force


def phases_of(rep):
    """(name, from, to) of a rep as its columns say it; movements that go down first lower, then drive."""
    onset, top, descent, end = (rep[k] for k in ("onset_s", "top_s", "descent_s", "end_s"))
    if top is None and descent is None:
        return [("unknown", onset, end)]
    if top is None:
        return [("unknown", onset, descent), ("lower", descent, end)]
    if descent is None:
        return [("drive", onset, top), ("unknown", top, end)]
    if descent <= onset and rep.get("concentric_s") is not None:
        bottom = top - rep["concentric_s"]
        return [("lower", onset, bottom), ("drive", bottom, top), ("unknown", top, end)]
    return [("drive", onset, top), ("hold", top, descent), ("lower", descent, end)]


def panel(axis, s, plate, force, span):
    t, true, measured = force
    low, high = span
    keep = [i for i, x in enumerate(t) if low <= x <= high]
    step = max(1, len(keep) // 3000)
    keep = keep[::step]
    axis.plot([t[i] for i in keep], [measured[i] for i in keep], color="#999999", lw=0.5)
    axis.plot([t[i] for i in keep], [true[i] for i in keep], color="#111111", lw=0.8)
    for r in s["rep"]:
        if r["plate"] != plate or r["end_s"] < low or r["onset_s"] > high:
            continue
        for name, a, b in phases_of(r):
            axis.axvspan(a, b, color=COLOUR[name], lw=0, alpha=0.75)
        axis.plot(r["t_s"], 0.97, "v", color="#333333", ms=3, transform=axis.get_xaxis_transform())
    for x in s["truth"]:
        if x["plate"] != plate or x["end_s"] < low or x["onset_s"] > high:
            continue
        if x["kind"] != "rep":
            axis.axvspan(x["onset_s"], x["end_s"], ymin=0, ymax=0.04, color="#d00000")
            axis.text(x["onset_s"], 0.05, x["kind"], fontsize=5, color="#d00000", transform=axis.get_xaxis_transform())
            continue
        for key, colour in TRUTH.items():
            if x.get(key) is not None:
                axis.plot([x[key]] * 2, [0, 0.09], color=colour, lw=1.4, transform=axis.get_xaxis_transform())
    for g in s["gap"]:
        axis.axvline(g["t_s"], color="#d00000", lw=0.6, ls=":")
    axis.set_xlim(low, high)
    axis.tick_params(labelsize=6, length=2)
    axis.margins(y=0.12)


def legend(figure):
    handles = [Patch(color=COLOUR[k], label=f"detected: {k}") for k in ("drive", "hold", "lower")]
    handles.append(Patch(color=COLOUR["unknown"], label="detected, phases not told"))
    handles += [Line2D([], [], color=c, lw=1.6, label=f"truth: {k[:-2]}") for k, c in TRUTH.items()]
    handles.append(Line2D([], [], color="#333333", marker="v", ls="", ms=4, label="`rep` said"))
    figure.legend(handles=handles, loc="lower center", ncol=5, fontsize=7, frameon=False)


def span_of(truths):
    some = truths[1:1 + SHOWN] if len(truths) > SHOWN else truths[:SHOWN]
    return some[0]["onset_s"] - 1.0, some[-1]["end_s"] + 1.0


def save(figure, path):
    figure.savefig(path, dpi=110, metadata={"Software": None} if path.endswith(".png") else None)
    plt.close(figure)
    print(path)


def plain_cell(bin_dir, name, seed):
    """The first set of a variation in which nothing but the exercise happens."""
    for k in range(100):
        cell = f"{name}@{RATE_HZ}#{k}"
        s, force = run(bin_dir, cell, seed)
        special = [x for x in bench_detector.labels_of(s["set"]) if x not in PLAIN and not x.startswith("profile")]
        if not special and not s["gap"]:
            return s, force
    raise SystemExit(f"plot-detector: {name}: no plain set among 100: try another --seed")


def small_multiples(bin_dir, names, seed, path, columns=5):
    rows, width = math.ceil(len(names) / columns), 1.3
    figure, axes = plt.subplots(rows, columns, figsize=(2.4 * columns, width * rows + 0.7), squeeze=False)
    for axis in axes.flat[len(names):]:
        axis.axis("off")
    for axis, name in zip(axes.flat, names):
        s, force = plain_cell(bin_dir, name, seed)
        plate = next(iter(force))
        truths = sorted((t for t in s["truth"] if t["plate"] == plate and t["kind"] == "rep"), key=lambda t: t["onset_s"])
        panel(axis, s, plate, force[plate], span_of(truths))
        axis.set_title(name.replace("single_leg_hip_thrust/", "") + ("" if len(force) == 1 else ", left plate"), fontsize=7, pad=2)
        axis.set_yticks([])
    figure.supxlabel("force over time in s", fontsize=8, y=0.42 / (width * rows + 0.7))
    legend(figure)
    figure.tight_layout(rect=(0, 0.42 / (width * rows + 0.7), 1, 1), h_pad=0.3, w_pad=0.3)
    save(figure, path)


def one_cell(a):
    s, force = run(a.bin, a.cell, a.seed)
    figure, axes = plt.subplots(len(force), 1, figsize=(14, 3.2 * len(force) + 0.6), squeeze=False)
    for axis, (plate, f) in zip(axes.flat, force.items()):
        panel(axis, s, plate, f, (a.at - 6, a.at + 6) if a.at is not None else (f[0][0], f[0][-1]))
        axis.set_ylabel(f"{plate}, N", fontsize=8)
    axes.flat[0].set_title(f"{a.cell}  seed {a.seed}  " + ", ".join(f"{k} {v:g}" for k, v in s["set"].items()
                                                                    if isinstance(v, (int, float)) and k not in ("k", "seconds")), fontsize=7)
    legend(figure)
    figure.tight_layout(rect=(0, 0.12 / len(force), 1, 1))
    save(figure, a.output)


def main():
    p = argparse.ArgumentParser(prog="plot-detector")
    p.add_argument("--bin", required=True)
    p.add_argument("--cell")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--at", type=float)
    p.add_argument("-o", dest="output")
    a = p.parse_args()
    if a.cell:
        if not a.output:
            usage("-o: which file to write is not said: give -o FILE.png")
        one_cell(a)
        return 0
    folder = a.output or "docs/img"
    os.makedirs(folder, exist_ok=True)
    listed = subprocess.check_output([os.path.join(a.bin, "bench_detector"), "--list"], text=True).splitlines()
    names = [x["name"] for x in map(json.loads, listed) if x["group"] == "grid"]
    single = [n for n in names if n.startswith("single_leg_hip_thrust/")]
    others = [n for n in names if n not in single and not n.startswith("generic/") and not n.endswith("_plates")]
    small_multiples(a.bin, single, a.seed, os.path.join(folder, "detector-single-leg.png"))
    small_multiples(a.bin, others, a.seed, os.path.join(folder, "detector-others.png"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
