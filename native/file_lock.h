// A lock on an open file that the system takes back when the process ends, however it ends. Knows no Node.
#pragma once

namespace simdnn {

// Whether the file behind a C descriptor is now locked for this opener alone; also where the file system knows no locks. Closing it gives it back.
bool lock_file(int descriptor);

}  // namespace simdnn
