"""A station for tests: plate-sim on ptys, the real daemon on free loopback ports, a subscriber that keeps everything."""
import csv, json, os, signal, subprocess, threading, time

import zmq
import zmq.auth

import contract


def body(header):
    """A message's body: its JSON text after the envelope, byte for byte."""
    end = header.index('"t_utc_ns":')
    rest = header[header.index(",", end) + 1:]
    return "{" + rest.removeprefix('"cached":true,')


def offline(bin, *args):
    done = subprocess.run([bin("plate-trace"), "reps", *(["--json"] if args[0] == "reps" else [args[0]]), str(args[-1])], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def bodies(lines, topic):
    return [line.split(" ", 1)[1] for line in lines if line.split(" ", 1)[0].split("/")[0] == topic]


class Station:
    def __init__(self, folder, bin, sim_args, exercise="generic", interval_ms=20, config="", serial=False, ready=True, env=None, calibration=None, endpoints=None, keys=None):
        self.folder, self.bin, self.sim_args, self.serial = folder, bin, [str(a) for a in sim_args], serial
        self.calibration, self.keys = calibration, keys  # keys: folder with tablet.key_secret and station.key
        self.bound = endpoints or [f"ipc://{folder}/{n}" for n in ("data", "control")]
        self.data, self.control = (e.replace("*", "127.0.0.1") for e in self.bound)
        self.exercise, self.interval_ms, self.extra, self.ready = exercise, interval_ms, config, ready
        self.env, self.sim, self.daemon = env or {}, None, None
        self.messages, self.received, self.lock = [], [], threading.Lock()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__(True)
            raise
        return self

    def start(self):
        (self.folder / "ring").mkdir(exist_ok=True)
        self.config = self.folder / "plated.yaml"
        self.config.write_text(f"""station: test
archive_dir: {self.folder}/traces
ring_dir: {self.folder}/ring
autostart: true
exercise: {self.exercise}
stream:
  data: {self.bound[0]}
  control: {self.bound[1]}
  publish_interval_ms: {self.interval_ms}
{self.extra}
{self.plates_text()}""")
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.SUB)
        self.socket.setsockopt(zmq.RCVHWM, 0)
        self.socket.setsockopt(zmq.RECONNECT_IVL, 10)
        if self.keys:
            self.socket.curve_publickey, self.socket.curve_secretkey = zmq.auth.load_certificate(self.keys / "tablet.key_secret")
            self.socket.curve_serverkey = zmq.auth.load_certificate(self.keys / "station.key")[0]
        self.socket.connect(self.data)
        self.socket.subscribe("")
        self.running = True
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()
        self.start_daemon()
        self.wait_for(lambda: self.messages, 20)  # subscribed: from the board's first sample on, everything is heard
        self.start_sim()

    def sim_command(self, *more):
        return [self.bin("plate-sim"), "--link", str(self.folder / "port"), *self.sim_args, *more]

    def plates_text(self):
        """The `plates:` of plated.yaml."""
        said = subprocess.run(self.sim_command("--print-config"), capture_output=True, text=True)
        assert said.returncode == 0, said.stderr
        if not self.calibration:
            return said.stdout
        return said.stdout.replace("    cells:", f"    calibration: {self.calibration}\n    cells:").replace("    count_scale", "    # count_scale")

    def start_sim(self):
        self.sim = subprocess.Popen(self.sim_command(), stdout=subprocess.PIPE, text=True)

    def start_daemon(self):
        env = dict(os.environ, **self.env)
        if self.serial:
            env.update(LD_PRELOAD=os.environ["PLATE_PRELOAD"], PTYSHIM_AS_SERIAL="1")
        self.log = open(self.folder / "plated.log", "a")
        self.daemon = subprocess.Popen([self.bin("plated"), "-c", self.config, "--ready"], stdout=subprocess.PIPE, stderr=self.log, text=True, env=env)
        assert self.daemon.stdout.readline() == "READY\n", self.errors()

    def errors(self):
        return (self.folder / "plated.log").read_text()

    def listen(self):
        poller = zmq.Poller()
        poller.register(self.socket, zmq.POLLIN)
        while self.running:
            if poller.poll(50):
                frames = self.socket.recv_multipart()
                with self.lock:
                    self.received.append(frames)
                    self.messages.append((frames[0].decode(), frames[1].decode()))
                    self.last = time.monotonic()

    def wait_for(self, what, timeout):
        end = time.monotonic() + timeout
        while not what():
            assert time.monotonic() < end, "waited in vain\n" + self.errors()
            time.sleep(0.02)

    def drain(self, seconds):
        time.sleep(seconds)

    def bodies(self, topic):
        with self.lock:
            return [body(h) for t, h in self.messages if t.startswith(topic) and '"cached":true' not in h]

    def ctl(self, *args):
        keys = ["--key", self.keys / "tablet.key_secret", "--server-key", self.keys / "station.key"] if self.keys else []
        done = subprocess.run([self.bin("platectl"), "--timeout", "20", "--endpoint", self.control, *keys, *args], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr + self.errors()
        return done.stdout

    def side(self, side):
        self.ctl("side", side)

    def now_s(self):
        with self.lock:
            times = [json.loads(h)["t_s"] for t, h in self.messages[-50:] if t.startswith("force/")]
        return max(times, default=0)

    def play(self, timeout, truth=None, sets=()):
        """Until the simulator has sent everything. sets: (side, reps) in turn; the operator says the side between them, told by
        the simulator's truth, which grows a line when a rep ends."""
        rows = 0
        for (_, reps), (side, _) in zip(sets, sets[1:]):
            rows += reps
            self.wait_for(lambda: truth.exists() and len(truth.read_text().splitlines()) > rows, timeout)
            end_s = float(list(csv.DictReader(truth.open()))[rows - 1]["end_s"])
            self.wait_for(lambda: self.now_s() > end_s + 0.5, timeout)
            self.side(side)
        assert self.sim.wait(timeout) == 0
        self.drain(0.3)

    def stop(self):
        """Stops the daemon; the path of the sealed archive, which it said."""
        self.daemon.send_signal(signal.SIGTERM)
        assert self.daemon.wait(60) == 0, self.errors()
        self.wait_for(lambda: any(json.loads(b)["state"] == "sealed" for b in self.bodies("session/")), 5)
        return [json.loads(b) for b in self.bodies("session/") if json.loads(b)["state"] == "sealed"][-1]["archive"]

    def __exit__(self, failure=None, *_):
        self.running = False
        for p in (self.sim, self.daemon):
            if p and p.poll() is None:
                p.kill()
                p.wait()
        if hasattr(self, "thread"):
            self.thread.join()
            self.context.destroy(linger=0)
        if not failure:
            contract.check_all(self.received)
