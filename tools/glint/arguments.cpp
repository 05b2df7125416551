// SPDX-License-Identifier: Apache-2.0
#include "arguments.hpp"

#include <charconv>
#include <limits>
#include <memory>
#include <optional>

#include "files.hpp"
#include "output.hpp"

namespace glint::cli {
namespace {

[[noreturn]] void refuse(std::string_view what, const std::string& why) {
  throw Error(GLINT_E_INVALID_ARGUMENT, std::string(what) + ": " + why);
}

[[noreturn]] void refuse_value(std::string_view what, std::string_view expected, std::string_view given) {
  refuse(what, "expected " + std::string(expected) + ", given " + quote(given));
}

// std::from_chars over all of `text`: neither more nor less of it is a number.
template <class T, class... Base>
std::errc read_all(std::string_view text, T& value, Base... base) {
  const char* begin = std::to_address(text.begin());
  const char* end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, value, base...);
  return stop == end ? error : std::errc::invalid_argument;
}

// Digits in base 10, or 16 behind "0x", with a sign; nothing else around them.
struct Digits {
  bool negative = false;
  uint64_t magnitude = 0;
};
enum class Reading { kOk, kNoNumber, kTooLarge };

Reading read_digits(std::string_view text, Digits& digits) {
  if (text.starts_with('-') || text.starts_with('+')) {
    digits.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  }
  const std::errc error = read_all(text, digits.magnitude, base);
  if (error == std::errc::invalid_argument) return Reading::kNoNumber;
  return error == std::errc{} ? Reading::kOk : Reading::kTooLarge;
}

template <class T>
std::optional<T> in_range(const Digits& digits) {
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<T>::max());
  if (!digits.negative) {
    return digits.magnitude <= kMax ? std::optional(static_cast<T>(digits.magnitude)) : std::nullopt;
  }
  if constexpr (std::is_unsigned_v<T>) {
    return digits.magnitude == 0 ? std::optional<T>(0) : std::nullopt;
  } else {
    // The lowest number has no positive counterpart: negate as unsigned, where that is defined.
    if (digits.magnitude > kMax + 1) return std::nullopt;
    return static_cast<T>(static_cast<int64_t>(0 - digits.magnitude));
  }
}

template <class T>
T parse_integer(Type type, std::string_view text, std::string_view what) {
  Digits digits;
  const Reading reading = read_digits(text, digits);
  if (reading == Reading::kNoNumber) refuse_value(what, type_name(type), text);
  const std::optional<T> value = reading == Reading::kOk ? in_range<T>(digits) : std::nullopt;
  if (!value) {
    refuse_value(what,
                 std::string(type_name(type)) + " (" + std::to_string(std::numeric_limits<T>::min()) +
                     " to " + std::to_string(std::numeric_limits<T>::max()) + ")",
                 text);
  }
  return *value;
}

template <class T>
T parse_floating(Type type, std::string_view text, std::string_view what) {
  std::string_view number = text;
  if (number.starts_with('+') && !number.starts_with("+-")) number.remove_prefix(1);
  T value{};
  const std::errc error = read_all(number, value);
  if (error == std::errc::invalid_argument) refuse_value(what, type_name(type), text);
  if (error != std::errc{})
    refuse(what, quote(text) + " is out of the range of " + std::string(type_name(type)));
  return value;
}

bool parse_bool(std::string_view text, std::string_view what) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  refuse_value(what, "bool (true or false)", text);
}

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> parse_hex(std::string_view digits, std::string_view what) {
  if (digits.size() % 2 != 0)
    refuse(what, "hex: needs two digits for each byte; there is one too many or too few");
  std::vector<std::byte> bytes;
  for (size_t i = 0; i < digits.size(); i += 2) {
    uint8_t byte = 0;
    if (read_all(digits.substr(i, 2), byte, 16) != std::errc{})
      refuse_value(what, "hexadecimal digits", digits.substr(i, 2));
    bytes.push_back(std::byte{byte});
  }
  return bytes;
}

