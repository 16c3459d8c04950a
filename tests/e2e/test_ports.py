"""Ports that come and go, that take half a minute to open, that lie about having bytes."""
import os, pathlib, sys, termios, threading, time, tty

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts/lib"))
import replug


def test_plates_unplugged_at_random_lose_nothing_that_was_read(tmp_path, bin):
    seed = int(os.environ.get("PLATE_SEED", time.time_ns() % 2**32))
    print("PLATE_SEED", seed)
    figures = replug.run(str(tmp_path), bin("plated"), 4, seed)
    assert figures["mains"]["gap_off_max"] == 0 and figures["powered"]["gap_off_max"] <= 5, figures  # 1, unless it stood still for 0.25 s
    assert figures["files_grown"] <= 0 and figures["threads_grown"] <= 2, figures
    assert figures["idle_cpu_pct"] < 50, figures  # a loop would take all of it


def two_plates(tmp_path, bin, trouble):
    """A sound plate and one in trouble; the figures of the daemon after two seconds of the sound one."""
    begin = time.monotonic()
    boards = [replug.Board(name, str(tmp_path / name), begin, True) for name in ("sound", "bad")]
    for b in boards:
        b.plug()
    env = dict(os.environ, LD_PRELOAD=os.environ["PLATE_PRELOAD_SLOW"], SLOWSHIM=f"{tmp_path}/bad:{trouble}")
    daemon = replug.Daemon(str(tmp_path), bin("plated"), boards, env)
    return boards, daemon


def finish(boards, daemon):
    for b in boards:
        b.stop()
    try:
        assert daemon.stop() == 0, open(f"{daemon.folder}/log").read()
    finally:
        daemon.kill()


def test_a_port_that_is_slow_to_open_and_close_delays_nobody(tmp_path, bin):
    """A tty can take 30 s: PLATE_SLOW_S=30 tries just that."""
    slow_s = float(os.environ.get("PLATE_SLOW_S", 2))
    boards, daemon = two_plates(tmp_path, bin, slow_s)
    try:
        while (n := daemon.samples())["sound"] < 40 * slow_s:  # a hundred a second
            assert n["bad"] == 0, "the slow port is open already: it proves nothing"
            time.sleep(0.02)
        while not daemon.samples()["bad"]:
            time.sleep(0.05)
        threads = daemon.held()[1]
        boards[1].unplug()
        while daemon.held()[1] == threads:  # it is closed on a thread of its own
            time.sleep(0.005)
        before = daemon.samples()["sound"]
        while daemon.samples()["sound"] < before + 40 * slow_s:
            assert daemon.held()[1] > threads, "the slow port is closed already: it proves nothing"
            time.sleep(0.02)
        boards[1].plug()
    finally:
        finish(boards, daemon)
    with h5py.File(next(tmp_path.glob("traces/*.h5"))) as h5:
        sound, gaps = h5["plates/sound/counts"][:], h5["plates/sound/gaps"][:]
    assert len(gaps) == 0 and (numpy.diff(sound[:, 0]) == 1).all()


class Scale:
    """An OpenScale of 9600 baud: at any other it sends noise."""
    plate = "rate_Hz: 10, decoder: auto, baud: 115200, cells: [{name: force}]"

    def __init__(self, link):
        self.name, self.link, self.running = "scale", link, True
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.symlink(os.ttyname(self.slave), link)
        self.bauds = []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while self.running:
            baud = termios.tcgetattr(self.slave)[5]
            if self.bauds[-1:] != [baud]:
                self.bauds.append(baud)
            os.write(self.master, b"12.5000,kg,\r\n" if baud == termios.B9600 else b"\xe6\x98\x00\x98\xe6\x86\xfe\x80\x06\x78\x1e")
            time.sleep(0.1)

    def stop(self):
        self.running = False
        self.thread.join()


def test_auto_finds_the_rate_of_a_port(tmp_path, bin):
    scale = Scale(str(tmp_path / "scale"))
    daemon = replug.Daemon(str(tmp_path), bin("plated"), [scale], dict(os.environ, LD_PRELOAD=os.environ["PLATE_PRELOAD"], PTYSHIM_AS_SERIAL="1"))
    try:
        while not daemon.samples()["scale"]:
            time.sleep(0.05)
        assert scale.bauds[-2:] == [termios.B115200, termios.B9600]
        log = open(tmp_path / "log").read()
        assert "nothing is understood at 115200 baud; trying 9600" in log and "decoder auto: openscale: " in log and "; write `baud: 9600`" in log, log
    finally:
        finish([scale], daemon)


def test_a_port_that_has_bytes_and_gives_none_is_no_busy_loop(tmp_path, bin):
    boards, daemon = two_plates(tmp_path, bin, 0)
    try:
        while daemon.samples()["sound"] < 100:
            time.sleep(0.02)
        cpu = daemon.cpu_s()
        time.sleep(1)
        assert daemon.cpu_s() - cpu < 0.5, "half of a core and more"
        assert "gives none" in open(tmp_path / "log").read()
    finally:
        finish(boards, daemon)
