// SPDX-License-Identifier: Apache-2.0
//
// How the tool reads the texts of its command line.
#include "arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "files.hpp"
#include "output.hpp"
#include "stubs.hpp"

namespace {

using glint::Error;
using glint::FunctionInfo;
using glint::Type;
using glint::cli::parse_value;
using testing::HasSubstr;

glint_value scalar(Type type, std::string_view text) {
  return parse_value(type, text, "f, argument 1").view();
}

std::string bytes(Type type, std::string_view text) {
  const glint::cli::Value value = parse_value(type, text, "f, argument 1");
  return std::string(glint::cli::payload_of(value.view()));
}

// What is said when `action` throws an Error, as it must.
template <class Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return std::string(error.message());
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

std::string refusal(Type type, std::string_view text) {
  return message_of([&] { parse_value(type, text, "f, argument 1"); });
}

TEST(CliArguments, ReadsIntegersUpToTheirLimits) {
  EXPECT_EQ(scalar(Type::kI32, "-2147483648").as.i32, std::numeric_limits<int32_t>::min());
  EXPECT_EQ(scalar(Type::kI32, "2147483647").as.i32, std::numeric_limits<int32_t>::max());
  EXPECT_EQ(scalar(Type::kU32, "4294967295").as.u32, std::numeric_limits<uint32_t>::max());
  EXPECT_EQ(scalar(Type::kI64, "-9223372036854775808").as.i64, std::numeric_limits<int64_t>::min());
  EXPECT_EQ(scalar(Type::kI64, "9223372036854775807").as.i64, std::numeric_limits<int64_t>::max());
  EXPECT_EQ(scalar(Type::kU64, "18446744073709551615").as.u64, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(scalar(Type::kU32, "-0").as.u32, 0u);
  EXPECT_EQ(scalar(Type::kI32, "+5").as.i32, 5);
}

TEST(CliArguments, ReadsHexadecimalIntegers) {
  EXPECT_EQ(scalar(Type::kU32, "0xff").as.u32, 255u);
  EXPECT_EQ(scalar(Type::kU64, "0XFFFFFFFFFFFFFFFF").as.u64, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(scalar(Type::kI64, "-0x10").as.i64, -16);
}

TEST(CliArguments, RefusesIntegersOutOfRangeAndNamesTheRange) {
  EXPECT_EQ(refusal(Type::kI32, "2147483648"),
            "f, argument 1: expected i32 (-2147483648 to 2147483647), given \"2147483648\"");
  for (const char* text : {"-2147483649", "0x80000000", "99999999999999999999999"}) {
    EXPECT_THAT(refusal(Type::kI32, text), HasSubstr("expected i32 (")) << text;
  }
  EXPECT_THAT(refusal(Type::kU32, "-1"), HasSubstr("expected u32 (0 to 4294967295)"));
  EXPECT_THAT(refusal(Type::kU32, "4294967296"), HasSubstr("expected u32 ("));
  EXPECT_THAT(refusal(Type::kI64, "9223372036854775808"), HasSubstr("expected i64 ("));
  EXPECT_THAT(refusal(Type::kI64, "-9223372036854775809"), HasSubstr("expected i64 ("));
  EXPECT_THAT(refusal(Type::kU64, "18446744073709551616"), HasSubstr("expected u64 ("));
  EXPECT_THAT(refusal(Type::kU64, "-1"), HasSubstr("expected u64 ("));
}

TEST(CliArguments, RefusesWhatIsNoInteger) {
  for (const char* text :
       {"", "-", "+", "0x", "-0x", "abc", "12x", "1.5", " 1", "1 ", "0x-5", "--5", "1e3"}) {
    EXPECT_THAT(refusal(Type::kI32, text), HasSubstr("expected i32, given ")) << '"' << text << '"';
  }
}

TEST(CliArguments, ReadsFloatingPointNumbers) {
  EXPECT_EQ(scalar(Type::kF64, "-3.25").as.f64, -3.25);
  EXPECT_EQ(scalar(Type::kF64, "+1e3").as.f64, 1000.0);
  EXPECT_EQ(scalar(Type::kF32, "0.1").as.f32, 0.1f);
  EXPECT_TRUE(std::isinf(scalar(Type::kF64, "-inf").as.f64));
  EXPECT_TRUE(std::isnan(scalar(Type::kF32, "nan").as.f32));
}

TEST(CliArguments, RefusesWhatIsNoFloatingPointNumber) {
  for (const char* text : {"", "x", "1.5x", "+-1", " 1"}) {
    EXPECT_THAT(refusal(Type::kF64, text), HasSubstr("expected f64, given ")) << '"' << text << '"';
  }
  EXPECT_THAT(refusal(Type::kF32, "1e300"), HasSubstr("out of the range of f32"));
  EXPECT_THAT(refusal(Type::kF64, "1e999"), HasSubstr("out of the range of f64"));
}

TEST(CliArguments, ReadsTruth) {
  EXPECT_EQ(scalar(Type::kBool, "true").as.boolean, 1);
  EXPECT_EQ(scalar(Type::kBool, "1").as.boolean, 1);
  EXPECT_EQ(scalar(Type::kBool, "false").as.boolean, 0);
  EXPECT_EQ(scalar(Type::kBool, "0").as.boolean, 0);
  EXPECT_THAT(refusal(Type::kBool, "yes"), HasSubstr("expected bool"));
  EXPECT_THAT(refusal(Type::kBool, ""), HasSubstr("expected bool"));
}

TEST(CliArguments, TakesStringsAsTheyAre) {
  EXPECT_EQ(bytes(Type::kString, ""), "");
  EXPECT_EQ(bytes(Type::kString, "@hex:00 é"), "@hex:00 é");
}

TEST(CliArguments, ReadsBytesInEachForm) {
  EXPECT_EQ(bytes(Type::kBytes, "plain"), "plain");
  EXPECT_EQ(bytes(Type::kBytes, "text:@plain"), "@plain");
  EXPECT_EQ(bytes(Type::kBytes, "hex:00fFa1"), std::string("\x00\xff\xa1", 3));
  EXPECT_EQ(bytes(Type::kBytes, "hex:"), "");
}

TEST(CliArguments, RefusesBadHexadecimalBytes) {
  EXPECT_THAT(refusal(Type::kBytes, "hex:0"), HasSubstr("two digits for each byte"));
  EXPECT_THAT(refusal(Type::kBytes, "hex:0g"), HasSubstr("given \"0g\""));
  EXPECT_THAT(refusal(Type::kBytes, "hex:-1"), HasSubstr("given \"-1\""));
}

TEST(CliArguments, ReadsBytesFromAFile) {
  const std::string path = testing::TempDir() + "cli_arguments_test.bin";
  const std::string content("a\0b", 3);
  glint::cli::write_file(path, std::as_bytes(std::span(content)));
  EXPECT_EQ(bytes(Type::kBytes, "@" + path), content);
  std::filesystem::remove(path);
  EXPECT_THAT(refusal(Type::kBytes, "@" + path), HasSubstr("cannot open " + path + ": No such file"));
}

TEST(CliArguments, RefusesTheWrongNumberAndNamesTheFunction) {
  FunctionInfo add;
  add.name = "add";
  add.result = Type::kI64;
  add.params = {Type::kI64, Type::kI64};
  const std::vector<std::string> one = {"1"};
  EXPECT_EQ(message_of([&] { glint::cli::parse_arguments(add, one); }),
            "add(i64, i64) -> i64: expected 2 arguments, given 1");
  const std::vector<std::string> option = {"1", "2", "--json"};
  EXPECT_THAT(message_of([&] { glint::cli::parse_arguments(add, option); }),
              HasSubstr("options go before the image"));
  const std::vector<std::string> wrong = {"1", "x"};
  EXPECT_EQ(message_of([&] { glint::cli::parse_arguments(add, wrong); }),
            "add, argument 2: expected i64, given \"x\"");
}

TEST(CliDeadline, IsSecondsOrNone) {
  using namespace std::chrono_literals;
  EXPECT_EQ(glint::cli::parse_deadline("2"), 2s);
  EXPECT_EQ(glint::cli::parse_deadline("0.5"), 500ms);
  EXPECT_EQ(glint::cli::parse_deadline("none"), glint::kNoDeadline);
  for (const char* text : {"", "0", "-1", "nan", "inf", "1e300", "5s", "None"}) {
    EXPECT_THAT(message_of([&] { glint::cli::parse_deadline(text); }), HasSubstr("--deadline")) << text;
  }
}

TEST(CliArguments, ReadsSizes) {
  EXPECT_EQ(glint::cli::parse_size("65536", "--memory"), 65536u);
  EXPECT_EQ(glint::cli::parse_size("512K", "--memory"), 524288u);
  EXPECT_EQ(glint::cli::parse_size("64M", "--memory"), 67108864u);
  EXPECT_EQ(glint::cli::parse_size("1G", "--memory"), 1073741824u);
  for (const char* text : {"", "M", "-1M", "1.5G", "64MB", "64 M", "17179869184G"}) {
    EXPECT_THAT(message_of([&] { glint::cli::parse_size(text, "--memory"); }),
                HasSubstr("--memory: expected a size"))
        << '"' << text << '"';
  }
}

TEST(CliArguments, SplitsPairsAtTheFirstEqualsSign) {
  const auto [name, value] = glint::cli::split_pair("A=b=c", "--env", "NAME=VALUE");
  EXPECT_EQ(name, "A");
  EXPECT_EQ(value, "b=c");
  for (const char* text : {"", "A", "=b"}) {
    EXPECT_THAT(message_of([&] { glint::cli::split_pair(text, "--env", "NAME=VALUE"); }),
                HasSubstr("--env: expected NAME=VALUE"));
  }
}

FunctionInfo import_of(Type result) {
  FunctionInfo import;
  import.kind = FunctionInfo::Kind::kImport;
  import.name = "ask";
  import.result = result;
  return import;
}

TEST(CliStubs, ReadAnswersByTheDeclaredType) {
  EXPECT_EQ(glint::cli::parse_stub(import_of(Type::kI32), "-7").value.view().as.i32, -7);
  const auto text = glint::cli::parse_stub(import_of(Type::kString), "a=b");
  EXPECT_EQ(glint::cli::payload_of(text.value.view()), "a=b");
  EXPECT_EQ(glint::cli::parse_stub(import_of(Type::kVoid), "").value.view().type, GLINT_VOID);
  EXPECT_THAT(message_of([] { glint::cli::parse_stub(import_of(Type::kVoid), "1"); }),
              HasSubstr("--stub ask: expected nothing"));
  EXPECT_THAT(message_of([] { glint::cli::parse_stub(import_of(Type::kI32), "x"); }),
              HasSubstr("--stub ask: expected i32"));
}

TEST(CliStubs, ReadFailures) {
  const auto failure = glint::cli::parse_stub(import_of(Type::kI32), "!-12:disk: full");
  EXPECT_TRUE(failure.fails);
  EXPECT_EQ(failure.code, -12);
  EXPECT_EQ(failure.text, "disk: full");
  EXPECT_EQ(glint::cli::parse_stub(import_of(Type::kVoid), "!5").text, "");
  for (const char* text : {"!", "!0:no failure", "!x:y", "!1x", "!99999999999:y"}) {
    EXPECT_THAT(message_of([&] { glint::cli::parse_stub(import_of(Type::kI32), text); }),
                HasSubstr("expected !CODE:TEXT"))
        << text;
  }
}

TEST(CliOutput, EscapesWhatCouldCommandATerminal) {
  EXPECT_EQ(glint::cli::printable("a\n\x1b[31m\x7f\t"), "a\\n\\x1b[31m\\x7f\\t");
  EXPECT_EQ(glint::cli::printable("\xc2\x9b"
                                  "0m"),
            "\\xc2\\x9b0m");  // CSI, as UTF-8
  EXPECT_EQ(glint::cli::printable("Größe → ok"), "Größe → ok");
}

TEST(CliOutput, CutsLongTextsBetweenCharacters) {
  const std::string umlauts = "x" + std::string(40, 'o') + "ääääääääääääääääääää";
  const std::string quoted = glint::cli::quote(umlauts);
  EXPECT_EQ(quoted, "\"x" + std::string(40, 'o') + "äääääääää…\"");
}

TEST(CliOutput, ShowsNumbersInTheShortestForm) {
  EXPECT_EQ(glint::cli::plain(scalar(Type::kF32, "0.1")), "0.1");
  EXPECT_EQ(glint::cli::plain(scalar(Type::kF64, "1e300")), "1e+300");
  EXPECT_EQ(glint::cli::plain(scalar(Type::kU64, "18446744073709551615")), "18446744073709551615");
  EXPECT_EQ(glint::cli::plain(scalar(Type::kBool, "1")), "true");
}

TEST(CliOutput, ShowsSizesInTheLargestUnitThatDividesThem) {
  EXPECT_EQ(glint::cli::human_size(67108864), "64 MiB");
  EXPECT_EQ(glint::cli::human_size(4096), "4 KiB");
  EXPECT_EQ(glint::cli::human_size(1500), "1500 bytes");
  EXPECT_EQ(glint::cli::human_size(0), "0 bytes");
}

}  // namespace
