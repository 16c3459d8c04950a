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


def read_sets(lines):
    """One dict a set: what it was (`set`), and lists of truth, rep, phase and gap."""
    for line in lines:
        o = json.loads(line)
        kind = o.pop("is")
        if kind == "set":
            now = {"set": o, "truth": [], "rep": [], "phase": [], "gap": []}
        elif kind == "end":
            yield now
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
    said = first_phase_s(phases[about["first"]], truth)
    peak = error(rep, truth, "peak_N")
    return {"onset": error(rep, truth, "onset_s"), "top": error(rep, truth, "top_s"), "descent": error(rep, truth, "descent_s"),
            "end": error(rep, truth, "end_s"), "peak_pct": None if peak is None else 100 * (peak - truth["offset_N"]) / truth["peak_N"],
            "drive_s": None if truth["top_s"] is None else truth["top_s"] - truth["onset_s"],
            "hold_s": None if truth["top_s"] is None or truth["descent_s"] is None else truth["descent_s"] - truth["top_s"],
            "top_null": rep["top_s"] is None, "descent_null": rep["descent_s"] is None, "noise_N": noise_N,
            "drive_latency": None if said is None else said - truth["onset_s"], "rep_latency": rep["t_s"] - truth["end_s"],
            "floated": truth["floated"], "floating": truth["floating"], "side_wrong": rep["side"] != truth["side"], "set_wrong": rep["set"] != truth["set"]}


def labels_of(s):
    """What was special about this set: the tables count by it."""
    limits = {"drift_N_per_min": 1, "tare_N": 0, "hum_N": 0, "spikes_per_min": 0, "losses_per_min": 0, "rate_error": 0, "step_N": 0}
    some = [k.split("_")[0] for k, limit in limits.items() if abs(s[k]) > limit] + (["noise > 1 N"] if s["noise_N"] > MODEST_NOISE_N else [])
    some += [f"event: {e}" for e in s.get("events", [])] + (["odd first rep"] if s.get("odd_first") else [])
    some += ["no hold"] if s.get("hold_s") == 0 else ["long hold"] if s.get("hold_s", -1) > 0 else []
    return (some or ["nothing"]) + ([f"profile: {s['profile']}"] if "profile" in s else [])


def score_set(s, about, rate, out):
    s["truth"].sort(key=lambda t: t["onset_s"])
    labels = labels_of(s["set"])
    for plate in sorted({t["plate"] for t in s["truth"] + s["rep"]}):
        every = [t for t in s["truth"] if t["plate"] == plate]
        truths = [t for t in every if t["kind"] == "rep"]
        reps = [r for r in s["rep"] if r["plate"] == plate]
        gaps = s["gap"]  # of both plates: what moves on two is decided on their sum
        phases = {name: [p["t_s"] for p in s["phase"] if p["plate"] == plate and p["phase"] == name] for name in ("drive", "lower")}
        found = match(truths, reps)

        def count(outcome, kind=None, t_s=0, what=""):
            out[outcome] += 1
            out["by_label"].update((label, outcome) for label in labels)
            if kind:
                out["failures"].append({"kind": kind, "cell": s["set"]["cell"], "plate": plate, "t_s": t_s, "labels": labels, "what": what})

        aside, pairs = [], []
        for i, t in enumerate(truths):
            hole = holed(t, gaps, rate)
            if hole or (rate <= 40 and short_turn(truths, i, rate)):
                count("holed" if hole else "short_turn")
                out["holed_found"] += hole and i in found
                aside.append(t)
            elif i in found:
                count("tp")
                pairs.append(compare(reps[found[i]], t, phases, about, s["set"]["noise_N"]))
            else:
                count("fn", "miss", t["onset_s"], what_was_seen(t, reps))
        for k, r in enumerate(reps):
            if k not in found.values() and not any(belongs(t, r) for t in aside):
                count("fp", "false", r["onset_s"], what_was_there(r, every))
        out["pairs"] += pairs
        if len(pairs) == len(truths) == len(reps):  # numbers count what was found: only where all was found can they be judged
            out["numbered"] += len(pairs)
            for t, p in zip(truths, pairs):
                if p["side_wrong"] or p["set_wrong"]:
                    count("misnumbered", "number", t["onset_s"], "the wrong side" if p["side_wrong"] else "the wrong set")


