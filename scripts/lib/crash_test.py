"""scripts/crash-test: docs/archive.md says what it proves."""
import argparse
import collections
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np

import crash_disk
import crash_power
from crash_station import SHAPES, Signals, Station, Wrong, program, read_counts, run_trace, trace_files

SIGNAL_S = 8
ROTATION = "part_MB: 0.02"
KINDS = ["running", "sealing", "rotating", "recovering", "restarting"]


def leftovers(folder):
    return sorted(folder.glob("traces/*.journal")) + sorted(folder.glob("ring/*.ring"))


def recover(folder, rng=None, kills=0):
    """plate-trace recover on everything that is left, killed so often before it may finish."""
    for _ in range(kills):
        for path in leftovers(folder):
            p = subprocess.Popen([program("plate-trace"), "recover", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0, 0.08))
            p.kill()
            p.wait()
    for path in leftovers(folder):
        if not path.exists():
            continue  # went with another one
        done = run_trace("recover", path)
        if done.returncode:
            raise Wrong(f"recover {path.name}: {done.stderr.strip()}")
    left = leftovers(folder) + sorted(folder.glob("traces/*.tmp"))
    if left:
        raise Wrong(f"left behind: {[p.name for p in left]}")


def judge(folder, sent, heard, first=0):
    """A recording is a prefix of what was sent, and as long as anybody heard."""
    recordings = trace_files(folder / "traces")
    rows = 0
    for name, parts in sorted(recordings.items()):
        done = run_trace("verify", parts[0])
        if done.returncode:
            raise Wrong(f"verify {name}: {done.stdout}{done.stderr}")
        counts = read_counts(parts, "plate")
        if first == 0 and len(counts) and not np.array_equal(counts, sent[:len(counts)]):
            bad = int(np.argmax((counts != sent[:len(counts)]).any(axis=1)))
            raise Wrong(f"{name}: row {bad} of {len(counts)} is not what was sent")
        rows = max(rows, len(counts))
        if len(recordings) > 1:
            break  # what the second daemon recorded begins wherever the pty's buffer was
    if rows < heard:
        raise Wrong(f"{rows} rows, but a subscriber had heard {heard}")
    return rows, sum(len(p) for p in recordings.values())


