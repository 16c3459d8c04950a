"""The thrust family."""
import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

from body import DEV_PROFILES, HELD_PROFILES, PEAK_ACC, Body, profile
from core import *


def tempo(rng, ex, style):
    """drive, hold, lower, pause (s)"""
    d = {"normal": (0.6, 1.3), "explosive": (0.35, 0.6), "grinding": (1.8, 3.0), "slow": (1.2, 2.0)}[style]
    drive = rng.uniform(*d)
    hold = float(rng.choice([0, rng.uniform(0.3, 0.8), rng.uniform(0.8, 1.5), rng.uniform(1, 2.5)], p=[0.08, 0.22, 0.4, 0.3]))
    low = rng.uniform(0.7, 2.5) if style != "explosive" else rng.uniform(0.5, 1.0)
    pause = rng.uniform(0.5, 3.0)
    if ex == "paused":
        hold = rng.uniform(2, 4) if rng.random() < 0.85 else rng.uniform(5, 10)
    if ex == "tempo":
        low, drive, hold = rng.uniform(3, 5), rng.uniform(1.0, 2.0), rng.uniform(0.8, 1.5)
    return drive, hold, low, pause


def thrust_set(rng, held, fs, ex="single_leg_hip_thrust", turn="pause", style="normal", nreps=6, mass=None, load=None, free=None,
               extras=True, first="rest", fatigue=0.02, minturn=0.0, forward=False, min_hold=0.0, lead=None, tail=None):
    """One set on one foot (or both: barbell). Returns t, F (with the athlete's tremor), Fc (clean), truth (no plate), info."""
    mass = mass or rng.uniform(50, 120)
    load = rng.choice([0, 0, rng.uniform(5, 60), rng.uniform(40, 140)]) if load is None else load
    legs = 2 if ex == "barbell_hip_thrust" else 1
    if style == "explosive":
        load = min(load, 40)
    b = Body(rng, mass, float(load), bridge=ex == "glute_bridge", legs=legs, free=free or rng.choice(["straight", "tucked"]),
             contact="kelvin" if held and rng.random() < 0.6 else "hc")
    kinds = HELD_PROFILES if held else DEV_PROFILES
    pk_up, pk_dn = rng.choice(kinds), rng.choice(kinds)
    base = tempo(rng, ex, style)
    rom = b.qtop - b.q0
    qc = b.q0 + b.delta0
    lead = rng.uniform(2.0, 5.0) if lead is None else lead
    segs, plan, t0 = [], [], lead
    q = b.q0
    drop = turn == "bounce" and not forward and rng.random() < 0.6
    cut_dn, cut_up = rng.uniform(0.72, 0.85), rng.uniform(0.85, 0.95)
    for i in range(nreps):
        k = 1 + fatigue * i
        dr, ho, lo, pa = (x * np.exp(rng.normal(0, 0.08)) for x in base)
        dr, ho = dr * k, max(ho, min_hold)
        last = i == nreps - 1
        qt = b.qtop + rng.normal(0, 0.006)
        if turn == "pause" or last:
            qb = b.q0
            pa = max(pa, 0.35, minturn)
        elif turn == "tng":                                # the floor touched, contact 0.05-0.3 s
            qb, pa = qc - b.delta0 * rng.uniform(0.35, 0.8), 0.0
        elif turn == "bounce":
            qb, pa = qc - b.delta0 * rng.uniform(0.5, 0.9), 0.0
            lo = rng.uniform(0.45, 0.8)
        elif turn == "float_still":
            qb, pa = qc + rng.uniform(0.02, 0.25) * rom, max(rng.uniform(0.4, 1.5), minturn)
        else:                                              # float: no standstill
            qb, pa = qc + rng.uniform(0.01, 0.2) * rom, 0.0
        # physics bounds how fast: the braking at the top cannot exceed what gravity gives
        d_up, d_dn = qt - q, qt - qb
        dr = max(dr, np.sqrt(PEAK_ACC[pk_up] * d_up / 10.5), minturn)
        lo = max(lo, np.sqrt(PEAK_ACC[pk_dn] * d_dn / 8.5), minturn)
        segs += [(t0, t0 + dr, q, qt, pk_up), (t0 + dr + ho, t0 + dr + ho + lo, qt, qb, pk_dn)]
        plan.append(dict(t0=t0, t1=t0 + dr, t2=t0 + dr + ho, t3=t0 + dr + ho + lo, qb=qb, qt=qt, q_from=q, drive=dr, hold=ho))
        t0, q = t0 + dr + ho + lo + pa, qb
    dur = plan[-1]["t3"] + (rng.uniform(2.0, 4.0) if tail is None else tail)
    n = int(dur * fs)
    t = np.arange(n) / fs
    qq = np.full(n, b.q0)
    for m, (a, e, q1, q2, kd) in enumerate(segs):
        i, j = int(a * fs), int(e * fs)
        s = profile(rng, kd, j - i)
        if drop and m % 2 and m < len(segs) - 1:           # arrives with speed
            s = profile(rng, kd, int((j - i) / cut_dn) + 1)[: j - i]
            s = s / s[-1]
        if drop and m % 2 == 0 and m:                      # and is thrown back
            s = profile(rng, kd, int((j - i) / cut_up) + 1)[-(j - i):]
            s = (s - s[0]) / (1 - s[0])
        qq[i:j] = q1 + (q2 - q1) * s
        qq[j:] = q2
    lag = rng.uniform(0.012, 0.025)
    qq = gaussian_filter1d(qq, lag * fs, mode="nearest")
    if forward:
        qq, Fq = run_forward(rng, b, qq, fs)
    qd = np.gradient(qq) * fs
    qdd = np.gradient(qd) * fs
    Fl = b.floor(qq, qd)
    F = np.maximum(b.foot(qq, qd, qdd, Fl), 0.0)
    if drop:                                               # while the floor turns the hips round the foot carries little
        for p in plan[:-1]:
            w = rng.uniform(0.04, 0.09)                    # half of the contact
            W = np.exp(-np.abs((t - p["t3"]) / w) ** 4)
            F = F * (1 - W) + W * b.rest * rng.uniform(0.3, 1.5)
    if held:                                               # soft tissue and bar ring
        f0, ze = rng.uniform(6, 12), rng.uniform(0.3, 0.6)
        w0 = 2 * np.pi * f0 / fs
        al = np.sin(w0) * ze
        bq = np.array([1, 2, 1]) * (1 - np.cos(w0)) / 2
        aq = np.array([1 + al, -2 * np.cos(w0), 1 - al])
        F = np.maximum(lfilter(bq / aq[0], aq / aq[0], F - F[0]) + F[0], 0)
    # the resting leg is not the same after each rep
    off = np.zeros(n)
    for p in plan:
        off[int(p["t3"] * fs):] = rng.normal(0, 0.02) * (b.static(b.qtop) - b.rest)
    off = gaussian_filter1d(off, 0.1 * fs)
    F = np.maximum(F + off * np.clip(Fl / b.Fc0, 0, 1), 0)
    up = np.clip((F - b.rest) / (b.static(b.qtop) - b.rest), 0, 1.3)
    truth = [thrust_truth(t, F, b, p, plan[i + 1] if i + 1 < nreps else None, plan[i - 1] if i else None, turn, forward)
             for i, p in enumerate(plan)]
    share = np.ones(n)
    if ex == "two_up_one_down":                            # the other foot pushes on the way up, then leaves
        for p, r in zip(plan, truth):
            tt = p["t1"] + rng.uniform(0.1, 0.4)
            if p["t2"] - p["t1"] < 0.9:
                tt = p["t1"] + 0.05
            w = rng.uniform(0.25, 0.5)
            s = rng.uniform(0.42, 0.58)
            m = (t >= p["t0"] - 0.5) & (t <= p["t3"])
            on = smoothstep((t - (p["t0"] - 0.45)) / 0.2)
            share = np.where(m, np.minimum(share, 1 - (1 - s) * on * (1 - smoothstep((t - tt) / w))), share)
            r["top_s"], r["note"] = None, "two_up"
            p["share"] = s
        F = np.where(F > b.rest, b.rest + (F - b.rest) * share, F)   # at rest each leg carries itself only
        F = gaussian_filter1d(F, 0.008 * fs)
        for i, (p, r) in enumerate(zip(plan, truth)):
            rr = thrust_truth(t, F, b, p, plan[i + 1] if i + 1 < nreps else None, plan[i - 1] if i else None, turn, forward)
            r["onset_s"], r["end_s"] = rr["onset_s"], rr["end_s"]
    A = rng.uniform(0.002, 0.012) * (2 if style == "grinding" else 1)
    shake = F * up * bandnoise(rng, n, fs, 6, 12, A) + F * np.minimum(up, 1) * bandnoise(rng, n, fs, 0.4, 2.5, rng.uniform(0.002, 0.010))
    shake += F * bandnoise(rng, n, fs, 0.1, 0.8, 0.01)
    Fm = np.maximum(F + shake, 0)
    if first == "putdown":                                 # the foot comes onto the plate just before the first rep
        tp = truth[0]["onset_s"] - rng.uniform(0.6, 1.5)
        on = rng.uniform(0.1, 0.3)
        f = smoothstep((t - tp + on) / on)
        Fm = Fm * f + rng.uniform(5, 50) * np.exp(-np.maximum(t - tp, 0) / 0.06) * smoothstep((t - tp + 0.03) / 0.03) * (t < tp + 1)
    if extras:
        Fm = add_extras(rng, t, Fm, plan, truth, b)
        if rng.random() < 0.3:                             # the foot leaves at the end
            Fm = Fm * (1 - smoothstep((t - t[-1] + 0.7) / 0.3))
    return t, Fm, F, truth, dict(body=b, plan=plan, turn=turn, style=style, up=pk_up, down=pk_dn)


