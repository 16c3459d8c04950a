"""The runs of scripts/bench-detector: sets of bench_detector, scored against their truth, and the tables of docs/detector.md."""
import argparse
import bisect
import collections
import concurrent.futures
import json
import math
import os
import statistics
import subprocess
import sys

import detector_real

RATES = (10, 20, 40, 80, 87.5, 160, 250, 500, 1000, 2000)
FAST_HZ = 250
HOLE_S = 0.1          # a rep with a longer hole in it is told apart: nobody saw it whole
EARLY_S = 0.3         # a phase that comes so long before the true onset still means this rep
QUICK_DRIVE_S, QUICK_RISE_S, REAL_HOLD_S, MODEST_NOISE_N = 1.2, 0.8, 0.3, 1.0


def cell_seed_args(bin_dir, name, rate, reps, seed):
    return [os.path.join(bin_dir, "bench_detector"), name, f"{rate:g}", str(reps), str(seed)]


def read_sets(lines):
    """One dict a set: what it was (`set`), and lists of truth, rep, phase and gap."""
    now = None
    for line in lines:
        o = json.loads(line)
        kind = o.pop("is")
        if kind == "set":
            now = {"set": o, "truth": [], "rep": [], "phase": [], "gap": [], "whole": False}
            yield_it = now
        elif kind == "end":
            now["whole"] = True
            yield yield_it
        else:
            now[kind].append(o)


def overlap(a, b):
    return min(a["end_s"], b["end_s"]) - max(a["onset_s"], b["onset_s"])


def belongs(a, b):
    """Overlap by more than half of the shorter of the two."""
    return overlap(a, b) > 0.5 * min(a["end_s"] - a["onset_s"], b["end_s"] - b["onset_s"])


def match(truths, reps):
    """One to one, the largest overlap first: {index of truth: index of rep}."""
    pairs = sorted(((overlap(t, r), i, k) for i, t in enumerate(truths) for k, r in enumerate(reps) if belongs(t, r)), reverse=True)
    found, taken = {}, set()
    for _, i, k in pairs:
        if i not in found and k not in taken:
            found[i] = k
            taken.add(k)
    return found


def short_turn(truths, i, rate):
    """Lasts the turn-around before or after this rep less than three samples?"""
    limit = 3 / rate
    before = truths[i]["onset_s"] - truths[i - 1]["end_s"] if i > 0 else math.inf
    after = truths[i + 1]["onset_s"] - truths[i]["end_s"] if i + 1 < len(truths) else math.inf
    return min(before, after) < limit


def holed(truth, gaps, rate):
    return any(g["count"] / rate > HOLE_S and g["t_s"] < truth["end_s"] + HOLE_S and
               g["t_s"] + g["count"] / rate > truth["onset_s"] - HOLE_S for g in gaps)


def error(rep, truth, key):
    return None if rep[key] is None or truth[key] is None else rep[key] - truth[key]


def first_phase_s(times, truth):
    """When the first phase of that kind after the onset was said; None: none during the rep."""
    i = bisect.bisect_left(times, truth["onset_s"] - EARLY_S)
    return times[i] if i < len(times) and times[i] < truth["end_s"] else None


def compare(rep, truth, phases, about, noise_N):
    said = first_phase_s(phases["lower" if about["first"] == "down" else "drive"], truth)
    peak = error(rep, truth, "peak_N")
    return {"onset": error(rep, truth, "onset_s"), "top": error(rep, truth, "top_s"), "descent": error(rep, truth, "descent_s"),
            "end": error(rep, truth, "end_s"), "peak_pct": None if peak is None else 100 * peak / truth["peak_N"],
            "drive_s": None if truth["top_s"] is None else truth["top_s"] - truth["onset_s"],
            "hold_s": None if truth["top_s"] is None or truth["descent_s"] is None else truth["descent_s"] - truth["top_s"],
            "top_null": rep["top_s"] is None, "descent_null": rep["descent_s"] is None, "noise_N": noise_N,
            "drive_latency": None if said is None else said - truth["onset_s"], "rep_latency": rep["t_s"] - truth["end_s"],
            "float": about["turn"] == "float", "side_wrong": rep["side"] != truth["side"], "set_wrong": rep["set"] != truth["set"]}


