#!/usr/bin/python3
"""Scores the detector: judge.py [dev|held|DIR] [--bin DIR] [--only SUBSTRING] [--failures] [--json OUT] ; judge.py --plot NAME OUT.png [FROM TO]"""
import argparse
import csv
import glob
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(ROOT, "build", "judge")  # where gen.py puts the recordings
BIN = os.path.join(ROOT, "build", "dev", "bin")


def run(cmd, tries=8):
    for k in range(tries):                                 # the binary may be in the middle of a rebuild
        try:
            r = subprocess.run(cmd, capture_output=True, text=True, timeout=120)
            if r.returncode in (126, 127) or r.returncode < 0 and k < 1:
                raise OSError
            return r
        except (OSError, FileNotFoundError):
            time.sleep(2)
    sys.exit("judge: %s: cannot run, build it" % cmd[0])


def truth_of(base):
    rows = []
    for r in csv.DictReader(open(base + ".truth.csv")):
        for k in ("onset_s", "top_s", "descent_s", "end_s", "drive_s", "hold_len_s"):
            r[k] = float(r[k]) if r[k] else None
        r["set"] = int(r["set"])
        rows.append(r)
    return rows


def detect(base, bindir, tmp):
    h5 = os.path.join(tmp, os.path.basename(base) + ".h5")
    pt = os.path.join(bindir, "plate-trace")
    r = run([pt, "import", base + ".csv", "-o", h5, "--marks", base + ".marks.csv", "--force"])
    if r.returncode:
        return None, None, "import: " + r.stderr.strip().splitlines()[-1]
    r = run([pt, "reps", h5, "--all"])
    os.unlink(h5)
    if r.returncode:
        return None, None, "reps: " + (r.stderr.strip().splitlines() or ["?"])[-1]
    reps, phases = [], []
    for line in r.stdout.splitlines():
        topic, body = line.split(" ", 1)
        if topic.startswith("rep"):
            reps.append(json.loads(body))
        elif topic.startswith("phase"):
            phases.append(json.loads(body))
    return reps, phases, None


def match(truth, reps):
    """One to one, by overlap of more than half of the shorter; the closest pairs first."""
    pairs = []
    for i, a in enumerate(truth):
        for j, b in enumerate(reps):
            if a["plate"] != b["plate"]:
                continue
            o = min(a["end_s"], b["end_s"]) - max(a["onset_s"], b["onset_s"])
            sh = min(a["end_s"] - a["onset_s"], b["end_s"] - b["onset_s"])
            if sh > 0 and o > 0.5 * sh:
                pairs.append((o / (max(a["end_s"], b["end_s"]) - min(a["onset_s"], b["onset_s"])), i, j))
    mi, mj = {}, set()
    for o, i, j in sorted(pairs, reverse=True):
        if i not in mi and j not in mj:
            mi[i] = j
            mj.add(j)
    return mi, [j for j in range(len(reps)) if j not in mj]


def judge_one(args):
    base, bindir, tmp = args
    meta, truth = json.load(open(base + ".json")), truth_of(base)
    reps, phases, err = detect(base, bindir, tmp)
    if err:
        return dict(meta=meta, error=err, truth=truth, rows=[], missed=truth, false=[], wrong=[])
    mi, fj = match(truth, reps)
    rows, wrong = [], []
    for i, j in mi.items():
        a, b = truth[i], reps[j]
        e = {}
        for k in ("onset_s", "top_s", "descent_s", "end_s"):
            e[k] = None if a[k] is None else (float("nan") if b.get(k) is None else b[k] - a[k])
        lo, hi = a["onset_s"] - 0.2, max(a["onset_s"] + 0.3, a["top_s"] or a["onset_s"] + 1.5)
        first = "lower" if a["exercise"] in ("squat", "squat_jump") else "drive"
        ph = [p["t_s"] for p in phases if p["plate"] == a["plate"] and p["phase"] == first and lo <= p["t_s"] <= hi]
        e["drive_lat"] = ph[0] - a["onset_s"] if ph else float("nan")
        e["rep_lat"] = b["t_s"] - a["end_s"]
        rows.append((a, b, e))
        if (a["side"] not in ("none", "") and b["side"] != a["side"]) or b["set"] != a["set"]:
            wrong.append((a["onset_s"], "set/side %s/%s, is %s/%s" % (b["set"], b["side"], a["set"], a["side"])))
    return dict(meta=meta, error=None, truth=truth, rows=rows, missed=[a for i, a in enumerate(truth) if i not in mi],
                false=[reps[j] for j in fj], wrong=wrong)


def stat(v, scale=1000):
    v = np.array([x for x in v if x is not None and np.isfinite(x)])
    return "    -      " if v.size == 0 else "%5.0f/%-5.0f" % (np.median(np.abs(v)) * scale, np.percentile(np.abs(v), 95) * scale)


def nulls(v):
    v = [x for x in v if x is not None]
    return " -" if not v else "%3.0f" % (100 * np.mean([not np.isfinite(x) for x in v]))


