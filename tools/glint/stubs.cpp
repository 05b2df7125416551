// SPDX-License-Identifier: Apache-2.0
#include "stubs.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "output.hpp"

namespace glint::cli {
namespace {

std::vector<FunctionInfo> imports_of(const Image& image) {
  std::vector<FunctionInfo> imports;
  for (const FunctionInfo& function : image.functions()) {
    if (function.kind != FunctionInfo::Kind::kImport) continue;
    // A program may declare an import in several of its files.
    if (std::ranges::find(imports, function.name, &FunctionInfo::name) == imports.end()) {
      imports.push_back(function);
    }
  }
  return imports;
}

// Name to value; every name must be an import.
std::map<std::string, std::string, std::less<>> read_specs(const std::vector<FunctionInfo>& imports,
                                                           std::span<const std::string> specs) {
  std::map<std::string, std::string, std::less<>> values;
  for (const std::string& spec : specs) {
    const auto [name, value] = split_pair(spec, "--stub", "NAME=VALUE");
    if (std::ranges::find(imports, name, &FunctionInfo::name) == imports.end()) {
      std::string known;
      for (const FunctionInfo& import : imports) known += (known.empty() ? "" : ", ") + import.name;
      throw Error(GLINT_E_NOT_FOUND, "--stub " + std::string(name) + ": the image has no such import; " +
                                         (known.empty() ? "it imports nothing" : "it imports " + known));
    }
    if (!values.emplace(name, value).second) {
      throw Error(GLINT_E_INVALID_ARGUMENT, "--stub " + std::string(name) + " is given twice");
    }
  }
  return values;
}

}  // namespace

StubAnswer parse_stub(const FunctionInfo& import, std::string_view text) {
  StubAnswer answer;
  const std::string what = "--stub " + import.name;
  if (!text.starts_with('!')) {
    answer.value = parse_value(import.result, text, what);
    return answer;
  }
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 1, end, answer.code);
  if (error != std::errc{} || answer.code == 0 || (stop != end && *stop != ':')) {
    throw Error(GLINT_E_INVALID_ARGUMENT,
                what + ": expected !CODE:TEXT with a code other than 0, given " + quote(text));
  }
  answer.fails = true;
  if (stop != end) answer.text.assign(stop + 1, end);
  return answer;
}

Stubs::Stubs(const Image& image, std::span<const std::string> specs, bool verbose) {
  const std::vector<FunctionInfo> imports = imports_of(image);
  const auto values = read_specs(imports, specs);
  for (const FunctionInfo& import : imports) {
    auto stub = std::make_unique<Stub>();
    stub->name = import.name;
    stub->verbose = verbose;
    if (const auto value = values.find(import.name); value != values.end()) {
      stub->given = true;
      stub->answer = parse_stub(import, value->second);
    } else {
      stub->answer.value = empty_value(import.result);
    }
    add(import, *stub);
    stubs_.push_back(std::move(stub));
  }
}

// By way of the C functions, because the signature is known only now.
void Stubs::add(const FunctionInfo& import, Stub& stub) {
  std::vector<uint32_t> params;
  params.reserve(import.params.size());
  for (const Type param : import.params) params.push_back(static_cast<uint32_t>(param));
  glint_error* error = nullptr;
  const glint_status status = glint_host_functions_add(
      functions_.handle(), {import.name.data(), import.name.size()}, static_cast<uint32_t>(import.result),
      params.data(), static_cast<uint32_t>(params.size()), &Stubs::answer, &stub, nullptr, &error);
  if (status != GLINT_OK) throw Error::take(status, error);
}

glint_status Stubs::answer(void* user_data, glint_host_call* call) noexcept {
  Stub& stub = *static_cast<Stub*>(user_data);
  try {
    if (stub.verbose || (!stub.given && !stub.reported)) report(stub, call);
  } catch (const std::bad_alloc&) {
    return GLINT_E_NO_MEMORY;
  }
  if (stub.answer.fails) {
    glint_host_call_fail(call, {stub.answer.text.data(), stub.answer.text.size()});
    return stub.answer.code;
  }
  const glint_value value = stub.answer.value.view();
  if (value.type == GLINT_VOID) return GLINT_OK;
  return glint_host_call_return(call, &value, nullptr);
}

void Stubs::report(Stub& stub, glint_host_call* call) {
  stub.reported = true;
  uint32_t count = 0;
  const glint_value* arguments = glint_host_call_arguments(call, &count);
  std::string line = "import " + stub.name + describe_all(arguments, count);
  if (stub.answer.fails) {
    line += " fails with " + std::to_string(stub.answer.code) + ": " + stub.answer.text;
  } else {
    const glint_value value = stub.answer.value.view();
    if (value.type != GLINT_VOID) line += " = " + describe(value);
  }
  if (!stub.given) line += "  (no --stub " + stub.name + "=…)";
  complain(line);
}

}  // namespace glint::cli
