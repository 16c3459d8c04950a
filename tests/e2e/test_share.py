"""A plate under each foot: who carries how much, live and in the archive, against the simulator's truth."""
import csv
import json
import signal
import subprocess
import time

import h5py
import numpy as np
import zmq

import contract
from station import Station, bodies, offline

SHIFT_PCT = 0.05  # for each millisecond that two ports' times are apart, the share of a phase, in which it changes, shifts by up to so much
PHASES = {"share_drive_pct": ("onset_s", "top_s"), "share_hold_pct": ("top_s", "descent_s"), "share_lower_pct": ("descent_s", "end_s")}


def apart_ms(archive):
    """How far the times of two ports are apart at most, by their boards' clocks, which here run together: on a busy machine, some."""
    late_s = []
    with h5py.File(archive) as f:
        for side in ("left", "right"):
            knots, tick_s = f[f"plates/{side}/clock"][1:], f[f"plates/{side}"].attrs["tick_s"]
            late_s.append((knots["t_s"], knots["t_s"] - knots["period_s"] - knots["device_ticks"] * tick_s))
    (left_t_s, left_late_s), right = late_s
    return 1000 * np.abs(left_late_s - np.interp(left_t_s, *right)).max()


def test_the_share_is_right_to_a_tenth_of_a_percent(tmp_path, bin):
    truth_file = tmp_path / "truth.csv"
    args = ["--exercise", "barbell_hip_thrust", "--reps", "6", "--weaker", "left:15", "--seed", "5", "--speed", "4", "--truth", truth_file]
    with Station(tmp_path, bin, args, exercise="barbell_hip_thrust") as s:
        share = s.context.socket(zmq.SUB)
        share.setsockopt(zmq.RCVHWM, 0)
        share.connect(s.data)
        share.subscribe("share/")
        watch = {how: subprocess.Popen([bin("platectl"), "--data", s.data, "watch", how, "--until-stopped", "--seconds", "120"], stdout=subprocess.PIPE, text=True)
                 for how in ("--csv", "--lines")}
        s.play(timeout=120)
        archive = s.stop()
        instants = []
        while share.poll(100):
            frames = share.recv_multipart()
            m, payload = contract.check(frames), frames[2]
            rows = np.frombuffer(payload, m["dtype"]).reshape(m["shape"])
            assert m["channels"] == ["left_pct", "both_N"]
            instants += [(m["t_s"] + i / m["rate_Hz"], *row) for i, row in enumerate(rows)]
        share.close()
    watched = {how: w.communicate(timeout=30)[0].splitlines() for how, w in watch.items()}
    truth = {(t["plate"], int(t["rep"])): t for t in csv.DictReader(truth_file.open())}
    reps = [json.loads(b) for b in s.bodies("rep/")]
    assert len(reps) == len(truth) == 12
    same_phase, phase_pct = 0, 0.1 + SHIFT_PCT * (2 + apart_ms(archive))
    for r in reps:
        t = truth[r["plate"], r["rep"]]
        assert abs(r["share_pct"] - float(t["share_pct"])) < 0.1, (r, t)
        for name, ends in PHASES.items():  # of one phase only: where it ends is the detector's business
            if all(r[end] is not None and abs(r[end] - float(t[end])) < 0.05 for end in ends):
                assert abs(r[name] - float(t[name])) < phase_pct, (r["plate"], r["rep"], name, r[name], t[name])
                same_phase += 1
    assert same_phase >= 12
    t_s, left_pct, both_N = np.array(instants).T
    assert np.all(np.diff(t_s) > 0) and np.all(np.isnan(left_pct) == (both_N < 20))
    for r in reps:
        if r["plate"] == "left" and r["share_hold_pct"] is not None:  # the load's share at each instant makes the share of the hold
            held = (t_s >= r["top_s"]) & (t_s <= r["descent_s"])
            assert abs(np.average(left_pct[held], weights=both_N[held]) - r["share_hold_pct"]) < 0.05
    last = json.loads(s.bodies("set/")[-1])
    shares = [r["share_pct"] if r["plate"] == "left" else 100 - r["share_pct"] for r in reps]
    assert abs(last["left_share_pct"] - np.mean(shares)) < 0.3 and 42 < last["left_share_pct"] < 48  # 85 : 100
    assert any(f"  on the left {last['left_share_pct']:.1f} %  ended by" in line for line in watched["--lines"])
    rows = list(csv.DictReader(watched["--csv"]))
    said = json.loads(s.bodies("asymmetry/")[-1])
    row = [r for r in rows if r["event"] == "asymmetry"][-1]
    for name in ("counterbalanced", "dropoff_left_pct", "dropoff_right_pct", "dropoff_difference_pct", "shift_s", "shift_pct"):
        assert row[name] == ("" if said[name] is None else str(said[name]).lower()) or float(row[name]) == said[name], name
    assert [float(r["share_pct"]) for r in rows if r["event"] == "rep"] == [r["share_pct"] for r in reps]
    assert float([r for r in rows if r["event"] == "set"][-1]["left_share_pct"]) == last["left_share_pct"]
    for topic in ("rep", "set", "asymmetry"):
        assert bodies(offline(bin, "--all", archive), topic) == s.bodies(f"{topic}/"), topic


