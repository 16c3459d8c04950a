"""Every protocol end to end: the simulator speaks it, with its dialogue; the real daemon reads it."""
import csv, json, subprocess

import h5py
import pytest

from station import Station, offline

ARGS = ["--sets", "left", "--reps", "2", "--seed", "5", "--speed", "12"]


def verify(bin, archive):
    done = subprocess.run([bin("plate-trace"), "verify", archive], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def digest(path):
    with h5py.File(path) as h5:
        return h5.attrs["digest"]


def recorded(bin, s):
    """After the signal: the archive. It is whole, its reps are those told live, and the bytes of the wire give it again."""
    s.play(timeout=60)
    archive = s.stop()
    verify(bin, archive)
    assert offline(bin, "reps", archive) == s.bodies("rep/")
    capture, = s.folder.glob("traces/*.wire")
    done = subprocess.run([bin("plate-trace"), "replay", capture, "-o", s.folder / "again.h5"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == offline(bin, "--all", archive) and digest(s.folder / "again.h5") == digest(archive)
    return archive


def truth(path):
    return [row for row in csv.DictReader(open(path)) if row["kind"] == "rep"]


class Device(Station):
    """A station whose simulator speaks a protocol; `auto`: the daemon has to find out."""

    def __init__(self, folder, bin, protocol, args=ARGS, auto=False, **more):
        super().__init__(folder, bin, ["--protocol", protocol, "--truth", folder / "truth.csv", *args], config="capture: true", **more)
        self.protocol, self.auto = protocol, auto

    def start_daemon(self):
        if self.auto:
            text = self.config.read_text()
            assert f"decoder: {self.protocol}\n" in text
            self.config.write_text(text.replace(f"decoder: {self.protocol}\n", "decoder: auto\n"))
        super().start_daemon()


@pytest.mark.parametrize("protocol,auto,held_back", [
    ("native", True, 0), ("csv", False, 0), ("openscale", False, 0), ("openscale", True, 0), ("chronojump", False, 0),
    ("chronojump", True, 0), ("chronojump-platform", False, 1), ("chronojump-platform", True, 1)])
def test_protocol(tmp_path, bin, protocol, auto, held_back):
    with Device(tmp_path, bin, protocol, auto=auto) as s:
        archive = recorded(bin, s)
    sent = int(json.loads(s.sim.stdout.read().splitlines()[-1])["sent"])
    found = [json.loads(b) for b in s.bodies("rep/")]
    with h5py.File(archive) as h5:
        plate = h5["plates/plate"]
        counts, scale = plate["counts"][:], plate.attrs["count_scale"]
        assert len(counts) == sent - held_back  # the platform's last packet waits for the start of the next
    assert 0.97 < max(r["peak_force_N"] for r in found) / max(float(t["peak_N"]) for t in truth(tmp_path / "truth.csv")) < 1.03
    assert abs(counts.sum(axis=1)[:20].mean() * scale) < 2  # newtons, of an empty plate
    if auto:
        assert "decoder auto: " + protocol in s.errors()


def test_sics_in_real_time(tmp_path, bin):
    """A scale has no clock: samples are timed by the host."""
    args = ["--sets", "left", "--reps", "1", "--seed", "5", "--start-delay", "0.5"]
    with Device(tmp_path, bin, "sics", args=args) as s:
        archive = recorded(bin, s)
    with h5py.File(archive) as h5:
        force_N = h5["plates/plate/counts"][:].sum(axis=1) * h5["plates/plate"].attrs["count_scale"]
        assert h5["plates/plate"].attrs["device_serial"].decode() == "0123456789"
    assert len(force_N) == int(json.loads(s.sim.stdout.read().splitlines()[-1])["sent"])
    assert 0.9 < force_N.max() / max(float(t["peak_N"]) for t in truth(tmp_path / "truth.csv")) < 1.1  # 10 Hz may miss the peak


@pytest.mark.parametrize("protocol,rate_Hz", [("native", 1000), ("chronojump", 87.5)])
def test_sync_pulses_are_marks(tmp_path, bin, protocol, rate_Hz):
    """A pulse of 50 ms every 2 s on the trigger input: a mark for each edge, at its sample, in the stream and in the archive."""
    with Device(tmp_path, bin, protocol, args=[*ARGS, "--sync", "2"]) as s:
        archive = recorded(bin, s)
    live = [json.loads(h) for t, h in s.messages if t.startswith("mark/")]
    live = [m for m in live if m["kind"] == "sync"]
    assert len(live) >= 12 and [m["value"] for m in live] == ["rising", "falling"] * (len(live) // 2)
    for i, m in enumerate(live):
        due_s = 2 * (i // 2 + 1) + (0.05 if i % 2 else 0)
        assert -0.001 < m["t_s"] - due_s < 1 / rate_Hz + 0.02, (m, due_s)
        assert abs(m["sample"] - m["t_s"] * rate_Hz) <= 0.02 * rate_Hz + 1
    with h5py.File(archive) as h5:
        kept = [(m["kind"].decode(), m["value"].decode(), int(m["sample"])) for m in h5["marks"][:]]
    assert [k for k in kept if k[0] == "sync"] == [("sync", m["value"], m["sample"]) for m in live]


@pytest.mark.parametrize("protocol", ["chronojump", "openscale"])
def test_plugged_in_again(tmp_path, bin, protocol):
    """A board that comes back is asked and started anew; the recording goes on."""
    with Device(tmp_path, bin, protocol, args=["--sets", "left", "--reps", "2", "--seed", "5", "--speed", "3", "--unplug-at", "3", "--unplug-for", "2"]) as s:
        archive = recorded(bin, s)
    sent = int(json.loads(s.sim.stdout.read().splitlines()[-1])["sent"])
    with h5py.File(archive) as h5:
        assert len(h5["plates/plate/counts"]) == sent
    assert [json.loads(h)["reason"] for t, h in s.messages if t.startswith("fault/")] == ["unplug"]


def test_autostart_waits_for_the_other_plate(tmp_path, bin):
    """Two plates, one of them `auto` and not there: nothing is recorded, and that is said."""
    with Device(tmp_path, bin, "native", args=[*ARGS, "--plates", "2", "--exercise", "squat", "--sets", "both", "--linger", "60"]) as s:
        s.sim.kill()
        s.daemon.terminate()
        assert s.daemon.wait(30) == 0
        left, right = s.config.read_text().split("  - name: right")
        right = right.replace("decoder: native", "decoder: auto").replace(f"{tmp_path}/port-right", f"{tmp_path}/nowhere")
        s.config.write_text(left + "  - name: right" + right)
        s.start_daemon()
        s.sim = subprocess.Popen([s.bin("plate-sim"), "--link", str(tmp_path / "port"), *s.sim_args, "--no-wait"], stdout=subprocess.PIPE, text=True)
        s.wait_for(lambda: "the recording waits until it is known what this device speaks" in s.errors(), 30)
        assert not json.loads(s.ctl("status", "--json"))["recording"]


def test_auto_waits_for_what_it_does_not_know(tmp_path, bin):
    with Device(tmp_path, bin, "chronojump", auto=True, args=[*ARGS, "--no-wait"]) as s:
        refused = subprocess.run([bin("platectl"), "--endpoint", s.control, "start"], capture_output=True, text=True)
        assert refused.returncode == 1 and "decoder auto does not know yet" in refused.stderr
        s.wait_for(lambda: "decoder auto: chronojump: the device said Force_Sensor-0.6" in s.errors(), 30)
