#!/usr/bin/python3
"""Holds plate/filter.h against scipy: filter_scipy.py FILTER_DUMP. Exit 0, or 1 and what differs."""
import subprocess
import sys

import numpy as np
from scipy import signal

LIMIT = 1e-9  # of the largest input
RATES_HZ = [10.0, 80.0, 87.5, 1000.0, 4000.0]
CUTOFFS = [0.005, 0.05, 0.25, 0.45]  # of the rate
SAMPLES = 3000


def inputs(rng, rate_Hz):
    t = np.arange(SAMPLES) / rate_Hz
    yield "constant", np.full(SAMPLES, 712.25)
    yield "step", np.where(np.arange(SAMPLES) < 100, 80.0, 900.0)
    yield "noise", 500 + 300 * rng.standard_normal(SAMPLES)
    yield "chirp", -250 + 400 * np.sin(2 * np.pi * rate_Hz / 4 * t * t / t[-1])


def main():
    if len(sys.argv) != 2:
        print("usage: filter_scipy.py FILTER_DUMP", file=sys.stderr)
        return 2
    rng = np.random.default_rng(1)
    cases = [(order, cutoff * rate_Hz, rate_Hz, name, x) for order in (2, 4, 6, 8) for rate_Hz in RATES_HZ for cutoff in CUTOFFS
             for name, x in inputs(rng, rate_Hz)]
    asked = np.concatenate([np.concatenate([[order, cutoff_Hz, rate_Hz, SAMPLES], x]) for order, cutoff_Hz, rate_Hz, _, x in cases])
    run = subprocess.run([sys.argv[1]], input=asked.tobytes(), stdout=subprocess.PIPE, check=True)
    results = np.frombuffer(run.stdout).reshape(len(cases), 1 + SAMPLES)
    worst, failed = 0.0, 0
    for (order, cutoff_Hz, rate_Hz, name, x), (got_delay, *got) in zip(cases, results):
        sos = signal.butter(order, cutoff_Hz, fs=rate_Hz, output="sos")
        want = signal.sosfilt(sos, x, zi=signal.sosfilt_zi(sos) * x[0])[0]
        # Group delay at zero: minus the slope of the phase, from the sections' polynomials.
        k = np.arange(3)
        delay = sum((k @ s[:3]) / s[:3].sum() - (k @ s[3:]) / s[3:].sum() for s in sos)
        error = max(np.max(np.abs(got - want)) / np.max(np.abs(x)), abs(got_delay / delay - 1))
        worst = max(worst, error)
        if not error <= LIMIT:
            failed += 1
            print(f"filter_scipy: order {order}, {cutoff_Hz:g} of {rate_Hz:g} Hz, {name}: differs by {error:g}")
    print(f"filter_scipy: {len(cases)} cases, {failed} failed, worst difference {worst:.2g} of full scale")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
