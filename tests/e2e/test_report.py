"""plate-report: what stands on the page is what stands in the trace, whatever the trace lacks."""
import json
import os
import re
import subprocess
import xml.etree.ElementTree

import h5py
import numpy as np
import pytest

from test_share import barbell


@pytest.fixture
def report(bin, tmp_path):
    def run(*args, code=0):
        env = dict(os.environ, MPLCONFIGDIR=str(tmp_path / "matplotlib"))
        done = subprocess.run([bin("plate-report"), *map(str, args)], cwd=tmp_path, capture_output=True, text=True, timeout=120, env=env)
        assert done.returncode == code, done.stderr
        if code == 1:
            assert done.stderr.startswith("plate-report: ") and done.stderr.count("\n") == 1, done.stderr
        return done.stderr if code else done.stdout

    return run


@pytest.fixture
def make(bin, tmp_path):
    """A trace of a CSV with marks."""
    def run(name, csv, marks=None, *args):
        source = tmp_path / "in.csv"
        source.write_text(csv)
        if marks:
            (tmp_path / "marks.csv").write_text(marks)
            args = ("--marks", "marks.csv", *args)
        done = subprocess.run([bin("plate-trace"), "import", str(source), "-o", name, "--force", *args], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return tmp_path / name

    return run


def pushes(n, pause_s=3.0, push_s=1.0, force_N=300.0, rate=100):
    one = np.concatenate((np.zeros(int(pause_s * rate)), force_N * np.sin(np.pi * np.arange(int(push_s * rate)) / (push_s * rate)) ** 2))
    return np.concatenate((np.tile(one, n), np.zeros(int(pause_s * rate))))


def csv(*columns, rate=100, header="t_s,force_N"):
    return header + "\n" + "".join("%.2f,%s\n" % (i / rate, ",".join("%.2f" % x for x in row)) for i, row in enumerate(zip(*columns)))


def page(path):
    text = path.read_text()
    for svg in re.findall(r"<svg.*?</svg>", text, re.S):
        xml.etree.ElementTree.fromstring(svg)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert not re.search(r'(src|href)="(?!#)', text) and "url(http" not in text and "<script" not in text, "the page needs something else"
    return text


def test_two_plates(report, bin, tmp_path, shared_data):
    (tmp_path / "m.csv").write_text("0,exercise,squat_jump\n0,subject,S <17>\n")
    subprocess.run([bin("plate-trace"), "import", shared_data / "squat_jump_two_plates_003.csv", "-o", tmp_path / "a.h5", "--marks", tmp_path / "m.csv"], check=True)
    assert report("a.h5") == "a.html\n"
    text = page(tmp_path / "a.html")
    assert "<h1>Squat jump</h1>" in text and "S &lt;17&gt;" in text
    with h5py.File(tmp_path / "a.h5") as f:
        reps, rows = f["reps"][()], f["asymmetry"][()]
        assert f.attrs["digest"].decode() in text and f.attrs["software"].decode() in text
    table = text[text.index("<h2>Every rep</h2>"):]
    for r in reps:
        assert f"<td>{r['peak_force_N']:,.0f}</td>".replace(",", "\u202f") in table
    if len(rows):
        assert "left weaker" in text and f"{abs(rows[-1]['value_pct']):.1f}" in text
    assert text.count("<svg") == 3 + 2 * (len(rows) > 0)
    assert "12\u202f080" in text[text.index("Account of samples"):]


def cells_of(text, heading):
    """The rows of the first table behind a heading."""
    body = text[text.index(f"<h2>{heading}</h2>"):]
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body[:body.index("</table>")])][1:]


def shown(v, plus=True):
    return "–" if not np.isfinite(v) else f"{v:{'+' if plus else ''}.1f}".replace("-", "\u2212") if round(v, 1) else "0.0"


