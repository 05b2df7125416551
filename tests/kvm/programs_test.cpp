// SPDX-License-Identifier: Apache-2.0
//
// Plain programs, which know nothing of Glint, run to their end.

#include "kvm/fixture.hpp"

namespace glint::test {
namespace {

struct Ended {
  int32_t status = -1;
  Output output;
};

class Programs : public KvmTest {
 protected:
  Ended run(const char* guest, SandboxOptions options) {
    Ended ended;
    options.output = ended.output.callback();
    auto sandbox = make_sandbox(load_image(engine, guest), nullptr, std::move(options));
    auto status = sandbox->run();
    EXPECT_TRUE(succeeded(status)) << guest;
    if (status) {
      EXPECT_TRUE(status->has_value()) << guest << " waits for calls";
      ended.status = status->value_or(-2);
      EXPECT_EQ(sandbox->state(), Sandbox::State::kEnded);
      auto again = sandbox->run();
      EXPECT_TRUE(again && *again == *status) << "asking again is no error";
    }
    return ended;
  }
  static std::function<uint64_t(std::span<std::byte>)> input_of(std::string text) {
    auto rest = std::make_shared<std::string>(std::move(text));
    return [rest](std::span<std::byte> buffer) {
      const size_t size = std::min(buffer.size(), rest->size());
      std::memcpy(buffer.data(), rest->data(), size);
      rest->erase(0, size);
      return uint64_t{size};
    };
  }
};

TEST_F(Programs, StaticStaticPieAndMuslSeeTheSame) {
  for (const char* guest : {"exits", "exits_pie", "exits_musl"}) {
    SandboxOptions options;
    options.arguments = {"name", "7", "third \xc3\xa9"};
    options.environment = {"A=1", "B="};
    const Ended ended = run(guest, options);
    EXPECT_EQ(ended.status, 7) << guest;
    EXPECT_EQ(ended.output.out, "argv[0]=name\nargv[1]=7\nargv[2]=third \xc3\xa9\nenv A=1\nenv B=\n")
        << guest;
    EXPECT_EQ(ended.output.err, "done\n") << guest;
  }
}

TEST_F(Programs, ExitStatusesArriveAndSoDoesALastLineWithoutNewline) {
  for (const char* guest : {"status", "status_musl"}) {
    for (int status : {0, 1, 42, 255, 256, -1}) {
      SandboxOptions options;
      options.arguments = {"status", std::to_string(status), "no newline"};
      const Ended ended = run(guest, options);
      EXPECT_EQ(ended.status, status & 0xff) << guest;
      EXPECT_EQ(ended.output.out, "no newline") << guest;
    }
  }
}

TEST_F(Programs, HelloFromMusl) {
  const Ended ended = run("musl_hello", {});
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.output.out, "hello from musl\n");
}

TEST_F(Programs, ThreeHundredArgumentsArrive) {
  for (const char* guest : {"exits", "exits_pie", "exits_musl"}) {
    SandboxOptions options;
    options.arguments = {"many", "0"};
    std::string expected = "argv[0]=many\nargv[1]=0\n";
    for (int i = 2; i < 302; ++i) {
      options.arguments.push_back("argument number " + std::to_string(i));
      expected += "argv[" + std::to_string(i) + "]=" + options.arguments.back() + "\n";
    }
    const Ended ended = run(guest, options);
    EXPECT_EQ(ended.status, 0);
    EXPECT_EQ(ended.output.out, expected) << guest;
  }
}

TEST_F(Programs, NoArgumentsAtAllIsPossible) {
  SandboxOptions options;
  options.arguments = {};
  EXPECT_EQ(run("exits", options).output.out, "");
}

TEST_F(Programs, TooManyArgumentsAreRefused) {
  SandboxOptions options;
  options.arguments = {std::string(300000, 'x')};
  EXPECT_TRUE(failed_with(Sandbox::create(load_image(engine, "exits"), nullptr, options), GLINT_E_TOO_LARGE));
  options.arguments = {std::string("a\0b", 3)};
  EXPECT_TRUE(
      failed_with(Sandbox::create(load_image(engine, "exits"), nullptr, options), GLINT_E_INVALID_ARGUMENT));
}

TEST_F(Programs, CppReadsInputAndRunsDestructors) {
  SandboxOptions options;
  options.input = input_of("1\n20\n300");
  Ended ended = run("cpp_program", options);
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.output.out, "sum 321\ngoodbye\n");

  options.input = input_of("1\nx\n");
  ended = run("cpp_program", options);
  EXPECT_EQ(ended.status, 3);
  EXPECT_EQ(ended.output.err, "not a number: stol\n");
  EXPECT_EQ(ended.output.out, "goodbye\n");

  ended = run("cpp_program", {});
  EXPECT_EQ(ended.output.out, "sum 0\ngoodbye\n") << "no input is an empty one";
}

TEST_F(Programs, LongInputArrivesWhole) {
  std::string numbers;
  long sum = 0;
  for (long i = 0; i < 20000; ++i) {
    numbers += std::to_string(i) + "\n";
    sum += i;
  }
  SandboxOptions options;
  options.input = input_of(numbers);
  EXPECT_EQ(run("cpp_program", options).output.out, "sum " + std::to_string(sum) + "\ngoodbye\n");
}

TEST_F(Programs, APlainProgramCannotBeCalled) {
  auto sandbox = make_sandbox(load_image(engine, "exits"));
  EXPECT_TRUE(failed_with(call_void(*sandbox, "main"), GLINT_E_NOT_FOUND, "glint_guest.h"));
  EXPECT_TRUE(failed_with(sandbox->call(0, {}), GLINT_E_NOT_FOUND));
}

TEST_F(Programs, ManyRunsShareTheVms) {
  const auto own_engine = make_engine(2);
  const auto image = load_image(own_engine, "status_musl");
  for (uint32_t i = 0; i < scaled(200); ++i) {
    SandboxOptions options;
    options.arguments = {"status", std::to_string(i % 256)};
    auto status = make_sandbox(image, nullptr, options)->run();
    ASSERT_TRUE(succeeded(status));
    ASSERT_EQ(*status, static_cast<int32_t>(i % 256));
  }
  EXPECT_EQ(own_engine->counters().vms_created, 1u);
}

}  // namespace
}  // namespace glint::test
