"""Two plates unplugged and re-plugged at random while the real daemon records: what it archived, held against what was sent.

`mains`: a board that counts on while its cable is out, so its gaps are counted. `powered`: the port powers it, so it starts from 0, and
its gaps are measured in time. Both sample every 10 ms sharp, however late a busy machine sends it: the number of a sample is the truth. Each comes back as another pty, under the same symlink, as a USB port comes back under another name."""
import argparse
import fcntl
import glob
import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import tty
import zlib

import h5py
import numpy
import zmq

RATE_HZ = 100
IN_FLIGHT_S = 0.25


def frame(seq, device_us, counts):
    """A data packet of include/plate/wire.h: COBS(body, CRC-32), 0."""
    body = struct.pack("<BBBBII", 2, len(counts), 1, 0, seq & 0xFFFFFFFF, device_us & 0xFFFFFFFF)
    body += struct.pack(f"<{len(counts)}i", *counts)
    body += struct.pack("<I", zlib.crc32(body))
    return b"".join(bytes([len(run) + 1]) + run for run in body.split(b"\0")) + b"\0"


class Board:
    """Sends a sample every 10 ms while it is plugged in: counts are the number of the 10 ms, and when it was written in 0.1 ms."""

    plate = f"rate_Hz: {RATE_HZ}, cells: [{{name: number}}, {{name: time}}]"

    def __init__(self, name, link, begin, counts_on):
        self.name, self.link, self.begin, self.counts_on = name, link, begin, counts_on
        self.lock, self.master, self.slave, self.sent, self.lives = threading.Lock(), -1, -1, [], []
        self.running = True
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def plug(self):
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        os.symlink(os.ttyname(slave), self.link + ".new")
        with self.lock:
            self.master, self.slave, self.first = master, slave, None
            os.rename(self.link + ".new", self.link)

    def unread(self):
        return struct.unpack("i", fcntl.ioctl(self.slave, termios.FIONREAD, b"\0" * 4))[0]

    def unplug(self, in_a_frame=False, taken=None):
        """taken(): how many samples the daemon has of this board: then the plug is pulled when it has all of them. Else what was on its
        way goes with the cable: samples of the last IN_FLIGHT_S, which the kernel may not have handed over."""
        with self.lock:
            end, before = time.monotonic() + 20, -1
            while taken and time.monotonic() < end:
                now = taken()
                if now == before and not self.unread():
                    break
                before = now
                time.sleep(0.1)
            if in_a_frame:
                os.write(self.master, frame(0, 0, [1, 2])[:9])
            self.lives.append((len(self.sent), None if taken else (time.monotonic() - self.begin - IN_FLIGHT_S) * 1e4))
            os.unlink(self.link)
            os.close(self.master)
            os.close(self.slave)
            self.master = self.slave = -1

    def run(self):
        number = 0
        while self.running:
            wait = self.begin + number / RATE_HZ - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            with self.lock:
                if self.master >= 0:
                    if self.first is None:
                        self.first = 0 if self.counts_on else number
                    counts = [number, round((time.monotonic() - self.begin) * 1e4)]
                    seq = number - self.first
                    try:
                        os.write(self.master, frame(seq, round(seq * 1e6 / RATE_HZ), counts))
                        self.sent.append(counts)
                    except BlockingIOError:
                        pass
            number += 1

    def stop(self):
        self.running = False
        self.thread.join()
        if self.master >= 0:
            self.unplug()


