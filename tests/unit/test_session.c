/* Sets and corrections: a session that is put right says in the end what one says that was right from the start. */
#include "session_run.h"
#include <errno.h>
#include <time.h>

/* ---- what a correction may say ---- */

static void text_both_ways(void **state)
{
    (void)state;
    static const char *const good[] = {"set 2 side left",
                                       "set 1 side none",
                                       "set 1000000 side both",
                                       "set 3 warmup true",
                                       "set 3 rep 4 discarded true",
                                       "set 3 rep 4 discarded false",
                                       "involved right",
                                       "involved none",
                                       "body_mass_kg 81.5"};
    static const char *const bad[] = {"",
                                      " ",
                                      "set",
                                      "set 2",
                                      "set 2 side",
                                      "set 0 side left",
                                      "set -1 side left",
                                      "set 2.0 side left",
                                      "set 1000001 side left",
                                      "set 2 rep 1 side left",
                                      "set 2 side up",
                                      "set 2 side left left",
                                      "set 2 warmup 1",
                                      "set 2 discarded true",
                                      "rep 1 discarded true",
                                      "side left",
                                      "set 2 involved left",
                                      "involved both",
                                      "body_mass_kg 0",
                                      "body_mass_kg 1e3",
                                      "body_mass_kg nan",
                                      "body_mass_kg 2001",
                                      "body_mass_kg .",
                                      "set 2 body_mass_kg 80",
                                      "set 99999999999999999999 side left",
                                      "set 2 rep 0 discarded true"};
    struct plate_correction c;
    char text[PLATE_TEXT_SIZE];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(plate_correction_parse(good[i], "", &c), 0);
        assert_int_equal(plate_correction_text(&c, text, sizeof text), strlen(good[i]));
        assert_string_equal(text, good[i]);
        assert_int_equal(plate_correction_text(&c, text, strlen(good[i])), -ENOBUFS);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (plate_correction_parse(bad[i], "", &c) != -EINVAL) fail_msg("\"%s\" was taken", bad[i]);
    assert_int_equal(plate_correction_parse("set 1 side left", "plate", &c), -EINVAL); /* a plate is for reps */
    assert_int_equal(plate_correction_parse("set 1 rep 2 discarded true", "plate", &c), 0);
    assert_string_equal(c.plate, "plate");
}

/* ---- wrong first and put right, against right from the start ---- */

struct set_plan {
    bool left, warmup, wrong_side, wrong_warmup;
    unsigned reps;
    bool spoilt[12]; /* a rep that is to be discarded: in the right session it never was */
    double drive_s[12];
};

static void work(struct run *r, const struct set_plan *p, unsigned sets, bool right)
{
    for (unsigned i = 0; i < sets; i++) {
        const struct set_plan *s = &p[i];
        mark(r, "warmup", (s->warmup != (s->wrong_warmup && !right)) ? "true" : "false");
        mark(r, "side", (s->left != (s->wrong_side && !right)) ? "left" : "right");
        for (unsigned k = 0; k < s->reps; k++)
            if (!right || !s->spoilt[k]) do_rep(r, s->drive_s[k]);
        rest(r, 30);
    }
}

static void put_right(struct run *r, const struct set_plan *p, unsigned sets)
{
    for (unsigned n = sets; n--;) { /* from the last one on: the order does not matter */
        if (p[n].wrong_side) correct(r, "set %u side %s", n + 1, p[n].left ? "left" : "right");
        if (p[n].wrong_warmup) correct(r, "set %u warmup %s", n + 1, p[n].warmup ? "true" : "false");
        for (unsigned k = 0; k < p[n].reps; k++)
            if (p[n].spoilt[k]) correct(r, "set %u rep %u discarded true", n + 1, k + 1);
    }
}

static void same_row(const struct plate_asymmetry *a, const struct plate_asymmetry *b)
{
    char x[4096], y[4096];
    assert_true(plate_columns_json(plate_asymmetry_columns, a, x, sizeof x) > 0);
    assert_true(plate_columns_json(plate_asymmetry_columns, b, y, sizeof y) > 0);
    assert_string_equal(x, y);
}

