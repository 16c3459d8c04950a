#!/usr/bin/python3
"""Contact sheet: sheet.py OUT.png SECONDS NAME[@FROM] ... : the first plate of each, truth above, detected below."""
import sys, tempfile
import numpy as np, matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
from judge import *
out, sec, names = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
f, ax = plt.subplots(len(names), 1, figsize=(20, 3.1 * len(names)), squeeze=False)
for x, nm in zip(ax[:, 0], names):
    nm, _, at = nm.partition("@")
    base = next(os.path.join(HERE, d, nm) for d in (os.environ.get("SET", "dev"), "held") if os.path.exists(os.path.join(HERE, d, nm + ".csv")))
    truth = truth_of(base)
    A = np.loadtxt(base + ".csv", delimiter=",", skiprows=1)
    head = open(base + ".csv").readline().strip().split(",")[1:]
    p = head[0].split(".")[0] if "." in head[0] else "plate"
    y = A[:, [i + 1 for i, c in enumerate(head) if p == "plate" or c.startswith(p)]].sum(1)
    with tempfile.TemporaryDirectory() as tmp:
        reps, _, err = detect(base, BIN, tmp)
    lo = float(at) if at else A[0, 0]; hi = lo + sec
    m = (A[:, 0] >= lo) & (A[:, 0] <= hi)
    x.plot(A[m, 0], y[m], "k", lw=0.8, marker="." if m.sum() < 500 else None, ms=3)
    for rs, k0, k1, ls in ((truth, 0.5, 1, "-"), (reps or [], 0, 0.5, "--")):
        for r in rs:
            if r["plate"] == p and r["end_s"] > lo and r["onset_s"] < hi:
                x.axvspan(r["onset_s"], r["end_s"], ymin=k0, ymax=k1, color="tab:green" if k0 else "tab:blue", alpha=0.13)
                for k, c in (("onset_s", "g"), ("top_s", "c"), ("descent_s", "m"), ("end_s", "r")):
                    if r[k] is not None: x.axvline(r[k], ymin=k0, ymax=k1, color=c, lw=1.2, ls=ls)
    me = json.load(open(base + ".json"))
    x.set_title("%s %g Hz noise %.1f %s" % (nm, me["rate"], me["noise"], {k: me[k] for k in ("turn", "style", "up", "down", "exercise", "kind") if k in me}), fontsize=9, pad=2)
    x.set_xlim(lo, hi)
f.tight_layout(); f.savefig(out, dpi=55)
