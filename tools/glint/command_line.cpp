// SPDX-License-Identifier: Apache-2.0
#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "commands.hpp"
#include "exit_codes.hpp"
#include "output.hpp"

namespace glint::cli {
namespace {

using Words = std::vector<std::string>;

constexpr const char* kGuestExitCodes =
    "  125  Glint could not do it\n"
    "  132  the guest ended by SIGILL; 134 SIGABRT, 136 SIGFPE, 139 SIGSEGV: 128 + the signal";

// Help in the usual form; the usage line is given, because CLI11 sees no operands.
class Help : public CLI::Formatter {
 public:
  explicit Help(std::string usage) : usage_(std::move(usage)) { column_width(34); }

  std::string make_usage(const CLI::App* /*app*/, std::string /*name*/) const override {
    return "\nUsage: " + usage_ + "\n";
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_option_text().empty() ? "" : " " + option->get_option_text();
  }

 private:
  std::string usage_;
};

struct Commands {
  RunOptions run;
  CallOptions call;
  InspectOptions inspect;
  bool doctor_json = false;

  CLI::App app{"Runs untrusted programs and functions in micro-VMs."};
  CLI::App* run_command = nullptr;
  CLI::App* call_command = nullptr;
  CLI::App* inspect_command = nullptr;
  CLI::App* doctor_command = nullptr;
};

void set_up(CLI::App& app, const std::string& usage, const std::string& exit_codes) {
  const glint_str version = glint_version_string();
  app.formatter(std::make_shared<Help>(usage));
  app.set_help_flag("-h,--help", "Show this help");
  app.set_version_flag("--version", "glint " + std::string(version.data, version.size), "Show the version");
  app.group("Commands");
  if (!exit_codes.empty()) app.footer("Exit codes:\n" + exit_codes);
}

void add_text(CLI::App& app, const std::string& name, std::string& to, const std::string& form,
              const std::string& description) {
  app.add_option(name, to, description)->option_text(form);
}

// May be given many times, with one value each.
void add_texts(CLI::App& app, const std::string& name, Words& to, const std::string& form,
               const std::string& description) {
  app.add_option(name, to, description)->option_text(form)->allow_extra_args(false);
}

void add_memory_options(CLI::App& app, MemoryOptions& options) {
  add_text(app, "--memory", options.memory, "SIZE",
           "Memory for data, stack and heap: 64M, 1G, … (default 64M)");
  add_text(app, "--stack", options.stack, "SIZE", "Of it for the stack (default 1M)");
}

void add_guest_options(CLI::App& app, GuestOptions& options) {
  add_memory_options(app, options);
  app.add_flag("--large-pages", options.large_pages,
               "Back the heap by pages of 2 MiB, for programs that fill megabytes of it");
  add_texts(app, "--env", options.environment, "NAME=VALUE", "Set an environment variable (repeatable)");
  add_texts(app, "--file", options.files, "GUESTPATH=HOSTPATH", "Let the guest read a file (repeatable)");
  add_texts(app, "--stub", options.stubs, "NAME=VALUE",
            "Answer of an import; =!CODE:TEXT fails (repeatable). Others answer 0 or nothing");
  add_text(app, "--deadline", options.deadline, "SECONDS",
           "End a call after so many seconds, such as 0.5; or none (default: call 5, run none)");
  app.add_flag("--verbose", options.verbose, "Report every call of an import on standard error");
  app.add_flag("--trace-syscalls", options.trace_syscalls,
               "Report each system call on standard error, as strace does");
}

void add_run(Commands& commands) {
  CLI::App& run = *commands.app.add_subcommand("run", "Run a program in a micro-VM");
  set_up(run, "glint run [OPTIONS] PROGRAM [ARGS…]\n\nAll that follows PROGRAM belongs to the program.",
         std::string("  that of the program, or one of these\n") + kGuestExitCodes);
  add_guest_options(run, commands.run.guest);
  commands.run_command = &run;
}

void add_call(Commands& commands) {
  CLI::App& call = *commands.app.add_subcommand("call", "Call a function that a program exports");
  set_up(call,
         "glint call [OPTIONS] IMAGE FUNCTION [ARGS…]\n\n"
         "ARGS are read by the function's declared types: numbers (12, -1, 0xff, 1e-3), true or false,\n"
         "strings as they are, bytes as @FILE, hex:00ff or text. The result goes to standard output,\n"
         "what the guest prints to standard error.",
         std::string("    0  the function returned a result\n"
                     "    1  the function reported an error, or the program ended itself\n") +
             kGuestExitCodes);
  add_guest_options(call, commands.call.guest);
  add_text(call, "-o,--output", commands.call.output, "FILE", "Write the result to a file");
  call.add_flag("--json", commands.call.json,
                "Print one JSON object: result, counters, latencies, or the error");
  call.add_option("--repeat", commands.call.repeat, "Call so many times in one sandbox")
      ->option_text("N")
      ->check(CLI::Range(uint64_t{1}, uint64_t{10'000'000}).description("1 to 10000000"));
  commands.call_command = &call;
}

void add_inspect(Commands& commands) {
  CLI::App& inspect =
      *commands.app.add_subcommand("inspect", "Show what is in a program, or what is wrong with it");
  set_up(inspect, "glint inspect [OPTIONS] IMAGE",
         "    0  the program can be loaded\n"
         "    1  it cannot, and why is said on standard error\n"
         "  125  Glint could not do it");
  inspect.add_option("IMAGE", commands.inspect.image, "The program")->required();
  add_memory_options(inspect, commands.inspect.memory);
  inspect.add_flag("--json", commands.inspect.json, "Print one JSON object");
  commands.inspect_command = &inspect;
}

void add_doctor(Commands& commands) {
  CLI::App& doctor =
      *commands.app.add_subcommand("doctor", "Find out whether this machine can run sandboxes");
  set_up(doctor, "glint doctor [OPTIONS]",
         "    0  sandboxes can run here\n"
         "    1  they cannot, and what to do is said\n"
         "  125  Glint could not do it");
  doctor.add_flag("--json", commands.doctor_json, "Print one JSON object");
  commands.doctor_command = &doctor;
}

// The first word that is no option of `command`, and no value of one. CLI11 gets only what stands before it:
// it would take the guest's "--flag" for ours and its "[a,b]" for a list.
size_t operands_begin(const CLI::App& command, std::span<const std::string> words) {
  size_t i = 0;
  while (i < words.size()) {
    const std::string& word = words[i];
    if (word.size() < 2 || word.front() != '-' || word == "--") return i;
    const bool is_long = word.starts_with("--");
    const size_t name_end = is_long ? std::min(word.find('='), word.size()) : 2;
    const CLI::Option* option = command.get_option_no_throw(word.substr(0, name_end));
    const bool takes_value = option != nullptr && option->get_items_expected_max() > 0;
    i += takes_value && name_end == word.size() ? 2 : 1;
  }
  return words.size();
}

// Takes the operands of run and call off `words`.
Words split_operands(const Commands& commands, Words& words) {
  const CLI::App* command = nullptr;
  if (!words.empty() && words[0] == "run") command = commands.run_command;
  if (!words.empty() && words[0] == "call") command = commands.call_command;
  if (command == nullptr) return {};
  const size_t begin = 1 + operands_begin(*command, std::span(words).subspan(1));
  if (begin >= words.size()) return {};
  const size_t first = words[begin] == "--" ? begin + 1 : begin;
  Words operands(words.begin() + static_cast<ptrdiff_t>(first), words.end());
  words.resize(begin);
  return operands;
}

std::string take_operand(Words& operands, const char* name) {
  if (operands.empty()) throw CLI::RequiredError(name);
  if (operands.front().empty()) throw CLI::ValidationError(name, "is empty");
  std::string first = std::move(operands.front());
  operands.erase(operands.begin());
  return first;
}

// What is wrong with the first word, if anything; CLI11 would not name the word.
std::string command_problem(const CLI::App& app, const Words& words) {
  if (!words.empty() && words[0].starts_with('-')) {
    return app.get_option_no_throw(words[0]) == nullptr ? "there is no option " + quote(words[0]) : "";
  }
  std::string names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!words.empty() && command->get_name() == words[0]) return {};
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  return (words.empty() ? "a command is missing" : "there is no command " + quote(words[0])) +
         "; the commands are " + names;
}

int dispatch(Commands& commands, Words operands) {
  if (commands.run_command->parsed()) {
    commands.run.program = take_operand(operands, "PROGRAM");
    commands.run.arguments = std::move(operands);
    return run_program(commands.run);
  }
  if (commands.call_command->parsed()) {
    commands.call.image = take_operand(operands, "IMAGE");
    commands.call.function = take_operand(operands, "FUNCTION");
    commands.call.arguments = std::move(operands);
    return call_function(commands.call);
  }
  if (commands.inspect_command->parsed()) return inspect_image(commands.inspect);
  return examine_machine(commands.doctor_json);
}

}  // namespace

