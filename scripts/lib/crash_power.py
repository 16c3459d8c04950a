"""scripts/crash-test --power: plated's own writes, logged by tests/e2e/diskshim.c, and what a disk has of them when the power goes.

The disk is taken at its word and no further. What was synced is there. Of the pages written since a file's last sync a random
subset is there, each as of any write to it; a file that grew may have its old or its new length, with zeros where a page is
missing. Names (creations, renames, removals) since the folder's last sync: a random number of the first ones."""
import collections
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np

from crash_station import SHAPES, Signals, Station, Wrong, read_counts, run_trace, trace_files

CREATE, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, SYNC_FOLDER = range(1, 8)
ENTRY = struct.Struct("<IIQQq")
PAGE = 4096
RUN_S, OLD_S = 5, 1.0
Entry = collections.namedtuple("Entry", "op file at t data")


def read_log(path):
    raw, at, entries = path.read_bytes(), 0, []
    while at + ENTRY.size <= len(raw):
        op, size, file, where, t_ns = ENTRY.unpack_from(raw, at)
        at += ENTRY.size
        entries.append(Entry(op, file, where, t_ns * 1e-9, raw[at:at + size]))
        at += size
    return entries


class File:
    def __init__(self):
        self.synced, self.now, self.since = b"", bytearray(), []

    def write(self, at, data):
        if len(self.now) < at + len(data):
            self.now.extend(bytes(at + len(data) - len(self.now)))
        self.now[at:at + len(data)] = data
        self.since.append((at, data))

    def truncate(self, size):
        del self.now[size:]
        self.now.extend(bytes(size - len(self.now)))
        self.since.append((size, None))

    def sync(self):
        self.synced, self.since = bytes(self.now), []

    def after_the_cut(self, rng):
        """Each page as of the sync, or as of some write since; the length as of the sync, or as of now."""
        size = rng.choice([len(self.synced), len(self.now)])
        versions, image = collections.defaultdict(list), bytearray(self.synced)
        for at, data in self.since:
            if data is None:
                del image[at:]
                image.extend(bytes(at - len(image)))
                continue
            image.extend(bytes(max(0, at + len(data) - len(image))))
            image[at:at + len(data)] = data
            for page in range(at // PAGE, (at + len(data) - 1) // PAGE + 1):
                versions[page].append(bytes(image[page * PAGE:(page + 1) * PAGE]))
        out = bytearray(self.synced[:size]) + bytes(max(0, size - len(self.synced)))
        for page, written in versions.items():
            if rng.random() < 0.5 and page * PAGE < size:
                data = rng.choice([written[-1], rng.choice(written)])[:size - page * PAGE]
                out[page * PAGE:page * PAGE + len(data)] = data
        return bytes(out)


class Disk:
    """Every state that the log goes through, and what is left of one when the power goes there."""

    def __init__(self):
        self.files, self.names, self.pending = {}, {}, []

    def step(self, e):
        if e.op == CREATE:
            self.files[e.file] = File()
            self.pending.append((CREATE, e.data.rstrip(b"\0").decode(), self.files[e.file]))
        elif e.op == WRITE:
            self.files.setdefault(e.file, File()).write(e.at, e.data)
        elif e.op == TRUNCATE:
            self.files.setdefault(e.file, File()).truncate(e.at)
        elif e.op == SYNC:
            self.files.setdefault(e.file, File()).sync()
        elif e.op in (RENAME, UNLINK):
            self.pending.append((e.op, *e.data.rstrip(b"\0").decode().split("\0")))
        elif e.op == SYNC_FOLDER:
            self.names, self.pending = self.renamed(len(self.pending)), []

    def renamed(self, n):
        names = dict(self.names)
        for op, path, *more in self.pending[:n]:
            if op == CREATE:
                names[path] = more[0]
            elif op == UNLINK:
                names.pop(path, None)
            elif path in names:
                names[more[0]] = names.pop(path)
        return names

    def cut(self, rng, folder):
        for path, file in self.renamed(rng.randint(0, len(self.pending))).items():
            (folder / pathlib.Path(path).name).write_bytes(file.after_the_cut(rng))


def record(base, shape, signal_path, rng, shim, seconds):
    """One run of plated with everything in it: parts, a stop, a second recording."""
    base.mkdir()
    rate_Hz, cells = SHAPES[shape]
    heard = []
    env = {"LD_PRELOAD": str(shim), "DISKSHIM_DIR": str(base / "traces"), "DISKSHIM_LOG": str(base / "log")}
    config = rng.choice(["part_MB: 0", "part_MB: 0.05"])
    with Station(base, signal_path, rate_Hz, cells, config=config, env=env) as s:
        s.wait(lambda: s.heard["plate"] > 0)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            heard.append((time.monotonic(), s.heard["plate"]))
            time.sleep(0.01)
        if s.stop():
            raise Wrong("plated failed: " + s.log())
    log = read_log(base / "log")
    return log, heard, slow_s(log, [t for t, _ in heard])


def slow_s(log, looked_s):
    """What is new waits for a sync under way and for its own, and for the longest pause of the machine: so much later it is due."""
    syncs = [e.at * 1e-9 for e in log if e.op in (SYNC, SYNC_FOLDER)]
    return 2 * max(syncs, default=0) + max(np.diff(looked_s), default=0)


def cut_once(log, at, heard, old_s, sent, rng, folder):
    disk, traces = Disk(), folder / "traces"
    traces.mkdir(parents=True)
    for e in log[:at]:
        disk.step(e)
    disk.cut(rng, traces)
    cut_s = log[at].t if at < len(log) else log[-1].t
    old = max((n for t, n in heard if t <= cut_s - old_s), default=0)
    for path in traces.glob("*.h5"):  # whatever a torn live file says, a reader comes back
        run_trace("info", path, timeout=20)
    for path in sorted(traces.glob("*.journal")):
        if not path.exists():
            continue  # recovered with an earlier part
        done = run_trace("recover", path)
        if done.returncode:
            raise Wrong(f"recover {path.name}: {done.stderr.strip()}")
    rows = 0
    for name, parts in trace_files(traces).items():
        done = run_trace("verify", parts[0])
        if done.returncode:
            raise Wrong(f"verify {name}: {done.stdout}{done.stderr}")
        counts = read_counts(parts, "plate")
        if not np.array_equal(counts, sent[:len(counts)]):
            raise Wrong(f"{name}: not what was sent")
        rows = max(rows, len(counts))
    if rows < old:
        raise Wrong(f"{rows} rows, but {old} were older than {old_s:.3g} s")
    return rows, old


def power_trials(args, rng, shim, keep, seconds=RUN_S, per_run=20):
    """per_run cuts through the log of each run."""
    tally = collections.Counter()
    with tempfile.TemporaryDirectory(prefix="plated-power-", dir=args.dir) as base:
        base = pathlib.Path(base)
        signals = Signals(base, 3 * seconds)
        for n in range(args.trials):
            if n % per_run == 0:
                shape = list(SHAPES)[n // per_run % len(SHAPES)]
                sent, signal_path = signals[shape]
                log, heard, late_s = record(base / f"run{n}", shape, signal_path, rng, shim, seconds)
            at = rng.randrange(1, len(log) + 1)
            folder = base / f"trial{n}"
            try:
                rows, old = cut_once(log, at, heard, OLD_S + late_s, sent, rng, folder)
            except (Wrong, subprocess.TimeoutExpired) as e:
                print(f"trial {n} (seed {args.seed}, {shape}, after write {at} of {len(log)}): {e}; its files: {keep(folder, args)}", flush=True)
                tally["wrong"] += 1
            else:
                tally.update(rows=rows, old=old)
                tally["late_ms"] = max(tally["late_ms"], round(1000 * late_s))
                if args.verbose:
                    print(f"trial {n}: {shape}, after write {at} of {len(log)}: {rows} rows, {old} of them due after {OLD_S + late_s:.3g} s", flush=True)
            shutil.rmtree(folder, ignore_errors=True)
    return tally
