# SPDX-License-Identifier: Apache-2.0
# How guest code is compiled: the libos, the guest SDK, and guest programs.

# Compilers for guest programs. They are those that a guest author has at hand and need not be the host's.
find_program(GLINT_GUEST_CC NAMES gcc cc REQUIRED DOC "C compiler of guest programs")
find_program(GLINT_GUEST_CXX NAMES g++ c++ REQUIRED DOC "C++ compiler of guest programs")
find_program(GLINT_GUEST_MUSL_CC NAMES musl-gcc DOC "C compiler of guest programs that use musl")

# Code for every guest, whatever its libc. These options come last, so they win over a distributor's CMAKE_C_FLAGS:
# nothing may call into a sanitizer, a coverage runtime or a glibc-only helper, or be linked as intermediate code.
set(GLINT_PLAIN_CODE_OPTIONS
    -O2 -g
    -fno-sanitize=all -fno-stack-protector -U_FORTIFY_SOURCE -fcf-protection=none
    -fno-lto -fno-profile-arcs -fno-test-coverage
)

# glint_plain_code(TARGET): compiles the C and assembly files of TARGET for guests.
function(glint_plain_code target)
  set_target_properties(${target} PROPERTIES
    C_STANDARD 11 C_EXTENSIONS ON POSITION_INDEPENDENT_CODE OFF INTERPROCEDURAL_OPTIMIZATION OFF)
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:C>:${GLINT_PLAIN_CODE_OPTIONS}>")
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/include")
  if(GLINT_DEVELOPER_MODE)
    target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:C>:${GLINT_WARNINGS}>")
  endif()
  if(GLINT_WERROR)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:-Werror>)
  endif()
endfunction()

# glint_add_guest(NAME SOURCES file… [CXX | MUSL] [PIE] [OPTIONS option…] [LIBS library…] [NO_SDK] [DEPENDS target…])
#
# Builds a guest program as its author would: `gcc -static` (CXX: g++; MUSL: musl-gcc) with the SDK, into
# CMAKE_CURRENT_BINARY_DIR/NAME. It is no CMake executable, because the sanitizers and flags of the host build must
# not reach it. The target `guest_NAME` has the property GLINT_GUEST_FILE, the path of the program.
function(glint_add_guest name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "CXX;MUSL;PIE;NO_SDK" "" "SOURCES;OPTIONS;LIBS;DEPENDS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "glint_add_guest(${name}): SOURCES missing, or not understood: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(arg_MUSL AND NOT GLINT_GUEST_MUSL_CC)
    message(FATAL_ERROR "glint_add_guest(${name}): no musl-gcc; install musl-tools")
  endif()

  set(compiler ${GLINT_GUEST_CC})
  set(standard -std=gnu11)
  if(arg_CXX)
    set(compiler ${GLINT_GUEST_CXX})
    set(standard -std=gnu++17)
  elseif(arg_MUSL)
    set(compiler ${GLINT_GUEST_MUSL_CC})
  endif()
  set(link -static)
  if(arg_PIE)
    set(link -static-pie -fPIE)
  endif()
  set(warnings)
  if(GLINT_DEVELOPER_MODE)
    set(warnings -Wall -Wextra)
  endif()
  if(GLINT_WERROR)
    list(APPEND warnings -Werror)
  endif()

  set(sdk_headers "${PROJECT_SOURCE_DIR}/include/glint_guest")
  set(sdk)
  set(sdk_depends)
  if(NOT arg_NO_SDK)
    set(sdk $<TARGET_FILE:glint_guest>)
    set(sdk_depends glint_guest)
  endif()
  file(GLOB headers CONFIGURE_DEPENDS "${sdk_headers}/*.h")
  list(TRANSFORM arg_SOURCES PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" REGEX "^[^/]")

  set(program "${CMAKE_CURRENT_BINARY_DIR}/${name}")
  add_custom_command(
    OUTPUT "${program}"
    COMMAND ${compiler} ${standard} -O2 -g ${warnings} ${link} "-I${PROJECT_SOURCE_DIR}/include" "-I${sdk_headers}"
            ${arg_OPTIONS} -o "${program}" ${arg_SOURCES} ${sdk} ${arg_LIBS}
    DEPENDS ${arg_SOURCES} ${headers} ${sdk_depends} ${arg_DEPENDS}
    COMMENT "Building guest ${name}"
    COMMAND_EXPAND_LISTS VERBATIM
  )
  add_custom_target(guest_${name} ALL DEPENDS "${program}")
  set_target_properties(guest_${name} PROPERTIES GLINT_GUEST_FILE "${program}")
endfunction()
