// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "exit_codes.hpp"
#include "output.hpp"

namespace glint::cli {
namespace {

std::vector<FunctionInfo> functions_of(const Image& image, FunctionInfo::Kind kind) {
  std::vector<FunctionInfo> functions;
  std::ranges::copy_if(image.functions(), std::back_inserter(functions),
                       [kind](const FunctionInfo& function) { return function.kind == kind; });
  // The program's order is the linker's, which means nothing to people.
  std::ranges::sort(functions, {}, &FunctionInfo::name);
  return functions;
}

Json functions_json(const std::vector<FunctionInfo>& functions) {
  Json list = Json::array();
  for (const FunctionInfo& function : functions) {
    Json params = Json::array();
    for (const Type param : function.params) params.push_back(type_name(param));
    list.push_back({{"name", function.name},
                    {"params", params},
                    {"result", type_name(function.result)},
                    {"signature", function.signature()}});
  }
  return list;
}

Json image_json(const std::string& file, const Image& image) {
  const ImageInfo info = image.info();
  Json segments = Json::array();
  for (const SegmentInfo& segment : info.segments) {
    segments.push_back({{"address", segment.address},
                        {"size", segment.size},
                        {"writable", segment.writable},
                        {"executable", segment.executable},
                        {"what", segment.what}});
  }
  return {{"file", file},
          {"valid", true},
          {"pie", info.pie},
          {"entry", info.entry},
          {"memory_size", info.memory_size},
          {"stack_size", info.stack_size},
          {"heap_size", info.heap_size},
          {"symbol_count", info.symbol_count},
          {"segments", segments},
          {"exports", functions_json(functions_of(image, FunctionInfo::Kind::kExport))},
          {"imports", functions_json(functions_of(image, FunctionInfo::Kind::kImport))}};
}

// "label       value"
std::string row(std::string_view label, const std::string& value) {
  std::string line(label);
  line.resize(12, ' ');
  return line + value + "\n";
}

std::string functions_text(std::string_view title, const std::vector<FunctionInfo>& functions) {
  if (functions.empty()) return row(title, "none");
  std::string text = std::string(title) + "\n";
  for (const FunctionInfo& function : functions) {
    text += "  " + printable(function.name) + function.signature() + "\n";
  }
  return text;
}

std::string segments_text(const std::vector<SegmentInfo>& segments) {
  std::string text = "layout\n";
  for (const SegmentInfo& segment : segments) {
    std::array<char, 120> line;
    // Cut where it does not fit, which it does.
    static_cast<void>(std::snprintf(line.data(), line.size(), "  %#014llx  %12s  r%c%c  %s\n",
                                    static_cast<unsigned long long>(segment.address),
                                    human_size(segment.size).c_str(), segment.writable ? 'w' : '-',
                                    segment.executable ? 'x' : '-', segment.what.c_str()));
    text += line.data();
  }
  return text;
}

std::string image_text(const std::string& file, const Image& image) {
  const ImageInfo info = image.info();
  return row("file", printable(file)) +
         row("kind", info.pie ? "static PIE, x86-64" : "static program, x86-64") +
         row("entry", hex(info.entry)) + row("symbols", std::to_string(info.symbol_count) + " functions") +
         row("memory", human_size(info.memory_size) + ", of it stack " + human_size(info.stack_size) +
                           ", heap " + human_size(info.heap_size)) +
         segments_text(info.segments) +
         functions_text("exports", functions_of(image, FunctionInfo::Kind::kExport)) +
         functions_text("imports", functions_of(image, FunctionInfo::Kind::kImport));
}

bool is_about_the_image(glint_status code) {
  return code <= GLINT_E_IMAGE_NOT_ELF && code > GLINT_E_GUEST_ERROR;
}

}  // namespace

int inspect_image(const InspectOptions& options) {
  // Needs no hypervisor, so that it works everywhere.
  const Engine engine(EngineOptions{Backend::kNone});
  const Expected<Image> image = engine.try_load(options.image, image_options(options.memory));
  if (!image) {
    if (options.json)
      print_json(Json{{"file", options.image}, {"valid", false}, {"error", json_of(image.error())}});
    if (!is_about_the_image(image.error().code())) throw Error(image.error());
    complain(image.error().message());
    return kNegativeAnswer;
  }
  if (options.json) {
    print_json(image_json(options.image, *image));
  } else {
    print(image_text(options.image, *image));
  }
  return kSuccess;
}

}  // namespace glint::cli
