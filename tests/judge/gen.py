#!/usr/bin/python3
"""Makes a set of recordings with truth: gen.py dev|held [--only SUBSTRING] [--out DIR] [--seed N]"""
import argparse
import os
import shutil
import sys
from multiprocessing import Pool

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from core import *
from norep import KINDS, norep
from pull import fixed_bar, pull_set
from stand import jump_set, squat_set, sts_set
from thrust import thrust_set

SEEDS = {"dev": 20260, "held": 91573}
HI = [80, 87.5, 100, 160, 250, 500, 1000, 2000]
LO = [10, 20, 40]


def grid(rate):
    return 2000.0 if rate > 1000 else 1000.0


def plan(held):
    """(family, options) of each recording"""
    P = []
    add = lambda fam, n, **o: P.extend([(fam, dict(o))] * n)
    add("thrust/pause", 26, turn="pause", style="normal")
    add("thrust/slow", 8, turn="pause", style="slow")
    add("thrust/explosive", 16, turn="pause", style="explosive")
    add("thrust/explosive_nohold", 6, turn="pause", style="explosive", nohold=True)
    add("thrust/grinding", 12, turn="pause", style="grinding")
    add("thrust/tng", 16, turn="tng", style="normal")
    add("thrust/bounce", 12, turn="bounce", style="normal")
    add("thrust/float_still", 12, turn="float_still", style="normal")
    add("thrust/float", 14, turn="float", style="normal")
    add("thrust/putdown", 10, turn="pause", style="normal", first="putdown")
    add("thrust/forward", 18, style="normal", forward=True)
    add("thrust/low_rate", 24, turn="pause", style="normal", low=True)
    add("thrust/low_rate_float", 8, turn="float_still", style="normal", low=True)
    add("thrust/generic", 8, turn="pause", style="normal", generic=True)
    add("paused", 8, ex="paused", turn="pause", style="normal")
    add("tempo", 8, ex="tempo", style="normal")
    add("glute_bridge", 8, ex="glute_bridge", style="normal")
    add("two_up_one_down", 8, ex="two_up_one_down", turn="pause", style="normal")
    add("barbell", 14, ex="barbell_hip_thrust", style="normal")
    add("two_legs", 12, turn="pause", style="normal", legs=True)
    add("isometric/bar", 14, kind="bar")
    add("isometric/cell11", 14, kind="cell")
    add("generic/cell11", 12, kind="cell", generic=True)
    add("squat/still", 16, mode="still")
    add("squat/continuous", 14, mode="cont")
    add("squat/one_plate", 6, mode="still", plates=1)
    add("sts/still", 14, mode="still")
    add("sts/quick", 8, mode="quick")
    add("squat_jump", 10)
    add("board/thrust", 8, turn="pause", style="normal")
    add("board/squat", 6, mode="still", plates=1)
    add("board/sts", 6, mode="still", plates=1)
    for k in KINDS:
        add("norep/" + k, 3 if k not in ("empty", "aborts", "taps") else 4, kind=k)
    if held:
        return P
    # later ones come last: the number of a recording is part of its seed
    add("squat/humps", 8, mode="still", humps=True)
    add("squat/humps_cont", 8, mode="cont", humps=True)
    add("sts/loaded", 10, mode="still", loaded=True)
    add("board/thrust_bursts", 6, turn="pause", style="normal", bursts=True)
    add("board/squat_bursts", 6, mode="still", plates=1, bursts=True)
    add("board/sts_bursts", 6, mode="still", plates=1, bursts=True)
    add("isometric/drift_cell11", 8, kind="cell", drift=True)
    add("generic/drift_cell11", 8, kind="cell", drift=True, generic=True)
    add("thrust/bad_cell", 12, turn="pause", style="normal", bad=True)
    add("squat/bad_cell", 6, mode="still", plates=1, bad=True)
    add("thrust/tng_low_rate", 10, turn="tng", style="normal", low=True)
    return P


def turns(rng, i):
    return ["pause", "tng", "float", "float_still", "pause", "bounce"][i % 6]


