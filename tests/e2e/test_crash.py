"""A few trials of each kind of scripts/crash-test: kills, power cuts, disks in trouble. docs/archive.md, "What was tried"."""
import argparse, pathlib, random, subprocess, sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "lib"))
import crash_disk, crash_power, crash_test  # noqa: E402


@pytest.fixture
def trials():
    """Arguments of scripts/crash-test: a few trials of each kind, with a seed that is printed."""
    def make(n):
        args = argparse.Namespace(trials=n, seed=random.randrange(1 << 30), dir=None, verbose=True)
        print("seed", args.seed)
        return args, random.Random(args.seed)

    return make


def test_kills_lose_nothing_that_anybody_heard(trials):
    args, rng = trials(6)
    assert crash_test.kill_trials(args, rng)["wrong"] == 0


def test_power_cuts_lose_a_second_at_most(trials):
    args, rng = trials(10)
    tally = crash_power.power_trials(args, rng, crash_test.disk_shim(), crash_test.keep, seconds=3, per_run=5)
    assert tally["wrong"] == 0 and tally["old"] > 0


@pytest.mark.parametrize("kind", ["filled", "small", "failing", "forgetting", "vanishing"])
def test_a_troubled_disk_loses_nothing_and_is_told(trials, tmp_path, kind):
    if kind in ("filled", "small"):
        (tmp_path / "probe").mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "none", tmp_path / "probe"], capture_output=True).returncode:
            pytest.skip("NO SMALL DISKS: mount is refused here, be root")
        subprocess.run(["umount", tmp_path / "probe"], check=True)
    args, rng = trials(1)
    assert crash_disk.disk_trials(args, rng, crash_test.disk_shim(), crash_test.keep, kinds=[kind])["wrong"] == 0


def test_a_stalled_disk_holds_up_nobody(trials):
    args, _ = trials(1)
    args.stall = 3
    result = crash_disk.stall(args, crash_test.disk_shim())
    assert result["lost"] == result["refused"] == 0 and result["published"] > 2000 and result["told"]
