#!/usr/bin/python3
"""Holds the metrics of a rep against numpy and scipy: rep_scipy.py REP_DUMP [SEED]. Exit 0, or 1 and what differs.

Only the times of a rep are taken from ours; every metric is computed anew from the samples, after docs/metrics.md."""
import json
import subprocess
import sys

import numpy as np
from scipy import integrate, signal, stats

G = 9.81
ROUNDING = {"s": 1e-6, "N": 0.01, "N_per_s": 0.1, "Ns": 0.001, "mm": 0.01, "mm2": 0.01, "pct": 0.001, "cv": 1e-5}


def jerk_accel(u):
    """Of a minimum-jerk path from 0 to 1 in unit time."""
    return np.where((u >= 0) & (u <= 1), 60 * u - 180 * u**2 + 120 * u**3, 0)


def smooth(u):
    u = np.clip(u, 0, 1)
    return u**3 * (10 - 15 * u + 6 * u**2)


def thrusts(t, rng, rest=60.0, support=330.0, travel=0.3):
    """Touch-down reps: drives, holds and lowerings drawn anew, the floor taking and giving the load."""
    f, at = np.full_like(t, rest), 1.5
    while at < t[-1] - 7:
        up, hold, down = rng.uniform(0.6, 1.1), rng.uniform(0.6, 2), rng.uniform(0.9, 2)
        end = at + up + hold + down
        a = travel * (jerk_accel((t - at) / up) / up**2 - jerk_accel((t - at - up - hold) / down) / down**2)
        lean = 0.8 + 0.2 * (smooth((t - at) / up) - smooth((t - at - up - hold) / down))
        carried = smooth((t - at) / 0.1) * (1 - smooth((t - end + 0.1) / 0.1))
        f = np.where((t >= at) & (t <= end), rest + (support * lean * (1 + a / G) - rest) * carried, f)
        at = end + rng.uniform(0.8, 1.5)
    return f


def pushes(t, rng, rest=50.0):
    f, at = np.full_like(t, rest), 1.5
    while at < t[-1] - 7:
        rise, hold, force = rng.uniform(0.15, 0.4), rng.uniform(3, 4), rng.uniform(500, 800)
        f = f + force * (smooth((t - at) / rise) - smooth((t - at - rise - hold) / 0.3))
        at += rise + hold + rng.uniform(1.5, 2.5)
    return f


def squats(t, rng, weight=700.0, depth=0.45):
    f, at = np.full_like(t, weight), 1.5
    while at < t[-1] - 5:
        down, up = rng.uniform(0.9, 1.3), rng.uniform(0.8, 1.1)
        a = depth * (jerk_accel((t - at - down) / up) / up**2 - jerk_accel((t - at) / down) / down**2)
        f = f + weight * a / G
        at += down + up + rng.uniform(1.2, 2)
    return f


SIGNALS = {"single_leg_hip_thrust": thrusts, "isometric": pushes, "squat": squats}


class Past:
    def __init__(self, t, f, filtered, x, y, rate_Hz, delay_s):
        self.t, self.f, self.filtered, self.x, self.y = t, f, filtered, x, y
        self.rate_Hz, self.delay_s = rate_Hz, delay_s
        self.step = np.diff(t, prepend=t[0])

    def span(self, start, stop):
        """The samples between two times, each taken to the nearest sample; None where there is no such time."""
        if start is None or stop is None or not stop > start:
            return None
        half = 0.5 / self.rate_Hz
        inside = np.flatnonzero((self.t >= start - half) & (self.t < stop + half))
        return slice(inside[0], inside[-1] + 1)

    def mean(self, s):
        return integrate.trapezoid(self.f[s], self.t[s]) / np.ptp(self.t[s])

    def peak(self, start, stop):
        s = self.span(start + self.delay_s, stop + self.delay_s)
        k = s.start + int(np.argmax(self.filtered[s]))
        return self.filtered[k], self.t[k] - self.delay_s

    def rfd(self, onset, window):
        a = self.span(onset, onset + window).start
        stop = self.t[a] + window
        inside = np.flatnonzero((self.t > self.t[a]) & (self.t <= self.t[a] + 1.02 * window))
        b = np.searchsorted(self.t, stop - 1e-9)
        if len(inside) < 8 or (self.step[b] > 1.5 / self.rate_Hz and self.t[b] > stop + 1e-9):
            return None
        return (np.interp(stop, self.t, self.f) - self.f[a]) / window

    def steepest(self, start, stop):
        n = max(5, int(np.floor(0.02 * self.rate_Hz + 0.5)))
        s = self.span(start, self.peak(start, stop)[1])
        if s is None:
            return None
        best = None
        for i in range(s.start, s.stop - n + 1):
            if (self.step[i + 1:i + n] > 1.5 / self.rate_Hz).any():
                continue
            fit = stats.linregress(self.t[i:i + n], self.f[i:i + n])
            if fit.slope > 0 and (best is None or fit.slope > best.slope):
                best = fit
        return best.slope if best is not None and best.stderr <= 0.1 * best.slope else None

    def sway(self, s):
        m = max(1, int(np.floor(0.05 * self.rate_Hz + 0.5)))
        n = (s.stop - s.start) // m
        x, y = (v[s.start:s.start + n * m].reshape(n, m).mean(axis=1) for v in (self.x, self.y))
        out = {"cop_path_mm": np.hypot(np.diff(x), np.diff(y)).sum() if n > 1 else None, "sway_rms_mm": None, "sway_area_mm2": None}
        if n >= 5:
            out["sway_rms_mm"] = np.sqrt(np.mean((x - x.mean()) ** 2 + (y - y.mean()) ** 2))
            out["sway_area_mm2"] = np.pi * stats.chi2.ppf(0.95, 2) * np.sqrt(max(0, np.linalg.det(np.cov(x, y))))
        return out


