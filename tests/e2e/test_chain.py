"""The whole chain with the real daemon: a pty, a subscriber, the sealed archive, and the same bytes again offline."""
import contextlib, csv, json, os, signal, subprocess

import h5py
import pytest
import zmq

from station import Station, bodies, body, offline


def truth_of(path):
    return [{k: (float(v) if k.endswith("_s") else v) for k, v in row.items()} for row in csv.DictReader(open(path))]


def same_reps(reps, truth):
    """As many, each over its own by more than half of the shorter; nearly all onsets and ends are within the labels' own tolerance."""
    assert len(reps) == len(truth), [(r["onset_s"], r["end_s"]) for r in reps]
    off = []
    for r, t in zip(reps, truth):
        both = min(r["end_s"], t["end_s"]) - max(r["onset_s"], t["start_s"])
        assert both > 0.5 * min(r["end_s"] - r["onset_s"], t["end_s"] - t["start_s"]), (r["onset_s"], r["end_s"], t)
        off += [abs(r["onset_s"] - t["start_s"]) / t["tolerance_s"], abs(r["end_s"] - t["end_s"]) / t["tolerance_s"]]
    assert sum(x > 1 for x in off) <= 1 and max(off) < 2, off


@pytest.mark.parametrize("speed", ["20", pytest.param("1", marks=pytest.mark.skipif("PLATE_SLOW" not in os.environ, reason="real time: set PLATE_SLOW=1"))])
def test_wheel(tmp_path, shared_data, bin, speed):
    recording = shared_data / "wheel_push_240hz.csv"
    with Station(tmp_path, bin, ["--playback", recording, "--speed", speed], exercise="generic") as s:
        s.play(timeout=60)
        archive = s.stop()
    live = s.bodies("rep/")
    truth = [dict(t, tolerance_s=float(t["tolerance_s"])) for t in truth_of(str(recording).replace(".csv", ".reps.csv"))]
    same_reps([json.loads(b) for b in live], truth)
    assert offline(bin, "reps", archive) == live
    account = subprocess.run([bin("plate-trace"), "verify", archive], capture_output=True, text=True)
    assert account.returncode == 0, account.stdout + account.stderr
    assert "+ 0 lost" in account.stdout and "7777" in account.stdout

    imported = tmp_path / "import.h5"
    subprocess.run([bin("plate-trace"), "import", recording, "-o", imported], check=True)
    again = [json.loads(b) for b in offline(bin, "reps", imported)]
    assert len(again) == 14
    for r, b in zip(again, live):
        b = json.loads(b)
        # the import keeps the CSV's own t_s; live, the first sample is 0, and so it is in this file
        assert abs(r["onset_s"] - b["onset_s"]) <= 1 / 240 + 1e-6 and abs(r["end_s"] - b["end_s"]) <= 1 / 240 + 1e-6


@pytest.mark.parametrize("number", ["003", "007", "010", "012"])
def test_squat_jumps_on_two_plates(tmp_path, shared_data, bin, number):
    recording = shared_data / f"squat_jump_two_plates_{number}.csv"
    with Station(tmp_path, bin, ["--playback", recording, "--speed", "10"], exercise="squat_jump") as s:
        s.play(timeout=60)
        archive = s.stop()
    live = s.bodies("rep/")
    assert {json.loads(b)["side"] for b in live} == {"left", "right"}
    assert offline(bin, "reps", archive) == live
    subprocess.run([bin("plate-trace"), "verify", archive], check=True)
    with h5py.File(archive) as h5:
        rows = sum(1 for _ in open(recording)) - 1
        assert h5["plates/left/counts"].shape == h5["plates/right/counts"].shape == (rows, 1)


def test_simulated_session(tmp_path, bin):
    truth_file = tmp_path / "truth.csv"
    args = ["--sets", "left,right", "--reps", "4", "--seed", "7", "--speed", "6", "--truth", truth_file]
    with Station(tmp_path, bin, args, exercise="single_leg_hip_thrust") as s:
        s.side("left")
        s.play(timeout=120, truth=truth_file, sets=[("left", 4), ("right", 4)])
        archive = s.stop()
    live = [json.loads(b) for b in s.bodies("rep/")]
    truth = truth_of(truth_file)
    assert [(r["side"], r["set"], r["rep"]) for r in live] == [(t["side"], int(t["set"]), int(t["rep"])) for t in truth]
    for r, t in zip(live, truth):
        assert abs(r["onset_s"] - t["onset_s"]) < 0.08 and abs(r["end_s"] - t["end_s"]) < 0.12
    for topic in ("rep", "set", "asymmetry", "phase"):
        assert bodies(offline(bin, "--all", archive), topic) == s.bodies(f"{topic}/"), topic
    asymmetry = [json.loads(b) for b in s.bodies("asymmetry/")]
    assert asymmetry and asymmetry[0]["primary"] and asymmetry[-1]["n_left"] == 4 and asymmetry[-1]["n_right"] == 4
    # nothing missed, by seq
    for topic in {t for t, _ in s.messages}:
        seqs = [json.loads(h)["seq"] for t, h in s.messages if t == topic and '"cached":true' not in h]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), topic