std::vector<std::byte> parse_bytes(std::string_view text, std::string_view what) {
  if (text.starts_with('@')) return read_file(std::string(text.substr(1)));
  if (text.starts_with("hex:")) return parse_hex(text.substr(4), what);
  if (text.starts_with("text:")) text.remove_prefix(5);
  return bytes_of(text);
}

}  // namespace

glint_value Value::view() const noexcept {
  glint_value value = scalar;
  if (value.type == GLINT_STRING || value.type == GLINT_BYTES) {
    value.as.bytes.data = payload.data();
    value.as.bytes.size = payload.size();
  }
  return value;
}

Value empty_value(Type type) {
  Value value;
  value.scalar.type = static_cast<uint32_t>(type);
  value.scalar.as.u64 = 0;
  return value;
}

Value parse_value(Type type, std::string_view text, std::string_view what) {
  Value value = empty_value(type);
  auto& as = value.scalar.as;
  switch (type) {
    case Type::kVoid:
      if (!text.empty()) refuse_value(what, "nothing, for void", text);
      break;
    case Type::kBool:
      as.boolean = parse_bool(text, what) ? 1 : 0;
      break;
    case Type::kI32:
      as.i32 = parse_integer<int32_t>(type, text, what);
      break;
    case Type::kU32:
      as.u32 = parse_integer<uint32_t>(type, text, what);
      break;
    case Type::kI64:
      as.i64 = parse_integer<int64_t>(type, text, what);
      break;
    case Type::kU64:
      as.u64 = parse_integer<uint64_t>(type, text, what);
      break;
    case Type::kF32:
      as.f32 = parse_floating<float>(type, text, what);
      break;
    case Type::kF64:
      as.f64 = parse_floating<double>(type, text, what);
      break;
    case Type::kString:
      value.payload = bytes_of(text);
      break;
    case Type::kBytes:
      value.payload = parse_bytes(text, what);
      break;
    default:
      refuse(what, "has a type that this version of glint does not know");
  }
  return value;
}

std::vector<Value> parse_arguments(const FunctionInfo& function, std::span<const std::string> texts) {
  const size_t expected = function.params.size();
  if (texts.size() != expected) {
    std::string why = function.name + function.signature() + ": expected " + std::to_string(expected) +
                      (expected == 1 ? " argument" : " arguments") + ", given " +
                      std::to_string(texts.size());
    if (texts.size() > expected && texts[expected].starts_with("--")) why += " (options go before the image)";
    throw Error(GLINT_E_SIGNATURE, why);
  }
  std::vector<Value> values;
  values.reserve(expected);
  for (size_t i = 0; i < expected; ++i) {
    values.push_back(
        parse_value(function.params[i], texts[i], function.name + ", argument " + std::to_string(i + 1)));
  }
  return values;
}

uint64_t parse_size(std::string_view text, std::string_view what) {
  constexpr std::string_view kUnits = "KMG";  // each 1,024 times the one before
  std::string_view number = text;
  uint64_t unit = 1;
  if (const size_t at = text.empty() ? kUnits.npos : kUnits.find(text.back()); at != kUnits.npos) {
    unit = uint64_t{1} << (10 * (at + 1));
    number.remove_suffix(1);
  }
  uint64_t count = 0;
  if (read_all(number, count) != std::errc{} || count > std::numeric_limits<uint64_t>::max() / unit) {
    refuse_value(what, "a size such as 65536, 512K, 64M or 1G", text);
  }
  return count * unit;
}

std::chrono::nanoseconds parse_deadline(std::string_view text) {
  if (text == "none") return kNoDeadline;
  constexpr double kLongest = 1e9;  // seconds, thirty years: far from where nanoseconds overflow
  double seconds = 0;
  if (read_all(text, seconds) != std::errc{} || !(seconds > 0) || seconds > kLongest) {
    refuse_value("--deadline", "seconds above 0, such as 0.5, or none", text);
  }
  return std::chrono::ceil<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

std::pair<std::string_view, std::string_view> split_pair(std::string_view text, std::string_view what,
                                                         std::string_view form) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) refuse_value(what, form, text);
  return {text.substr(0, equals), text.substr(equals + 1)};
}

}  // namespace glint::cli
