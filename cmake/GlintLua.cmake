# SPDX-License-Identifier: Apache-2.0
# The Lua interpreter as Debian ships its source, built as a guest program like any other: build/PRESET/examples/lua_interpreter.
# script/fetch-lua, which script/bootstrap calls, puts the source where it is looked for.
set(GLINT_LUA_SOURCE_DIR "${PROJECT_SOURCE_DIR}/build/deps/lua/src" CACHE PATH "Source files of Lua 5.4")

if(NOT EXISTS "${GLINT_LUA_SOURCE_DIR}/lua.c")
  message(STATUS "No Lua source in ${GLINT_LUA_SOURCE_DIR}; run script/fetch-lua to have the Lua interpreter built as a guest")
  return()
endif()

file(GLOB lua_sources "${GLINT_LUA_SOURCE_DIR}/*.c")
list(FILTER lua_sources EXCLUDE REGEX "/luac\\.c$")
# -w: its warnings are not ours to mend.
glint_add_guest(lua_interpreter NO_SDK SOURCES ${lua_sources} OPTIONS -w -DLUA_USE_POSIX LIBS -lm)
