// SPDX-License-Identifier: Apache-2.0
#include "demo/table.hpp"

#include <iomanip>
#include <sstream>
#include <string_view>

namespace {

constexpr int kNameWidth = 36;
constexpr int kTimeWidth = 11;
constexpr int kRatioWidth = 9;

std::string time_text(double us) {
  std::ostringstream text;
  text << std::fixed;
  if (us < 1000) {
    text << std::setprecision(us < 10 ? 1 : 0) << us << " us";
  } else {
    text << std::setprecision(us < 100'000 ? 2 : 0) << us / 1000 << " ms";
  }
  return text.str();
}

std::string ratio_text(double ratio) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(ratio < 100 ? 2 : 0) << ratio << 'x';
  return text.str();
}

void print_line(std::ostream& out, std::string_view name, std::string_view create, std::string_view first,
                std::string_view first_ratio, std::string_view warm = {}, std::string_view warm_ratio = {},
                std::string_view exits = {}) {
  std::ostringstream line;
  line << std::left << std::setw(kNameWidth) << name << std::right << std::setw(kTimeWidth) << create
       << std::setw(kTimeWidth) << first << std::setw(kRatioWidth) << first_ratio << std::setw(kTimeWidth)
       << warm << std::setw(kRatioWidth) << warm_ratio << std::setw(7) << exits;
  std::string text = line.str();
  text.erase(text.find_last_not_of(' ') + 1);
  out << text << '\n';
}

}  // namespace

void print_table(std::ostream& out, const std::vector<Row>& rows) {
  print_line(out, "what ran", "creation", "first call", "of floor", "warm call", "of floor", "exits");
  for (const Row& row : rows) {
    out << row.what << '\n';
    print_line(out, "  first sandbox: a VM is made", time_text(row.first.create_us),
               time_text(row.first.first_call_us),
               ratio_text((row.first.create_us + row.first.first_call_us) / row.first.floor_us));
    print_line(
        out, "  later ones: a VM is free", time_text(row.later.create_us), time_text(row.later.first_call_us),
        ratio_text((row.later.create_us + row.later.first_call_us) / row.later.floor_us),
        time_text(row.warm_us), ratio_text(row.warm_us / row.round_trip_us), std::to_string(row.exits));
  }
}