def conditions_of(s):
    c = [k for k, limit in (("drift_N_per_min", 1), ("tare_N", 0), ("hum_N", 0), ("spikes_per_min", 0), ("losses_per_min", 0),
                            ("rate_error", 0)) if abs(s[k]) > limit]
    return [k.split("_")[0] for k in c] + (["noise"] if s["noise_N"] > MODEST_NOISE_N else []) + s.get("disturb", [])


def score_set(s, about, rate, out):
    s["truth"].sort(key=lambda t: t["onset_s"])
    for plate in sorted({t["plate"] for t in s["truth"] + s["rep"]}):
        every = [t for t in s["truth"] if t["plate"] == plate]
        truths = [t for t in every if t["kind"] == "rep"]
        reps = [r for r in s["rep"] if r["plate"] == plate]
        phases = {name: [p["t_s"] for p in s["phase"] if p["plate"] == plate and p["phase"] == name] for name in ("drive", "lower")}
        found = match(truths, reps)
        names = conditions_of(s["set"])

        def fail(kind, t_s, what=""):
            out["failures"].append({"kind": kind, "cell": s["set"]["cell"], "plate": plate, "t_s": t_s, "conditions": names, "what": what})

        aside = []
        for i, t in enumerate(truths):
            hole = holed(t, s["gap"], rate)
            if hole or (rate <= 40 and short_turn(truths, i, rate)):
                out["holed" if hole else "short_turn"] += 1
                out["holed_found"] += hole and i in found
                aside.append(t)
            elif i in found:
                out["tp"] += 1
                out["pairs"].append(compare(reps[found[i]], t, phases, about, s["set"]["noise_N"]))
            else:
                out["fn"] += 1
                merged = [r for k, r in enumerate(reps) if belongs(t, r)]
                fail("miss", t["onset_s"], "in one with its neighbour" if merged else "")
        for k, r in enumerate(reps):
            if k in found.values() or any(belongs(t, r) for t in aside):
                continue
            near = [t["kind"] for t in every if t["kind"] != "rep" and overlap(t, r) > -0.5]
            twice = [t for t in truths if belongs(t, r)]
            out["fp"] += 1
            fail("false", r["onset_s"], near[0] if near else "a part of a rep" if twice else "")


def new_score():
    return {"tp": 0, "fp": 0, "fn": 0, "holed": 0, "holed_found": 0, "short_turn": 0, "sets": 0, "hours": 0.0, "pairs": [], "failures": [],
            "by_condition": collections.Counter(), "sets_by_condition": collections.Counter()}


def run_cell(bin_dir, about, rate, reps, seed):
    out = new_score()
    with subprocess.Popen(cell_seed_args(bin_dir, about["name"], rate, reps, seed), stdout=subprocess.PIPE, text=True) as p:
        for s in read_sets(p.stdout):
            score_set(s, about, rate, out)
            out["sets"] += 1
            out["hours"] += s["set"]["seconds"] / 3600
            out["sets_by_condition"].update(conditions_of(s["set"]) or ["none"])
    if p.returncode:
        raise SystemExit(f"bench-detector: {about['name']}@{rate:g}: bench_detector failed ({p.returncode}): run it by hand to see why")
    for f in out["failures"]:
        out["by_condition"].update(f["conditions"] or ["none"])
    return out


def add(scores):
    total = new_score()
    for s in scores:
        for k, v in s.items():
            total[k] += v
    return total


# ---- the tables ----

def f1(s):
    n = 2 * s["tp"] + s["fp"] + s["fn"]
    return 2 * s["tp"] / n if n else None


def percentile(values, p):
    v = sorted(values)
    return v[min(len(v) - 1, max(0, math.ceil(p / 100 * len(v)) - 1))]


def show(value, digits=0):
    return "-" if value is None else f"{value:.{digits}f}"


def spread(values, factor=1000, digits=0):
    """median / 95th percentile of |value|."""
    v = [abs(x) * factor for x in values if x is not None]
    return f"{statistics.median(v):.{digits}f} / {percentile(v, 95):.{digits}f}" if v else "-"