def table(results, key, title):
    g = defaultdict(list)
    for r in results:
        g[key(r)].append(r)
    print("\n%-34s %4s %5s %5s %5s %5s %6s | %11s %11s %3s %11s %3s %11s | %9s %9s   (ms, |median|/p95; null %%)" %
          (title, "recs", "reps", "found", "miss", "false", "F1", "onset", "top", "nul", "descent", "nul", "end", "drive lat", "rep lat"))
    for k in sorted(g) + ["all"]:
        rs = results if k == "all" else g[k]
        rows = [x for r in rs for x in r["rows"]]
        n, tp = sum(len(r["truth"]) for r in rs), len(rows)
        fn, fp = n - tp, sum(len(r["false"]) for r in rs)
        f1 = 1.0 if n + fp == 0 else 2 * tp / max(1, 2 * tp + fp + fn)
        col = lambda c: [e[c] for _, _, e in rows]
        print("%-34s %4d %5d %5d %5d %5d %6.4f | %s %s %s %s %s %s | %s %s" % (k, len(rs), n, tp, fn, fp, f1, stat(col("onset_s")), stat(col("top_s")),
              nulls(col("top_s")), stat(col("descent_s")), nulls(col("descent_s")), stat(col("end_s")), stat(col("drive_lat")), stat(col("rep_lat"))))


def criteria(results):
    """What is asked of the detector, on this set."""
    rows = [(r["meta"], a, b, e) for r in results for a, b, e in r["rows"]]
    p = lambda name, v, lim: print("  %-78s n %4d  %s  limit %s" % (name, len(v), stat(v), lim))
    thr = ("single_leg_hip_thrust", "paused", "tempo", "glute_bridge", "two_up_one_down", "barbell_hip_thrust")
    p("onset: >= 250 Hz, noise <= 1 N, drive <= 0.8 s, touch-down, hip thrusts", [e["onset_s"] for m, a, b, e in rows if m["rate"] >= 250 and m["noise"] <= 1
      and a["exercise"] in thr and a["drive_s"] <= 0.8 and a["turn"] in ("pause",)], "10/40")
    p("onset: >= 250 Hz, slower or noisier, hip thrusts", [e["onset_s"] for m, a, b, e in rows if m["rate"] >= 250 and a["exercise"] in thr and not (m["noise"] <= 1 and a["drive_s"] <= 0.8)], "stated")
    p("end: >= 250 Hz, hip thrusts, pause", [e["end_s"] for m, a, b, e in rows if m["rate"] >= 250 and a["exercise"] in thr and a["turn"] == "pause"], "20/80")
    q = [(a, e) for m, a, b, e in rows if a["exercise"] in thr and a["drive_s"] <= 1.2 and a["hold_len_s"] >= 0.3 and m["rate"] >= 80]
    p("top: drive <= 1.2 s, hold >= 0.3 s, >= 80 Hz (null %s %%)" % nulls([e["top_s"] for a, e in q]), [e["top_s"] for a, e in q], "80/300")
    p("descent: same (null %s %%)" % nulls([e["descent_s"] for a, e in q]), [e["descent_s"] for a, e in q], "80/300")
    q = [(a, e) for m, a, b, e in rows if a["exercise"] in thr and a["drive_s"] > 1.2]
    p("top: drive > 1.2 s (null %s %%)" % nulls([e["top_s"] for a, e in q]), [e["top_s"] for a, e in q], "null if unsure")
    p("drive phase live: >= 250 Hz, hip thrusts", [e["drive_lat"] for m, a, b, e in rows if m["rate"] >= 250 and a["exercise"] in thr], "60 median")
    p("rep live: touch-down (pause), hip thrusts >= 250 Hz", [e["rep_lat"] for m, a, b, e in rows if m["rate"] >= 250 and a["exercise"] in thr and a["turn"] == "pause"], "150")
    p("rep live: floating", [e["rep_lat"] for m, a, b, e in rows if m["rate"] >= 250 and a["turn"].startswith("float")], "stated")
    print("  sets or sides wrong: %d reps in %d recordings" % (sum(len(r["wrong"]) for r in results), sum(bool(r["wrong"]) for r in results)))