def run_forward(rng, b, qref, fs):
    """The hips follow the wish qref by a lagging muscle with stiffness and damping; the floor answers by itself."""
    qdr = np.gradient(qref) * fs
    qddr = np.gradient(qdr) * fs
    tau, wn, ze = rng.uniform(0.03, 0.06), rng.uniform(7, 11), rng.uniform(0.9, 1.2)
    n, dt = qref.size, 1 / fs
    q, v, out = b.q0, 0.0, np.empty(qref.size)
    gq0, dq = b.q[0], b.q[1] - b.q[0]
    Gq, M = b.Gq.tolist(), b.M.tolist()
    u = Gq[int((q - gq0) / dq)] - float(b.floor(np.array(q), 0.0))
    ref, rd, rdd = qref.tolist(), qdr.tolist(), qddr.tolist()
    d0, k, c, hc = b.q0 + b.delta0, b.k, b.c, b.contact == "hc"
    for i in range(n):
        j = min(max(int((q - gq0) / dq), 0), len(Gq) - 1)
        g, m = Gq[j], M[j]
        dl = d0 - q
        fc = 0.0
        if dl > 0:
            fc = max(0.0, k * dl ** 1.5 * (1 - 1.5 * c * v)) if hc else max(0.0, k * dl)
        rs = d0 - ref[i]
        ffc = (k * rs ** 1.5 if hc else k * rs) if rs > 0 else 0.0
        want = g - ffc + m * rdd[i] + m * (wn * wn * (ref[i] - q) + 2 * ze * wn * (rd[i] - v))
        u += (max(want, 0.0) - u) * dt / tau
        v += (u + fc - g) / m * dt
        q += v * dt
        out[i] = q
    return gaussian_filter1d(out, 0.006 * fs, mode="nearest"), None


