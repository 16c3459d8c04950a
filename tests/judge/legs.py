#!/usr/bin/python3
"""legs.py SEED DIR: 120 recordings of hip thrusts and bridges with truth, other ones for each seed (20 s). The physics are in legs.c,
which is compiled into DIR: trunk, thigh, shank and bar by Lagrange about a bench that gives way, a floor after Hunt and Crossley, a leg
whose drive is activated and loses force with speed, or follows a profile. Truth: from a second run without jitter, tremor and what is no rep."""
import ctypes as C
import os
import subprocess
import sys
from multiprocessing import Pool

import numpy as np
from core import G, rate_class, smoothstep as ss, write
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

HERE = os.path.dirname(os.path.abspath(__file__))
FS = 2000.0


def lib(folder):
    so, src = os.path.join(folder, "legs.so"), os.path.join(HERE, "legs.c")
    if not os.path.exists(so) or os.path.getmtime(so) < os.path.getmtime(src):
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", so, src, "-lm"], check=True)
    return C.CDLL(so)


D = C.c_double


class P(C.Structure):
    _fields_ = [("th0", D), ("dth", D), ("nt", C.c_int), ("T", C.POINTER(D))] + [(k, D) for k in
               "dt M0 Vref kp kd tau_on tau_off qrest zc kf nf lam cst thmax ks cs mb kb cb rbref Mtot xf zf qmax vmax g".split()]


class S(C.Structure):
    _fields_ = [(k, D) for k in "th v q zb vb ab F N t".split()]


# ---- body -------------------------------------------------------------------------------------------------------------------------
class Body:
    """Trunk turns about the support P (upper back); hip on a circle; thigh and shank close the chain to a fixed ankle."""

    def __init__(s, rng, ex, one_leg, mass, bar):
        H = float(np.clip(1.72 + 0.0025 * (mass - 75) + rng.normal(0, 0.06), 1.5, 1.98))
        s.mass, s.bar, s.H, s.one = mass, bar, H, one_leg
        Lth, Lsh, Lt = 0.243 * H * rng.uniform(.96, 1.04), 0.246 * H * rng.uniform(.96, 1.04), 0.262 * H * rng.uniform(.94, 1.06)
        bridge = ex == "glute_bridge"
        hf = rng.uniform(0.09, 0.125) * (mass / 75) ** .3          # hip joint over the floor when sitting
        hp = (hf + rng.uniform(-0.025, 0.0)) if bridge else rng.uniform(0.34, 0.44) + rng.uniform(0.03, 0.07)
        plate = rng.choice([0, 0.04, 0.08, 0.12 if bridge and one_leg else 0.04])
        ank = plate + 0.085
        ztop = hp + (rng.uniform(0.42, 0.55) * Lt if bridge else rng.uniform(-0.03, 0.04))
        zfl = hf
        th = lambda z: np.arcsin(np.clip((z - hp) / Lt, -.98, .98))
        s.thtop, s.thfl = float(th(ztop)), float(th(zfl))
        # ankle: shank about upright at the top
        xh = Lt * np.cos(s.thtop)
        zk = ank + Lsh * 0.99
        dz = zk - ztop
        xk = xh + np.sqrt(max(Lth ** 2 - dz ** 2, (0.3 * Lth) ** 2))
        xa = xk + rng.uniform(-0.06, 0.07)
        lim = 0.985 * (Lth + Lsh)
        for zz, tt in ((zfl - .04, s.thfl), (ztop + .05, s.thtop)):   # the chain must close at both ends
            x0 = Lt * np.cos(tt)
            xa = min(xa, x0 + np.sqrt(max(lim ** 2 - (zz - ank) ** 2, .01)))
        t = np.linspace(s.thfl - 0.17, s.thtop + 0.25, 1600)
        hx, hz = Lt * np.cos(t), hp + Lt * np.sin(t)
        dx, dz = xa - hx, ank - hz
        d = np.clip(np.hypot(dx, dz), 1e-3, Lth + Lsh - 1e-4)
        al = np.arctan2(dz, dx) + np.arccos(np.clip((Lth ** 2 + d ** 2 - Lsh ** 2) / (2 * Lth * d), -1, 1))
        kx, kz = hx + Lth * np.cos(al), hz + Lth * np.sin(al)
        sa = np.arctan2(ank - kz, xa - kx)
        mt, mth, msh, mft = 0.578 * mass, 0.105 * mass, 0.0465 * mass, 0.0145 * mass   # trunk+head+arms; one leg's
        ct = rng.uniform(0.10, 0.36)                                # centre of trunk, head and arms from the shoulders, of Lt
        if bridge:
            ct = rng.uniform(0.3, 0.45)
        s.items = []
        add = lambda m, x, z, phi, i: s.items.append((m, x, z, phi, i))
        add(mt, ct * hx, hp + ct * (hz - hp) + rng.uniform(-.03, .02), t, mt * (0.42 * Lt) ** 2)
        k = 1 if one_leg else 2
        add(k * mth, hx + .43 * (kx - hx), hz + .43 * (kz - hz), al, k * mth * (.32 * Lth) ** 2)
        add(k * msh, kx + .43 * (xa - kx), kz + .43 * (ank - kz), sa, k * msh * (.3 * Lsh) ** 2)
        add(k * mft, np.full_like(t, xa + 0.05), np.full_like(t, ank - .05), 0 * t, 0)
        if one_leg:
            ml = mth + msh + mft
            if rng.random() < .5:                                   # free leg straight, in line with the working thigh
                add(ml, hx + .42 * (Lth + Lsh) * np.cos(al * .7), hz + .42 * (Lth + Lsh) * np.sin(al * .7), al * .7, ml * .06)
            else:                                                   # tucked over the belly
                a = rng.uniform(1.5, 2.0)
                add(ml, hx + .5 * Lth * np.cos(a) + .05, hz + .5 * Lth * np.sin(a), 0 * t, 0)
        if bar:
            add(bar, hx + rng.uniform(.0, .05), hz + .1, 0 * t, 0)
        g = lambda y: np.gradient(y, t, edge_order=2)
        xfo = xa + rng.uniform(.02, .08)
        M = h1 = S1 = gx = Ve = W = M2 = X = 0
        for m, x, z, phi, i in s.items:
            x1, z1, p1 = g(x), g(z), g(phi)
            M = M + m * (x1 ** 2 + z1 ** 2) + i * p1 ** 2
            h1 = h1 + m * (x * z1 - (z - hp) * x1) + i * p1
            w = 1 - x / xfo
            S1, W, M2, X = S1 + m * w * z1, W + m * w, M2 + m * w * w, X + m * x * w
            gx = gx + m * G * x
            Ve = Ve + m * G * z1
        s.t, s.hp, s.xf, s.zf = t, hp, xfo, plate - hp
        s.T = np.ascontiguousarray(np.column_stack([M, g(M), Ve, h1, g(h1), gx, hz, g(hz), S1, W, hx, M2, X]))
        s.z, s.Mtot = hz, sum(i[0] for i in s.items)
        s.zc, s.ztop = zfl, ztop
        s.rom = ztop - zfl

    def sound(s):
        m = (s.t > s.thfl - .1) & (s.t < s.thtop + .15)
        M, r = s.T[m, 0], s.static(s.thfl, 0) / s.static(s.thtop, 0)
        return s.thfl > -1.02 and M.max() / M.min() < 2.6 and .5 < r < 1.2 and np.abs(s.T[m, 1]).max() < 3 * M.max()

    def at(s, th, c):
        return float(np.interp(th, s.t, s.T[:, c]))

    def th_of(s, z):
        return float(np.interp(z, s.z, s.t))

    def static(s, th, mu):
        return s.at(th, 5) / (s.xf - s.zf * mu)