def what_was_seen(truth, reps):
    """Of a missed rep."""
    if any(belongs(truth, r) for r in reps):
        return "in one with its neighbour"
    return "no overlap enough" if any(overlap(truth, r) > 0 for r in reps) else "nothing"


def what_was_there(rep, truths):
    """Under a false rep."""
    events = [t["kind"] for t in truths if t["kind"] != "rep" and overlap(t, rep) > -0.5]
    if events:
        return events[0]
    return "a part of a rep" if any(t["kind"] == "rep" and overlap(t, rep) > 0 for t in truths) else "nothing"


def new_score():
    return {"tp": 0, "fp": 0, "fn": 0, "holed": 0, "holed_found": 0, "short_turn": 0, "sets": 0, "hours": 0.0, "pairs": [], "failures": [],
            "numbered": 0, "misnumbered": 0, "by_label": collections.Counter()}


def run_cell(bin_dir, about, rate, reps, seed):
    out = new_score()
    with subprocess.Popen([os.path.join(bin_dir, "bench_detector"), about["name"], f"{rate:g}", str(reps), str(seed)], stdout=subprocess.PIPE, text=True) as p:
        for s in read_sets(p.stdout):
            score_set(s, about, rate, out)
            out["sets"] += 1
            out["hours"] += s["set"]["seconds"] / 3600
    if p.returncode:
        raise SystemExit(f"bench-detector: {about['name']}@{rate:g}: bench_detector failed ({p.returncode}): run it by hand to see why")
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


def nulls(pairs):
    return f"{share(p['top_null'] for p in pairs)}, {share(p['descent_null'] for p in pairs)}"


def timing_row(name, pairs):
    held = quick_holds(pairs)
    return [name, len(pairs), spread(p["onset"] for p in pairs), spread(p["end"] for p in pairs),
            spread(p["top"] for p in pairs), spread(p["descent"] for p in pairs), nulls(pairs),
            spread(p["top"] for p in held), spread(p["descent"] for p in held), nulls(held),
            spread((p["peak_pct"] for p in pairs), 1, 2)]


TIMING = ["reps", "onset", "end", "hold start", "hold end", "start, end null", "quick: hold start", "hold end", "start, end null", "peak force %"]


def latency_row(name, pairs, rate=None):
    row = [name, len(pairs)]
    groups = ([p["drive_latency"] for p in pairs], [p["rep_latency"] for p in pairs if not p["floating"]],
              [p["rep_latency"] for p in pairs if p["floating"]])
    for values in groups:
        v = [x for x in values if x is not None]
        row.append(f"{1000 * statistics.median(v):.0f} / {1000 * percentile(v, 95):.0f}" if v else "-")
        if rate:
            row.append(show(statistics.median(v) * rate, 1) if v else "-")
    return row + [share(p["drive_latency"] is None for p in pairs)]


def by_label(total):
    for label in sorted({label for label, _ in total["by_label"]}, key=lambda x: (":" in x, x)):
        s = dict(new_score(), **{k: total["by_label"][label, k] for k in ("tp", "fp", "fn", "short_turn", "holed")})
        yield label, s


def fast_pairs(scores):
    return [p for (_, r), s in scores.items() if r >= FAST_HZ for p in s["pairs"]]


def print_found(scores, rates):
    names = list(dict.fromkeys(n for n, _ in scores))
    table("Found: F1 by variation and rate (Hz)", ["variation"] + [f"{r:g}" for r in rates],
          [[n] + [f1_cell(scores.get((n, r))) for r in rates] for n in names])


