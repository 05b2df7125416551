// SPDX-License-Identifier: Apache-2.0
//
// A sandbox leaves a secret everywhere it can; the next one on the same VM looks everywhere it can.

#include "kvm/fixture.hpp"

namespace glint::test {
namespace {

constexpr uint64_t kSecret = 0x5ec2e7d00dfeed11u;
constexpr uint32_t kReturn = 0, kFault = 1, kExit = 2;  // how tests/guests/secrets.c is to end

class Isolation : public KvmTest {
 protected:
  void SetUp() override {
    KvmTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    own_engine = make_engine(1);  // all sandboxes of an image on one VM
    image = load("secrets");
  }
  std::shared_ptr<Image> load(const char* guest) {
    LayoutOptions options;
    options.memory_size = 8u << 20;
    return load_image(own_engine, guest, options);
  }

  // Words equal to the secret in all that the sandbox can read: its memory, the libos, the transfer area.
  uint64_t count_secrets(Sandbox& sandbox) {
    uint64_t found = 0;
    for (const Mapping& m : image->layout().mappings) {
      if (!m.user || m.region == Region::kTransfer) continue;
      auto count = call<uint64_t>(sandbox, "count_words", m.gva, m.size, ~kSecret);
      EXPECT_TRUE(succeeded(count)) << region_name(m.region);
      if (count) found += *count;
    }
    auto count = call<uint64_t>(sandbox, "count_in_transfer", ~kSecret);
    EXPECT_TRUE(succeeded(count));
    return found + (count ? *count : 0);
  }
  void expect_nothing_found() {
    auto next = make_sandbox(image);
    EXPECT_EQ(count_secrets(*next), 0u);
    EXPECT_EQ(own_engine->counters().vms_created, 1u) << "it looked on the same VM";
  }

  std::shared_ptr<Engine> own_engine;
  std::shared_ptr<Image> image;
};

TEST_F(Isolation, TheSearchFindsWhatIsThere) {
  auto sandbox = make_sandbox(image);
  ASSERT_TRUE(gave(call<bool>(*sandbox, "plant", kSecret, true, kReturn), true));
  // Heap 1 MiB kept (the freed MiB was unmapped or not), data and bss 64 KiB each, most of the transfer area.
  EXPECT_GT(count_secrets(*sandbox), (1u << 20) / 8 + 2 * 8192 + (7u << 20) / 8);
}

TEST_F(Isolation, NothingIsLeftByASandboxThatWasDestroyed) {
  for (bool grow : {false, true}) {
    auto sandbox = make_sandbox(image);
    ASSERT_TRUE(gave(call<bool>(*sandbox, "plant", kSecret, grow, kReturn), true));
    sandbox.reset();
    expect_nothing_found();
  }
}

TEST_F(Isolation, NothingIsLeftByASandboxThatFaulted) {
  for (bool grow : {false, true}) {
    auto sandbox = make_sandbox(image);
    EXPECT_TRUE(failed_with(call_void(*sandbox, "plant", kSecret, grow, kFault), GLINT_E_GUEST_FAULT));
    expect_nothing_found();  // while the faulted one is there
    sandbox.reset();
    expect_nothing_found();
  }
}

TEST_F(Isolation, NothingIsLeftByAProgramThatEnded) {
  auto sandbox = make_sandbox(image);
  EXPECT_TRUE(failed_with(call_void(*sandbox, "plant", kSecret, true, kExit), GLINT_E_ENDED));
  expect_nothing_found();
}

TEST_F(Isolation, NothingIsSeenOfASandboxThatIsParked) {
  auto sandbox = make_sandbox(image);
  ASSERT_TRUE(gave(call<bool>(*sandbox, "plant", kSecret, true, kReturn), true));
  expect_nothing_found();
  EXPECT_EQ(own_engine->counters().parks, 1u);
  EXPECT_GT(count_secrets(*sandbox), (1u << 20) / 8 + 2 * 8192) << "it has its own memory still";
  expect_nothing_found();
}

TEST_F(Isolation, NothingIsLeftOfArgumentsAndResults) {
  for (size_t size : {1000u, 100000u, 3u << 20}) {
    Bytes secret(size);
    for (size_t i = 0; i + 8 <= secret.size(); i += 8) std::memcpy(secret.data() + i, &kSecret, 8);
    auto sandbox = make_sandbox(image);
    ASSERT_TRUE(gave(call<Bytes>(*sandbox, "give_back", secret), secret));
    EXPECT_GE(count_secrets(*sandbox), size / 8) << "it stays until the area goes to another sandbox";
    expect_nothing_found();
  }
}

// What was touched is read from /proc, and that must be this process' own.
TEST_F(Isolation, NothingIsLeftInAForkedChildEither) {
  auto warm = make_sandbox(image);
  ASSERT_TRUE(gave(call<bool>(*warm, "plant", kSecret, false, kReturn), true));
  auto second = make_sandbox(image);  // the transfer area has been wiped once in the parent
  ASSERT_EQ(count_secrets(*second), 0u);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    own_engine = make_engine(1);
    image = load("secrets");
    auto planter = make_sandbox(image);
    auto planted = call<bool>(*planter, "plant", kSecret, false, kReturn);
    planter.reset();
    auto next = make_sandbox(image);
    ::_exit(planted && *planted && count_secrets(*next) == 0 ? 0 : 1);
  }
  EXPECT_EQ(exit_status_of(child), 0);
}

// The guest looks at its vector registers, control words, FS and GS bases before anything else, then fills
// them all.
TEST_F(Isolation, VectorRegistersAreFreshAtTheStartOfEachProgram) {
  for (const char* guest : {"fresh_registers", "leftovers"}) {
    const auto program = load(guest);
    const uint64_t vms = own_engine->counters().vms_created;
    for (int i = 0; i < 5; ++i) {
      auto sandbox = make_sandbox(program);
      auto ended = sandbox->run();
      ASSERT_TRUE(succeeded(ended)) << guest;
      EXPECT_EQ(*ended, 0) << guest << ", run " << i << ": the number tells which register was not fresh";
    }
    EXPECT_EQ(own_engine->counters().vms_created, vms + 1) << guest;
  }
}

// What is held in registers while parked is not there for the one in between, and is there afterwards.
TEST_F(Isolation, RegistersOfAParkedSandboxAreItsOwn) {
  auto first = make_sandbox(image), second = make_sandbox(image);
  ASSERT_TRUE(gave(call<uint64_t>(*first, "hold_registers", kSecret), UINT64_MAX));
  ASSERT_TRUE(gave(call<uint64_t>(*second, "hold_registers", ~kSecret), UINT64_MAX));
  EXPECT_TRUE(gave(call<uint64_t>(*first, "hold_registers", uint64_t{0}), 0u));
  EXPECT_TRUE(gave(call<uint64_t>(*second, "hold_registers", uint64_t{0}), 0u));
  EXPECT_EQ(own_engine->counters().vms_created, 1u);
}

}  // namespace
}  // namespace glint::test
