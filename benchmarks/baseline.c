/* The limit to measure against: 2-2-1 sigmoid nets on four examples, one fused loop over the runs.
   Built by reference.py with gcc -O3 -march=native -ffast-math -fopenmp-simd; data come at run time.
   theta is (9, runs): W1 (2, 2), b1 (2), W2 (1, 2), b2 (1); loss is binary cross-entropy, summed. */
#include <math.h>

static inline double sigmoid(double z) { return 1.0 / (1.0 + exp(-z)); }

void train(double *theta, const double *lr, const double *x, const double *t, long runs, long epochs, long block)
{
    for (long start = 0; start < runs; start += block) {
        long stop = start + block < runs ? start + block : runs;
        for (long epoch = 0; epoch < epochs; epoch++) {
#pragma omp simd
            for (long r = start; r < stop; r++) {
                double w[9], g[9] = {0};
                for (int p = 0; p < 9; p++) w[p] = theta[p * runs + r];
                for (int n = 0; n < 4; n++) {
                    double x1 = x[2 * n], x2 = x[2 * n + 1];
                    double h1 = sigmoid(w[0] * x1 + w[1] * x2 + w[4]);
                    double h2 = sigmoid(w[2] * x1 + w[3] * x2 + w[5]);
                    double d = sigmoid(w[6] * h1 + w[7] * h2 + w[8]) - t[n];
                    double d1 = d * w[6] * h1 * (1 - h1), d2 = d * w[7] * h2 * (1 - h2);
                    g[0] += d1 * x1; g[1] += d1 * x2; g[2] += d2 * x1; g[3] += d2 * x2;
                    g[4] += d1; g[5] += d2; g[6] += d * h1; g[7] += d * h2; g[8] += d;
                }
                for (int p = 0; p < 9; p++) theta[p * runs + r] = w[p] - lr[r] * g[p];
            }
        }
    }
}
