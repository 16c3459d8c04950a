"""Isometric efforts: a load cell on a cable, a hang board, a fixed bar."""
import numpy as np
from scipy.ndimage import gaussian_filter1d

from core import *


def pull_set(rng, held, fs, nreps=6, rate=10.8, kind="pull"):
    peak = rng.uniform(120, 700)
    pre = float(rng.choice([0, rng.uniform(5, 40)]))
    shape = rng.choice(["exp", "ramp", "s"] if not held else ["hill", "two", "ramp"])
    t0, plan = rng.uniform(3, 6), []
    tr0 = rng.uniform(0.15, 1.2)
    if rate < 40:
        tr0 = max(tr0, 0.25)
    for i in range(nreps):
        dur = rng.uniform(1.2, 7)
        tr = min(tr0 * np.exp(rng.normal(0, 0.15)), 0.5 * dur)
        fall = rng.uniform(0.1, 0.5)
        pk = peak * np.exp(rng.normal(0, 0.07)) * (1 - 0.03 * i)
        plan.append(dict(t0=t0, t1=t0 + tr, t2=t0 + dur, t3=t0 + dur + fall, pk=pk, tr=tr, fall=fall))
        t0 += dur + fall + rng.uniform(2, 10)
    n = int((t0 + 1) * fs)
    t = np.arange(n) / fs
    F = np.full(n, pre)
    truth = []
    for p in plan:
        x = (t - p["t0"]) / p["tr"]
        if shape == "exp":
            up = 1 - np.exp(-np.maximum(x, 0) * 3.5)
        elif shape == "ramp":
            up = np.clip(x, 0, 1)
        elif shape == "s":
            up = smoothstep(x)
        elif shape == "hill":                              # force-time of a tendon taking up slack
            up = np.where(x > 0, (np.maximum(x, 0) ** 2) / (0.12 + np.maximum(x, 0) ** 2) * 1.05, 0)
        else:                                              # quick first half, slower second
            up = 0.6 * smoothstep(x / 0.5) + 0.4 * smoothstep((x - 0.3) / 0.9)
        dec = 1 - rng.uniform(0, 0.18) * np.clip((t - p["t1"]) / max(p["t2"] - p["t1"], 0.1), 0, 1)
        if rng.random() < 0.25 and p["t2"] - p["t1"] > 2.5:  # gives way a little in the middle and pulls on: one effort
            tm = rng.uniform(p["t1"] + 0.7, p["t2"] - 1.0)
            dec = dec - rng.uniform(0.15, 0.35) * np.exp(-((t - tm) / 0.25) ** 2)
        dn = 1 - smoothstep((t - p["t2"]) / p["fall"])
        F = F + (p["pk"] - pre) * up * dec * dn
    F = gaussian_filter1d(F, 0.015 * fs)
    for p in plan:
        at = lambda x: int(np.clip(round(x * fs), 0, n - 1))
        on = leaves(t, F, pre, 5, p["t0"] - 0.1, p["t1"])
        pkv = F[at(p["t0"]):at(p["t2"])].max()
        # hold begins where the rise ends: 95 % of the greatest force reached
        i = at(p["t0"]) + int(np.argmax(F[at(p["t0"]):at(p["t2"])] > pre + 0.95 * (pkv - pre)))
        lev = F[at(p["t2"] - 0.05)]
        ds = leaves(t, F, lev, max(3, 0.03 * (lev - pre)), p["t2"] - 0.04, p["t3"])
        a = at(p["t2"])
        under = np.flatnonzero(F[a:] <= pre + 0.1 * (lev - pre))
        en = t[a + int(under[0])]
        truth.append(rep("isometric", "plate", float(on), float(t[i]), float(ds), float(en), turn="pull", drive_s=float(p["tr"]),
                         hold_len_s=float(ds - t[i])))
    act = np.clip((F - pre) / peak, 0, 1)
    F = F + F * act * (bandnoise(rng, n, fs, 6, 12, rng.uniform(0.003, 0.015)) + bandnoise(rng, n, fs, 0.3, 2, rng.uniform(0.005, 0.02)))
    if pre:
        F = F + pre * bandnoise(rng, n, fs, 0.2, 1.5, 0.04) * (1 - act)
    return t, np.maximum(F, 0), truth, dict(pre=pre, peak=peak)


def fixed_bar(rng, held, fs, nreps=3):
    """Maximal push of one foot against a bar that does not move: pretension, ramp or burst, tremor, creep, double attempts."""
    rest = rng.uniform(30, 120)
    mx = rng.uniform(300, 1400)
    t0, plan, fake = rng.uniform(3, 5), [], []
    for i in range(nreps):
        if rng.random() < 0.2 and i:                       # a false start that is given up at once
            fake.append((t0, rng.uniform(0.06, 0.2) * mx))
            t0 += rng.uniform(1.5, 3)
        dur = rng.uniform(3, 5.5)
        tr = float(rng.choice([rng.uniform(0.12, 0.3), rng.uniform(0.4, 1.5)]))
        plan.append((t0, tr, dur, rng.uniform(0.15, 0.5), mx * np.exp(rng.normal(0, 0.06))))
        t0 += dur + rng.uniform(3, 9)
    n = int((t0 + 0.5) * fs)
    t = np.arange(n) / fs
    F = np.full(n, rest)
    for a, tr, dur, fall, pk in plan:
        tau = tr / 3.2
        x = np.maximum(t - a, 0)
        up = 1 - (1 + x / tau * 1.3) * np.exp(-x / tau * 1.3) if held else (1 - np.exp(-x / tau)) * smoothstep(x / 0.06)
        F += (pk - rest) * up * (1 - rng.uniform(0, 0.12) * np.clip((t - a - tr) / dur, 0, 1)) * (1 - smoothstep((t - a - dur) / fall))
    for a, am in fake:
        F += am * smoothstep((t - a) / 0.2) * smoothstep((a + 0.6 - t) / 0.3)
    F = gaussian_filter1d(F, 0.008 * fs)
    truth = []
    at = lambda x: int(np.clip(round(x * fs), 0, n - 1))
    for a, tr, dur, fall, pk in plan:
        on = leaves(t, F, rest, 5, a - 0.1, a + tr)
        pkv = F[at(a):at(a + dur)].max()
        i = at(a) + int(np.argmax(F[at(a):at(a + dur)] > rest + 0.95 * (pkv - rest)))
        lev = F[at(a + dur - 0.03)]
        ds = leaves(t, F, lev, max(3, 0.03 * (lev - rest)), a + dur - 0.03, a + dur + fall)
        b = at(a + dur)
        en = t[b + int(np.argmax(F[b:] <= rest + 0.1 * (lev - rest)))]
        truth.append(rep("isometric", "plate", float(on), float(t[i]), float(ds), float(en), turn="push", drive_s=float(tr), hold_len_s=float(ds - t[i])))
    act = np.clip((F - rest) / mx, 0, 1)
    F = F + F * act * (bandnoise(rng, n, fs, 6, 12, rng.uniform(0.004, 0.02)) + bandnoise(rng, n, fs, 0.3, 2, rng.uniform(0.005, 0.02)))
    F = F + rest * bandnoise(rng, n, fs, 0.2, 1, 0.02)
    return t, np.maximum(F, 0), truth, {}
