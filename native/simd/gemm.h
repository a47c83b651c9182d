// The float32 GEMM: chooses the form for a shape. Work is split over the rows and columns of C, and over k only in blocks that
// are added up in order. Every choice depends on the shape alone; so an element of C is one chain of operations, the same at any
// thread count.
#pragma once
#include "blocked.h"
#include "dot.h"
#include "inner.h"
#include "near.h"
#include "rank.h"
#include "row.h"
#include "split_k.h"
#if defined(__AMX_BF16__)
#include "amx.h"
#endif

namespace simdnn {
namespace {

// Calls run(plan) with the plan of the form that suits the problem.
template <class Run>
SIMDNN_INLINE void with_plan(Gemm&& g, Run run) {
  if (g.m <= 0 || g.n <= 0) return;
  // A column is a row, where its elements are contiguous.
  if (g.n == 1 && g.m > 1 && g.target.c_row == 1 && g.target.d_row == 1) {
    const Matrix a = g.a;
    g.n = g.m, g.m = 1, g.a = transposed(g.b), g.b = transposed(a);
  }
  if (Inner::pays(g)) return run(Inner::plan(g));
  if (Row::pays(g)) return run(Row{g});
  if (Near::pays_at_once(g)) return run(Near{g});
  if (NearPacked::pays(g)) return run(NearPacked{g});
  if (Rank::pays(g)) return run(Rank::plan(g));
#if defined(__AMX_BF16__)
  if (Amx::pays(g)) return run(Amx::plan(g));
#endif
  if (g.k >= 4 * kLanes) {
    if (g.n <= 10 && g.a.column == 1 && (g.m >= 16 || g.b.row == 1)) return run(Dots::plan(g, false));
    if (g.m <= 16 && g.b.row == 1 && (g.n >= 16 || g.a.column == 1)) return run(Dots::plan(g, true));
  }
  const bool transposes = Blocked::transposes(g);
  if (!transposes && Near::pays(g)) return run(Near{g});
  run(Blocked::plan(g, transposes));
}

static int64_t planned_scratch(Gemm&& g) {
  int64_t floats = 0;
  with_plan(static_cast<Gemm&&>(g), [&](const auto& plan) { floats = plan.scratch_floats(); });
  return (floats + 15) / 16 * 16 * static_cast<int64_t>(sizeof(float));
}

__attribute__((noinline)) static void gemm_planned(const Args& args, Gemm&& g) {
  with_plan(static_cast<Gemm&&>(g), [&](const auto& plan) { plan.run(args); });
}

static SplitK split_k(const Gemm& g) {
#if defined(__AMX_BF16__)
  if (Amx::pays(g)) return {g, kStepK};
#endif
  return {g, 8};
}

static int64_t gemm_scratch(Gemm&& g) { return SplitK::pays(g) ? split_k(g).scratch_bytes(planned_scratch) : planned_scratch(static_cast<Gemm&&>(g)); }

__attribute__((noinline)) static void gemm_split(const Args& args, const Gemm& g) { split_k(g).run(args, planned_scratch, gemm_planned); }

SIMDNN_INLINE void gemm(const Args& args, Gemm&& g) {
  if (Single::pays(g)) return Single{g}.run();
  if (SplitK::pays(g)) return gemm_split(args, g);
  gemm_planned(args, static_cast<Gemm&&>(g));
}

}  // namespace
}  // namespace simdnn
