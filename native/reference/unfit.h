// What an optimizer's step says when it would write NaN or infinity. Included per instruction set, like kernel.h, so it defines nothing.
#pragma once
#include "../kernel.h"

namespace simdnn::reference {

// Makes it a fault at the first operand that holds one already, the gradient before all others; at the parameter, where it is the step that overflows.
void report_unfit(const Args& args);

}  // namespace simdnn::reference
