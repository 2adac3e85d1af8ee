# What a user of the library gets: headers, library, plugins, command, CMake package and pkg-config file.
include(CMakePackageConfigHelpers)

install(TARGETS recore EXPORT recoreTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS recore_worker RUNTIME DESTINATION ${CMAKE_INSTALL_LIBDIR}/recore)
install(FILES include/rec_c_api.h include/rec_plugin_api.h include/rec_plugin_cpp.h include/rec_reader_api.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES include/recore/plugin_call.h include/recore/plugin_fields.h include/recore/plugin_model.h
  include/recore/plugin_parameter.h include/recore/plugin_torch.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/recore)
install(EXPORT recoreTargets NAMESPACE recore:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/recore)

set(REC_PLUGINS_INSTALL_FOLDER ${CMAKE_INSTALL_LIBDIR}/recore/plugins)
configure_package_config_file(cmake/recoreConfig.cmake.in ${PROJECT_BINARY_DIR}/recoreConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/recore PATH_VARS REC_PLUGINS_INSTALL_FOLDER)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/recoreConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/recoreConfig.cmake ${PROJECT_BINARY_DIR}/recoreConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/recore)

# Relative to the file itself, so that the installed tree can be placed anywhere and moved.
file(RELATIVE_PATH REC_PREFIX_FROM_PC /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" REC_PREFIX_FROM_PC "${REC_PREFIX_FROM_PC}")
configure_file(cmake/recore.pc.in ${PROJECT_BINARY_DIR}/recore.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/recore.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

include(RecSbom)
install(FILES LICENSE ${PROJECT_BINARY_DIR}/recore.spdx.json DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/recore)
