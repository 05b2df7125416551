// SPDX-License-Identifier: Apache-2.0
//
// Layout, page tables and system pages: a walk through the tables must find what the layout says, and nothing
// else.

#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <random>

#include "arch/x86_64/faults.hpp"
#include "arch/x86_64/page_tables.hpp"
#include "arch/x86_64/system_pages.hpp"
#include "base/checked.hpp"
#include "elf_builder.hpp"
#include "image/layout.hpp"
#include "image/libos.hpp"

namespace glint::test {
namespace {

using namespace glint::core;

Program sample_program() { return parse_program(sample_elf().build().bytes).value(); }

Result<Layout> plan(const LayoutOptions& options) {
  return plan_layout(sample_program(), **libos_program(), options);
}

// What a hardware walk of the tables finds (SDM vol. 3, 4.5.4).
struct Translation {
  uint64_t gpa;
  bool user, writable, executable;
};

class Walker {
 public:
  explicit Walker(const Layout& layout) : tables_(layout.page_tables_size) {
    write_page_tables(layout.mappings, tables_, 0);
  }

  std::optional<Translation> walk(uint64_t gva) const {
    Translation t{0, true, true, true};
    uint64_t table = 0;
    for (unsigned shift = 39;; shift -= 9) {
      uint64_t entry = 0;
      std::memcpy(&entry, tables_.data() + table + (gva >> shift & 511) * 8, sizeof entry);
      if ((entry & 1) == 0) return std::nullopt;
      EXPECT_TRUE(entry & 0x20) << "Accessed is preset everywhere";
      t.writable = t.writable && (entry & 2) != 0;
      t.user = t.user && (entry & 4) != 0;
      t.executable = t.executable && entry >> 63 == 0;
      const uint64_t address = entry & 0x000ffffffffff000ull;
      const bool leaf = shift == 12 || (shift == 21 && (entry & 0x80) != 0);
      if (leaf) {
        EXPECT_TRUE(entry & 0x40) << "Dirty is preset in every leaf";
        t.gpa = address + (gva & ((1ull << shift) - 1));
        return t;
      }
      EXPECT_LT(address, tables_.size()) << "a table lies outside the tables";
      table = address;
    }
  }

