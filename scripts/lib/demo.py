"""The run of scripts/demo, after the build: starts a platform and plated, watches, says who works, stops, checks."""
import argparse
import csv
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
BIN = PROJECT / "build/release/bin"
RECORDINGS = PROJECT.parent / "shared/data"
REPS, REST_S, REP_S = 5, 5.0, 5.2  # of a set; between sets; a rep's usual length
LEGS_IN_TURN = ("single_leg_hip_thrust", "isometric")  # on one plate: a set with the left, a set with the right
CLOSING_S = 6.0  # what stopping, sealing and checking may take
ONSET_LIMIT_S, END_LIMIT_S = 0.25, 0.5  # a rep further off than this is another one
LATE_S = 2.0  # where a run is cut short, what ended so late may not have been known yet


class Failed(Exception):
    pass


class Interrupted(Exception):
    pass


def options():
    ap = argparse.ArgumentParser(prog="scripts/demo", add_help=False, allow_abbrev=False)
    ap.add_argument("--simulate", action="store_true")
    ap.add_argument("--recording", type=Path)
    ap.add_argument("--exercise")
    ap.add_argument("--weaker", default="left:25")
    ap.add_argument("--seed", default="1")
    ap.add_argument("--seconds", type=float, default=0)
    ap.add_argument("--speed", type=float, default=1)
    ap.add_argument("--lines", action="store_true")
    ap.add_argument("--out", type=Path, default=PROJECT / "traces")
    ap.add_argument("--dir", type=Path)
    ap.add_argument("--keep", action="store_true")
    a = ap.parse_args()
    if a.simulate and a.recording:
        ap.error("--simulate and --recording exclude each other: choose one")
    if a.speed <= 0 or a.seconds < 0:
        ap.error("--speed and --seconds must be positive")
    if a.seconds and a.seconds < CLOSING_S + 4:
        ap.error(f"--seconds: give at least {CLOSING_S + 4:g}")
    if not a.simulate and not a.recording and (RECORDINGS / "wheel_push_240hz.csv").is_file():
        a.recording = RECORDINGS / "wheel_push_240hz.csv"
    if a.recording and not a.recording.is_file():
        ap.error(f"--recording: {a.recording}: no such file")
    return a


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: nothing outlives the demo, however it ends