def recompute(p, r, last_end):
    """What a rep's times and the samples say. concentric_s only tells where the drive of a squat began."""
    onset, top, descent, end = (r[k] for k in ("onset_s", "top_s", "descent_s", "end_s"))
    up = None if top is None else top - r["concentric_s"]
    down_first = up is not None and up > onset + 1e-3
    want = {"tut_s": end - onset, "rest_before_s": None if last_end is None else onset - last_end}
    want["peak_force_N"] = p.peak(onset, top if down_first else end)[0]
    want["mean_force_N"] = p.mean(p.span(onset, end))
    for ms in (50, 100, 150, 200, 250):
        want[f"rfd_0_{ms}_N_per_s"] = None if down_first else p.rfd(onset, ms / 1000)
    want["rfd_max_N_per_s"] = p.steepest(onset, top if top is not None else descent if descent is not None else end)
    held, drive = p.span(top, descent), p.span(up, top)
    want |= {"hold_force_N": None, "hold_cv": None, "cop_path_mm": None, "sway_rms_mm": None, "sway_area_mm2": None}
    if held:
        # every sample weighs the time that the trapezoidal rule gives it
        w = np.diff(p.t[held])
        w = np.append(w, 0) / 2 + np.insert(w, 0, 0) / 2
        mean, n = p.mean(held), held.stop - held.start
        want["hold_force_N"] = mean
        if n >= 8:
            want["hold_cv"] = np.sqrt(np.average((p.f[held] - mean) ** 2, weights=w) * n / (n - 1)) / mean
        want |= p.sway(held)
    sure = p.span(top, top + 0.2) if descent is None and top is not None else None  # a hold is no shorter
    if sure:
        want["hold_force_N"] = p.mean(sure)
    want |= {"impulse_Ns": None, "cop_drift_x_mm": None}
    if drive:
        want["impulse_Ns"] = integrate.trapezoid(p.f[drive], p.t[drive])
        if drive.stop - drive.start >= 8:
            slope = np.polyfit(p.t[drive] - p.t[drive.start], p.x[drive], 1, w=p.f[drive])[0]
            want["cop_drift_x_mm"] = slope * np.ptp(p.t[drive])
    start = onset if up is None else up
    both = p.span(start, descent if descent is not None and descent > start else end if top is None else top)
    want["cop_x_mm"], want["cop_y_mm"] = (v[both].mean() for v in (p.x, p.y))
    want["impact_pct"] = None
    forgot = last_end is not None and (p.step[(p.t > last_end - 0.15) & (p.t < onset)] > 0.1 + 1.01 / p.rate_Hz).any()
    if last_end is not None and want["hold_force_N"] and not forgot:  # a hole of more than 0.1 s cuts off the past
        touch, hold = last_end + p.delay_s, want["hold_force_N"]
        least = p.filtered[p.span(touch - 0.15, touch + 0.15)].min()
        if least < 0.66 * hold:
            want["impact_pct"] = 100 * (p.filtered[p.span(touch - 0.15, touch)].max() - least) / hold
    return want