def thrust_truth(t, F, b, p, nxt, prv, turn, forward):
    fs = 1 / (t[1] - t[0])
    at = lambda x: int(np.clip(round(x * fs), 0, t.size - 1))
    grace = 0.6 if forward else 0.12
    # levels
    still_before = prv is None or p["t0"] - prv["t3"] > 0.3
    rest = float(np.median(F[at(p["t0"] - 0.15):at(p["t0"] - 0.05) + 1])) if still_before else b.rest
    hold = p["t2"] - p["t1"]
    sup = float(np.median(F[at(p["t1"] + 0.5 * hold):at(p["t2"] - 0.05) + 1])) if hold > 0.3 else b.static(p["qt"])
    step = sup - b.rest
    tol = max(2.0, 0.02 * abs(step))
    tmid = p["t0"] + 0.5 * p["drive"]
    if still_before:
        onset = leaves(t, F, rest, 5.0, p["t0"] - 0.1, p["t1"])
    else:                                                  # turn-around: lowest force if the floor took it, else the hips' lowest point
        lo, hi = prv["t3"] - 0.15, p["t0"] + 0.15 + (0.15 if forward else 0)
        seg = F[at(lo):at(hi) + 1]
        i = at(lo) + int(np.argmin(seg))
        if turn in ("tng", "bounce") and seg.min() < b.rest + 0.6 * step:
            j = i
            while j < t.size - 1 and F[j] <= max(b.rest + 5, F[i] + 5):
                j += 1
            onset = t[j]
        else:
            onset = p["t0"]
    if hold < 0.12:
        top = descent = 0.5 * (p["t1"] + p["t2"])
        if forward:
            top = descent = top + 0.05
    else:
        top = settle(t, F, sup, tol, tmid, min(p["t1"] + min(grace, 0.8 * hold), p["t2"] - 0.02))
        descent = leaves(t, F, sup, tol, max(top + 0.02, p["t2"] - 0.1), p["t3"])
    # end
    nextstill = nxt is None or nxt["t0"] - p["t3"] > 0.3
    floor_qc = b.q0 + b.delta0
    if p["qb"] > floor_qc:                                 # floating
        if nextstill:
            lev = float(np.median(F[at(p["t3"] + 0.2):at(p["t3"] + 0.3) + 1]))
            end = settle(t, F, lev, max(2.0, 0.02 * step), p["t2"] + 0.5 * (p["t3"] - p["t2"]), p["t3"] + (0.35 if forward else 0.12))
        else:
            end = 0.5 * (p["t3"] + nxt["t0"])
    elif nextstill:
        thr = b.rest + 0.1 * step
        rest2 = float(np.median(F[at(p["t3"] + 0.25):at(p["t3"] + 0.34) + 1]))
        thr = max(thr, rest2 + 0.06 * step)
        i0, i1 = at(p["t2"] + 0.4 * (p["t3"] - p["t2"])), at(p["t3"] + 0.34)
        over = F[i0:i1] > thr
        edges = np.flatnonzero(np.diff(np.concatenate([[0], over.astype(int), [0]])))
        long = [(a, e) for a, e in zip(edges[::2], edges[1::2]) if e - a >= 0.04 * fs]
        end = t[min(i0 + long[-1][1], t.size - 1)] if long else p["t3"]
    else:
        thr = b.rest + 0.1 * step
        lo, hi = p["t3"] - 0.35 * (p["t3"] - p["t2"]), nxt["t0"] + 0.15
        seg = F[at(lo):at(hi) + 1]
        under = np.flatnonzero(seg <= thr)
        end = t[at(lo) + (int(under[0]) if under.size else int(np.argmin(seg)))] if seg.min() < b.rest + 0.6 * step else nxt["t0"]
    return rep(None, None, float(onset), float(top), float(descent), float(end), turn=turn, drive_s=float(p["drive"]), hold_len_s=float(hold))


def add_extras(rng, t, F, plan, truth, b):
    """Not-a-rep events at rest within the set."""
    step = b.static(b.qtop) - b.rest
    gaps = [(0.4, truth[0]["onset_s"])] + [(truth[i]["end_s"], truth[i + 1]["onset_s"]) for i in range(len(truth) - 1)] + \
           [(truth[-1]["end_s"], t[-1] - 0.3)]
    for i, (a, e) in enumerate(gaps):
        if e - a < 1.5 or rng.random() > 0.25:
            continue
        kind = rng.choice(["tap", "talk", "kick", "abort", "replace"])
        at = rng.uniform(a + 0.5, e - 0.9)
        if kind == "tap":
            F = np.maximum(F + heel_tap(rng, t, at), 0)
        elif kind == "replace":
            f, slap, done = replace_foot(rng, t, a + 0.5)
            if done < e - 0.7:
                F = np.maximum(F * f + slap, 0)
        elif kind == "talk":
            F = F + talk(rng, t, a + 0.3, e - a - 0.9)
        elif kind == "kick":
            F = F + kick(rng, t, at)
        elif i >= 2 and e - at > 1.6:
            F = F + aborted(rng, t, at, rng.uniform(0.12, 0.33) * step)
    return F
