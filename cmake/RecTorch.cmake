# LibTorch, for plugins that differentiate. The core never sees it.
option(REC_WITH_TORCH "Build the plugins that need LibTorch" OFF)

if(REC_WITH_TORCH)
  find_package(Torch QUIET)
  if(NOT Torch_FOUND)
    message(FATAL_ERROR "REC_WITH_TORCH is ON, but no LibTorch was found: install libtorch-dev, name one by "
      "-DCMAKE_PREFIX_PATH=..., or build without these plugins by -DREC_WITH_TORCH=OFF")
  endif()
endif()

# rec_use_torch(TARGET): links LibTorch; its headers come precompiled from rec_plugin_torch.
function(rec_use_torch target)
  target_include_directories(${target} SYSTEM PRIVATE ${TORCH_INCLUDE_DIRS})
  target_link_libraries(${target} PRIVATE ${TORCH_LIBRARIES})
  if(NOT target STREQUAL rec_plugin_torch)
    target_precompile_headers(${target} REUSE_FROM rec_plugin_torch)
  endif()
endfunction()
