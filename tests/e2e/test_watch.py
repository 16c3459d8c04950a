"""platectl watch and clocks against a running plated: the screen on a pty, lines into pipes, several stations, their clocks."""
import csv
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

import pytest
import zmq

from relay import Relay
from station import Station

SIM = ["--exercise", "tempo", "--reps", 3, "--hold", 0.6, "--lower", 0.8, "--drive", 0.6, "--start-delay", 0.5, "--rest", 1, "--loop"]
CONFIG = "targets:\n  hold_min_s: 0.5\n  eccentric_min_s: 0.8\nsides: [left, right]\nreps: 3\n"


class Screen:
    """A program on a terminal of so many rows and columns, and the frames that it draws."""

    def __init__(self, args, rows, columns, **env):
        self.master, self.slave = pty.openpty()
        self.size(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen([str(a) for a in args], stdin=self.slave, stdout=self.slave, stderr=subprocess.PIPE, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **env})
        self.bytes = b""

    def size(self, rows, columns):
        self.rows, self.columns = rows, columns
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, timeout=0.1):
        if select.select([self.master], [], [], timeout)[0]:
            try:
                self.bytes += os.read(self.master, 1 << 16)
            except OSError:  # the other end is closed
                pass

    def frame(self):
        """The rows of the last whole frame."""
        frames = self.bytes.decode(errors="replace").split("\x1b[H")
        return [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\a", "", row) for row in re.split(r"\r+\n", frames[-2])] if len(frames) > 2 else []

    def wait_for(self, what, timeout=40):
        end = time.monotonic() + timeout
        while not what("\n".join(self.frame())):
            assert time.monotonic() < end, "\n".join(self.frame())
            assert self.process.poll() is None, self.process.stderr.read().decode()
            self.read()

    def end(self, key):
        """Presses it; the exit code."""
        os.write(self.master, key)
        end = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.05)
        while select.select([self.master], [], [], 0.05)[0]:  # what it said last; a read brings a part
            self.read()
        return self.process.wait(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture(scope="module")
def station(tmp_path_factory, bin):
    with Station(tmp_path_factory.mktemp("station"), bin, SIM, exercise="tempo", config=CONFIG) as s:
        s.wait_for(lambda: s.bodies("force/"), 15)
        yield s


def test_a_screen_that_fits_whatever_happens(station, bin):
    args = [bin("platectl"), "watch", "--data", station.data, "--endpoint", station.control, "--metronome=0.3-0.3-0.3"]
    with Screen(args, 24, 80) as s:
        s.wait_for(lambda text: "REC" in text and re.search(r"(?m)^tempo +hold +[0-9.]+ s of 0.3 s", text) and "♪" in text)
        assert b"\a" in s.bytes and b"\x1b[0;36m" in s.bytes
        assert re.search(r"(?m)^plan +(left|right)  set \d+  rep (\d|-) of 3  then (left|right)", "\n".join(s.frame()))
        for rows, columns in ((24, 80), (12, 40), (3, 10), (50, 200), (24, 80)):
            s.size(rows, columns)
            os.kill(s.process.pid, signal.SIGWINCH)
            s.wait_for(lambda text: len(text.split("\n")) == rows and all(len(row) == columns for row in text.split("\n")))
        station.daemon.kill()
        station.daemon.wait()
        s.wait_for(lambda text: "not answering" in text and f"no word from plated at {station.data}"[:80] in text)
        station.start_daemon()
        s.wait_for(lambda text: "REC" in text and "no word" not in text)
        os.kill(s.process.pid, signal.SIGTSTP)  # Ctrl-Z gives the terminal back, fg takes it again
        os.waitid(os.P_PID, s.process.pid, os.WSTOPPED | os.WNOWAIT)
        assert termios.tcgetattr(s.slave) == s.before
        os.kill(s.process.pid, signal.SIGCONT)
        s.bytes = b""
        s.wait_for(lambda text: "REC" in text)
        assert s.end(b"q") == 0
        assert s.bytes.endswith(b"\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l") and termios.tcgetattr(s.slave) == s.before


def test_a_plain_screen(station, bin):
    args = [bin("platectl"), "watch", "--data", station.data]
    with Screen(args, 24, 80, LC_ALL="C", NO_COLOR="1") as s:
        s.wait_for(lambda text: "* REC" in text)
        assert s.end(b"\x03") == 0  # Ctrl-C
        assert s.bytes.isascii() and not re.search(rb"\x1b\[0(;\d+)*m", s.bytes.replace(b"\x1b[0m\x1b[?7h", b""))
    with Screen(args, 24, 80, TERM="dumb") as s:  # lines
        station.wait_for(lambda: s.read() or station.ctl("note", "x") and b"mark note x" in s.bytes, 10)
        assert b"\x1b" not in s.bytes


def watch(bin, *args):
    return subprocess.Popen([bin("platectl"), "watch", *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_several_stations_as_lines(station, bin, tmp_path):
    """One daemon seen over two ways stands for two stations of one name."""
    with Relay(station.data, 0.02, 0.03, lost=5) as data, Relay(station.control, 0.06, 0.005) as control:
        hosts, both = tmp_path / "hosts", (station.data, data.endpoint)
        hosts.write_text(f"# both\n{station.data} {station.control}\n{data.endpoint}\t{control.endpoint}\n")
        out = {how: tmp_path / how for how in ("--json", "--csv", "--lines")}
        running = {how: subprocess.Popen([bin("platectl"), "--hosts", hosts, "watch", how], stdout=file.open("w"), stderr=subprocess.PIPE, text=True) for how, file in out.items()}
        heads = {"--json": '{{"topic":"mark/","endpoint":"{}",', "--csv": "mark,test,{},", "--lines": "test ({}): mark note "}
        for how, head in heads.items():  # each line is there as soon as it is said
            station.wait_for(lambda: station.ctl("note", 'a "b", c') and all(head.format(e) in out[how].read_text() for e in both), 20)
        station.ctl("note", "the last")
        station.wait_for(lambda: all(file.read_text().count("the last") == 2 for file in out.values()), 20)
        for p in running.values():
            p.send_signal(signal.SIGINT)
        said = {how: p.communicate(timeout=10)[1] for how, p in running.items()}
    for how, p in running.items():  # an offset that is not sure is no reason to warn
        assert p.returncode == 0 and said[how].count("another station calls itself test") == 1 and "clock" not in said[how], said[how]
    events = [json.loads(line) for line in out["--json"].read_text().splitlines()]
    rows = list(csv.DictReader(out["--csv"].open()))
    for e in both:
        marks = [(o["t_s"], o["value"]) for o in events if o["endpoint"] == e and o["topic"] == "mark/"]
        table = [(float(r["t_s"]), r["value"]) for r in rows if r["endpoint"] == e and r["event"] == "mark"]
        assert marks[-1] == table[-1] and marks[-1][1] == "the last" and all('a "b", c' in [v for _, v in said] for said in (marks, table)), (marks, table)
    assert {e["station"] for e in events} == {r["station"] for r in rows} == {"test"} and data.bytes > 1000


def test_a_reader_that_goes_ends_it(station, bin):
    with watch(bin, "--data", station.data, "--json") as p:
        station.wait_for(lambda: station.ctl("note", "x") and select.select([p.stdout], [], [], 0.1)[0], 10)
        p.stdout.close()
        assert p.wait(10) == 0 and p.stderr.read() == ""


def clocks(bin, *args):
    return subprocess.run([bin("platectl"), "clocks", "--timeout", "20", *map(str, args)], capture_output=True, text=True, timeout=60)


def test_the_offset_of_clocks_holds_the_truth(station, bin):
    """Of one machine with itself it is 0, however unlike the ways there and back are."""
    for out_s, back_s in ((0.06, 0.002), (0.002, 0.06), (0.015, 0.015)):
        with Relay(station.control, out_s, back_s, lost=10) as way:
            done = clocks(bin, "--endpoint", way.endpoint, "--json")
        one = json.loads(done.stdout)
        assert abs(one["ahead_ns"]) <= one["uncertain_ns"] and one["verdict"] != "off" and done.returncode == 0
        assert one["uncertain_ns"] * 2 >= (out_s + back_s) * 0.9e9 and one["station"] == "test"
    done = clocks(bin, "--endpoint", station.control, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["verdict"] == "agrees", done


class Liar(threading.Thread):
    """A control socket whose clock is so far ahead."""

    def __init__(self, path, ahead_s):
        super().__init__()
        self.ahead_ns, self.socket = int(ahead_s * 1e9), zmq.Context.instance().socket(zmq.ROUTER)
        self.socket.linger = 0
        self.endpoint, self.running = f"ipc://{path}", True
        self.socket.bind(self.endpoint)

    def run(self):
        while self.running:
            if self.socket.poll(50):
                who, text = self.socket.recv_multipart()
                answer = {"jsonrpc": "2.0", "id": json.loads(text)["id"], "result": {"station": "liar", "t_utc_ns": time.time_ns() + self.ahead_ns}}
                self.socket.send_multipart([who, json.dumps(answer).encode()])
        self.socket.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.running = False
        self.join()


def test_a_clock_that_is_off_is_told(station, bin, tmp_path):
    with Liar(tmp_path / "liar", 0.035) as liar:
        done = clocks(bin, "--endpoint", station.control, "--endpoint", liar.endpoint)
        assert done.returncode == 1 and re.search(r"^liar .* \+3\d\.\d+ ms .* off$", done.stdout, re.M), done
        assert re.search(r"^platectl: liar is 3\d\.\d+ \+- \d\.\d+ ms ahead of test; set", done.stderr), done
        p = watch(bin, "--data", station.data, "--endpoint", liar.endpoint, "--lines", "--seconds", 1)
        assert re.search(r"its clock is 3\d\.\d \+- \d\.\d ms ahead of this machine's", p.communicate(timeout=20)[1])
        args = [bin("platectl"), "watch", "--data", station.data, "--endpoint", station.control, "--data", f"ipc://{tmp_path}/nobody", "--endpoint", liar.endpoint]
        with Screen(args, 24, 80) as s:
            s.wait_for(lambda text: re.search(r"clocks up to 3\d\.\d ±\d\.\d ms apart: ", text))


def test_what_cannot_be_is_refused(bin, tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("tcp://a:1 tcp://a:2\nnonsense\n")
    for args, code, says in (
        (["--hosts", hosts], 1, f"{hosts}:2: a station is DATA-ENDPOINT CONTROL-ENDPOINT [SERVER-KEY]; 1 fields stand here"),
        (["--hosts", tmp_path / "none"], 1, "No such file"),
        (["--data", "tcp://a:1", "--data", "tcp://a:2", "--endpoint", "tcp://a:3"], 2, "several stations: give each its --endpoint and its --data"),
        (["--metronome"], 2, "--metronome goes with the screen"),
        (["--metronome=fast"], 2, "--metronome=fast: seconds of drive-hold-lower"),
        (["--data", "tcp://"], 2, "write it like tcp://127.0.0.1:7460"),
    ):
        p = watch(bin, *args)
        said = p.communicate(timeout=10)
        assert p.returncode == code and says in said[1] and said[0] == "", (args, said)
    done = subprocess.run([bin("platectl"), "status", "--endpoint", "tcp://a:1", "--endpoint", "tcp://a:2"], capture_output=True, text=True, timeout=10)
    assert done.returncode == 2 and "one station at a time" in done.stderr
