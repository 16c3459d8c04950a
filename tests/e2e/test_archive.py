"""The archive under a real daemon: parts, followers, a disk that says no. docs/archive.md"""
import json, pathlib, shutil, subprocess, sys, time

import h5py
import pytest

from station import Station, bodies, offline

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "lib"))
import crash_disk, crash_test  # noqa: E402


def trace(bin, *args, status=0):
    done = subprocess.run([bin("plate-trace"), *map(str, args)], capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


def test_parts_are_one_trace(tmp_path, bin):
    args = ["--sets", "left,right", "--reps", "3", "--seed", "11", "--speed", "6", "--truth", tmp_path / "truth.csv"]
    with Station(tmp_path, bin, args, exercise="single_leg_hip_thrust", config="part_MB: 0.1") as s:
        s.side("left")
        s.play(timeout=120, truth=tmp_path / "truth.csv", sets=[("left", 3), ("right", 3)])
        archive = s.stop()
    parts = sorted(tmp_path.glob("traces/*.h5"), key=lambda p: (len(p.name), p.name))
    assert len(parts) >= 3 and parts[0] == pathlib.Path(archive) and parts[1].name == parts[0].stem + ".part2.h5"
    assert len(s.bodies("rep/")) == 6
    for topic in ("rep", "set", "asymmetry", "phase"):
        assert bodies(offline(bin, "--all", archive), topic) == s.bodies(f"{topic}/"), topic
    assert trace(bin, "reps", "--json", parts[2]) == trace(bin, "reps", "--json", archive)  # any part names the whole
    info = json.loads(trace(bin, "info", "--json", archive))
    assert info["parts"] == len(parts) and info["reps"] == 6
    assert " + 0 lost" in trace(bin, "verify", archive)
    trace(bin, "export", archive, "--format", "h5", "-o", tmp_path / "one.h5")  # all parts in one file
    assert trace(bin, "reps", "--json", tmp_path / "one.h5") == trace(bin, "reps", "--json", archive)
    assert trace(bin, "verify", tmp_path / "one.h5").split(": ")[1] == trace(bin, "verify", archive).split(": ")[1]
    rows = trace(bin, "export", archive, "--format", "csv", "--counts", "-o", "-").splitlines()
    first = 0
    for path in parts:  # each part by itself says which samples it has, in what unit, and when
        with h5py.File(path) as f:
            plate = f["plates/plate"]
            assert int(plate.attrs["first_sample"]) == first and int(f.attrs["part"]) == parts.index(path) + 1
            assert int(f.attrs["continued"]) == (path != parts[-1]) and int(f.attrs["ended"]) == (path == parts[-1])
            assert int(plate["clock"][0]["sample"]) <= first and len(f["calibrations"]) == 1
            first += len(plate["counts"])
    assert len(rows) == first + 1
    parts[1].rename(tmp_path / "elsewhere.h5")
    assert parts[1].name in trace(bin, "info", archive, status=1)
    report = subprocess.run([bin("plate-report"), archive, "-o", tmp_path / "report.html"], capture_output=True, text=True)
    assert report.returncode == 1 and parts[1].name in report.stderr
    (tmp_path / "elsewhere.h5").rename(parts[1])
    subprocess.run([bin("plate-report"), parts[1], "-o", tmp_path / "report.html"], check=True)
    page = (tmp_path / "report.html").read_text()
    assert all(f'<b><span class="{side}">3</span></b>' in page for side in ("left", "right"))


def test_a_session_goes_on_when_the_ring_is_full(tmp_path, bin):
    """At 30 times the speed, a stalled disk fills the ring within seconds."""
    control = crash_disk.Control(tmp_path, crash_test.disk_shim(), tmp_path / "traces")
    truth = tmp_path / "truth.csv"
    args = ["--rate", "4000", "--speed", "30", "--sets", "left", "--reps", "60", "--seed", "21", "--truth", truth]
    with Station(tmp_path, bin, args, exercise="single_leg_hip_thrust", env=control.env) as s:
        status = lambda: json.loads(s.ctl("status", "--json"))
        s.wait_for(lambda: len(s.bodies("rep/")) >= 3, 60)
        control.set(crash_disk.STALLS)
        s.wait_for(lambda: status()["plates"][0]["lost"] > 40000, 120)
        control.set(crash_disk.WORKS)
        s.wait_for(lambda: any("takes samples again" in b for b in s.bodies("health/")), 60)
        s.play(timeout=120)
        archive = s.stop()
    reps = [json.loads(b) for b in s.bodies("rep/")]
    rows = truth.read_text().splitlines()[1:]
    assert len(reps) >= len(rows) - 1, "a rep may be begun anew where the archive's gap ends, and no other is lost"
    account = trace(bin, "verify", archive)  # recomputes what was archived, with the gap
    with h5py.File(archive) as f:
        gaps = f["plates/plate/gaps"][:]
        assert [bytes(g["reason"]).rstrip(b"\0") for g in gaps] == [b"disk"] and f"+ {gaps['count'].sum()} lost" in account
        assert int(f["plates/plate"].attrs["span"]) == len(f["plates/plate/counts"]) + gaps["count"].sum()
        assert len(f["reps"]) < len(rows)


@pytest.mark.parametrize("config", ["part_MB: 0", "part_MB: 0.1"])
def test_readers_follow_within_a_second(tmp_path, bin, config):
    """plate-trace and h5py, while it grows; they stay open to the end and hold up nobody."""
    args = ["--sets", "left", "--reps", "3", "--seed", "5", "--speed", "3", "--linger", "3"]
    with Station(tmp_path, bin, args, exercise="single_leg_hip_thrust", config=config) as s:
        s.wait_for(lambda: list(tmp_path.glob("traces/*.h5")), 30)
        time.sleep(0.5)
        first = min(tmp_path.glob("traces/*.h5"), key=lambda p: len(p.name))
        follower = subprocess.Popen([bin("plate-trace"), "reps", "--follow", "--json", first], stdout=subprocess.PIPE, text=True)
        lag_s, late, live = [], 0, None
        while s.sim.poll() is None:
            live = live or h5py.File(first, "r", swmr=True, locking=False)
            counts = live["plates/plate/counts"]
            counts.refresh()
            if config == "part_MB: 0":  # later parts are other files, which plate-trace takes up by itself
                lag_s.append((s.now_s() - len(counts) / 1000) / 3)
            time.sleep(0.05)
        assert not lag_s or sorted(lag_s)[int(len(lag_s) * 0.9)] <= 1.0, sorted(lag_s)[-10:]
        archive = s.stop()
        live.close()
        told = follower.communicate(timeout=20)[0].splitlines()
    assert follower.returncode == 0 and told == s.bodies("rep/") and len(told) == 3
    assert trace(bin, "verify", archive)


def test_a_folder_that_is_gone_is_made_again_for_the_next_recording(tmp_path, bin):
    with Station(tmp_path, bin, ["--speed", "4", "--linger", "60"]) as s:
        s.wait_for(lambda: s.now_s() > 1, 30)
        s.ctl("stop")
        s.wait_for(lambda: any('"sealed"' in b for b in s.bodies("session/")), 30)
        shutil.rmtree(tmp_path / "traces")
        s.ctl("start")
        s.wait_for(lambda: list(tmp_path.glob("traces/*.journal")), 20)
        assert trace(bin, "verify", s.stop())
        assert "cannot write" not in s.errors()


def test_two_stations_that_record_into_one_folder(tmp_path, bin):
    """They begin in the same second, again and again, and no name is given out twice."""
    folders = [tmp_path / n for n in ("a", "b")]
    for f in (*folders, tmp_path / "a" / "traces"):
        f.mkdir()
    (tmp_path / "b" / "traces").symlink_to(tmp_path / "a" / "traces")
    sim = ["--rate", "100", "--linger", "60"]
    with Station(folders[0], bin, sim) as a, Station(folders[1], bin, sim) as b:
        for s in (a, b):
            s.wait_for(lambda: s.now_s() > 0.2, 30)
        for _ in range(5):
            calls = [subprocess.Popen([bin("platectl"), "--endpoint", s.control, verb], stdout=subprocess.DEVNULL) for verb in ("stop", "start") for s in (a, b)]
            assert all(c.wait() in (0, 1) for c in calls)
        named = [json.loads(x)["archive"] for s in (a, b) for x in s.bodies("session/") if '"started"' in x]
        for s in (a, b):
            s.stop()
            assert "cannot write" not in s.errors()
    names = [pathlib.Path(n).name for n in named]
    assert len(names) == len(set(names)) >= 4 and not list(tmp_path.glob("a/traces/*.new")) and not list(tmp_path.glob("a/traces/*.journal"))
    for name in names:
        assert trace(bin, "verify", tmp_path / "a" / "traces" / name)


def test_a_follower_says_when_the_daemon_died(tmp_path, bin):
    with Station(tmp_path, bin, ["--sets", "left", "--reps", "3", "--no-wait", "--linger", "60"]) as s:
        s.wait_for(lambda: list(tmp_path.glob("traces/*.h5")), 30)
        time.sleep(1)
        first, = tmp_path.glob("traces/*.h5")
        follower = subprocess.Popen([bin("plate-trace"), "reps", "--follow", first], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(0.5)
        s.daemon.kill()
        s.daemon.wait()
        assert "recover" in follower.communicate(timeout=30)[1] and follower.returncode == 1


def test_a_ring_that_has_no_room_is_refused_with_its_size(tmp_path, bin):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", small], capture_output=True).returncode:
        pytest.skip("NO SMALL DISKS: mount is refused here, be root")
    try:
        (tmp_path / "c.yaml").write_text(f"archive_dir: {tmp_path}/traces\nring_dir: {small}\nstream: {{data: 'ipc://{tmp_path}/d', control: 'ipc://{tmp_path}/c'}}\n"
                                         "plates: [{name: a, port: /dev/null, cells: [{name: c}]}]\n")
        done = subprocess.run([bin("plated"), "-c", tmp_path / "c.yaml"], capture_output=True, text=True, timeout=20)
        assert done.returncode == 1 and "room for a ring of" in done.stderr and " MB" in done.stderr and not list(small.iterdir())
    finally:
        subprocess.run(["umount", small], check=True)
