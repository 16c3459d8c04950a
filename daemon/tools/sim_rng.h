/* tools/sim_rng.h - random numbers and the two functions that the simulator needs of a mathematics library. Pure.
 * Everything here is made of + - * / and sqrt, which IEEE 754 rounds in one way only: the same bits on every machine. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* xoshiro256++ (Blackman and Vigna 2019), seeded by splitmix64; streams of one seed are independent for our purposes. */
struct sim_rng {
    uint64_t s[4];
    double spare; /* second normal deviate of a pair */
    bool has_spare;
};
void sim_rng_init(struct sim_rng *r, uint64_t seed, uint64_t stream);
uint64_t sim_rng_u64(struct sim_rng *r);
double sim_rng_uniform(struct sim_rng *r, double low, double high);
double sim_rng_draw(struct sim_rng *r, const double range[2]); /* uniform */
double sim_rng_normal(struct sim_rng *r);                      /* mean 0, SD 1; Marsaglia's polar method, which is exact */
bool sim_rng_chance(struct sim_rng *r, double probability);
unsigned sim_rng_below(struct sim_rng *r, unsigned n); /* 0 .. n - 1 */

double sim_sin(double turns); /* sin(2 pi x), error below 1e-15 for |x| < 1e3; |x| < 9e18 */
double sim_log(double x);     /* natural logarithm of a normal number above 0, relative error below 1e-15 */
