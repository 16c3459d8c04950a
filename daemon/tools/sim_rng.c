#include "sim_rng.h"
#include <math.h>

#define TURN 6.283185307179586
#define LN_2 0.6931471805599453

static uint64_t splitmix64(uint64_t *x)
{
    uint64_t z = (*x += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void sim_rng_init(struct sim_rng *r, uint64_t seed, uint64_t stream)
{
    uint64_t x = seed;
    x = splitmix64(&x) ^ stream;
    for (unsigned i = 0; i < 4; i++) r->s[i] = splitmix64(&x);
    r->has_spare = false;
    r->spare = 0;
}

static uint64_t rotl(uint64_t x, unsigned k) { return (x << k) | (x >> (64 - k)); }

uint64_t sim_rng_u64(struct sim_rng *r)
{
    uint64_t *s = r->s, out = rotl(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return out;
}

double sim_rng_uniform(struct sim_rng *r, double low, double high)
{
    return low + (high - low) * (double)(sim_rng_u64(r) >> 11) * 0x1p-53;
}

double sim_rng_draw(struct sim_rng *r, const double range[2]) { return sim_rng_uniform(r, range[0], range[1]); }
bool sim_rng_chance(struct sim_rng *r, double probability) { return sim_rng_uniform(r, 0, 1) < probability; }
unsigned sim_rng_below(struct sim_rng *r, unsigned n) { return (unsigned)(((sim_rng_u64(r) >> 32) * n) >> 32); }

double sim_rng_normal(struct sim_rng *r)
{
    if (r->has_spare) {
        r->has_spare = false;
        return r->spare;
    }
    double u, v, q;
    do {
        u = sim_rng_uniform(r, -1, 1);
        v = sim_rng_uniform(r, -1, 1);
        q = u * u + v * v;
    } while (q >= 1 || q <= 0);
    double k = sqrt(-2 * sim_log(q) / q);
    r->spare = v * k;
    r->has_spare = true;
    return u * k;
}

/* Taylor's series on a quarter of a turn, in an order that processors like (Estrin): the first term left out is 2.6e-16. */
double sim_sin(double turns)
{
    static const double c[] = {1,
                               -1.0 / 6,
                               1.0 / 120,
                               -1.0 / 5040,
                               1.0 / 362880,
                               -1.0 / 39916800,
                               1.0 / 6227020800,
                               -1.0 / 1307674368000,
                               1.0 / 355687428096000,
                               -1.0 / 121645100408832000};
    double r = turns - (double)(int64_t)turns; /* -1 .. 1 */
    if (r > 0.5) r -= 1;
    if (r < -0.5) r += 1;
    if (r > 0.25) r = 0.5 - r;
    if (r < -0.25) r = -0.5 - r;
    double x = TURN * r, z = x * x, z2 = z * z, z4 = z2 * z2;
    double low = (c[0] + c[1] * z) + (c[2] + c[3] * z) * z2, high = (c[4] + c[5] * z) + (c[6] + c[7] * z) * z2;
    return x * (low + (high + (c[8] + c[9] * z) * z4) * z4);
}

/* 2 artanh((m - 1) / (m + 1)) + e ln 2, with m within [sqrt 1/2, sqrt 2). */
double sim_log(double x)
{
    int e;
    double m = frexp(x, &e);
    if (m < 0.7071067811865476) m *= 2, e--;
    double z = (m - 1) / (m + 1), z2 = z * z, sum = 0;
    for (int k = 23; k >= 1; k -= 2) sum = sum * z2 + 1.0 / k;
    return 2 * z * sum + e * LN_2;
}