class Daemon:
    def __init__(self, folder, plated, boards, env):
        self.folder = folder
        plates = "".join(f"  - {{name: {b.name}, port: {b.link}, {b.plate}}}\n" for b in boards)
        config = f"{folder}/plated.yaml"
        with open(config, "w") as f:
            f.write(f"archive_dir: {folder}/traces\nring_dir: {folder}\nstation: replug\nexercise: generic\n"
                    f"stream: {{data: 'ipc://{folder}/data', control: 'ipc://{folder}/control'}}\nplates:\n{plates}")
        self.log = open(f"{folder}/log", "w")
        self.process = subprocess.Popen([plated, "-c", config, "--ready"], stdout=subprocess.PIPE, stderr=self.log, text=True, env=env)
        assert self.process.stdout.readline() == "READY\n", open(f"{folder}/log").read()
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.REQ)
        self.socket.setsockopt(zmq.RCVTIMEO, 10000)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(f"ipc://{folder}/control")

    def samples(self):
        self.socket.send_string(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "status"}))
        return {p["name"]: p["samples"] for p in self.socket.recv_json()["result"]["plates"]}

    def cpu_s(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def held(self):
        """Open files, threads, resident kB."""
        status = dict(line.split(":", 1) for line in open(f"/proc/{self.process.pid}/status"))
        return len(os.listdir(f"/proc/{self.process.pid}/fd")), int(status["Threads"]), int(status["VmRSS"].split()[0])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.context.destroy(linger=0)
        return code

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def check_plate(board, plate, taken):
    """The archive of one plate against what its board sent: what was lost, and how far the gaps are off, in samples."""
    rows, gaps = plate["counts"][:], plate["gaps"][:]
    assert len(rows) == taken, f"{board.name}: the daemon took {taken} samples and archived {len(rows)}"
    sent = numpy.array(board.sent)
    place = numpy.searchsorted(sent[:, 0], rows[:, 0])
    assert (sent[place] == rows).all(), f"{board.name}: a sample in the archive was never sent"
    assert (numpy.diff(place) > 0).all(), f"{board.name}: out of order"
    lost = set(range(len(sent))) - set(place.tolist())
    may_lose = set()  # what was not read when the cable came out
    for end, since in board.lives:
        may_lose |= {k for k in range(max(0, end - 100), end) if since is not None and sent[k, 1] >= since}
    assert not lost - may_lose, f"{board.name}: samples {sorted(lost - may_lose)[:9]} were there to be read and are not in the archive"
    breaks = {int(g["row"]): g for g in gaps}
    off = []
    for row in range(1, len(rows)):
        step, gap = int(rows[row, 0] - rows[row - 1, 0]), breaks.pop(row, None)
        if gap is None:
            # a board that started anew within a period or two leaves no hole that time could show
            assert step == 1 or (not board.counts_on and step <= 3), f"{board.name}: row {row}: {step - 1} samples are missing without a gap"
            continue
        assert gap["reason"] == b"unplug", gap
        assert bool(gap["estimated"]) != board.counts_on, gap
        off.append(abs(int(gap["count"]) - (step - 1)))
    assert not breaks, f"{board.name}: gaps where nothing is missing: {breaks}"
    return len(rows), len(lost), len(gaps), off


def run(folder, plated, trials, seed, env=None, say=print):
    """Does it all; returns the figures. Fails by AssertionError."""
    dice, begin = random.Random(seed), time.monotonic()
    boards = [Board("mains", f"{folder}/mains", begin, True), Board("powered", f"{folder}/powered", begin, False)]
    daemon = None
    try:
        for b in boards:
            b.plug()
        daemon = Daemon(folder, plated, boards, env)
        back_s, held = [], None
        for trial in range(trials):
            time.sleep(dice.uniform(0.02, 0.6))
            out = [b for b in boards if b.master >= 0 and dice.random() < 0.7] or [dice.choice(boards)]
            for b in out:
                b.unplug(dice.random() < 0.3, (lambda b=b: daemon.samples()[b.name]) if dice.random() < 0.5 else None)
            time.sleep(dice.choice([0, 0.01, 0.1, dice.uniform(0.1, 1.2)]))
            before = daemon.samples()
            for b in out:
                b.plug()
            plugged = time.monotonic()
            while True:
                now = daemon.samples()
                if all(now[b.name] > before[b.name] for b in out):
                    break
                assert time.monotonic() < plugged + 15, "a plate did not come back\n" + open(f"{folder}/log").read()[-2000:]
                time.sleep(0.01)
            back_s.append(time.monotonic() - plugged)
            if trial == min(9, trials // 2):
                held = daemon.held()
        for b in boards:
            b.unplug(taken=lambda b=b: daemon.samples()[b.name])
        time.sleep(1)
        taken = daemon.samples()
        cpu = daemon.cpu_s()
        time.sleep(2)
        idle = (daemon.cpu_s() - cpu) / 2
        grown = [now - then for now, then in zip(daemon.held(), held)]
        for b in boards:
            b.stop()
        assert daemon.stop() == 0, open(f"{folder}/log").read()[-3000:]
    finally:
        for b in boards:
            b.running = False
        if daemon:
            daemon.kill()
    archive, = glob.glob(f"{folder}/traces/*.h5")
    figures = {"trials": trials, "seed": seed, "back_s_max": round(max(back_s), 3), "idle_cpu_pct": round(100 * idle, 1),
               "files_grown": grown[0], "threads_grown": grown[1], "rss_grown_kB": grown[2], "archive": archive}
    with h5py.File(archive) as h5:
        for b in boards:
            rows, lost, gaps, off = check_plate(b, h5[f"plates/{b.name}"], taken[b.name])
            figures[b.name] = {"sent": len(b.sent), "archived": rows, "lost_unread": lost, "gaps": gaps, "gap_off_max": max(off, default=0)}
    return figures


def main():
    p = argparse.ArgumentParser(prog="scripts/replug-test")
    p.add_argument("--bin", required=True)
    p.add_argument("--trials", type=int, default=100)
    p.add_argument("--seed", type=int, default=None)
    a = p.parse_args()
    seed = a.seed if a.seed is not None else random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        try:
            figures = run(folder, f"{a.bin}/plated", a.trials, seed)
        except AssertionError as e:
            print(f"replug-test: {e}", file=sys.stderr)
            return 1
        verified = subprocess.run([f"{a.bin}/plate-trace", "verify", figures.pop("archive")], capture_output=True, text=True)
    print(json.dumps(figures, indent=1))
    print(verified.stdout + verified.stderr, end="")
    slow, off = figures["back_s_max"] > 1, figures["powered"]["gap_off_max"] > 1
    if slow:
        print("replug-test: a plate took more than a second to come back", file=sys.stderr)
    if off:
        print("replug-test: a gap is off by more than a frame", file=sys.stderr)
    return 1 if slow or off or verified.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
