#!/usr/bin/python3
"""Holds plate/filter.h against scipy: filter_scipy.py FILTER_DUMP. Exit 0, or 1 and what differs."""
import subprocess
import sys

import numpy as np
from scipy import signal

LIMIT = 1e-9  # of the largest input
RATES_HZ = [10.0, 80.0, 87.5, 1000.0, 4000.0]
CUTOFFS = [0.005, 0.05, 0.25, 0.45]  # of the rate


def inputs(rng, rate_Hz):
    n = 3000
    t = np.arange(n) / rate_Hz
    yield "constant", np.full(n, 712.25)
    yield "step", np.where(np.arange(n) < 100, 80.0, 900.0)
    yield "noise", 500 + 300 * rng.standard_normal(n)
    yield "chirp", -250 + 400 * np.sin(2 * np.pi * rate_Hz / 4 * t * t / t[-1])


def main():
    if len(sys.argv) != 2:
        print("usage: filter_scipy.py FILTER_DUMP", file=sys.stderr)
        return 2
    rng = np.random.default_rng(1)
    worst, cases, failed = 0.0, 0, 0
    for order in (2, 4, 6, 8):
        for rate_Hz in RATES_HZ:
            for cutoff_Hz in (c * rate_Hz for c in CUTOFFS):
                sos = signal.butter(order, cutoff_Hz, fs=rate_Hz, output="sos")
                zi = signal.sosfilt_zi(sos)
                # Group delay at zero: minus the slope of the phase, from the sections' polynomials.
                k = np.arange(3)
                delay = sum((k @ s[:3]) / s[:3].sum() - (k @ s[3:]) / s[3:].sum() for s in sos)
                for name, x in inputs(rng, rate_Hz):
                    want = signal.sosfilt(sos, x, zi=zi * x[0])[0]
                    run = subprocess.run([sys.argv[1], str(order), repr(cutoff_Hz), repr(rate_Hz)],
                                         input=x.tobytes(), capture_output=True, check=True)
                    got = np.frombuffer(run.stdout)
                    error = np.inf
                    if got.shape == want.shape:
                        error = max(np.max(np.abs(got - want)) / np.max(np.abs(x)), abs(float(run.stderr) / delay - 1))
                    worst, cases = max(worst, error), cases + 1
                    if not error <= LIMIT:
                        failed += 1
                        print(f"filter_scipy: order {order}, {cutoff_Hz:g} of {rate_Hz:g} Hz, {name}: differs by {error:g}")
    print(f"filter_scipy: {cases} cases, {failed} failed, worst difference {worst:.2g} of full scale")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
