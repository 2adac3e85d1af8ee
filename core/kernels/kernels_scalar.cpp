#include "core/kernels/lanes_scalar.h"
#include "core/kernels/lanes_compress.h"
// The lanes come first: the rest builds on them.
#include "core/kernels/impl_table.h"
#include "core/kernels/levels.h"

namespace rec::kernels {

const KernelTable kScalarTable = table_of_this_level("scalar");

}  // namespace rec::kernels
