#include "core/kernels/lanes_avx2.h"
#include "core/kernels/lanes_compress.h"
#include "core/kernels/lanes_pairs.h"
// The lanes come first: the rest builds on them.
#include "core/kernels/impl_table.h"
#include "core/kernels/levels.h"

namespace rec::kernels {

const KernelTable kAvx2Table = table_of_this_level("avx2");

}  // namespace rec::kernels
