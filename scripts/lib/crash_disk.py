"""scripts/crash-test --disk and --stall: a disk that fills, fails, forgets, vanishes or stalls under a running plated."""
import collections
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time

import numpy as np

from crash_station import SHAPES, Signals, Station, Wrong, read_counts, run_trace, signal_counts, trace_files, write_signal

WORKS, STALLS, IS_FULL, FAILS, FORGETS = range(5)
# filled: somebody else takes all the room of a small disk. small: plated itself does. The rest: tests/e2e/diskshim.c
KINDS = ["filled", "small", "filled", "small", "failing", "forgetting", "vanishing"]
TOLD_S = 1.0
SIGNAL_S = 40


class Control:
    """What the preloaded disk does from now on."""

    def __init__(self, folder, shim, traces):
        self.path = folder / "disk"
        self.path.write_bytes(bytes(4))
        self.env = {"LD_PRELOAD": str(shim), "DISKSHIM_DIR": str(traces), "DISKSHIM_CONTROL": str(self.path)}

    def set(self, what):
        with open(self.path, "r+b") as f:
            f.write(struct.pack("<I", what))

    def get(self):
        return struct.unpack("<I", self.path.read_bytes())[0]


def mount(folder, bytes_):
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={bytes_}", "plated-crash", folder], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"crash-test: {folder}: cannot mount a small disk ({done.stderr.strip()}): be root, in a place that allows it")


def trouble(s, since, level="error"):
    return [t - since for t, topic, h in s.told if topic == "health/" and h["kind"] == "archive" and h["level"] == level and t >= since]


def fill(path):
    """Everything that is free; returns when it was all gone."""
    with open(path, "wb", buffering=0) as f:
        for size in (1 << 20, 4096):
            try:
                while True:
                    f.write(bytes(size))
            except OSError:
                pass
    return time.monotonic()


def make_trouble(kind, s, rng, control):
    """Until it is over; the seconds after which it was told."""
    since = time.monotonic()
    long_s = rng.uniform(0.7, 2.5)
    if kind == "filled":
        since = fill(s.archive / "filler")
        s.wait(lambda: trouble(s, since), 10)
        time.sleep(long_s)
        (s.archive / "filler").unlink()
    elif kind == "small":
        s.wait(lambda: trouble(s, since), 30)
        since = None  # who can say when it was full?
        time.sleep(long_s)
        subprocess.run(["mount", "-o", "remount,size=64m", s.archive], check=True)
    elif kind == "failing":
        control.set(FAILS)
        s.wait(lambda: trouble(s, since), 10)
        time.sleep(long_s)
        control.set(WORKS)
    elif kind == "forgetting":
        control.set(FORGETS)
        s.wait(lambda: trouble(s, since) and control.get() == WORKS, 10)
    elif kind == "vanishing":
        shutil.rmtree(s.archive)
        s.wait(lambda: list(s.archive.glob("*.journal")), 10)
        return None  # nothing is wrong for longer than it takes to write the journal anew
    s.wait(lambda: not s.status()["archivist"]["error"], 20)
    return trouble(s, since)[0] if since else None