def unit(name):
    return next(u for u in sorted(ROUNDING, key=len, reverse=True) if name.endswith("_" + u))


def compare(p, reps, say):
    """The number of comparisons, and of those that were of numbers."""
    checks = numbers = 0
    last_end = None
    for r in reps:
        for name, want in recompute(p, r, last_end).items():
            got = r[name]
            # rounded once; the filtered force and the centre of pressure are kept as float, with 24 bits
            limit = 0.51 * ROUNDING[unit(name)] + 2e-6 * abs(want or 0) + (1e-6 if unit(name) == "s" else 0)
            checks += 1
            numbers += want is not None
            if (got is None) != (want is None) or (got is not None and not abs(got - want) <= limit):
                say(f"rep at {r['onset_s']}: {name} is {got}, not {want}")
        if r["impulse_Ns"] is not None:
            before = p.f[p.span(r["onset_s"] - 0.5, r["onset_s"] - 0.05)]
            quiet = before.mean()
            want = r["impulse_Ns"] - quiet * r["concentric_s"]
            still = before.std() < 4 + 0.01 * quiet  # else what is before it is no rest to compare with
            if still and not abs(r["net_impulse_Ns"] - want) < (2 + 0.01 * quiet) * r["concentric_s"]:
                say(f"rep at {r['onset_s']}: net_impulse_Ns is {r['net_impulse_Ns']}, not about {want}")
        last_end = r["end_s"]
    return checks, numbers


def main():
    if len(sys.argv) not in (2, 3):
        print("usage: rep_scipy.py REP_DUMP [SEED]", file=sys.stderr)
        return 2
    seed = int(sys.argv[2]) if len(sys.argv) == 3 else 20260201
    print(f"rep_scipy: seed {seed}")
    failures, checks, numbers, found = [], 0, 0, 0
    for exercise, draw in SIGNALS.items():
        for rate_Hz, true_Hz in [(20, 20), (80, 92), (87.5, 87.5), (250, 249.8), (1000, 1000)]:
            for holes in (False, True):
                rng = np.random.default_rng([seed, len(exercise), int(rate_Hz), holes])
                t = np.arange(int(26 * true_Hz)) / true_Hz
                f = draw(t, rng) + rng.normal(0, 0.7, len(t))
                x = 4 * np.sin(2 * np.pi * 0.9 * t) + 3 * t % 7 + rng.normal(0, 0.3, len(t))
                y = -20 + 5 * np.sin(2 * np.pi * 0.35 * t + 1) + rng.normal(0, 0.3, len(t))
                keep = np.ones(len(t), bool)
                if holes:  # of up to 60 ms: bridged
                    for k in rng.integers(5, len(t) - 5, 25):
                        keep[k:k + int(rng.integers(1, max(2, int(0.06 * rate_Hz))))] = False
                cutoff_Hz = min(50, rate_Hz / 4)
                sos = signal.butter(4, cutoff_Hz, fs=rate_Hz, output="sos")
                filtered = signal.sosfilt(sos, f[keep], zi=signal.sosfilt_zi(sos) * f[0])[0]
                k = np.arange(3)
                delay_s = sum((k @ s[:3]) / s[:3].sum() - (k @ s[3:]) / s[3:].sum() for s in sos) / rate_Hz
                rows, index = [], np.flatnonzero(keep)
                for i, before in zip(index, np.insert(index, 0, -1)):
                    if i - before > 1:
                        rows.append((np.nan, i - before - 1, 0, 0))
                    rows.append((t[i], f[i], x[i], y[i]))
                run = subprocess.run([sys.argv[1], repr(rate_Hz), exercise, "4", repr(cutoff_Hz)], input=np.array(rows).tobytes(),
                                     capture_output=True, check=True, timeout=60)
                reps = [json.loads(line) for line in run.stdout.splitlines()]
                p = Past(t[keep], f[keep], filtered, x[keep], y[keep], rate_Hz, delay_s)
                where = f"{exercise}, {rate_Hz} Hz{' with holes' if holes else ''}: "
                if len(reps) < 2:
                    failures.append(where + f"only {len(reps)} reps to look at")
                c, n = compare(p, reps, lambda what: failures.append(where + what))
                checks, numbers, found = checks + c, numbers + n, found + len(reps)
    for line in failures[:40]:
        print("rep_scipy:", line)
    print(f"rep_scipy: {found} reps, {checks} values ({numbers} not null), {len(failures)} differ")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