def test_kill_loses_at_most_the_read_in_progress(tmp_path, bin):
    with Station(tmp_path, bin, ["--sets", "left", "--reps", "6", "--seed", "3", "--no-wait", "--linger", "60"], exercise="single_leg_hip_thrust",
                 interval_ms=0) as s:
        s.wait_for(lambda: len(s.bodies("rep/")) >= 1, 60)
        os.kill(s.daemon.pid, signal.SIGKILL)
        s.daemon.wait()
        s.drain(0.5)
        last = max(json.loads(h)["sample"] + json.loads(h)["shape"][0] for t, h in s.messages if t.startswith("force/"))
        journal, = tmp_path.glob("traces/*.journal")
        done = subprocess.run([bin("plate-trace"), "recover", journal], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        archive = str(journal).replace(".journal", ".h5")
        assert not journal.exists() and not list(tmp_path.glob("ring/*.ring"))
        with h5py.File(archive) as h5:
            assert len(h5["plates/plate/counts"]) >= last
        verified = subprocess.run([bin("plate-trace"), "verify", archive], capture_output=True, text=True)
        assert verified.returncode == 0, verified.stdout + verified.stderr
        live = s.bodies("rep/")
        assert offline(bin, "reps", archive)[:len(live)] == live


def test_the_next_start_recovers(tmp_path, bin):
    with Station(tmp_path, bin, ["--sets", "left", "--reps", "3", "--no-wait", "--linger", "60"], exercise="single_leg_hip_thrust") as s:
        s.wait_for(lambda: any(t.startswith("force/") for t, _ in s.messages), 30)
        s.daemon.kill()
        s.daemon.wait()
        before = len(s.messages)
        s.start_daemon()
        s.wait_for(lambda: any(t.startswith("force/") for t, _ in s.messages[before:]), 30)
        assert s.stop()
    assert len(list(tmp_path.glob("traces/*.h5"))) == 2 and not list(tmp_path.glob("traces/*.journal"))
    for archive in tmp_path.glob("traces/*.h5"):
        subprocess.run([bin("plate-trace"), "verify", archive], check=True)


def test_a_port_that_vanishes_and_comes_back(tmp_path, bin):
    args = ["--sets", "left", "--reps", "3", "--seed", "5", "--unplug-at", "6", "--unplug-for", "1.5", "--speed", "3"]
    with Station(tmp_path, bin, args, exercise="single_leg_hip_thrust") as s:
        s.play(timeout=60)
        archive = s.stop()
    gaps = [json.loads(h) for t, h in s.messages if t == "fault/plate/"]
    assert [g["reason"] for g in gaps] == ["unplug"] and gaps[0]["count"] > 0
    account = subprocess.run([bin("plate-trace"), "verify", archive], capture_output=True, text=True)
    assert account.returncode == 0 and f"+ {gaps[0]['count']} lost" in account.stdout, account.stdout
    assert offline(bin, "reps", archive) == s.bodies("rep/")


def test_a_live_file_can_be_read(tmp_path, bin):
    with Station(tmp_path, bin, ["--sets", "left", "--reps", "2", "--no-wait", "--linger", "60"], exercise="single_leg_hip_thrust") as s:
        opened = []

        def opens():  # the disk decides when
            for live in tmp_path.glob("traces/*.h5"):
                with contextlib.suppress(OSError):
                    opened.append(h5py.File(live, "r", swmr=True, locking=False))
            return opened

        s.wait_for(opens, 30)
        with opened[0] as h5:
            counts, seen = h5["plates/plate/counts"], [0]

            def grows():
                counts.refresh()
                seen.append(len(counts))
                return 0 < seen[-2] < seen[-1]

            s.wait_for(grows, 30)
        assert s.stop()


def test_through_libserialport(tmp_path, bin, shared_data):
    """The libserialport path itself, over a pty that a preloaded shim dresses as a serial port."""
    recording = shared_data / "wheel_push_240hz.csv"
    with Station(tmp_path, bin, ["--playback", recording, "--speed", "20"], exercise="generic", serial=True) as s:
        s.play(timeout=60)
        s.stop()
    assert len(s.bodies("rep/")) == 14
    assert any("(serial)" in json.loads(h).get("text", "") for t, h in s.messages if t == "health/") or "(serial)" in s.errors()
