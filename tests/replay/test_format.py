"""Archives of every layout that there has been: they stay in the tree, and what is in them stays readable.
archive-1-early.h5: format 1 before corrections and footer, by detector 1; archive-1.h5: format 1 as docs/archive.md has it. Both are
`plate-trace import` of the first 2200 lines of hip_thrust_left_right.csv."""
import json, os, pathlib, subprocess

import h5py
import numpy as np
import pytest

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"


def trace(*args):
    done = subprocess.run([os.path.join(os.environ["PLATE_BIN"], "plate-trace"), *map(str, args)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name, footer", [("archive-1-early.h5", False), ("archive-1.h5", True)])
def test_is_read(name, footer, tmp_path):
    path = DATA / name
    lines = (DATA / "hip_thrust_left_right.csv").read_text().splitlines()[:2200]
    said = trace("verify", path)
    assert "2199 samples archived + 0 lost = 2199" in said and "digest ok" in said and ("every byte as it was written" in said) == footer
    info = json.loads(trace("info", path, "--json"))
    assert (info["format_version"], info["sealed"], info["reps"], info["plates"][0]["samples"]) == (1, True, 3, 2199)
    reps = [json.loads(line) for line in trace("reps", "--stored", "--json", path).splitlines()]
    assert [r["rep"] for r in reps] == [1, 2, 3] and all(200 < r["peak_force_N"] < 205 for r in reps)
    assert len(trace("reps", "--json", path).splitlines()) == 3
    trace("export", path, "--format", "csv", "-o", tmp_path / "out.csv")
    out = (tmp_path / "out.csv").read_text().splitlines()
    assert np.array_equal(np.array([l.split(",") for l in out[1:]], float), np.array([l.split(",") for l in lines[1:]], float))
    with h5py.File(path) as f:
        assert f.attrs["format_version"] == 1 and f["plates/plate/counts"].shape == (2199, 4) and len(f["reps"]) == 3
