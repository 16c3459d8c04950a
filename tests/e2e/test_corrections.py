"""What was said is put right: live over the control socket, afterwards in the sealed trace. The first entry stays, everything that
follows is computed again, and live, archived and recomputed are the same bytes."""
import json, os, pathlib, random, shutil, signal, subprocess, time

import h5py
import pytest
import zmq

from station import Station, bodies, body, offline

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"
DERIVED = ("rep", "set", "asymmetry", "imbalance", "correction", "phase")


@pytest.fixture
def trace(bin, tmp_path):
    """plate-trace with arguments; what it prints, or its one line of complaint."""
    def run(*args, code=0):
        done = subprocess.run([bin("plate-trace"), *map(str, args)], capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stdout + done.stderr
        if code == 1:
            assert done.stderr.startswith("plate-trace: ") and done.stderr.count("\n") == 1, done.stderr
        return done.stderr if code else done.stdout
    return run


def rows(trace, *args):
    return [json.loads(line) for line in trace(*args, "--json").splitlines()]


@pytest.fixture
def session(trace, tmp_path):
    """Three reps left, three right, the left ones slower."""
    path = tmp_path / "session.h5"
    trace("import", DATA / "hip_thrust_left_right.csv", "-o", path, "--marks", DATA / "hip_thrust_left_right.marks.csv")
    return path


def says_no(s, *args):
    done = subprocess.run([s.bin("platectl"), "--endpoint", s.control, *args], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("platectl: ") and done.stderr.count("\n") == 1, done
    return done.stderr


def test_live(tmp_path, bin, trace):
    args = ["--sets", "left,right", "--reps", "4", "--seed", "7", "--speed", "6", "--no-wait", "--linger", "60"]
    with Station(tmp_path, bin, args, exercise="single_leg_hip_thrust", config="sides: [left, right]\nreps: 4\nsets: 1") as s:
        s.wait_for(lambda: any(t.startswith("force/") for t, _ in s.messages), 30)
        assert "no set yet" in says_no(s, "rep", "--discard", "1")
        s.wait_for(lambda: len(s.bodies("rep/")) >= 2, 60)
        s.ctl("rep", "--discard", "2")
        s.ctl("rep", "--restore", "2", "--set", "1")  # at once: what it undoes may still be on its way; else the plan waits for one more
        s.wait_for(lambda: len(s.bodies("rep/")) >= 7, 60)
        s.ctl("side", "--set", "1", "right")
        s.ctl("side", "--set", "1", "left")
        s.ctl("involved", "left")
        s.ctl("note", "he changed his shoes")
        s.wait_for(lambda: len(s.bodies("correction/")) == 5, 30)  # while one is on its way, another may undo it
        for no, why in ((("side", "--set", "9", "left"), "set 9"), (("rep", "--discard", "99"), "rep 99"), (("rep", "--restore", "1"), "not discarded")):
            assert why in says_no(s, *no)
        s.wait_for(lambda: len(s.bodies("rep/")) >= 8, 60)
        s.ctl("warmup", "--set", "2")
        s.drain(0.3)
        s.ctl("stop")
        assert "plate-trace correct" in says_no(s, "rep", "--discard", "1")
        archive = s.stop()
    fields = [(c["field"], c["set"], c["rep"], c["value"], c["was"]) for c in map(json.loads, s.bodies("correction/"))]
    assert fields == [("discarded", 1, 2, "true", "false"), ("discarded", 1, 2, "false", "true"), ("side", 1, 0, "right", "left"), ("side", 1, 0, "left", "right"),
                      ("involved", 0, 0, "left", "none"), ("warmup", 2, 0, "true", "false")]
    for topic in DERIVED:
        assert bodies(offline(bin, "--all", archive), topic) == s.bodies(f"{topic}/"), topic
    plans = [body(h) for t, h in s.messages if t == "plan/"]  # who subscribes a moment too late has the first one as a repeat
    assert bodies(offline(bin, "--all", archive), "plan") == list(dict.fromkeys(plans))
    assert "recomputed the same" in trace("verify", archive)
    reps = rows(trace, "reps", archive)
    assert [(r["set"], r["side"], r["warmup"]) for r in reps] == [(1, "left", False)] * 4 + [(2, "right", True)] * 4
    plans = [json.loads(b) for b in dict.fromkeys(plans)]
    assert [(p["set"], p["side"], p["next"], p["done"], p["sets"]) for p in plans] == [(1, "left", "right", 0, 2), (2, "right", "left", 1, 2)]
    assert [json.loads(b)["ended_by"] for b in s.bodies("set/") if json.loads(b)["set"] == 1 and not json.loads(b)["correction"]] == ["active", "plan"]
    # warm-ups are not compared: the last word on every metric is that there is nothing to compare
    assert all(r["value_pct"] is None and r["n_right"] == 0 for r in rows(trace, "asymmetry", archive))
    with h5py.File(archive) as f:
        entries = [(k.decode(), v.decode()) for k, v in zip(f["session"]["key"], f["session"]["value"])]
        assert ("notes", "he changed his shoes") in entries and ("involved", "left") in entries
        assert ("correction", "set 1 side right, was left, by platectl") in entries
        assert set(f["reps"]["side"][:4]) == {b"left"} and len(f["corrections"]) == 6


def test_sealed(trace, session):
    first = rows(trace, "asymmetry", session)
    assert first[0]["verdict"] == "left_weaker" and first[0]["n_left"] == first[0]["n_right"] == 3
    with h5py.File(session) as f:
        digest, reps = f.attrs["digest"], f["reps"][()].tobytes()
        was = [json.loads(line.split(" ", 1)[1]) for line in trace("reps", "--all", session).splitlines() if line.startswith("imbalance")]
        assert [(i["verdict_before"], i["verdict"]) for i in was] == [("undetermined", "left_weaker")] and len(f["imbalance"]) == 1

    trace("correct", session, "--set", 1, "--side", "right", "--who", "anna")
    said = trace("correct", session, "--set", 2, "--side", "left", "--who", "anna", "--note", "legs swapped").splitlines()
    assert said == [f"{session}: set 2 side left, was right", f"{session}: note legs swapped"], said
    swapped = rows(trace, "asymmetry", session)
    assert swapped[0]["verdict"] == "right_weaker" and swapped[0]["value_pct"] == -first[0]["value_pct"]
    assert [r["side"] for r in rows(trace, "reps", session)] == ["right"] * 3 + ["left"] * 3

    trace("correct", session, "--set", 2, "--discard-rep", 2)
    reps_now = rows(trace, "reps", session)
    assert [(r["set"], r["rep"]) for r in reps_now] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 3)]
    assert "1 discarded" in trace("reps", session)
    assert rows(trace, "asymmetry", session)[0]["n_left"] == 2
    trace("correct", session, "--warmup-set", 1)
    assert rows(trace, "asymmetry", session)[0]["value_pct"] is None
    trace("correct", session, "--work-set", 1, "--set", 2, "--restore-rep", 2, "--body-mass-kg", 80)
    assert rows(trace, "asymmetry", session)[0]["value_pct"] == swapped[0]["value_pct"]
    reps_now = rows(trace, "reps", session)
    assert len(reps_now) == 6 and abs(reps_now[0]["peak_force_N_per_kg"] - reps_now[0]["peak_force_N"] / 80) < 1e-3

    # what was entered first is all there
    assert rows(trace, "asymmetry", session, "--as-recorded") == first
    assert {r["side"] for r in rows(trace, "reps", session, "--as-recorded")[:3]} == {"left"}
    assert "digest ok" in trace("verify", session)
    with h5py.File(session) as f:
        assert f.attrs["digest"] == digest and f["reps"][()].tobytes() == reps
        who = [v.decode() for k, v in zip(f["session"]["key"], f["session"]["value"]) if k == b"correction"]
        assert who[0] == "set 1 side right, was left, by anna" and b"legs swapped" in f["session"]["value"]
        assert sum(", by " in entry for entry in who) == 3, "somebody is named who was not said"
    export = session.with_suffix(".json")
    trace("export", session, "--format", "json", "-o", export)
    out = json.loads(export.read_text())
    assert out["reps"] == reps_now and len(out["corrections"]) == 7 and [x["side"] for x in out["sets"]] == ["right", "left"]
    assert [i["verdict"] for i in out["imbalance"]] == ["left_weaker", "undetermined", "right_weaker", "undetermined", "right_weaker"]


