# Warnings and sanitizers, private to this project's own targets.
add_library(rec_build_flags INTERFACE)
target_compile_options(rec_build_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wno-missing-field-initializers
  # The same bits everywhere: no contraction except for explicit fused multiply-adds.
  -ffp-contract=off)
target_compile_definitions(rec_build_flags INTERFACE REC_BUILDS_RECORE)
if(REC_SANITIZE)
  target_compile_options(rec_build_flags INTERFACE -fsanitize=${REC_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(rec_build_flags INTERFACE -fsanitize=${REC_SANITIZE})
endif()
