// SPDX-License-Identifier: Apache-2.0
#include "sandbox/snapshot_sections.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/bytes.hpp"
#include "base/checked.hpp"

namespace glint::core {
namespace {

constexpr size_t kMaxComponents = 16;
constexpr size_t kRunSize = 16;

Error malformed(SnapshotSection section) {
  return corrupt_snapshot("its section '" + section_name(static_cast<uint32_t>(section)) + "' is malformed");
}

std::vector<std::byte> write_image(const ImageIdentity& image) {
  ByteWriter to;
  to.put_text(image.glint_version);
  to.put(image.abi_version);
  to.put(image.memory_size);
  to.put(image.stack_size);
  for (const Hash128* hash : {&image.program, &image.libos, &image.files, &image.layout}) to.put(*hash);
  return to.take();
}

std::vector<std::byte> write_functions(const std::vector<Function>& functions) {
  ByteWriter to;
  to.put(static_cast<uint32_t>(functions.size()));
  for (const Function& function : functions) {
    to.put(
        static_cast<uint8_t>(function.kind == Function::Kind::kExport ? GLINT_ABI_EXPORT : GLINT_ABI_IMPORT));
    to.put(function.index);
    to.put_text(function.name);
    to.put(static_cast<uint8_t>(function.result));
    to.put(static_cast<uint8_t>(function.params.size()));
    for (const glint_abi_type param : function.params) to.put(static_cast<uint8_t>(param));
  }
  return to.take();
}

std::vector<std::byte> write_machine(const SnapshotHead& head) {
  ByteWriter to;
  to.put_text(head.backend);
  for (const uint64_t word : head.features.words()) to.put(word);
  return to.take();
}

// In the file's order.
template <class R>
auto registers_of(R& r) {
  return std::array{&r.rax, &r.rbx, &r.rcx, &r.rdx, &r.rsi, &r.rdi, &r.rsp, &r.rbp, &r.r8,
                    &r.r9,  &r.r10, &r.r11, &r.r12, &r.r13, &r.r14, &r.r15, &r.rip, &r.rflags};
}

std::vector<std::byte> write_state(const SnapshotHead& head) {
  const PortableState& state = head.state;
  ByteWriter to;
  for (const uint64_t* number : registers_of(state.registers)) to.put(*number);
  to.put(state.fs_base);
  to.put(state.gs_base);
  to.put(head.time_epoch);
  to.put(static_cast<uint32_t>(state.vectors ? 1 : 0));
  if (!state.vectors) return to.take();
  to.put(state.vectors->legacy);
  to.put(static_cast<uint32_t>(state.vectors->components.size()));
  for (const PortableVectors::Component& component : state.vectors->components) {
    to.put(component.number);
    to.put(static_cast<uint32_t>(component.bytes.size()));
    to.put(component.bytes);
  }
  return to.take();
}

std::vector<std::byte> write_pages(const std::vector<PageRun>& runs) {
  ByteWriter to;
  for (const PageRun& run : runs) {
    to.put(run.first);
    to.put(run.count);
    to.put(run.checksum);
  }
  return to.take();
}

bool is_printable(std::string_view text) {
  return text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 "
             "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") == std::string_view::npos;
}

Result<void> read_image(std::span<const std::byte> bytes, SnapshotHead& head) {
  ByteReader from(bytes);
  ImageIdentity& image = head.image;
  image.glint_version = from.get_text();
  image.abi_version = from.get<uint32_t>();
  image.memory_size = from.get<uint64_t>();
  image.stack_size = from.get<uint64_t>();
  for (Hash128* hash : {&image.program, &image.libos, &image.files, &image.layout}) from.get(*hash);
  // It is shown to people.
  if (!from.at_end() || !is_printable(image.glint_version)) return malformed(SnapshotSection::kImage);
  return {};
}

// An enum must not be given a value that is none of its own, even to be looked at.
bool is_type(uint8_t value) { return value < GLINT_ABI_TYPE_COUNT; }
bool is_parameter(std::byte value) {
  const auto type = std::to_integer<uint8_t>(value);
  return type != GLINT_ABI_VOID && is_type(type);
}

Result<void> read_functions(std::span<const std::byte> bytes, SnapshotHead& head) {
  ByteReader from(bytes);
  const auto count = from.get<uint32_t>();
  if (count > GLINT_ABI_MAX_FUNCTIONS) return malformed(SnapshotSection::kFunctions);
  std::vector<Function>& functions = head.functions;
  for (uint32_t i = 0; i < count && !from.failed(); ++i) {
    Function function;
    const auto kind = from.get<uint8_t>();
    function.index = from.get<uint32_t>();
    function.name = from.get_text();
    const auto result = from.get<uint8_t>();
    const auto params = from.take(from.get<uint8_t>());
    const bool good = (kind == GLINT_ABI_EXPORT || kind == GLINT_ABI_IMPORT) && is_type(result) &&
                      params.size() <= GLINT_ABI_MAX_PARAMS && std::ranges::all_of(params, is_parameter) &&
                      !function.name.empty() && function.name.size() < GLINT_ABI_NAME_SIZE &&
                      is_printable(function.name) && function.index < GLINT_ABI_MAX_FUNCTIONS &&
                      (functions.empty() || functions.back().index < function.index);
    if (!good) return malformed(SnapshotSection::kFunctions);
    function.kind = kind == GLINT_ABI_EXPORT ? Function::Kind::kExport : Function::Kind::kImport;
    function.result = static_cast<glint_abi_type>(result);
    for (const std::byte param : params) {
      function.params.push_back(static_cast<glint_abi_type>(std::to_integer<uint8_t>(param)));
    }
    functions.push_back(std::move(function));
  }
  if (!from.at_end()) return malformed(SnapshotSection::kFunctions);
  return {};
}

Result<void> read_machine(std::span<const std::byte> bytes, SnapshotHead& head) {
  ByteReader from(bytes);
  head.backend = from.get_text();
  CpuFeatures::Words words{};
  for (uint64_t& word : words) word = from.get<uint64_t>();
  head.features = CpuFeatures(words);
  if (!from.at_end() || !is_printable(head.backend)) return malformed(SnapshotSection::kMachine);
  return {};
}

Result<PortableVectors> read_vectors(ByteReader& from) {
  PortableVectors vectors;
  from.get(vectors.legacy);
  const auto count = from.get<uint32_t>();
  if (count > kMaxComponents) return malformed(SnapshotSection::kState);
  for (uint32_t i = 0; i < count && !from.failed(); ++i) {
    PortableVectors::Component component;
    component.number = from.get<uint32_t>();
    const auto bytes = from.take(from.get<uint32_t>());
    component.bytes.assign(bytes.begin(), bytes.end());
    if (!vectors.components.empty() && vectors.components.back().number >= component.number) {
      return malformed(SnapshotSection::kState);
    }
    vectors.components.push_back(std::move(component));
  }
  return vectors;
}

Result<void> read_state(std::span<const std::byte> bytes, SnapshotHead& head) {
  ByteReader from(bytes);
  PortableState& state = head.state;
  for (uint64_t* number : registers_of(state.registers)) *number = from.get<uint64_t>();
  state.fs_base = from.get<uint64_t>();
  state.gs_base = from.get<uint64_t>();
  head.time_epoch = from.get<uint32_t>();
  const auto has_vectors = from.get<uint32_t>();
  if (has_vectors > 1) return malformed(SnapshotSection::kState);
  if (has_vectors == 1) {
    GLINT_TRY_ASSIGN(vectors, read_vectors(from));
    state.vectors = std::move(vectors);
  }
  if (!from.at_end()) return malformed(SnapshotSection::kState);
  return {};
}

Result<void> read_pages(std::span<const std::byte> bytes, uint64_t page_count, SnapshotHead& head) {
  if (bytes.size() % kRunSize != 0) return malformed(SnapshotSection::kPages);
  ByteReader from(bytes);
  std::vector<PageRun>& runs = head.runs;
  runs.resize(bytes.size() / kRunSize);
  uint64_t end = 0;  // of the last one
  for (PageRun& run : runs) {
    run.first = from.get<uint32_t>();
    run.count = from.get<uint32_t>();
    run.checksum = from.get<uint64_t>();
    if (run.first < end || run.count == 0 || !in_range(run.first, run.count, page_count)) {
      return malformed(SnapshotSection::kPages);
    }
    end = uint64_t{run.first} + run.count;
  }
  return {};
}

}  // namespace

