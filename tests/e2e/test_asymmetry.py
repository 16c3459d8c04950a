"""Left against right as plate-trace says it: one trace, and from session to session."""
import json
import subprocess

import numpy as np
import pytest
from scipy import stats

RATE = 100


def push(peak, seconds=3.0):
    """A push against a fixed bar: up in 0.3 s, held, down."""
    t = np.arange(int(seconds * RATE)) / RATE
    return peak * np.clip(np.minimum(t, seconds - t) / 0.3, 0, 1)


def session(left, right, subject="P1", order=("left", "right")):
    """CSV and marks of pushes in newtons, a set of each leg in this order."""
    force, marks = [np.full(3 * RATE, 60.0)], ["0.0,exercise,isometric", f"0.0,subject,{subject}"]
    for side in order:
        marks.append(f"{sum(map(len, force)) / RATE},side,{side}")
        for peak in {"left": left, "right": right}[side]:
            force += [np.full(2 * RATE, 60.0), 60 + push(peak - 60)]
        force.append(np.full(3 * RATE, 60.0))
    force = np.concatenate(force)
    return "t_s,force_N\n" + "".join(f"{i / RATE:.2f},{f:.2f}\n" for i, f in enumerate(force)), "\n".join(marks) + "\n"


@pytest.fixture
def trace(bin, tmp_path):
    def run(*args):
        return subprocess.run([bin("plate-trace"), *map(str, args)], cwd=tmp_path, capture_output=True, text=True, timeout=120)

    def make(name, left, right, **more):
        csv, marks = session(left, right, **more)
        (tmp_path / "in.csv").write_text(csv)
        (tmp_path / "in.marks.csv").write_text(marks)
        done = run("import", "in.csv", "-o", name, "--marks", "in.marks.csv")
        assert done.returncode == 0, done.stderr
        return name

    run.make = make
    return run


def test_the_interval_is_for_the_plan_that_the_protocol_names(trace, tmp_path):
    (tmp_path / "in.csv").write_text(session([400, 404, 396, 402, 398], [500, 505, 495, 502, 498])[0])
    (tmp_path / "in.marks.csv").write_text(session([400] * 5, [500] * 5)[1])
    ends = {}
    for reps in (5, 20):
        (tmp_path / "c.yaml").write_text(f"sets: 1\nreps: {reps}\nexercise: isometric\nplates:\n  - name: plate\n    port: none\n"
                                         "    rate_Hz: 100\n    cells:\n      - name: force\n")
        done = trace("import", "in.csv", "-o", f"{reps}.h5", "--marks", "in.marks.csv", "-c", "c.yaml")
        assert done.returncode == 0, done.stderr
        row = json.loads(trace("asymmetry", f"{reps}.h5", "--json").stdout.splitlines()[0])
        assert row["metric"] == "peak_force_N" and row["primary"] and row["n_left"] == row["n_right"] == 5
        assert row["value_pct"] == pytest.approx(-20, abs=0.3) and row["counterbalanced"] is False
        ends[reps] = row["ci95_pct"]
    assert ends[20][0] < ends[5][0] < -20 < ends[5][1] < ends[20][1]


def test_it_says_that_one_leg_went_first(trace):
    peaks, warning = ([500, 508, 495], [498, 512, 520]), "one leg went first more often"
    assert trace("asymmetry", trace.make("lr.h5", *peaks)).stdout.splitlines()[-1].startswith(warning)
    balanced = trace("asymmetry", trace.make("lrrl.h5", *peaks, order=("left", "right", "right", "left"))).stdout
    assert "(n 6)" in balanced and warning not in balanced
    assert warning not in trace("asymmetry", "lr.h5", "--json").stdout


def test_from_session_to_session(trace):
    rights = [500, 508, 495, 512, 520]
    files = [trace.make(f"{i}.h5", [400, 402, 398], [r, r + 2, r - 2]) for i, r in enumerate(rights)]
    done = trace("asymmetry", *files, "--json", "--metric", "peak_force_N")
    assert done.returncode == 0, done.stderr
    *rows, said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["file"] for r in rows] == files and said["file"] is None
    v = np.array([r["value_pct"] for r in rows])
    assert said["values_pct"] == list(v) and said["sessions"] == 5 and said["primary"]
    line = stats.linregress(np.arange(5), v)
    half = stats.t.isf(0.025, 3) * line.stderr
    error = np.std(np.diff(v), ddof=1) / np.sqrt(2)
    bounds = [error * np.sqrt(3 / stats.chi2.isf(p, 3)) for p in (0.025, 0.975)]
    near = lambda x: pytest.approx(x, abs=0.002)
    assert said["trend_pct_per_session"] == near(line.slope) and said["trend_ci95_pct"] == near([line.slope - half, line.slope + half])
    assert said["typical_error_pct"] == near(error) and said["typical_error_ci95_pct"] == near(bounds)
    assert said["mdc95_pct"] == near(1.96 * np.sqrt(2) * error) and said["change_pct"] == near(v[4] - v[3])
    assert said["beyond_mdc95"] is False


def test_two_sessions_are_too_few_and_two_subjects_are_not_compared(trace):
    one, two = (trace.make(f"{r}.h5", [400, 400, 400], [r, r, r]) for r in (420, 440))
    said = json.loads(trace("asymmetry", one, two, "--json", "--metric", "peak_force_N").stdout.splitlines()[-1])
    assert said["sessions"] == 2 and said["change_pct"] == pytest.approx(-4.33, abs=0.05)
    for name in ("trend_pct_per_session", "typical_error_pct", "mdc95_pct", "beyond_mdc95"):
        assert said[name] is None
    other = trace.make("other.h5", [400, 400, 400], [440, 440, 440], subject="P2")
    done = trace("asymmetry", one, other, "--json")
    assert done.returncode == 0 and "another subject" in done.stderr
    assert all(json.loads(line)["file"] for line in done.stdout.splitlines())
    done = trace("asymmetry", one, two, one, "--json")  # counted twice, a recording would repeat itself without error
    assert done.returncode == 0 and "the same recording" in done.stderr and all(json.loads(line)["file"] for line in done.stdout.splitlines())
    done = trace("asymmetry", one, "gone.h5", two, "--json")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and len({json.loads(x)["file"] for x in done.stdout.splitlines()}) == 2