static void put_right_is_right(void **state)
{
    (void)state;
    const char *given = getenv("PLATE_SEED");
    const unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    print_message("PLATE_SEED=%u\n", seed);
    srand(seed);
    for (int round = 0; round < 300; round++) {
        struct set_plan p[6];
        const unsigned sets = 2 + (unsigned)rand() % 5;
        memset(p, 0, sizeof p);
        for (unsigned i = 0; i < sets; i++) {
            p[i] = (struct set_plan){.left = rand() % 2, .warmup = rand() % 6 == 0, .wrong_side = rand() % 3 == 0};
            p[i].wrong_warmup = rand() % 6 == 0;
            p[i].reps = 2 + (unsigned)rand() % 10;
            for (unsigned k = 0; k < p[i].reps; k++) {
                p[i].drive_s[k] = (p[i].left ? 1 : 0.8) + 0.1 * rand() / RAND_MAX;
                p[i].spoilt[k] = k > 0 && rand() % 5 == 0; /* not the first: a set is there because of it */
            }
        }
        struct run *wrong = run_new(), *right = run_new();
        run_begin(wrong);
        run_begin(right);
        work(wrong, p, sets, false);
        put_right(wrong, p, sets);
        work(right, p, sets, true);
        assert_int_equal(wrong->session->limbs.n[0], right->session->limbs.n[0]);
        assert_int_equal(wrong->session->limbs.n[1], right->session->limbs.n[1]);
        if (right->said.rows) assert_int_equal(wrong->said.rows, right->said.rows);
        for (unsigned i = 0; i < right->said.rows; i++) same_row(&wrong->said.row[i], &right->said.row[i]);
        for (unsigned i = 0; !right->said.rows && i < wrong->said.rows; i++) { /* nothing to compare: taken back */
            assert_true(isnan(wrong->said.row[i].value_pct) && isnan(wrong->said.row[i].left_mean));
            assert_int_equal(wrong->said.row[i].verdict, PLATE_UNDETERMINED);
        }
        for (unsigned i = 0; i < sets; i++) {
            const struct plate_set *a = &wrong->said.set[i], *b = &right->said.set[i];
            assert_int_equal(a->side, b->side);
            assert_int_equal(a->warmup, b->warmup);
            assert_int_equal(a->reps, b->reps);
            assert_true(fabs(a->concentric_s - b->concentric_s) < 1e-12);
        }
        assert_int_equal(wrong->session->verdict, right->session->verdict);
        run_free(wrong);
        run_free(right);
    }
}

/* Undone, everything is again as it was. */
static void undone_is_undone(void **state)
{
    (void)state;
    static const struct set_plan p[2] = {{.left = true, .reps = 5, .drive_s = {1, 1.02, 1.01, 0.99, 1.03}},
                                         {.left = false, .reps = 5, .drive_s = {0.7, 0.71, 0.72, 0.69, 0.7}}};
    struct run *r = run_new();
    run_begin(r);
    work(r, p, 2, false);
    struct said before = r->said;
    assert_int_equal(before.row[0].verdict, PLATE_LEFT_WEAKER);
    assert_int_equal(before.imbalances, 1);
    correct(r, "set 1 side right");
    assert_int_equal(r->said.imbalances, 2); /* nothing is left to compare, and so no verdict stands */
    assert_int_equal(r->said.imbalance.verdict_before, PLATE_LEFT_WEAKER);
    assert_int_equal(r->said.imbalance.now.verdict, PLATE_UNDETERMINED);
    assert_int_equal(r->said.imbalance.now.correction, 1);
    assert_int_equal(r->said.row[0].n_right, 10);
    correct(r, "set 1 rep 3 discarded true");
    correct(r, "set 1 rep 3 discarded false");
    correct(r, "set 1 side left");
    for (unsigned i = 0; i < before.rows; i++) same_row(&r->said.row[i], &before.row[i]);
    assert_int_equal(r->said.corrections, 4);
    assert_string_equal(r->said.correction[3].was, "right");
    assert_int_equal(r->said.set[0].correction, 4);
    run_free(r);
}

