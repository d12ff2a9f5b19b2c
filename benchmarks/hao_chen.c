/* HaoChen et al.'s label-noise step, d = 100, n = 40, float32: both products run along memory, so that
   gcc -O3 -march=native vectorizes them. Prints microseconds a step. */
#ifdef __SSE__
#include <immintrin.h>
#endif
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { N = 40, D = 100 };
static uint64_t state = 88172645463325252ull;

static inline uint64_t bits(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static inline double uniform(void) { return ((bits() >> 11) + 0.5) * 0x1p-53; }

static inline float normal(void) { return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform()); }

int main(int argc, char **argv) {
    static float Z[N][D], Zt[D][N], y[N], v[D], square[D], weight[N], slope[D];
    long steps = argc > 1 ? atol(argv[1]) : 1000000;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++) {
            Z[i][j] = Zt[j][i] = normal();
            if (j < 5) y[i] += Z[i][j];
        }
    for (int j = 0; j < D; j++) v[j] = 1;
#ifdef __SSE__
    /* the weights off the support decay to denormal numbers, which XLA flushes to zero and C must too */
    _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (long k = 0; k < steps; k++) {
        for (int j = 0; j < D; j++) square[j] = v[j] * v[j];
        for (int i = 0; i < N; i++) weight[i] = -y[i];
        for (int j = 0; j < D; j++)
            for (int i = 0; i < N; i++) weight[i] += Zt[j][i] * square[j];
        for (int i = 0; i < N; i++) weight[i] /= N;
        weight[bits() % N] -= normal();
        for (int j = 0; j < D; j++) slope[j] = 0;
        for (int i = 0; i < N; i++)
            for (int j = 0; j < D; j++) slope[j] += weight[i] * Z[i][j];
        for (int j = 0; j < D; j++) v[j] -= 0.01f * slope[j] * v[j];
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("%.6f %g\n", ((b.tv_sec - a.tv_sec) * 1e6 + (b.tv_nsec - a.tv_nsec) / 1e3) / steps, v[0]);
    return 0;
}
