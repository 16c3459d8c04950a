// one-degree linkage (trunk angle), floor contact, compliant bench, activated leg drive
#include <math.h>
enum { cM, cdM, cV, ch1, cdh1, cgx, cz, cdz, cS, cW, cxh, cM2, cX, NT_ };
struct P {
    double th0, dth;
    int nt;
    const double *T;
    double dt, M0, Vref, kp, kd, tau_on, tau_off, qrest; // drive
    double zc, kf, nf, lam, cst;                         // floor: height of the hip at contact, k d^n (1+lam v) ; shear drag
    double thmax, ks, cs;                                // ligaments
    double mb, kb, cb, rbref, Mtot;                      // bench
    double xf, zf, qmax, vmax, g;
};
struct S {
    double th, v, q, zb, vb, ab, F, N, t;
};
static inline void look(const struct P *p, double th, double *o)
{
    double x = (th - p->th0) / p->dth;
    if (x < 0) x = 0;
    if (x > p->nt - 1.001) x = p->nt - 1.001;
    int i = (int)x;
    double f = x - i;
    const double *a = p->T + i * NT_, *b = a + NT_;
    for (int k = 0; k < NT_; k++) o[k] = a[k] + f * (b[k] - a[k]);
}
// inputs per sample: thr,vr,ar,ff,gain,u,mu,tq ; stop: 0 none 1 contact(z<=zc) 2 v<=0 3 apex reaches val (brake share val2) 4
// v>=0 5 th>=val
int run(const struct P *p, struct S *s, int n, const double *in, int stop, double val, double val2, double *out)
{
    const int sub = 2;
    double h = p->dt / sub;
    int past = 0;
    for (int i = 0; i < n; i++) {
        const double *c = in + 8 * i;
        double o[NT_], r[NT_];
        look(p, c[0], r);
        for (int k = 0; k < sub; k++) {
            look(p, s->th, o);
            double qd = p->qrest + c[3] * (r[cV] + r[cM] * c[2] - p->qrest) +
                        c[4] * (p->kp * (c[0] - s->th) + p->kd * (c[1] - s->v)) + c[7];
            double hv = 1 - s->v / p->vmax;
            if (hv < 0) hv = 0;
            if (hv > 1.4) hv = 1.4;
            qd += c[5] * p->qmax * hv;
            double lo = -0.12 * p->Vref, hi = 3.5 * p->Vref;
            if (qd < lo) qd = lo;
            if (qd > hi) qd = hi;
            s->q += (qd - s->q) * h / (qd > s->q ? p->tau_on : p->tau_off);
            // the bench gives by zb: what lies at x goes with it by 1 - x / xf
            double wh = 1 - o[cxh] / p->xf;
            double vz = o[cdz] * s->v + wh * s->vb, d = p->zc - o[cz] - wh * s->zb, N = 0;
            if (d > 0) {
                N = p->kf * pow(d, p->nf) * (1 - p->lam * vz);
                if (N < 0) N = 0;
            }
            double q = s->q;
            if (s->th > p->thmax) q -= p->ks * (s->th - p->thmax) + p->cs * s->v;
            double r1 = q - o[cV] + N * o[cdz] - 0.5 * o[cdM] * s->v * s->v - (d > 0 ? p->cst * s->v : 0);
            double r2 = -o[cW] * p->g + wh * N - p->kb * s->zb - p->cb * s->vb + p->rbref, m2 = o[cM2] + p->mb;
            double det = o[cM] * m2 - o[cS] * o[cS];
            double acc = (r1 * m2 - o[cS] * r2) / det, ab = (r2 - o[cS] * acc) / m2;
            double arm = p->xf - p->zf * c[6];
            double F = (o[ch1] * acc + o[cdh1] * s->v * s->v + o[cgx] + o[cX] * ab - o[cxh] * N) / arm;
            if (F < 0) { // the foot cannot pull
                double r3 = o[cxh] * N - o[cgx] - o[cdh1] * s->v * s->v;
                F = 0;
                det = o[ch1] * m2 - o[cX] * o[cS];
                acc = (r3 * m2 - o[cX] * r2) / det;
                ab = (r2 - o[cS] * acc) / m2;
            }
            s->ab = ab;
            s->vb += s->ab * h;
            s->zb += s->vb * h;
            s->v += acc * h;
            s->th += s->v * h;
            s->F = F;
            s->N = N;
        }
        double *w = out + 5 * i;
        w[0] = o[cz];
        w[1] = o[cdz] * s->v;
        w[2] = s->F;
        w[3] = s->N;
        w[4] = s->th;
        int st = 0;
        if (stop == 1) st = o[cz] <= p->zc;
        if (stop == 2) {
            if (s->v > 0.05) past = 1;
            st = past && s->v <= 0;
        }
        if (stop == 3) { // the apex is foreseen, and that the muscle lets go late
            double a = (1 - val2) * o[cV] / o[cM], tl = p->tau_off, va = s->v + tl * (s->q - o[cV]) / o[cM];
            st = s->v > 0.1 && s->th + tl * s->v + va * va / (2 * a) >= val;
        }
        if (stop == 4) {
            if (s->v < -0.02) past = 1;
            st = past && s->v >= 0;
        }
        if (stop == 5) st = s->th >= val;
        if (st) return i + 1;
    }
    return n;
}
