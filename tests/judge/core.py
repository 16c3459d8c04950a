"""Building blocks shared by all families: timeline, truth, disturbances, sensors, files."""
import json
import os

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, sosfilt

G = 9.81


def bandnoise(rng, n, fs, lo, hi, sd):
    if n < 30 or sd == 0:
        return np.zeros(n)
    hi = min(hi, 0.45 * fs)
    sos = butter(2, [lo, hi], "bandpass", fs=fs, output="sos")
    x = sosfilt(sos, rng.standard_normal(n + int(fs / lo)))[-n:]
    return sd * x / (x.std() + 1e-12)


def smoothstep(x):
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def rate_class(r):
    return "10-40" if r <= 45 else "60-100" if r <= 110 else "160-500" if r <= 500 else "1000+"


def settle(t, F, level, tol, lo, hi):
    """Last time in lo..hi at which F is further than tol from level (the end of the transient)."""
    m = (t >= lo) & (t <= hi)
    out = np.flatnonzero(np.abs(F[m] - level) > tol)
    return lo if out.size == 0 else float(t[m][min(out[-1] + 1, m.sum() - 1)])


def leaves(t, F, level, tol, lo, hi):
    m = (t >= lo) & (t <= hi)
    out = np.flatnonzero(np.abs(F[m] - level) > tol)
    return hi if out.size == 0 else float(t[m][out[0]])


class Truth(dict):
    pass


def rep(exercise, plate, onset, top, descent, end, side="none", set_=1, **kw):
    d = Truth(exercise=exercise, plate=plate, side=side, set=set_, onset_s=onset, top_s=top, descent_s=descent, end_s=end)
    d.update(kw)
    return d


# ---- what is not a rep ------------------------------------------------------------------------------------------------------------
def heel_tap(rng, t, t0):
    """Foot at rest: heel or toes tapped; short one- or two-sided pulse."""
    a, w = rng.uniform(20, 110), rng.uniform(0.04, 0.12)
    x = (t - t0) / w
    return a * np.exp(-x * x / 2) - a * rng.uniform(0.1, 0.5) * np.exp(-((x - rng.uniform(2, 3)) ** 2) / 2)


def kick(rng, t, t0):
    f, tau, a = rng.uniform(12, 45), rng.uniform(0.03, 0.15), rng.uniform(40, 400)
    y = np.where(t >= t0, a * np.exp(-np.maximum(t - t0, 0) / tau) * np.sin(2 * np.pi * f * (t - t0) + 0.3), 0.0)
    return np.nan_to_num(y)


def talk(rng, t, t0, dur):
    n = t.size
    fs = 1 / (t[1] - t[0])
    w = smoothstep((t - t0) / 0.3) * smoothstep((t0 + dur - t) / 0.3)
    return w * bandnoise(rng, n, fs, 0.3, 2.5, rng.uniform(1.5, 5))


def aborted(rng, t, t0, amp):
    """A push that does not bring the hips up: part of the weight taken, given back."""
    r, h, f = rng.uniform(0.12, 0.35), rng.uniform(0.0, 0.3), rng.uniform(0.15, 0.4)
    return amp * smoothstep((t - t0) / r) * smoothstep((t0 + r + h + f - t) / f)


def replace_foot(rng, t, t0):
    """Multiplier on a resting foot: lifted and put down again, with a slap. Returns (factor, added)."""
    off, gap, on = rng.uniform(0.1, 0.3), rng.uniform(0.3, 1.5), rng.uniform(0.06, 0.2)
    f = 1 - smoothstep((t - t0) / off) + smoothstep((t - t0 - off - gap) / on)
    t1 = t0 + off + gap + on
    slap = rng.uniform(10, 70) * np.where(t > t1 - on, np.exp(-np.maximum(t - t1 + on, 0) / 0.05) * smoothstep((t - t1 + on) / 0.03), 0)
    return f, slap, t1


# ---- sensors ----------------------------------------------------------------------------------------------------------------------
def sensor(rng, rate, level="mid"):
    """Draws a sensor: noise, quantum, hum, drift, tare, spikes."""
    s = dict(rate=rate, noise=float(np.exp(rng.uniform(np.log(0.3), np.log(3.0)))), quantum=float(rng.choice([0, 0.01, 0.05, 0.2])),
             hum=float(rng.choice([0, 0, 0, 0.5, 2.0]) * rng.uniform(0.3, 1)), drift=float(rng.choice([0, 0.4, 1.5, 6.0]) * rng.uniform(-1, 1)),
             tare=float(rng.choice([0, 3, 20]) * rng.uniform(-1, 1)), spikes=float(rng.choice([0, 0, 0, 1, 2])), adc=False)
    if level == "clean":
        s.update(noise=rng.uniform(0.3, 1.0), hum=0.0, spikes=0.0, drift=float(rng.uniform(-0.4, 0.4)))
    return s


