"""Every protocol end to end, all at once: a simulator for each board speaks it, with its dialogue; one real daemon reads them all."""
import csv, json, subprocess

import h5py
import pytest

from station import Station, offline

REP = ["--sets", "left", "--reps", "1", "--seed", "5", "--start-delay", "0.5", "--drive", "0.5", "--hold", "0.4", "--lower", "0.8"]
WEIGHED = ["--drive", "1.2", "--hold", "1"]  # slow enough for ten samples a second to see its peak
# what it speaks, whether the daemon has to find out, samples that wait for the start of the next packet, more for its simulator
BOARDS = {
    "sics": ("sics", False, 0, ["--start-delay", "6", *WEIGHED]),
    "sensor-auto": ("chronojump", True, 0, ["--start-delay", "2"]),
    "platform-auto": ("chronojump-platform", True, 1, ["--start-delay", "2"]),
    "sensor-again": ("chronojump", False, 0, ["--reps", "3", "--unplug-at", "4.5", "--unplug-for", "0.3"]),
    "native-auto": ("native", True, 0, []),
    "scale-auto": ("openscale", True, 0, WEIGHED),
    # what these send is in the archive from the first sample on: they are plugged in when it grows
    "native": ("native", False, 0, ["--sync", "2"]),
    "csv": ("csv", False, 0, []),
    "scale": ("openscale", False, 0, WEIGHED),
    "scale-again": ("openscale", False, 0, ["--unplug-at", "2", "--unplug-for", "0.3"]),
    "sensor": ("chronojump", False, 0, ["--sync", "2"]),
    "platform": ("chronojump-platform", False, 1, []),
}
NAMES = list(BOARDS)
SLOW, AUTO, LATE = NAMES[1:4], NAMES[4:6], NAMES[6:]


class Bench(Station):
    """A station with a simulator for each board."""

    def __init__(self, folder, bin):
        super().__init__(folder, bin, [], config="capture: true")
        self.sims, self.sent, self.late_s = {}, {}, {}

    def simulator(self, name):
        protocol, _, _, more = BOARDS[name]
        return [self.bin("plate-sim"), "--link", str(self.folder / name), "--protocol", protocol, "--truth", str(self.folder / f"{name}.csv"), *REP, *more]

    def plates_text(self):
        text = "plates:\n"
        for name, (protocol, auto, _, _) in BOARDS.items():
            said = subprocess.run([*self.simulator(name), "--print-config"], capture_output=True, text=True, check=True).stdout
            said = said.removeprefix("plates:\n").replace("- name: plate\n", f"- name: {name}\n")
            assert f"- name: {name}\n" in said and f"decoder: {protocol}\n" in said, said
            text += said.replace(f"decoder: {protocol}\n", "decoder: auto\n") if auto else said
        return text

    def start_sim(self):
        """None yet."""

    def plug_in(self, *names):
        for name in names:
            self.sims[name] = subprocess.Popen(self.simulator(name), stdout=subprocess.PIPE, text=True)

    def status(self):
        return json.loads(self.ctl("status", "--json"))

    def play(self):
        """Until every board has sent all it has."""
        for name, sim in self.sims.items():
            assert sim.wait(60) == 0, name
            account = json.loads(sim.stdout.read().splitlines()[-1])
            self.sent[name], self.late_s[name] = account["sent"], account["late_s"]

        def all_read():
            self.plates = {p["name"]: p for p in self.status()["plates"]}
            return all(self.plates[n]["frames"] >= self.sent[n] - BOARDS[n][2] for n in BOARDS)
        self.wait_for(all_read, 10)

    def __exit__(self, *_):
        for sim in self.sims.values():
            sim.kill()
            sim.wait()
        super().__exit__()


@pytest.fixture(scope="module")
def bench(tmp_path_factory, bin):
    folder = tmp_path_factory.mktemp("bench")
    with Bench(folder, bin) as s:
        s.plug_in("sics")
        s.wait_for(lambda: "the recording waits until it is known what this device speaks" in s.errors(), 30)
        assert not s.status()["recording"]
        s.refused = subprocess.run([bin("platectl"), "--endpoint", s.control, "start"], capture_output=True, text=True)
        s.plug_in(*SLOW)
        s.wait_for(lambda: all(f"{n}-auto: decoder auto:" in s.errors() for n in ("sensor", "platform")), 30)
        s.plug_in(*AUTO)
        s.wait_for(lambda: s.status()["recording"], 30)
        s.plug_in(*LATE)
        s.play()
        s.archive = s.stop()
    yield s


