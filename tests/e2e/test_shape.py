"""A device that comes back with another number of cells: its counts go on in a part of their own, and nothing else changes."""
import json, pathlib, shutil, subprocess

import h5py
import numpy as np
import pytest

from station import Station, bodies, offline

RATE_HZ, SCALE = 200, 0.01


def signal(path, cells, seconds, seed):
    """Pushes of 300 N, 2 s apart, in a noise that tells one row from the next."""
    rows = np.arange(seconds * RATE_HZ)
    push = 30000 / cells * np.clip(np.sin(np.pi * rows / RATE_HZ), 0, None)
    noise = (rows[:, None] * 7919 + np.arange(cells) * 104729 + seed * 15485863) % 61 - 30
    counts = (np.rint(push)[:, None] + noise).astype(np.int32)
    lines = ["t_s," + ",".join(f"c{i}_N" for i in range(cells))]
    lines += [f"{r / RATE_HZ:.3f}," + ",".join(f"{v * SCALE:.2f}" for v in row) for r, row in zip(rows, counts)]
    path.write_text("\n".join(lines) + "\n")
    return counts


def replug(s, bin, path):
    """The board is another one: it comes up under the same link, and plays its own signal over and over."""
    s.sim.terminate()
    assert s.sim.wait(60) == 0
    s.sim = subprocess.Popen([bin("plate-sim"), "--link", s.folder / "port", "--playback", path, "--speed", "4", "--loop"], stdout=subprocess.PIPE)


def told(s, text):
    return sum(text in json.loads(b).get("text", "") for b in s.bodies("health/"))


def play_for(s, seconds):
    until = s.now_s() + seconds
    s.wait_for(lambda: s.now_s() > until, 60)


def is_of(sent, kept):
    """Row for row what was sent, from somewhere on, and round at its end."""
    begins = np.flatnonzero((sent == kept[0]).all(axis=1))  # the noise comes round, too
    return any(np.array_equal(kept, sent[(at + np.arange(len(kept))) % len(sent)]) for at in begins)