def test_order_and_what_is_lost_over_the_set(report, make, tmp_path):
    rising, falling = ([f for k in range(5) for f in pushes(1, force_N=300 + step * k)] for step in (5, -12))
    once, balanced = "0,side,left\n{0},side,right\n", "0,side,left\n{0},side,right\n{1},side,left\n"
    for name, sets, marks, said, order in (("once", (falling, rising), once, "One leg always went first: order and side cannot be told apart.", "one leg first"),
                                           ("twice", (falling, rising) * 2, balanced + "{2},side,right\n", "One leg always went first", "one leg first"),
                                           ("abba", (falling, rising, rising, falling), "0,side,left\n{0},side,right\n{1},side,right\n{2},side,left\n", "The order was counterbalanced",
                                            "balanced")):
        ends = np.cumsum([len(x) / 100 for x in sets])
        path = make(f"{name}.h5", csv(np.concatenate(sets)), "0,exercise,isometric\n" + marks.format(*ends))
        report(path.name)
        text = page(tmp_path / f"{name}.html")
        with h5py.File(path) as f:
            rows = list({r["metric"]: r for r in f["asymmetry"][()]}.values())
            assert {bool(r["counterbalanced"]) for r in rows} == {order == "balanced"}, name
        assert said in text, name
        assert {row[-2] for row in cells_of(text, "Left and right")} == {order}
        lost = {tuple(row[1:4]) for row in cells_of(text, "Over the set")}
        columns = ("dropoff_left_pct", "dropoff_right_pct", "dropoff_difference_pct")
        assert lost == {tuple(shown(r[c]) for c in columns) for r in rows if np.isfinite([r[c] for c in columns]).any()} and lost
        peak = next(r for r in rows if r["metric"] == b"peak_force_N")
        assert f"the left lost {peak['dropoff_left_pct']:.1f} % and the right gained {-peak['dropoff_right_pct']:.1f} %" in text
        assert "Share of the load</h2>" not in text


def test_share_and_when_it_shifted(report, make, tmp_path):
    steady = [0.50, 0.51, 0.49, 0.505, 0.495, 0.50]
    for name, lefts in (("shift", steady + [p - 0.08 for p in steady]), ("steady", steady)):
        path = make(f"{name}.h5", barbell(lefts), "0,exercise,barbell_hip_thrust\n")
        report(path.name)
        report(path.name, "-o", f"{name}.pdf")
        text = page(tmp_path / f"{name}.html")
        with h5py.File(path) as f:
            primary = [r for r in f["asymmetry"][()] if r["primary"]][-1]
            whole, reps = f["sets"][-1]["left_share_pct"], f["reps"][()]
        assert "Both legs worked at once" in text and {row[-2] for row in cells_of(text, "Left and right")} == {"at once"}
        (row,) = cells_of(text, "Share of the load")
        left = reps[reps["side"] == b"left"]
        phases = [left[f"share_{p}_pct"] for p in ("drive", "hold", "lower")]
        assert row == ["1", str(len(left)), shown(whole, False)] + [shown(np.nanmean(p) if np.isfinite(p).any() else np.nan, False) for p in phases]
        if name == "shift":
            assert f"The load shifted at {primary['shift_s']:.2f} s: from there on the left had {-primary['shift_pct']:.1f} points less (mean force)" in text
            assert f"from {primary['shift_s']:.2f} s on, {shown(primary['shift_pct'])} points" in {r[-1] for r in cells_of(text, "Over the set")}
        else:
            assert "No shift of the load" in text and "Load shifted" not in text


def test_a_trace_that_is_older_than_the_columns(report, make, tmp_path):
    path = make("old.h5", barbell([0.48, 0.5, 0.49, 0.5]), "0,exercise,barbell_hip_thrust\n")
    with h5py.File(path, "r+") as f:
        for name, fresh in (("asymmetry", ("counterbalanced", "dropoff_", "shift_")), ("sets", ("left_share_pct",)), ("reps", ("share_",))):
            units, table = f[name].attrs["units"], f[name][()]
            keep = [n for n in table.dtype.names if not n.startswith(fresh)]
            del f[name]
            f[name] = np.array([tuple(r[n] for n in keep) for r in table], [(n, table.dtype[n]) for n in keep])
            f[name].attrs["units"] = [u for n, u in zip(table.dtype.names, units) if n in keep]
    report("old.h5")
    report("old.h5", "-o", "old.pdf")
    text = page(tmp_path / "old.html")
    assert {row[-2] for row in cells_of(text, "Left and right")} == {"–"} and "Share of the load</h2>" not in text


def test_no_reps_and_one_plate(report, make, tmp_path):
    make("quiet.h5", csv(np.zeros(500)))
    report("quiet.h5", "-o", "out.html")
    text = page(tmp_path / "out.html")
    assert "No repetition was found" in text and "Every rep" not in text and text.count("<svg") == 1


def test_one_side_only(report, make, tmp_path):
    make("left.h5", csv(pushes(5)), "0,side,left\n")
    report("left.h5")
    text = page(tmp_path / "left.html")
    assert "Only the left has reps" in text and "Left and right" not in text


def test_gaps_are_told_and_not_drawn_over(report, make, tmp_path):
    lines = csv(pushes(4)).splitlines(keepends=True)
    make("gap.h5", "".join(lines[:901] + lines[1101:]))
    report("gap.h5")
    text = page(tmp_path / "gap.html")
    account = text[text.index("Account of samples"):]
    assert "<td>200</td>" in account and "holes in time (estimated)" in account