def sample_times(rng, dur, rate, jitter=0.0):
    n = int(dur * rate)
    t = np.arange(n) / rate
    if jitter:
        t = t + rng.uniform(-jitter, jitter, n) / rate
        t -= t[0]
    return t


def measure(rng, s, ts, t, F, share=1.0, adc_box=0.0):
    """F on the fine grid t, seen by a cell at times ts."""
    if adc_box:                                            # an averaging converter: mean over the last period
        dt = t[1] - t[0]
        w = max(1, int(adc_box / dt))
        c = np.concatenate([[0], np.cumsum(F)])
        F = np.concatenate([F[:w], (c[w + 1:] - c[1:-w]) / w])[: t.size]
    elif s["rate"] < 0.2 / (t[1] - t[0]):                  # anti-alias of slower converters
        F = gaussian_filter1d(F, 0.25 / s["rate"] / (t[1] - t[0]))
    y = np.interp(ts, t, F)
    y = y + share * (s["tare"] + s["drift"] * ts / 60 + s["hum"] * np.sin(2 * np.pi * 50 * ts + 1))
    y = y + s["noise"] * np.sqrt(share) * rng.standard_normal(ts.size)
    for _ in range(rng.poisson(s["spikes"] * ts[-1] / 60)):
        y[rng.integers(ts.size)] += rng.choice([-1, 1]) * rng.uniform(20, 400)
    if s["quantum"]:
        y = np.round(y / s["quantum"]) * s["quantum"]
    return y


def lose(rng, ts, cols, per_min, nmax, protect=0.3):
    keep = np.ones(ts.size, bool)
    for _ in range(rng.poisson(per_min * ts[-1] / 60)):
        k = rng.integers(1, nmax + 1)
        i = rng.integers(1, max(2, ts.size - k - 1))
        keep[i:i + k] = False
    return ts[keep], {k: v[keep] for k, v in cols.items()}


def spoil(rng, cols, name):
    """One cell of four says nothing, sticks from some time on, or is loud. Returns what it does."""
    kind = str(rng.choice(["dead", "stuck", "loud"]))
    y = cols[name]
    if kind == "dead":
        y[:] = y[0]
    elif kind == "stuck":
        k = int(rng.uniform(0.2, 0.8) * y.size)
        y[k:] = y[k]
    else:
        y += rng.uniform(4, 12) * rng.standard_normal(y.size)
    return kind


def four_cells(rng, t, F, side="left"):
    """Splits a foot's force over four corner cells with a wandering centre of pressure."""
    fs = 1 / np.median(np.diff(t))
    x = rng.uniform(-0.1, 0.1) + bandnoise(rng, t.size, fs, 0.1, min(2, 0.4 * fs), 0.02)
    y = rng.uniform(-0.15, 0.15) + bandnoise(rng, t.size, fs, 0.1, min(2, 0.4 * fs), 0.03)
    r, f = (1 + 2 * x) / 2, (1 + 2 * y) / 2
    return {"front_left": F * (1 - r) * f, "front_right": F * r * f, "back_left": F * (1 - r) * (1 - f), "back_right": F * r * (1 - f)}


def write(out, name, ts, cols, marks, truth, meta):
    meta = dict(meta, name=name, seconds=float(ts[-1] - ts[0]), reps=len(truth))
    head = "t_s," + ",".join(k + "_N" for k in cols)
    nd = 2 if meta.get("quantum", 0) == 0 or meta["quantum"] >= 0.01 else 3
    A = np.column_stack([ts] + list(cols.values()))
    fmt = "%.6f," + ",".join(["%%.%df" % nd] * len(cols))
    with open(os.path.join(out, name + ".csv"), "w") as f:
        f.write(head + "\n" + "\n".join(fmt % tuple(r) for r in A.tolist()) + "\n")
    with open(os.path.join(out, name + ".marks.csv"), "w") as f:
        f.write("t_s,kind,value\n" + "".join("%.6f,%s,%s\n" % m for m in marks))
    cn = ["exercise", "plate", "side", "set", "onset_s", "top_s", "descent_s", "end_s", "turn", "drive_s", "hold_len_s", "note"]
    g = lambda v: "" if v is None or (isinstance(v, float) and np.isnan(v)) else ("%.4f" % v if isinstance(v, float) else str(v))
    with open(os.path.join(out, name + ".truth.csv"), "w") as f:
        f.write(",".join(cn) + "\n" + "".join(",".join(g(r.get(c)) for c in cn) + "\n" for r in truth))
    with open(os.path.join(out, name + ".json"), "w") as f:
        json.dump(meta, f)
