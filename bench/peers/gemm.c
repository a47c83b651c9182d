// One BLAS library as a peer of `bench gemm`: `gemm openblas|blis|mkl|onednn LIBRARY`, speaking as conversation.ts expects.
// In C, because a call through a binding would cost more than the smallest products. Compiled when it is installed.
#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef void Cblas(int order, int transposeA, int transposeB, int m, int n, int k, float alpha, const float* a, int lda, const float* b, int ldb,
                   float beta, float* c, int ldc);
typedef int Dnnl(char transposeA, char transposeB, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda, const float* b,
                 int64_t ldb, float beta, float* c, int64_t ldc);

enum { samples_at_a_time = 1000, sampled_elements = 200 };
static const double sample_seconds = 300e-6;

static Cblas* cblas;
static Dnnl* dnnl;
static int m, n, k;
static char form[3];
static float *a, *b, *c;

static void* symbol(void* library, const char* name) {
  void* found = dlsym(library, name);
  if (found) return found;
  fprintf(stderr, "%s\n", dlerror());
  exit(1);
}

static void open_library(const char* kind, const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  char version[200] = "";
  if (!strcmp(kind, "onednn")) {
    dnnl = (Dnnl*)symbol(library, "dnnl_sgemm");
    const int* numbers = ((const int* (*)(void))symbol(library, "dnnl_version"))();
    sprintf(version, "%d.%d.%d", numbers[0], numbers[1], numbers[2]);
  } else if (!strcmp(kind, "mkl")) {
    cblas = (Cblas*)symbol(library, "cblas_sgemm");
    char text[200] = "";
    ((void (*)(char*, int))symbol(library, "mkl_get_version_string"))(text, sizeof text - 1);
    const char* number = strstr(text, "Version ");
    sscanf(number ? number + 8 : text, "%199[0-9.]", version);
  } else if (!strcmp(kind, "blis")) {
    cblas = (Cblas*)symbol(library, "cblas_sgemm");
    sprintf(version, "%.99s", ((const char* (*)(void))symbol(library, "bli_info_get_version_str"))());
  } else {
    // The wheel on PyPI puts a prefix before its names.
    const char* prefix = dlsym(library, "scipy_cblas_sgemm") ? "scipy_" : "";
    char name[50];
    sprintf(name, "%scblas_sgemm", prefix);
    cblas = (Cblas*)symbol(library, name);
    sprintf(name, "%sopenblas_get_config", prefix);
    sscanf(((const char* (*)(void))symbol(library, name))(), "OpenBLAS %99s", version);
  }
  printf("{\"version\":\"%s\"}\n", version);
}

static void multiply(void) {
  const int transpose_a = form[0] == 't', transpose_b = form[1] == 't';
  const int lda = transpose_a ? m : k, ldb = transpose_b ? k : n;
  if (dnnl)
    dnnl(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1, a, lda, b, ldb, 0, c, n);
  else
    cblas(101, transpose_a ? 112 : 111, transpose_b ? 112 : 111, m, n, k, 1, a, lda, b, ldb, 0, c, n);
}

// values.ts in C.
static double uniform(uint32_t seed, uint32_t i) {
  const uint32_t state = seed + (i + 1) * 0x6d2b79f5u;
  uint32_t t = (state ^ (state >> 15)) * (state | 1);
  t ^= t + (t ^ (t >> 7)) * (t | 61);
  return (t ^ (t >> 14)) / 4294967296.0;
}

static float* uniforms(float* old, size_t length, uint32_t seed) {
  free(old);
  float* values = aligned_alloc(64, (length * sizeof(float) + 63) / 64 * 64);
  for (size_t i = 0; i < length; i++) values[i] = (float)(-1 + 2 * uniform(seed, (uint32_t)i));
  return values;
}

// sampledError of gemm.ts in C.
static double residual(void) {
  double difference = 0, largest = 0;
  for (uint32_t s = 0; s < sampled_elements; s++) {
    const size_t at = (size_t)floor(uniform(3, s) * m * n), i = at / n, j = at % n;
    double sum = 0;
    for (size_t p = 0; p < (size_t)k; p++) sum += (double)a[form[0] == 't' ? p * m + i : i * k + p] * b[form[1] == 't' ? j * k + p : p * n + j];
    difference = fmax(difference, fabs(c[at] - sum));
    largest = fmax(largest, fabs(sum));
  }
  return difference == 0 ? 0 : difference / largest;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + 1e-9 * time.tv_nsec;
}

static double seconds(int times) {
  const double start = now();
  for (int i = 0; i < times; i++) multiply();
  return (now() - start) / times;
}

static void sample(double budget) {
  double estimate = seconds(1);
  for (int i = 0; i < 5; i++) estimate = fmin(estimate, seconds(1));
  const int times = (int)fmax(1, fmin(20000, ceil(sample_seconds / estimate)));
  const double end = now() + budget;
  seconds(times);
  printf("{\"samples\":[%.4g", seconds(times));
  for (int i = 1; i < samples_at_a_time && now() < end; i++) printf(",%.4g", seconds(times));
  printf("]}\n");
}

int main(int count, char** arguments) {
  if (count != 3) return 2;
  setvbuf(stdout, NULL, _IOLBF, 1 << 16);
  open_library(arguments[1], arguments[2]);
  char line[1000];
  double budget;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "{\"sample\":%lf}", &budget) == 1) {
      sample(budget);
    } else if (sscanf(line, "{\"prepare\":{\"name\":\"%*[^\"]\",\"m\":%d,\"n\":%d,\"k\":%d,\"form\":\"%2[nt]\"", &m, &n, &k, form) == 4) {
      a = uniforms(a, (size_t)m * k, 1);
      b = uniforms(b, (size_t)k * n, 2);
      c = uniforms(c, (size_t)m * n, 3);
      multiply();
      printf("{\"residual\":%.3g}\n", residual());
    } else {
      printf("{\"error\":\"not understood\"}\n");
    }
  }
  return 0;
}
