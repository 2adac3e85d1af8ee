# rec_add_plugin(NAME SOURCES ...): librecore_NAME.so, where the library looks for it.
function(rec_add_plugin name)
  cmake_parse_arguments(arg "" "" "SOURCES" ${ARGN})
  add_library(recore_${name} MODULE ${arg_SOURCES})
  target_include_directories(recore_${name} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(recore_${name} PRIVATE rec_plugin_common rec_build_flags)
  target_link_options(recore_${name} PRIVATE -Wl,--exclude-libs,ALL)
  set_target_properties(recore_${name} PROPERTIES
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/recore/plugins)
  install(TARGETS recore_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/recore/plugins)
  set_property(GLOBAL APPEND PROPERTY REC_PLUGINS ${name})
endfunction()
