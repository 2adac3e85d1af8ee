#pragma once

#include "core/kernels/kernels.h"

// The tables of the files kernels_*.cpp, one per instruction set.
namespace rec::kernels {

extern const KernelTable kScalarTable;
#if defined(__x86_64__)
extern const KernelTable kAvx2Table;
extern const KernelTable kAvx512Table;
#endif

}  // namespace rec::kernels