def test_a_pause_of_all_boards_together_costs_nothing(tmp_path, bin):
    """As when a hub, or the machine, stands still: one of them is heard first when they go on, and waits for the other."""
    args = ["--exercise", "barbell_hip_thrust", "--reps", "3", "--seed", "5", "--speed", "4"]
    with Station(tmp_path, bin, args, exercise="barbell_hip_thrust") as s:
        for hold in range(3):
            s.wait_for(lambda: sum(json.loads(b)["phase"] == "hold" for b in s.bodies("phase/left")) > hold, 30)
            s.sim.send_signal(signal.SIGSTOP)
            time.sleep(0.8)
            s.sim.send_signal(signal.SIGCONT)
        s.play(timeout=60)
        archive = s.stop()
    assert [(r["plate"], r["rep"]) for r in sorted(map(json.loads, s.bodies("rep/")), key=lambda r: (r["plate"], r["rep"]))] == [(p, n) for p in ("left", "right") for n in (1, 2, 3)]
    marks = [json.loads(b) for b in bodies(offline(bin, "--all", archive), "mark")]
    assert not [m for m in marks if m["kind"] == "resume" and m["t_s"] > 1]


def barbell(lefts, rate=100):
    """Two plates' CSV: thrusts of 600 N in all, the left foot carrying what `lefts` says of each."""
    rest, up = np.full(int(2.5 * rate), 0.0), np.sin(np.linspace(0, np.pi / 2, int(0.8 * rate))) ** 2
    rep = np.concatenate([rest, up, np.ones(int(1.5 * rate)), up[::-1]])
    force = [np.tile(rest, 2)], [np.tile(rest, 2)]
    for part in lefts:
        force[0].append(part * 600 * rep)
        force[1].append((1 - part) * 600 * rep)
    left, right = (np.concatenate(f + [np.tile(rest, 2)]) + 40 for f in force)
    return "t_s,left.force_N,right.force_N\n" + "".join(f"{i / rate:.2f},{a:.2f},{b:.2f}\n" for i, (a, b) in enumerate(zip(left, right)))


def last_row(bin, folder, lefts):
    (folder / "in.csv").write_text(barbell(lefts))
    trace = [bin("plate-trace")]
    subprocess.run([*trace, "import", "in.csv", "-o", "t.h5", "--force", "--exercise", "barbell_hip_thrust"], cwd=folder, check=True, capture_output=True)
    reps = [json.loads(line) for line in subprocess.run([*trace, "reps", "t.h5", "--json"], cwd=folder, check=True, capture_output=True, text=True).stdout.splitlines()]
    done = subprocess.run([*trace, "asymmetry", "t.h5", "--json", "--metric", "mean_force_N"], cwd=folder, check=True, capture_output=True, text=True)
    return [r for r in reps if r["plate"] == "left"], json.loads(done.stdout)


def test_a_shift_halfway_shows_when(tmp_path, bin):
    steady = [0.50, 0.51, 0.49, 0.505, 0.495, 0.50]
    reps, row = last_row(bin, tmp_path, steady + [p - 0.08 for p in steady])
    assert len(reps) == 12 and row["n_left"] == row["n_right"] == 12
    assert abs(row["shift_s"] - reps[6]["onset_s"]) < 0.05
    shares = np.array([r["share_pct"] for r in reps])
    assert abs(row["shift_pct"] - (shares[6:].mean() - shares[:6].mean())) < 0.15 and -8 < row["shift_pct"] < -6
    reps, row = last_row(bin, tmp_path, steady + steady)
    assert row["shift_s"] is None and row["shift_pct"] is None
