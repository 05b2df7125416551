# SPDX-License-Identifier: Apache-2.0
# How host code is compiled. Each target of ours links `glint_flags` privately; nothing of it reaches a consumer.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(glint_flags INTERFACE)

set(GLINT_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
set(GLINT_CXX_WARNINGS -Wnon-virtual-dtor -Wold-style-cast)
if(GLINT_DEVELOPER_MODE)
  target_compile_options(
    glint_flags INTERFACE "$<$<COMPILE_LANGUAGE:C,CXX>:${GLINT_WARNINGS}>" "$<$<COMPILE_LANGUAGE:CXX>:${GLINT_CXX_WARNINGS}>"
  )
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC bug 105651: it warns about std::string's own code for `"text" + string`.
  target_compile_options(glint_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()
if(GLINT_WERROR)
  target_compile_options(glint_flags INTERFACE $<$<COMPILE_LANGUAGE:C,CXX>:-Werror>)
endif()

if(GLINT_SANITIZE)
  set(sanitize -fsanitize=${GLINT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(glint_flags INTERFACE ${sanitize})
  target_link_options(glint_flags INTERFACE ${sanitize})
else()
  target_compile_options(glint_flags INTERFACE -fstack-protector-strong -fcf-protection=full)
  # Fortification needs optimization, and glibc warns without it.
  target_compile_options(
    glint_flags INTERFACE "$<$<AND:$<CONFIG:Release>,$<COMPILE_LANGUAGE:C,CXX>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2>"
  )
endif()

# The standard library's own checks, where speed is not what is measured.
target_compile_definitions(glint_flags INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
