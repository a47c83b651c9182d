// What the system would give this process if it were asked.
#pragma once
#include <cstddef>

namespace simdnn {

// Whether malloc would give `bytes`, and the system `reserve` more for others: limits such as `ulimit -v` are told by nothing else, since
// malloc keeps memory that was freed.
bool could_allocate(size_t bytes, size_t reserve);

// Gives back what malloc keeps, where it can be told to.
void trim();

}  // namespace simdnn
