"""Each figure of a report, made of the trace alone."""
import io
import re

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib.ticker import MaxNLocator  # noqa: E402

from .trace import SHARES, left_shares, shifts, text  # noqa: E402
from .words import judged, metric_name, signed  # noqa: E402

COLOUR = {"left": "#1f6fb4", "right": "#d4661c", "both": "#5b7f3a", "none": "#66707c"}
PHASE = {"drive": ("onset_s", "top_s", "#7a3fa0"), "hold": ("top_s", "descent_s", "#2a8a6a"), "lower": ("descent_s", "end_s", "#b5881a")}
INK, FAINT, GRID = "#1b2430", "#66707c", "#e3e7ec"
plt.rcParams.update({
    "svg.fonttype": "none", "font.family": "DejaVu Sans", "font.size": 9, "axes.edgecolor": "#b8c0ca", "axes.labelcolor": FAINT,
    "axes.spines.top": False, "axes.spines.right": False, "xtick.color": FAINT, "ytick.color": FAINT, "text.color": INK,
    "axes.grid": True, "grid.color": GRID, "grid.linewidth": 0.7, "axes.axisbelow": True,
})


def rep_number_fits(rep, span_s):
    return (rep["end_s"] - rep["onset_s"]) / span_s > 0.013


def draw_reps(ax, trace, plate, span_s):
    above = ax.get_xaxis_transform()  # x in seconds, y as a part of the height
    sets = {}
    for rep, side in zip(trace.reps, trace.sides):
        if text(rep["plate"]) != plate.name or not np.isfinite(rep["onset_s"] + rep["end_s"]):
            continue
        ax.axvspan(rep["onset_s"], rep["end_s"], color=COLOUR[side], alpha=0.16, lw=0)
        sets.setdefault((int(rep["set"]), side), []).append(rep)
        if rep_number_fits(rep, span_s):
            ax.text((rep["onset_s"] + rep["end_s"]) / 2, 0.975, str(int(rep["rep"])), transform=above, ha="center", va="top", fontsize=8,
                    color=COLOUR[side])
    for (number_, side), reps in sets.items():
        lo, hi = min(r["onset_s"] for r in reps), max(r["end_s"] for r in reps)
        ax.plot([lo, hi], [1.015] * 2, transform=above, color=COLOUR[side], lw=2.2, solid_capstyle="butt", clip_on=False)
        if (hi - lo) / span_s > 0.05:
            ax.text((lo + hi) / 2, 1.035, f"set {number_}" + ("" if side == "none" else f", {side}"), transform=above, ha="center", va="bottom",
                    fontsize=8, color=COLOUR[side])


def trace_figure(trace):
    n = max(1, len(trace.plates))
    fig, axes = plt.subplots(n, 1, figsize=(11, 1.0 + 2.5 * n), sharex=True, sharey=True, squeeze=False, layout="constrained")
    lo, hi = trace.span_s()
    lines = [p.line() for p in trace.plates]
    drawn = [f[np.isfinite(f)] for _, f in lines]
    top, floor = max((f.max() for f in drawn if len(f)), default=1.0), min((f.min() for f in drawn if len(f)), default=0.0)
    margin = max(top - min(0.0, floor), 1e-6)
    axes[0, 0].set_ylim(min(0.0, floor) - 0.03 * margin, top + 0.12 * margin)
    axes[0, 0].set_xlim(lo, max(hi, lo + 1e-3))
    for ax, plate, (t, force) in zip(axes[:, 0], trace.plates, lines):
        ax.plot(t, force, color="#2b3644", lw=0.7)
        ax.set_ylabel("force (N)" if n == 1 else f"{plate.name} (N)")
        draw_reps(ax, trace, plate, max(hi - lo, 1e-3))
    axes[-1, 0].set_xlabel("time (s)")
    return fig


