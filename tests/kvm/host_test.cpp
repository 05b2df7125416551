// SPDX-License-Identifier: Apache-2.0
//
// What the host program around the sandboxes may do, and what they must not do to it.

#include <dirent.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "kvm/callbacks.hpp"
#include "kvm/fixture.hpp"

namespace glint::test {
namespace {

LayoutOptions small() {
  LayoutOptions options;
  options.memory_size = 8u << 20;
  return options;
}

uint64_t count_fds() {
  uint64_t count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) throw std::runtime_error("/proc/self/fd");
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

uint64_t count_mappings(std::string_view holding = {}) {
  uint64_t count = 0;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) count += line.find(holding) != std::string::npos;
  return count;
}

class Host : public KvmTest {};

TEST_F(Host, AForkedChildHasNothingOfTheSandboxesAndHarmsNoneOfThem) {
  const auto own_engine = make_engine(2);
  const auto image = load_image(own_engine, "keeper", small());
  std::vector<std::unique_ptr<Sandbox>> sandboxes;
  for (uint64_t i = 0; i < 5; ++i) {
    sandboxes.push_back(make_sandbox(image));
    ASSERT_TRUE(gave(call<bool>(*sandboxes.back(), "fill", i * 1000), true));
  }
  ASSERT_GT(count_mappings("memfd:"), 0u) << "so that the child's count means something";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (count_mappings("memfd:") != 0) ::_exit(1);
    if (count_mappings("kvm-vcpu") != 0) ::_exit(2);
    ::_exit(0);
  }
  EXPECT_EQ(exit_status_of(child), 0) << "1: it has guest memory, 2: it has a vCPU's page";
  for (uint64_t i = 0; i < sandboxes.size(); ++i) {
    EXPECT_TRUE(gave(call<int32_t>(*sandboxes[i], "verify", i * 1000), 0)) << i;
  }
}

TEST_F(Host, AForkedChildMayDestroyItsCopiesOfTheObjects) {
  auto own_engine = make_engine(2);
  auto image = load_image(own_engine, "keeper", small());
  std::vector<std::unique_ptr<Sandbox>> sandboxes;
  for (uint64_t i = 0; i < 5; ++i) {
    sandboxes.push_back(make_sandbox(image));
    ASSERT_TRUE(gave(call<bool>(*sandboxes.back(), "fill", i * 1000), true));
  }
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    sandboxes.clear();
    image.reset();
    own_engine.reset();
    ::_exit(0);
  }
  EXPECT_EQ(exit_status_of(child), 0);
  for (uint64_t i = 0; i < sandboxes.size(); ++i) {
    EXPECT_TRUE(gave(call<int32_t>(*sandboxes[i], "verify", i * 1000), 0)) << i;
  }
}

// At the moment of the fork, threads that are not in the child hold mutexes, and are parking this very
// sandbox.
TEST_F(Host, AForkedChildMayDestroyThemWhileTheParentsThreadsAreAtWork) {
  const auto own_engine = make_engine(1);
  const auto image = load_image(own_engine, "echo", small());
  std::atomic<bool> over{false};
  auto idle = make_sandbox(image);
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      const auto mine = make_sandbox(image);
      while (!over) EXPECT_TRUE(gave(call<int64_t>(*mine, "add", int64_t{1}, int64_t{2}), 3));
    });
  }
  for (uint32_t i = 0; i < scaled(200); ++i) {
    EXPECT_TRUE(gave(call<int64_t>(*idle, "add", int64_t{1}, int64_t{2}), 3));
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::signal(SIGALRM, SIG_DFL);
      ::alarm(30);  // ends one that hangs
      idle.reset();
      ::_exit(0);
    }
    EXPECT_EQ(exit_status_of(child), 0) << "round " << i;
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
}

TEST_F(Host, AForkedChildIsRefusedTheSandboxesAndImagesOfItsParent) {
  auto image = load_image(engine, "echo", small());
  auto before = make_sandbox(image);
  ASSERT_TRUE(gave(call<int64_t>(*before, "add", int64_t{1}, int64_t{2}), 3));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto inherited = call<int64_t>(*before, "add", int64_t{1}, int64_t{2});
    auto fresh = make_sandbox(image);
    auto of_inherited_image = call<int64_t>(*fresh, "add", int64_t{1}, int64_t{2});
    const bool refused = !inherited && inherited.error().code == GLINT_E_UNSUPPORTED && !of_inherited_image &&
                         of_inherited_image.error().code == GLINT_E_UNSUPPORTED;
    ::_exit(refused ? 0 : 1);
  }
  EXPECT_EQ(exit_status_of(child), 0);
  EXPECT_TRUE(gave(call<int64_t>(*before, "add", int64_t{1}, int64_t{2}), 3));
}

