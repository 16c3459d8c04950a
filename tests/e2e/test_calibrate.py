"""platectl calibrate, as somebody at a terminal has it: with slips, a wrong weight, and a friend who leans on the plate."""
import os, pathlib, pty, random, select, struct, subprocess, sys, threading, time, tty

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts/lib"))
import replug

HALF_X, HALF_Y = 150, 200  # mm


class Plate:
    """Four cells at the corners, and somebody who puts weights on it. It samples four times as fast as it says: the test is as much shorter."""
    plate = ("rate_Hz: 250, width_mm: 300, length_mm: 400, count_scale: 0.01, "
             "cells: [{name: front_left}, {name: front_right}, {name: back_left}, {name: back_right}]")

    def __init__(self, link):
        self.name, self.link, self.running = "plate", link, True
        self.weight, self.leans, self.dice = (0, 0, 0), False, random.Random(1)
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.symlink(os.ttyname(self.slave), link)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def put(self, kg, x=0, y=0):
        self.weight = kg, x, y

    def counts(self):
        kg, x, y = self.weight
        right, front = 0.5 + x / HALF_X / 2, 0.5 + y / HALF_Y / 2
        force = kg * 9.80665 + (40 * self.dice.random() if self.leans else 0)
        parts = (front * (1 - right), front * right, (1 - front) * (1 - right), (1 - front) * right)
        return [round(100 * 1.1 * (force * part + self.dice.gauss(0, 0.2))) for part in parts]

    def run(self):
        begin, sent = time.monotonic(), 0
        while self.running:
            time.sleep(0.01)
            while sent < (time.monotonic() - begin) * 1000:
                os.write(self.master, replug.frame(sent, sent * 4000, self.counts()))
                sent += 1

    def stop(self):
        self.running = False
        self.thread.join()


class Person:
    """Reads what platectl says on a terminal, and types."""

    def __init__(self, *command):
        self.terminal, slave = pty.openpty()
        self.text = ""
        self.program = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, close_fds=True)
        os.close(slave)

    def hears(self, what, timeout_s=30):
        end = time.monotonic() + timeout_s
        while what not in self.text:
            assert time.monotonic() < end, f"{what!r} was never said:\n{self.text}"
            if select.select([self.terminal], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.terminal, 4096).decode().replace("\r\n", "\n")
                except OSError:  # it has gone
                    assert what in self.text, f"{what!r} was never said:\n{self.text}"
        said, self.text = self.text.split(what, 1)
        return said

    def types(self, line):
        os.write(self.terminal, line.encode() + b"\n")

    def ends(self):
        code = self.program.wait(30)
        os.close(self.terminal)
        return code


@pytest.fixture(scope="module")
def bench(tmp_path_factory, bin):
    folder = tmp_path_factory.mktemp("calibrate")
    plate = Plate(str(folder / "plate"))
    daemon = replug.Daemon(str(folder), bin("plated"), [plate], dict(os.environ))
    try:
        while daemon.samples()["plate"] < 500:
            time.sleep(0.02)
        yield plate, lambda out: Person(bin("platectl"), "--endpoint", f"ipc://{folder}/control", "calibrate", "--output", str(out))
    finally:
        plate.stop()
        code = daemon.stop()
        daemon.kill()
        assert code == 0, open(f"{folder}/log").read()


def test_a_person_with_slips(bench, tmp_path):
    plate, sit_down = bench
    out = tmp_path / "calibration.yaml"
    person = sit_down(out)

    def load(kg, x, y, really=None):
        person.hears("an empty line ends: ")
        person.types(f"{kg} {x},{y}")
        person.hears(f"put {kg} kg on the plate at ({x}, {y}) mm, then press Enter ")
        plate.put(really or kg, x, y)
        person.types("")

    person.hears("empty the plate, then press Enter ")
    person.types("")
    for slip in ("heavy", "20,5", "20 100", "-3", "nan", "20 nan,3", "drop", "1e999", "20 1,2 3", "x" * 300):
        person.hears("an empty line ends: ")
        person.types(slip)
        person.hears("that is no load")
    load(20, -100, 150)
    person.hears("  read: ")
    load(20, 100, 150, really=10)
    person.hears("by the loads before it weighs 10.0 kg, not 20: another weight? then write drop")
    person.hears("an empty line ends: ")
    person.types("drop")
    person.hears("forgotten: the 20 kg")
    load(20, 100, 150)
    assert "another weight" not in person.hears("  read: ")
    plate.leans = True
    load(20, -100, -150)
    person.hears("waiting: it does not stand still")
    plate.leans = False
    person.hears("  read: ")
    load(20, 100, -150)
    person.hears("  read: ")
    person.hears("an empty line ends: ")
    person.types("")
    person.hears("empty the plate again, then press Enter ")
    person.types("")
    person.hears("waiting: something is still on it")  # forgotten
    plate.put(0)
    account = person.hears(str(out))
    assert person.ends() == 0
    assert "force: worst error 0.0" in account and "sensitivity: 0.909" in account, account
    assert "Mx:" in out.read_text()


@pytest.mark.parametrize("typed,said", [("\x04", "the input has ended: nothing was written"), ("\n\n", "no load, no calibration: nothing was written"),
                                        ("\n20\n\x04", "the input has ended: nothing was written")])
def test_a_person_who_leaves(bench, tmp_path, typed, said):
    plate, sit_down = bench
    plate.put(0)
    person = sit_down(tmp_path / "nothing.yaml")
    person.hears("empty the plate, then press Enter ")
    os.write(person.terminal, typed.encode())
    person.hears(said)
    assert person.ends() == 1
    assert not (tmp_path / "nothing.yaml").exists()
