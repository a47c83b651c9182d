// Guards: they compute nothing and stop a run when the data is not fit to go on with.
#include "reference.h"
#include "visit.h"

namespace simdnn::reference {

// Reports the first infinity or NaN.
template <class T>
void assert_finite(const Args& args) {
  const T* x = data<T>(args.in[0]);
  for (int64_t i = 0; i < args.in[0].size; ++i) {
    if (std::isfinite(x[i])) continue;
    args.status->fault = Fault::non_finite;
    args.status->position = i;
    args.status->value = x[i];
    return;
  }
}

SIMDNN_REFERENCE(assert_finite)

}  // namespace simdnn::reference