 private:
  std::vector<std::byte> tables_;
};

const Mapping* find_mapping(const Layout& layout, uint64_t gva) {
  for (const Mapping& m : layout.mappings) {
    if (gva >= m.gva && gva - m.gva < m.size) return &m;
  }
  return nullptr;
}

TEST(Layout, AWalkFindsEveryMappingAndNothingElse) {
  std::mt19937_64 random(7);
  for (const uint64_t memory : {kMinMemory + 2 * kLargePageSize, kDefaultMemory, uint64_t{5} << 30}) {
    LayoutOptions options;
    options.memory_size = memory;
    options.files = {{"/data/a", std::vector<std::byte>(5000)}};
    auto layout = plan(options);
    ASSERT_TRUE(layout) << layout.error().message;
    const Walker walker(*layout);
    const auto check = [&](uint64_t gva) {
      const Mapping* m = find_mapping(*layout, gva);
      const auto found = walker.walk(gva);
      ASSERT_EQ(found.has_value(), m != nullptr) << std::hex << gva;
      if (m == nullptr) return;
      EXPECT_EQ(found->gpa, m->gpa + (gva - m->gva)) << std::hex << gva;
      EXPECT_EQ(found->user, m->user);
      EXPECT_EQ(found->writable, m->writable);
      EXPECT_EQ(found->executable, m->executable);
    };
    for (const Mapping& m : layout->mappings) {
      check(m.gva), check(m.gva + m.size - 1), check(m.gva - 1), check(m.gva + m.size);
      for (int i = 0; i < 200; ++i) check(m.gva + random() % m.size);
    }
    for (int i = 0; i < 2000; ++i) check(random() % GLINT_GVA_END);
    check(0), check(0xfff), check(GLINT_GVA_PROGRAM_MIN - 1);
  }
}

TEST(Layout, MappingsDoNotOverlapInEitherSpaceAndKeepWriteApartFromExecute) {
  LayoutOptions options;
  options.files = {{"/a", {}}, {"/b", std::vector<std::byte>(1)}};
  auto layout = plan(options);
  ASSERT_TRUE(layout);
  for (size_t i = 0; i < layout->mappings.size(); ++i) {
    const Mapping& a = layout->mappings[i];
    EXPECT_FALSE(a.writable && a.executable);
    EXPECT_GE(a.gva, GLINT_GVA_PROGRAM_MIN);
    EXPECT_LE(a.gpa + a.size, layout->total_size);
    EXPECT_GE(a.gpa, layout->page_tables_gpa + layout->page_tables_size)
        << "the guest could reach its page tables";
    for (size_t j = i + 1; j < layout->mappings.size(); ++j) {
      const Mapping& b = layout->mappings[j];
      EXPECT_LE(a.gva + a.size, b.gva);
      EXPECT_TRUE(a.gpa + a.size <= b.gpa || b.gpa + b.size <= a.gpa);
    }
  }
}

TEST(Layout, AllThatASandboxWritesLiesInTheWindowAndTheRestDoesNot) {
  auto layout = plan({});
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->window_gpa % kLargePageSize, 0u);
  EXPECT_EQ(layout->window_size % kLargePageSize, 0u);
  for (const Mapping& m : layout->mappings) {
    const bool in_window =
        m.gpa >= layout->window_gpa && m.gpa + m.size <= layout->window_gpa + layout->window_size;
    const bool shells_own = m.region == Region::kTransfer || m.region == Region::kSystem;
    EXPECT_EQ(in_window, m.writable && !shells_own) << region_name(m.region);
  }
  EXPECT_EQ(layout->slot_size, layout->transfer_gpa + GLINT_TRANSFER_INITIAL);
}

TEST(Layout, TheStackHasUnmappedPagesOnBothSides) {
  auto layout = plan({});
  ASSERT_TRUE(layout);
  EXPECT_EQ(find_mapping(*layout, layout->stack_bottom - 1), nullptr);
  EXPECT_EQ(find_mapping(*layout, layout->stack_top), nullptr);
  EXPECT_NE(find_mapping(*layout, layout->stack_bottom), nullptr);
}

TEST(Layout, RefusesSizesOutOfRangeAndProgramsThatDoNotFit) {
  LayoutOptions small;
  small.memory_size = kMinMemory - 1;
  EXPECT_EQ(plan(small).error().code, GLINT_E_INVALID_ARGUMENT);
  LayoutOptions large;
  large.memory_size = kMaxMemory + 1;
  EXPECT_EQ(plan(large).error().code, GLINT_E_INVALID_ARGUMENT);
  LayoutOptions all;
  all.memory_size = ~0ull;
  EXPECT_EQ(plan(all).error().code, GLINT_E_INVALID_ARGUMENT);
  LayoutOptions stack;
  stack.stack_size = ~0ull;
  EXPECT_EQ(plan(stack).error().code, GLINT_E_INVALID_ARGUMENT);
  LayoutOptions all_stack;
  all_stack.stack_size = kDefaultMemory;
  auto too_large = plan(all_stack);
  EXPECT_EQ(too_large.error().code, GLINT_E_IMAGE_TOO_LARGE);
  EXPECT_NE(too_large.error().message.find("give it at least"), std::string::npos)
      << too_large.error().message;
}

TEST(Layout, CodeAndConstantsHaveTheMemoryLimitToo) {
  ElfBuilder builder = sample_elf();
  Elf64_Phdr zeros{};
  zeros.p_type = PT_LOAD;
  zeros.p_flags = PF_R;
  zeros.p_vaddr = 0x10000000;
  zeros.p_memsz = 100u << 20;
  zeros.p_align = 4096;
  builder.extra = {zeros};
  const Program program = parse_program(builder.build().bytes).value();
  auto refused = plan_layout(program, **libos_program(), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, GLINT_E_IMAGE_TOO_LARGE);
  LayoutOptions enough;
  enough.memory_size = 128u << 20;
  EXPECT_TRUE(plan_layout(program, **libos_program(), enough));
}

TEST(Layout, RefusesFilePathsThatAreRelativeEmptyOrTwice) {
  for (const std::string& path :
       {std::string(""), std::string("/"), std::string("a/b"), std::string("/a\0b", 4)}) {
    LayoutOptions options;
    options.files = {{path, {}}};
    EXPECT_EQ(plan(options).error().code, GLINT_E_INVALID_ARGUMENT) << path;
  }
  LayoutOptions twice;
  twice.files = {{"/a", {}}, {"/a", {}}};
  EXPECT_EQ(plan(twice).error().code, GLINT_E_INVALID_ARGUMENT);
}

TEST(Layout, TheFilesBlobPointsToNamesAndContents) {
  LayoutOptions options;
  options.files = {{"/x", {std::byte{1}, std::byte{2}}}, {"/empty", {}}};
  auto layout = plan(options);
  ASSERT_TRUE(layout);
  ASSERT_EQ(layout->file_count, 2u);
  glint_abi_file files[2];
  std::memcpy(files, layout->files_blob.data(), sizeof files);
  const auto* blob = reinterpret_cast<const char*>(layout->files_blob.data());
  EXPECT_STREQ(blob + (files[0].name - GLINT_GVA_FILES), "/x");
  EXPECT_STREQ(blob + (files[1].name - GLINT_GVA_FILES), "/empty");
  EXPECT_EQ(files[0].size, 2u);
  EXPECT_EQ(blob[files[0].data - GLINT_GVA_FILES + 1], 2);
  EXPECT_EQ(files[1].size, 0u);
}

TEST(SystemPages, AnExceptionFrameIsReadBackWithAndWithoutErrorCode) {
  std::vector<std::byte> stack(4096);
  const uint64_t with_code[6] = {6, 0x1234, 0x2b, 0x202, 0x7000, 0x23};
  std::memcpy(stack.data() + 4096 - 48, with_code, 48);
  Registers r;
  r.rip = GLINT_GVA_SYSTEM + 4096 + 14 * 16;
  r.rsp = GLINT_GVA_SYSTEM + 4096 - 48;
  auto frame = read_exception_frame(r, stack, GLINT_GVA_SYSTEM);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->vector, 14u);
  EXPECT_EQ(frame->error_code, 6u);
  EXPECT_EQ(frame->rip, 0x1234u);
  EXPECT_EQ(frame->rsp, 0x7000u);