def overlay_figure(trace):
    """Every rep from its onset on, the sides beside each other."""
    known = [s for s in ("left", "right", "both", "none") if s in trace.sides]
    fig, axes = plt.subplots(1, len(known), figsize=(11, 2.9), sharex=True, sharey=True, squeeze=False, layout="constrained")
    by_name = {p.name: p for p in trace.plates}
    for ax, side in zip(axes[0], known):
        reps = [r for r, s in zip(trace.reps, trace.sides) if s == side and np.isfinite(r["onset_s"] + r["end_s"])]
        bins = max(80, min(600, 16000 // max(1, len(reps))))
        for rep in reps:
            plate = by_name[text(rep["plate"])]
            t, force = plate.line(plate.row_at(rep["onset_s"] - 0.2), plate.row_at(rep["end_s"] + 0.2), bins)
            ax.plot(t - rep["onset_s"], force, color=COLOUR[side], lw=0.9, alpha=max(0.15, min(0.8, 4 / len(reps))))
        ax.set_title(f"{'no side' if side == 'none' else side}, {len(reps)} rep{'s' * (len(reps) != 1)}", loc="left", fontsize=9,
                     color=COLOUR[side])
        ax.set_xlabel("time from the onset (s)")
    axes[0, 0].set_ylabel("force (N)")
    return fig


def order_figure(trace):
    """The first compared metric from rep to rep, a line a set: what a limb loses over the set."""
    metric = text(trace.asymmetry[0]["metric"])
    fig, ax = plt.subplots(figsize=(11, 2.6), layout="constrained")
    for side in ("left", "right"):
        of_side = trace.reps[(np.array(trace.sides) == side) & (trace.reps["warmup"] == 0)]
        for i, number_ in enumerate(np.unique(of_side["set"])):
            reps = of_side[of_side["set"] == number_]
            ax.plot(reps["rep"], reps[metric], "o-", color=COLOUR[side], ms=4.5, lw=1, alpha=0.85, label=None if i else side)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("rep of the set")
    unit = trace.unit.get(metric, "")
    ax.set_ylabel(metric_name(metric) + (f" ({unit})" if unit not in ("", "1") else ""))
    ax.legend(frameon=False, labelcolor="linecolor", ncol=2, loc="lower right", bbox_to_anchor=(1, 0.98))
    return fig


def share_figure(trace):
    """The left's part of the load: a bar over each rep, and a line over each of its phases."""
    fig, ax = plt.subplots(figsize=(11, 2.9), layout="constrained")
    reps = left_shares(trace)
    for rep in reps:
        ax.plot([rep["onset_s"], rep["end_s"]], [rep["share_pct"]] * 2, color=INK, lw=6, alpha=0.22, solid_capstyle="butt", label="whole rep")
        for name, (start, end, colour) in PHASE.items():
            ax.plot([rep[start], rep[end]], [rep[f"share_{name}_pct"]] * 2, color=colour, lw=2.2, solid_capstyle="butt", label=name)
    shares = np.concatenate([[r[c] for c in SHARES] for r in reps])
    reach = min(50.0, max(10.0, 1.25 * np.nanmax(np.abs(shares - 50))))
    ax.axhspan(50, 50 + reach, color=COLOUR["left"], alpha=0.06, lw=0)
    ax.axhspan(50 - reach, 50, color=COLOUR["right"], alpha=0.06, lw=0)
    ax.axhline(50, color="#9aa4b0", lw=0.9)
    for x, row in shifts(trace)[:1]:
        ax.axvline(x, color="#b3261e", lw=1.3, ls=(0, (4, 3)))
        ax.annotate(f"shift, {signed(row['shift_pct'])} points", (x, 50 + 0.96 * reach), (5, 0), textcoords="offset points", color="#b3261e", fontsize=8.5, va="top")
    ax.set_ylim(50 - reach, 50 + reach)
    lo, hi = trace.span_s()
    ax.set_xlim(lo, max(hi, lo + 1e-3))
    for y, side, va in ((0.03, "right", "bottom"), (0.97, "left", "top")):
        ax.text(0.006, y, f"{side} carries more", transform=ax.transAxes, va=va, fontsize=8.5, color=COLOUR[side])
    ax.set_ylabel("left's share (%)")
    ax.set_xlabel("time (s)")
    first = dict(zip(*reversed(ax.get_legend_handles_labels())))
    ax.legend(first.values(), first, frameon=False, ncol=4, loc="lower right", bbox_to_anchor=(1, 0.98))
    return fig


def forest_figure(trace):
    rows = [r for r in trace.asymmetry if np.isfinite(r["value_pct"])]
    threshold = float(rows[0]["threshold_pct"])
    fig, ax = plt.subplots(figsize=(11, 0.9 + 0.36 * len(rows)), layout="constrained")
    limit = 2.2 * threshold
    for r in rows:
        ends = [abs(x) for x in (r["value_pct"], r["ci95_low_pct"], r["ci95_high_pct"]) if np.isfinite(x)]
        limit = max([limit] + ends)
    limit = min(limit * 1.08, 105.0)
    ax.axvspan(-threshold, threshold, color="#e8f0e4", lw=0)
    ax.axvline(0, color="#9aa4b0", lw=0.9)
    for i, r in enumerate(rows):
        y, decided = len(rows) - 1 - i, judged(r)
        verdict = text(r["verdict"])
        colour = COLOUR["left"] if verdict == "left_weaker" else COLOUR["right"] if verdict == "right_weaker" else INK if decided else FAINT
        if np.isfinite(r["ci95_low_pct"]) and np.isfinite(r["ci95_high_pct"]):
            ax.plot([r["ci95_low_pct"], r["ci95_high_pct"]], [y, y], color=colour, lw=2.4 if r["primary"] else 1.3, solid_capstyle="butt")
        ax.plot(r["value_pct"], y, "o", ms=7 if r["primary"] else 5, color=colour, mfc=colour if decided else "white")
    ax.set_yticks(range(len(rows)), [metric_name(text(r["metric"])) for r in reversed(rows)])
    for label, r in zip(ax.get_yticklabels(), reversed(rows)):
        label.set_color(INK)
        label.set_fontweight("bold" if r["primary"] else "normal")
    ax.set_xlim(-limit, limit)
    ax.set_ylim(-0.7, len(rows) - 0.3)
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("difference (%), 95 % interval")
    for x, side, label in ((0, "left", "\u2190 left weaker"), (1, "right", "right weaker \u2192")):
        ax.text(x, 1.02, label, transform=ax.transAxes, ha=side, va="bottom", fontsize=8.5, color=COLOUR[side])
    return fig


def svg(fig, salt):
    plt.rcParams["svg.hashsalt"] = salt
    out = io.StringIO()
    fig.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, facecolor="none")
    plt.close(fig)
    body = out.getvalue()
    body = body[body.index("<svg"):]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", body, count=1), count=1)
    ids = set(re.findall(r'id="([^"]+)"', body))  # several figures in one page: an id may stand there once only
    body = re.sub(r'id="([^"]+)"', rf'id="{salt}-\1"', body)
    body = re.sub(r'(url\(#|href="#)([^")]+)', lambda m: f"{m[1]}{salt}-{m[2]}" if m[2] in ids else m[0], body)
    return body.replace("'DejaVu Sans'", "system-ui, 'DejaVu Sans'")
