"""The examples of docs/archive.md, as they stand there: each reads an archive with no code of ours and must say the same."""
import pathlib, re, shutil, subprocess, sys

import h5py
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = {language: code for language, code in re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs/archive.md").read_text(), re.S)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, bin):
    """session.h5, with a hole in it."""
    folder = tmp_path_factory.mktemp("readers")
    lines = (ROOT / "tests/data/hip_thrust_left_right.csv").read_text().splitlines()
    head, rows = ["t_s," + lines[0].split(",", 1)[1]], lines[1:300] + lines[340:]
    (folder / "in.csv").write_text("\n".join(head + rows) + "\n")
    done = subprocess.run([bin("plate-trace"), "import", folder / "in.csv", "-o", folder / "session.h5"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def run(folder, name, language, *command):
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not here: scripts/test installs it")
    (folder / name).write_text(EXAMPLES[language])
    done = subprocess.run([*command, name], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def expected(folder):
    with h5py.File(folder / "session.h5") as f:
        assert len(f["plates/plate/gaps"]) == 1
        reps = f["reps"]["peak_force_N"]
        counts, scale = f["plates/plate/counts"][:], f["plates/plate"].attrs["count_scale"]
    last_s = float((folder / "in.csv").read_text().splitlines()[-1].split(",")[0])
    total = counts.sum(axis=1).max()
    return f"{len(counts)} samples to {last_s:.3f} s, ", f"{total * scale:.1f} N at most, {len(reps)} reps, the first peaks at {reps[0]:.1f} N\n", int(total)


def test_python(folder, expected):
    assert run(folder, "read.py", "python", sys.executable) == expected[0] + expected[1]


def test_r(folder, expected):
    assert run(folder, "read.R", "r", "Rscript").splitlines(True)[-1] == expected[0] + expected[1]


def test_h5dump(folder, expected):
    said = run(folder, "read.sh", "sh", "sh", "-e")
    assert '"plated-trace"' in said and '"peak_force_N"' in said and 'H5T_IEEE_F64LE "period_s"' in said
    with h5py.File(folder / "session.h5") as f:
        assert (folder / "counts.i32").read_bytes() == f["plates/plate/counts"][:].astype("<i4").tobytes()


def test_octave(folder, expected):
    assert run(folder, "read.m", "octave", "octave", "--no-gui", "--quiet", "--no-init-file") == f"{expected[0]}{expected[2]} counts at most\n"