def thrust_recording(rng, fam, o, held, rate, fs, i):
    ex = o.get("ex", "single_leg_hip_thrust")
    turn = o.get("turn") or turns(rng, i)
    kw = dict(ex=ex, turn=turn, style=o["style"], nreps=int(rng.integers(4, 8)) if rate >= 1000 else int(rng.integers(5, 10)), first=o.get("first", "rest"),
              forward=o.get("forward", False), minturn=3.5 / rate if rate < 45 else 0.0, min_hold=0.35 if rate < 45 else 0.0)
    if o.get("nohold"):
        import thrust
        old = thrust.tempo
        try:
            thrust.tempo = lambda r, e, s: (lambda d: (d[0], 0.0, d[2], d[3]))(old(r, e, s))
            return thrust_set(rng, held, fs, **kw)
        finally:
            thrust.tempo = old
    return thrust_set(rng, held, fs, **kw)


def pad(F, n):
    return np.concatenate([F, np.full(n, F[-1])])


def board_times(rng, dur):
    """Nominal 100 Hz by radio: 60-100 in truth, irregular, bursts missing."""
    r = rng.uniform(60, 100)
    n = int(dur * r)
    step = rng.gamma(30, 1 / (30 * r), n)
    k = rng.random(n) < 0.004
    step[k] *= rng.integers(2, 6, k.sum())
    t = np.cumsum(step)
    t = np.round(t[t < dur], 3)
    return t[np.concatenate([[True], np.diff(t) > 0])]