def test_peaks_survive_decimation(bin, make):
    force = np.zeros(400_000)
    force[123_456] = 777.0
    force[200_000] = -55.0
    path = make("long.h5", csv(force, rate=100))
    code = f"""
import os, sys
sys.path.insert(0, os.path.dirname(os.path.realpath({bin("plate-report")!r})))
from plate_report.trace import Trace
plate = Trace({str(path)!r}).plates[0]
t, f = plate.line()
assert len(t) < 4000 and f.max() == 777 and f.min() == -55, (len(t), f.max(), f.min())
assert abs(t[f.argmax()] - 1234.56) < 4
t, f = plate.line(123_000, 124_000)
assert len(t) == 1000 and t[f.argmax()] == 1234.56 and plate.row_at(1234.56) == 123_456
"""
    subprocess.run(["/usr/bin/python3", "-c", code], check=True)


def test_a_file_that_grows(report, make, tmp_path):
    source = make("done.h5", csv(pushes(4)), "0,side,left\n")
    with h5py.File(source) as old, h5py.File(tmp_path / "live.h5", "w", libver="latest") as f:
        for k, v in old.attrs.items():
            f.attrs[k] = v
        for name in old:
            old.copy(name, f)
        f.attrs["sealed"] = 0
        del f.attrs["digest"]
        f.flush()
        f.swmr_mode = True
        report("live.h5")
    text = page(tmp_path / "live.html")
    assert "not sealed" in text and "Every rep" in text


def test_corrections_are_in_effect(report, make, bin, tmp_path):
    def sides_of(*args):
        done = subprocess.run([bin("plate-trace"), *args, tmp_path / "c.h5"], capture_output=True, text=True, check=True)
        return [json.loads(line)["side"] for line in done.stdout.splitlines()]

    def sides_on(text):
        return re.findall(r'<td class="t (\w+)">', text)

    make("c.h5", csv(pushes(6)), "0,side,left\n6,side,right\n")
    for args in (["--set", "2", "--side", "left", "--who", "anna"], ["--set", "1", "--discard-rep", "1"], ["--involved", "right"], ["--set", "2", "--side", "none"]):
        subprocess.run([bin("plate-trace"), "correct", tmp_path / "c.h5", *args], check=True, capture_output=True)
    report("c.h5")
    text = page(tmp_path / "c.html")
    assert "set 2 side left, was right, by anna" in text and "rep discarded" in text and "right involved" in text
    assert "One leg" not in text, "an order of legs of which one has no rep"
    assert sides_on(text) == sides_of("reps", "--json") and "right" not in sides_on(text) and "none" in sides_on(text)
    report("c.h5", "-o", "c.pdf")
    report("c.h5", "-o", "first.html", "--as-recorded")
    text = page(tmp_path / "first.html")
    assert sides_on(text) == sides_of("reps", "--json", "--as-recorded") and set(sides_on(text)) == {"left", "right"}
    assert "rep discarded" not in text and "Left and right" in text


def test_several_traces_and_pdf(report, make, tmp_path):
    make("a.h5", csv(pushes(3)), "0,side,left\n6,side,right\n")
    make("b.h5", csv(pushes(2)))
    report("a.h5", "b.h5", "-o", "both.html")
    assert page(tmp_path / "both.html").count("<main>") == 2
    report("a.h5", "b.h5", "-o", "both.pdf")
    assert (tmp_path / "both.pdf").read_bytes().startswith(b"%PDF-")
    assert not list(tmp_path.glob("*.tmp"))


def test_errors_are_one_line(report, make, bin, tmp_path):
    assert "nix.h5" in report("nix.h5", code=1)
    (tmp_path / "text.h5").write_text("no HDF5")
    assert "text.h5" in report("text.h5", code=1)
    with h5py.File(tmp_path / "other.h5", "w") as f:
        f["x"] = 1
    assert "not a trace" in report("other.h5", code=1)
    with h5py.File(tmp_path / "hollow.h5", "w") as f:
        f.attrs["format"] = "plated-trace"
    assert "not a whole trace" in report("hollow.h5", code=1)
    make("a.h5", csv(pushes(2)))
    assert "nowhere" in report("a.h5", "-o", "nowhere/a.html", code=1)
    assert "itself" in report("a.h5", "-o", "a.h5", code=1)
    report(code=2)
    version = subprocess.run([bin("plate-trace"), "--version"], capture_output=True, text=True).stdout
    assert report("--version").split()[1] == version.split()[1]
