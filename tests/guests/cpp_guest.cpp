// SPDX-License-Identifier: Apache-2.0
// A guest in C++: constructors, exceptions, the standard library.
#include <glint_guest.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

GLINT_IMPORT(int64_t, host_add, (int64_t a, int64_t b))
GLINT_IMPORT_STUB(int64_t, host_add, (int64_t a, int64_t b)) { return a + b; }

namespace {

struct Constructed {
  Constructed() : value("constructed") {}
  std::string value;
};
Constructed constructed;

std::string& kept() {
  static std::string text;
  return text;
}

}  // namespace

GLINT_EXPORT(glint_string, constructor_ran, (void)) { return glint_string_of(constructed.value); }

GLINT_EXPORT(glint_string, reverse, (glint_string text)) {
  const std::string_view view = text;
  kept().assign(view.rbegin(), view.rend());
  return glint_string_of(kept());
}

GLINT_EXPORT(glint_string, most_common_word, (glint_string text)) {
  std::map<std::string, int> counts;
  std::string word;
  for (char c : std::string(std::string_view(text)) + " ") {
    if (c != ' ') {
      word += c;
    } else if (!word.empty()) {
      ++counts[word];
      word.clear();
    }
  }
  const auto most = std::max_element(counts.begin(), counts.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  kept() = most == counts.end() ? "" : most->first;
  return glint_string_of(kept());
}

// The exception becomes an ordinary error.
GLINT_EXPORT(int32_t, parse, (glint_string text)) {
  try {
    return std::stoi(std::string(std::string_view(text)));
  } catch (const std::exception& problem) {
    glint_return_error(22, problem.what());
    return 0;
  }
}

// Nobody catches it: the program ends by SIGABRT.
GLINT_EXPORT(void, throw_uncaught, (void)) { throw std::runtime_error("nobody catches this"); }

GLINT_EXPORT(int64_t, sum_through_host, (uint32_t count)) {
  std::vector<int64_t> numbers(count);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int64_t>(i);
  int64_t sum = 0;
  for (int64_t number : numbers) sum = host_add(sum, number);
  return sum;
}

GLINT_EXPORT(glint_bytes, sorted, (glint_bytes data)) {
  auto* bytes = static_cast<uint8_t*>(glint_result_buffer(data.size));
  if (bytes == nullptr) throw std::bad_alloc();
  std::copy(data.data, data.data + data.size, bytes);
  std::sort(bytes, bytes + data.size);
  return glint_bytes_of(bytes, data.size);
}
