// SPDX-License-Identifier: Apache-2.0
//
// Snapshots in the C ABI and the C++ layer, on the fake backend. What they hold, tests/kvm shows.

#include <gtest/gtest.h>
#include <unistd.h>

#include "glint/glint.hpp"
#include "unit/elf_builder.hpp"

namespace glint::test {
namespace {

ElfBytes program(const char* name) {
  ElfBuilder builder;
  builder.functions = {
      elf_function(GLINT_ABI_EXPORT, name, GLINT_ABI_I64, {GLINT_ABI_I64}),
      elf_function(GLINT_ABI_IMPORT, "host_ask", GLINT_ABI_I64, {GLINT_ABI_I64}),
      elf_function(GLINT_ABI_EXPORT, "spin", GLINT_ABI_VOID, {}),
  };
  return builder.build().bytes;
}

uint64_t live_snapshots() {
  glint_live_objects live{};
  live.struct_size = sizeof(live);
  EXPECT_EQ(glint_get_live_objects(&live), GLINT_OK);
  return live.snapshots;
}

class CapiSnapshot : public testing::Test {
 protected:
  ~CapiSnapshot() override { glint_snapshot_free(snapshot_); }
  static HostFunctions functions() {
    HostFunctions host;
    host.add("host_ask", [](int64_t n) { return n + 1; });
    return host;
  }

  // A deadline may be over before the guest runs, which does not poison.
  static void poison(Sandbox& sandbox) {
    while (sandbox.state() != State::kPoisoned) {
      EXPECT_FALSE(sandbox.try_call({.deadline = std::chrono::milliseconds(1)}, "spin"));
    }
  }

  glint_status take() { return glint_snapshot_create(sandbox_.handle(), nullptr, &snapshot_, nullptr); }

