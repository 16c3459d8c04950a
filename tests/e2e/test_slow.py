"""The short form of scripts/bench-slow: ten of forty subscribers stop reading for some seconds, with a low high water."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "lib"))
import bench_slow  # noqa: E402


def test_a_stalled_subscriber_loses_its_own_and_nobody_elses(tmp_path):
    a = bench_slow.parse(["--bin", os.environ["PLATE_BIN"], "--subscribers", "40", "--stalled", "10", "--seconds", "3", "--high-water", "120", "--speed", "10"])
    figures = bench_slow.trial(tmp_path, a.bin, a)
    print(figures)
    assert bench_slow.verdict(figures) is None