static void what_cannot_be(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int r;
    } no[] = {{"set 3 side left", -ENOENT},
              {"set 1 rep 4 discarded true", -ENOENT},
              {"set 1 side left", -EALREADY},
              {"set 1 rep 1 discarded false", -EALREADY},
              {"set 2 warmup false", -EALREADY}};
    static const struct set_plan p[2] = {{.left = true, .reps = 3, .drive_s = {1, 1, 1}}, {.reps = 3, .drive_s = {1, 1, 1}}};
    struct run *r = run_new();
    struct plate_correction c;
    char why[128];
    run_begin(r);
    assert_int_equal(plate_correction_parse("set 1 side left", "", &c), 0);
    assert_int_equal(session_can_correct(r->session, &c, why, sizeof why), -ENOENT); /* no set yet */
    work(r, p, 2, false);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        assert_int_equal(plate_correction_parse(no[i].text, "", &c), 0);
        assert_int_equal(session_can_correct(r->session, &c, why, sizeof why), no[i].r);
        assert_true(strlen(why) > 10);
        mark(r, "correct", no[i].text); /* out of a file: told, and without effect */
    }
    assert_int_equal(r->said.corrections, 0);
    run_free(r);
}

/* The set that is under way: what comes after is like it; the next one is not. */
static void the_open_set(void **state)
{
    (void)state;
    struct run *r = run_new();
    run_begin(r);
    mark(r, "side", "right");
    do_rep(r, 1);
    correct(r, "set 1 side left");
    correct(r, "set 1 warmup true");
    assert_int_equal(r->said.set[0].ended_by, PLATE_SET_ACTIVE);
    do_rep(r, 1);
    assert_int_equal(r->said.rep_side, PLATE_SIDE_LEFT);
    assert_int_equal(r->said.rep_warmup, 1);
    assert_int_equal(session_side(r->session), PLATE_SIDE_LEFT);
    rest(r, 30);
    assert_int_equal(r->said.set[0].side, PLATE_SIDE_LEFT);
    assert_int_equal(r->said.set[0].reps, 2);
    do_rep(r, 1);
    assert_int_equal(r->said.rep_side, PLATE_SIDE_LEFT); /* nobody has said another one */
    assert_int_equal(r->said.rep_warmup, 0);
    run_free(r);
}

/* With another side the foot's inner edge is on the other side. */
static void form_is_judged_again(void **state)
{
    (void)state;
    struct plate_protocol_targets t = plate_protocol_targets_none();
    struct plate_correction c;
    bool discarded = false;
    t.medial_max_mm = 10;
    struct plate_rep rep = {.set = 1,
                            .rep = 1,
                            .side = PLATE_SIDE_LEFT,
                            .cop_drift_x_mm = 12,
                            .findings = 3,
                            .form = {{"short_hold", 1, 2}, {"medial_shift", 12, 10}, {"low_support", 20, 10}}};
    assert_int_equal(plate_correction_parse("set 1 side right", "", &c), 0);
    plate_correction_apply(&c, &t, PLATE_SIDE_NONE, &rep, &discarded);
    assert_int_equal(rep.side, PLATE_SIDE_RIGHT);
    assert_int_equal(rep.findings, 2);
    assert_string_equal(rep.form[1].name, "low_support");
    assert_int_equal(plate_correction_parse("set 1 side left", "", &c), 0);
    plate_correction_apply(&c, &t, PLATE_SIDE_NONE, &rep, &discarded);
    assert_int_equal(rep.findings, 3);
    assert_string_equal(rep.form[1].name, "medial_shift");
    assert_string_equal(rep.form[2].name, "low_support");
    plate_correction_apply(&c, &t, PLATE_SIDE_RIGHT, &rep, &discarded); /* of a plate that carries its side */
    assert_int_equal(rep.side, PLATE_SIDE_LEFT);
}

/* More reps than are remembered go on being told and compared, and are corrected no more. */
static void beyond_memory(void **state)
{
    (void)state;
    struct run *r = run_new();
    struct plate_correction c;
    char why[128];
    run_begin(r);
    mark(r, "side", "left");
    for (int i = 0; i < SESSION_REPS; i++) do_rep(r, 1);
    correct(r, "set 1 rep %d discarded true", SESSION_REPS);
    do_rep(r, 1);
    assert_int_equal(plate_correction_parse("set 1 side right", "", &c), 0);
    assert_int_equal(session_can_correct(r->session, &c, why, sizeof why), -ENOSPC);
    rest(r, 30);
    assert_int_equal(r->said.set[0].reps, SESSION_REPS);
    run_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_both_ways), cmocka_unit_test(put_right_is_right), cmocka_unit_test(undone_is_undone),
        cmocka_unit_test(what_cannot_be), cmocka_unit_test(the_open_set),       cmocka_unit_test(form_is_judged_again),
        cmocka_unit_test(beyond_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
