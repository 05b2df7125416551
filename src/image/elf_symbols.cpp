// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string_view>
#include <tuple>

#include "image/elf_internal.hpp"

namespace glint::core::elf {
namespace {

// Symbols only decorate fault reports, so their cost is bounded: further symbols are left out, longer names
// cut.
constexpr uint64_t kMaxSymbols = 1'000'000;
constexpr size_t kMaxNameLength = 255;

struct Tables {
  Bytes symbols;
  Bytes strings;
};

// A symbol whose name still stands in the file.
struct Candidate {
  uint64_t gva = 0;
  uint64_t size = 0;
  int rank = 0;  // which of several at one address is the best known name; lower is better
  std::string_view name;

  auto order() const { return std::tie(gva, rank, name); }
};

std::optional<Bytes> section_bytes(Bytes file, const Elf64_Shdr& section) {
  if (!in_range(section.sh_offset, section.sh_size, file.size())) return std::nullopt;
  return file.subspan(section.sh_offset, section.sh_size);
}

std::optional<Tables> find_tables(Bytes file, const Elf64_Ehdr& header) {
  const uint64_t size = uint64_t{header.e_shnum} * sizeof(Elf64_Shdr);
  if (header.e_shentsize != sizeof(Elf64_Shdr) || !in_range(header.e_shoff, size, file.size()))
    return std::nullopt;
  const auto section = [&](uint64_t i) {
    return load<Elf64_Shdr>(file, header.e_shoff + i * sizeof(Elf64_Shdr));
  };
  for (uint64_t i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr table = section(i);
    if (table.sh_type != SHT_SYMTAB) continue;
    if (table.sh_entsize != sizeof(Elf64_Sym) || table.sh_link >= header.e_shnum) return std::nullopt;
    const Elf64_Shdr names = section(table.sh_link);
    const auto symbols = section_bytes(file, table);
    const auto strings = section_bytes(file, names);
    if (names.sh_type != SHT_STRTAB || !symbols || !strings) return std::nullopt;
    return Tables{*symbols, *strings};
  }
  return std::nullopt;
}

// Code written in assembly often has no type, but its global labels are worth a name. The address of an IFUNC
// is that of its resolver, which is code of the same name.
bool may_name_code(const Elf64_Sym& symbol) {
  const unsigned type = symbol.st_info & 0xfu;
  const unsigned binding = symbol.st_info >> 4;
  if (symbol.st_shndx == SHN_UNDEF) return false;
  return type == STT_FUNC || type == STT_GNU_IFUNC || (type == STT_NOTYPE && binding != STB_LOCAL);
}

int rank_of(const Elf64_Sym& symbol) {
  const unsigned binding = symbol.st_info >> 4;
  const int by_size = symbol.st_size != 0 ? 0 : 3;
  const int by_binding = binding == STB_GLOBAL ? 0 : binding == STB_WEAK ? 1 : 2;
  return by_size + by_binding;
}

// The name at `offset`; empty if there is none or it does not end.
std::string_view name_at(Bytes strings, uint64_t offset) {
  if (offset >= strings.size()) return {};
  const Bytes rest = strings.subspan(offset, std::min<uint64_t>(strings.size() - offset, kMaxNameLength + 1));
  // char may alias any bytes; `rest` bounds the view.
  const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
  const size_t end = text.find('\0');
  if (end != std::string_view::npos) return text.substr(0, end);
  return text.size() > kMaxNameLength ? text.substr(0, kMaxNameLength) : std::string_view{};
}

std::vector<Candidate> collect(const Tables& tables, std::span<const Segment> segments, uint64_t base) {
  std::vector<Candidate> candidates;
  const uint64_t count = std::min<uint64_t>(tables.symbols.size() / sizeof(Elf64_Sym), kMaxSymbols);
  for (uint64_t i = 0; i < count; ++i) {
    const auto symbol = load<Elf64_Sym>(tables.symbols, i * sizeof(Elf64_Sym));
    const uint64_t gva = base + symbol.st_value;
    if (!may_name_code(symbol) || executable_at(segments, gva) == nullptr) continue;
    const std::string_view name = name_at(tables.strings, symbol.st_name);
    if (!name.empty()) candidates.push_back({gva, symbol.st_size, rank_of(symbol), name});
  }
  return candidates;
}

}  // namespace

std::vector<Symbol> read_symbols(Bytes file, const Elf64_Ehdr& header, std::span<const Segment> segments,
                                 uint64_t base) {
  const auto tables = find_tables(file, header);
  if (!tables) return {};
  std::vector<Candidate> candidates = collect(*tables, segments, base);
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.order() < b.order(); });
  const auto same_address = [](const Candidate& a, const Candidate& b) { return a.gva == b.gva; };
  candidates.erase(std::unique(candidates.begin(), candidates.end(), same_address), candidates.end());

  // Symbols may share a name's bytes, so a small file could ask for far more memory than it has bytes itself.
  uint64_t name_bytes = 0;
  for (const Candidate& candidate : candidates) name_bytes += candidate.name.size();
  if (name_bytes > file.size()) return {};
  std::vector<Symbol> symbols;
  symbols.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    symbols.push_back({candidate.gva, candidate.size, std::string(candidate.name)});
  }
  return symbols;
}

}  // namespace glint::core::elf
