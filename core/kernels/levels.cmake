# One file per instruction set; -O3 because the register blocks must be unrolled.
set(kernel_flags -ffp-contract=off -fno-math-errno)
if(NOT REC_SANITIZE)
  list(APPEND kernel_flags $<$<NOT:$<CONFIG:Debug>>:-O3>)
elseif(REC_SANITIZE MATCHES "fuzzer")  # no input of a fuzzer chooses a branch there, and it would take minutes to build
  list(APPEND kernel_flags -O1 -fno-sanitize=fuzzer-no-link)
endif()
set_source_files_properties(kernels/kernels_scalar.cpp PROPERTIES COMPILE_OPTIONS "${kernel_flags}")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  target_sources(rec_core PRIVATE kernels/kernels_avx2.cpp kernels/kernels_avx512.cpp)
  set_source_files_properties(kernels/kernels_avx2.cpp PROPERTIES COMPILE_OPTIONS "${kernel_flags};-mavx2;-mfma")
  # gcc 12's own intrinsics read "undefined" registers and warn about it.
  set(quiet -Wno-maybe-uninitialized -Wno-uninitialized)
  set_source_files_properties(kernels/kernels_avx512.cpp PROPERTIES COMPILE_OPTIONS
    "${kernel_flags};${quiet};-mavx512f;-mavx512dq;-mavx512vl;-mavx512bw;-mavx2;-mfma")
endif()
