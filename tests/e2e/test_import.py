"""plate-trace by its command line: import, export, info, reps, asymmetry, verify, recover."""
import csv
import json
import os
import subprocess

import h5py
import numpy as np
import pytest


@pytest.fixture
def trace(bin, tmp_path):
    """Runs plate-trace in an own folder; `ok` wants success, `no` wants failure and gives its one line."""

    class Trace:
        folder = tmp_path

        def run(self, *args):
            return subprocess.run([bin("plate-trace"), *map(str, args)], cwd=tmp_path, capture_output=True, text=True, timeout=120)

        def ok(self, *args):
            done = self.run(*args)
            assert done.returncode == 0, done.stderr
            return done.stdout

        def no(self, *args, code=1):
            done = self.run(*args)
            assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
            assert done.stderr.startswith("plate-trace"), done.stderr
            if code == 1:
                assert done.stderr.count("\n") == 1, done.stderr
            return done.stderr

        def file(self, name, text):
            path = tmp_path / name
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            return name

    return Trace()


def rows(n=200, rate=100, force="%.2f", columns=1):
    """A push and a rest now and then."""
    t = np.arange(n) / rate
    f = 300 * (np.sin(2 * np.pi * t / 4) > 0.3)
    return "".join("%.3f,%s\n" % (a, ",".join([force % b] * columns)) for a, b in zip(t, f))


def times(f, plate):
    """Row by row t_s, by the rule of the archive's own documentation."""
    g = f["plates"][plate]
    row = np.arange(len(g["counts"]))
    gaps, clock = g["gaps"][()], g["clock"][()]
    sample = row + np.array([gaps["count"][gaps["row"] <= r].sum() for r in row], dtype=np.int64)
    k = np.searchsorted(clock["sample"].astype(np.int64), sample, "right") - 1
    return clock["t_s"][k] + (sample - clock["sample"][k].astype(np.int64)) * clock["period_s"][k], sample


REAL = ["wheel_push_240hz", "treadmill_4cells_1000hz", "hx711_drop", "hx711_staircase", "squat_jump_two_plates_003", "squat_jump_two_plates_007",
        "squat_jump_two_plates_010", "squat_jump_two_plates_012"]


@pytest.mark.parametrize("name", REAL)
def test_real_recordings_keep_every_number(trace, shared_data, name):
    source = shared_data / f"{name}.csv"
    trace.ok("import", source, "-o", "a.h5")
    assert "digest ok" in trace.ok("verify", "a.h5")
    lines = source.read_text().splitlines()
    data = np.array([[float(x) for x in line.split(",")] for line in lines[1:]])
    half = 0.5 * 10.0 ** -len(lines[1].split(",")[0].partition(".")[2])
    with h5py.File(trace.folder / "a.h5") as f:
        plates = sorted(f["plates"], key=lambda p: f["plates"][p].attrs["index"])
        values = np.hstack([f["plates"][p]["counts"][()] * f["plates"][p].attrs["count_scale"] for p in plates])
        assert np.allclose(values, data[:, 1:], rtol=0, atol=1e-9)
        t, sample = times(f, plates[0])
        assert np.max(np.abs(t - data[:, 0])) <= half
        step = np.diff(data[:, 0])
        assert (np.diff(sample) > 1).sum() == (step > 1.5 * np.median(step)).sum()
    # and back: the file that comes out goes in again as the same counts
    trace.ok("export", "a.h5", "--format", "csv", "--counts", "-o", "b.csv")
    trace.ok("import", "b.csv", "-o", "b.h5")
    with h5py.File(trace.folder / "a.h5") as a, h5py.File(trace.folder / "b.h5") as b:
        for p in plates:
            assert np.array_equal(a["plates"][p]["counts"][()], b["plates"][p]["counts"][()])
            assert np.array_equal(a["plates"][p]["gaps"][()], b["plates"][p]["gaps"][()])


