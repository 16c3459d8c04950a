"""Recordings without a repetition."""
import numpy as np
from scipy.ndimage import gaussian_filter1d

from core import *

KINDS = ["empty", "hum", "spiky", "foot_rest", "taps", "replace", "aborts", "kicks", "weights", "step_on", "walk", "stand", "shift", "talk"]


def norep(rng, kind, fs, dur):
    n = int(dur * fs)
    t = np.arange(n) / fs
    F = np.zeros(n)
    mass = rng.uniform(50, 110)
    W = mass * G
    rest = rng.uniform(0.05, 0.15) * W
    quiet = lambda: rest * (1 + bandnoise(rng, n, fs, 0.1, 0.8, 0.015))
    if kind in ("empty", "hum", "spiky"):
        return t, F
    if kind in ("foot_rest", "taps", "replace", "aborts", "talk"):
        F = quiet()
        on = rng.uniform(1, 2)
        F = F * smoothstep((t - on) / 0.2) + 30 * np.exp(-np.maximum(t - on - 0.15, 0) / 0.05) * smoothstep((t - on - 0.1) / 0.03)
        x = on + 3
        while x < dur - 4:
            if kind == "taps":
                F = np.maximum(F + heel_tap(rng, t, x), 0)
                x += rng.uniform(0.4, 3)
            elif kind == "replace":
                f, s, e = replace_foot(rng, t, x)
                F = F * f + s
                x = e + rng.uniform(2, 6)
            elif kind == "aborts":
                F = F + aborted(rng, t, x, rng.uniform(20, 60))
                x += rng.uniform(3, 8)
            elif kind == "talk":
                F = F + talk(rng, t, x, rng.uniform(2, 8))
                x += rng.uniform(4, 12)
            else:                                          # the resting leg is shifted now and then, slowly
                F = F + rng.uniform(-12, 12) * smoothstep((t - x) / rng.uniform(0.5, 3))
                x += rng.uniform(4, 12)
    elif kind == "kicks":
        x = rng.uniform(1, 3)
        while x < dur - 2:
            F = F + kick(rng, t, x)
            x += rng.uniform(1, 8)
    elif kind == "weights":                                # plates of 5-25 kg put down and taken off
        x, stack = rng.uniform(1, 3), []
        while x < dur - 3:
            if stack and rng.random() < 0.45:
                m = stack.pop()
                F = F - m * G * smoothstep((t - x) / rng.uniform(0.15, 0.5))
            elif len(stack) < 3:
                m = rng.choice([5, 10, 15, 20, 25])
                stack.append(m)
                y = t - x
                F = F + m * G * smoothstep(y / rng.uniform(0.05, 0.3)) + m * G * rng.uniform(0.1, 0.8) * np.where(y > 0, np.exp(-np.maximum(y, 0) / 0.06) * np.sin(2 * np.pi * 9 * y), 0)
            x += rng.uniform(2, 9)
    elif kind in ("step_on", "stand", "shift"):
        x = rng.uniform(1, 3)
        if kind == "step_on":
            while x < dur - 6:
                st = rng.uniform(3, 8)
                on, off = smoothstep((t - x) / rng.uniform(0.3, 0.8)), smoothstep((t - x - st) / rng.uniform(0.3, 0.7))
                y = t - x - 0.5
                F = F + W * (on - off) * (1 + rng.uniform(0.02, 0.12) * np.exp(-np.maximum(y, 0) / 0.3) * np.cos(2 * np.pi * 1.5 * y) * (y > -0.2))
                x += st + rng.uniform(3, 7)
        else:
            F = np.full(n, W * rng.uniform(0.4, 0.6) if kind == "shift" else W)
        sw = rng.uniform(0.002, 0.006)
        F = F * (1 + bandnoise(rng, n, fs, 0.2, 1.5, sw) + bandnoise(rng, n, fs, 4, 9, 0.001))
        if kind == "shift":                                # weight goes from leg to leg, slowly, and stays
            lev, x = 0.0, 3.0
            while x < dur - 5:
                new = rng.uniform(-0.12, 0.12)
                F = F + W * (new - lev) * smoothstep((t - x) / rng.uniform(0.6, 2.0))
                lev = new
                x += rng.uniform(4, 9)
    elif kind == "walk":
        x = rng.uniform(1, 3)
        while x < dur - 2:
            c = rng.uniform(0.55, 0.75)
            u = np.clip((t - x) / c, 0, 1)
            F = F + W * np.sin(np.pi * u) ** 0.6 * (1 + 0.25 * np.cos(4 * np.pi * u - np.pi)) * ((u > 0) & (u < 1)) * 0.95
            x += rng.uniform(3, 10)
    return t, np.maximum(gaussian_filter1d(F, 0.006 * fs), 0)
