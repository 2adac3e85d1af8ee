# rec_add_plugin(NAME [TORCH] SOURCES ...): librecore_NAME.so, where the library looks for it. TORCH: its sources except
# plugin.cpp may use LibTorch; without REC_WITH_TORCH such a plugin is not built.
function(rec_add_plugin name)
  cmake_parse_arguments(arg "TORCH" "" "SOURCES" ${ARGN})
  if(arg_TORCH AND NOT REC_WITH_TORCH)
    return()
  endif()
  add_library(recore_${name} MODULE ${arg_SOURCES})
  target_include_directories(recore_${name} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(recore_${name} PRIVATE rec_plugin_common rec_build_flags)
  if(NOT REC_SANITIZE)
    target_compile_options(recore_${name} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-O3>)  # element-wise loops become vectors
  endif()
  # Headers of other libraries declare templates visible; the map keeps them inside.
  target_link_options(recore_${name} PRIVATE -Wl,--exclude-libs,ALL
    -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/plugin.map)
  set_target_properties(recore_${name} PROPERTIES LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/plugin.map)
  set_target_properties(recore_${name} PROPERTIES
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/recore/plugins)
  if(arg_TORCH)
    rec_use_torch(recore_${name})
    target_link_libraries(recore_${name} PRIVATE rec_plugin_torch)
    set_source_files_properties(plugin.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    set_property(GLOBAL APPEND PROPERTY REC_TORCH_PLUGINS ${name})
  endif()
  install(TARGETS recore_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/recore/plugins)
  set_property(GLOBAL APPEND PROPERTY REC_PLUGINS ${name})
endfunction()

# rec_packed_plugins(TARGETS FILES): the plugins that a jar and a wheel carry, those without LibTorch.
function(rec_packed_plugins out_targets out_files)
  get_property(plugins GLOBAL PROPERTY REC_PLUGINS)
  get_property(torch_plugins GLOBAL PROPERTY REC_TORCH_PLUGINS)
  list(REMOVE_ITEM plugins ${torch_plugins} "")
  list(TRANSFORM plugins PREPEND recore_)
  set(${out_targets} ${plugins} PARENT_SCOPE)
  list(TRANSFORM plugins REPLACE "(.+)" "$<TARGET_FILE:\\1>")
  set(${out_files} ${plugins} PARENT_SCOPE)
endfunction()
