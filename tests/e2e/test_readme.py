"""The examples in README.md do what it says of them: the subscriber on a live daemon, the reader on the archive it sealed."""
import pathlib
import re
import subprocess
import sys

import h5py
import pytest

from station import Station

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"


def example(name, folder):
    """The code between `<!-- example: NAME -->` and `<!-- end -->`, as a file."""
    found = re.search(rf"<!-- example: {re.escape(name)} -->\n```python\n(.*?)```\n<!-- end -->", README.read_text(), re.S)
    assert found, f"README.md has no example {name}"
    path = folder / name
    path.write_text(found[1])
    return str(path)


def test_examples(tmp_path, bin):
    truth = tmp_path / "truth.csv"
    sim = ["--sets", "left", "--reps", "2", "--start-delay", "50", "--speed", "10", "--truth", truth]
    with Station(tmp_path, bin, sim, exercise="single_leg_hip_thrust", config="side: left") as s:
        with open(tmp_path / "said", "w") as out:
            listener = subprocess.Popen([sys.executable, example("subscriber.py", tmp_path), s.data], stdout=out)
        try:
            s.play(timeout=60)
            archive = s.stop()
        finally:
            listener.kill()
            listener.wait()
    said = (tmp_path / "said").read_text().splitlines()
    assert [line.split(" peak ")[0] for line in said] == ["plate left rep 1", "plate left rep 2"]

    read = subprocess.run([sys.executable, example("mean_force.py", tmp_path), archive], capture_output=True, text=True)
    assert read.returncode == 0, read.stderr
    name, mean_N, unit = read.stdout.split()
    with h5py.File(archive) as f:
        counts, scale = f["plates/plate/counts"][:], f["plates/plate"].attrs["count_scale"]
    assert (name, unit) == ("plate", "N")
    assert float(mean_N) == pytest.approx(counts.sum(axis=1).mean() * scale)  # unit gains and no tare
