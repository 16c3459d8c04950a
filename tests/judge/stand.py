"""Squats, sit-to-stands, squat jumps: movements from a loaded or a seated baseline. Own equations: joint-angle driven three-link body
(squat), weight transfer seat -> feet with a moving body (sit-to-stand), explicit flight and a spring-leg landing (jump)."""
import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

from body import DEV_PROFILES, HELD_PROFILES, PEAK_ACC, profile
from core import *


def put(n, fs, parts, start):
    """piecewise course: parts = [(duration, to, profile array or None)]"""
    x, i, v, edges = np.empty(n), 0, start, []
    for dur, to, p in parts:
        k = max(1, int(round(dur * fs)))
        j = min(i + k, n)
        x[i:j] = v if p is None else (v + (to - v) * p(k))[: j - i]
        edges.append((i / fs, j / fs))
        v, i = (v if p is None else to), j
    x[i:] = v
    return x, edges


def wander(rng, n, fs, sd):
    return bandnoise(rng, n, fs, 0.05, 0.4, sd)


def split(rng, t, total, weight, s0, sd_share, truths):
    """Left and right plate: share wanders; truth on the share's mean."""
    fs = 1 / (t[1] - t[0])
    s = s0 + wander(rng, t.size, fs, sd_share)
    return {"left": total * s, "right": total * (1 - s)}


def squat_set(rng, held, fs, nreps=6, mode="still", rate=100, plates=2, deep=None, humps=False):
    mass, load = rng.uniform(50, 110), float(rng.choice([0, 0, rng.uniform(20, 80)]))
    H = rng.uniform(1.55, 1.95)
    ls, lt, lh = 0.246 * H, 0.245 * H, 0.30 * H
    kinds = HELD_PROFILES if held else DEV_PROFILES
    kd, ku = rng.choice(kinds), rng.choice(kinds)
    T1, T2 = rng.uniform(0.7, 1.6), rng.uniform(0.6, 1.4)
    deep = deep or rng.uniform(0.6, 1.05)
    if humps:                                              # the braking, and two pushes on the way up
        ku, T2 = "sticking", rng.uniform(1.2, 2.2)
    bottom = float(rng.choice([0, 0, rng.uniform(0.05, 0.3), rng.uniform(0.5, 1.5)]))
    parts, plan = [(rng.uniform(2, 4), 0, None)], []
    tt = parts[0][0]
    for i in range(nreps):
        a, c = T1 * np.exp(rng.normal(0, 0.08)), T2 * np.exp(rng.normal(0, 0.08)) * (1 + 0.02 * i)
        bo = bottom * rng.uniform(0.7, 1.3)
        st = rng.uniform(0.8, 2.5) if mode == "still" else rng.uniform(0, 0.12)
        last = i == nreps - 1
        if last:
            st = rng.uniform(2, 3.5)
        d = deep * np.exp(rng.normal(0, 0.04))
        # nobody falls, and only a jump leaves the floor: acceleration of the 0.5 m travel bounded
        a, c = max(a, np.sqrt(PEAK_ACC[kd] * 0.45 * d / 5.0)), max(c, np.sqrt(PEAK_ACC[ku] * 0.45 * d / 6.5))
        parts += [(a, d, lambda k, kd=kd: profile(rng, kd, k)), (bo, d, None), (c, 0, lambda k, ku=ku: profile(rng, ku, k)), (st, 0, None)]
        plan.append(dict(t0=tt, t1=tt + a, t2=tt + a + bo, t3=tt + a + bo + c, drive=c, still=st > 0.5))
        tt += a + bo + c + st
    n = int(tt * fs)
    t = np.arange(n) / fs
    s, _ = put(n, fs, parts, 0.0)
    sm = lambda x, sec: gaussian_filter1d(x, sec * fs, mode="nearest")
    lag = lambda x, sec: np.interp(t - sec, t, x)
    wob = np.zeros(n)
    for p in plan:                                         # knees tremble on the way up
        w = smoothstep((t - p["t2"]) / 0.15) * smoothstep((p["t3"] - t) / 0.15)
        wob += w * bandnoise(rng, n, fs, 2.5, 6, rng.uniform(0.0, 0.004))
    s = sm(s, rng.uniform(0.02, 0.05))
    al = np.radians(rng.uniform(25, 38)) * (lag(s, rng.uniform(0, 0.05)) + wob)
    be = np.radians(rng.uniform(80, 100)) * s
    ga = np.radians(rng.uniform(25, 45)) * lag(s, rng.uniform(-0.03, 0.06))
    yk = ls * np.cos(al)
    yh = yk + lt * np.cos(be)
    mz = mass * (2 * 0.0465 * 0.567 * ls * np.cos(al) + 2 * 0.1 * (yk + 0.567 * lt * np.cos(be)) + 0.578 * (yh + 0.5 * lh * np.cos(ga)))
    arms = rng.uniform(0, 0.45) * lag(sm(s, 0.04), rng.uniform(0, 0.1))
    mz = mz + 0.1 * mass * (yh + 0.9 * lh * np.cos(ga) + arms) + load * (yh + lh * np.cos(ga))
    acc = np.gradient(np.gradient(mz) * fs) * fs
    W = (mass + load) * G
    if held:                                               # bar and soft tissue ring
        f0, ze = rng.uniform(3.5, 8), rng.uniform(0.35, 0.6)
        w0 = 2 * np.pi * f0 / fs
        al = np.sin(w0) * ze
        acc = lfilter(np.array([1, 2, 1]) * (1 - np.cos(w0)) / 2 / (1 + al), np.array([1 + al, -2 * np.cos(w0), 1 - al]) / (1 + al), acc)
    F = np.maximum(W + sm(acc, 0.006), 0)
    sway = W * bandnoise(rng, n, fs, 0.2, 1.5, rng.uniform(0.001, 0.004)) + W * bandnoise(rng, n, fs, 4, 9, rng.uniform(0.0005, 0.002))
    s0 = rng.uniform(0.44, 0.56)
    sd = rng.uniform(0.003, 0.015)
    if humps:                                              # a weaker side, and a load that wanders more
        s0, sd = rng.uniform(0.36, 0.64), rng.uniform(0.01, 0.03)
    cols = split(rng, t, F + sway, W, s0, sd, None)
    truth = []
    for pl, sh in (("left", s0), ("right", 1 - s0)) if plates == 2 else (("plate", 1.0),):
        f = F * sh
        for i, p in enumerate(plan):
            prv, nx = plan[i - 1] if i else None, plan[i + 1] if i + 1 < nreps else None
            # without standing still the force touches the band, or not at all: then the instant of no velocity parts the reps
            inb = lambda x: abs(np.interp(x, t, f) - W * sh) <= 5
            j0 = None if prv is None or prv["still"] else 0.5 * (prv["t3"] + p["t0"])
            j1 = None if p["still"] else 0.5 * (p["t3"] + nx["t0"])
            on = leaves(t, f, W * sh, 5, p["t0"] - 0.15, p["t1"]) if j0 is None else leaves(t, f, W * sh, 5, j0, p["t1"]) if inb(j0) else j0
            en = settle(t, f, W * sh, 5, p["t2"] + 0.3 * p["drive"], p["t3"] + 0.2) if j1 is None else \
                settle(t, f, W * sh, 5, p["t2"] + 0.3 * p["drive"], j1) if inb(j1) else j1
            truth.append(rep("squat", pl, float(on), float(en), float(on), float(en), side=pl if plates == 2 else "both", turn=mode,
                             drive_s=float(p["drive"]), hold_len_s=0.0))
    out = cols if plates == 2 else {"plate": F + sway}
    return t, out, truth, dict(F=F, plan=plan, W=W, mass=mass)


