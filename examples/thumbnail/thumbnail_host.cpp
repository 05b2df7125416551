// SPDX-License-Identifier: Apache-2.0
// Makes thumbnails of PNG files that nobody trusts: each is decoded in a micro-VM.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <glint/glint.hpp>
#include <iomanip>
#include <iostream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/example.hpp"

namespace {

constexpr std::string_view kUsageText =
    "usage: thumbnail_host IN.png… [--out DIR] [--size N]\n"
    "  --out DIR   where to write the thumbnails (default: thumbnails)\n"
    "  --size N    pixels of the larger side (default: 160)\n"
    "A file that is no good PNG, or attacks the decoder, is reported; the others are done all the same.\n"
    "Exit status: 0 all done, 1 some were not, 2 wrong usage, 125 this machine cannot run micro-VMs.\n";

struct Options {
  std::vector<std::filesystem::path> files;
  std::filesystem::path out = "thumbnails";
  uint32_t size = 160;
};

std::optional<Options> parse(std::span<char* const> arguments) {
  Options options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    const bool takes_value = argument == "--out" || argument == "--size";
    if (takes_value ? i + 1 == arguments.size() : argument.starts_with("-")) return std::nullopt;
    if (argument == "--out") {
      options.out = arguments[++i];
    } else if (argument == "--size") {
      char* end = nullptr;
      const unsigned long size = std::strtoul(arguments[++i], &end, 10);
      if (*end != '\0' || !std::in_range<uint32_t>(size)) return std::nullopt;
      options.size = static_cast<uint32_t>(size);
    } else {
      options.files.emplace_back(argument);
    }
  }
  if (options.files.empty()) return std::nullopt;
  return options;
}

// "640x480" from the header of a PNG file. Reads two numbers at fixed places, and believes nothing else.
std::string dimensions(std::span<const std::byte> png) {
  constexpr size_t kWidth = 16;
  constexpr size_t kHeight = 20;
  if (png.size() < kHeight + 4) return "?";
  const auto number = [&](size_t at) {
    uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<uint32_t>(png[at + i]);
    return std::to_string(value);
  };
  return number(kWidth) + "x" + number(kHeight);
}

class Thumbnailer {
 public:
  Thumbnailer() : image_(engine_.load(example::beside_program("thumbnail").string())) {
    host_.add("progress", [](uint32_t percent) { std::cout << ' ' << percent << '%' << std::flush; });
  }

  // A guest that faulted cannot be used again; a new one costs little.
  std::vector<std::byte> make(std::span<const std::byte> png, uint32_t size) {
    if (!sandbox_ || sandbox_->state() == glint::State::kPoisoned) sandbox_.emplace(image_, host_);
    return sandbox_->call<std::vector<std::byte>>("thumbnail", png, size);
  }

 private:
  glint::Engine engine_;
  glint::HostFunctions host_;
  glint::Image image_;
  std::optional<glint::Sandbox> sandbox_;
};

void report_failure(const glint::Error& error) {
  std::cout << "\n    " << error.what() << '\n';
  const std::optional<glint::Fault> fault = error.fault();
  if (!fault) return;
  std::cout << "    the decoder was hit in " << (fault->symbol.empty() ? "?" : fault->symbol)
            << "; this program was not, and goes on with a new sandbox\n";
}

// False when there is no thumbnail of this file.
bool make_thumbnail(Thumbnailer& thumbnailer, const std::filesystem::path& path, const Options& options) {
  using Clock = std::chrono::steady_clock;
  std::cout << std::left << std::setw(20) << path.filename().string() << std::flush;
  try {
    const std::vector<std::byte> png = example::read_file(path);
    std::cout << std::setw(10) << dimensions(png) << std::flush;
    const Clock::time_point start = Clock::now();
    const std::vector<std::byte> result = thumbnailer.make(png, options.size);
    const std::chrono::duration<double, std::milli> took = Clock::now() - start;
    example::write_file(options.out / path.filename(), result);
    std::cout << " -> " << dimensions(result) << ", " << png.size() << " -> " << result.size() << " bytes, "
              << std::fixed << std::setprecision(1) << took.count() << " ms\n";
    return true;
  } catch (const glint::Error& error) {
    // What the guest did wrong concerns this file only; all else concerns the whole program.
    if (error.code() > GLINT_E_GUEST_ERROR || error.code() < GLINT_E_GUEST_PROTOCOL) throw;
    report_failure(error);
    return false;
  }
}

int make_thumbnails(int argc, char** argv) {
  const std::optional<Options> options = parse(std::span(argv, static_cast<size_t>(argc)).subspan(1));
  if (!options) {
    std::cerr << kUsageText;
    return example::kUsage;
  }
  Thumbnailer thumbnailer;
  std::filesystem::create_directories(options->out);
  size_t failed = 0;
  for (const std::filesystem::path& file : options->files) {
    if (!make_thumbnail(thumbnailer, file, *options)) ++failed;
  }
  std::cout << options->files.size() - failed << " thumbnails in " << options->out.string();
  if (failed != 0) std::cout << ", " << failed << " files refused";
  std::cout << '\n';
  return failed == 0 ? EXIT_SUCCESS : example::kFailed;
}

}  // namespace

int main(int argc, char** argv) { return example::run("thumbnail_host", make_thumbnails, argc, argv); }
