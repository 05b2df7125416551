# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where: libraries, headers, the tool, a CMake package and pkg-config files. The tree can be
# moved as a whole.
if(NOT GLINT_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)

set(glint_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/Glint")
set(glint_targets glint_guest)
foreach(target glint_shared glint_static)
  if(TARGET ${target})
    list(APPEND glint_targets ${target})
  endif()
endforeach()
install(TARGETS ${glint_targets} EXPORT GlintTargets)
install(EXPORT GlintTargets NAMESPACE glint:: DESTINATION "${glint_package_dir}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/glint" "${PROJECT_SOURCE_DIR}/include/glint_guest"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
if(GLINT_BUILD_CLI)
  install(TARGETS glint_cli)
endif()

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/GlintConfig.cmake.in" "${PROJECT_BINARY_DIR}/GlintConfig.cmake"
                              INSTALL_DESTINATION "${glint_package_dir}" NO_SET_AND_CHECK_MACRO)
# Before 1.0 every minor version may break its users.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/GlintConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/GlintConfig.cmake" "${PROJECT_BINARY_DIR}/GlintConfigVersion.cmake"
        DESTINATION "${glint_package_dir}")

# The prefix as seen from the directory of the .pc files.
file(RELATIVE_PATH GLINT_PC_PREFIX "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
foreach(package glint glint-guest)
  configure_file("${PROJECT_SOURCE_DIR}/cmake/${package}.pc.in" "${PROJECT_BINARY_DIR}/${package}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${package}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endforeach()