TEST_F(Host, AForkedChildMayHaveSandboxesOfItsOwn) {
  auto before = make_sandbox(load_image(engine, "echo", small()));
  ASSERT_TRUE(gave(call<int64_t>(*before, "add", int64_t{1}, int64_t{2}), 3));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto of_parent = Image::load_file(engine, guest_path("echo"), small());
    if (of_parent || of_parent.error().code != GLINT_E_UNSUPPORTED) ::_exit(2);
    auto own = make_sandbox(load_image(make_engine(1), "echo", small()));
    auto sum = call<int64_t>(*own, "add", int64_t{20}, int64_t{22});
    ::_exit(sum && *sum == 42 ? 0 : 1);
  }
  EXPECT_EQ(exit_status_of(child), 0);
  EXPECT_TRUE(gave(call<int64_t>(*before, "add", int64_t{1}, int64_t{2}), 3));
}

TEST_F(Host, AForkDuringAHostCallHarmsNothing) {
  CallbackHost host;
  host.on_nested = [](HostCall& c) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(7);
    return answer(c, to_value(int64_t{exit_status_of(child)}));
  };
  auto sandbox = make_sandbox(load_image(engine, "callbacks", small()), host.functions);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(gave(call<int64_t>(*sandbox, "call_nested", int64_t{0}), 7));
}

// ---- signals ----

std::atomic<uint64_t> s_alarms;

TEST_F(Host, SignalsInterruptCallsAndNothingIsLost) {
  CallbackHost host;
  auto sandbox = make_sandbox(load_image(engine, "callbacks", small()), host.functions);
  ASSERT_TRUE(gave(call<int64_t>(*sandbox, "call_add", int64_t{0}, int64_t{0}), 0));
  const auto start_count = sandbox->counters();

  struct sigaction action{}, old{};
  action.sa_handler = [](int) { ++s_alarms; };  // without SA_RESTART
  ASSERT_EQ(::sigaction(SIGALRM, &action, &old), 0);
  s_alarms = 0;
  // Under an emulated processor an entry alone takes longer than that.
  const suseconds_t interval = 200 * 100 / static_cast<suseconds_t>(scaled(100));
  const itimerval timer{{0, interval}, {0, interval}}, none{};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &timer, nullptr), 0);
  // As many as were asked for, and more where signals are too rare for that.
  uint32_t calls = 0;
  for (; (calls < scaled(2000) || s_alarms < 20) && calls < 100'000 && !HasFailure(); ++calls) {
    EXPECT_TRUE(gave(call<int64_t>(*sandbox, "call_add", int64_t{calls}, int64_t{1}), int64_t{calls} + 1));
  }
  // Also while sandboxes are made, parked and destroyed.
  const auto own_engine = make_engine(1);
  const auto image = load_image(own_engine, "keeper", small());
  for (uint64_t i = 0; i < 10 && !HasFailure(); ++i) {
    auto a = make_sandbox(image), b = make_sandbox(image);
    EXPECT_TRUE(gave(call<bool>(*a, "fill", i), true));
    EXPECT_TRUE(gave(call<bool>(*b, "fill", ~i), true));
    EXPECT_TRUE(gave(call<int32_t>(*a, "verify", i), 0));
    EXPECT_TRUE(gave(call<int32_t>(*b, "verify", ~i), 0));
  }
  ::setitimer(ITIMER_REAL, &none, nullptr);
  ::sigaction(SIGALRM, &old, nullptr);
  const auto end_count = sandbox->counters();
  EXPECT_EQ(end_count.calls - start_count.calls, calls);
  EXPECT_EQ(end_count.host_calls - start_count.host_calls, calls) << "no host call is made twice";
  EXPECT_GE(s_alarms, 20u);
}

// ---- what is given back ----

// The heap of the libc may grow. Sanitizers map memory for threads and mutexes once more (ThreadSanitizer 18,
// after 5 rounds as after 500).
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kMappingsOfTheLibc = 40;
#else
constexpr uint64_t kMappingsOfTheLibc = 2;
#endif