def trace(bin, *args, status=0):
    done = subprocess.run([bin("plate-trace"), *map(str, args)], capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


@pytest.fixture(scope="module")
def reshaped(tmp_path_factory, bin):
    """Four cells, then two, then four again; the station, what was sent, and the archive."""
    folder = tmp_path_factory.mktemp("reshaped")
    sent = [signal(folder / f"{i}.csv", cells, 8, i) for i, cells in enumerate((4, 2, 4))]
    with Station(folder, bin, ["--playback", folder / "0.csv", "--speed", "4", "--loop"], config="capture: true") as s:
        s.wait_for(lambda: s.now_s() > 5, 60)
        for i, text in ((1, "has 2 cells, the configuration 4: their sum is taken"), (2, "has the configured 4 cells again")):
            replug(s, bin, folder / f"{i}.csv")
            s.wait_for(lambda: told(s, text), 60)
            play_for(s, 5)
        s.sim.terminate()
        assert s.sim.wait(60) == 0
        s.wait_for(lambda: json.loads(s.ctl("status", "--json"))["plates"][0]["state"] == "waiting", 30)
        assert json.loads(s.ctl("status", "--json"))["archivist"]["part"] == 3
        archive = pathlib.Path(s.stop())
    return s, sent, archive


def test_each_shape_is_a_part(reshaped):
    _, sent, archive = reshaped
    parts = [archive, *(archive.with_name(f"{archive.stem}.part{n}.h5") for n in (2, 3))]
    for path, counts in zip(parts, sent):
        with h5py.File(path) as h5:
            plate, c = h5["plates/plate"], h5["calibrations"][-1]
            kept = plate["counts"][:]
            assert kept.shape[1] == counts.shape[1] == c["cells"] and len(kept) > 4 * RATE_HZ and is_of(counts, kept)
            assert c["count_scale"] == pytest.approx(SCALE)
            assert plate.attrs["cell_layout"].decode() == ("cell1 cell2" if kept.shape[1] == 2 else "c0 c1 c2 c3")
            assert int(plate.attrs["span"]) == len(kept) + int(h5["plates/plate/gaps"]["count"].sum())


def test_it_is_one_trace_live_and_computed_again(reshaped, bin, tmp_path):
    s, sent, archive = reshaped
    again = offline(bin, "--all", archive)
    for topic in ("rep", "set", "phase"):
        assert bodies(again, topic) == s.bodies(f"{topic}/") and bodies(again, topic), topic
    reps = [json.loads(b) for b in s.bodies("rep/")]
    assert reps and all(abs(r["peak_force_N"] - 300) < 3 for r in reps)
    capture, = archive.parent.glob("*.wire")
    assert trace(bin, "replay", capture).splitlines() == again
    assert trace(bin, "replay", capture, "-o", tmp_path / "x.h5").splitlines() == again
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.h5", "x.part2.h5", "x.part3.h5"]
    assert "reps recomputed the same" in trace(bin, "verify", tmp_path / "x.h5") and offline(bin, "--all", tmp_path / "x.h5") == again
    for part in ("", ".part2", ".part3"):
        with h5py.File(archive.with_name(f"{archive.stem}{part}.h5")) as live, h5py.File(tmp_path / f"x{part}.h5") as replayed:
            for table in ("plates/plate/counts", "plates/plate/gaps", "plates/plate/clock", "calibrations", "session", "marks", "reps"):
                assert live[table].dtype == replayed[table].dtype and live[table][()].tobytes() == replayed[table][()].tobytes(), (part, table)
    (tmp_path / "x.h5").unlink()
    assert "write NAME.h5" in trace(bin, "replay", capture, "-o", tmp_path / "x", status=1)
    assert "x.part2.h5: exists" in trace(bin, "replay", capture, "-o", tmp_path / "x.h5", status=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.part2.h5", "x.part3.h5"]
    assert "reps recomputed the same" in trace(bin, "verify", archive)
    info = json.loads(trace(bin, "info", "--json", archive))
    assert info["parts"] == 3
    rows = [line.split(",") for line in trace(bin, "export", archive, "--format", "csv", "--counts", "-o", "-").splitlines()]
    narrow = [r for r in rows[1:] if r[3] == ""]
    assert rows[0] == ["t_s", "c0_counts", "c1_counts", "c2_counts", "c3_counts"]
    assert is_of(sent[1], np.array([r[1:3] for r in narrow], int)) and all(r[3:] == ["", ""] for r in narrow)
    subprocess.run([bin("plate-report"), archive, "-o", tmp_path / "r.html"], check=True)
    assert subprocess.run([bin("plate-sim"), "--playback", archive], capture_output=True).returncode == 1


def test_a_copy_has_the_same_parts(reshaped, bin, tmp_path):
    _, _, archive = reshaped
    source = shutil.copytree(archive.parent, tmp_path / "source") / archive.name
    trace(bin, "correct", source, "--set", 1, "--side", "left", "--subject", "S07")
    again = offline(bin, "--all", source)
    for name, more in (("same", []), ("anonymous", ["--anonymise", "--pseudonym", "P1"])):
        (folder := tmp_path / name).mkdir()
        trace(bin, "export", source, "--format", "h5", "-o", folder / "y.h5", *more)
        assert sorted(p.name for p in folder.iterdir()) == ["y.h5", "y.part2.h5", "y.part3.h5"]
        assert "reps recomputed the same" in trace(bin, "verify", folder / "y.h5") and offline(bin, "--all", folder / "y.part2.h5") == again
        for part in ("", ".part2", ".part3"):
            with h5py.File(source.with_name(f"{source.stem}{part}.h5")) as one, h5py.File(folder / f"y{part}.h5") as other:
                for table in ("plates/plate/counts", "plates/plate/gaps", "reps", "sets", "corrections"):
                    assert one[table].dtype == other[table].dtype and one[table][()].tobytes() == other[table][()].tobytes(), (part, table)
                assert (b"S07" in other["session"]["value"]) == (b"S07" in one["session"]["value"] and name == "same")
                assert other.attrs["created_utc"].startswith(b"1970-01-01T00:00:00.0" if more else one.attrs["created_utc"])
    assert "y.h5: exists" in trace(bin, "export", source, "--format", "h5", "-o", folder / "y.h5", status=1)
    assert "write NAME.h5" in trace(bin, "export", source, "--format", "h5", "-o", folder / "z", status=1)


def test_a_daemon_that_is_killed_on_the_way(tmp_path, bin):
    """What can be recovered is one trace, and as long as anybody was told."""
    sent = [signal(tmp_path / f"{i}.csv", cells, 6, i) for i, cells in enumerate((2, 3))]
    with Station(tmp_path, bin, ["--playback", tmp_path / "0.csv", "--speed", "4", "--loop"], interval_ms=0) as s:
        s.wait_for(lambda: s.now_s() > 2, 60)
        replug(s, bin, tmp_path / "1.csv")
        s.wait_for(lambda: told(s, "has 3 cells, the configuration 2: their sum is taken"), 60)
        play_for(s, 0.5)
        s.daemon.kill()
        s.daemon.wait()
        heard = [json.loads(h) for t, h in s.messages if t == "force/plate/"][-1]
    archive = min(tmp_path.glob("traces/*.h5"), key=lambda p: len(p.name))  # sealed already, or not: it names all parts
    trace(bin, "recover", archive)
    assert not list(tmp_path.glob("ring/*.ring")) and not list(tmp_path.glob("traces/*.journal"))
    assert "reps recomputed the same" in trace(bin, "verify", archive)
    with h5py.File(archive.with_name(archive.stem + ".part2.h5")) as h5:
        plate = h5["plates/plate"]
        kept = plate["counts"][:]
        assert kept.shape[1] == 3 and int(plate.attrs["first_sample"]) + int(plate.attrs["span"]) >= heard["sample"] + heard["shape"][0]
        assert is_of(sent[1], kept)


def test_a_shape_that_nothing_records_is_refused(tmp_path, bin):
    signal(tmp_path / "0.csv", 2, 4, 0)
    signal(tmp_path / "1.csv", 3, 4, 1)
    with Station(tmp_path, bin, ["--playback", tmp_path / "0.csv", "--speed", "4", "--loop"]) as s:
        s.wait_for(lambda: s.now_s() > 1, 30)
        s.ctl("stop")
        replug(s, bin, tmp_path / "1.csv")
        s.wait_for(lambda: told(s, "has 3 cells, the configuration 2; list its cells"), 30)