  Engine engine_{{.backend = Backend::kFake}};
  Image image_ = engine_.load_bytes(program("ask"));
  HostFunctions host_ = functions();
  Sandbox sandbox_{image_, host_};
  glint_snapshot* snapshot_ = nullptr;
};

TEST_F(CapiSnapshot, IsTakenUsedAndFreed) {
  ASSERT_EQ(take(), GLINT_OK);
  EXPECT_EQ(live_snapshots(), 1u);
  glint_snapshot_info info{};
  info.struct_size = sizeof(info);
  ASSERT_EQ(glint_snapshot_get_info(snapshot_, &info, nullptr), GLINT_OK);
  EXPECT_EQ(info.memory_size % 2097152, 0u);
  EXPECT_GT(info.stored_size, 0u);
  EXPECT_LT(info.stored_size, info.memory_size);
  glint_sandbox* made = nullptr;
  ASSERT_EQ(glint_sandbox_create_from(snapshot_, host_.handle(), nullptr, &made, nullptr), GLINT_OK);
  glint_snapshot_free(std::exchange(snapshot_, nullptr));
  EXPECT_EQ(live_snapshots(), 0u);
  EXPECT_EQ(glint_sandbox_state(made), GLINT_STATE_READY);
  EXPECT_EQ(glint_sandbox_restore(made, nullptr, nullptr), GLINT_OK) << "it has a reference of its own";
  glint_sandbox_free(made);
}

TEST_F(CapiSnapshot, RefusesNullsAndBadStructs) {
  EXPECT_EQ(glint_snapshot_create(nullptr, nullptr, &snapshot_, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_snapshot_create(sandbox_.handle(), nullptr, nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
  glint_sandbox* made = nullptr;
  EXPECT_EQ(glint_sandbox_create_from(nullptr, nullptr, nullptr, &made, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_sandbox_restore(nullptr, nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
  glint_snapshot_free(nullptr);
  ASSERT_EQ(take(), GLINT_OK);
  EXPECT_EQ(glint_sandbox_create_from(snapshot_, host_.handle(), nullptr, nullptr, nullptr),
            GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_sandbox_create_from(snapshot_, nullptr, nullptr, &made, nullptr), GLINT_E_MISSING_IMPORT);
  glint_snapshot_info info{};
  EXPECT_EQ(glint_snapshot_get_info(snapshot_, &info, nullptr), GLINT_E_INVALID_ARGUMENT) << "no struct_size";
  EXPECT_EQ(glint_snapshot_get_info(snapshot_, nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_snapshot_get_info(nullptr, &info, nullptr), GLINT_E_INVALID_ARGUMENT);
}

TEST_F(CapiSnapshot, DestroysTheCallbacksDataOnceWhenMakingASandboxFails) {
  ASSERT_EQ(take(), GLINT_OK);
  int destroyed = 0;
  glint_sandbox_options options;
  glint_sandbox_options_init(&options, sizeof(options));
  options.output_user_data = &destroyed;
  options.output_destroy = [](void* count) { ++*static_cast<int*>(count); };
  glint_sandbox* made = nullptr;
  EXPECT_EQ(glint_sandbox_create_from(snapshot_, nullptr, &options, &made, nullptr), GLINT_E_MISSING_IMPORT);
  EXPECT_EQ(destroyed, 1);
}

TEST_F(CapiSnapshot, OfCppIsSharedByItsCopies) {
  const Snapshot snapshot = sandbox_.snapshot();
  const Snapshot copy = snapshot;
  EXPECT_EQ(live_snapshots(), 1u);
  Sandbox one(copy, host_);
  EXPECT_EQ(one.call<int64_t>("ask", 41), 42);
  EXPECT_LT(copy.stored_size(), copy.memory_size());
}

TEST_F(CapiSnapshot, IsSavedToAFileAndLoaded) {
  ASSERT_EQ(take(), GLINT_OK);
  const std::string path = testing::TempDir() + "glint-capi-snapshot-" + std::to_string(::getpid());
  ASSERT_EQ(glint_snapshot_save(snapshot_, {path.data(), path.size()}, nullptr), GLINT_OK);
  glint_snapshot* loaded = nullptr;
  ASSERT_EQ(glint_snapshot_load(image_.handle(), {path.data(), path.size()}, &loaded, nullptr), GLINT_OK);
  EXPECT_EQ(live_snapshots(), 2u);
  glint_snapshot_free(loaded);
  {
    const Snapshot snapshot = Snapshot::load(image_, path);
    Sandbox sandbox(snapshot, host_);
    EXPECT_EQ(sandbox.call<int64_t>("ask", 41), 42);
    EXPECT_EQ(sandbox.counters().exits, 2u) << "of the call and of what it asked the host: none to start";
    snapshot.save(path);
    EXPECT_GT(Snapshot::load(image_, path).stored_size(), 0u);
  }
  const Image other = engine_.load_bytes(program("other"));
  const auto refused = Snapshot::try_load(other, path);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), GLINT_E_SNAPSHOT_IMAGE);
  EXPECT_NE(std::string(refused.error().what()).find("only this one exports other"), std::string::npos)
      << refused.error().what();
  ::unlink(path.c_str());
  EXPECT_EQ(Snapshot::try_load(image_, path).error().code(), GLINT_E_SYSTEM);
  EXPECT_EQ(sandbox_.snapshot().try_save("/no/such/directory/file").error().code(), GLINT_E_SYSTEM);
}

TEST_F(CapiSnapshot, FilesNeedTheirArguments) {
  ASSERT_EQ(take(), GLINT_OK);
  const glint_str name = {"name", 4};
  glint_snapshot* loaded = snapshot_;
  EXPECT_EQ(glint_snapshot_save(nullptr, name, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_snapshot_save(snapshot_, {nullptr, 0}, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_snapshot_save(snapshot_, {"a\0b", 3}, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_snapshot_load(image_.handle(), name, nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_snapshot_load(nullptr, name, &loaded, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(loaded, nullptr) << "set also when it fails";
}

TEST_F(CapiSnapshot, RestoringClearsPoison) {
  const Snapshot snapshot = sandbox_.snapshot();
  Sandbox sandbox(snapshot, host_);
  for (int i = 0; i < 3; ++i) {
    poison(sandbox);
    EXPECT_EQ(sandbox.try_call<int64_t>("ask", 1).error().code(), GLINT_E_POISONED);
    sandbox.restore();
    EXPECT_EQ(sandbox.state(), State::kReady);
    EXPECT_EQ(sandbox.call<int64_t>("ask", 1), 2);
  }
  EXPECT_EQ(sandbox.counters().restores, 3u);
}

TEST_F(CapiSnapshot, RestoringIsRefusedDuringACallAndWithoutASnapshot) {
  EXPECT_EQ(sandbox_.try_restore().error().code(), GLINT_E_INVALID_ARGUMENT);
  const Snapshot snapshot = sandbox_.snapshot();
  Sandbox* inside = nullptr;
  HostFunctions host;
  host.add("host_ask", [&](int64_t n) {
    EXPECT_EQ(inside->try_restore().error().code(), GLINT_E_BUSY);
    EXPECT_EQ(inside->try_snapshot().error().code(), GLINT_E_BUSY);
    return n;
  });
  Sandbox sandbox(snapshot, host);
  inside = &sandbox;
  EXPECT_EQ(sandbox.call<int64_t>("ask", 5), 5);
  const Image other = engine_.load_bytes(program("other"));
  Sandbox stranger(other, host_);
  EXPECT_EQ(stranger.try_restore(snapshot).error().code(), GLINT_E_INVALID_ARGUMENT);
}

TEST_F(CapiSnapshot, AnIsolatedSandboxIsNeverFoundPoisoned) {
  Sandbox sandbox(image_, host_, {.restore_each_call = true});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(sandbox.call<int64_t>("ask", 1), 2);
    poison(sandbox);
  }
}

}  // namespace
}  // namespace glint::test
