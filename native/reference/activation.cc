// Activation functions on their own.
#include "activation_function.h"
#include "reference.h"
#include "visit.h"

namespace simdnn::reference {

// output = g(input)
template <class T>
void activation(const Args& args) {
  const Activation kind = Activation(int(args.attrs[0]));
  map<T>(args, [&](double x) { return activate(kind, args.attrs[1], x); });
}

// dinput = dout g'; saved is the output, for swish and gelu the input
template <class T>
void activation_grad(const Args& args) {
  const Activation kind = Activation(int(args.attrs[0]));
  map<T>(args, [&](double dout, double saved) { return dout * derivative(kind, args.attrs[1], saved); });
}

SIMDNN_REFERENCE(activation)
SIMDNN_REFERENCE(activation_grad)

}  // namespace simdnn::reference
