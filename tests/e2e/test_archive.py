"""The archive under a real daemon: parts, followers, a disk that says no. docs/archive.md"""
import json, os, pathlib, subprocess, sys, time

import h5py
import numpy as np
import pytest

from station import Station, bodies, offline

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "lib"))


def trace(bin, *args, status=0):
    done = subprocess.run([bin("plate-trace"), *map(str, args)], capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


def test_parts_are_one_trace(tmp_path, bin):
    args = ["--sets", "left,right", "--reps", "3", "--seed", "11", "--speed", "4", "--truth", tmp_path / "truth.csv"]
    with Station(tmp_path, bin, args, exercise="single_leg_hip_thrust", config="part_MB: 0.2") as s:
        s.side("left")
        s.play(timeout=120, truth=tmp_path / "truth.csv", sets=[("left", 3), ("right", 3)])
        archive = s.stop()
    parts = sorted(tmp_path.glob("traces/*.h5"), key=lambda p: (len(p.name), p.name))
    assert len(parts) > 3 and parts[0] == pathlib.Path(archive) and parts[1].name == parts[0].stem + ".part2.h5"
    assert len(s.bodies("rep/")) == 6
    for topic in ("rep", "set", "asymmetry", "phase"):
        assert bodies(offline(bin, "--all", archive), topic) == s.bodies(f"{topic}/"), topic
    assert trace(bin, "reps", "--json", parts[2]) == trace(bin, "reps", "--json", archive)  # any part names the whole
    info = json.loads(trace(bin, "info", "--json", archive))
    assert info["parts"] == len(parts) and info["reps"] == 6
    assert " + 0 lost" in trace(bin, "verify", archive)
    rows = trace(bin, "export", archive, "--format", "csv", "--counts", "-o", "-").splitlines()
    first = 0
    for path in parts:  # each part by itself says which samples it has, in what unit, and when
        with h5py.File(path) as f:
            plate = f["plates/plate"]
            assert int(plate.attrs["first_sample"]) == first and int(f.attrs["part"]) == parts.index(path) + 1
            assert int(f.attrs["continued"]) == (path != parts[-1]) and int(f.attrs["ended"]) == (path == parts[-1])
            assert int(plate["clock"][0]["sample"]) <= first and len(f["calibrations"]) == 1
            first += len(plate["counts"])
    assert len(rows) == first + 1
    parts[1].rename(tmp_path / "elsewhere.h5")
    assert parts[1].name in trace(bin, "info", archive, status=1)
