"""What is said of a trace in words: names, numbers, sentences."""
import datetime
import re

import numpy as np

from .trace import known, shifts, text

METRIC = {
    "peak_force_N": "Peak force", "mean_force_N": "Mean force", "hold_force_N": "Hold force", "hold_cv": "Unsteadiness of the hold",
    "rfd_max_N_per_s": "Steepest rise of force", "concentric_s": "Drive time", "eccentric_s": "Lowering time", "hold_s": "Hold time",
    "impulse_Ns": "Impulse", "net_impulse_Ns": "Net impulse", "cop_x_mm": "Pressure, to the right", "cop_y_mm": "Pressure, to the toes",
    "cop_drift_x_mm": "Pressure, drift to the right", "cop_path_mm": "Sway in the hold", "sway_rms_mm": "Sway, RMS",
    "sway_area_mm2": "Sway, 95 % ellipse", "impact_pct": "Impact at the floor", "share_drive_pct": "Share of the load, drive", "share_hold_pct": "Share of the load, hold",
    "share_lower_pct": "Share of the load, lowering",
}


def metric_name(column):
    m = re.fullmatch(r"rfd_0_(\d+)_N_per_s", column)
    return f"Rise of force, 0-{m[1]} ms" if m else METRIC.get(column, column.replace("_", " "))


def signed(v, digits=1):
    shown = number(v, digits)
    return f"+{shown}" if np.isfinite(v) and float(f"{v:.{digits}f}") > 0 else shown


def words(name):
    return name.replace("_", " ").strip().capitalize()


def number(v, digits=1):
    if v is None or not np.isfinite(v):
        return "–"
    shown = f"{v:,.{digits}f}".replace(",", "\u202f")
    return shown.replace("-", "\u2212") if float(f"{v:.{digits}f}") else f"{0:.{digits}f}"


def title(trace):
    return ", ".join(words(e) for e in trace.exercises if e != "generic") or "Force recording"


def when(trace):
    try:
        t = datetime.datetime.strptime(trace.created_utc[:19], "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        return trace.created_utc
    return f"{t.day} {t:%B %Y, %H:%M} UTC"


def judged(row):
    """Whether a verdict can ever be given: not without a direction, nor of net impulse at a load that is lifted (docs/asymmetry.md)."""
    lifted = text(row["metric"]) == "net_impulse_Ns" and text(row["mode"]) == "unilateral_dynamic"
    return int(row["direction"]) != 0 and not lifted


def verdict_words(row):
    if not judged(row):
        return "none: no weaker side"
    return text(row["verdict"]).replace("_", " ")


def verdict_sentence(row):
    line = f"the {number(row['threshold_pct'], 0)} % line"
    if not np.isfinite(row["ci95_low_pct"] + row["ci95_high_pct"]):
        return "Undetermined: too few reps for an interval."
    return {
        "symmetric": f"Symmetric: the whole interval lies within {line}.",
        "left_weaker": f"The left is weaker: the whole interval lies beyond {line}.",
        "right_weaker": f"The right is weaker: the whole interval lies beyond {line}.",
    }.get(text(row["verdict"]), f"Undetermined: the interval lies on both sides of {line}.")


def interval(row):
    if not np.isfinite(row["ci95_low_pct"] + row["ci95_high_pct"]):
        return "–"
    return f"{number(row['ci95_low_pct'])} to {number(row['ci95_high_pct'])}"


def primary_sentence(trace):
    if not len(trace.reps):
        return "No repetition was found in this recording."
    if not trace.asymmetry:
        sides = sorted(set(trace.sides) - {"none"})
        if sides == ["left"] or sides == ["right"]:
            return f"Only the {sides[0]} has reps: there is nothing to compare it with."
        return "No rep is assigned to a side: mark the side to compare left with right."
    row = trace.asymmetry[0]
    name = metric_name(text(row["metric"]))
    if not np.isfinite(row["value_pct"]):
        return f"{name}: no difference can be computed yet."
    ci = f" (95 % interval {interval(row)} %)" if interval(row) != "\u2013" else ""
    return f"{name}: {number(row['value_pct'])} %{ci}. {verdict_sentence(row)}"


def order_words(row):
    if "counterbalanced" not in row.dtype.names or not (row["n_left"] and row["n_right"]):
        return "–"
    return "at once" if text(row["mode"]) == "bilateral" else "balanced" if row["counterbalanced"] else "one leg first"


def order_sentence(trace):
    """Whether order and side can be told apart; the sets' order says whether one leg always went first."""
    orders = {order_words(r) for r in trace.asymmetry}
    if "one leg first" in orders:
        left, right = (sorted({int(r["set"]) for r, s in zip(trace.reps, trace.sides) if s == side and not r["warmup"]}) for side in ("left", "right"))
        always = len({a < b for a, b in zip(left, right)}) == 1
        return f"One leg {'always went first' if always else 'went first more often'}: order and side cannot be told apart."
    if "balanced" in orders:
        return "The order was counterbalanced: each leg went first about as often as the other."
    return "Both legs worked at once: there is no order that could be taken for a side." if "at once" in orders else ""


def shift_words(row):
    return f"from {number(row['shift_s'], 2)} s on, {signed(row['shift_pct'])} points" if np.isfinite(known(row, "shift_s")) else "–"


def share_sentence(trace):
    sets = [f"{number(r['left_share_pct'])} % in set {int(r['set'])}" for r in trace.sets if np.isfinite(known(r, "left_share_pct"))]
    carried = f"Of the load of both feet the left carried {', '.join(sets)}, the right the rest. " if sets else ""
    for at_s, row in shifts(trace)[:1]:
        more = "more" if row["shift_pct"] > 0 else "less"
        return (f"{carried}The load shifted at {number(at_s, 2)} s: from there on the left had {number(abs(row['shift_pct']))} points {more} "
                f"({metric_name(text(row['metric'])).lower()}).")
    return carried + "No shift of the load from one foot to the other was found."


def dropoff_sentence(trace):
    row = trace.asymmetry[0]
    lost = [f"the {side} {'lost' if known(row, f'dropoff_{side}_pct') >= 0 else 'gained'} {number(abs(known(row, f'dropoff_{side}_pct')))} %"
            for side in ("left", "right") if np.isfinite(known(row, f"dropoff_{side}_pct"))]
    difference = known(row, "dropoff_difference_pct")
    if not lost:
        return f"{metric_name(text(row['metric']))}: what a limb loses over the set takes three reps or more of both legs."
    apart = f": {number(abs(difference))} points more on the {'left' if difference < 0 else 'right'}" if np.isfinite(difference) else ""
    return f"{metric_name(text(row['metric']))}: over the set {' and '.join(lost)}{apart}."
