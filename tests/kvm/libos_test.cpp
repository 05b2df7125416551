// SPDX-License-Identifier: Apache-2.0
//
// What the libos gives to programs: time, random bytes, memory, files, text, and an honest refusal of the
// rest.

#include <cerrno>
#include <cmath>
#include <ctime>
#include <map>
#include <set>
#include <thread>

#include "kvm/fixture.hpp"

namespace glint::test {
namespace {

using std::string_literals::operator""s;

int64_t host_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

class Libos : public KvmTest {
 protected:
  void SetUp() override {
    KvmTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    LayoutOptions layout;
    layout.files = {{"/data/hello.txt", bytes_of("hello from the host\nsecond line\n")},
                    {"/data/empty", {}},
                    {"/etc/large", pattern_bytes(60000)}};
    image = load_image(engine, "libc", layout);
    sandbox = start({});
  }
  std::unique_ptr<Sandbox> start(SandboxOptions options) {
    return make_sandbox(image, nullptr, std::move(options));
  }

  std::shared_ptr<Image> image;
  std::unique_ptr<Sandbox> sandbox;
};

// ---- time ----

TEST_F(Libos, ClocksAreTheHostsAndAdvance) {
  constexpr int64_t kClose = 2'000'000'000;
  for (const auto& [function, clock] :
       {std::pair("monotonic_ns", CLOCK_MONOTONIC), std::pair("realtime_ns", CLOCK_REALTIME)}) {
    auto first = call<int64_t>(*sandbox, function);
    ASSERT_TRUE(succeeded(first));
    EXPECT_LT(std::abs(*first - host_clock(clock)), kClose) << function;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    auto second = call<int64_t>(*sandbox, function);
    ASSERT_TRUE(succeeded(second));
    EXPECT_GT(*second - *first, 45'000'000) << function;
    EXPECT_LT(std::abs(*second - host_clock(clock)), kClose) << function;
  }
  EXPECT_TRUE(gave(call<uint32_t>(*sandbox, "clock_steps_back", scaled(2000)), 0u));
}

TEST_F(Libos, ClocksGoOnOnAnotherMachine) {
  const auto own_engine = make_engine(1);
  const auto own_image = load_image(own_engine, "libc");
  auto a = make_sandbox(own_image), b = make_sandbox(own_image);
  int64_t last[2] = {};
  for (int turn = 0; turn < 10; ++turn) {
    for (auto& [s, before] : {std::pair(a.get(), &last[0]), std::pair(b.get(), &last[1])}) {
      auto now = call<int64_t>(*s, "monotonic_ns");
      ASSERT_TRUE(succeeded(now));
      EXPECT_GT(*now, *before);
      EXPECT_LT(std::abs(*now - host_clock(CLOCK_MONOTONIC)), 2'000'000'000);
      *before = *now;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(own_engine->counters().parks, 19u);
}

TEST_F(Libos, SleepingTakesItsTime) {
  auto slept = call<int64_t>(*sandbox, "sleep_ns", int64_t{20'000'000});
  ASSERT_TRUE(succeeded(slept));
  EXPECT_GE(*slept, 20'000'000);
  EXPECT_LT(*slept, 2'000'000'000);
}

// ---- random bytes ----

TEST_F(Libos, RandomBytesDifferBetweenCallsAndSandboxes) {
  std::set<Bytes> seen;
  std::vector<std::unique_ptr<Sandbox>> others;
  for (int i = 0; i < 20; ++i) {
    others.push_back(start({}));
    for (int k = 0; k < 3; ++k) {
      auto bytes = call<Bytes>(*others.back(), "random_bytes", uint32_t{32});
      ASSERT_TRUE(succeeded(bytes));
      EXPECT_EQ(bytes->size(), 32u);
      EXPECT_TRUE(seen.insert(*bytes).second) << "seen before";
    }
  }
  auto many = call<Bytes>(*sandbox, "random_bytes", uint32_t{100000});
  ASSERT_TRUE(succeeded(many));
  std::map<std::byte, int> histogram;
  for (std::byte b : *many) ++histogram[b];
  EXPECT_EQ(histogram.size(), 256u);
  for (const auto& [value, count] : histogram)
    EXPECT_NEAR(count, 100000 / 256, 140);  // 7 standard deviations
}

// ---- memory ----

TEST_F(Libos, AllocationsKeepTheirContents) {
  for (uint32_t seed = 0; seed < 3; ++seed) {
    EXPECT_TRUE(gave(call<bool>(*sandbox, "allocation_stress", scaled(3000), seed), true)) << seed;
  }
}

TEST_F(Libos, MappingsBehaveAsInLinux) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(gave(call<int32_t>(*sandbox, "mapping_checks"), 0)) << "time " << i;
}

// ---- files ----

TEST_F(Libos, FilesOfTheHostCanBeRead) {
  EXPECT_TRUE(gave(call<std::string>(*sandbox, "read_file", "/data/hello.txt"),
                   "hello from the host\nsecond line\n"s));
  EXPECT_TRUE(gave(call<std::string>(*sandbox, "read_file", "/data/empty"), ""s));
  EXPECT_TRUE(gave(call<std::string>(*sandbox, "read_file", "data/../data//hello.txt"),
                   "hello from the host\nsecond line\n"s));
  EXPECT_TRUE(gave(call<int32_t>(*sandbox, "file_checks"), 0));
}

TEST_F(Libos, OtherFilesAreNotThere) {
  for (const char* path : {"/data/missing", "/etc/passwd", "/data/hello.txt/x", "/proc/self/maps", ""}) {
    auto read = call_void(*sandbox, "read_file", path);
    ASSERT_TRUE(failed_with(read, GLINT_E_GUEST_ERROR)) << path;
    EXPECT_TRUE(read.error().guest_code == ENOENT || read.error().guest_code == ENOTDIR)
        << path << read.error().message;
  }
}

// ---- arguments, environment, input ----

TEST_F(Libos, ArgumentsAndEnvironmentArrive) {
  SandboxOptions options;
  options.arguments = {"program", "", "two words", "\xc3\xa9"};
  options.environment = {"NAME=value=with=signs", "EMPTY="};
  auto s = start(options);
  for (uint32_t i = 0; i < options.arguments.size(); ++i) {
    EXPECT_TRUE(gave(call<std::string>(*s, "argument", i), options.arguments[i]));
  }
  EXPECT_TRUE(gave(call<std::string>(*s, "argument", uint32_t{4}), "(null)"s));
  EXPECT_TRUE(gave(call<std::string>(*s, "environment", "NAME"), "value=with=signs"s));
  EXPECT_TRUE(gave(call<std::string>(*s, "environment", "EMPTY"), ""s));
  EXPECT_TRUE(gave(call<std::string>(*s, "environment", "PATH"), "(null)"s)) << "nothing of the host's";
  EXPECT_TRUE(gave(call<int64_t>(*s, "process_id"), 1));
}

TEST_F(Libos, InputComesFromTheCallback) {
  std::string text = "first\nsecond\nlast without newline";
  SandboxOptions options;
  options.input = [&](std::span<std::byte> buffer) {
    const size_t size = std::min<size_t>({buffer.size(), text.size(), 4});  // in small pieces
    std::memcpy(buffer.data(), text.data(), size);
    text.erase(0, size);
    return size;
  };
  auto s = start(options);
  for (const char* line : {"first\n", "second\n", "last without newline"}) {
    EXPECT_TRUE(gave(call<std::string>(*s, "read_line"), std::string(line)));
  }
  EXPECT_TRUE(failed_with(call_void(*s, "read_line"), GLINT_E_GUEST_ERROR, "no more input"));
  EXPECT_TRUE(failed_with(call_void(*sandbox, "read_line"), GLINT_E_GUEST_ERROR, "no more input"))
      << "no callback";
}

// ---- output ----

TEST_F(Libos, OutputIsCompleteAndInOrder) {
  Output output;
  SandboxOptions options;
  options.output = output.callback();
  auto s = start(options);
  const uint32_t lines = scaled(2000);
  ASSERT_TRUE(succeeded(call_void(*s, "print_lines", lines)));
  std::string out, err;
  for (uint32_t i = 0; i < lines; ++i) {
    out += "out " + std::to_string(i) + "\n";
    err += "err " + std::to_string(i) + "\n";
  }
  EXPECT_EQ(output.out, out);
  EXPECT_EQ(output.err, err);
  EXPECT_EQ(s->counters().output_bytes, out.size() + err.size());
  ASSERT_TRUE(succeeded(call_void(*s, "print_without_newline", "the end")));
  EXPECT_TRUE(output.out.ends_with("the end")) << "what a function printed belongs to its call";
}

TEST_F(Libos, AMebibyteOfOutputArrivesWhole) {
  Output output;
  SandboxOptions options;
  options.output = output.callback();
  auto s = start(options);
  const int64_t size = 1 << 20;
  EXPECT_TRUE(gave(call<int64_t>(*s, "write_much", uint64_t{size}), size));
  ASSERT_EQ(output.out.size(), static_cast<size_t>(size));
  for (size_t i = 0; i < output.out.size(); ++i)
    ASSERT_EQ(output.out[i], static_cast<char>('0' + i % 10)) << i;
  EXPECT_EQ(output.err, "");
  for (uint64_t odd : {0u, 1u, 7u, 12279u, 12280u, 12281u, 12288u}) {  // around the size of the text area
    output.out.clear();
    EXPECT_TRUE(gave(call<int64_t>(*s, "write_much", uint64_t{odd}), static_cast<int64_t>(odd)));
    EXPECT_EQ(output.out.size(), odd);
  }
}

// ---- system calls ----

TEST_F(Libos, AnUnknownSystemCallIsRefusedCountedAndNamed) {
  std::vector<SyscallReport> reports;
  SandboxOptions options;
  options.trace = [&](const SyscallReport& report) { reports.push_back(report); };
  auto s = start(options);
  ASSERT_TRUE(succeeded(s->run()));
  reports.clear();
  const uint64_t before = s->counters().unknown_syscalls;
  constexpr int64_t kPtrace = 101, kNone = 999;
  EXPECT_TRUE(gave(call<int64_t>(*s, "raw_syscall", kPtrace, int64_t{11}, int64_t{22}), -ENOSYS));
  EXPECT_TRUE(gave(call<int64_t>(*s, "raw_syscall", kNone, int64_t{0}, int64_t{0}), -ENOSYS));
  EXPECT_EQ(s->counters().unknown_syscalls - before, 2u);
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].number, 101u);
  EXPECT_EQ(reports[0].name, "ptrace");
  EXPECT_EQ(reports[0].arguments[0], 11u);
  EXPECT_EQ(reports[0].arguments[1], 22u);
  EXPECT_EQ(reports[0].result, -ENOSYS);
  EXPECT_TRUE(reports[0].unknown);
  EXPECT_EQ(reports[1].number, 999u);
  EXPECT_EQ(reports[1].name, "");
  constexpr int64_t kHuge = INT64_MIN;
  EXPECT_TRUE(gave(call<int64_t>(*s, "raw_syscall", kHuge, int64_t{0}, int64_t{0}), -ENOSYS));
}

TEST_F(Libos, StartingALibcNeedsNoUnknownSystemCall) {
  for (const char* guest : {"libc", "cpp_program", "musl_hello"}) {
    SandboxOptions options;
    std::string unknown;
    options.trace = [&](const SyscallReport& r) { unknown += std::string(r.name) + " "; };
    auto s = make_sandbox(load_image(engine, guest), nullptr, options);
    ASSERT_TRUE(succeeded(s->run()));
    EXPECT_EQ(unknown, "") << guest;
  }
}

TEST_F(Libos, TheTraceListsTheServedCallsToo) {
  std::vector<SyscallReport> reports;
  SandboxOptions options;
  options.trace = [&](const SyscallReport& report) { reports.push_back(report); };
  options.trace_all = true;
  auto s = start(options);
  EXPECT_TRUE(gave(call<int64_t>(*s, "write_much", uint64_t{5}), 5));
  const auto written =
      std::ranges::find_if(reports, [](const SyscallReport& r) { return r.name == "write"; });
  ASSERT_NE(written, reports.end());
  EXPECT_EQ(written->arguments[0], 1u);
  EXPECT_EQ(written->arguments[2], 5u);
  EXPECT_EQ(written->result, 5);
  EXPECT_FALSE(written->unknown);
  reports.clear();
  EXPECT_TRUE(failed_with(call_void(*s, "read_file", "/missing"), GLINT_E_GUEST_ERROR));
  EXPECT_TRUE(std::ranges::any_of(
      reports, [](const SyscallReport& r) { return r.name.starts_with("open") && r.result == -ENOENT; }));
  EXPECT_EQ(s->counters().unknown_syscalls, 0u);
}

TEST_F(Libos, SystemCallsKeepRegistersFlagsAndRedZone) {
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(gave(call<int32_t>(*sandbox, "syscall_keeps_state"), 0));
}

// ---- state of the processor (tests/guests/vector.c) ----

TEST_F(Libos, NothingChangesVectorRegisters) {
  auto functions = std::make_shared<HostFunctions>();
  add_host(*functions, "progress", GLINT_ABI_VOID, {GLINT_ABI_U32}, [](HostCall&) { return GLINT_OK; });
  auto vector = make_sandbox(load_image(engine, "vector"), functions);
  auto avx = call<bool>(*vector, "avx_is_there");
  ASSERT_TRUE(succeeded(avx));
  if (*avx) {
    for (uint32_t seed = 0; seed < 5; ++seed) {
      EXPECT_TRUE(gave(call<uint32_t>(*vector, "changed_by_syscall", seed), 0u));
      EXPECT_TRUE(gave(call<uint32_t>(*vector, "changed_by_host_call", seed), 0u));
    }
  }
  for (uint64_t pattern : {uint64_t{0x0123456789abcdefu}, uint64_t{0xfedcba9876543210u}}) {
    ASSERT_TRUE(succeeded(call_void(*vector, "set_state", pattern)));
    EXPECT_TRUE(gave(call<bool>(*vector, "has_state", pattern), true));
  }
}

// ---- libc ----

TEST_F(Libos, LibcWorks) {
  EXPECT_TRUE(
      gave(call<std::string>(*sandbox, "format_double", 0.1), "0.10000000000000001 0x1.999999999999ap-4"s));
  EXPECT_TRUE(gave(call<bool>(*sandbox, "sorts", scaled(20000)), true));
  EXPECT_TRUE(gave(call<int32_t>(*sandbox, "jumps"), 5));
}

TEST_F(Libos, CppWorks) {
  auto functions = std::make_shared<HostFunctions>();
  add_host(*functions, "host_add", GLINT_ABI_I64, {GLINT_ABI_I64, GLINT_ABI_I64}, [](HostCall& c) {
    return answer(c, to_value(static_cast<int64_t>(c.arguments()[0].bits + c.arguments()[1].bits)));
  });
  auto cpp = make_sandbox(load_image(engine, "cpp_guest"), functions);
  EXPECT_TRUE(gave(call<std::string>(*cpp, "constructor_ran"), "constructed"s));
  EXPECT_TRUE(gave(call<std::string>(*cpp, "reverse", "abc"), "cba"s));
  EXPECT_TRUE(gave(call<std::string>(*cpp, "most_common_word", "a b b c b a"), "b"s));
  EXPECT_TRUE(gave(call<int32_t>(*cpp, "parse", "-42"), -42));
  auto thrown = call_void(*cpp, "parse", "x");
  ASSERT_TRUE(failed_with(thrown, GLINT_E_GUEST_ERROR, "stoi"));
  EXPECT_EQ(thrown.error().guest_code, 22);
  EXPECT_TRUE(gave(call<int64_t>(*cpp, "sum_through_host", uint32_t{50}), 1225));
  Bytes data = pattern_bytes(5000), sorted = data;
  std::ranges::sort(sorted);
  EXPECT_TRUE(gave(call<Bytes>(*cpp, "sorted", data), sorted));
  EXPECT_TRUE(failed_with(call_void(*cpp, "throw_uncaught"), GLINT_E_GUEST_ABORT, "throw_uncaught"));
}

}  // namespace
}  // namespace glint::test