int run_command_line(const Words& arguments) {
  Commands commands;
  CLI::App& app = commands.app;
  set_up(app, "glint COMMAND [OPTIONS] …", "");
  app.name("glint");
  app.footer("glint COMMAND --help says more about a command.");
  add_run(commands);
  add_call(commands);
  add_inspect(commands);
  add_doctor(commands);
  app.require_subcommand(1);

  if (const std::string problem = command_problem(app, arguments); !problem.empty()) {
    complain(problem + "; see glint --help");
    return kGlintFailed;
  }
  Words words = arguments;
  try {
    Words operands = split_operands(commands, words);
    std::ranges::reverse(words);  // as CLI11 wants them
    app.parse(std::move(words));
    return dispatch(commands, std::move(operands));
  } catch (const CLI::CallForHelp&) {
    print(app.help());
    return kSuccess;
  } catch (const CLI::CallForVersion& version) {
    print(std::string(version.what()) + "\n");
    return kSuccess;
  } catch (const CLI::ParseError& error) {
    const auto chosen = app.get_subcommands();
    const std::string command = chosen.empty() ? "glint" : "glint " + chosen.front()->get_name();
    complain(std::string(error.what()) + "; see " + command + " --help");
    return kGlintFailed;
  }
}

}  // namespace glint::cli
