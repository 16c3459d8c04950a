"""Plates as they are in the lab: tared, drifting, with a broken cell."""
import json, signal, subprocess, time

import h5py
import numpy

from station import Station


def read_forces(archive):
    """Fz, cop_x, cop_y of every sample, by the calibration in the archive."""
    with h5py.File(archive) as h5:
        k, counts = h5["calibrations"][0], h5["plates/plate/counts"][:]
        force = (counts * k["count_scale"] - k["tare"][:4]) @ k["matrix"][:, :4].T
    with numpy.errstate(all="ignore"):
        return force[:, 2], -force[:, 4] / force[:, 2] * 1e3, force[:, 3] / force[:, 2] * 1e3


def test_a_tare_is_per_cell_and_refuses_who_stands_there(tmp_path, bin):
    args = ["--sets", "left", "--reps", "1", "--hold", "8", "--start-delay", "6", "--tare-error", "25", "--drift", "6", "--seed", "3", "--rate", "250", "--speed", "4"]
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
        assert len(rows) == 2 and rows["why"][1].decode().startswith("tare, moved by +25") and rows["sample"][1] > 500
        assert sum(rows["tare"][1]) > 24 and sum(rows["tare"][0]) == 0
        session = {r["key"].decode(): (r["value"].decode(), float(r["t_s"])) for r in h5["session"][:]}
    text, t_s = session["drift_N"]
    name, drift, *_ = text.split()
    assert name == "plate" and 0 < float(drift) < 6 and t_s > 10, text
    info = subprocess.run([bin("plate-trace"), "info", archive], capture_output=True, text=True, check=True).stdout
    assert "drift_N" in info and text in info


def test_a_broken_cell_is_told(tmp_path, bin):
    args = ["--sets", "left", "--reps", "1", "--start-delay", "16", "--bad-cell", "stuck:3:12", "--rate", "250", "--speed", "8"]
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


def test_a_calibration_by_known_weights(tmp_path, bin):
    """Four cells that see 4 % of their neighbours' load: weights go on, a file comes out, the configuration takes it in, and then it weighs right."""
    places = [(20, -120, 160), (20, 120, 160), (20, -120, -160), (20, 120, -160), (60, 0, 0)]
    weights = ";".join(f"{kg}@{x},{y}" for kg, x, y in places)
    sim = ["--cross-talk", "4", "--noise", "0.5", "--tare-error", "20", "--seed", "4"]  # in real time: a machine that stalls misses no weight
    out = tmp_path / "calibration.yaml"
    loads = [a for kg, x, y in places for a in (f"--point={x},{y}", f"--mass={kg}")]
    with Station(tmp_path, bin, [*sim, "--weights", weights]) as s:
        args = [bin("platectl"), "--endpoint", s.control, "calibrate", "--hands-free", "--json", "--output", out, *loads]
        s.wait_for(lambda: s.now_s() > 1, 30)
        calibrate = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        told = next(line for line in calibrate.stderr if "read:" in line)
        s.sim.send_signal(signal.SIGSTOP)  # silent for longer than plated waits for a plate: the loads taken stay taken
        time.sleep(0.8)
        s.sim.send_signal(signal.SIGCONT)
        said, rest = calibrate.communicate(timeout=150)
        assert calibrate.returncode == 0, said + told + rest
        result = json.loads(said)
        s.play(timeout=60)
        assert json.loads(s.sim.stdout.read().splitlines()[-1])["late_s"] > 0.5  # as it was stopped
        s.stop()
    assert result["worst_N"] < 0.6 and result["worst_cop_mm"] < 0.5 and result["unsure"] == [] and len(result["loads"]) == 5, result
    assert result["corner_pct"] < 0.2 and abs(result["factor"] - 1 / 1.08) < 0.001 and abs(result["zero_return_N"]) < 1, result
    text = out.read_text()
    assert "Mx:" in text and "offset:" in text

    # never overwritten, and what it says counts
    (tmp_path / "again").mkdir()
    check = [(30, 60, -100)]
    with Station(tmp_path / "again", bin, [*sim, "--speed", "3", "--weights", ";".join(f"{kg}@{x},{y}" for kg, x, y in check)], calibration=out) as s:
        s.play(timeout=60)
        archive = s.stop()
    assert out.read_text() == text
    Fz, cop_x, cop_y = read_forces(archive)
    for k, (kg, x, y) in enumerate(check):
        at = slice((6 + 10 * k + 2) * 1000, (6 + 10 * k + 6) * 1000)
        said = [float(v[at].mean()) for v in (Fz, cop_x, cop_y)]
        assert abs(said[0] - kg * 9.80665) < 1 and abs(said[1] - x) < 1 and abs(said[2] - y) < 1, (said, kg, x, y)


def test_a_calibration_is_refused_where_it_makes_no_sense(tmp_path, bin):
    out = tmp_path / "there.yaml"
    out.write_text("mine\n")
    with Station(tmp_path, bin, ["--weights", "20@0,0;20@0,0", "--rate", "250", "--speed", "4"]) as s:
        def calibrate(*args):
            return subprocess.run([bin("platectl"), "--endpoint", s.control, "calibrate", *args], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=100)
        s.wait_for(lambda: s.now_s() > 1, 30)
        for args in (["--point", "1", "--mass", "2"], ["--point", "1,2"], ["--mass", "0"], []):
            assert calibrate(*args).returncode == 2, args
        assert calibrate("--mass", "20").returncode == 1  # nobody presses Enter
        done = calibrate("--plate", "nobody", "--hands-free", "--mass", "20")
        assert done.returncode == 1 and "no plate" in done.stderr
        done = calibrate("--hands-free", "--mass", "20", "--output", str(out))
        assert done.returncode == 1 and "never overwritten" in done.stderr, done.stderr
        assert out.read_text() == "mine\n"
