/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_GUEST_H
#define GLINT_GUEST_H

/*
 * For authors of guests: C11, C++17 and later.
 *
 *   #include <glint_guest.h>
 *   GLINT_IMPORT(void, progress, (uint32_t percent))
 *   GLINT_EXPORT(int64_t, add, (int64_t a, int64_t b)) { progress(50); return a + b; }
 *
 * Link statically with libglint_guest.a. In Glint the program then waits for calls; as an ordinary Linux
 * process it is a small command line (`./adder add 1 2`, or `./adder` for a list), so that it can be
 * debugged.
 *
 * Types of parameters and results: bool, int32_t, uint32_t, int64_t, uint64_t, float, double, glint_string,
 * glint_bytes; void as a result. 0 to 32 parameters, each with a name.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "abi.h" /* beside this file, however it was found */

#ifdef __cplusplus
#include <string_view>
#if defined(__cpp_lib_span) || (__cplusplus >= 202002L && __has_include(<span>))
#include <span>
#endif
extern "C" {
#endif

/* ---- types --------------------------------------------------------------------------------------- */

/* UTF-8 text, not NUL-terminated. A view: it owns nothing. As a parameter it is valid until the function
 * returns; as the result of an import until the next call of an import or the end of the function, whichever
 * is first. A function that returns one keeps the memory valid until its next call; the SDK copies it. */
typedef struct glint_string {
  const char *data;
  size_t size; /* bytes; at most GLINT_MAX_PAYLOAD */
#ifdef __cplusplus
  operator std::string_view() const { return {data, size}; }
#endif
} glint_string;

/* Any bytes; otherwise as glint_string. */
typedef struct glint_bytes {
  const uint8_t *data;
  size_t size; /* bytes; at most GLINT_MAX_PAYLOAD */
#if defined(__cplusplus) && defined(__cpp_lib_span)
  operator std::span<const uint8_t>() const { return {data, size}; }
#endif
} glint_bytes;

/* An error of the host, or of passing values to it. */
typedef struct glint_error {
  int32_t code;     /* the host function's own, or GLINT_ERROR_TOO_LARGE     */
  const char *text; /* NUL-terminated UTF-8, never NULL; cut at 4,095 bytes  */
} glint_error;

/* A value is longer than GLINT_MAX_PAYLOAD, or the host gave no room for it. */
#define GLINT_ERROR_TOO_LARGE (-5)

/* ---- functions ------------------------------------------------------------------------------------- */

/* Serves calls for ever when in Glint. The library's main() does just that; a program with start-up work of
 * its own has its own main() that ends with `return glint_serve();`. Outside Glint it runs the command line
 * that the process was started with once, and returns its exit status. */
int glint_serve(void);

/* Ends the current call with an ordinary error, which does not harm the sandbox: what the function then
 * returns is ignored. `text` (NUL-terminated UTF-8; NULL for none) is copied. The last one counts. */
void glint_return_error(int32_t code, const char *text);

/* How the last call of an import ended: NULL if well. After a failure the import has returned zero or an
 * empty view. Valid until the next call of an import. */
const glint_error *glint_host_error(void);

/* `size` bytes, not zeroed, for a string or bytes result that is then returned without being copied. All or
 * part of it may be returned, or none. It ends with the call. NULL when there is no room. */
void *glint_result_buffer(size_t size);

/* A view of NUL-terminated text, which must stay where it is; NULL gives an empty one. */
static inline glint_string glint_string_of(const char *text) {
  const glint_string view = {text, text != NULL ? strlen(text) : 0};
  return view;
}

static inline glint_bytes glint_bytes_of(const void *data, size_t size) {
#ifdef __cplusplus
  const glint_bytes view = {static_cast<const uint8_t *>(data), size};
#else
  const glint_bytes view = {(const uint8_t *)data, size};
#endif
  return view;
}

/* ---- declaring functions ------------------------------------------------------------------------------
 *
 * GLINT_EXPORT(int64_t, add, (int64_t a, int64_t b)) { return a + b; }
 *   defines a static function of that name and type, and makes it callable by the host. It is not inlined, so
 * that the report of a fault in it names it.
 *
 * GLINT_IMPORT(void, progress, (uint32_t percent))
 *   defines a static function of that name and type that calls the host. See glint_host_error().
 *
 * GLINT_IMPORT_STUB(void, progress, (uint32_t percent)) { … }
 *   what stands in for an import outside Glint; it may be in another file. Without one, the call is printed
 * on stderr and zero or an empty view is returned.
 *
 * Names have at most 63 bytes. Two functions of one name in a program are an error of the host.
 */
#define GLINT_EXPORT(result, name, params)                                                       \
  __attribute__((noinline)) static result name GLINT_PROTOTYPE(params);                          \
  GLINT_CHECK(result, #name, params, &name)                                                      \
  GLINT_THUNK(result, name, glint_thunk_##name, params)                                          \
  GLINT_ENTRY("glint_functions", GLINT_ABI_EXPORT, result, glint_function_##name, #name, params, \
              glint_thunk_##name);                                                               \
  static result name GLINT_PROTOTYPE(params)

#define GLINT_IMPORT(result, name, params)                                                       \
  __attribute__((unused)) static result name GLINT_PROTOTYPE(params);                            \
  GLINT_CHECK(result, #name, params, &name)                                                      \
  GLINT_ENTRY("glint_functions", GLINT_ABI_IMPORT, result, glint_function_##name, #name, params, \
              glint_sdk_import);                                                                 \
  static result name GLINT_PROTOTYPE(params) {                                                   \
    const struct glint_abi_value glint_arguments[] = {                                           \
        GLINT_EACH(GLINT_PUT_, GLINT_NOTHING, GLINT_STRIP params){0, 0, 0}};                     \
    GLINT_PASTE(GLINT_CALL_, GLINT_SUFFIX(result))                                               \
    (glint_sdk_call(&glint_function_##name, glint_arguments))                                    \
  }

#define GLINT_IMPORT_STUB(result, name, params)                                                \
  static result glint_stub_##name GLINT_PROTOTYPE(params);                                     \
  GLINT_CHECK(result, #name, params, &glint_stub_##name)                                       \
  GLINT_THUNK(result, glint_stub_##name, glint_stub_thunk_##name, params)                      \
  GLINT_ENTRY("glint_stubs", GLINT_ABI_IMPORT, result, glint_stub_entry_##name, #name, params, \
              glint_stub_thunk_##name);                                                        \
  static result glint_stub_##name GLINT_PROTOTYPE(params)

/* ============================ what the macros are made of; not for users =================================
 */

/* Inside the SDK, a string or bytes value that comes from the host holds an offset from glint_sdk_base, and
 * one that goes to it an address. Outside Glint the base is 0, and both are addresses. */
extern uintptr_t glint_sdk_base;

/* Decodes the values before `end`, calls the function, encodes its result. */
typedef struct glint_abi_value glint_sdk_thunk(const struct glint_abi_value *end);

/* struct glint_abi_function, with a pointer that the linker can fill in. */
struct glint_sdk_function {
  uint8_t kind, result, param_count, reserved[5];
  uint8_t params[GLINT_ABI_MAX_PARAMS];
  char name[GLINT_ABI_NAME_SIZE];
  glint_sdk_thunk *thunk;
};
GLINT_ABI_STATIC_ASSERT(sizeof(struct glint_sdk_function) == sizeof(struct glint_abi_function), "layout");
GLINT_ABI_STATIC_ASSERT(offsetof(struct glint_sdk_function, thunk) ==
                            offsetof(struct glint_abi_function, thunk),
                        "layout");

struct glint_abi_value glint_sdk_call(const struct glint_sdk_function *function,
                                      const struct glint_abi_value *arguments);
/* The thunk of every import. It is never called; an entry without an address would be placed in a section of
 * another kind than the others by compilers that make position-independent code. */
glint_sdk_thunk glint_sdk_import;

/* ---- values: for each type X, glint_X_type, glint_X_code, glint_X_get and glint_X_put ---- */
#ifdef __cplusplus
#define GLINT_AS_(type, value) static_cast<type>(value)
#define GLINT_ADDRESS_(pointer) reinterpret_cast<uintptr_t>(pointer)
#define GLINT_POINTER_(type, address) reinterpret_cast<const type *>(address)
#else
#define GLINT_AS_(type, value) ((type)(value))
#define GLINT_ADDRESS_(pointer) ((uintptr_t)(pointer))
#define GLINT_POINTER_(type, address) ((const type *)(address))
#endif

#define GLINT_SCALAR_(suffix, ctype, pattern, abi_code)                   \
  typedef ctype suffix##_type;                                            \
  enum { suffix##_code = abi_code };                                      \
  static inline ctype suffix##_get(const struct glint_abi_value *value) { \
    const pattern bits = GLINT_AS_(pattern, value->bits);                 \
    ctype result;                                                         \
    memcpy(&result, &bits, sizeof result);                                \
    return result;                                                        \
  }                                                                       \
  static inline struct glint_abi_value suffix##_put(ctype scalar) {       \
    pattern bits;                                                         \
    memcpy(&bits, &scalar, sizeof bits);                                  \
    const struct glint_abi_value value = {abi_code, 0, bits};             \
    return value;                                                         \
  }
GLINT_SCALAR_(glint_bool, bool, uint8_t, GLINT_ABI_BOOL)
GLINT_SCALAR_(glint_i32, int32_t, uint32_t, GLINT_ABI_I32)
GLINT_SCALAR_(glint_u32, uint32_t, uint32_t, GLINT_ABI_U32)
GLINT_SCALAR_(glint_i64, int64_t, uint64_t, GLINT_ABI_I64)
GLINT_SCALAR_(glint_u64, uint64_t, uint64_t, GLINT_ABI_U64)
GLINT_SCALAR_(glint_f32, float, uint32_t, GLINT_ABI_F32)
GLINT_SCALAR_(glint_f64, double, uint64_t, GLINT_ABI_F64)

/* A size that does not fit becomes one that is refused where the value is sent. */
#define GLINT_VIEW_(suffix, ctype, element, abi_code)                                             \
  typedef ctype suffix##_type;                                                                    \
  enum { suffix##_code = abi_code };                                                              \
  static inline ctype suffix##_get(const struct glint_abi_value *value) {                         \
    const ctype view = {GLINT_POINTER_(element, glint_sdk_base + value->bits), value->length};    \
    return view;                                                                                  \
  }                                                                                               \
  static inline struct glint_abi_value suffix##_put(ctype view) {                                 \
    const uint32_t length = view.size < UINT32_MAX ? GLINT_AS_(uint32_t, view.size) : UINT32_MAX; \
    const struct glint_abi_value value = {abi_code, length, GLINT_ADDRESS_(view.data)};           \
    return value;                                                                                 \
  }
GLINT_VIEW_(glint_text, glint_string, char, GLINT_ABI_STRING)
GLINT_VIEW_(glint_blob, glint_bytes, uint8_t, GLINT_ABI_BYTES)

typedef void glint_none_type;
enum { glint_none_code = GLINT_ABI_VOID };

/* A type that the macros do not know; GLINT_CHECK has the message, these keep other messages away. */
typedef int glint_unknown_type;
enum { glint_unknown_code = 255 };
static inline int glint_unknown_get(const struct glint_abi_value *value) {
  return GLINT_AS_(int, value->length);
}
static inline struct glint_abi_value glint_unknown_put(int unused) {
  const struct glint_abi_value value = {0, 0, GLINT_AS_(uint64_t, unused)};
  return value;
}
extern int glint_unknown_name;

/* How a thunk passes on the result of a function, and an import that of the host. */
#define GLINT_RETURN_(suffix, call) return suffix##_put(call);
#define GLINT_RETURN_glint_none(call)                                 \
  call;                                                               \
  {                                                                   \
    const struct glint_abi_value glint_void = {GLINT_ABI_VOID, 0, 0}; \
    return glint_void;                                                \
  }
#define GLINT_RETURN_glint_bool(call) GLINT_RETURN_(glint_bool, call)
#define GLINT_RETURN_glint_i32(call) GLINT_RETURN_(glint_i32, call)
#define GLINT_RETURN_glint_u32(call) GLINT_RETURN_(glint_u32, call)
#define GLINT_RETURN_glint_i64(call) GLINT_RETURN_(glint_i64, call)
#define GLINT_RETURN_glint_u64(call) GLINT_RETURN_(glint_u64, call)
#define GLINT_RETURN_glint_f32(call) GLINT_RETURN_(glint_f32, call)
#define GLINT_RETURN_glint_f64(call) GLINT_RETURN_(glint_f64, call)
#define GLINT_RETURN_glint_text(call) GLINT_RETURN_(glint_text, call)
#define GLINT_RETURN_glint_blob(call) GLINT_RETURN_(glint_blob, call)
#define GLINT_RETURN_glint_unknown(call) GLINT_RETURN_(glint_unknown, (call, 0))

#define GLINT_CALL_(suffix, call)                   \
  const struct glint_abi_value glint_answer = call; \
  return suffix##_get(&glint_answer);
#define GLINT_CALL_glint_none(call) call;
#define GLINT_CALL_glint_bool(call) GLINT_CALL_(glint_bool, call)
#define GLINT_CALL_glint_i32(call) GLINT_CALL_(glint_i32, call)
#define GLINT_CALL_glint_u32(call) GLINT_CALL_(glint_u32, call)
#define GLINT_CALL_glint_i64(call) GLINT_CALL_(glint_i64, call)
#define GLINT_CALL_glint_u64(call) GLINT_CALL_(glint_u64, call)
#define GLINT_CALL_glint_f32(call) GLINT_CALL_(glint_f32, call)
#define GLINT_CALL_glint_f64(call) GLINT_CALL_(glint_f64, call)
#define GLINT_CALL_glint_text(call) GLINT_CALL_(glint_text, call)
#define GLINT_CALL_glint_blob(call) GLINT_CALL_(glint_blob, call)
#define GLINT_CALL_glint_unknown(call) GLINT_CALL_(glint_unknown, call)

/* ---- the first word of a parameter says its type: GLINT_S_<word> is `, suffix,` ---- */
#define GLINT_S_bool , glint_bool,
#define GLINT_S__Bool , glint_bool, /* what bool is in <stdbool.h> */
#define GLINT_S_int32_t , glint_i32,
#define GLINT_S_uint32_t , glint_u32,
#define GLINT_S_int64_t , glint_i64,
#define GLINT_S_uint64_t , glint_u64,
#define GLINT_S_float , glint_f32,
#define GLINT_S_double , glint_f64,
#define GLINT_S_glint_string , glint_text,
#define GLINT_S_glint_bytes , glint_blob,
#define GLINT_S_void , glint_none,

#define GLINT_SECOND(...) GLINT_SECOND_(__VA_ARGS__, ~)
#define GLINT_SECOND_(a, b, ...) b
#define GLINT_THIRD(...) GLINT_THIRD_(__VA_ARGS__, ~)
#define GLINT_THIRD_(a, b, c, ...) c
/* `int64_t a` becomes `, glint_i64, a`: of that the suffix, and the name. */
#define GLINT_SUFFIX(param) GLINT_SECOND(GLINT_S_##param, glint_unknown, ~)
#define GLINT_NAME(param) GLINT_THIRD(GLINT_S_##param, glint_unknown, glint_unknown_name, ~)

/* Each pastes at one level only: a macro is not expanded again inside itself. */
#define GLINT_PASTE(a, b) GLINT_PASTE_(a, b)
#define GLINT_PASTE_(a, b) a##b
#define GLINT_JOIN(a, b) GLINT_JOIN_(a, b)
#define GLINT_JOIN_(a, b) a##b
#define GLINT_STRIP(...) __VA_ARGS__
#define GLINT_NOTHING()
#define GLINT_COMMA() ,

/* 1 for the parameters () and (void), else 0. */
#define GLINT_IS_NONE(...) GLINT_IS_NONE_(__VA_ARGS__, ~)
#define GLINT_IS_NONE_(param, ...) GLINT_SECOND(GLINT_NONE_##param, 0, ~)
#define GLINT_NONE_ , 1,
#define GLINT_NONE_void , 1,

/* The parameters as the user wrote them, but (void) for (). */
#define GLINT_PROTOTYPE(params) GLINT_PROTOTYPE_(params, GLINT_FIRST params)
#define GLINT_FIRST(...) GLINT_FIRST_(__VA_ARGS__, ~)
#define GLINT_FIRST_(param, ...) param
#define GLINT_PROTOTYPE_(params, param) GLINT_PROTOTYPE__(params, param)
#define GLINT_PROTOTYPE__(params, param) GLINT_SECOND(GLINT_EMPTY_##param, params, ~)
#define GLINT_EMPTY_ , (void),

/* How many parameters. */
#define GLINT_COUNT(...) GLINT_JOIN(GLINT_COUNT_, GLINT_IS_NONE(__VA_ARGS__))(__VA_ARGS__)
#define GLINT_COUNT_1(...) 0
#define GLINT_COUNT_0(...)                                                                                   \
  GLINT_COUNT__(__VA_ARGS__, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, 32, 31, 30, 29, 28, 27, 26, 25, \
                24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, ~)
#define GLINT_COUNT__(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, \
                      a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32, a33, a34, a35, a36,  \
                      a37, a38, a39, a40, n, ...)                                                           \
  n

/* GLINT_EACH(m, s, params…): m(n, param) for each, with s() between; n counts down to 1. */
#define GLINT_EACH(m, s, ...) GLINT_JOIN(GLINT_EACH_, GLINT_COUNT(__VA_ARGS__))(m, s, __VA_ARGS__)
#define GLINT_EACH_MANY(m, s, ...) glint_a_function_has_at_most_32_parameters
#define GLINT_EACH_0(m, s, ...)
#define GLINT_EACH_1(m, s, p) m(1, p)
#define GLINT_EACH_2(m, s, p, ...) m(2, p) s() GLINT_EACH_1(m, s, __VA_ARGS__)
#define GLINT_EACH_3(m, s, p, ...) m(3, p) s() GLINT_EACH_2(m, s, __VA_ARGS__)
#define GLINT_EACH_4(m, s, p, ...) m(4, p) s() GLINT_EACH_3(m, s, __VA_ARGS__)
#define GLINT_EACH_5(m, s, p, ...) m(5, p) s() GLINT_EACH_4(m, s, __VA_ARGS__)
#define GLINT_EACH_6(m, s, p, ...) m(6, p) s() GLINT_EACH_5(m, s, __VA_ARGS__)
#define GLINT_EACH_7(m, s, p, ...) m(7, p) s() GLINT_EACH_6(m, s, __VA_ARGS__)
#define GLINT_EACH_8(m, s, p, ...) m(8, p) s() GLINT_EACH_7(m, s, __VA_ARGS__)
#define GLINT_EACH_9(m, s, p, ...) m(9, p) s() GLINT_EACH_8(m, s, __VA_ARGS__)
#define GLINT_EACH_10(m, s, p, ...) m(10, p) s() GLINT_EACH_9(m, s, __VA_ARGS__)
#define GLINT_EACH_11(m, s, p, ...) m(11, p) s() GLINT_EACH_10(m, s, __VA_ARGS__)
#define GLINT_EACH_12(m, s, p, ...) m(12, p) s() GLINT_EACH_11(m, s, __VA_ARGS__)
#define GLINT_EACH_13(m, s, p, ...) m(13, p) s() GLINT_EACH_12(m, s, __VA_ARGS__)
#define GLINT_EACH_14(m, s, p, ...) m(14, p) s() GLINT_EACH_13(m, s, __VA_ARGS__)
#define GLINT_EACH_15(m, s, p, ...) m(15, p) s() GLINT_EACH_14(m, s, __VA_ARGS__)
#define GLINT_EACH_16(m, s, p, ...) m(16, p) s() GLINT_EACH_15(m, s, __VA_ARGS__)
#define GLINT_EACH_17(m, s, p, ...) m(17, p) s() GLINT_EACH_16(m, s, __VA_ARGS__)
#define GLINT_EACH_18(m, s, p, ...) m(18, p) s() GLINT_EACH_17(m, s, __VA_ARGS__)
#define GLINT_EACH_19(m, s, p, ...) m(19, p) s() GLINT_EACH_18(m, s, __VA_ARGS__)
#define GLINT_EACH_20(m, s, p, ...) m(20, p) s() GLINT_EACH_19(m, s, __VA_ARGS__)
#define GLINT_EACH_21(m, s, p, ...) m(21, p) s() GLINT_EACH_20(m, s, __VA_ARGS__)
#define GLINT_EACH_22(m, s, p, ...) m(22, p) s() GLINT_EACH_21(m, s, __VA_ARGS__)
#define GLINT_EACH_23(m, s, p, ...) m(23, p) s() GLINT_EACH_22(m, s, __VA_ARGS__)
#define GLINT_EACH_24(m, s, p, ...) m(24, p) s() GLINT_EACH_23(m, s, __VA_ARGS__)
#define GLINT_EACH_25(m, s, p, ...) m(25, p) s() GLINT_EACH_24(m, s, __VA_ARGS__)
#define GLINT_EACH_26(m, s, p, ...) m(26, p) s() GLINT_EACH_25(m, s, __VA_ARGS__)
#define GLINT_EACH_27(m, s, p, ...) m(27, p) s() GLINT_EACH_26(m, s, __VA_ARGS__)
#define GLINT_EACH_28(m, s, p, ...) m(28, p) s() GLINT_EACH_27(m, s, __VA_ARGS__)
#define GLINT_EACH_29(m, s, p, ...) m(29, p) s() GLINT_EACH_28(m, s, __VA_ARGS__)
#define GLINT_EACH_30(m, s, p, ...) m(30, p) s() GLINT_EACH_29(m, s, __VA_ARGS__)
#define GLINT_EACH_31(m, s, p, ...) m(31, p) s() GLINT_EACH_30(m, s, __VA_ARGS__)
#define GLINT_EACH_32(m, s, p, ...) m(32, p) s() GLINT_EACH_31(m, s, __VA_ARGS__)

/* What is done for each parameter. */
#define GLINT_CODE_(n, param) GLINT_PASTE(GLINT_SUFFIX(param), _code)
#define GLINT_KNOWN_(n, param) &&GLINT_PASTE(GLINT_SUFFIX(param), _code) != 255
#define GLINT_TYPE_(n, param) GLINT_PASTE(GLINT_SUFFIX(param), _type)
#define GLINT_GET_(n, param) GLINT_PASTE(GLINT_SUFFIX(param), _get)(glint_end - (n))
#define GLINT_PUT_(n, param) GLINT_PASTE(GLINT_SUFFIX(param), _put)(GLINT_NAME(param)),

/* Lists that must not be empty. */
#define GLINT_CODES(...) GLINT_JOIN(GLINT_CODES_, GLINT_IS_NONE(__VA_ARGS__))(__VA_ARGS__)
#define GLINT_CODES_1(...) 0
#define GLINT_CODES_0(...) GLINT_EACH(GLINT_CODE_, GLINT_COMMA, __VA_ARGS__)
#define GLINT_TYPES(...) GLINT_JOIN(GLINT_TYPES_, GLINT_IS_NONE(__VA_ARGS__))(__VA_ARGS__)
#define GLINT_TYPES_1(...) void
#define GLINT_TYPES_0(...) GLINT_EACH(GLINT_TYPE_, GLINT_COMMA, __VA_ARGS__)

#if defined(__has_attribute)
#if __has_attribute(retain)
#define GLINT_RETAIN_ , retain /* also with -Wl,--gc-sections */
#endif
#endif
#ifndef GLINT_RETAIN_
#define GLINT_RETAIN_
#endif

#define GLINT_THUNK(result, function, thunk, params)                             \
  static struct glint_abi_value thunk(const struct glint_abi_value *glint_end) { \
    (void)glint_end;                                                             \
    GLINT_PASTE(GLINT_RETURN_, GLINT_SUFFIX(result))                             \
    (function(GLINT_EACH(GLINT_GET_, GLINT_COMMA, GLINT_STRIP params)))          \
  }

/* Aligned by hand: compilers align large objects more, and the table would have gaps. */
#define GLINT_ENTRY(section_name, kind, result, entry, name, params, thunk)                                \
  static const struct glint_sdk_function entry __attribute__((section(section_name), used GLINT_RETAIN_,   \
                                                              aligned(16))) = {                            \
      kind, GLINT_PASTE(GLINT_SUFFIX(result), _code), GLINT_COUNT params, {0}, {GLINT_CODES params}, name, \
      thunk}

#define GLINT_USE_FIXED_TYPES_                                                                         \
  "Glint: use bool, int32_t, uint32_t, int64_t, uint64_t, float, double, glint_string or glint_bytes " \
  "(fixed-width types, without const, pointers or std::), or void as a result"

#define GLINT_CHECK(result, name, params, address)                                                    \
  GLINT_ABI_STATIC_ASSERT(sizeof(name) <= GLINT_ABI_NAME_SIZE, "Glint: a name has at most 63 bytes"); \
  GLINT_ABI_STATIC_ASSERT(                                                                            \
      GLINT_CODE_(0, result) != 255 GLINT_EACH(GLINT_KNOWN_, GLINT_NOTHING, GLINT_STRIP params),      \
      GLINT_USE_FIXED_TYPES_);                                                                        \
  GLINT_ABI_STATIC_ASSERT(                                                                            \
      GLINT_SAME_TYPE(__typeof__(address), GLINT_TYPE_(0, result) (*)(GLINT_TYPES params)),           \
      GLINT_USE_FIXED_TYPES_);

#ifdef __cplusplus
} /* extern "C" */

/* A view of text that must stay where it is. */
inline glint_string glint_string_of(std::string_view text) { return {text.data(), text.size()}; }

template <class A, class B>
inline constexpr bool glint_sdk_same_type = false;
template <class A>
inline constexpr bool glint_sdk_same_type<A, A> = true;
#define GLINT_SAME_TYPE(...) glint_sdk_same_type<__VA_ARGS__>
#else
#define GLINT_SAME_TYPE(...) __builtin_types_compatible_p(__VA_ARGS__)
#endif

#endif
