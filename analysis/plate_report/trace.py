"""A trace as it stands in the HDF5 file, all its parts as one, with the corrections in effect. Nothing is read before it is asked for."""
import os
import re

os.environ["HDF5_USE_FILE_LOCKING"] = "FALSE"  # a reader must not keep the daemon from its file
import h5py  # noqa: E402
import numpy as np  # noqa: E402

BINS = 1400  # of a trace as drawn: each keeps its minimum and its maximum
CHUNK = 1 << 19
SHARES = ("share_pct", "share_drive_pct", "share_hold_pct", "share_lower_pct")


class ReportError(Exception):
    """What is wrong, and what to do, in one line."""


def text(value):
    return value.decode("utf-8", "replace").rstrip("\0") if isinstance(value, (bytes, np.bytes_)) else str(value)


def table(files, name):
    """A table of all parts; what a later part says again of an earlier one is left out."""
    parts = [f[name][()] for f in files if name in f]
    if name not in ("session", "calibrations"):
        return np.concatenate(parts) if parts else np.zeros(0)
    rows = {r.tobytes(): r for part in parts for r in part}
    return np.array(list(rows.values()), parts[0].dtype) if parts else np.zeros(0)


def latest(rows, key):
    """What was said last of each."""
    return list({r[key]: r for r in rows}.values())


def known(row, name):
    """NaN where the trace is older than the column."""
    return float(row[name]) if name in row.dtype.names else np.nan


class Counts:
    """The counts of all parts as if they were one dataset."""

    def __init__(self, datasets):
        self.datasets = datasets
        self.ends = np.cumsum([len(d) for d in datasets])
        self.shape = (int(self.ends[-1]), max(d.shape[1] for d in datasets))

    def widened(self, counts):
        """As many cells as any part has; there is nothing of those that this one does not have."""
        return np.pad(counts, ((0, 0), (0, self.shape[1] - counts.shape[1])))

    def __getitem__(self, rows):
        pieces = [self.widened(d[max(rows.start - end + len(d), 0):rows.stop - end + len(d)])
                  for d, end in zip(self.datasets, self.ends) if rows.start < end and rows.stop > end - len(d)]
        return np.concatenate(pieces) if pieces else np.zeros((0, self.shape[1]), np.int32)


def of_parts(groups, name):
    """A plate's clock or gaps, of all parts: rows count on, and what a part says again is left out."""
    rows, before = {}, 0
    for g in groups:
        for r in g[name][()]:
            key = tuple(r)[1:]
            r["row"] += before
            rows.setdefault(key, r)
        before += len(g["counts"])
    return np.array(list(rows.values()), groups[0][name].dtype)