def share(flags):
    flags = list(flags)
    return f"{100 * sum(flags) / len(flags):.1f} %" if flags else "-"


def table(title, header, rows):
    print(f"\n### {title}\n\n| " + " | ".join(header) + " |\n|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(str(x) for x in row) + " |")


def f1_cell(s):
    return "" if s is None else "-" if f1(s) is None else f"{f1(s):.4f}".rstrip("0").rstrip(".") if f1(s) == 1 else f"{f1(s):.4f}"


def counts_row(name, s):
    return [name, s["tp"] + s["fn"], s["tp"], s["fp"], s["fn"], f1_cell(s), s["short_turn"], f"{s['holed_found']} of {s['holed']}"]


COUNTS = ["reps", "found", "false", "missed", "F1", "turn too short", "found with a hole > 0.1 s"]


def quick_holds(pairs):
    return [p for p in pairs if p["drive_s"] is not None and p["drive_s"] <= QUICK_DRIVE_S and p["hold_s"] is not None and
            p["hold_s"] >= REAL_HOLD_S]


def timing_row(name, pairs):
    held = quick_holds(pairs)
    return [name, len(pairs), spread(p["onset"] for p in pairs), spread(p["end"] for p in pairs),
            spread(p["top"] for p in pairs), spread(p["descent"] for p in pairs), share(p["top_null"] for p in pairs),
            spread(p["top"] for p in held), spread(p["descent"] for p in held), share(p["top_null"] for p in held),
            spread((p["peak_pct"] for p in pairs), 1, 2)]


TIMING = ["reps", "onset", "end", "hold start", "hold end", "no hold start", "quick: hold start", "hold end", "no hold start", "peak force %"]


def latency_row(name, pairs, rate=None):
    row = [name, len(pairs)]
    groups = ([p["drive_latency"] for p in pairs], [p["rep_latency"] for p in pairs if not p["float"]],
              [p["rep_latency"] for p in pairs if p["float"]])
    for values in groups:
        v = [x for x in values if x is not None]
        row.append(f"{1000 * statistics.median(v):.0f} / {1000 * percentile(v, 95):.0f}" if v else "-")
        if rate:
            row.append(show(statistics.median(v) * rate, 1) if v else "-")
    return row + [share(p["drive_latency"] is None for p in pairs)]


def print_tables(scores, quiet, abouts):
    names, rates = [a["name"] for a in abouts if a["athlete"]], sorted({r for _, r in scores})
    by_name = {n: add(s for (m, _), s in scores.items() if m == n) for n in names}
    by_rate = {r: add(s for (_, q), s in scores.items() if q == r) for r in rates}
    total = add(scores.values())
    table("Found: F1 by variation and rate (Hz)", ["variation"] + [f"{r:g}" for r in rates],
          [[n] + [f1_cell(scores.get((n, r))) for r in rates] for n in names])
    table("Found, by variation", ["variation"] + COUNTS, [counts_row(n, s) for n, s in by_name.items()] + [counts_row("all", total)])
    table("Found, by rate", ["rate Hz"] + COUNTS, [counts_row(f"{r:g}", s) for r, s in by_rate.items()])
    table("Failures by condition (a set can have several)", ["condition", "sets", "failures"],
          [[c, n, total["by_condition"][c]] for c, n in sorted(total["sets_by_condition"].items())])
    what = collections.Counter((f["kind"], f["what"] or "nothing near") for f in total["failures"])
    table("Failures by what was there", ["failure", "of", "how many"], [[k, w or "-", n] for (k, w), n in what.most_common()])
    fast = {n: [p for (m, r), s in scores.items() if m == n and r >= FAST_HZ for p in s["pairs"]] for n in names}
    everyone = [p for v in fast.values() for p in v]
    table(f"Times by variation, rates >= {FAST_HZ} Hz: median / 95th percentile of |error|, ms", ["variation"] + TIMING,
          [timing_row(n, p) for n, p in fast.items()] + [timing_row("all", everyone)])
    print(f"\nquick: drives of {QUICK_DRIVE_S} s or less and holds of {REAL_HOLD_S} s or more")
    table("Times by rate: median / 95th percentile of |error|, ms", ["rate Hz"] + TIMING,
          [timing_row(f"{r:g}", s["pairs"]) for r, s in by_rate.items()])
    table(f"Onset, rates >= {FAST_HZ} Hz: median / 95th percentile of |error|, ms", ["noise", "rise", "reps", "onset"],
          [[noise, rise, len(v), spread(p["onset"] for p in v)] for noise, rise, v in onset_split(everyone)])
    table("Latency, from the truth to the message: median / 95th percentile, ms",
          ["rate Hz", "reps", "drive", "samples", "rep, touch-down", "samples", "rep, floating", "samples", "no drive said"],
          [latency_row(f"{r:g}", s["pairs"], r) for r, s in by_rate.items()])
    table(f"Latency by variation, rates >= {FAST_HZ} Hz, ms", ["variation", "reps", "drive", "rep, touch-down", "rep, floating", "no drive said"],
          [latency_row(n, p) for n, p in fast.items()])
    if quiet:
        table("Nobody trains: false reps", ["signal"] + [f"{r:g} Hz" for r in sorted({r for _, r in quiet})] + ["hours"],
              [[n] + [quiet[n, r]["fp"] if (n, r) in quiet else "" for r in sorted({r for _, r in quiet})] +
               [f"{sum(s['hours'] for (m, _), s in quiet.items() if m == n):.1f}"] for n in dict.fromkeys(n for n, _ in quiet)])
    return total, everyone


def onset_split(pairs):
    for noise, quiet in (("<= 1 N", True), ("> 1 N", False)):
        for rise, quick in ((f"<= {QUICK_RISE_S} s", True), ("slower", False)):
            yield noise, rise, [p for p in pairs if (p["noise_N"] <= MODEST_NOISE_N) == quiet and p["drive_s"] is not None and
                                (p["drive_s"] <= QUICK_RISE_S) == quick]


# ---- the account ----

def claim(rows, point, what, figure, holds):
    rows.append([point, what, figure, "-" if holds is None else "holds" if holds else "**does not hold**"])


def claim_spread(rows, point, what, values, median_ms, most_ms, factor=1000, unit="ms"):
    v = [abs(x) * factor for x in values if x is not None]
    if not v:
        claim(rows, point, what, "nothing to judge", None)
        return
    middle, most = statistics.median(v), percentile(v, 95)
    limit = f"{median_ms:g}" + (f" / {most_ms:g}" if most_ms is not None else "")
    claim(rows, point, f"{what} <= {limit} {unit}", f"{middle:.2f} / {most:.2f} {unit}, {len(v)} reps",
          middle <= median_ms and (most_ms is None or most <= most_ms))


def print_account(scores, quiet, total, fast, real):
    rows = []
    if f1(total) is not None:
        claim(rows, 1, "F1 overall >= 0.999", f"{f1(total):.5f}", f1(total) >= 0.999)
    for what, limit, group in (("every cell >= 80 Hz: F1 >= 0.995", 0.995, [(k, s) for k, s in scores.items() if k[1] >= 80]),
                               ("every cell at 10-40 Hz: F1 >= 0.98", 0.98, [(k, s) for k, s in scores.items() if k[1] <= 40])):
        known = [(f1(s), k) for k, s in group if f1(s) is not None]
        if known:
            low = min(known)
            below = sum(v < limit for v, _ in known)
            claim(rows, 1, what, f"{below} of {len(known)} below; lowest {low[0]:.4f} ({low[1][0]} at {low[1][1]:g} Hz)", below == 0)
    if quiet:
        fp = sum(s["fp"] for s in quiet.values())
        claim(rows, 1, "no rep where nobody trains", f"{fp} in {sum(s['hours'] for s in quiet.values()):.0f} h", fp == 0)
    near = [f for f in total["failures"] if f["kind"] == "false"]
    claim(rows, 1, "no false rep in the sets", f"{len(near)}", not near)
    easy = next(onset_split(fast), (0, 0, []))[2]
    claim_spread(rows, 2, "onset, rises <= 0.8 s, noise <= 1 N", [p["onset"] for p in easy], 10, 40)
    claim_spread(rows, 2, "end", [p["end"] for p in fast], 20, 80)
    claim_spread(rows, 2, "hold start, drives <= 1.2 s and holds >= 0.3 s", [p["top"] for p in quick_holds(fast)], 80, 300)
    claim_spread(rows, 2, "hold end, the same", [p["descent"] for p in quick_holds(fast)], 80, 300)
    claim_spread(rows, 2, "peak force", [p["peak_pct"] for p in fast], 0.5, None, 1, "%")
    claim_spread(rows, 3, "phase `drive` after the onset", [p["drive_latency"] for p in fast], 60, None)
    claim_spread(rows, 3, "`rep` after its end, touch-down", [p["rep_latency"] for p in fast if not p["float"]], 150, None)
    floats = [p["rep_latency"] for p in fast if p["float"]]
    claim(rows, 3, "`rep` after its end, floating: stated", f"{spread(floats)} ms, at most {1000 * max(floats):.0f}" if floats else "-", None)
    wrong = sum(p["side_wrong"] or p["set_wrong"] for s in scores.values() for p in s["pairs"])
    claim(rows, 4, "side and set of every rep found", f"{wrong} wrong of {sum(len(s['pairs']) for s in scores.values())}", wrong == 0)
    for what, figure, holds in real:
        claim(rows, 4, what, figure, holds)
    table("Account", ["point", "what", "measured", ""], rows)


# ---- running ----

def bar(done, all_jobs):
    if sys.stderr.isatty():
        width = 40 * done // all_jobs
        print(f"\r[{'#' * width}{'.' * (40 - width)}] {done}/{all_jobs}", end="\n" if done == all_jobs else "", file=sys.stderr, flush=True)


def run_all(a, abouts):
    rates = a.rate or RATES
    jobs = [(about, r) for about in abouts for r in rates]
    jobs.sort(key=lambda j: -j[1])
    done = {}
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        waiting = {pool.submit(run_cell, a.bin, about, r, a.reps, a.seed): (about["name"], r) for about, r in jobs}
        for n, f in enumerate(concurrent.futures.as_completed(waiting)):
            done[waiting[f]] = f.result()
            bar(n + 1, len(jobs))
    order = {about["name"]: i for i, about in enumerate(abouts)}
    return dict(sorted(done.items(), key=lambda kv: (order[kv[0][0]], kv[0][1])))


def print_failures(total, seed):
    print(f"\nfailures (seed {seed}; scripts/plot-detector --seed {seed} --cell CELL shows one):")
    for f in sorted(total["failures"], key=lambda f: (f["cell"], f["t_s"])):
        print(f"{f['kind']:5} {f['cell']} plate {f['plate']} at {f['t_s']:.2f} s {f['what']}  [{' '.join(f['conditions'])}]")


def main():
    p = argparse.ArgumentParser(prog="bench-detector")
    p.add_argument("--bin", required=True)
    p.add_argument("--tools", required=True)
    p.add_argument("--reps", type=int, default=400)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--variation", action="append", default=[])
    p.add_argument("--rate", action="append", type=float, default=[])
    p.add_argument("--failures", action="store_true")
    p.add_argument("--no-real", action="store_true")
    p.add_argument("--data")
    a = p.parse_args()
    listed = [json.loads(x) for x in subprocess.check_output([os.path.join(a.bin, "bench_detector"), "--list"], text=True).splitlines()]
    abouts = [x for x in listed if not a.variation or any(v == x["name"] or x["name"].startswith(v + "/") for v in a.variation)]
    if not abouts:
        print(f"bench-detector: --variation: none of that name; there are {', '.join(x['name'] for x in listed)}", file=sys.stderr)
        return 2
    print(f"seed {a.seed}, {a.reps} reps a cell and more")
    done = run_all(a, abouts)
    athlete = {x["name"]: x["athlete"] for x in abouts}
    scores = {k: s for k, s in done.items() if athlete[k[0]]}
    quiet = {k: s for k, s in done.items() if not athlete[k[0]]}
    total, fast = print_tables(scores, quiet, abouts)
    real = [] if a.no_real else detector_real.judge(a.tools, a.data)
    print_account(scores, quiet, total, fast, real)
    if a.failures:
        print_failures(add([total, *quiet.values()]), a.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