def reps_of(trace, source, exercise, *args):
    """The reps of each plate of a recording."""
    trace.ok("import", source, "-o", "reps.h5", "--exercise", exercise, *args)
    plates = {}
    for line in trace.ok("reps", "reps.h5", "--json").splitlines():
        r = json.loads(line)
        plates.setdefault(r["plate"], []).append(r)
    return plates


def overlap(reps, source):
    """Each rep over its own of the labels, by more than half of the shorter of the two, and none besides."""
    with open(str(source).replace(".csv", ".reps.csv")) as f:
        labels = [(float(r["start_s"]), float(r["end_s"])) for r in csv.DictReader(f)]
    found = [(r["onset_s"], r["end_s"]) for r in reps]
    assert len(found) == len(labels), (found, labels)
    for (a, b), (start, end) in zip(found, labels):
        assert min(b, end) - max(a, start) > 0.5 * min(b - a, end - start), (found, labels)
    return labels


@pytest.mark.parametrize("name", [n for n in REAL if n.startswith("squat_jump")])
def test_every_real_jump_on_both_plates(trace, shared_data, name):
    source = shared_data / f"{name}.csv"
    plates = reps_of(trace, source, "squat_jump")
    assert sorted(plates) == ["left", "right"]
    for plate, reps in plates.items():
        labels = overlap(reps, source)
        assert [(r["side"], r["set"], r["rep"]) for r in reps] == [(plate, 1, i + 1) for i in range(len(labels))]
        assert all(abs(r["end_s"] - end) < 0.02 for r, (_, end) in zip(reps, labels))  # landing