def make(job):
    which, out, seed, i, fam, o = job
    held = which == "held"
    rng = np.random.default_rng([seed, i])
    rate = float(LO[i % 3] if o.get("low") else HI[i % len(HI)])
    if fam == "thrust/tng_low_rate":
        rate = float([25, 40][i % 2])
    if fam.endswith("cell11"):
        rate = 10.8 if rng.random() < 0.7 else rng.uniform(10.2, 11.6)
    if fam.startswith("board"):
        rate = 100.0
    if fam.startswith("norep"):
        rate = float((LO + HI)[(i * 5) % 11])
    if fam.startswith(("squat", "sts")):
        rate = float([100, 2000, 250, 1000, 500, 100, 1000, 200][i % 8])
    fs = grid(rate)
    name = "%s_%03d" % (fam.replace("/", "-"), i)
    s = sensor(rng, rate)
    marks, extra = [], {}
    exercise = None
    if fam.startswith(("thrust", "paused", "tempo", "glute", "two_up", "board/thrust")):
        t, Fm, F, truth, info = thrust_recording(rng, fam, o, held, min(rate, 90 if fam.startswith("board") else rate), fs, i)
        exercise = o.get("ex", "single_leg_hip_thrust")
        side = str(rng.choice(["left", "right"]))
        for r in truth:
            r.update(exercise=exercise, plate="plate", side=side)
        marks = [(0.0, "exercise", "generic" if o.get("generic") else exercise), (0.0, "side", side)]
        sig, clean = {"plate": Fm}, {"plate": F}
        extra = dict(turn=info["turn"], style=info["style"], up=str(info["up"]), down=str(info["down"]))
    elif fam == "two_legs":
        mass = rng.uniform(55, 110)
        weak = rng.uniform(0.9, 1.0)
        sig, clean, truth, marks, at = [], [], [], [(0.0, "exercise", "single_leg_hip_thrust")], 0.0
        sides = ["left", "right"] * int(rng.integers(1, 3))
        n = int(rng.integers(3, 6)) if rate >= 1000 else int(rng.integers(4, 7))
        for k, sd in enumerate(sides):
            t, Fm, F, tr, info = thrust_set(rng, held, fs, turn=["pause", "tng"][i % 2], style="normal", nreps=n, mass=mass * (weak if sd == "left" else 1), load=0.0)
            off = 1 - smoothstep((t - t[-1] + 0.6) / 0.3)   # foot away at the end, back at the start
            on = smoothstep((t - 0.5) / 0.2) if k else np.ones(t.size)
            for r in tr:
                for c in ("onset_s", "top_s", "descent_s", "end_s"):
                    r[c] += at
                r.update(exercise="single_leg_hip_thrust", plate="plate", side=sd, set=k + 1)
            marks.append((at, "side", sd))
            truth += tr
            sig.append(Fm * on * off)
            clean.append(F * on * off)
            at += t.size / fs
            gap = int(rng.uniform(3, 8) * fs)
            sig.append(np.zeros(gap))
            clean.append(np.zeros(gap))
            at += gap / fs
        sig, clean = {"plate": np.concatenate(sig)}, {"plate": np.concatenate(clean)}
        t = np.arange(sig["plate"].size) / fs
        exercise = "single_leg_hip_thrust"
    elif fam == "barbell":
        t, Fm, F, tr, info = thrust_recording(rng, fam, o, held, rate, fs, i)
        sh = rng.uniform(0.43, 0.57)
        w = sh + bandnoise(rng, t.size, fs, 0.05, 0.5, rng.uniform(0.002, 0.012))
        sig, clean = {"left": Fm * w, "right": Fm * (1 - w)}, {"left": F * sh, "right": F * (1 - sh)}
        truth = [dict(r, exercise="barbell_hip_thrust", plate=p, side=p) for p in ("left", "right") for r in tr]
        marks, exercise = [(0.0, "exercise", "barbell_hip_thrust")], "barbell_hip_thrust"
        extra = dict(turn=info["turn"])
    elif fam.startswith(("isometric", "generic")):
        f = fixed_bar(rng, held, fs) if o["kind"] == "bar" else pull_set(rng, held, fs, nreps=int(rng.integers(5, 9)), rate=rate)
        t, Fm, truth, _ = f
        exercise = "generic" if o.get("generic") else "isometric"
        for r in truth:
            r.update(exercise=exercise, plate="plate")
        marks, sig, clean = [(0.0, "exercise", exercise)], {"plate": Fm}, None
        if o["kind"] == "cell":
            s.update(spikes=0.0, hum=0.0, noise=float(np.exp(rng.uniform(np.log(0.1), np.log(1.0)))), quantum=0.01)
            if o.get("drift"):
                s["drift"] = float(rng.choice([-1, 1]) * rng.uniform(8, 40))
    elif fam.startswith("squat_jump"):
        t, sig, truth, _ = jump_set(rng, held, fs)
        clean, exercise = None, "squat_jump"
        marks = [(0.0, "exercise", exercise)]
    elif fam.startswith(("squat", "board/squat")):
        t, sig, truth, _ = squat_set(rng, held, fs, nreps=int(rng.integers(4, 7)), mode=o["mode"], plates=o.get("plates", 2), humps=o.get("humps", False))
        clean, exercise = None, "squat"
        marks = [(0.0, "exercise", exercise)] + ([(0.0, "side", "both")] if o.get("plates") == 1 else [])
    elif fam.startswith(("sts", "board/sts")):
        t, sig, truth, _ = sts_set(rng, held, fs, nreps=int(rng.integers(4, 6)), mode=o["mode"], plates=o.get("plates", 2), loaded=o.get("loaded", False))
        clean, exercise = None, "sit_to_stand"
        marks = [(0.0, "exercise", exercise)] + ([(0.0, "side", "both")] if o.get("plates") == 1 else [])
    else:
        k = o["kind"]
        dur = rng.uniform(25, 50) if rate >= 1000 else rng.uniform(50, 120)
        if k in ("empty", "hum", "spiky") and rate <= 100:
            dur *= 6
        t, F = norep(rng, k, fs, dur)
        s["drift"] = float(rng.uniform(-6, 6)) if k == "empty" else s["drift"]
        s["hum"] = rng.uniform(1, 5) if k == "hum" else s["hum"]
        s["spikes"] = rng.uniform(3, 10) if k == "spiky" else s["spikes"]
        exercise = {"stand": ["squat", "sit_to_stand", "squat_jump"], "shift": ["squat", "sit_to_stand"]}.get(k, ["single_leg_hip_thrust", "paused", "isometric"])
        if k in ("weights", "step_on", "walk"):
            exercise = ["single_leg_hip_thrust", "tempo"]
        if k == "empty":
            exercise = ["single_leg_hip_thrust", "generic", "squat", "sit_to_stand", "isometric"]
        if k in ("aborts", "taps"):
            exercise = ["single_leg_hip_thrust", "paused"]
        exercise = exercise[i % len(exercise)]
        marks, sig, clean, truth = [(0.0, "exercise", exercise)], {"plate": F}, None, []
        extra = dict(kind=k)
    dur = t[-1]
    if fam.startswith("board"):
        ts = board_times(rng, dur)
        s.update(noise=rng.uniform(0.3, 1.2), quantum=float(rng.choice([0.1, 0.2])), hum=0.0, drift=0.0, spikes=0.0)
    elif fam.endswith("cell11"):
        ts = sample_times(rng, dur, rate, 0.08)
        if rng.random() < 0.5:                             # the first stamps of a capture are wrong
            k = int(rng.integers(1, 4))
            ts[:k] = ts[k] - (k - np.arange(k)) * 0.01
        ts = np.maximum.accumulate(np.round(ts - ts[0], 4))
    else:
        ts = sample_times(rng, dur, rate, 0.0 if rng.random() < 0.7 else 0.05)
    cols = {}
    np_ = len(sig)
    for p, F in sig.items():
        pre = "" if p == "plate" else p + "."
        share = 1.0 if np_ == 1 else 0.5
        box = 1.0 / rate if fam.endswith("cell11") else 0.0
        c4 = fam.startswith("board") or o.get("bad") or (np_ == 1 and rng.random() < 0.3)
        if c4:
            cells = four_cells(rng, t, F)
            for cn, cf in cells.items():
                cols[pre + cn] = measure(rng, dict(s, drift=s["drift"] / 4, tare=s["tare"] / 4, hum=s["hum"] / 4), ts, t, cf, share=1.0 if fam.startswith("board") else 0.25)
            if o.get("bad"):
                extra["bad"] = spoil(rng, cols, pre + str(rng.choice(list(cells))))
        else:
            cols[pre + "force"] = measure(rng, s, ts, t, F, share=share, adc_box=box)
    lost = 0
    n0 = ts.size
    if fam.startswith("board"):
        ts, cols = lose(rng, ts, cols, rng.uniform(2, 12), 30)
    elif rng.random() < 0.2 and rate > 45:
        ts, cols = lose(rng, ts, cols, rng.uniform(1, 5), 12)
    if o.get("bursts"):
        ts, cols = lose(rng, ts, cols, rng.uniform(30, 90), 8)
    lost = n0 - ts.size
    if rng.random() < 0.1:
        z = 12.345
        ts = ts + z
        marks = [(m[0] + z if m[0] else z, m[1], m[2]) for m in marks]
        for r in truth:
            for c in ("onset_s", "top_s", "descent_s", "end_s"):
                if r[c] is not None:
                    r[c] += z
    meta = dict(family=fam, rate=rate, rate_class=rate_class(rate), exercise=exercise, seed=[seed, i], lost=int(lost), samples=int(ts.size), set=which, **{k: v for k, v in s.items() if k != "rate"}, **extra)
    write(out, name, ts, cols, marks, truth, meta)
    return name


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("which", choices=["dev", "held"])
    ap.add_argument("--only", default="")
    ap.add_argument("--out")
    ap.add_argument("--seed", type=int)
    a = ap.parse_args()
    out = a.out or os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "build", "judge", a.which)
    if not a.only:
        shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out, exist_ok=True)
    jobs = [(a.which, out, a.seed or SEEDS[a.which], i, f, o) for i, (f, o) in enumerate(plan(a.which == "held")) if a.only in f]
    with Pool(2) as p:
        for k, n in enumerate(p.imap_unordered(make, jobs)):
            if sys.stdout.isatty():
                print("\r%d/%d %-30s" % (k + 1, len(jobs), n), end="")
    print("%d recordings in %s" % (len(jobs), out))


if __name__ == "__main__":
    main()
