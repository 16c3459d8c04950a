"""What the crash tests work with: a signal whose every count is known, a daemon that can be killed, and the judge of what is left."""
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import h5py
import numpy as np
import zmq

SHAPES = {"1 kHz x 4": (1000, 4), "4 kHz x 8": (4000, 8)}
COUNT_N = 0.01


class Wrong(AssertionError):
    """What is left is not what was sent."""


def program(name):
    return str(pathlib.Path(os.environ["PLATE_BIN"]) / name)


def signal_counts(rate_Hz, cells, seconds, plate=0):
    """A push of 300 N every two seconds and a noise that tells one row from any other near it."""
    rows = np.arange(int(rate_Hz * seconds))
    push = 30000 / cells * np.clip(np.sin(np.pi * rows / rate_Hz), 0, None)
    noise = (rows[:, None] * 7919 + np.arange(cells) * 104729 + plate * 15485863) % 61 - 30
    return (np.rint(push)[:, None] + noise).astype(np.int32)


def write_signal(path, rate_Hz, counts):
    """counts: one array a plate."""
    names = [""] if len(counts) == 1 else ["left.", "right."]
    head = ["t_s"] + [f"{n}c{i}_counts" for n, c in zip(names, counts) for i in range(c.shape[1])]
    table = np.column_stack(counts)
    with open(path, "w") as f:
        f.write(",".join(head) + "\n")
        f.writelines(f"{r / rate_Hz:.6f}," + ",".join(map(str, row)) + "\n" for r, row in enumerate(table.tolist()))


class Signals:
    """Of each shape, made when it is first wanted: its counts, and the file that plate-sim plays."""

    def __init__(self, folder, seconds):
        self.folder, self.seconds, self.made = folder, seconds, {}

    def __getitem__(self, shape):
        if shape not in self.made:
            rate_Hz, cells = SHAPES[shape]
            path, counts = self.folder / f"signal{len(self.made)}.csv", signal_counts(rate_Hz, cells, self.seconds)
            write_signal(path, rate_Hz, [counts])
            self.made[shape] = counts, path
        return self.made[shape]


def trace_files(folder, suffix=".h5"):
    """Recordings of a folder: name -> its parts in order."""
    found = {}
    for path in pathlib.Path(folder).glob("*" + suffix):
        m = re.fullmatch(r"(.*?)(?:\.part(\d+))?", path.name.removesuffix(suffix))
        found.setdefault(m[1], []).append((int(m[2] or 1), path))
    return {name: [p for _, p in sorted(parts)] for name, parts in found.items()}


def read_counts(parts, plate):
    """The counts of a plate, part after part: h5py and numpy alone. A hole is Wrong."""
    pieces, expected = [], 0
    for path in parts:
        with h5py.File(path, "r") as f:
            group = f["plates"][plate]
            first = int(group.attrs.get("first_sample", 0))
            if first != expected:
                raise Wrong(f"{path.name}: starts at sample {first}, and {expected} were before it")
            if len(group["gaps"]):
                raise Wrong(f"{path.name}: {plate} has gaps: {group['gaps'][:].tolist()}")
            pieces.append(group["counts"][:])
            expected = first + int(group.attrs["span"])
    return np.concatenate(pieces) if pieces else np.zeros((0, 1), np.int32)


def run_trace(*args, timeout=60):
    return subprocess.run([program("plate-trace"), *map(str, args)], capture_output=True, text=True, timeout=timeout)


class Station:
    """plated on a simulated plate in `folder`, which stays; a subscriber that notes how far it was told."""

    def __init__(self, folder, signal_path, rate_Hz, cells, plates=("plate",), config="", speed=1, env=None, archive=None):
        self.folder, self.rate_Hz, self.cells, self.plates = pathlib.Path(folder), rate_Hz, cells, plates
        self.archive = pathlib.Path(archive or self.folder / "traces")
        self.ring = self.folder / "ring"
        self.ring.mkdir(exist_ok=True)
        self.env, self.heard, self.told = dict(os.environ, **(env or {})), {p: 0 for p in plates}, []
        self.data, self.control = (f"ipc://{self.folder}/{n}" for n in ("data", "control"))
        self.config = self.folder / "plated.yaml"
        self.config.write_text("\n".join([
            "station: crash", f"archive_dir: {self.archive}", f"ring_dir: {self.ring}", "exercise: generic", config, "stream:",
            f"  data: {self.data}", f"  control: {self.control}", "  publish_interval_ms: 0", "plates:"] + [
                f"  - {{name: {p}, port: {self.folder}/port{'' if len(plates) == 1 else '-' + p}, rate_Hz: {rate_Hz}, count_scale: {COUNT_N}, "
                f"side: {p if len(plates) > 1 else 'none'}, cells: [{', '.join(f'{{name: c{i}}}' for i in range(cells))}]}}" for p in plates]) + "\n")
        self.sim_args = [program("plate-sim"), "--link", f"{self.folder}/port", "--playback", str(signal_path), "--speed", str(speed), "--linger", "30"]
        self.daemon = self.sim = None
        self.running = self.over = False

    def __enter__(self):
        self.context = zmq.Context()
        self.sub = self.context.socket(zmq.SUB)
        self.sub.setsockopt(zmq.RCVHWM, 0)
        self.sub.connect(self.data)
        self.sub.subscribe("")
        self.running = True
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()
        try:
            self.start_daemon()
            self.sim = subprocess.Popen(self.sim_args, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def start_daemon(self):
        with open(self.folder / "plated.log", "a") as log:
            self.daemon = subprocess.Popen([program("plated"), "-c", self.config, "--ready"], stdout=subprocess.PIPE, stderr=log, text=True, env=self.env)
        if self.daemon.stdout.readline() != "READY\n":
            raise Wrong("plated does not start: " + self.log())

    def log(self):
        return (self.folder / "plated.log").read_text()

    def listen(self):
        while self.running:
            if not self.sub.poll(50):
                continue
            topic, header, *_ = self.sub.recv_multipart()
            now, h = time.monotonic(), json.loads(header)
            if topic == b"session/" and not h.get("cached"):
                self.over = h["state"] != "started"  # what is shown now is not recorded, and counts from 0 again
            if topic.startswith(b"force/") and not self.over:
                self.heard[h["plate"]] = max(self.heard[h["plate"]], h["sample"] + h["shape"][0])
            if not topic.startswith(b"force/") and not h.get("cached"):
                self.told.append((now, topic.decode(), h))

    def wait(self, what, seconds=20):
        end = time.monotonic() + seconds
        while not what():
            if time.monotonic() > end:
                raise Wrong("waited in vain: " + self.log())
            time.sleep(0.005)

    def call(self, method, **params):
        """Sends a request and does not wait for what comes of it."""
        with self.context.socket(zmq.DEALER) as s:
            s.connect(self.control)
            s.send_json({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
            return s.recv_json() if s.poll(5000) else None

    def status(self):
        return self.call("status")["result"]

    def kill(self):
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()
        time.sleep(0.05)  # what is on its way to the subscriber comes in
        while self.sub.poll(20) and self.running:
            pass

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        return self.daemon.wait(120)

    def __exit__(self, *_):
        for p in (self.sim, self.daemon):
            if p and p.poll() is None:
                p.kill()
                p.wait()
        self.running = False
        self.thread.join()
        self.context.destroy(linger=0)