def test_every_real_push_of_the_wheel(trace, shared_data):
    source = shared_data / "wheel_push_240hz.csv"
    reps, = reps_of(trace, source, "generic").values()
    labels = overlap(reps, source)
    assert len(labels) == 14
    off = sorted(abs(a - b) for r, label in zip(reps, labels) for a, b in zip((r["onset_s"], r["end_s"]), label))
    assert off[len(off) // 2] < 0.02 and off[-1] < 0.08, off


@pytest.mark.parametrize("name, exercise", [("hx711_staircase", "generic"), ("hx711_staircase", "squat"), ("hx711_drop", "generic"),
                                            ("hx711_drop", "squat"), ("hx711_drop", "isometric"), ("hx711_drop", "single_leg_hip_thrust")])
def test_a_scale_that_nobody_trains_on_stays_silent(trace, shared_data, name, exercise):
    assert reps_of(trace, shared_data / f"{name}.csv", exercise, "--scale", "force=3.58722e-3") == {}


def test_newtons_go_round(trace, shared_data):
    source = shared_data / "squat_jump_two_plates_003.csv"
    trace.ok("import", source, "-o", "a.h5")
    trace.ok("export", "a.h5", "--format", "csv", "-o", "b.csv")
    a, b = ([line.split(",") for line in open(p).read().splitlines()] for p in (source, trace.folder / "b.csv"))
    assert a[0] == b[0] and [x[1:] for x in a] == [x[1:] for x in b]
    assert all(float(x[0]) == float(y[0]) for x, y in zip(a[1:], b[1:]))


def test_marks_steer_and_stand_in_the_file(trace):
    trace.file("a.csv", "t_s,force_N\n" + rows(4000))
    trace.file("m.csv", 't_s,kind,value\n0,exercise,squat\n0.0,side,left\n20.5,side,right\n1,note,"bar, then none"\n0,subject,S-1\n0,load_kg,40\n')
    trace.ok("import", "a.csv", "-o", "a.h5", "--marks", "m.csv")
    trace.ok("verify", "a.h5")
    with h5py.File(trace.folder / "a.h5") as f:
        marks = [(m["t_s"], m["kind"], m["value"], m["sample"]) for m in f["marks"][()]]
        assert (20.5, b"side", b"right", 2050) in marks and len(marks) == 6
        session = {(s["key"], s["value"]) for s in f["session"][()]}
        assert {(b"exercise", b"squat"), (b"subject", b"S-1"), (b"load_kg", b"40"), (b"notes", b"bar, then none")} <= session
    events = [line.split(" ", 1) for line in trace.ok("reps", "a.h5", "--all").splitlines()]
    marks = [json.loads(body) for topic, body in events if topic == "mark"]
    assert [m["kind"] for m in marks][-1] == "side" and marks[-1]["t_s"] == 20.5


def test_a_misspelt_exercise_is_said(trace):
    trace.file("a.csv", "t_s,force_N\n" + rows(2000))
    trace.file("m.csv", "5,exercise,glute-bridge\n6,exercise,paused\n")
    warned = trace.run("import", "a.csv", "-o", "a.h5", "--exercise", "hip_thrust", "--marks", "m.csv")
    assert warned.returncode == 0
    said = [line for line in warned.stderr.splitlines() if "known are" in line]
    assert len(said) == 2 and all("taken as generic" in line and line.endswith("sit_to_stand, generic") for line in said)
    assert '--exercise: exercise "hip_thrust"' in said[0] and 'm.csv: exercise "glute-bridge"' in said[1]


def test_a_mark_ends_the_set(trace):
    t = np.arange(8000) / 200
    trace.file("a.csv", "t_s,force_N\n" + "".join("%.3f,%.2f\n" % (a, 20 + 1600 * np.clip(np.sin(2 * np.pi * a / 5), 0, 1)) for a in t))
    trace.file("m.csv", "22.6,set_end\n")
    trace.ok("import", "a.csv", "-o", "a.h5", "--exercise", "generic", "--marks", "m.csv")
    reps = [json.loads(x) for x in trace.ok("reps", "a.h5", "--json").splitlines()]
    sets = [json.loads(x.split(" ", 1)[1]) for x in trace.ok("reps", "a.h5", "--all").splitlines() if x.startswith("set")]
    assert {r["set"] for r in reps} == {1, 2} and all((r["onset_s"] > 22.6) == (r["set"] == 2) for r in reps)
    assert any(x.get("ended_by") == "command" for x in sets)


def test_scale_and_sides(trace):
    trace.file("a.csv", "t_s,left.force_counts,right.force_counts\n" + rows(400, force="%.0f", columns=2))
    done = trace.run("import", "a.csv", "-o", "a.h5", "--scale", "left.force_counts=0.5", "--scale", "right.force=2")
    assert done.returncode == 0 and not done.stderr, done.stderr
    trace.ok("export", "a.h5", "--format", "csv", "-o", "b.csv")
    values = np.genfromtxt(trace.folder / "b.csv", delimiter=",", skip_header=1)
    assert values[:, 1].max() == 150 and values[:, 2].max() == 600
    plates = json.loads(trace.ok("info", "a.h5", "--json"))["plates"]
    assert [p["name"] for p in plates] == ["left", "right"]
    warned = trace.run("import", "a.csv", "-o", "b.h5")
    assert warned.returncode == 0 and "one count is taken as one newton" in warned.stderr


def test_corners_have_a_centre_of_pressure(trace):
    names = "t_s,front_left_N,front_right_N,back_left_N,back_right_N\n"
    t = np.arange(12000) / 200
    drive = 400 * np.clip(np.sin(2 * np.pi * t / 5), 0, 1)
    text = "".join("%.3f,%.2f,%.2f,%.2f,%.2f\n" % (a, 5 + 0.3 * b, 5 + 0.3 * b, 5 + 0.2 * b, 5 + 0.2 * b) for a, b in zip(t, drive))
    trace.file("a.csv", names + text)
    warned = trace.run("import", "a.csv", "-o", "a.h5", "--exercise", "generic")
    assert warned.returncode == 0 and "400 x 600 mm" in warned.stderr
    said = trace.run("import", "a.csv", "-o", "b.h5", "--plate-size", "300x400")
    assert said.returncode == 0 and said.stderr == ""
    with h5py.File(trace.folder / "b.h5") as f:
        positions = f["plates/plate"].attrs["cell_positions_mm"]
        assert np.array_equal(positions, [[-150, 200], [150, 200], [-150, -200], [150, -200]])
    reps = [json.loads(x) for x in trace.ok("reps", "b.h5", "--json").splitlines()]
    assert reps and all(20 < r["cop_y_mm"] < 50 and abs(r["cop_x_mm"]) < 1 for r in reps)


def test_import_with_a_configuration(trace):
    config = """station: lab
exercise: squat
plates:
  - name: plate
    port: /dev/null
    decoder: csv
    rate_Hz: 100
    count_scale: 0.5
    cells:
      - {name: a, gain: 2, offset: 10}
      - {name: b, gain: 4, offset: 0}
"""
    trace.file("c.yaml", config)
    trace.file("a.csv", "t_s,b_counts,a_counts\n" + "".join("%.2f,%d,%d\n" % (i / 100, 100, 40) for i in range(300)))
    trace.ok("import", "a.csv", "-o", "a.h5", "-c", "c.yaml")
    trace.ok("verify", "a.h5")
    with h5py.File(trace.folder / "a.h5") as f:
        assert f["plates/plate/counts"][0].tolist() == [40, 100]  # by name, in the configuration's order
        assert f.attrs["station"] == b"lab"
    values = trace.ok("export", "a.h5", "--format", "csv", "-o", "-").splitlines()
    assert values[0] == "t_s,a_N,b_N" or values[0] == "t_s,plate.a_N,plate.b_N"
    assert [float(x) for x in values[1].split(",")] == [0, 2 * (20 - 10), 4 * 50]
    trace.file("x.csv", "t_s,b_counts\n0.00,1\n0.01,2\n0.02,2\n")
    assert "2 cells in the configuration and 1 columns" in trace.no("import", "x.csv", "-o", "x.h5", "-c", "c.yaml")
    trace.file("y.csv", "t_s,b_counts,a_counts\n0.0,1,1\n0.1,2,2\n0.2,2,2\n")
    assert "correct rate_Hz" in trace.no("import", "y.csv", "-o", "y.h5", "-c", "c.yaml")


@pytest.mark.parametrize("text, where, why", [
    ("", "", "empty"),
    ("t_s,a_N\n", ":1:", "no rows"),
    ("t_s,a_N\n0.0,1\n", ":2:", "single row"),
    ("t_s,a_N\n0.0,1.00\n0.1,2.00\n0.2,3.", ":4:", "cut short"),
    ("t_s,a_N\n0,1\n1,abc\n2,1\n", ":3:", "not a number"),
    ("t_s,a_N\n0,1\n1,NaN\n2,1\n", ":3:", "not a number"),
    ("t_s,a_N\n0,1\n0,2\n", ":3:", "does not rise"),
    ("t_s,a_N,a_N\n0,1,1\n", ":1:", "twice"),
    ("t_s,a_N\n0,1\n1,2,3\n", ":3:", "more fields"),
    ("t_s,a_counts\n0,1\n1,3000000000\n", "", "32-bit"),
    (b"\x89HDF\r\n\x1a\n\0\0\0", ":1:", "no header"),
])
def test_what_is_no_recording_is_refused(trace, text, where, why):
    trace.file("in.csv", text)
    line = trace.no("import", "in.csv", "-o", "out.h5")
    assert line.startswith("plate-trace: in.csv" + where) and why in line, line
    assert sorted(os.listdir(trace.folder)) == ["in.csv"]


def test_spreadsheet_habits_are_taken(trace):
    trace.file("in.csv", b"\xef\xbb\xbf" + ('"t_s", force_N \n' + rows(50)).replace("\n", "\r\n").encode() + b"\r\n")
    assert "50 samples" in trace.ok("import", "in.csv", "-o", "out.h5")


def test_a_cut_file_on_demand(trace):
    trace.file("in.csv", "t_s,force_N\n" + rows(50)[:-3])
    assert ":51:" in trace.no("import", "in.csv", "-o", "out.h5")
    done = trace.run("import", "in.csv", "-o", "out.h5", "--allow-truncated")
    assert done.returncode == 0 and "in.csv:51:" in done.stderr and "49 samples" in done.stdout


def test_nothing_is_overwritten_unasked(trace):
    trace.file("in.csv", "t_s,force_N\n" + rows(50))
    trace.file("out.h5", "precious")
    assert "--force" in trace.no("import", "in.csv", "-o", "out.h5")
    assert (trace.folder / "out.h5").read_text() == "precious"
    trace.ok("import", "in.csv", "-o", "out.h5", "--force")
    trace.ok("verify", "out.h5")
    assert sorted(os.listdir(trace.folder)) == ["in.csv", "out.h5"]
    assert "No such file" in trace.no("import", "in.csv", "-o", "nowhere/out.h5")


def test_usage(trace):
    assert "recover" in trace.ok("--help") and "--marks" in trace.ok("import", "--help")
    trace.no(code=2)
    trace.no("fly", code=2)
    trace.no("reps", code=2)
    trace.no("reps", "a", "b", code=2)
    trace.no("import", "a.csv", code=2)
    trace.no("import", "a.csv", "-o", "b.h5", "--scale", "x", code=2)
    trace.no("export", "a.h5", "-o", "b", "--format", "xml", code=2)
    assert "No such file" in trace.no("verify", "nix.h5")
    trace.file("text.h5", "no HDF5")
    assert "text.h5" in trace.no("reps", "text.h5")


def test_verify_sees_a_changed_number(trace):
    trace.file("in.csv", "t_s,force_N\n" + rows(3000))
    trace.ok("import", "in.csv", "-o", "a.h5")
    with h5py.File(trace.folder / "a.h5", "r+") as f:
        f["plates/plate/counts"][1234] += 1
    done = trace.run("verify", "a.h5")
    assert done.returncode == 1 and "digest" in done.stderr
    trace.ok("import", "in.csv", "-o", "b.h5")
    with h5py.File(trace.folder / "b.h5", "r+") as f:
        row = f["reps"][0]
        row["peak_force_N"] += 1
        f["reps"][0] = row
    done = trace.run("verify", "b.h5")
    assert done.returncode == 1 and "digest" in done.stderr
    assert "rep row 1: stored \"peak_force_N\"" in done.stderr, done.stderr


def test_another_detector_is_not_comparable(trace):
    trace.file("in.csv", "t_s,force_N\n" + rows(3000))
    trace.ok("import", "in.csv", "-o", "a.h5")
    with h5py.File(trace.folder / "a.h5", "r+") as f:
        f.attrs["detector_version"] = 999
    assert "not comparable" in trace.ok("info", "a.h5")
    assert "recomputed" not in trace.run("verify", "a.h5").stdout


def test_json_export_and_stored_rows(trace):
    trace.file("in.csv", "t_s,force_N\n" + rows(6000))
    trace.ok("import", "in.csv", "-o", "a.h5")
    trace.ok("export", "a.h5", "--format", "json", "-o", "a.json")
    o = json.loads((trace.folder / "a.json").read_text())
    assert {"recording", "plates", "reps", "sets", "asymmetry", "marks"} <= set(o)
    again = trace.ok("reps", "a.h5", "--json")
    assert again and again == trace.ok("reps", "a.h5", "--json", "--stored")
    assert o["reps"] == [json.loads(x) for x in again.splitlines()]
    assert trace.ok("reps", "a.h5").count("\n") == len(o["reps"]) + 1
    assert trace.ok("asymmetry", "a.h5", "--json") == "" and "nothing to compare" in trace.ok("asymmetry", "a.h5")


def test_sealed_needs_no_recovery(trace):
    trace.file("in.csv", "t_s,force_N\n" + rows(300))
    trace.ok("import", "in.csv", "-o", "a.h5")
    assert "sealed already" in trace.ok("recover", "a.h5")
    trace.no("recover", "in.csv")
    trace.no("recover", "nix.journal")