def test_a_recording_waits_until_every_device_is_known(bench):
    assert bench.refused.returncode == 1 and "decoder auto does not know yet" in bench.refused.stderr, bench.refused


def test_the_archive_is_whole_and_the_wire_gives_it_again(bench, bin):
    done = subprocess.run([bin("plate-trace"), "verify", bench.archive], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert offline(bin, "reps", bench.archive) == bench.bodies("rep/")
    capture, = bench.folder.glob("traces/*.wire")
    again = bench.folder / "again.h5"
    done = subprocess.run([bin("plate-trace"), "replay", capture, "-o", again], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told, kept = done.stdout.splitlines(), offline(bin, "--all", bench.archive)
    assert sorted(told) == sorted(kept)
    # where a mark stands among the events, only the live run knows
    assert [line for line in told if not line.startswith("mark ")] == [line for line in kept if not line.startswith("mark ")]
    with h5py.File(again) as new, h5py.File(bench.archive) as old:
        assert new.attrs["digest"] == old.attrs["digest"]


@pytest.mark.parametrize("name", BOARDS)
def test_every_sample_that_a_board_sent(bench, name):
    protocol, auto, held_back, _ = BOARDS[name]
    plate = bench.plates[name]
    assert plate["frames"] == bench.sent[name] - held_back and plate["decoder"] == protocol, plate
    if auto:
        assert f"{name}: decoder auto: {protocol}" in bench.errors()
    with h5py.File(bench.archive) as h5:
        counts, scale = h5[f"plates/{name}/counts"][:], h5[f"plates/{name}"].attrs["count_scale"]
    assert len(counts) == plate["samples"] <= plate["frames"]
    if name in LATE:
        assert len(counts) == plate["frames"]
        assert abs(counts.sum(axis=1)[:2].mean() * scale) < 2  # newtons, of an empty plate


@pytest.mark.parametrize("name", [n for n in BOARDS if not n.endswith("-again")])
def test_the_force_is_the_one_that_was_made(bench, name):
    rep, = (row for row in csv.DictReader(open(bench.folder / f"{name}.csv")) if row["kind"] == "rep")
    with h5py.File(bench.archive) as h5:
        force_N = h5[f"plates/{name}/counts"][:].sum(axis=1) * h5[f"plates/{name}"].attrs["count_scale"]
    assert abs(force_N.max() / float(rep["peak_N"]) - 1) < 0.03, (force_N.max(), rep)


def test_a_scale_says_its_serial_number(bench):
    with h5py.File(bench.archive) as h5:
        assert h5["plates/sics"].attrs["device_serial"].decode() == "0123456789"


@pytest.mark.parametrize("name", ["native", "sensor"])
def test_sync_pulses_are_marks(bench, name):
    """A pulse of 50 ms every 2 s on the trigger input: a mark for each edge, at its sample, in the stream and in the archive."""
    rate_Hz = bench.plates[name]["nominal_rate_Hz"]
    marks = [json.loads(h) for t, h in bench.messages if t.startswith("mark/")]
    live = [m for m in marks if m["kind"] == "sync" and m["plate"] == name]
    assert len(live) >= 4 and [m["value"] for m in live] == ["rising", "falling"] * (len(live) // 2), live
    with h5py.File(bench.archive) as h5:
        kept = [(m["value"].decode(), int(m["sample"])) for m in h5["marks"][:] if m["kind"] == b"sync" and m["plate"].decode() == name]
        begin_s = h5[f"plates/{name}/clock"][0]["t_s"]
    assert kept == [(m["value"], m["sample"]) for m in live]
    for i, m in enumerate(live):
        due_s = 2 * (i // 2 + 1) + (0.05 if i % 2 else 0)
        assert -0.001 < m["t_s"] - begin_s - due_s < 1 / rate_Hz + 0.02, (m, begin_s, due_s)
        assert abs(m["sample"] - (m["t_s"] - begin_s) * rate_Hz) <= 0.02 * rate_Hz + 1


@pytest.mark.parametrize("name", ["sensor-again", "scale-again"])
def test_plugged_in_again(bench, name):
    """A board that comes back is asked and started anew; the recording goes on."""
    assert [json.loads(h)["reason"] for t, h in bench.messages if t == f"fault/{name}/"] == ["unplug"]


def test_the_others_have_no_gap(bench):
    """But those whose simulator the machine held up: where nothing counts the samples, its silence is a gap."""
    faults = [json.loads(h) for t, h in bench.messages if t.startswith("fault/") and "-again/" not in t]
    assert not [f for f in faults if not (f["reason"] == "time" and f["estimated"] and bench.late_s[f["plate"]] > 0.25)]
