"""Captures: the bytes of the wire give the same events again, offline and through a simulated port."""
import json, pathlib, random, signal, struct, subprocess, time

import h5py
import pytest

import wire
from station import Station, bodies, offline

SEED = random.randrange(1 << 32)


def replay(bin, *args):
    return subprocess.run([bin("plate-trace"), "replay", *map(str, args)], capture_output=True, text=True)


def digest(path):
    with h5py.File(path) as h5:
        return h5.attrs["digest"]


def counts(path):
    with h5py.File(path) as h5:
        return {name: plate["counts"][:].tolist() for name, plate in h5["plates"].items()}


@pytest.fixture(scope="module")
def captured(tmp_path_factory, bin):
    """A session with faults, two plates and two recordings: folder, live bodies by topic, archives in order, the capture."""
    folder = tmp_path_factory.mktemp("captured")
    args = ["--exercise", "barbell_hip_thrust", "--plates", "2", "--reps", "4", "--seed", "3", "--speed", "5", "--corrupt", "0.002", "--drop",
            "0.002", "--unplug-at", "12", "--unplug-for", "2"]
    with Station(folder, bin, args, exercise="barbell_hip_thrust", config="capture: true") as s:
        s.ctl("mark", "load_kg", "60")
        s.wait_for(lambda: s.now_s() > 8, 60)
        s.ctl("stop")
        s.ctl("start", "--subject", "S02")
        s.ctl("mark", "involved", "left")
        s.play(timeout=120)
        status = json.loads(s.ctl("status", "--json"))
        s.stop()
    live = {topic: s.bodies(topic + "/") for topic in ("rep", "set", "asymmetry")}
    capture, = folder.glob("traces/*.wire")
    archives = sorted(folder.glob("traces/*.h5"))
    assert len(archives) == 2 and status["capture"]["lost_records"] == 0 and status["capture"]["error"] == ""
    return folder, live, archives, capture


def unmarked(lines):
    return [line for line in lines if not line.startswith("mark ")]


def test_same_bytes_again(captured, bin, tmp_path):
    _, live, archives, capture = captured
    assert live["rep"] and live["asymmetry"]
    done = replay(bin, capture)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    recorded = [line for a in archives for line in offline(bin, "--all", a)]
    # Marks are told apart: a plate that is back says so at once, and when that was, beside a command, only the live run knows.
    assert unmarked(lines) == unmarked(recorded) and sorted(lines) == sorted(recorded)
    for topic in ("rep", "set", "asymmetry"):
        assert bodies(lines, topic) == live[topic], topic
    for number, archive in enumerate(archives, 1):
        again = tmp_path / f"again{number}.h5"
        done = replay(bin, capture, "--recording", number, "-o", again)
        assert done.returncode == 0, done.stderr
        assert unmarked(done.stdout.splitlines()) == unmarked(offline(bin, "--all", archive))
        assert digest(again) == digest(archive)  # every sample, knot, gap, mark and row
        subprocess.run([bin("plate-trace"), "export", archive, "--format", "h5", "-o", tmp_path / f"copy{number}.h5"], check=True)
        assert digest(tmp_path / f"copy{number}.h5") == digest(archive)
        assert not pathlib.Path(f"{again}.journal").exists()
    assert replay(bin, capture, "--recording", 3).returncode == 1
    assert replay(bin, capture, "-o", archives[0]).returncode == 1 and digest(archives[0])


def test_sync_pulses_and_a_board_that_is_spoken_to(tmp_path, bin):
    args = ["--protocol", "chronojump", "--sync", "0.7", "--sets", "left", "--reps", "2", "--speed", "5"]
    with Station(tmp_path, bin, args, exercise="single_leg_hip_thrust", config="capture: true") as s:
        s.play(timeout=60)
        archive = s.stop()
    capture, = tmp_path.glob("traces/*.wire")
    done = replay(bin, capture, "-o", tmp_path / "again.h5")
    assert done.returncode == 0, done.stderr
    again, offline_again = done.stdout.splitlines(), offline(bin, "--all", archive)
    for topic in ("phase", "rep", "set", "mark"):
        assert bodies(again, topic) == bodies(offline_again, topic) and bodies(again, topic), topic
    assert '"sync"' in done.stdout and digest(tmp_path / "again.h5") == digest(archive)


def test_a_reader_of_ones_own(captured):
    _, _, archives, capture = captured
    records, torn = wire.read(capture)
    assert torn == 0 and records[0].type == wire.STATION and json.loads(records[0].payload)["plates"][0]["name"] == "left"
    sent, last_ns = {0: 0, 1: 0}, 0
    for r in records:
        if r.type == wire.BYTES:
            host_ns, utc_ns = struct.unpack_from("<qq", r.payload)
            assert r.sample == sent[r.plate] and host_ns >= last_ns and utc_ns > 0
            sent[r.plate] += len(r.payload) - 16
            last_ns = host_ns
    assert all(n > 50_000 for n in sent.values())
    ports = [(r.plate, r.payload[16]) for r in records if r.type == wire.PORT]
    assert [state for plate, state in ports if plate == 0] == [1, 0, 1, 0]  # plugged, pulled, plugged, over


def test_played_back_through_a_port(captured, bin, tmp_path):
    _, live, archives, capture = captured
    with Station(tmp_path, bin, ["--playback", capture, "--speed", "5"], exercise="barbell_hip_thrust") as s:
        s.play(timeout=120)
        archive = s.stop()
    assert "plates:" in s.config.read_text() and "side: left" in s.config.read_text()
    again, first, second = counts(archive), *map(counts, archives)
    for plate in ("left", "right"):
        # corrupt packets are corrupt again, and the plug is pulled again; between the two recordings nobody recorded
        assert again[plate][:len(first[plate])] == first[plate] and again[plate][-len(second[plate]):] == second[plate]
    with h5py.File(archive) as h5:
        assert b"unplug" in [bytes(r) for r in h5["plates/left/gaps"]["reason"]]


