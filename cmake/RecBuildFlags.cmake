# Warnings, hardening, reproducible paths and sanitizers, private to this project's own targets.
include(CheckPIESupported)
check_pie_supported()

# For code that is not ours too, as what SWIG generates: it runs in the same processes.
add_library(rec_hardening INTERFACE)
target_compile_options(rec_hardening INTERFACE -fstack-protector-strong -fstack-clash-protection)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  target_compile_options(rec_hardening INTERFACE -fcf-protection)
endif()
if(NOT REC_SANITIZE)  # which checks the same calls itself
  set(level 2)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
    set(level 3)
  endif()
  # It needs optimisation; some distributions have set a level already.
  target_compile_options(rec_hardening INTERFACE
    "$<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=${level}>")
endif()
target_link_options(rec_hardening INTERFACE LINKER:-z,relro,-z,now,-z,noexecstack)
# What is shipped has the same bytes wherever it was built; debug builds keep the paths that debuggers open.
target_compile_options(rec_hardening INTERFACE $<$<CONFIG:Release,MinSizeRel>:-ffile-prefix-map=${PROJECT_SOURCE_DIR}=.>
  $<$<CONFIG:Release,MinSizeRel>:-ffile-prefix-map=${PROJECT_BINARY_DIR}=build>)

add_library(rec_build_flags INTERFACE)
target_link_libraries(rec_build_flags INTERFACE rec_hardening)
target_compile_options(rec_build_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wno-missing-field-initializers
  # The same bits everywhere: no contraction except for explicit fused multiply-adds.
  -ffp-contract=off)
target_compile_definitions(rec_build_flags INTERFACE REC_BUILDS_RECORE)
if(REC_SANITIZE)
  target_compile_options(rec_build_flags INTERFACE -fsanitize=${REC_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(rec_build_flags INTERFACE -fsanitize=${REC_SANITIZE})
endif()

# For the tests and the command, which take longer to compile than to run: after rec_build_flags. A sanitizer is there for
# the library that they call; what it instruments in them would take most of the build.
add_library(rec_quick_build INTERFACE)
if(NOT REC_SANITIZE)
  target_compile_options(rec_quick_build INTERFACE $<$<CONFIG:RelWithDebInfo>:-O1>)
elseif(NOT REC_SANITIZE MATCHES "fuzzer")
  target_compile_options(rec_quick_build INTERFACE -O0 -fno-sanitize=undefined)
endif()
