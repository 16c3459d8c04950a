#!/usr/bin/python3
"""Every recording in tests/data through import and the core: the events are those of the golden, byte for byte, and
they are what really happened. `test_golden.py --write` writes the goldens anew (set PLATE_BIN)."""
import csv, json, os, pathlib, subprocess, sys, tempfile

import pytest

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"
NAMES = sorted(p.name.removesuffix(".marks.csv") for p in DATA.glob("*.marks.csv"))


def events(folder, name):
    trace = [os.environ["PLATE_BIN"] + "/plate-trace"]
    archive = pathlib.Path(folder) / f"{name}.h5"
    subprocess.run([*trace, "import", DATA / f"{name}.csv", "-o", archive, "--marks", DATA / f"{name}.marks.csv"], check=True, stderr=subprocess.DEVNULL)
    subprocess.run([*trace, "verify", archive], check=True, stdout=subprocess.DEVNULL)
    return subprocess.run([*trace, "reps", "--all", archive], check=True, capture_output=True, text=True).stdout


def test_there_are_recordings():
    assert len(NAMES) >= 4


@pytest.mark.parametrize("name", NAMES)
def test_golden(tmp_path, name):
    assert events(tmp_path, name) == (DATA / f"{name}.events").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_what_really_happened(name):
    """The golden itself is held against the simulator's truth, so that it cannot enshrine a mistake."""
    reps = [json.loads(line.split(" ", 1)[1]) for line in (DATA / f"{name}.events").open() if line.startswith("rep")]
    truth = list(csv.DictReader((DATA / f"{name}.truth.csv").open()))
    key = lambda plate, onset: (plate, float(onset))
    reps.sort(key=lambda r: key(r["plate"], r["onset_s"]))
    truth.sort(key=lambda t: key(t["plate"], t["onset_s"]))
    assert [(r["plate"], r["side"], r["rep"]) for r in reps] == [(t["plate"], t["side"], int(t["rep"])) for t in truth]
    for r, t in zip(reps, truth):
        assert abs(r["onset_s"] - float(t["onset_s"])) < 0.1 and abs(r["end_s"] - float(t["end_s"])) < 0.1
        assert abs(r["peak_force_N"] / float(t["peak_N"]) - 1) < 0.01


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    for name in NAMES:
        with tempfile.TemporaryDirectory() as folder:
            (DATA / f"{name}.events").write_text(events(folder, name))