# ---- velocity profiles: position 0..1 over n samples ---------------------------------------------------------------------------------
def profile(rng, kind, n, endv=0.0):
    x = (np.arange(n) + .5) / n
    if kind == "beta":
        a, b = np.exp(rng.uniform(np.log(.9), np.log(3.5), 2))
        v = x ** a * (1 - x) ** b
    elif kind == "double":
        c1, c2 = rng.uniform(.18, .32), rng.uniform(.62, .82)
        w1, w2 = rng.uniform(.08, .13, 2)
        v = np.exp(-((x - c1) / w1) ** 2 / 2) + rng.uniform(.5, 1.4) * np.exp(-((x - c2) / w2) ** 2 / 2) + .12 * np.sin(np.pi * x)
    elif kind == "stick":
        v = np.sin(np.pi * x) ** .9
        c, w, d = rng.uniform(.35, .7), rng.uniform(.05, .12), rng.uniform(.7, .97)
        v = v * (1 - d * np.exp(-((x - c) / w) ** 4))
    elif kind == "creep":
        c = rng.uniform(.25, .5)
        v = .12 * np.clip(x / .08, 0, 1) + np.where(x > c, np.sin(np.pi * np.clip((x - c) / (1 - c), 0, 1)) ** 1.3, 0)
        v *= np.clip((1 - x) / .06, 0, 1)
    elif kind == "sub":                                             # overlapping submovements
        v = 0 * x
        k = rng.integers(2, 6)
        for c in np.linspace(.22, .78, k) + rng.uniform(-.06, .06, k):
            w = rng.uniform(.18, .24)
            u = np.clip((x - c) / w * .5 + .5, 0, 1)
            v += rng.uniform(.4, 1.3) * 30 * u ** 2 * (1 - u) ** 2
    elif kind == "lognormal":
        m, sg = np.log(rng.uniform(.28, .5)), rng.uniform(.22, .5)
        v = np.exp(-(np.log(x) - m) ** 2 / (2 * sg * sg)) / x
        v *= np.clip((1 - x) / .15, 0, 1)
    else:                                                           # one over f
        w = np.cumsum(rng.standard_normal(60))
        w = np.interp(np.linspace(0, 59, n), np.arange(60), w - np.linspace(w[0], w[-1], 60))
        v = np.sin(np.pi * x) * np.exp(.35 * (w - w.mean()) / (w.std() + 1e-9))
    v = v / v.sum()
    if endv:                                                        # arrives with speed: the end is cut off
        k = int(n * (1 - .35 * endv))
        v = np.interp(np.linspace(0, k / n, n), x, v)
    sg = max(2, min(.03 * FS, .06 * n))
    pad = int(4 * sg)
    v = gaussian_filter1d(np.concatenate([np.zeros(pad), v, (np.full(pad, v[-1]) if endv else np.zeros(pad))]), sg)
    v = v[pad // 2: n + pad + (0 if endv else pad // 2)]
    s = np.cumsum(v)
    return s / s[-1]


PROF = ["beta", "double", "stick", "creep", "sub", "lognormal", "pink"]


def pink(rng, n, beta, lo, hi):
    f = np.fft.rfftfreq(n, 1 / FS)
    a = np.where((f >= lo) & (f <= hi), np.maximum(f, lo) ** (-beta / 2), 0)
    y = np.fft.irfft(a * np.exp(2j * np.pi * rng.random(f.size)), n)
    return y / (y.std() + 1e-12)


# ---- a set ---------------------------------------------------------------------------------------------------------------------------
class Run:
    def __init__(s, rng, L, b, mu, frest):
        s.rng, s.L, s.b, s.mu = rng, L, b, mu
        s.inp, s.out, s.n = [], [], 0
        p = s.p = P()
        p.th0, p.dth, p.nt = b.t[0], b.t[1] - b.t[0], b.t.size
        p.T = b.T.ctypes.data_as(C.POINTER(D))
        p.dt = 1 / FS
        thm = .5 * (b.thtop + b.thfl)
        M = b.at(thm, 0)
        p.Vref = b.at(thm, 2)
        w, zeta = 2 * np.pi * rng.uniform(1.3, 2.6), rng.uniform(.8, 1.3)
        p.kp, p.kd = M * w * w, 2 * zeta * w * M
        p.tau_on, p.tau_off = rng.uniform(.012, .03), rng.uniform(.015, .04)
        p.zc = b.zc
        p.nf, p.lam = rng.uniform(1.2, 2.0), rng.uniform(1.5, 6)
        arm = b.xf - b.zf * mu
        s.frest = frest
        th0 = b.thfl
        p.qrest = b.at(th0, 2) - b.at(th0, 7) * (b.at(th0, 5) - frest * arm) / b.at(th0, 10)
        N = (b.at(th0, 2) - p.qrest) / b.at(th0, 7)
        d0 = rng.uniform(.008, .028)
        p.kf = N / d0 ** p.nf
        p.cst = rng.uniform(.5, 3) * M
        p.thmax = b.thtop + rng.uniform(.04, .1)
        p.ks, p.cs = p.Vref * rng.uniform(10, 40), M * rng.uniform(2, 8)
        p.mb = rng.uniform(8, 20)
        mm = p.mb + b.at(thm, 11)
        p.kb = mm * (2 * np.pi * rng.uniform(5, 16)) ** 2
        p.cb = 2 * rng.uniform(.08, .35) * np.sqrt(p.kb * mm)
        p.Mtot, p.xf, p.zf, p.g = b.Mtot, b.xf, b.zf, G
        p.qmax, p.vmax = 0, 5
        p.rbref = b.at(thm, 9) * G
        s.st = S()
        s.st.th, s.st.q = b.th_of(b.zc - d0), p.qrest
        s.th_rest = s.st.th
        s.st0 = None
        s.chunk(int(2 * FS), s.st.th, 0, 0, 0, 0, keep=False)
        s.th_rest = s.st.th
        s.st0 = S.from_buffer_copy(s.st)

    def chunk(s, n, thr, vr=0, ar=0, ff=0, gain=0, u=0, stop=0, val=0, val2=0, keep=True):
        n = int(max(1, n))
        a = np.zeros((n, 8))
        for k, x in enumerate((thr, vr, ar, ff, gain, u)):
            a[:, k] = x
        a[:, 6] = s.mu
        o = np.zeros((n, 5))
        pd = lambda y: y.ctypes.data_as(C.POINTER(D))
        m = s.L.run(C.byref(s.p), C.byref(s.st), n, pd(a), stop, D(val), D(val2), pd(o))
        if keep:
            s.inp.append(a[:m])
            s.out.append(o[:m])
            s.n += m
        s.lastff, s.lastgain, s.lastthr, s.lastvr = a[m - 1, 3], a[m - 1, 4], a[m - 1, 0], a[m - 1, 1]
        return m < n

    def slow(s, kind, dur, z0, z1, amax, vmax, endv=0.0):
        """A profile that no joint has to be superhuman for: stretched until its acceleration is possible."""
        st = s.rng.bit_generator.state
        for _ in range(6):
            s.rng.bit_generator.state = st
            p = profile(s.rng, kind, int(dur * FS), endv)
            v = np.gradient(p) * FS * abs(z1 - z0)
            a = np.abs(np.gradient(v) * FS)[int(.03 * FS):-int(.03 * FS)].max()
            f = max(np.sqrt(a / amax), np.abs(v).max() / vmax)
            if f <= 1.001:
                break
            dur *= f * 1.02
        return p

    def ref(s, z0, z1, prof):
        z = z0 + (z1 - z0) * prof
        th = np.interp(z, s.b.z, s.b.t)
        v = np.gradient(th) * FS if th.size > 2 else 0 * th
        a = np.gradient(gaussian_filter1d(v, 8)) * FS if th.size > 2 else 0 * th
        return th, v, a

    def z(s):
        return s.b.at(s.st.th, 6)

    def again(s, jit, tq):
        """The same inputs with human noise."""
        A = np.concatenate(s.inp)
        A[:, 0] += jit * A[:, 4]
        A[:, 7] = tq
        o = np.zeros((len(A), 5))
        st = S.from_buffer_copy(s.st0)
        pd = lambda y: y.ctypes.data_as(C.POINTER(D))
        s.L.run(C.byref(s.p), C.byref(st), len(A), pd(A), 0, D(0), D(0), pd(o))
        return A, o


def one_set(rng, L, b, o, rate):
    """Returns clean F, dirty F, reps (indices), events of rest. o: turn, drive (kin, ballistic), speed limits"""
    mu = rng.uniform(-.16, .04)
    arm = b.xf - b.zf * mu
    legw = o['legw'] * rng.uniform(.93, 1.07) * (1 if b.one else 1.25) * b.mass * G
    r = Run(rng, L, b, mu, legw)
    low = rate < 45
    turn, drive = o["turn"], o["drive"]
    n = o["nreps"]
    r.chunk(rng.uniform(1.6, 3.5) * FS, r.th_rest)
    fat, odd = rng.uniform(0, .07), rng.random() < .35
    if drive == "kin":
        td = float(np.exp(rng.uniform(np.log(.3 if not low else .5), np.log(2.0))))
        if rng.random() < .12:
            td = rng.uniform(2, 4)
    else:
        td = .5
    hold0 = rng.choice([0, rng.uniform(.1, .5), rng.uniform(.5, 1.5), rng.uniform(1.5, 3), rng.uniform(3, 10)], p=[.15, .2, .35, .2, .1])
    if low:
        hold0 = max(hold0, .35)
    tl0 = float(np.exp(rng.uniform(np.log(.45 if not low else .7), np.log(3.0))))
    pause0 = float(np.exp(rng.uniform(np.log(.25 if low else .1), np.log(3.0))))
    floatz = rng.uniform(.12, .4) * b.rom + .008
    pk = rng.choice(PROF, 2)
    zrest = b.at(r.th_rest, 6)
    pre0 = float(np.exp(rng.uniform(np.log(.04), np.log(.5))))
    brake0 = rng.uniform(.0, .6)
    power = rng.uniform(1.7, 2.8) if drive == "ballistic" else 0
    r.p.vmax = rng.uniform(3.5, 9)
    reps = []
    floating = False
    amax = rng.uniform(2.5, 7)
    for k in range(n):
        e = dict(start=r.n, floating=floating, last=k == n - 1)
        f = 1 + fat * k
        ztop = b.ztop + rng.normal(0, .008)
        if odd and k == 0:
            ztop -= rng.uniform(0, .12) * b.rom
        ztop = min(ztop, b.z[-1] - .05)
        tdk = td * f * np.exp(rng.normal(0, .06)) * (rng.uniform(.8, 1.7) if odd and k == 0 else 1)
        z0 = r.z()
        if drive == "kin":
            kind = str(pk[0] if rng.random() < .75 else rng.choice(PROF))
            if k == n - 1 and rng.random() < .3:
                kind, tdk = "stick", tdk * 1.3
            pr = r.slow(kind, tdk, z0, ztop, amax, 1.6)
            th, v, a = r.ref(z0, ztop, pr)
            if not floating and not e.get("bounced") and r.lastff < .5:   # takes the load, then moves
                pre = pre0 * np.exp(rng.normal(0, .15)) * (rng.uniform(1, 2) if odd and k == 0 else 1)
                m = int(pre * FS)
                x = np.linspace(0, 1, m)
                ff = r.lastff + (1 - r.lastff) * (x ** 2 * (3 - 2 * x) if rng.random() < .6 else x ** rng.uniform(.8, 2.5))
                j = int(rng.uniform(.2, 1.0) * m)                       # the movement begins before the load is all taken
                r.chunk(j, r.st.th, 0, 0, ff[:j], ff[:j])
                w = np.concatenate([ff[j:], np.ones(max(0, th.size - (m - j)))])[:th.size]
                w[-1] = 1
                th = th + (r.st.th - th[0]) * np.linspace(1, 0, th.size)
                r.chunk(th.size, th, v, a, w, w)
            else:
                m = min(th.size, int(.08 * FS))
                w = np.concatenate([np.linspace(r.lastff, 1, m), np.ones(th.size - m)])
                w2 = np.concatenate([np.linspace(r.lastgain, 1, m), np.ones(th.size - m)])
                r.chunk(th.size, th, v, a, w, w2)
        else:                                                          # a burst of activation, then what comes
            r.p.qmax = max(1.5, power / f ** .7) * max(b.at(x, 2) for x in np.linspace(b.thfl, b.thtop, 9)) * np.exp(rng.normal(0, .05))
            m = int(FS * 2)
            rise = rng.uniform(.02, .2)
            u = np.clip(np.arange(m) / (rise * FS), 0, 1) ** rng.uniform(.8, 1.6)
            br = float(np.clip(brake0 + rng.normal(0, .08), 0, .7))
            rng.uniform()                                        # keeps what a seed draws
            r.chunk(m, r.st.th, 0, 0, 0, 0, u, stop=3, val=b.th_of(ztop) - .06 * (b.thtop - b.thfl), val2=br)
            r.chunk(.6 * FS, b.th_of(ztop), 0, 0, br, 0.0, stop=2)
            m = int(max(rng.uniform(.15, .45), np.sqrt(5.8 * abs(ztop - r.z()) / 5)) * FS)
            x = np.linspace(0, 1, m)
            th, v, a = r.ref(r.z(), ztop, x ** 3 * (10 - 15 * x + 6 * x * x))
            c = int(min(m, rng.uniform(.03, .12) * FS))
            w = np.concatenate([np.linspace(br, 1, c), np.ones(m - c)])
            r.chunk(m, th, v, a, w, w)
        e["up"] = r.n
        h = hold0 * np.exp(rng.normal(0, .15)) if hold0 > 0 else 0
        if h:
            r.chunk(h * FS, b.th_of(ztop), 0, 0, 1, 1)
        e["desc"] = r.n
        thhold = b.th_of(ztop)
        e["thhold"] = thhold
        # down
        tl = tl0 * np.exp(rng.normal(0, .08))
        tk = "pause" if k == n - 1 else turn
        z0 = ztop
        if tk in ("float", "float_still"):
            zb = b.zc + floatz + rng.normal(0, .006)
            zb = max(zb, b.zc + .012)
            th, v, a = r.ref(z0, zb, r.slow(str(pk[1]), tl, z0, zb, .6 * amax, 1.2))
            r.chunk(th.size, th, v, a, 1, 1)
            e["bottom"] = r.n
            if tk == "float_still":
                r.chunk(rng.uniform(.3, 1.5) * FS, th[-1], 0, 0, 1, 1)
            floating = True
            e["turn"] = tk
        elif tk == "bounce":
            tl = min(tl, rng.uniform(.45, .9))
            th, v, a = r.ref(z0, zrest, r.slow(str(rng.choice(["beta", "lognormal", "sub"])), tl, z0, zrest, max(4, amax), 1.5, rng.uniform(.5, 1)))
            w = np.linspace(1, rng.uniform(.5, .95), th.size)
            r.chunk(th.size, th, v, a, w, w, stop=1)
            if r.z() > b.zc:
                r.chunk(FS, r.th_rest, 0, 0, .7, .4, stop=1)
            e["touch"] = r.n
            give = rng.uniform(.1, .6)
            c = int(rng.uniform(.03, .06) * FS)
            w = np.concatenate([np.linspace(r.lastff, give, c), np.full(int(.4 * FS), give)])
            r.chunk(w.size, r.th_rest, 0, 0, w, .1, stop=4)
            e["turn"] = tk
            floating = False
        else:
            ev = rng.choice([0, rng.uniform(.1, .9)], p=[.5, .5])
            th, v, a = r.ref(z0, zrest, r.slow(str(pk[1]), tl, z0, zrest, .6 * amax, 1.2, ev))
            w, g = np.ones(th.size), np.ones(th.size)
            if o.get("drop"):
                j = int(rng.uniform(.3, .7) * th.size)
                w[j:] = np.linspace(1, rng.uniform(.3, .7), th.size - j)
                g[j:] = .3
            r.chunk(th.size, th, v, a, w, g, stop=1)
            if r.z() > b.zc:                                           # lets itself down
                m = int(.4 * FS)
                r.chunk(m, r.th_rest, 0, 0, np.linspace(r.lastff, .55, m), np.linspace(r.lastgain, .5, m), stop=1)
                r.chunk(FS, r.th_rest, 0, 0, .5, .5, stop=1)
            e["touch"] = r.n
            rel = float(np.exp(rng.uniform(np.log(.05), np.log(.35))))
            pz = pause0 * np.exp(rng.normal(0, .2)) if turn == "pause" else rng.uniform(.05, .3) + (.15 if low else 0)
            if tk == "pause" and k == n - 1:
                pz, rel = rng.uniform(1.5, 4), min(rel, .4)
            if turn == "tng" and k < n - 1:
                rel = rng.uniform(.05, .15)
            m = int(rel * FS)
            x = np.linspace(0, 1, m)
            w = r.lastff * (1 - x * x * (3 - 2 * x))
            q = int(max(.04, pz) * FS)
            w = np.concatenate([w, np.zeros(max(0, q - m))])[:q]
            r.chunk(q, r.th_rest, 0, 0, w, w * .7)
            e["turn"] = "pause" if k == n - 1 else tk
            floating = False
        reps.append(e)
    O = np.concatenate(r.out)
    n = len(O)
    act = gaussian_filter1d(uniform_filter1d(np.concatenate(r.inp)[:, 3], 200), 50)
    jit = pink(rng, n, rng.uniform(1.2, 2.2), .15, 6) * rng.uniform(.0003, .0025) / b.at(b.thtop, 7) * .7
    wob = 0
    if o.get("wobble"):
        wob = pink(rng, n, 0, rng.uniform(.5, 1.2), 2.8) * rng.uniform(.001, .004)
        hold = np.zeros(n)
        for e in reps:
            hold[e["up"]:e["desc"]] = 1
        wob = wob * gaussian_filter1d(hold, .1 * FS) / b.at(b.thtop, 7)
    tq = pink(rng, n, .5, 7, 12) * rng.uniform(.2, 3.0) * arm * act * np.linspace(.7, 1.3, n)
    A, O2 = r.again(jit + wob, tq)
    return dict(F=O[:, 2], Fd=O2[:, 2], z=O[:, 0], v=O[:, 1], N=O[:, 3], z2=O2[:, 0], v2=O2[:, 1], reps=reps, body=b, mu=mu, td=td, tl=tl0, hold=hold0, pause=pause0, prof=[str(x) for x in pk], run=r)


# ---- truth ---------------------------------------------------------------------------------------------------------------------------
def truth_of(q, share):
    F, v, z, b = q["F"] * share, q["v"], q["z"], q["body"]
    R = q["reps"]
    fs = FS
    for k, e in enumerate(R):
        sup = b.static(e["thhold"], q["mu"]) * share
        e["sup"] = sup
    # levels below
    for k, e in enumerate(R):
        s0 = e["start"]
        if k == 0 or (R[k - 1]["turn"] == "pause"):
            w = F[max(0, s0 - int(.15 * fs)): s0]
            e["still"] = bool(w.size and np.ptp(w) < 3 and (k == 0 or s0 - R[k - 1]["touch"] > .2 * fs))
            e["rest"] = float(np.mean(w[-int(.1 * fs):]))
        else:
            e["still"] = False
            e["rest"] = None
        if not e["still"]:
            p = R[k - 1]
            a = p.get("touch", p.get("bottom", p["desc"]))
            mid = e["start"] + int(.6 * (e["up"] - e["start"]))
            if p["turn"].startswith("float"):
                # the turn: the hips at their lowest
                lo = p["desc"] + int(np.argmin(z[p["desc"]:mid]))
                zz = z[lo]
                # the longest time for which they do not move, near their lowest
                sl = np.concatenate([[0], ((np.abs(v[p["desc"]:mid]) < .012) & (z[p["desc"]:mid] < zz + .02)).astype(int), [0]])
                on, off = np.flatnonzero(np.diff(sl) > 0), np.flatnonzero(np.diff(sl) < 0)
                t0 = t1 = lo
                if on.size:
                    j = int(np.argmax(off - on))
                    t0, t1 = p["desc"] + int(on[j]), p["desc"] + int(off[j])
                e["turnpt"] = (lo, t0, t1)
                # a standstill, meant or not
                e["rest"] = float(np.mean(F[(t0 + t1) // 2:t1])) if t1 - t0 >= .25 * fs else None
            else:
                ft = F[a:mid]
                # the least force between touch and the drive: before the force first rises over half of the step for good
                half = np.flatnonzero(ft[::-1] < np.min(ft) + .35 * (e["sup"] - np.min(ft)))
                last = ft.size - half[0] if half.size else ft.size
                lo = a + int(np.argmin(F[a:a + last]))
                e["low"] = lo
                e["rest"] = float(F[lo])
    R0 = R[0]["rest"]
    # the foot's own resting level, of the last quiet stretch
    level = R0
    for e in R:
        if e["still"]:
            level = e["rest"]
        e["floor"] = level
    for k, e in enumerate(R):
        step = e["sup"] - e["floor"]
        # onset
        if e["rest"] is None:
            e["onset"] = e["turnpt"][0]
        else:
            hi = e["rest"] + .5 * (e["sup"] - e["rest"])
            up = np.flatnonzero(F[e.get("low", e["start"]):e["up"]] > hi)
            if "turnpt" in e:                                      # standstill above the floor: the force leaves its level, up or down
                c = (e["turnpt"][1] + e["turnpt"][2]) // 2
                off = np.flatnonzero(np.abs(F[c:e["up"]] - e["rest"]) > 5)
                up = np.flatnonzero(v[c:e["up"]] > .03)             # a bridge may start so evenly that the force hardly tells
                e["onset"] = c + min(int(off[0]) if off.size else e["turnpt"][2] - c, int(up[0]) if up.size else 1 << 30)
            else:
                i = e.get("low", e["start"]) + (int(up[0]) if up.size else 0)
                j = i
                lim = e.get("low", e["start"] - int(.1 * fs))
                lv = e["rest"]
                if not e["still"] and lv < e["floor"] - 5:         # bounced under rest: leaves the resting band
                    lv = e["floor"]
                while j > lim and F[j] > lv + 5:
                    j -= 1
                e["onset"] = j + 1
    for k, e in enumerate(R):
        step = e["sup"] - e["floor"]
        tol = max(2.0, .02 * step)
        # top
        up = e["up"]
        zt = z[e["onset"]:(e["touch"] if "touch" in e else e["bottom"])]
        if e["desc"] - e["up"] < .12 * fs:
            tp = de = e["onset"] + int(np.argmax(zt))
        else:
            # static: force within tolerance of the held one
            w = F[e["onset"]:e["desc"]]
            bad = np.flatnonzero(np.abs(w - e["sup"]) > tol)
            tp = e["onset"] + (int(bad[-1]) + 1 if bad.size else 0)
            w = F[e["desc"] - 1:e.get("touch", e.get("bottom", 0))]
            bad = np.flatnonzero(np.abs(w - e["sup"]) > tol)
            de = e["desc"] - 1 + (int(bad[0]) if bad.size else 0)
            if de - tp < .12 * fs:                               # never settled, or hardly
                tp = de = max(e["onset"] + 1, e["onset"] + int(np.argmax(zt)))
        e["top"], e["descent"] = tp, de
        # end
        nxt = R[k + 1]["onset"] if k + 1 < len(R) else F.size
        if e["turn"].startswith("float"):
            lo, t0, t1 = R[k + 1]["turnpt"]
            if R[k + 1]["rest"] is None:
                e["end"] = lo
            else:
                e["end"] = min(t0, nxt)
        else:
            thr = e["floor"] + .1 * step
            below = F <= thr
            a = e["touch"]
            hit = np.flatnonzero(below[a:nxt])
            if hit.size:
                i = a + int(hit[0])
                while i > e["descent"] and below[i - 1]:
                    i -= 1
                e["end"] = i
            else:
                if k + 1 < len(R) and "low" in R[k + 1]:
                    e["end"] = R[k + 1]["low"]
                else:
                    e["end"] = nxt
            e["end"] = min(e["end"], nxt)
    return [(e["onset"], e["top"], e["descent"], e["end"], e["turn"]) for e in R]


# ---- a recording ------------------------------------------------------------------------------------------------------------------------
RATES = [20, 40, 80, 87.5, 100, 160, 250, 500, 1000, 2000]

PLAN = ([("pause", "kin")] * 10 + [("tng", "kin")] * 6 + [("bounce", "kin")] * 4 + [("float", "kin")] * 4 + [("float_still", "kin")] * 4 +
        [("pause", "ballistic")] * 6 + [("tng", "ballistic")] * 3 + [("bounce", "ballistic")] * 2 + [("float", "ballistic")] * 1)
EX = ["single_leg_hip_thrust", "single_leg_hip_thrust", "barbell_hip_thrust", "glute_bridge"]
SHORT = {"single_leg_hip_thrust": "single", "barbell_hip_thrust": "barbell", "glute_bridge": "bridge"}
NREC = 120


def stepping_on(rng, frest, heavy, mass):
    """Before the set: plate empty, foot set down and shifted. Returns force, ends at frest."""
    F = [np.zeros(int(rng.uniform(1, 3) * FS))]
    if heavy:                                            # walks across the plate first
        n = int(rng.uniform(.6, .9) * FS)
        x = np.linspace(0, 1, n)
        w = mass * G * rng.uniform(.9, 1.0)
        f = w * np.clip(1.55 * np.sin(np.pi * x) ** .7 - .55 * np.sin(np.pi * x) ** 4 * 1.0 + .12 * np.sin(3 * np.pi * x), 0, None)
        F += [f, np.zeros(int(rng.uniform(4, 8) * FS))]
    n = int(rng.uniform(.1, .4) * FS)
    x = np.linspace(0, 1, n)
    over = rng.uniform(0, .5)
    F.append(frest * (ss(x) + over * np.sin(np.pi * x) ** 2))
    n = int(rng.uniform(2.0, 4.5) * FS)
    t = np.arange(n) / FS
    f = np.full(n, frest)
    if rng.random() < .4:                                # slides the foot to its place
        t0, w = rng.uniform(.3, .8), rng.uniform(.1, .3)
        f = f * (1 - rng.uniform(.2, .9) * np.exp(-((t - t0) / w) ** 2) * np.clip((n / FS - t) / .8, 0, 1) * ss(t / .2))
    F.append(f)
    return np.concatenate(F)


def place(rng, frest):
    """Lifts the foot and puts it down again: addition to a resting force."""
    a, g, o = rng.uniform(.1, .3), rng.uniform(.2, .8), rng.uniform(.06, .18)
    n = int((a + g + o + .25) * FS)
    t = np.arange(n) / FS
    m = -ss(t / a) + ss((t - a - g) / o)
    t1 = t - a - g
    return frest * m + np.where(t1 > 0, rng.uniform(5, 50) * np.sin(np.clip(t1 / .09, 0, 1) * np.pi) ** 2, 0) * ss(t1 / .03)


def free_leg(rng, mass):
    """Free leg swings at rest: the body rocks, the foot feels some of it; momentum is balanced."""
    T = rng.uniform(.4, 1.2)
    n = int(T * FS)
    x = np.linspace(0, 1, n)
    A = rng.uniform(.01, .035) * mass * G * rng.choice([-1, 1])
    return A * np.sin(2 * np.pi * x) * np.sin(np.pi * x) ** 2 * rng.uniform(.6, 1.2) + .25 * A * np.sin(np.pi * x) ** 2


def make(job):
    seed, out, i = job
    rng = np.random.default_rng([seed, 77, i])
    L = lib(out)
    L.run.restype = C.c_int
    perm = np.random.default_rng([seed, 5]).permutation(NREC)
    j = int(perm[i])
    turn, drive = PLAN[j % len(PLAN)]
    ex = EX[(j // 3) % len(EX)]
    rate = float(RATES[int(np.random.default_rng([seed, 6]).permutation(NREC)[i]) % len(RATES)])
    if rate < 45 and turn == "bounce":
        turn = "pause"
    if rate < 30 and drive == "ballistic":
        drive = "kin"
    if ex == "glute_bridge" and drive == "ballistic" and turn == "float":
        turn = "tng"
    mass = rng.uniform(45, 120)
    bar = 0.0
    if ex == "barbell_hip_thrust":
        bar = float(rng.choice([0, rng.uniform(20, 60), rng.uniform(40, 110), rng.uniform(80, 150)]))
        bar = min(bar, 1.9 * mass)
    elif rng.random() < .2:
        bar = rng.uniform(5, 25)
    one = ex == "single_leg_hip_thrust" or (ex == "glute_bridge" and rng.random() < .4)
    plates = 2 if ex == "barbell_hip_thrust" else 1
    nsets = 2 if rng.random() < .3 else 1
    share = 1.0 if one else (rng.uniform(.44, .56) if plates == 2 else (1.0 if rng.random() < .5 else .5))
    for _ in range(40):                                  # until the joints stay inside their range
        b = Body(rng, ex, one, mass, bar)
        if b.sound():
            break
    else:
        raise SystemExit("no body")
    side = str(rng.choice(["left", "right"]))
    sepby = str(rng.choice(["rest", "mark", "side"])) if plates == 1 and one else ("rest" if plates == 2 else str(rng.choice(["rest", "mark"])))
    P_ = {"plate": share} if plates == 1 else {"left": share, "right": 1 - share}
    Fc, Fd, truth, marks, info, pos = [], [], [], [(0.0, "exercise", ex)], [], 0
    if plates == 1:
        marks.append((0.0, "side", side if one else "both"))
    heavy = rng.random() < .08
    opts = dict(turn=turn, drive=drive, legw=rng.uniform(.05, .13), wobble=rng.random() < .35, drop=rng.random() < .15)
    zs = []
    for k in range(nsets):
        q = one_set(rng, L, b, dict(opts, nreps=int(rng.integers(3, 11)) if rate < 1000 else int(rng.integers(3, 7))), rate)
        fr = float(q["F"][0])
        if k == 0:
            pre = stepping_on(rng, fr, heavy, mass) if rng.random() < .6 or heavy else np.zeros(0)
        else:
            # foot off, rest, foot on again, or stays with a change of its load
            f0 = float(Fc[-1][-1])
            gap = rng.uniform(30, 37) if sepby == "rest" else rng.uniform(6, 14)
            n = int(gap * FS)
            t = np.arange(n) / FS
            if rng.random() < .5 or sepby == "side":
                off, on = .6, rng.uniform(2.2, 3.2)
                pre = f0 * (1 - ss((t - off) / .3)) + fr * ss((t - (t[-1] - on)) / rng.uniform(.12, .3))
            else:
                pre = f0 + (fr - f0) * ss((t - 1.5) / .8)
                if sepby != "rest":
                    for _ in range(int(rng.integers(0, 3))):
                        x = free_leg(rng, mass) if one else .5 * free_leg(rng, mass)
                        c = int(rng.uniform(3, max(3.1, gap - 3.2)) * FS)
                        pre[c:c + x.size] += x
            if sepby == "mark":
                marks.append(((pos + n * .5) / FS, "side", side if one else "both"))   # said again: a new set
            if sepby == "side":
                side = "left" if side == "right" else "right"
                marks.append(((pos + n * .6) / FS, "side", side))
        Fc.append(pre)
        Fd.append(pre)
        pos += pre.size
        F, Fdirty = q["F"].copy(), q["Fd"].copy()
        dist = np.zeros(F.size)
        # what happens between reps
        tr = {p: truth_of(dict(q, reps=[dict(e) for e in q["reps"]]), s) for p, s in P_.items()}
        t0 = next(iter(tr.values()))
        for a, c in zip(t0[:-1], t0[1:]):
            gapn = c[0] - a[3]
            if a[4] == "pause" and gapn > 2.6 * FS and rng.random() < .3:
                x = place(rng, fr)
                if x.size < gapn - 1.5 * FS:
                    c0 = a[3] + int(.7 * FS)
                    dist[c0:c0 + x.size] += x
            elif a[4] == "pause" and gapn > 1.6 * FS and one and rng.random() < .25:
                x = free_leg(rng, mass) * .7
                if x.size < gapn - 1.1 * FS:
                    c0 = a[3] + int(.5 * FS)
                    dist[c0:c0 + x.size] += x
        if k == 0 and pre.size and rng.random() < .3 and one:
            x = free_leg(rng, mass)
            if t0[0][0] > x.size + 1.2 * FS:
                dist[int(.1 * FS):int(.1 * FS) + x.size] += x
        Fdirty = np.maximum(Fdirty + dist, 0)
        for p, rows in tr.items():
            for on, tp, de, en, tn in rows:
                sd = p if plates == 2 else (side if one else "both")
                truth.append(dict(exercise=ex, plate=p, side=sd, set=k + 1, onset_s=(pos + on) / FS, top_s=(pos + tp) / FS, descent_s=(pos + de) / FS,
                                  end_s=(pos + en) / FS, turn=tn, drive_s=(tp - on) / FS, hold_len_s=(de - tp) / FS, note=""))
        Fc.append(F)
        Fd.append(Fdirty)
        zs.append((pos, q))
        pos += F.size
        info.append({k: q[k] for k in ("td", "tl", "hold", "pause", "prof")})
    tail = np.full(int(rng.uniform(.5, 3) * FS), float(Fd[-1][-1]))
    Fd.append(tail)
    Fc.append(tail)
    Fall = np.concatenate(Fd)
    n = Fall.size
    t = np.arange(n) / FS
    if plates == 2:
        w = np.clip(share + pink(rng, n, 1.5, .03, .6) * rng.uniform(.002, .012), .3, .7)
        sig = {"left": Fall * w, "right": Fall * (1 - w)}
    else:
        sig = {"plate": Fall * share}
    noise = float(np.exp(rng.uniform(np.log(.2), np.log(3))))
    quantum = float(rng.choice([0, .01, .05, .2, 1.0]))
    drift = float(rng.choice([0, .4, 2, 6]) * rng.uniform(-1, 1))
    tare = float(rng.choice([0, 0, 4, 15]) * rng.uniform(-1, 1))
    hum = float(rng.choice([0, 0, .8]) * rng.uniform(.3, 1))
    ns = int((n - 2) / FS * rate)
    ts = np.arange(ns) / rate
    if rng.random() < .2:
        ts = ts + rng.uniform(-.08, .08, ns) / rate
        ts -= ts[0]
    cols = {}
    for p, f in sig.items():
        f = f + 0
        if rate < 150:                                    # the converter averages over half or all of its period
            f = uniform_filter1d(f, max(1, int(rng.choice([.5, 1.0]) * FS / rate)))
        elif rate < 1500:
            f = gaussian_filter1d(f, .2 * FS / rate)
        y = np.interp(ts, t, f) + tare + drift * ts / 60 * (1 + .3 * np.sin(ts / 17)) + hum * np.sin(2 * np.pi * 50 * ts)
        y = y + noise * rng.standard_normal(ns)
        if quantum:
            y = np.round(y / quantum) * quantum
        cols[("" if p == "plate" else p + ".") + "force"] = y
    truth.sort(key=lambda r: (r["plate"], r["onset_s"]))
    fam = "%s/%s%s" % (SHORT[ex], turn, "_ball" if drive == "ballistic" else "")
    name = "%s_%03d" % (fam.replace("/", "-"), i)
    meta = dict(family=fam, rate=rate, rate_class=rate_class(rate), exercise=ex, seed=[seed, i], lost=0, samples=ns, set=str(seed), noise=noise, quantum=quantum,
                drift=drift, tare=tare, hum=hum, turn=turn, drive=drive, mass=mass, bar=bar, one=bool(one), share=float(share), info=info, heavy=bool(heavy),
                sep=sepby if nsets == 2 else "", wobble=bool(opts["wobble"]), drop=bool(opts["drop"]), rom=b.rom)
    write(out, name, ts, cols, marks, truth, meta)
    return name


def main():
    if len(sys.argv) != 3 or not sys.argv[1].isdigit():
        sys.exit(__doc__)
    seed, out = int(sys.argv[1]), sys.argv[2]
    os.makedirs(out, exist_ok=True)
    for f in os.listdir(out):
        if f.endswith((".csv", ".json")):
            os.unlink(os.path.join(out, f))
    lib(out)
    with Pool(2) as p:
        names = list(p.imap_unordered(make, [(seed, out, i) for i in range(NREC)], 4))
    print("%d recordings in %s" % (len(names), out))


if __name__ == "__main__":
    main()