def sts_set(rng, held, fs, nreps=5, mode="still", plates=2, loaded=False):
    mass, H = rng.uniform(50, 110), rng.uniform(1.55, 1.95)
    W = mass * G
    kinds = HELD_PROFILES if held else DEV_PROFILES
    ku, kd = rng.choice(kinds), rng.choice(kinds)
    r0 = rng.uniform(0.14, 0.30) if not loaded else rng.uniform(0.28, 0.45)
    rise, low = rng.uniform(0.8, 1.6), rng.uniform(0.9, 1.8)
    lean = rng.uniform(0.35, 0.8)                          # from first lean to seat-off
    height = rng.uniform(0.28, 0.38) * H / 1.75            # travel of the CoM
    flop = rng.uniform(0.0, 0.35)
    quick = mode == "quick"
    if quick:
        rise, low, lean = rng.uniform(0.6, 0.9), rng.uniform(0.6, 0.9), rng.uniform(0.2, 0.35)
    tt, plan = rng.uniform(2, 4), []
    for i in range(nreps):
        j = lambda: np.exp(rng.normal(0, 0.08))
        le, ri, lo = lean * j(), rise * j(), low * j()
        st = rng.uniform(0, 0.25) if quick else rng.uniform(0.6, 3)
        se = rng.uniform(0.05, 0.4) if quick else rng.uniform(1.0, 3.0)
        plan.append(dict(t0=tt, so=tt + le, up=tt + le + 0.75 * ri, dn=tt + le + 0.75 * ri + st, sd=tt + le + 0.75 * ri + st + lo,
                         le=le, ri=ri, lo=lo, st=st, se=se))
        tt = plan[-1]["sd"] + se + 0.35
    n = int((tt + rng.uniform(2, 3.5)) * fs)
    t = np.arange(n) / fs
    z, phi, extra = np.zeros(n), np.full(n, r0), np.zeros(n)
    for p in plan:
        a, b, ri, lo = p["so"] - 0.25 * p["ri"], p["up"], p["ri"], p["lo"]
        k = int(ri * fs)
        z[int(a * fs):int(a * fs) + k] = height * profile(rng, ku, k)
        i1, i2 = int(a * fs) + k, int(p["dn"] * fs)
        z[i1:i2] = height
        k = int(lo * fs)
        s = profile(rng, kd, k)
        cut = int(k * (1 - 0.35 * flop))                   # arrives with speed: the seat stops it
        s = s[:cut] / s[cut - 1]
        z[i2:i2 + cut] = height * (1 - s)
        p["seat"] = (i2 + cut) / fs
        z[i2 + cut:] = 0
        w = p["le"]
        up = smoothstep((t - p["t0"] - 0.25 * w) / (0.85 * w)) ** 1.3
        dnw = rng.uniform(0.12, 0.45) if not quick else rng.uniform(0.1, 0.25)
        dn = smoothstep((t - p["seat"] + 0.35 * dnw) / dnw)
        m = (t >= p["t0"]) & (t < p["seat"] + 1.5)
        phi = np.where(t >= p["t0"], r0 + (1 - r0) * up * (1 - dn), phi)
        # before the rise: feet unload slightly; after sitting: trunk falls back, the feet get light, then settle
        x = (t - p["t0"] - 0.15 * w) / (0.12 * w)
        extra -= W * rng.uniform(0.0, 0.04) * np.exp(-x * x / 2)
        y = t - p["seat"] - 0.6 * dnw
        if not quick:
            extra -= np.where(y > 0, W * r0 * rng.uniform(0.0, 0.25) * np.sin(np.pi * np.clip(y / 0.5, 0, 1)) ** 2, 0)
        extra += np.where(y > 0, W * rng.uniform(0, 0.02) * np.exp(-np.maximum(y, 0) / 0.12) * np.sin(2 * np.pi * rng.uniform(4, 8) * y), 0)
    z = gaussian_filter1d(z, rng.uniform(0.02, 0.035) * fs, mode="nearest")
    acc = np.gradient(np.gradient(z) * fs) * fs
    # while the seat carries, it also carries its part of the acceleration
    F = np.maximum(phi * mass * (G + acc) + extra, 2.0)
    F = gaussian_filter1d(F, 0.008 * fs, mode="nearest")
    sway = F * (bandnoise(rng, n, fs, 0.2, 1.5, rng.uniform(0.002, 0.006)) + bandnoise(rng, n, fs, 4, 9, rng.uniform(0.0005, 0.002)))
    seatw = W * r0 * bandnoise(rng, n, fs, 0.1, 1.0, rng.uniform(0.003, 0.015))
    s0, sd = (rng.uniform(0.44, 0.56), rng.uniform(0.004, 0.02)) if not loaded else (rng.uniform(0.36, 0.64), rng.uniform(0.01, 0.03))
    cols = split(rng, t, F + sway + seatw, W, s0, sd, None)
    truth = []
    at = lambda x: int(np.clip(round(x * fs), 0, n - 1))
    for pl, sh in (("left", s0), ("right", 1 - s0)) if plates == 2 else (("plate", 1.0),):
        f, R, S = F * sh, W * r0 * sh, W * sh
        step = S - R
        for i, p in enumerate(plan):
            nx, pv = plan[i + 1] if i + 1 < nreps else None, plan[i - 1] if i else None
            if pv is None or pv["se"] + 0.35 > 0.9:
                on = leaves(t, f, R, 5, p["t0"] - 0.05, p["so"])
            else:                                          # hardly seated: from the lowest force between
                a = at(pv["seat"])
                on = t[a + int(np.argmin(f[a:at(p["so"]) + 1]))]
            if p["st"] < 0.4:
                tp = ds = 0.5 * (p["up"] + p["dn"])
            else:
                tol = max(3.0, 0.02 * step)
                tp = settle(t, f, S, tol, p["so"] + 0.1, p["up"] + 0.1)
                ds = leaves(t, f, S, tol, max(tp + 0.02, p["dn"] - 0.1), p["seat"])
            a = at(p["dn"] + 0.6 * (p["seat"] - p["dn"]))
            e = at(nx["so"] - 0.25 * nx["le"]) if nx else at(p["seat"] + 0.8)
            under = np.flatnonzero(f[a:e] <= R + 0.1 * step)
            en = t[a + int(under[0])] if under.size else t[a + int(np.argmin(f[a:e]))]
            truth.append(rep("sit_to_stand", pl, float(on), float(tp), float(ds), float(en), side=pl if plates == 2 else "both", turn=mode,
                             drive_s=float(tp - on), hold_len_s=float(p["st"])))
    if plates == 2 and not quick:                          # a foot is set anew while seated
        for p in plan:
            if p["se"] > 1.8 and rng.random() < 0.2:
                f, slap, _ = replace_foot(rng, t, p["seat"] + 0.75)
                pl = str(rng.choice(["left", "right"]))
                if _ < p["seat"] + p["se"] - 0.1:
                    cols[pl] = cols[pl] * f + slap
    out = cols if plates == 2 else {"plate": F + sway + seatw}
    return t, out, truth, dict(F=F, W=W, mass=mass)


