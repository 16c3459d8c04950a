"""The rows of each table; how they are laid out is the page's affair."""
import numpy as np

from .trace import SHARES, known, left_shares, shifts, text
from .words import interval, metric_name, number, order_words, shift_words, signed, verdict_words

REASON = {"sequence": "the device's counter jumped", "time": "holes in time", "restart": "the device restarted", "unplug": "unplugged",
          "overrun": "the ring was full", "disk": "the disk refused"}
REP_COLUMNS = [
    ("onset_s", "Start", "s", 2), ("concentric_s", "Drive", "s", 2), ("hold_s", "Hold", "s", 2), ("eccentric_s", "Lower", "s", 2),
    ("peak_force_N", "Peak", "N", 0), ("mean_force_N", "Mean", "N", 0), ("hold_force_N", "Hold force", "N", 0),
    ("rfd_0_100_N_per_s", "RFD 100", "N/s", 0), ("rfd_max_N_per_s", "RFD max", "N/s", 0), ("impulse_Ns", "Impulse", "N\u202fs", 0),
    ("peak_force_N_per_kg", "Peak/kg", "N/kg", 2), ("cop_x_mm", "CoP x", "mm", 1), ("cop_y_mm", "CoP y", "mm", 1),
]


def rep_columns(trace):
    """Those that any rep has a number for: a page of dashes helps nobody."""
    have = [c for c in REP_COLUMNS if c[0] in trace.reps.dtype.names and np.isfinite(trace.reps[c[0]]).any()]
    return [c for c in have if c[0] != "rfd_max_N_per_s" or len(have) < 11]


def comparison_cells(trace, row):
    metric = text(row["metric"])
    unit = trace.unit.get(metric, "")
    digits = 4 if unit == "1" else 3 if unit == "s" else 1
    shown = "" if unit in ("", "1") else f", {unit}"
    return (metric_name(metric) + shown, number(row["left_mean"], digits), int(row["n_left"]), number(row["right_mean"], digits),
            int(row["n_right"]), number(row["value_pct"]), interval(row), order_words(row), verdict_words(row))


def share_rows(trace):
    rows = [("Set", "Reps", "Whole set, left %", "Drive, left %", "Hold, left %", "Lowering, left %")]
    for of_set in trace.sets:
        reps = [r for r in left_shares(trace) if r["set"] == of_set["set"]]
        phases = [[r[c] for r in reps if np.isfinite(r[c])] for c in SHARES[1:]]
        if reps:
            rows.append((str(int(of_set["set"])), str(len(reps)), number(known(of_set, "left_share_pct")), *(number(np.mean(p)) if p else "–" for p in phases)))
    return rows


def dropoff_rows(trace):
    shifted = bool(shifts(trace))
    rows = [("Metric", "Left loses %", "Right loses %", "Right less left, points") + ("Load shifted",) * shifted]
    for r in trace.asymmetry:
        lost = [known(r, f"dropoff_{which}_pct") for which in ("left", "right", "difference")]
        if np.isfinite(lost).any():
            rows.append((metric_name(text(r["metric"])), *map(signed, lost)) + (shift_words(r),) * shifted)
    return rows


def account(trace):
    rows = []
    for p in trace.plates:
        reasons = {}
        for g in p.gaps:
            key = (text(g["reason"]), bool(g["estimated"]))
            reasons[key] = reasons.get(key, 0) + int(g["count"])
        why = ", ".join(f"{number(n, 0)}: {REASON.get(reason, reason)}{' (estimated)' if estimated else ''}" for (reason, estimated), n in reasons.items())
        rows.append((p.name, p.device, p.cells, number(p.rate_Hz, 1), p.rows + p.lost, p.rows, p.lost, why or "–"))
    return rows