def print_grid(scores, rates):
    names = list(dict.fromkeys(n for n, _ in scores))
    by_name = {n: add(s for (m, _), s in scores.items() if m == n) for n in names}
    by_rate = {r: add(s for (_, q), s in scores.items() if q == r) for r in rates}
    total = add(scores.values())
    table("Found, by variation", ["variation"] + COUNTS, [counts_row(n, s) for n, s in by_name.items()] + [counts_row("all", total)])
    table("Found, by rate", ["rate Hz"] + COUNTS, [counts_row(f"{r:g}", s) for r, s in by_rate.items()])
    table("Found, by what was special about the set (a set can have several)", ["set with"] + COUNTS[:-1],
          [counts_row(label, s)[:-1] for label, s in by_label(total)])
    what = collections.Counter((f["kind"], f["what"]) for f in total["failures"])
    table("Failures by what was seen, or was there", ["failure", "what", "how many"], [[k, w, n] for (k, w), n in what.most_common()])
    fast = {n: fast_pairs({k: s for k, s in scores.items() if k[0] == n}) for n in names}
    everyone = fast_pairs(scores)
    table(f"Times by variation, rates >= {FAST_HZ} Hz: median / 95th percentile of |error|, ms", ["variation"] + TIMING,
          [timing_row(n, p) for n, p in fast.items()] + [timing_row("all", everyone)])
    print(f"\nquick: drives of {QUICK_DRIVE_S} s or less and holds of {REAL_HOLD_S} s or more")
    table("Times by rate: median / 95th percentile of |error|, ms", ["rate Hz"] + TIMING,
          [timing_row(f"{r:g}", s["pairs"]) for r, s in by_rate.items()])
    table(f"Onset, rates >= {FAST_HZ} Hz: median / 95th percentile of |error|, ms", ["noise", "rise", "from", "reps", "onset"],
          [[noise, rise, start, len(v), spread(p["onset"] for p in v)] for noise, rise, start, v in onset_split(everyone)])
    table("Latency, from the truth to the message: median / 95th percentile, ms",
          ["rate Hz", "reps", "first phase", "samples", "rep, touch-down", "samples", "rep, floating", "samples", "no phase said"],
          [latency_row(f"{r:g}", s["pairs"], r) for r, s in by_rate.items()])
    table(f"Latency by variation, rates >= {FAST_HZ} Hz, ms",
          ["variation", "reps", "first phase", "rep, touch-down", "rep, floating", "no phase said"], [latency_row(n, p) for n, p in fast.items()])


def print_disturbed(scores, rates):
    names = list(dict.fromkeys(n for n, _ in scores))
    table("Disturbed, four times a set: false reps, missed of all, by rate (Hz)", ["variation"] + [f"{r:g}" for r in rates] + ["F1"],
          [[n] + [f"{s['fp']}, {s['fn']} of {s['tp'] + s['fn']}" for s in (scores[n, r] for r in rates)] +
           [f1_cell(add(scores[n, r] for r in rates))] for n in names])


def print_quiet(scores, rates):
    names = list(dict.fromkeys(n for n, _ in scores))
    table("Nobody trains: false reps in {:.2g} h each, by rate (Hz)".format(next(iter(scores.values()))["hours"]), ["signal"] + [f"{r:g}" for r in rates],
          [[n] + [scores[n, r]["fp"] for r in rates] for n in names])


def onset_split(pairs):
    """(noise, rise, start, the reps): what the onset's sharpness depends on."""
    for noise, quiet in (("<= 1 N", True), ("> 1 N", False)):
        for rise, quick in ((f"<= {QUICK_RISE_S} s", True), ("slower", False)):
            for start, floated in (("rest", False), ("floating", True)):
                yield noise, rise, start, [p for p in pairs if (p["noise_N"] <= MODEST_NOISE_N) == quiet and p["drive_s"] is not None and
                                           (p["drive_s"] <= QUICK_RISE_S) == quick and p["floated"] == floated]


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


def account_of_found(rows, grid, disturbed, quiet):
    total = add(grid.values())
    if f1(total) is not None:
        claim(rows, 1, "F1 overall >= 0.999", f"{f1(total):.5f}", f1(total) >= 0.999)
    for what, limit, group in (("every cell >= 80 Hz: F1 >= 0.995", 0.995, [(k, s) for k, s in grid.items() if k[1] >= 80]),
                               ("every cell at 10-40 Hz: F1 >= 0.98", 0.98, [(k, s) for k, s in grid.items() if k[1] <= 40])):
        known = [(f1(s), k) for k, s in group if f1(s) is not None]
        if known:
            low, below = min(known), sum(v < limit for v, _ in known)
            claim(rows, 1, what, f"{below} of {len(known)} below; lowest {low[0]:.4f} ({low[1][0]} at {low[1][1]:g} Hz)", below == 0)
    for what, scores in (("no false rep in disturbed sets", disturbed), ("no rep where nobody trains", quiet)):
        if scores:
            fp = sum(s["fp"] for s in scores.values())
            claim(rows, 1, what, f"{fp} in {sum(s['hours'] for s in scores.values()):.0f} h", fp == 0)


