#include "core/kernels/lanes_avx512.h"
#include "core/kernels/lanes_pairs.h"
// The lanes come first: the rest builds on them.
#include "core/kernels/impl_table.h"
#include "core/kernels/levels.h"

namespace rec::kernels {

const KernelTable kAvx512Table = table_of_this_level("avx512");

}  // namespace rec::kernels
