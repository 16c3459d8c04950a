"""Plates as they are in the lab: tared, drifting, with a broken cell."""
import json, subprocess

import h5py

from station import Station


def test_a_tare_is_per_cell_and_refuses_who_stands_there(tmp_path, bin):
    args = ["--sets", "left", "--reps", "2", "--start-delay", "6", "--tare-error", "25", "--drift", "6", "--seed", "3", "--rest", "4"]
    with Station(tmp_path, bin, args, exercise="single_leg_hip_thrust") as s:
        s.wait_for(lambda: s.now_s() > 2, 30)
        plate, = json.loads(s.ctl("tare", "--json"))["plates"]
        assert 24 < plate["moved_N"] < 26.5 and len(plate["tare"]) == len(plate["sd"]) == 4
        assert abs(sum(plate["tare"]) - plate["moved_N"]) < 0.5 and all(0 < sd < 1 for sd in plate["sd"])
        s.wait_for(lambda: s.now_s() > 8, 30)
        # a foot rests on it: 60 N or more, and still
        done = subprocess.run([bin("platectl"), "--endpoint", s.control, "tare"], capture_output=True, text=True)
        assert done.returncode == 1 and "not tared" in done.stderr, done.stdout + done.stderr
        s.play(timeout=60)
        archive = s.stop()
    with h5py.File(archive) as h5:
        rows = h5["calibrations"][:]
        assert len(rows) == 2 and rows["why"][1].decode().startswith("tare, moved by +25") and rows["sample"][1] > 2000
        assert sum(rows["tare"][1]) > 24 and sum(rows["tare"][0]) == 0
        session = {r["key"].decode(): (r["value"].decode(), float(r["t_s"])) for r in h5["session"][:]}
    text, t_s = session["drift_N"]
    name, drift, *_ = text.split()
    assert name == "plate" and 0 < float(drift) < 6 and t_s > 10, text
    info = subprocess.run([bin("plate-trace"), "info", archive], capture_output=True, text=True, check=True).stdout
    assert "drift_N" in info and text in info


def test_a_broken_cell_is_told(tmp_path, bin):
    args = ["--sets", "left", "--reps", "2", "--start-delay", "16", "--bad-cell", "stuck:3:12", "--speed", "4"]
    with Station(tmp_path, bin, args, exercise="single_leg_hip_thrust") as s:
        s.wait_for(lambda: "back_left stuck" in s.ctl("status", "--json"), 30)
        s.play(timeout=60)
        archive = s.stop()
    told = [json.loads(h) for t, h in s.messages if t == "health/" and json.loads(h)["kind"] == "cell" and '"cached":true' not in h]
    assert [(m["level"], m["plate"]) for m in told] == [("warning", "plate")] and "back_left" in told[0]["text"]
    with h5py.File(archive) as h5:
        marks = [(m["kind"].decode(), m["value"].decode(), m["plate"].decode()) for m in h5["marks"][:]]
    assert ("cell", "back_left stuck", "plate") in marks
    subprocess.run([bin("plate-trace"), "verify", archive], check=True)