def print_account(grid, disturbed, quiet, real):
    rows, fast = [], fast_pairs(grid)
    account_of_found(rows, grid, disturbed, quiet)
    split = list(onset_split(fast))
    for what, some in (("from rest and floating", split[:2]), ("from rest alone", split[:1])):
        claim_spread(rows, 2, f"onset, rises <= 0.8 s, noise <= 1 N, {what}", [p["onset"] for *_, v in some for p in v], 10, 40)
    claim_spread(rows, 2, "end", [p["end"] for p in fast], 20, 80)
    claim_spread(rows, 2, "hold start, drives <= 1.2 s and holds >= 0.3 s", [p["top"] for p in quick_holds(fast)], 80, 300)
    claim_spread(rows, 2, "hold end, the same", [p["descent"] for p in quick_holds(fast)], 80, 300)
    claim(rows, 2, "hold start, hold end null, of the same: stated", nulls(quick_holds(fast)), None)
    claim_spread(rows, 2, "peak force", [p["peak_pct"] for p in fast], 0.5, None, 1, "%")
    claim_spread(rows, 3, "first phase after the onset", [p["drive_latency"] for p in fast], 60, None)
    claim_spread(rows, 3, "`rep` after its end, touch-down", [p["rep_latency"] for p in fast if not p["floating"]], 150, None)
    floats = [p["rep_latency"] for p in fast if p["floating"]]
    claim(rows, 3, "`rep` after its end, floating: stated", f"{spread(floats)} ms, at most {1000 * max(floats):.0f}" if floats else "-", None)
    numbered, wrong = (sum(s[k] for s in grid.values()) for k in ("numbered", "misnumbered"))
    claim(rows, 4, "side and set of every rep, where all of a set were found", f"{wrong} wrong of {numbered}", wrong == 0 if numbered else None)
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


def print_failures(scores, seed):
    print(f"\nfailures (scripts/plot-detector --seed {seed} --cell CELL --at S -o FILE.png shows one):")
    for f in sorted((f for s in scores for f in s["failures"]), key=lambda f: (f["cell"], f["t_s"])):
        print(f"{f['kind']:6} {f['cell']} plate {f['plate']} at {f['t_s']:.2f} s: {f['what']}  [{', '.join(f['labels'])}]")


def main():
    p = argparse.ArgumentParser(prog="bench-detector")
    p.add_argument("--bin", required=True)
    p.add_argument("--tools", required=True)
    p.add_argument("--reps", type=int, default=400)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--variation", action="append", default=[])
    p.add_argument("--rate", action="append", type=float, default=[])
    p.add_argument("--failures", action="store_true")
    p.add_argument("--brief", action="store_true")
    p.add_argument("--no-real", action="store_true")
    p.add_argument("--data")
    a = p.parse_args()
    listed = [json.loads(x) for x in subprocess.check_output([os.path.join(a.bin, "bench_detector"), "--list"], text=True).splitlines()]
    abouts = [x for x in listed if not a.variation or any(v == x["name"] or x["name"].startswith(v + "/") for v in a.variation)]
    if not abouts:
        print(f"bench-detector: --variation: none of that name: try one of {', '.join(dict.fromkeys(x['name'].split('/')[0] for x in listed))}", file=sys.stderr)
        return 2
    print(f"seed {a.seed}, {a.reps} reps a cell and more")
    done = run_all(a, abouts)
    group = {x["name"]: x["group"] for x in abouts}
    grid, disturbed, quiet = ({k: s for k, s in done.items() if group[k[0]] == g} for g in ("grid", "disturbed", "quiet"))
    rates = sorted({r for _, r in done})
    if grid:
        print_found(grid, rates)
    if grid and not a.brief:
        print_grid(grid, rates)
    if disturbed:
        print_disturbed(disturbed, rates)
    if quiet:
        print_quiet(quiet, rates)
    real = [] if a.no_real else detector_real.judge(a.tools, a.data)
    print_account(grid, disturbed, quiet, real)
    if a.failures:
        print_failures(done.values(), a.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
