// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any file gives one of the GLINT_E_SNAPSHOT_* errors, or a snapshot whose sandboxes run,
// whatever becomes of them, and are put back.
//
// Input: a byte of flags, then either a file as it is, or edits of a good one: so the seeds stay good when
// the format's contents change, such as the libos.

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "elf_builder.hpp"
#include "sandbox/sandbox.hpp"
#include "sandbox/snapshot_file.hpp"
#include "snapshot_bytes.hpp"

using namespace glint::core;
using glint::test::SnapshotBytes;

namespace {

enum Flags : uint8_t {
  kRaw = 1,             // the rest is a file, not edits
  kRepair = 2,          // checksums are made good again
  kOthersMayWrite = 4,  // so that it is copied, not mapped
};
constexpr size_t kMaxFile = 8u << 20;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "broken promise: %s\n", what.c_str());
  std::abort();
}

template <class T>
T must(Result<T> result) {
  if (!result) fail(result.error().message);
  return std::move(result).value();
}

std::shared_ptr<Image> make_image() {
  glint::test::ElfBuilder builder;
  builder.functions = {
      glint::test::elf_function(GLINT_ABI_EXPORT, "echo", GLINT_ABI_BYTES, {GLINT_ABI_BYTES}),
      glint::test::elf_function(GLINT_ABI_IMPORT, "ask", GLINT_ABI_I64, {}),
  };
  LayoutOptions options;
  options.memory_size = 2u << 20;
  options.stack_size = 64u << 10;
  EngineOptions engine_options;
  engine_options.backend = EngineOptions::Backend::kFake;
  return must(Image::load(must(Engine::create(engine_options)), builder.build().bytes, options));
}

std::shared_ptr<const HostFunctions> make_functions() {
  auto functions = std::make_shared<HostFunctions>();
  auto added = functions->add("ask", GLINT_ABI_I64, {}, [](HostCall&) { return -1; });
  if (!added) fail(added.error().message);
  return functions;
}

// A file whose bytes behind the last that is not zero are left out, and how long it was.
struct GoodFile {
  std::vector<std::byte> bytes;
  uint64_t size = 0;
};

GoodFile make_good_file(const std::shared_ptr<Image>& image,
                        const std::shared_ptr<const HostFunctions>& functions) {
  std::string name = "/tmp/glint-fuzz-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) fail("mkdtemp");
  const std::string path = name + "/snapshot";
  auto saved = save_snapshot(*must(must(Sandbox::create(image, functions, {}))->snapshot()), path);
  if (!saved) fail(saved.error().message);
  GoodFile good;
  good.bytes = SnapshotBytes::of_file(path).bytes;
  good.size = good.bytes.size();
  ::unlink(path.c_str());
  ::rmdir(name.c_str());
  while (!good.bytes.empty() && good.bytes.back() == std::byte{}) good.bytes.pop_back();
  return good;
}

// Edits: where (0: from the start, 1 … 5: in that section, 6: in the memory, 7: the file's size), an offset,
// and how many bytes to put there.
void edit(SnapshotBytes& file, uint64_t& file_size, ByteReader from) {
  while (!from.failed() && !from.at_end()) {
    const auto where = from.get<uint8_t>() % 8u;
    const auto offset = from.get<uint32_t>();
    const auto bytes = from.take(from.get<uint8_t>());
    if (where == 7) {
      file_size = offset % kMaxFile;
      continue;
    }
    uint64_t begin = 0;
    for (const auto& section : file.sections()) {
      if (section.kind == where) begin = section.offset;
    }
    if (where == 6) begin = file.memory();
    const uint64_t at = (begin + offset) % file.bytes.size();
    const size_t count = std::min<size_t>(bytes.size(), file.bytes.size() - at);
    std::copy_n(bytes.begin(), count, file.bytes.begin() + static_cast<ptrdiff_t>(at));
  }
}

void run(const std::shared_ptr<const Snapshot>& snapshot,
         const std::shared_ptr<const HostFunctions>& functions) {
  auto sandbox = must(Sandbox::create(snapshot, functions, {}));
  const std::vector<std::byte> payload(5000, std::byte{7});
  const std::vector<Value> arguments = {Value::of_bytes(GLINT_ABI_BYTES, payload)};
  for (int round = 0; round < 2; ++round) {
    static_cast<void>(sandbox->call(0, arguments));  // what becomes of it is the guest's affair
    if (auto restored = sandbox->restore(nullptr); !restored) fail(restored.error().message);
  }
  static_cast<void>(sandbox->snapshot());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto image = make_image();
  static const auto functions = make_functions();
  static const GoodFile good = make_good_file(image, functions);
  static const Fd fd(::memfd_create("fuzzed", MFD_CLOEXEC));

  ByteReader input(std::as_bytes(std::span(data, size)));
  const auto flags = input.get<uint8_t>();
  SnapshotBytes file;
  uint64_t file_size = 0;
  if ((flags & kRaw) != 0) {
    const auto rest = input.take(size == 0 ? 0 : size - 1);
    file.bytes.assign(rest.begin(), rest.end());
    file_size = file.bytes.size();
  } else {
    file.bytes = good.bytes;
    file_size = good.size;
    edit(file, file_size, input);
  }
  if ((flags & kRepair) != 0) file.repair();

  if (::ftruncate(fd.get(), 0) != 0 || !write_at(fd.get(), file.bytes, 0, "fuzzed") ||
      ::ftruncate(fd.get(), static_cast<off_t>(file_size)) != 0 ||
      ::fchmod(fd.get(), (flags & kOthersMayWrite) != 0 ? 0666 : 0400) != 0) {
    fail("the file cannot be written");
  }
  const auto snapshot = load_snapshot(image, "/proc/self/fd/" + std::to_string(fd.get()));
  if (snapshot) {
    run(*snapshot, functions);
    return 0;
  }
  const Error& error = snapshot.error();
  if (error.code > GLINT_E_SNAPSHOT_FORMAT || error.code < GLINT_E_SNAPSHOT_MACHINE) {
    fail("an error of the snapshot group, not: " + error.message);
  }
  return 0;
}
