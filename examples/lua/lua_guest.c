/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that runs Lua: Debian's liblua5.4, with two functions of the host in the table `host`. */
#include <glint_guest.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

/* The code of its errors. */
enum { SCRIPT_FAILED = 1 };

GLINT_IMPORT(glint_string, lookup, (glint_string name))
GLINT_IMPORT(void, write_log, (glint_string text))

/* One state for the life of the sandbox: globals stay from call to call. */
static lua_State *lua;

static glint_string text_argument(lua_State *L, int position) {
  size_t size;
  const char *data = luaL_checklstring(L, position, &size);
  return (glint_string){data, size};
}

/* Text that crosses the border must be UTF-8; a Lua string may be anything. */
static bool is_utf8(lua_State *L, glint_string text) {
  lua_getfield(L, LUA_REGISTRYINDEX, "utf8.len");
  lua_pushlstring(L, text.data, text.size);
  lua_call(L, 1, 1);
  bool good = lua_isinteger(L, -1);
  lua_pop(L, 1);
  return good;
}

static void raise_host_error(lua_State *L, const char *function) {
  const glint_error *error = glint_host_error();
  if (error != NULL) luaL_error(L, "%s: %s", function, error->text);
}

static int host_lookup(lua_State *L) {
  glint_string name = text_argument(L, 1);
  luaL_argcheck(L, is_utf8(L, name), 1, "not UTF-8");
  glint_string value = lookup(name);
  raise_host_error(L, "host.lookup");
  lua_pushlstring(L, value.data, value.size);
  return 1;
}

static int host_log(lua_State *L) {
  glint_string text = text_argument(L, 1);
  luaL_argcheck(L, is_utf8(L, text), 1, "not UTF-8");
  write_log(text);
  raise_host_error(L, "host.log");
  return 0;
}

static int prepare(lua_State *L) {
  static const luaL_Reg functions[] = {{"lookup", host_lookup}, {"log", host_log}, {NULL, NULL}};
  luaL_openlibs(L);
  luaL_newlib(L, functions);
  lua_setglobal(L, "host");
  /* Kept where scripts cannot change it. */
  lua_getglobal(L, "utf8");
  lua_getfield(L, -1, "len");
  lua_setfield(L, LUA_REGISTRYINDEX, "utf8.len");
  return 0;
}

/* What a script returned, as one text: values are separated by tabs. */
static void join_results(lua_State *L, int first) {
  int last = lua_gettop(L);
  luaL_Buffer buffer;
  luaL_checkstack(L, 4, NULL);
  luaL_buffinit(L, &buffer);
  for (int i = first; i <= last; ++i) {
    if (i > first) luaL_addchar(&buffer, '\t');
    luaL_tolstring(L, i, NULL);
    luaL_addvalue(&buffer);
  }
  luaL_pushresult(&buffer);
}

/* Everything that may fail happens in here, under lua_pcall(). Its argument is the address of the script. */
static int evaluate(lua_State *L) {
  const glint_string *script = lua_touserdata(L, 1);
  if (luaL_loadbufferx(L, script->data, script->size, "=script", "t") != LUA_OK) return lua_error(L);
  lua_call(L, 0, LUA_MULTRET);
  join_results(L, 2);
  if (!is_utf8(L, text_argument(L, -1))) return luaL_error(L, "what the script returned is not UTF-8 text");
  return 1;
}

/* Turns any error value into text, with the place where it happened. */
static int describe_error(lua_State *L) {
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
  if (!is_utf8(L, text_argument(L, -1)))
    lua_pushliteral(L, "the script failed; its message is not UTF-8 text");
  return 1;
}

GLINT_EXPORT(glint_string, run, (glint_string script)) {
  glint_string result = glint_string_of(NULL);
  lua_settop(lua, 0); /* The last result stood on the stack until now, for the SDK to read it. */
  lua_pushcfunction(lua, describe_error);
  lua_pushcfunction(lua, evaluate);
  lua_pushlightuserdata(lua, &script);
  if (lua_pcall(lua, 1, 1, 1) == LUA_OK) {
    result.data = lua_tolstring(lua, -1, &result.size);
  } else {
    const char *message = lua_tostring(lua, -1);
    glint_return_error(SCRIPT_FAILED, message != NULL ? message : "the script failed without a message");
  }
  return result;
}

int main(void) {
  lua = luaL_newstate();
  if (lua == NULL) return 1;
  lua_pushcfunction(lua, prepare);
  if (lua_pcall(lua, 0, 0, 0) != LUA_OK) return 1;
  return glint_serve();
}
