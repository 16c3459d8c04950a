"""Real recordings through plate-trace, beside what is known of them. Part of scripts/bench-detector."""
import csv
import json
import os
import subprocess
import sys
import tempfile

SCALE, OFFSET_N = 3.58722e-3, -3715.24  # newtons per count of the hx711 recordings, and what that calibration calls zero
JUMPS = ("003", "007", "010", "012")


def reps_of(tools, work, recording, exercise, extra=()):
    """The reps as plate-trace finds them in that CSV, marked as that exercise."""
    archive, marks = os.path.join(work, "a.h5"), os.path.join(work, "marks.csv")
    with open(marks, "w") as f:
        f.write(f"t_s,kind,value\n0.0,exercise,{exercise}\n")
    tool = os.path.join(tools, "plate-trace")
    done = subprocess.run([tool, "import", recording, "-o", archive, "--marks", marks, "--force", *extra], capture_output=True, text=True)
    if done.returncode == 0:
        done = subprocess.run([tool, "reps", archive, "--json"], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"bench-detector: {recording}: {done.stderr.strip()}")
    return [json.loads(x) for x in done.stdout.splitlines()]


def labels(recording):
    with open(recording.replace(".csv", ".reps.csv")) as f:
        return [{"onset_s": float(r["start_s"]), "end_s": float(r["end_s"])} for r in csv.DictReader(f)]


def found(truth, reps):
    """How many of the truth are found, once each, by overlap; and how many reps are none of them."""
    import bench_detector
    n = len(bench_detector.match(truth, reps))
    return n, len(reps) - n


def wheel(tools, work, data):
    path = os.path.join(data, "wheel_push_240hz.csv")
    for exercise in ("generic", "single_leg_hip_thrust"):
        n, false = found(labels(path), reps_of(tools, work, path, exercise))
        yield f"wheel as {exercise}: 14 of 14", f"{n} found, {false} false", n == 14 and false == 0


def jumps(tools, work, data):
    for number in JUMPS:
        path = os.path.join(data, f"squat_jump_two_plates_{number}.csv")
        reps, truth = reps_of(tools, work, path, "squat_jump"), labels(path)
        got = {plate: found(truth, [r for r in reps if r["plate"] == plate]) for plate in ("left", "right")}
        yield (f"squat jumps {number}: 3 of 3 on each plate", "; ".join(f"{p} {n} found, {false} false" for p, (n, false) in got.items()),
               all(v == (3, 0) for v in got.values()))


def without_offset(path, work):
    """The same counts, with what the calibration calls zero taken off."""
    out = os.path.join(work, os.path.basename(path))
    with open(path) as f, open(out, "w") as g:
        g.write(f.readline())
        for line in f:
            t, counts = line.split(",")
            g.write(f"{t},{int(counts) + round(OFFSET_N / SCALE)}\n")
    return out


def hx711(tools, work, data):
    for name, silent in (("hx711_staircase", True), ("hx711_drop", False)):
        path = os.path.join(data, name + ".csv")
        for offset, recording in (("as it is", path), ("offset off", without_offset(path, work))):
            for exercise in ("generic", "single_leg_hip_thrust"):
                reps = reps_of(tools, work, recording, exercise, ("--scale", f"force={SCALE}"))
                where = ", ".join(f"{r['onset_s']:.1f}-{r['end_s']:.1f} s" for r in reps[:4])
                yield (f"{name}, {offset}, as {exercise}: " + ("0 reps" if silent else "no criterion"),
                       f"{len(reps)} reps" + (f": {where}" if reps else ""), not reps if silent else None)


def treadmill(tools, work, data):
    path = os.path.join(data, "treadmill_4cells_1000hz.csv")
    reps = reps_of(tools, work, path, "generic", [x for c in range(1, 5) for x in ("--scale", f"c{c}=0.001")])
    n, false = found(labels(path), reps)
    yield "treadmill, 96 steps, as generic: no criterion", f"{len(reps)} seen, {n} of them overlap a step, {false} none", None


def judge(tools, data):
    """(what, figure, holds) of every recording; none, and a line on standard error, where the recordings are not there."""
    if not data or not os.path.isdir(data):
        print(f"bench-detector: {data or 'PLATE_DATA'}: no recordings here, so the real ones were NOT judged: say where with --data DIR",
              file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory() as work:
        return [row for part in (wheel, jumps, hx711, treadmill) for row in part(tools, work, data)]