def test_what_cannot_be(trace, session, tmp_path):
    before = session.read_bytes()
    for args, why in ((("--set", 3, "--side", "left"), "set 3"), (("--set", 1, "--discard-rep", 4), "rep 4"), (("--set", 1, "--side", "left"), "already"),
                      (("--set", 1, "--restore-rep", 1), "not discarded"), (("--set", 1, "--discard-rep", 1, "--plate", "other"), "other")):
        assert why in trace("correct", session, *args, code=1)
    for args in ((), ("--set", 1), ("--side", "left"), ("--set", 0, "--side", "left"), ("--set", 1, "--side", "up"), ("--involved", "both"), ("--note", ""),
                 ("--note", "x" * 96), ("--body-mass-kg", "-1"), ("--plate", "p"), ("--discard-rep", 1)):
        trace("correct", session, *args, code=2)
    # all or nothing
    trace("correct", session, "--set", 1, "--side", "right", "--discard-rep", 9, code=1)
    assert session.read_bytes() == before and not list(tmp_path.glob("*.tmp")) + list(tmp_path.glob("*.lock"))
    two = tmp_path / "two.h5"
    trace("import", DATA / "barbell_two_plates.csv", "-o", two, "--marks", DATA / "barbell_two_plates.marks.csv")
    assert "carries the side" in trace("correct", two, "--set", 1, "--side", "left", code=1)
    trace("correct", two, "--set", 1, "--discard-rep", 2, "--plate", "left")
    assert [(r["plate"], r["rep"]) for r in rows(trace, "reps", two)].count(("left", 2)) == 0 and len(rows(trace, "reps", two)) == 5
    trace("verify", two)
    with h5py.File(session, "r+") as f:
        f["reps"][0, "rep"] = 5
    assert "digest" in trace("correct", session, "--set", 1, "--side", "right", code=1)
    flipped = bytearray(two.read_bytes())
    flipped[len(flipped) // 2] ^= 4
    two.write_bytes(flipped)
    assert trace("correct", two, "--note", "x", code=1) and two.read_bytes() == flipped
    (tmp_path / "no.h5").write_text("no trace")
    trace("correct", tmp_path / "no.h5", "--note", "x", code=1)
    assert trace("correct", tmp_path / "nowhere.h5", "--note", "x", code=1)


def test_a_kill_leaves_the_old_or_the_new(bin, trace, session, tmp_path):
    """SIGKILL at any moment of a correction: the file is whole, with the correction or without it."""
    seed = int(os.environ.get("PLATE_SEED", time.time()))
    print("PLATE_SEED", seed)
    rng, path, done = random.Random(seed), tmp_path / "killed.h5", 0
    shutil.copy(session, path)
    args = [bin("plate-trace"), "correct", path]
    began = time.monotonic()
    subprocess.run([*args, "--note", "whole"], check=True, capture_output=True)
    length_s = time.monotonic() - began
    for i in range(25):
        p = subprocess.Popen([*args, "--set", "2", "--side", "left" if i % 2 == 0 else "right", "--note", f"try {i}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.random() * length_s)
        p.send_signal(signal.SIGKILL)
        p.wait()
        assert "digest ok" in trace("verify", path)
        with h5py.File(path) as f:
            notes = [v for k, v in zip(f["session"]["key"], f["session"]["value"]) if k == b"notes"]
            assert len(f["corrections"]) == len(notes) - 1 and (notes[-1] == f"try {i}".encode()) == (len(notes) - 1 > done)
            done = len(notes) - 1
    trace("correct", path, "--involved", "left")  # what the dead left behind is in nobody's way
    assert "digest ok" in trace("verify", path)


def test_two_at_once(bin, trace, session):
    """Whoever comes second is told so, and loses nothing."""
    sides = [subprocess.Popen([bin("plate-trace"), "correct", session, "--note", f"by {i}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for i in range(6)]
    ok = [p.wait() == 0 for p in sides]
    with h5py.File(session) as f:
        assert sum(ok) == sum(k == b"notes" for k in f["session"]["key"]) >= 1
    for p in sides:
        error = p.stderr.read()
        assert p.returncode == 0 or "writing it" in error or "just corrected" in error, error
        p.stdout.close(), p.stderr.close()
    trace("verify", session)


def test_a_recording_in_parts(tmp_path, bin, trace):
    """Corrections stand in the last file, whichever is named; the others are not touched."""
    args = ["--sets", "left,right", "--reps", "3", "--seed", "11", "--speed", "6"]
    with Station(tmp_path, bin, args, exercise="single_leg_hip_thrust", config="part_MB: 0.2\nsides: [left, right]\nreps: 3") as s:
        s.wait_for(lambda: len(s.bodies("rep/")) >= 4, 60)
        s.ctl("rep", "--discard", "1", "--set", "1")
        s.play(timeout=120)
        s.stop()
    parts = sorted(tmp_path.glob("traces/*.h5"), key=lambda p: (len(p.name), p.name))
    before = [p.read_bytes() for p in parts]
    assert len(parts) > 3
    trace("correct", parts[1], "--set", 2, "--side", "left")
    trace("correct", parts[0], "--set", 1, "--restore-rep", 1, "--note", "all fine")
    assert [p.read_bytes() == b for p, b in zip(parts, before)] == [True] * (len(parts) - 1) + [False]
    assert "recomputed the same" in trace("verify", parts[0])
    assert [r["side"] for r in rows(trace, "reps", parts[2])] == ["left"] * 6
    assert [r["side"] for r in rows(trace, "reps", parts[2], "--as-recorded")] == ["left"] * 3 + ["right"] * 3


def test_what_a_dead_daemon_left(tmp_path, bin, trace):
    """Cut short right after a correction: recovered, corrected, and every number still the same."""
    args = ["--sets", "left,right", "--reps", "3", "--seed", "5", "--speed", "6", "--no-wait", "--linger", "60"]
    with Station(tmp_path, bin, args, exercise="single_leg_hip_thrust", config="sides: [left, right]\nreps: 3") as s:
        s.wait_for(lambda: len(s.bodies("rep/")) >= 5, 60)
        live, = tmp_path.glob("traces/*.h5")
        assert "not sealed" in trace("correct", live, "--set", 1, "--side", "right", code=1)
        s.ctl("rep", "--discard", "1", "--set", "1")
        os.kill(s.daemon.pid, signal.SIGKILL)
        s.daemon.wait()
    archive = trace("recover", live) and live
    trace("verify", archive)
    trace("correct", archive, "--set", 2, "--side", "left")
    trace("correct", archive, "--set", 1, "--restore-rep", 1)
    assert "recomputed the same" in trace("verify", archive)
    assert {r["side"] for r in rows(trace, "reps", archive)} == {"left"}


def test_the_verdict_live(tmp_path, bin, trace):
    """One imbalance/ whenever the verdict changes, kept for who joins late; taken back by a correction; the same bytes in the archive."""
    args = ["--playback", DATA / "hip_thrust_left_right.csv", "--speed", "6", "--linger", "60"]
    with Station(tmp_path, bin, args, exercise="single_leg_hip_thrust") as s:
        s.side("left")
        s.wait_for(lambda: s.now_s() > 21, 60)
        s.side("right")
        s.wait_for(lambda: len(s.bodies("imbalance/")) == 1, 60)
        late = s.context.socket(zmq.SUB)
        late.connect(s.data)
        late.subscribe("imbalance/")
        assert late.poll(5000)
        repeat = json.loads(late.recv_multipart()[1])
        late.close(linger=0)
        s.ctl("side", "--set", "1", "right")
        s.drain(0.5)
        archive = s.stop()
    live = [json.loads(b) for b in s.bodies("imbalance/")]
    assert [(i["verdict_before"], i["verdict"], i["correction"]) for i in live] == [("undetermined", "left_weaker", 0), ("left_weaker", "undetermined", 1)]
    assert repeat["cached"] and repeat["verdict"] == "left_weaker" and live[0]["primary"] and live[0]["ci95_pct"][1] < -10
    for topic in DERIVED:
        assert bodies(offline(bin, "--all", archive), topic) == s.bodies(f"{topic}/"), topic
    trace("verify", archive)
    with h5py.File(archive) as f:
        assert [v.decode() for v in f["imbalance"]["verdict"]] == [i["verdict"] for i in live]
        assert abs(f["imbalance"]["value_pct"][0] - live[0]["value_pct"]) < 1e-3