std::string section_name(uint32_t section) {
  constexpr std::string_view kNames[] = {"", "image", "functions", "machine", "state", "pages"};
  return section != 0 && section < std::size(kNames) ? std::string(kNames[section]) : std::to_string(section);
}

Error corrupt_snapshot(const std::string& what) {
  return error(GLINT_E_SNAPSHOT_CORRUPT, "the snapshot's file is damaged: " + what +
                                             "; copy the file again, or take and save the snapshot anew");
}

std::vector<std::byte> write_section(SnapshotSection section, const SnapshotHead& head) {
  switch (section) {
    case SnapshotSection::kImage:
      return write_image(head.image);
    case SnapshotSection::kFunctions:
      return write_functions(head.functions);
    case SnapshotSection::kMachine:
      return write_machine(head);
    case SnapshotSection::kState:
      return write_state(head);
    case SnapshotSection::kPages:
      break;
  }
  return write_pages(head.runs);
}

Result<void> read_section(SnapshotSection section, std::span<const std::byte> bytes, uint64_t page_count,
                          SnapshotHead& head) {
  switch (section) {
    case SnapshotSection::kImage:
      return read_image(bytes, head);
    case SnapshotSection::kFunctions:
      return read_functions(bytes, head);
    case SnapshotSection::kMachine:
      return read_machine(bytes, head);
    case SnapshotSection::kState:
      return read_state(bytes, head);
    case SnapshotSection::kPages:
      break;
  }
  return read_pages(bytes, page_count, head);
}

}  // namespace glint::core
