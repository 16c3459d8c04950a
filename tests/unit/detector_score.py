"""The scorer of scripts/bench-detector on cases worked out by hand: a judge that is wrong would pass anything."""
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["PLATE_SOURCE"], "scripts", "lib"))
import bench_detector as bench


def truth(onset, end, kind="rep", **more):
    return {"plate": "p", "kind": kind, "side": "left", "set": 1, "onset_s": onset, "top_s": onset + 0.5, "descent_s": end - 0.5, "end_s": end,
            "peak_N": 200.0, "offset_N": 5.0, "floated": False, "floating": False, **more}


def rep(onset, end, **more):
    return {"plate": "p", "side": "left", "set": 1, "onset_s": onset, "top_s": onset + 0.5, "descent_s": end - 0.5, "end_s": end,
            "peak_N": 205.0, "t_s": end + 0.1, **more}


def score(truths, reps, phases=(), gaps=(), rate=1000):
    s = {"set": {"cell": "c", "noise_N": 0.5, "drift_N_per_min": 0, "tare_N": 0, "hum_N": 0, "spikes_per_min": 0, "losses_per_min": 0,
                 "rate_error": 0, "step_N": 0}, "truth": list(truths), "rep": list(reps),
         "phase": [{"plate": "p", "phase": k, "t_s": t} for k, t in phases],
         "gap": [{"plate": "p", "t_s": t, "count": n} for t, n in gaps]}
    out = bench.new_score()
    bench.score_set(s, {"first": "drive"}, rate, out)
    return out


class Score(unittest.TestCase):
    def counts(self, out, tp, fp, fn):
        self.assertEqual((out["tp"], out["fp"], out["fn"]), (tp, fp, fn), out["failures"])

    def test_found_by_more_than_half_of_the_shorter(self):
        self.counts(score([truth(1, 3)], [rep(2.1, 4.1)]), 0, 1, 1)
        self.counts(score([truth(1, 3)], [rep(1.9, 3.9)]), 1, 0, 0)
        self.counts(score([truth(1, 3)], [rep(2, 2.2)]), 1, 0, 0)

    def test_one_to_one(self):
        self.counts(score([truth(1, 3), truth(4, 6)], [rep(1, 6)]), 1, 0, 1)  # two in one
        self.counts(score([truth(1, 3)], [rep(1, 1.9), rep(2, 3)]), 1, 1, 0)  # one in two
        self.counts(score([], [rep(1, 3)]), 0, 1, 0)
        self.counts(score([truth(1, 3)], [rep(1, 3, plate="q")]), 0, 1, 1)

    def test_what_is_no_rep_is_never_found(self):
        out = score([truth(1, 3, kind="kick")], [rep(1, 3)])
        self.counts(out, 0, 1, 0)
        self.assertEqual(out["failures"][0]["what"], "kick")

    def test_left_out_are_turns_too_short_for_the_rate_and_long_holes(self):
        close = [truth(1, 3), truth(3.2, 5), truth(8, 10)]
        out = score(close, [rep(1, 3)], rate=10)
        self.counts(out, 0, 0, 1)
        self.assertEqual(out["short_turn"], 2)
        self.counts(score(close, [rep(1, 3)], rate=80), 1, 0, 2)
        out = score([truth(1, 3), truth(5, 7)], [rep(5, 7)], gaps=[(1.5, 200)])
        self.counts(out, 1, 0, 0)
        self.assertEqual((out["holed"], out["holed_found"]), (1, 0))
        self.counts(score([truth(1, 3)], [], gaps=[(1.5, 90)]), 0, 0, 1)

    def test_errors_and_latency(self):
        out = score([truth(1, 3)], [rep(1.01, 2.98)], phases=[("drive", 0.2), ("drive", 1.04), ("drive", 1.5)])
        p, = out["pairs"]
        for key, value in (("onset", 0.01), ("top", 0.01), ("descent", -0.02), ("end", -0.02), ("peak_pct", 0), ("drive_latency", 0.04),
                           ("rep_latency", 0.08)):
            self.assertAlmostEqual(p[key], value, 9, key)
        p, = score([truth(1, 3)], [rep(1, 3, top_s=None, peak_N=207)], phases=[("lower", 2.6)])["pairs"]
        self.assertIsNone(p["top"])
        self.assertIsNone(p["drive_latency"])
        self.assertTrue(p["top_null"])
        self.assertAlmostEqual(p["peak_pct"], 1)

    def test_numbers_are_judged_where_all_was_found(self):
        two = [truth(1, 3), truth(4, 6, set=2, side="right")]
        out = score(two, [rep(1, 3), rep(4, 6)])
        self.assertEqual((out["numbered"], out["misnumbered"]), (2, 1))
        self.assertEqual(score(two, [rep(4, 6)])["numbered"], 0)

    def test_spread(self):
        values = [x / 1000 for x in range(-50, 51)]
        self.assertEqual(bench.spread(values + [None]), "25 / 48")
        self.assertEqual(bench.spread([None]), "-")


if __name__ == "__main__":
    unittest.main()