def trial(kind, shape, sent, signal_path, rng, folder, shim):
    rate_Hz, cells = SHAPES[shape]
    traces = folder / "traces"
    mounted = kind in ("filled", "small")
    if mounted:
        mount(traces, rng.randint(2 << 20, 5 << 20) if kind == "small" else 16 << 20)
    control = Control(folder, shim, traces)
    try:
        speed = 4 if kind == "small" else 1  # so that it is full sooner
        with Station(folder, signal_path, rate_Hz, cells, speed=speed, env={} if mounted else control.env) as s:
            s.wait(lambda: s.heard["plate"] > 0)
            time.sleep(rng.uniform(0, 2))
            told_s = make_trouble(kind, s, rng, control)
            time.sleep(rng.uniform(0.5, 1.5))
            status = s.stop()
            if status:
                raise Wrong(f"plated ended with {status}: {s.log()}")
            heard, live = s.heard["plate"], [h for _, topic, h in s.told if topic == "rep/plate/"]
        if told_s is not None and told_s > TOLD_S:
            raise Wrong(f"told after {told_s:.2f} s")
        (name, parts), = trace_files(traces).items()
        done = run_trace("verify", parts[0])
        if done.returncode:
            raise Wrong(f"verify {name}: {done.stdout}{done.stderr}")
        counts = read_counts(parts, "plate")
        if len(counts) < heard or not np.array_equal(counts, sent[:len(counts)]):
            raise Wrong(f"{len(counts)} rows, {heard} heard, or not what was sent")
        again = [json.loads(line) for line in run_trace("reps", "--json", parts[0]).stdout.splitlines()]
        if [(r["set"], r["rep"], r["onset_s"]) for r in again] != [(r["set"], r["rep"], r["onset_s"]) for r in live]:
            raise Wrong(f"{len(live)} reps live, {len(again)} in the archive")
        return {"rows": len(counts), "files": len(parts), "reps": len(live)}, told_s
    finally:
        if mounted:
            subprocess.run(["umount", "-l", traces], check=False)


def disk_trials(args, rng, shim, keep, kinds=tuple(KINDS)):
    tally, slowest = collections.Counter(), 0
    with tempfile.TemporaryDirectory(prefix="plated-disk-", dir=args.dir) as base:
        base = pathlib.Path(base)
        signals = Signals(base, SIGNAL_S)
        for n in range(args.trials):
            kind = kinds[n % len(kinds)]
            shape, folder = list(SHAPES)[1 if kind == "small" else n // 2 % 2], base / f"trial{n}"
            folder.mkdir()
            try:
                result, told_s = trial(kind, shape, *signals[shape], rng, folder, shim)
            except (Wrong, subprocess.TimeoutExpired) as e:
                print(f"trial {n} (seed {args.seed}, {shape}, {kind}): {e}; its files: {keep(folder, args)}", flush=True)
                tally["wrong"] += 1
            else:
                slowest = max(slowest, told_s or 0)
                tally.update(result)
                tally[kind] += 1
                if args.verbose:
                    print(f"trial {n}: {shape}, {kind}: {result}" + (f", told after {told_s:.2f} s" if told_s is not None else ""), flush=True)
            shutil.rmtree(folder, ignore_errors=True)
    tally["slowest_ms"] = int(slowest * 1000)
    return tally


def stall(args, shim):
    """Two plates, and a disk that takes nothing for so long."""
    with tempfile.TemporaryDirectory(prefix="plated-stall-", dir=args.dir) as base:
        base = pathlib.Path(base)
        sent = {side: signal_counts(1000, 4, args.stall + 30, i) for i, side in enumerate(("left", "right"))}
        write_signal(base / "signal.csv", 1000, list(sent.values()))
        control = Control(base, shim, base / "traces")
        with Station(base, base / "signal.csv", 1000, 4, plates=("left", "right"), env=control.env) as s:
            s.wait(lambda: min(s.heard.values()) > 500)
            control.set(STALLS)
            before = min(s.heard.values())
            time.sleep(args.stall)
            during = min(s.heard.values()) - before
            told = bool(trouble(s, 0))
            control.set(WORKS)
            time.sleep(2)
            ring, plates = s.status()["ring"], s.status()["plates"]
            status = s.stop()
            if status:
                raise Wrong(f"plated ended with {status}: {s.log()}")
        (_, parts), = trace_files(base / "traces").items()
        for side in sent:
            counts = read_counts(parts, side)
            if len(counts) < s.heard[side] or not np.array_equal(counts, sent[side][:len(counts)]):
                raise Wrong(f"{side}: {len(counts)} rows, {s.heard[side]} heard, or not what was sent")
        return {"lost": sum(p["lost"] for p in plates), "refused": ring["refused"], "published": during, "told": told,
                "ring_pct": 100 * ring["highest_used_bytes"] / ring["capacity_bytes"]}
