// SPDX-License-Identifier: Apache-2.0
//
// What is checked before a guest runs: imports, host functions, options.

#include <gtest/gtest.h>

#include "scripted_guest.hpp"

namespace glint::test {
namespace {

TEST(Imports, AMissingOrDifferentOneIsNamedWithItsSignature) {
  ScriptedMachine machine;
  auto none = Sandbox::create(machine.image, nullptr, {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, GLINT_E_MISSING_IMPORT);
  EXPECT_NE(none.error().message.find("progress(u32) -> void"), std::string::npos) << none.error().message;
  EXPECT_NE(none.error().message.find("ask(string) -> string"), std::string::npos);

  auto different = std::make_shared<HostFunctions>();
  ASSERT_TRUE(different->add("progress", GLINT_ABI_I64, {}, {}));
  auto wrong = Sandbox::create(machine.image, different, {});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("the host offers it as () -> i64"), std::string::npos)
      << wrong.error().message;
}

TEST(Imports, ASetInUseIsNotChangedAnyMore) {
  ScriptedMachine machine;
  auto s = machine.sandbox();
  EXPECT_EQ(machine.functions->add("late", GLINT_ABI_VOID, {}, {}).error().code, GLINT_E_BUSY);
}

TEST(HostFunctions, RefusesBadNamesTypesAndDuplicates) {
  HostFunctions set;
  EXPECT_EQ(set.add("", GLINT_ABI_VOID, {}, {}).error().code, GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(set.add(std::string(64, 'x'), GLINT_ABI_VOID, {}, {}).error().code, GLINT_E_INVALID_ARGUMENT);
  EXPECT_TRUE(set.add(std::string(63, 'x'), GLINT_ABI_VOID, {}, {}));
  EXPECT_EQ(set.add("a", static_cast<glint_abi_type>(10), {}, {}).error().code, GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(set.add("a", GLINT_ABI_VOID, {GLINT_ABI_VOID}, {}).error().code, GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(set.add("a", GLINT_ABI_VOID, std::vector(33, GLINT_ABI_I32), {}).error().code,
            GLINT_E_INVALID_ARGUMENT);
  EXPECT_TRUE(set.add("a", GLINT_ABI_VOID, std::vector(32, GLINT_ABI_I32), {}));
  EXPECT_EQ(set.add("a", GLINT_ABI_VOID, {}, {}).error().code, GLINT_E_INVALID_ARGUMENT);
}

TEST(SandboxOptions, RefusesArgumentsThatDoNotFitOrHoldNul) {
  ScriptedMachine machine;
  SandboxOptions large;
  large.arguments = {std::string(200'000, 'x')};
  EXPECT_EQ(Sandbox::create(machine.image, machine.functions, large).error().code, GLINT_E_TOO_LARGE);
  SandboxOptions nul;
  nul.environment = {std::string("A=\0B", 4)};
  EXPECT_EQ(Sandbox::create(machine.image, machine.functions, nul).error().code, GLINT_E_INVALID_ARGUMENT);
}

TEST(Engine, WithoutAHypervisorImagesCanBeLookedAtButNotRun) {
  auto engine = Engine::create({EngineOptions::Backend::kNone, 0});
  ASSERT_TRUE(engine);
  auto image = Image::load(*engine, sample_elf().build().bytes, {});
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(Sandbox::create(*image, nullptr, {}).error().code, GLINT_E_NO_HYPERVISOR);
}

}  // namespace
}  // namespace glint::test