class Run:
    """One private station: folder, endpoints, processes. close() leaves nothing behind."""

    def __init__(self, a):
        self.a = a
        self.began = time.monotonic()
        self.folder = a.dir or Path(tempfile.mkdtemp(prefix="plated-demo."))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ring_dir = Path(tempfile.mkdtemp(prefix="plated-demo.", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
        data, control = free_ports(2)
        self.data, self.control = f"tcp://127.0.0.1:{data}", f"tcp://127.0.0.1:{control}"
        self.truth = self.folder / "truth.csv"
        self.processes = {}

    def left_s(self):
        return self.began + self.a.seconds - CLOSING_S - time.monotonic() if self.a.seconds else float("inf")

    def start(self, name, argv, foreground=False, **kw):
        """A background process is out of Ctrl-C's reach: the demo ends it in good order."""
        if not foreground:
            kw.setdefault("stderr", open(self.folder / f"{name}.log", "w"))
            kw.update(start_new_session=True, stdin=subprocess.DEVNULL)
        self.processes[name] = subprocess.Popen([str(x) for x in argv], preexec_fn=end_with_parent, **kw)
        return self.processes[name]

    def said(self, name):
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace").strip()[-2000:] if path.exists() else ""

    def ready(self, name):
        """The lines up to READY."""
        lines = []
        for line in self.processes[name].stdout:
            if line.strip() == "READY":
                return lines
            lines.append(line.strip())
        raise Failed(f"{name} did not start: {self.said(name)}")

    def ctl(self, *words):
        r = subprocess.run([BIN / "platectl", words[0], "--endpoint", self.control, "--timeout", "10", *words[1:]],
                           capture_output=True, text=True, timeout=60)
        if r.returncode:
            raise Failed(r.stderr.strip() or f"platectl {words[0]} failed")
        return r.stdout

    def status(self):
        return json.loads(self.ctl("status", "--json"))

    def end(self, name, seconds):
        p = self.processes.get(name)
        if p is None:
            return 0
        if p.poll() is None:
            p.terminate()
            try:
                p.wait(seconds)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        return p.returncode

    def close(self):
        for name in ("watch", "plate-sim", "plated"):
            self.end(name, 20 if name == "plated" else 3)
        shutil.rmtree(self.ring_dir, ignore_errors=True)
        if self.a.dir or self.a.keep:
            print(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def platform_options(run):
    """What plate-sim is asked for: the same for its configuration and for the run."""
    a, link = run.a, ["--link", run.folder / "port"]
    if a.recording:
        return link + ["--playback", a.recording.resolve()]
    reps = REPS
    if a.seconds:
        reps = max(1, min(REPS, int(((a.seconds - CLOSING_S) * a.speed - 2 - REST_S) / (2 * REP_S))))
    return link + ["--exercise", a.exercise, "--reps", reps, "--rest", REST_S, "--weaker", a.weaker, "--seed", a.seed]


def write_config(run, platform):
    a = run.a
    plates = subprocess.run([BIN / "plate-sim", *map(str, platform), "--print-config"], capture_output=True, text=True)
    if plates.returncode:
        raise Failed(plates.stderr.strip())
    two = plates.stdout.count("- name: left") + plates.stdout.count("- name: right") == 2
    side = "none" if two or a.recording else "left" if run.legs_in_turn else "both"
    (run.folder / "archive").mkdir(exist_ok=True)
    path = run.folder / "plated.yaml"
    path.write_text(f"""station: demo-{os.getpid()}
archive_dir: "{run.folder}/archive"
ring_dir: "{run.ring_dir}"
autostart: true
subject: {"recording" if a.recording else "simulated athlete"}
exercise: {a.exercise}
side: {side}
stream:
  data: {run.data}
  control: {run.control}
{plates.stdout}""")
    return path


def rows(path):
    if not path.is_file():
        return None
    with open(path, newline="") as f:
        return list(csv.DictReader(line for line in f if line.endswith("\n")))


def follow(run):
    """Until the signal is over or time is up; says `side right` once the left set is over. True: to its end."""
    sim, side_said = run.processes["plate-sim"], not run.legs_in_turn
    while sim.poll() is None and run.left_s() > 0:
        if run.processes["plated"].poll() is not None:
            raise Failed(f"plated ended by itself: {run.said('plated')}")
        if not side_said and len([r for r in rows(run.truth) or [] if r["set"] == "1"]) >= run.reps:
            time.sleep(0.3 * REST_S / run.a.speed)
            run.ctl("side", "right")
            side_said = True
        time.sleep(0.02)
    whole = sim.poll() == 0
    if run.end("plate-sim", 3) != 0:
        raise Failed(f"plate-sim: {run.said('plate-sim')}")
    run.signal_s = json.loads(sim.stdout.read().splitlines()[-1])["seconds"]
    return whole


def live(run):
    """Plays everything; returns the sealed archive and whether the signal came to its end."""
    a = run.a
    platform = platform_options(run)
    run.reps = 0 if a.recording else platform[platform.index("--reps") + 1]
    run.legs_in_turn = not a.recording and a.exercise in LEGS_IN_TURN
    config = write_config(run, platform)
    run.start("plated", [BIN / "plated", "-c", config, "--ready"], stdout=subprocess.PIPE, text=True)
    run.ready("plated")
    screen = sys.stdout.isatty() and not a.lines
    watch = [BIN / "platectl", "watch", "--data", run.data, "--until-stopped"]
    run.start("watch", watch + ([] if screen else ["--lines"]), foreground=True)
    time.sleep(0.3)  # its subscription is on the way
    truth = [] if a.recording else ["--truth", run.truth]
    run.start("plate-sim", [BIN / "plate-sim", *platform, *truth, "--speed", a.speed], stdout=subprocess.PIPE, text=True)
    run.ready("plate-sim")
    whole = follow(run)
    time.sleep(0.3)
    run.ctl("stop")
    s = run.status()
    run.processes["watch"].wait(5)
    if s["seal_error"] or not s["last_sealed"]:
        raise Failed(f"the archive was not sealed: {s['seal_error'] or run.said('plated')}")
    if run.end("plated", 20) != 0:
        raise Failed(f"plated did not end well: {run.said('plated')}")
    a.out.mkdir(parents=True, exist_ok=True)
    return Path(shutil.move(s["last_sealed"], a.out / Path(s["last_sealed"]).name)), whole


def trace(*words):
    r = subprocess.run([BIN / "plate-trace", *map(str, words)], capture_output=True, text=True)
    if r.returncode:
        raise Failed((r.stdout + r.stderr).strip())
    return r.stdout


def trace_rows(verb, path):
    return [json.loads(line) for line in trace(verb, path, "--json").splitlines() if line.startswith("{")]


def cell(value, decimals):
    return "-" if value is None else f"{value:.{decimals}f}" if decimals is not None else str(value)


def print_reps(reps):
    columns = (("plate", None), ("side", None), ("set", None), ("rep", None), ("onset_s", 2), ("concentric_s", 2), ("hold_s", 2),
               ("eccentric_s", 2), ("peak_force_N", 0), ("hold_force_N", 0), ("rfd_0_100_N_per_s", 0))
    table = [[name for name, _ in columns]] + [[cell(r.get(name), d) for name, d in columns] for r in reps]
    widths = [max(len(row[i]) for row in table) for i in range(len(columns))]
    for row in table:
        print("  " + "  ".join(text.rjust(w) for text, w in zip(row, widths)))


def print_verdict(asymmetry):
    if not asymmetry:
        print("left against right: one side only, so nothing to compare")
        return
    a = next((x for x in reversed(asymmetry) if x["primary"]), asymmetry[-1])
    low, high = a["ci95_pct"]
    number = "not to be said yet" if a["value_pct"] is None else f"{a['value_pct']:+.1f} %"
    interval = "" if low is None else f" (95 % from {low:+.1f} to {high:+.1f})"
    print(f"left against right: {a['verdict'].replace('_', ' ')}; {a['metric']} {number}{interval}, "
          f"left {cell(a['left_mean'], 3)}, right {cell(a['right_mean'], 3)}, {a['n_left']} and {a['n_right']} reps")


def expected(run, whole):
    """What really happened: dicts of onset, end, side, plate; None if nobody says. And until when it can be held to that."""
    a = run.a
    limit = float("inf") if whole else run.signal_s - LATE_S
    if a.recording:
        known = rows(a.recording.with_suffix(".reps.csv"))
        if known is None:
            return None, limit
        return [{"onset_s": float(r["start_s"]), "end_s": float(r["end_s"]), "side": None, "plate": None} for r in known], limit
    return [{"onset_s": float(r["onset_s"]), "end_s": float(r["end_s"]), "side": r["side"], "plate": r["plate"]}
            for r in rows(run.truth)], limit


def same(run, rep, want):
    if want["plate"] and rep["plate"] != want["plate"]:
        return False
    if run.a.recording:  # its marks are soft: the two must lie over one another
        over = min(rep["end_s"], want["end_s"]) - max(rep["onset_s"], want["onset_s"])
        return over > 0.3 * (want["end_s"] - want["onset_s"])
    return abs(rep["onset_s"] - want["onset_s"]) <= ONSET_LIMIT_S and abs(rep["end_s"] - want["end_s"]) <= END_LIMIT_S


def compare(run, reps, whole):
    """Holds the reps against what really happened; True if they are that."""
    want, limit = expected(run, whole)
    if want is None:
        print(f"truth: nobody says what is in {run.a.recording.name}; {len(reps)} reps were found")
        return True
    good = True
    plates = sorted({r["plate"] for r in reps}) if run.a.recording and reps else [None]
    for plate in plates:
        mine = [r for r in reps if plate in (None, r["plate"])]
        due = [w for w in want if w["end_s"] <= limit]
        pairs = [(r, w) for w in due for r in [next((r for r in mine if same(run, r, w)), None)] if r]
        wrong_side = [r for r, w in pairs if w["side"] and r["side"] != w["side"]]
        known = [r for r in mine if any(same(run, r, w) for w in want)]
        extra = [r for r in mine if r not in known and r["end_s"] <= limit]
        fine = len(pairs) == len(due) and not extra and not wrong_side
        good &= fine
        onset = max((abs(r["onset_s"] - w["onset_s"]) for r, w in pairs), default=0)
        end = max((abs(r["end_s"] - w["end_s"]) for r, w in pairs), default=0)
        print(f"truth{' of ' + plate if plate else ''}: {len(due)} reps happened, {len(pairs)} of them were found, {len(extra)} that "
              f"were none{f', {len(wrong_side)} on the wrong side' if wrong_side else ''}; onset off by at most "
              f"{1000 * onset:.0f} ms, end by {1000 * end:.0f} ms: {'right' if fine else 'WRONG'}")
    return good


def report(run, path, whole):
    reps = trace_rows("reps", path)
    print(f"\n{len(reps)} reps in {path.name}" + ("" if whole else " (cut short: time was up)"))
    print_reps(reps)
    sets = {(r["plate"], r["set"]): r["side"] for r in reps}
    for (plate, number), side in sorted(sets.items()):
        of = [r for r in reps if (r["plate"], r["set"]) == (plate, number)]
        peak = sum(r["peak_force_N"] for r in of) / len(of)
        print(f"set {number} on {plate}, {side}: {len(of)} reps, mean peak {peak:.0f} N")
    print_verdict(trace_rows("asymmetry", path))
    print(f"archive: {os.path.relpath(path)}")
    verified = subprocess.run([BIN / "plate-trace", "verify", path], capture_output=True, text=True)
    print(f"verify: {(verified.stdout + verified.stderr).strip()}")
    right = compare(run, reps, whole)
    return 0 if verified.returncode == 0 and right else 1


def main():
    a = options()
    a.exercise = a.exercise or ("single_leg_hip_thrust" if not a.recording else
                                "squat_jump" if "squat_jump" in a.recording.name else "generic")

    def interrupt(*_):
        raise Interrupted

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    run = Run(a)
    try:
        print(f"{'recording ' + a.recording.name if a.recording else f'a simulated athlete (weaker: {a.weaker} %)'}, {a.exercise}; "
              f"stream {run.data}, control {run.control}", flush=True)
        path, whole = live(run)
        return report(run, path, whole)
    except Interrupted:
        run.end("watch", 3)  # gives the terminal back
        print("\nscripts/demo: interrupted", file=sys.stderr)
        return 1
    except (Failed, subprocess.TimeoutExpired, OSError) as e:
        run.end("watch", 3)
        print(f"scripts/demo: {e}", file=sys.stderr)
        return 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        run.close()


sys.exit(main())
