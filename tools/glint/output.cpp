// SPDX-License-Identifier: Apache-2.0
#include "output.hpp"

#include <unistd.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "files.hpp"

namespace glint::cli {
namespace {

constexpr size_t kQuotedLength = 60;

// Has the guest begun a line on standard error, and not ended it?
bool guest_line_is_open = false;

void write_line(const std::string& line) {
  // Where standard error cannot be written to, there is nobody left to tell.
  static_cast<void>(write_all(STDERR_FILENO, (guest_line_is_open ? "\n" : "") + line + "\n"));
  guest_line_is_open = false;
}

std::string escape(unsigned char byte) {
  switch (byte) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default: {
      constexpr std::string_view kDigits = "0123456789abcdef";
      return std::string("\\x") + kDigits[byte >> 4] + kDigits[byte & 15];
    }
  }
}

template <class T>
std::string shortest(T number) {
  std::array<char, 64> text;  // more than any double needs: 24 characters
  const auto result = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), result.ptr};
}

// JSON has no names for these numbers.
template <class T>
Json floating_json(T number) {
  if (!std::isfinite(number)) return shortest(number);
  // By way of the text, so that an f32 of 0.1 is not shown as 0.10000000149.
  const std::string text = shortest(number);
  double wide = 0;
  std::from_chars(text.data(), text.data() + text.size(), wide);
  return wide;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (size_t k = 0; k < 4; ++k) {
      text += k <= count ? kAlphabet[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

}  // namespace

void print(std::string_view text) {
  if (const int error = write_all(STDOUT_FILENO, text); error != 0) {
    throw Error(GLINT_E_SYSTEM, std::string("cannot write to standard output: ") + std::strerror(error));
  }
}

void print_json(const Json& object) {
  // Texts come from guests and need not be UTF-8, which JSON must be.
  print(object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

void complain(std::string_view line) { write_line("glint: " + printable(line)); }

void report_line(std::string_view line) { write_line(std::string(line)); }

int write_guest_text(int stream, std::string_view text) noexcept {
  if (stream == STDERR_FILENO && !text.empty()) guest_line_is_open = text.back() != '\n';
  return write_all(stream, text);
}

std::string printable(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are control characters, too; in UTF-8, 0xc2 and one of 0x80 to 0x9f.
    const bool c1 = byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (byte < 0x20 || byte == 0x7f || c1) {
      result += escape(byte);
      if (c1) result += escape(static_cast<unsigned char>(text[++i]));
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string quote(std::string_view text) {
  if (text.size() <= kQuotedLength) return "\"" + printable(text) + "\"";
  size_t cut = kQuotedLength;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;  // not within a character
  return "\"" + printable(text.substr(0, cut)) + "…\"";
}

std::string hex(uint64_t value) {
  std::array<char, 16> text;
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value, 16);
  return "0x" + std::string(text.data(), result.ptr);
}

std::string human_size(uint64_t bytes) {
  constexpr std::array<std::string_view, 4> kUnits = {" bytes", " KiB", " MiB", " GiB"};
  size_t unit = 0;
  while (unit + 1 < kUnits.size() && bytes >= 1024 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + std::string(kUnits[unit]);
}

std::string_view payload_of(const glint_value& value) {
  return {static_cast<const char*>(value.as.bytes.data), value.as.bytes.size};
}

std::string describe(const glint_value& value) {
  switch (value.type) {
    case GLINT_VOID:
      return "nothing";
    case GLINT_STRING:
      return quote(payload_of(value));
    case GLINT_BYTES:
      return std::to_string(value.as.bytes.size) + " bytes";
    default:
      return plain(value);
  }
}

std::string describe_all(const glint_value* values, size_t count) {
  std::string text = "(";
  for (size_t i = 0; i < count; ++i) text += (i == 0 ? "" : ", ") + describe(values[i]);
  return text + ")";
}

std::string plain(const glint_value& value) {
  switch (value.type) {
    case GLINT_BOOL:
      return value.as.boolean != 0 ? "true" : "false";
    case GLINT_I32:
      return std::to_string(value.as.i32);
    case GLINT_U32:
      return std::to_string(value.as.u32);
    case GLINT_I64:
      return std::to_string(value.as.i64);
    case GLINT_U64:
      return std::to_string(value.as.u64);
    case GLINT_F32:
      return shortest(value.as.f32);
    case GLINT_F64:
      return shortest(value.as.f64);
    case GLINT_STRING:
    case GLINT_BYTES:
      return std::string(payload_of(value));
    default:
      return {};
  }
}

std::string hex_bytes(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "hex:";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Json json_of(const glint_value& value) {
  switch (value.type) {
    case GLINT_BOOL:
      return value.as.boolean != 0;
    case GLINT_I32:
      return value.as.i32;
    case GLINT_U32:
      return value.as.u32;
    case GLINT_I64:
      return value.as.i64;
    case GLINT_U64:
      return value.as.u64;
    case GLINT_F32:
      return floating_json(value.as.f32);
    case GLINT_F64:
      return floating_json(value.as.f64);
    case GLINT_STRING:
      return std::string(payload_of(value));
    case GLINT_BYTES:
      return {{"size", value.as.bytes.size}, {"base64", base64(payload_of(value))}};
    default:
      return nullptr;
  }
}

Json json_of(const Error& error) {
  Json object = {{"code", error.code_name()}, {"message", error.message()}};
  if (error.code() == GLINT_E_GUEST_ERROR) object["guest_code"] = error.guest_code();
  if (const auto fault = error.fault()) {
    object["fault"] = {{"name", fault->name},
                       {"signal", fault->signal},
                       {"access", fault->access},
                       {"address", fault->address},
                       {"instruction", fault->instruction},
                       {"symbol", fault->symbol},
                       {"symbol_offset", fault->symbol_offset}};
  }
  return object;
}

}  // namespace glint::cli