  r.rip = GLINT_GVA_SYSTEM + 4096 + 6 * 16 + 2;  // behind the out
  r.rsp = GLINT_GVA_SYSTEM + 4096 - 40;
  frame = read_exception_frame(r, stack, GLINT_GVA_SYSTEM);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->vector, 6u);
  EXPECT_EQ(frame->error_code, 0u);
  EXPECT_EQ(frame->rip, 0x1234u);
}

TEST(SystemPages, NothingOutsideTheStubsIsTakenForAFault) {
  std::vector<std::byte> stack(4096);
  Registers r;
  r.rsp = GLINT_GVA_SYSTEM + 4096 - 48;
  for (const uint64_t rip : {uint64_t{0}, uint64_t{GLINT_GVA_SYSTEM}, uint64_t{GLINT_GVA_SYSTEM + 4095},
                             uint64_t{GLINT_GVA_SYSTEM + 4096 + 32 * 16}, ~uint64_t{0}}) {
    r.rip = rip;
    EXPECT_FALSE(read_exception_frame(r, stack, GLINT_GVA_SYSTEM)) << std::hex << rip;
  }
}

TEST(Faults, PageFaultsSayHowTheAddressWasTouched) {
  ExceptionFrame frame;
  frame.vector = 14;
  frame.rip = 0x400000;
  frame.error_code = 0x4;
  EXPECT_EQ(describe_exception(frame, 8).access, "read");
  frame.error_code = 0x6;
  EXPECT_EQ(describe_exception(frame, 8).access, "write");
  frame.error_code = 0x14;
  EXPECT_EQ(describe_exception(frame, 8).access, "execute");
  frame.error_code = 0x4;
  EXPECT_EQ(describe_exception(frame, 0x400000).access, "execute") << "a processor without the fetch bit";
  frame.vector = 0;
  EXPECT_EQ(describe_exception(frame, 8).address, 0x400000u)
      << "no page fault: the instruction's own address";
}

}  // namespace
}  // namespace glint::test
