# SPDX-License-Identifier: Apache-2.0
# Everything that can be chosen about a build of Glint.
include(CMakeDependentOption)

# Someone who builds Glint as a part of something else wants the library, and no tests, tools or warnings.
option(GLINT_DEVELOPER_MODE "Offer tests, benchmarks, fuzzers and examples, and turn warnings on" ${PROJECT_IS_TOP_LEVEL})

option(GLINT_BUILD_SHARED "Build libglint.so" ON)
option(GLINT_BUILD_STATIC "Build libglint.a" ON)
option(GLINT_BUILD_CLI "Build the command-line tool" ${PROJECT_IS_TOP_LEVEL})
option(GLINT_INSTALL "Create the install rules" ${PROJECT_IS_TOP_LEVEL})

cmake_dependent_option(GLINT_BUILD_TESTS "Build the tests" ON GLINT_DEVELOPER_MODE OFF)
cmake_dependent_option(GLINT_BUILD_EXAMPLES "Build the examples" ON GLINT_DEVELOPER_MODE OFF)
cmake_dependent_option(GLINT_BUILD_BENCH "Build the benchmarks" OFF GLINT_DEVELOPER_MODE OFF)
cmake_dependent_option(GLINT_BUILD_FUZZERS "Build the fuzzers (clang only)" OFF GLINT_DEVELOPER_MODE OFF)
cmake_dependent_option(GLINT_WERROR "Treat warnings as errors" OFF GLINT_DEVELOPER_MODE OFF)

set(GLINT_SANITIZE "" CACHE STRING "Sanitizers of host code, as for -fsanitize= (guests never get any)")
set_property(CACHE GLINT_SANITIZE PROPERTY STRINGS "" "address,undefined" "thread")

if(NOT GLINT_BUILD_SHARED AND NOT GLINT_BUILD_STATIC)
  message(FATAL_ERROR "GLINT_BUILD_SHARED and GLINT_BUILD_STATIC are both off; nothing would be built")
endif()
if(GLINT_BUILD_FUZZERS AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "GLINT_BUILD_FUZZERS needs clang (libFuzzer); try: cmake --preset fuzz")
endif()