def kill_trial(kind, shape, sent, signal_path, rng, folder):
    rate_Hz, cells = SHAPES[shape]
    with Station(folder, signal_path, rate_Hz, cells, config=ROTATION if kind == "rotating" or rng.random() < 0.3 else "") as s:
        s.wait(lambda: s.heard["plate"] > 0)
        time.sleep(rng.uniform(0, 2.5))
        if kind == "sealing":
            s.call("stop")
            time.sleep(rng.uniform(0, 0.12))
        s.kill()
        heard = s.heard["plate"]
        if kind == "restarting":  # the next start recovers, and is killed while it does
            for _ in range(rng.randint(1, 3)):
                p = subprocess.Popen([program("plated"), "-c", s.config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(rng.uniform(0, 0.15))
                p.kill()
                p.wait()
    recover(folder, rng, rng.randint(1, 3) if kind == "recovering" else 0)
    return judge(folder, sent, heard)


def kill_trials(args, rng):
    tally = collections.Counter()
    with tempfile.TemporaryDirectory(prefix="plated-crash-", dir=args.dir) as base:
        base = pathlib.Path(base)
        signals = Signals(base, SIGNAL_S)
        for n in range(args.trials):
            shape, kind = list(SHAPES)[n % 2], KINDS[n // 2 % len(KINDS)]
            folder = base / f"trial{n}"
            folder.mkdir()
            try:
                rows, files = kill_trial(kind, shape, *signals[shape], rng, folder)
            except (Wrong, subprocess.TimeoutExpired) as e:
                kept = keep(folder, args)
                print(f"trial {n} (seed {args.seed}, {shape}, {kind}): {e}; its files: {kept}", flush=True)
                tally["wrong"] += 1
            else:
                tally.update({kind: 1, "rows": rows, "files": files})
                if args.verbose:
                    print(f"trial {n}: {shape}, {kind}: {rows} rows in {files} file(s)", flush=True)
            shutil.rmtree(folder, ignore_errors=True)
    return tally


def keep(folder, args):
    """A wrong trial's files, for whoever looks into it."""
    kept = pathlib.Path(tempfile.mkdtemp(prefix="plated-crash-kept-", dir=args.dir))
    for path in folder.rglob("*"):
        if path.is_file():
            (kept / path.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, kept / path.relative_to(folder))
    return kept


def disk_shim():
    """What is preloaded into plated; a sanitizer's runtime has to come before it."""
    beside = str(pathlib.Path(os.environ["PLATE_BIN"]).parent / "tests" / "ptyshim.so")
    return os.environ.get("PLATE_PRELOAD", beside).replace("ptyshim.so", "diskshim.so")


def run_kills(args, rng, _):
    tally = kill_trials(args, rng)
    return tally["wrong"], (f"{args.trials} kills ({', '.join(f'{tally[k]} {k}' for k in KINDS)}): {tally['wrong']} wrong; {tally['rows']} rows in "
                            f"{tally['files']} files, each a prefix of what was sent, none shorter than what was heard")


def run_power(args, rng, shim):
    tally = crash_power.power_trials(args, rng, shim, keep)
    return tally["wrong"], (f"{args.trials} power cuts: {tally['wrong']} wrong; {tally['rows']} rows, each a prefix of what was sent; {tally['old']} of them were "
                            f"older than {crash_power.OLD_S:g} s and what the disk held up, {tally['late_ms'] / 1000:.2f} s at most, and none of those is missing")


def run_disk(args, rng, shim):
    tally = crash_disk.disk_trials(args, rng, shim, keep)
    kinds = ", ".join(f"{tally[k]} {k}" for k in dict.fromkeys(crash_disk.KINDS))
    return tally["wrong"], (f"{args.trials} disks ({kinds}): {tally['wrong']} wrong; {tally['rows']} rows in {tally['files']} files, all that was sent; {tally['reps']} reps live, "
                            f"all of them in the archive; told after {tally['slowest_ms'] / 1000:.2f} s at most")


def run_stall(args, _, shim):
    try:
        r = crash_disk.stall(args, shim)
    except Wrong as e:
        return 1, f"a disk that stalls for {args.stall:g} s: {e}"
    return r["lost"] + r["refused"], (f"a disk that stalls for {args.stall:g} s under 2 plates of 1 kHz x 4: {r['lost']} samples lost, {r['published']} a plate published "
                                      f"meanwhile, the ring was {r['ring_pct']:.0f} % full")


def main():
    parser = argparse.ArgumentParser(prog="scripts/crash-test", description="Kills plated at random instants, also while it seals, rotates and recovers, "
                                     "and holds what can be recovered against what was sent: an unbroken prefix, bit for bit, as long as any subscriber had heard. "
                                     "Or troubles its disk (tests/e2e/diskshim.c stands in for it; full disks are small tmpfs mounts and want root).")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--power", action="store_true", help="cut the power: of what was written since the last sync, a random subset of pages is there")
    what.add_argument("--disk", action="store_true", help="a disk that fills, fails, forgets what it was to sync, or vanishes")
    what.add_argument("--stall", type=float, metavar="S", help="a disk that takes nothing for S seconds; one run")
    parser.add_argument("--trials", type=int, default=200, metavar="N")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of every random choice (default: the time; printed)")
    parser.add_argument("--dir", help="where the trials' files go (default: the temporary folder)")
    parser.add_argument("--verbose", action="store_true", help="a line a trial")
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    began = time.monotonic()
    shim = disk_shim()
    run = run_power if args.power else run_disk if args.disk else run_stall if args.stall else run_kills
    wrong, text = run(args, random.Random(args.seed), shim)
    print(f"{text} ({time.monotonic() - began:.0f} s)")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
