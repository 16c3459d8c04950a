"""Two-dimensional rigid-link hip thrust (own equations; independent of the project's simulator).

Generalised coordinate q = height of the hip joint (m). The trunk turns about the bench edge (or the shoulders on the floor: glute
bridge), thigh and shank follow from the fixed ankle (two circles). Foot force from the moment balance of the whole body about the
pivot, the foot force pointing in direction (kappa, 1), the floor under the hips as a Hunt-Crossley or Kelvin-Voigt contact."""
import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.special import betainc

G = 9.81


class Body:
    def __init__(self, rng, mass, load=0.0, bridge=False, legs=1, free="straight", contact="hc"):
        H = 1.2 + 0.0 * mass + rng.uniform(0.36, 0.72)
        self.mass, self.load, self.legs = mass, load, legs
        d = rng.uniform(0.235, 0.27) * H if not bridge else rng.uniform(0.27, 0.31) * H
        hb = rng.uniform(0.38, 0.46) if not bridge else rng.uniform(0.06, 0.10)
        lt, ls, ha = 0.245 * H, 0.246 * H, 0.039 * H
        q0 = rng.uniform(0.09, 0.13)                       # hip joint above the floor, sitting on it
        qtop = hb + rng.uniform(-0.02, 0.03) if not bridge else q0 + rng.uniform(0.15, 0.24)
        xh = lambda q: np.sqrt(np.maximum(d * d - (q - hb) ** 2, 1e-4))
        knee_top = ha + ls * 0.995
        xa = xh(qtop) + np.sqrt(max(lt * lt - (knee_top - qtop) ** 2, 0.02)) + rng.uniform(-0.05, 0.03)
        if bridge:
            xa = xh(qtop) + np.sqrt(max((0.93 * (lt + ls)) ** 2 * rng.uniform(0.35, 0.6), 0.06))
        q = np.linspace(q0 - 0.05, max(qtop, q0) + 0.08, 440)
        hip = np.stack([xh(q), q])
        ank = np.stack([np.full_like(q, xa), np.full_like(q, ha)])
        v = ank - hip
        D = np.minimum(np.hypot(*v), 0.999 * (lt + ls))
        a = (lt * lt - ls * ls + D * D) / (2 * D)
        h = np.sqrt(np.maximum(lt * lt - a * a, 1e-6))
        e = v / np.hypot(*v)
        knee = hip + a * e + h * np.stack([-e[1], e[0]])   # knee above the line
        u = (np.array([[0.0], [hb]]) - hip) / d            # hip -> bench
        hat = hip + rng.uniform(0.30, 0.36) * (H / 1.75) * u
        parts = [(0.678 * mass, hat)]
        for _ in range(legs):
            parts += [(0.100 * mass, hip + 0.433 * (knee - hip)), (0.0465 * mass, knee + 0.433 * (ank - knee)),
                      (0.0145 * mass, ank + np.array([[0.06], [-0.03]]))]
        if legs == 1:
            fl = hip - 0.37 * (H / 1.75) * u if free == "straight" else hip + 0.2 * (knee - hip) + np.array([[0], [0.12]])
            parts.append((0.161 * mass, fl))
        if load > 0:
            parts.append((load, hip + np.array([[0.0], [0.09]])))
        psi = np.arctan2(hb - hip[1], hip[0])              # trunk angle
        I = 0.678 * mass * 0.27 ** 2
        self.q, self.q0, self.qtop = q, q0, qtop
        xf = xa + rng.uniform(0.02, 0.07)
        self.kappa = rng.uniform(-0.05, 0.10)
        den = xf + self.kappa * hb
        # moment about pivot / den = A0(q) + A1(q) qdd + A2(q) qd^2
        A0 = A1 = A2 = 0.0
        for m, r in parts:
            sx, sy = CubicSpline(q, r[0]), CubicSpline(q, r[1])
            X, Y = r[0], r[1] - hb
            A0 = A0 + m * G * X
            A1 = A1 + m * (X * sy(q, 1) - Y * sx(q, 1))
            A2 = A2 + m * (X * sy(q, 2) - Y * sx(q, 2))
        sp = CubicSpline(q, psi)
        A1, A2 = A1 - I * sp(q, 1), A2 - I * sp(q, 2)
        self.s0, self.s1, self.s2 = A0 / den, A1 / den, A2 / den
        self.sc = hip[0] / den
        self.M = sum(m * (CubicSpline(q, r[0])(q, 1) ** 2 + CubicSpline(q, r[1])(q, 1) ** 2) for m, r in parts) + I * sp(q, 1) ** 2
        self.Gq = sum(m * G * CubicSpline(q, r[1])(q, 1) for m, r in parts)
        self.contact = contact
        self.rest = rng.uniform(0.05, 0.15) * mass * G * (1 if legs == 1 else 1.6)
        self.rest = min(self.rest, 0.55 * np.interp(q0, q, self.s0))
        self.set_floor(rng.uniform(0.006, 0.022), rng.uniform(0.3, 1.5))

    def set_floor(self, delta0, c):
        self.delta0, self.c = delta0, c
        self.Fc0 = (np.interp(self.q0, self.q, self.s0) - self.rest) / np.interp(self.q0, self.q, self.sc)
        self.k = self.Fc0 / delta0 ** 1.5 if self.contact == "hc" else self.Fc0 / delta0

    def floor(self, q, qd):
        dl = np.maximum(self.q0 + self.delta0 - q, 0.0)
        if self.contact == "hc":
            return np.maximum(self.k * dl ** 1.5 * (1 - 1.5 * self.c * qd), 0.0)
        return np.where(dl > 0, np.maximum(self.k * dl - 0.05 * self.c * self.k * np.minimum(dl / 0.003, 1) * qd * 0.5, 0.0), 0.0)

    def foot(self, q, qd, qdd, Fc=None):
        f = lambda a: np.interp(q, self.q, a)
        Fc = self.floor(q, qd) if Fc is None else Fc
        return f(self.s0) + f(self.s1) * qdd + f(self.s2) * qd * qd - f(self.sc) * Fc

    def static(self, q):
        return float(np.interp(q, self.q, self.s0) - np.interp(q, self.q, self.sc) * self.floor(np.array(q), 0.0))