def jump_set(rng, held, fs, nreps=4, plates=2):
    mass = rng.uniform(50, 100)
    W = mass * G
    tt = rng.uniform(2, 4)
    total = int((tt + nreps * 8 + 5) * fs)
    z, F, plan = 0.0, [], []
    out = [np.full(int(tt * fs), W)]
    for _ in range(nreps):
        on = sum(map(len, out)) / fs
        T1, depth, hold = rng.uniform(0.6, 1.1), rng.uniform(0.25, 0.42), float(rng.choice([rng.uniform(0, 0.15), rng.uniform(0.6, 2.0)]))
        k = int(T1 * fs)
        zz = gaussian_filter1d(np.concatenate([np.zeros(k // 3), -depth * profile(rng, "minjerk", k), np.full(int(max(hold, 0.1) * fs), -depth)]), 0.02 * fs, mode="nearest")
        a = np.gradient(np.gradient(zz) * fs) * fs
        out.append(W + mass * a)
        # push: force rises along a power curve and falls quickly before take-off; scaled so that the body has risen by depth at take-off
        v_to = rng.uniform(1.9, 2.8)
        lo, hi = 0.05, 2.0
        p1, p2 = rng.uniform(0.8, 1.5), rng.uniform(0.15, 0.28)
        for _ in range(40):
            Tp = 0.5 * (lo + hi)
            x = np.linspace(0, 1, max(8, int(Tp * fs)))
            shape = x ** p1 * np.minimum(1, (1 - x) / p2) ** 0.8
            # a = A*shape - g*w(x): net, ends with -g
            w = smoothstep((x - 0.85) / 0.15)
            A = (v_to + G * w.mean() * Tp) / (shape.mean() * Tp)
            acc = A * shape - G * w
            v = np.cumsum(acc) / fs
            if v.sum() / fs > depth:
                hi = Tp
            else:
                lo = Tp
        out.append(W + mass * acc)
        off = sum(map(len, out)) / fs
        fl = 2 * v[-1] / G * rng.uniform(0.98, 1.02)
        out.append(np.zeros(int(fl * fs)))
        land = sum(map(len, out)) / fs
        # landing on a spring leg, then back to standing
        wn, ze = 2 * np.pi * rng.uniform(1.1, 1.8), rng.uniform(0.45, 0.7)
        y, vy, f = 0.0, -v[-1], []
        for i in range(int(2.2 * fs)):
            am = -wn * wn * y * (1.0) - 2 * ze * wn * vy * min(1.0, i / (0.02 * fs))
            f.append(max(W + mass * am, 0.0))
            vy += (f[-1] - W) / mass / fs
            y += vy / fs
        out.append(np.array(f) + W * rng.uniform(0.3, 1.2) * np.exp(-((np.arange(len(f)) / fs - 0.03) / 0.015) ** 2))
        out.append(np.full(int(rng.uniform(0.8, 2.5) * fs), W))
        plan.append((on, off, land))
    F = np.concatenate(out)
    n = F.size
    t = np.arange(n) / fs
    air = F <= 0
    Fs = gaussian_filter1d(F, 0.004 * fs, mode="nearest")
    sway = W * (bandnoise(rng, n, fs, 0.2, 1.5, rng.uniform(0.001, 0.004)) + bandnoise(rng, n, fs, 4, 9, 0.001))
    s0, sd = rng.uniform(0.45, 0.55), rng.uniform(0.004, 0.015)
    s = s0 + wander(rng, n, fs, sd)
    tot = np.where(air, Fs, np.maximum(Fs + sway, 0))
    truth = []
    for pl, sh in (("left", s0), ("right", 1 - s0)) if plates == 2 else (("plate", 1.0),):
        for on, off, land in plan:
            o = leaves(t, F * sh, W * sh, 5, on, off)
            truth.append(rep("squat_jump", pl, float(o), float(off), float(o), float(land), side=pl if plates == 2 else "both", turn="jump",
                             drive_s=0.4, hold_len_s=0.0))
    cols = {"left": tot * s, "right": tot * (1 - s)} if plates == 2 else {"plate": tot}
    return t, cols, truth, dict(F=F, W=W)