TEST_F(Host, DescriptorsAndMappingsReturnToWhatTheyWere) {
  const auto own_engine = make_engine(2);
  const auto image = load_image(own_engine, "keeper", small());
  const auto use = [&](uint64_t i) {
    auto a = make_sandbox(image), b = make_sandbox(image), c = make_sandbox(image);
    ASSERT_TRUE(gave(call<int64_t>(*a, "increment"), 1));
    ASSERT_TRUE(gave(call<int64_t>(*b, "increment"), 1));
    ASSERT_TRUE(gave(call<int64_t>(*c, "increment"), 1));  // parks a
    ASSERT_TRUE(gave(call<int64_t>(*a, "increment"), 2));
    if (i % 5 == 0) {
      ASSERT_TRUE(failed_with(call_void(*b, "no_such_function"), GLINT_E_NOT_FOUND));
    }
  };
  for (uint64_t i = 0; i < 5; ++i) use(i);
  const uint64_t fds = count_fds(), mappings = count_mappings();
  const uint32_t rounds = scaled(500);
  for (uint64_t i = 0; i < rounds && !HasFatalFailure(); ++i) use(i);
  EXPECT_EQ(count_fds(), fds);
  EXPECT_LE(count_mappings(), mappings + kMappingsOfTheLibc);
  EXPECT_EQ(own_engine->counters().vms_created, 2u);
}

TEST_F(Host, AnEngineGivesEverythingBack) {
  const auto use = [] {
    auto own_engine = make_engine(4);
    auto image = load_image(own_engine, "echo", small());
    std::vector<std::unique_ptr<Sandbox>> sandboxes;
    for (int i = 0; i < 6; ++i) {
      sandboxes.push_back(make_sandbox(image));
      ASSERT_TRUE(
          succeeded(call_view(*sandboxes.back(), "make_bytes", uint64_t{2u << 20})));  // held, and grown
    }
    EXPECT_EQ(own_engine->counters().vms_live, 6u);
    sandboxes.clear();
    image.reset();
    EXPECT_EQ(own_engine->counters().vms_live, 0u);
    EXPECT_EQ(own_engine->counters().sandboxes_live, 0u);
  };
  use();
  const uint64_t fds = count_fds(), mappings = count_mappings();
  for (int i = 0; i < 5; ++i) use();
  EXPECT_EQ(count_fds(), fds);
  EXPECT_LE(count_mappings(), mappings + kMappingsOfTheLibc);
}

TEST_F(Host, ASandboxTakesAtMostTwoMappings) {
  const auto own_engine = make_engine(2);
  const auto image = load_image(own_engine, "keeper", small());
  std::vector<std::unique_ptr<Sandbox>> sandboxes;
  const auto add = [&] {
    sandboxes.push_back(make_sandbox(image));
    ASSERT_TRUE(gave(call<int64_t>(*sandboxes.back(), "increment"), 1));
  };
  for (int i = 0; i < 5; ++i) add();
  const uint64_t fds = count_fds(), mappings = count_mappings();
  constexpr uint64_t kMore = 100;
  for (uint64_t i = 0; i < kMore; ++i) add();
  EXPECT_EQ(count_fds(), fds) << "a parked sandbox has no descriptor";
  EXPECT_LE(count_mappings(), mappings + 2 * kMore + 2);
}

// ---- threads ----

TEST_F(Host, ManyThreadsCallTheirOwnSandboxes) {
  const auto image = load_image(engine, "echo", small());
  std::vector<std::thread> threads;
  for (int64_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int k = 0; k < 3; ++k) {
        auto sandbox = make_sandbox(image);
        for (int64_t i = 0; i < 50; ++i) {
          if (!gave(call<int64_t>(*sandbox, "add", t, i), t + i)) ADD_FAILURE() << t << " " << i;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(engine->counters().vms_live, uint64_t{engine->max_shells()} * 32);
}

TEST_F(Host, OneSandboxUsedByTwoThreadsAtOnceIsRefusedNotBroken) {
  CallbackHost host;
  auto sandbox = make_sandbox(load_image(engine, "callbacks", small()), host.functions);
  std::atomic<uint32_t> done{0}, busy{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int64_t i = 0; i < 100; ++i) {
        auto sum = call_view(*sandbox, "call_add", i, i);
        if (!sum) {
          EXPECT_TRUE(failed_with(sum, GLINT_E_BUSY));
          ++busy;
        } else {
          EXPECT_EQ(static_cast<int64_t>(sum->bits), 2 * i);
          ++done;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done + busy, 300u);
  EXPECT_GT(done, 0u);
  EXPECT_EQ(sandbox->counters().host_calls, done);
  EXPECT_TRUE(gave(call<int64_t>(*sandbox, "call_add", int64_t{1}, int64_t{2}), 3));
}

}  // namespace
}  // namespace glint::test