# ---- displacement profiles s(x), x in 0..1 ----------------------------------------------------------------------------------------
def _norm(v):
    s = np.concatenate([[0], np.cumsum((v[1:] + v[:-1]) / 2)])
    return s / s[-1]


def profile(rng, kind, n):
    x = np.linspace(0, 1, n)
    if kind == "cosine":
        return (1 - np.cos(np.pi * x)) / 2
    if kind == "minjerk":
        return x ** 3 * (10 - 15 * x + 6 * x * x)
    if kind == "beta":
        return betainc(rng.uniform(2.2, 3.6), rng.uniform(2.2, 3.6), x)
    if kind == "spline":                                   # velocity through random knots
        k = np.linspace(0, 1, rng.integers(5, 8))
        v = np.sin(np.pi * k) ** 1.2 * rng.uniform(0.75, 1.25, k.size)
        v[[0, -1]] = 0
        return _norm(np.maximum(CubicSpline(k, v, bc_type="clamped")(x), 0))
    if kind == "logistic":
        w, c = rng.uniform(0.4, 1, 2), np.array([rng.uniform(0.32, 0.42), rng.uniform(0.55, 0.66)])
        a = rng.uniform(9, 13, 2)
        s = sum(wi / (1 + np.exp(-ai * (x - ci))) for wi, ci, ai in zip(w, c, a))
        v = np.gradient(s) * np.minimum(1, np.minimum(x, 1 - x) / 0.12) ** 2
        return _norm(v)
    if kind == "sticking":                                 # nearly stops half-way up: two pushes
        k, c, w = rng.uniform(0.5, 0.85), rng.uniform(0.4, 0.6), rng.uniform(0.1, 0.16)
        return _norm(np.sin(np.pi * x) ** 2 * (1 - k * np.exp(-((x - c) / w) ** 2)))
    # held only
    if kind == "snap":
        return x ** 4 * (35 - 84 * x + 70 * x * x - 20 * x ** 3)
    if kind == "gamma":                                    # early peak, long tail
        a = rng.uniform(2.0, 3.0)
        v = x ** a * np.exp(-x * rng.uniform(4.5, 6)) * np.minimum(1, (1 - x) / 0.25) ** 1.5
        return _norm(v)
    if kind == "bang":                                     # trapezoid of velocity, rounded by the muscle
        r1, r2 = rng.uniform(0.25, 0.4), rng.uniform(0.25, 0.4)
        return _norm(np.minimum(1, np.minimum(x / r1, (1 - x) / r2)))
    if kind == "fourier":
        v = np.sin(np.pi * x) ** 2
        for h in (2, 3):
            v = v * (1 + rng.uniform(-0.25, 0.25) * np.sin(h * np.pi * x + rng.uniform(0, 6)))
        return _norm(v)
    raise ValueError(kind)


PEAK_ACC = {"cosine": 4.94, "minjerk": 5.77, "beta": 7.5, "spline": 8, "logistic": 9, "snap": 7.5, "gamma": 11, "bang": 6, "fourier": 9, "sticking": 18}
DEV_PROFILES = ["cosine", "minjerk", "beta", "spline", "logistic"]
HELD_PROFILES = ["snap", "gamma", "bang", "fourier", "beta", "minjerk"]