def plot(name, out, lo, hi, bindir):
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    base = name[:-4] if name.endswith(".csv") else name
    if not os.path.exists(base + ".csv"):
        base = next(os.path.join(HERE, d, name) for d in ("dev", "held") if os.path.exists(os.path.join(HERE, d, name + ".csv")))
    with tempfile.TemporaryDirectory() as tmp:
        reps, phases, err = detect(base, bindir, tmp)
    truth = truth_of(base)
    head = open(base + ".csv").readline().strip().split(",")
    A = np.loadtxt(base + ".csv", delimiter=",", skiprows=1)
    plates = {}
    for i, c in enumerate(head[1:], 1):
        plates.setdefault(c.rsplit(".", 1)[0] if "." in c else "plate", []).append(i)
    lo, hi = (A[0, 0], A[-1, 0]) if lo is None else (lo, hi)
    f, ax = plt.subplots(len(plates), 1, figsize=(18, 4.5 * len(plates)), squeeze=False, sharex=True)
    m = (A[:, 0] >= lo) & (A[:, 0] <= hi)
    for x, (p, cols) in zip(ax[:, 0], plates.items()):
        y = A[:, cols].sum(1)
        x.plot(A[m, 0], y[m], "k", lw=0.7, marker="." if m.sum() < 800 else None, ms=3)
        y0, y1 = np.percentile(y[m], [0.1, 99.9])
        for r in truth:
            if r["plate"] == p and r["end_s"] > lo and r["onset_s"] < hi:
                x.axvspan(r["onset_s"], r["end_s"], ymin=0.5, color="tab:green", alpha=0.15)
                for k, c in (("onset_s", "g"), ("top_s", "c"), ("descent_s", "m"), ("end_s", "r")):
                    if r[k] is not None:
                        x.axvline(r[k], ymin=0.5, color=c, lw=1)
        for r in reps or []:
            if r["plate"] == p and r["end_s"] > lo and r["onset_s"] < hi:
                x.axvspan(r["onset_s"], r["end_s"], ymax=0.5, color="tab:blue", alpha=0.15)
                for k, c in (("onset_s", "g"), ("top_s", "c"), ("descent_s", "m"), ("end_s", "r")):
                    if r[k] is not None:
                        x.axvline(r[k], ymax=0.5, color=c, lw=1, ls="--")
        for q in phases or []:
            if q["plate"] == p and lo <= q["t_s"] <= hi:
                x.text(q["t_s"], y0, q["phase"][0], fontsize=7, color="tab:blue", clip_on=True)
        x.set_ylabel(p + " N")
        x.set_xlim(lo, hi)
    ax[0, 0].set_title("%s  truth above, detected below; onset green, top cyan, descent magenta, end red  %s" % (os.path.basename(base), err or ""))
    f.tight_layout()
    f.savefig(out, dpi=60)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("which", nargs="?", default="dev")
    ap.add_argument("--bin", default=BIN)
    ap.add_argument("--only", default="")
    ap.add_argument("--failures", action="store_true")
    ap.add_argument("--totals", action="store_true", help="only the table by rate class and the criteria")
    ap.add_argument("--json")
    ap.add_argument("--plot", nargs="+", metavar="NAME OUT [FROM TO]")
    a = ap.parse_args()
    if a.plot:
        lo, hi = (float(a.plot[2]), float(a.plot[3])) if len(a.plot) > 3 else (None, None)
        return plot(a.plot[0], a.plot[1], lo, hi, a.bin)
    d = a.which if os.path.isdir(a.which) else os.path.join(HERE, a.which)
    bases = sorted(p[:-5] for p in glob.glob(os.path.join(d, "*.json")) if a.only in os.path.basename(p))
    if not bases:
        sys.exit("judge: %s: no recordings, run gen.py" % d)
    t0 = time.time()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as tmp, ThreadPoolExecutor(2) as ex:
        res = list(ex.map(judge_one, [(b, a.bin, tmp) for b in bases]))
    if not a.totals:
        table(res, lambda r: "%-24s %s" % (r["meta"]["family"], r["meta"]["rate_class"]), "family x rate class")
    table(res, lambda r: r["meta"]["family"], "family")
    table(res, lambda r: r["meta"]["rate_class"], "rate class")
    criteria(res)
    bad = [r for r in res if r["error"]]
    print("  errors of the tools: %d%s" % (len(bad), "".join("\n    %s: %s" % (r["meta"]["name"], r["error"]) for r in bad)))
    if a.failures:
        print("\nfailures: recording plate time kind")
        for r in res:
            for x in r["missed"]:
                print("%-30s %-6s %9.3f missed (%.2f s, turn %s) %g Hz noise %.1f" % (r["meta"]["name"], x["plate"], x["onset_s"], x["end_s"] - x["onset_s"], x["turn"], r["meta"]["rate"], r["meta"]["noise"]))
            for x in r["false"]:
                print("%-30s %-6s %9.3f false (%.2f s)" % (r["meta"]["name"], x["plate"], x["onset_s"], x["end_s"] - x["onset_s"]))
            for x in r["wrong"]:
                print("%-30s %9.3f %s" % (r["meta"]["name"], x[0], x[1]))
    if a.json:
        json.dump([dict(name=r["meta"]["name"], family=r["meta"]["family"], rate=r["meta"]["rate"], reps=len(r["truth"]), missed=[x["onset_s"] for x in r["missed"]],
                        false=[x["onset_s"] for x in r["false"]], err=[dict(e, at_s=a["onset_s"]) for a, _, e in r["rows"]]) for r in res], open(a.json, "w"))
    print("%d recordings, %.0f s" % (len(res), time.time() - t0))


if __name__ == "__main__":
    main()