def holes(path):
    with h5py.File(path) as h5:
        return {name: [(int(g["sample"]), int(g["count"])) for g in plate["gaps"]] for name, plate in h5["plates"].items()}


def test_an_archive_is_played_through_a_port(captured, bin, tmp_path):
    """Count for count, hole for hole, each plate by its own clock; native frames carry both exactly."""
    _, _, archives, _ = captured
    with Station(tmp_path, bin, ["--playback", archives[1], "--speed", "8", "--loop"], exercise="barbell_hip_thrust") as s:
        s.wait_for(lambda: all(f"force/{p}/" in {t for t, _ in s.messages} for p in ("left", "right")), 30)
        with h5py.File(archives[1]) as h5:
            length_s = int(h5["plates/left"].attrs["span"]) / 1000
        s.wait_for(lambda: s.now_s() > length_s + 1, 60)
        archive = s.stop()
    once, twice, lacks, has = counts(archives[1]), counts(archive), holes(archives[1]), holes(archive)
    for plate in ("left", "right"):
        n = len(once[plate])
        assert n > 2000 and twice[plate][:n] == once[plate] and twice[plate][n:] == once[plate][:len(twice[plate]) - n] and len(twice[plate]) > n
        assert lacks[plate] and has[plate][:len(lacks[plate])] == lacks[plate]


def test_an_archive_is_played_as_lines_of_numbers(bin, tmp_path):
    data = pathlib.Path(__file__).parents[1] / "data" / "hip_thrust_left_right.csv"
    subprocess.run([bin("plate-trace"), "import", data, "-o", tmp_path / "x.h5"], check=True, capture_output=True)
    with Station(tmp_path, bin, ["--playback", tmp_path / "x.h5", "--speed", "40", "--protocol", "csv"]) as s:
        s.play(timeout=60)
        archive = s.stop()
    assert counts(archive) == counts(tmp_path / "x.h5") and holes(archive) == {"plate": []}


def damaged(tmp_path, data):
    path = tmp_path / "damaged.wire"
    path.write_bytes(data)
    return path


def test_damage_costs_itself_alone(captured, bin, tmp_path):
    _, _, archives, capture = captured
    whole, good = capture.read_bytes(), replay(bin, capture).stdout
    assert len(good.splitlines()) > 10
    print("seed", SEED)
    rng = random.Random(SEED)
    cut = replay(bin, damaged(tmp_path, whole[:whole.index(b"PLRD", len(whole) * 2 // 3) + 20]))  # in the head of a record
    assert cut.returncode == 1 and "cut off" in cut.stderr and good.startswith("".join(cut.stdout.splitlines(True)[:5]))
    for _ in range(20):
        at, bit = rng.randrange(512 + 4096, len(whole)), rng.randrange(8)
        data = bytearray(whole)
        data[at] ^= 1 << bit
        done = replay(bin, damaged(tmp_path, data))
        assert done.returncode in (0, 1) and done.stderr.count("\n") <= 2, (at, bit, done.stderr)
        if done.returncode == 0:  # a byte of the padding behind a payload
            assert done.stdout == good, (at, bit)
    for data in (b"", b"PLDWIRE\0", whole[:512], whole[:600], b"x" + whole[1:], rng.randbytes(5000), whole[:512] + rng.randbytes(5000)):
        done = replay(bin, damaged(tmp_path, data))
        assert done.returncode == 1 and done.stderr.startswith("plate-trace: ") and done.stdout == "", done.stderr
        sim = subprocess.run([bin("plate-sim"), "--link", tmp_path / "p", "--playback", damaged(tmp_path, data[:520])], capture_output=True, text=True, timeout=20)
        assert sim.returncode == 1 and "not a capture" in sim.stderr
    assert replay(bin, tmp_path / "none.wire").returncode == 1
    assert replay(bin, archives[0]).returncode == 1


def test_capture_file_of_the_command_line(tmp_path, bin):
    (tmp_path / "plated.yaml").write_text(f"""archive_dir: {tmp_path}/traces
ring_dir: {tmp_path}
stream: {{data: "ipc://{tmp_path}/d", control: "ipc://{tmp_path}/c"}}
plates: [{{name: plate, port: {tmp_path}/port, cells: [{{name: force}}]}}]
""")
    (tmp_path / "there.wire").write_text("mine")
    for file, words in ((tmp_path / "there.wire", "is there already"), (tmp_path / "no" / "x.wire", "cannot capture")):
        done = subprocess.run([bin("plated"), "-c", tmp_path / "plated.yaml", "--capture", file], capture_output=True, text=True, timeout=20)
        assert done.returncode == 1 and words in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert (tmp_path / "there.wire").read_text() == "mine"
    daemon = subprocess.Popen([bin("plated"), "-c", tmp_path / "plated.yaml", "--capture", tmp_path / "new.wire", "--ready"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    daemon.stdout.readline()
    daemon.send_signal(signal.SIGKILL)
    daemon.wait()
    assert not list(tmp_path.glob("plated-capture*"))  # a killed daemon leaves nothing of a capture in memory
    time.sleep(0.1)
    assert replay(bin, tmp_path / "new.wire").returncode == 1  # nothing was recorded