class Plate:
    """Rows of counts as time and force; nothing is read before it is asked for."""

    def __init__(self, name, groups, calibrations):
        self.name, group = name, groups[0]
        self.counts = Counts([g["counts"] for g in groups])
        self.rows = self.counts.shape[0]
        self.rate_Hz = float(group.attrs["rate_Hz"])
        self.cells = text(group.attrs["cell_layout"])
        self.device = " ".join(filter(None, (text(group.attrs["device"]), text(group.attrs["device_serial"]))))
        clock, self.gaps = of_parts(groups, "clock"), of_parts(groups, "gaps")
        self.gaps = self.gaps[self.gaps["row"] <= self.rows]
        if self.rows and not len(clock):
            raise ReportError(f"plate {name} has samples and no time axis: see plate-trace verify")
        self.knot_sample, self.knot_s, self.period_s = clock["sample"].astype(np.int64), clock["t_s"], clock["period_s"]
        self.missing = np.concatenate(([0], np.cumsum(self.gaps["count"].astype(np.int64))))
        self.calibrations = sorted((c for c in calibrations if text(c["plate"]) == name), key=lambda c: c["sample"])
        self.lost = int(self.missing[-1])

    def sample(self, rows):
        return rows + self.missing[np.searchsorted(self.gaps["row"], rows, "right")]

    def t_s(self, rows):
        sample = self.sample(rows)
        k = np.maximum(np.searchsorted(self.knot_sample, sample, "right") - 1, 0)
        return self.knot_s[k] + (sample - self.knot_sample[k]) * self.period_s[k]

    def force_N(self, lo, hi):
        counts, sample = self.counts[lo:hi], self.sample(np.arange(lo, hi))
        force = np.full(len(counts), np.nan)
        for i, c in enumerate(self.calibrations):
            end = self.calibrations[i + 1]["sample"] if i + 1 < len(self.calibrations) else np.iinfo(np.int64).max
            inside = (sample >= int(c["sample"])) & (sample < int(end))
            n, row = int(c["cells"]), 0 if int(c["components"]) == 1 else 2
            force[inside] = (counts[inside, :n] * c["count_scale"] - c["tare"][:n]) @ c["matrix"][row, :n]
        return force

    def span_s(self):
        t = self.t_s(np.array([0, self.rows - 1]))
        return float(t[0]), float(t[1])

    def row_at(self, t_s):
        lo, hi = 0, self.rows
        while lo < hi:
            mid = (lo + hi) // 2
            if self.t_s(np.array([mid]))[0] < t_s:
                lo = mid + 1
            else:
                hi = mid
        return lo

    def line(self, lo=0, hi=None, bins=BINS):
        """Time and force to draw: as sampled if that is few, else the lowest and the highest of each bin, so that every
        peak survives. A hole in the samples is a NaN."""
        hi = self.rows if hi is None else hi
        per_bin = max(1, (hi - lo) // bins)
        per_bin = 1 if hi - lo <= 2 * bins else per_bin
        t_out, f_out = [], []
        step = max(per_bin, CHUNK // per_bin * per_bin)
        for at in range(lo, hi, step):
            end = min(at + step, hi)
            t, force = self.t_s(np.arange(at, end)), self.force_N(at, end)
            if per_bin == 1:
                t_out.append(t)
                f_out.append(force)
                continue
            edge = np.arange(0, end - at, per_bin)
            low, high = np.fmin.reduceat(force, edge), np.fmax.reduceat(force, edge)
            t_out.append(np.repeat(t[edge], 2))
            f_out.append(np.column_stack((low, high)).ravel())
        if not t_out:
            return np.zeros(0), np.zeros(0)
        t, force = np.concatenate(t_out), np.concatenate(f_out)
        holes = np.flatnonzero(np.diff(t) > 3.5 * per_bin / self.rate_Hz) + 1
        return np.insert(t, holes, t[holes]), np.insert(force, holes, np.nan)


class Trace:
    def __init__(self, path, as_recorded=False):
        self.path, self.as_recorded = path, as_recorded
        self.files = open_parts(path)
        try:
            self.read()
        except (KeyError, OSError, ValueError, RuntimeError) as e:
            raise ReportError(f"{path}: not a whole trace ({str(e).splitlines()[0]}): see plate-trace verify") from None

    def read(self):
        f = self.files[0]
        if text(f.attrs.get("format", "")) != "plated-trace":
            raise ReportError(f"{self.path}: not a trace of plated")
        self.sealed = all(part.attrs["sealed"] for part in self.files)
        self.software, self.station = text(f.attrs["software"]), text(f.attrs["station"])
        self.created_utc = text(f.attrs["created_utc"])
        self.digest = text(f.attrs.get("digest", ""))
        self.imported = self.software.startswith("plate-trace")
        calibrations = table(self.files, "calibrations")
        groups = sorted(f["plates"].items(), key=lambda g: int(g[1].attrs["index"]))
        self.plates = [Plate(name, [part["plates"][name] for part in self.files], calibrations) for name, _ in groups]
        self.config = text(f.attrs["config"])
        self.findings, self.marks = table(self.files, "findings"), table(self.files, "marks")
        self.reps, self.discarded, self.resided = corrected(table(self.files, "reps"), self.since(0, "corrections"), self.config)
        units = f["reps"].attrs["units"] if "reps" in f else []
        self.unit = dict(zip(self.reps.dtype.names or (), map(text, units)))
        self.sides = [text(s) for s in self.reps["side"]] if len(self.reps) else []
        self.asymmetry = sorted(latest(self.since(1, "asymmetry"), "metric"), key=lambda r: not r["primary"])
        self.sets = [r for r in latest(self.since(1, "sets"), "set") if len(self.reps) and r["set"] in self.reps["set"]]
        self.session, self.notes, self.exercises, self.corrections = {}, [], [], []
        for row in table(self.files, "session"):
            key, value = text(row["key"]), text(row["value"])
            self.session[key] = value
            if key == "notes":
                self.notes.append(value)
            if key == "correction":
                self.corrections.append((int(row["utc_ns"]), value))
        done = [text(e) for e in self.reps["exercise"]] if len(self.reps) else [self.session.get("exercise", "")]
        self.exercises = list(dict.fromkeys(filter(None, done)))

    def since(self, first, name):
        """The rows of a table; as recorded, those before the one that correction `first` or a later one brought."""
        rows = table(self.files, name)
        brought = np.flatnonzero(rows["correction"] >= first) if self.as_recorded and "correction" in (rows.dtype.names or ()) else []
        return rows[:brought[0]] if len(brought) else rows

    def form(self, rep):
        same = [x for x in self.findings if x["plate"] == rep["plate"] and x["set"] == rep["set"] and x["rep"] == rep["rep"]]
        names = [text(x["name"]) for x in same]
        if (text(rep["plate"]), int(rep["set"])) not in self.resided:
            return names
        limit = re.search(r"^  medial_max_mm: (\S+)", self.config, re.M)  # with another side the foot's inner edge is on the other side
        inwards = {"left": 1, "right": -1}.get(text(rep["side"]), np.nan) * rep["cop_drift_x_mm"]
        return [n for n in names if n != "medial_shift"] + ["medial_shift"] * bool(limit and inwards > float(limit[1]))

    def planned(self):
        sides = re.search(r"^sides: \[(.*)\]", self.config, re.M)
        return sides[1] if sides else ""

    def span_s(self):
        spans = [p.span_s() for p in self.plates if p.rows]
        return (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else (0.0, 1.0)


def corrected(reps, corrections, config):
    """Reps as they are now, how many were discarded, and which (plate, set) have another side than was entered first."""
    carry = {name for name, side in re.findall(r'^  - name: "([^"]*)"\n +side: (\w+)', config, re.M) if side != "none"}
    discarded, resided = np.zeros(len(reps), bool), set()
    for c in corrections:
        field, value, plate = text(c["field"]), text(c["value"]), text(c["plate"])
        for i, r in enumerate(reps):
            if c["set"] not in (0, r["set"]) or c["rep"] not in (0, r["rep"]) or plate not in ("", text(r["plate"])):
                continue
            if field == "side" and text(r["plate"]) not in carry:
                r["side"] = value
                resided.add((text(r["plate"]), int(r["set"])))
            elif field == "warmup":
                r["warmup"] = value == "true"
            elif field == "discarded":
                discarded[i] = value == "true"
            elif field == "body_mass_kg":
                for force in ("peak_force_N", "mean_force_N", "hold_force_N"):
                    r[force + "_per_kg"] = r[force] / float(value)
    return reps[~discarded], int(discarded.sum()), resided


def open_trace(path):
    if not os.path.exists(path):
        raise ReportError(f"{path}: no such file")
    try:
        return h5py.File(path, "r")
    except OSError:
        pass
    try:  # a file that grows, or that a dead daemon left
        return h5py.File(path, "r", libver="latest", swmr=True)
    except OSError:
        raise ReportError(f"{path}: not an HDF5 file, or not a whole one: try plate-trace recover") from None


def open_parts(path):
    """The whole recording, whichever of its parts was named: docs/archive.md."""
    files = [open_trace(path)]
    stem = re.sub(r"(\.part\d+)?\.h5$", "", path)
    if files[0].attrs.get("part", 1) > 1:
        files = [open_trace(f"{stem}.h5")]
    while True:
        following = f"{stem}.part{len(files) + 1}.h5"
        if not os.path.exists(following) and not files[-1].attrs.get("continued", 0):
            return files
        files.append(open_trace(following))
        if any(files[-1].attrs.get(a) != files[0].attrs.get(a) for a in ("session", "created_utc")):
            raise ReportError(f"{following}: not a part of the recording of {stem}.h5")


def left_shares(trace):
    """The left's reps, where a plate under each foot says who carried how much."""
    if not len(trace.reps) or any(c not in trace.reps.dtype.names for c in SHARES):
        return []
    return [r for r, side in zip(trace.reps, trace.sides) if side == "left" and np.isfinite(r["share_pct"])]


def shifts(trace):
    """When the share shifted, by the metrics that say so, the primary one first."""
    return [(known(r, "shift_s"), r) for r in trace.asymmetry if np.isfinite(known(r, "shift_s"))]
