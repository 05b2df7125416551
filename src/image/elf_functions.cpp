// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <string_view>

#include "image/elf_internal.hpp"

namespace glint::core::elf {
namespace {

// Linkers make one note segment for each alignment, so 1 or 2. A bound keeps the work linear in the file's
// size.
constexpr size_t kMaxNoteSegments = 16;

// The program's note, with the address of its descriptor, from which its fields count.
struct Note {
  glint_abi_note fields{};
  uint64_t gva = 0;
};

Error bad_table(std::string what) { return error(GLINT_E_IMAGE_FUNCTIONS, std::move(what)); }

// Owners are stored with their terminating NUL.
bool is_glint_owner(Bytes name) {
  constexpr std::string_view kOwner(GLINT_ABI_NOTE_OWNER, sizeof(GLINT_ABI_NOTE_OWNER));
  return name.size() == kOwner.size() && std::memcmp(name.data(), kOwner.data(), kOwner.size()) == 0;
}

Result<Note> read_note(Bytes descriptor, uint64_t gva) {
  Note note;
  // The version comes first, as another version may have another size.
  if (descriptor.size() >= sizeof(note.fields.abi_version)) {
    const auto version = load<uint32_t>(descriptor, 0);
    if (version != GLINT_ABI_VERSION) {
      return error(GLINT_E_IMAGE_ABI, "the program was built for version " + std::to_string(version) +
                                          " of the guest ABI, and this is version " +
                                          std::to_string(GLINT_ABI_VERSION) +
                                          "; rebuild it with the glint_guest.h that belongs to this library");
    }
  }
  if (descriptor.size() != sizeof(note.fields)) {
    return bad_table("the program's Glint note has " + std::to_string(descriptor.size()) +
                     " bytes instead of " + std::to_string(sizeof(note.fields)));
  }
  note.fields = load<glint_abi_note>(descriptor, 0);
  note.gva = gva;
  if (note.fields.function_size != sizeof(glint_abi_function)) {
    return bad_table("the entries of the function table have " + std::to_string(note.fields.function_size) +
                     " bytes instead of " + std::to_string(sizeof(glint_abi_function)));
  }
  return note;
}

// Adds the note of this segment, if it holds one, to `found`.
Result<void> scan_notes(Bytes file, size_t index, const Elf64_Phdr& header, uint64_t base,
                        std::optional<Note>& found) {
  if (!in_range(header.p_offset, header.p_filesz, file.size())) {
    return error(GLINT_E_IMAGE_TRUNCATED,
                 "the notes of " + segment_label(index) + " (" + hex(header.p_filesz) + " bytes at offset " +
                     hex(header.p_offset) + ") go beyond the end of the file (" + hex(file.size()) + ")");
  }
  const Bytes notes = file.subspan(header.p_offset, header.p_filesz);
  // System V gABI: name and descriptor are padded to 4 bytes, or to 8 in a segment that is aligned to 8.
  const uint64_t alignment = header.p_align == 8 ? 8 : 4;
  uint64_t at = 0;
  while (in_range(at, sizeof(Elf64_Nhdr), notes.size())) {
    const auto note = load<Elf64_Nhdr>(notes, at);
    // No sum can wrap: `at` is below the file's size, and the sizes added to it have 32 bits.
    const uint64_t name = at + sizeof(Elf64_Nhdr);
    const uint64_t descriptor = align_up(name + note.n_namesz, alignment);
    if (!in_range(name, note.n_namesz, notes.size()) || !in_range(descriptor, note.n_descsz, notes.size())) {
      return error(GLINT_E_IMAGE_TRUNCATED, "the note at offset " + hex(header.p_offset + at) +
                                                " goes beyond the end of its " + segment_label(index));
    }
    if (note.n_type == GLINT_ABI_NOTE_TYPE && is_glint_owner(notes.subspan(name, note.n_namesz))) {
      if (found) return bad_table("the program has more than one Glint note; link the guest library once");
      const uint64_t gva = base + header.p_vaddr + descriptor;
      GLINT_TRY_ASSIGN(ours, read_note(notes.subspan(descriptor, note.n_descsz), gva));
      found = ours;
    }
    at = align_up(descriptor + note.n_descsz, alignment);
  }
  return {};
}

Result<std::optional<Note>> find_note(Bytes file, const Headers& headers, uint64_t base) {
  std::optional<Note> found;
  size_t note_segments = 0;
  for (size_t i = 0; i < headers.programs.size(); ++i) {
    const Elf64_Phdr& header = headers.programs[i];
    if (header.p_type != PT_NOTE || header.p_filesz == 0) continue;
    if (++note_segments > kMaxNoteSegments) {
      return error(GLINT_E_IMAGE_SEGMENTS,
                   "the program has more than " + std::to_string(kMaxNoteSegments) + " note segments");
    }
    GLINT_TRY(scan_notes(file, i, header, base, found));
  }
  return found;
}

// The bytes of the table, as they stand in the file.
Result<Bytes> table_bytes(Bytes file, const Note& note, std::span<const Segment> segments) {
  // Unsigned, so sums that wrap are defined; what they give is an address like any other, and checked.
  const uint64_t begin = note.gva + static_cast<uint64_t>(note.fields.functions_begin);
  const uint64_t end = note.gva + static_cast<uint64_t>(note.fields.functions_end);
  const std::string label = "the function table (" + hex(begin) + " to " + hex(end) + ")";
  if (begin > end) return bad_table(label + " ends before it begins");
  const uint64_t size = end - begin;
  if (size == 0) return Bytes{};
  if (size % sizeof(glint_abi_function) != 0) {
    return bad_table(label + " is no whole number of entries of " +
                     std::to_string(sizeof(glint_abi_function)) + " bytes");
  }
  if (size / sizeof(glint_abi_function) > GLINT_ABI_MAX_FUNCTIONS) {
    return bad_table(label + " has " + std::to_string(size / sizeof(glint_abi_function)) + " entries; " +
                     std::to_string(GLINT_ABI_MAX_FUNCTIONS) + " are allowed");
  }
  for (const Segment& segment : segments) {
    const uint64_t data = segment.gva + segment.data_offset;
    if (begin < data || !in_range(begin - data, size, segment.file_size)) continue;
    return file.subspan(segment.file_offset + (begin - data), size);
  }
  return bad_table(label + " does not lie in the initialized part of a loaded segment");
}

// A C++ compiler or another language may want dots and colons for its namespaces.
bool is_function_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto other = [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == ':' || c == '-'; };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || other(c); });
}

Result<std::string> read_name(const glint_abi_function& entry, const std::string& label) {
  const size_t length = strnlen(entry.name, sizeof(entry.name));
  if (length == sizeof(entry.name)) {
    return bad_table(label + ": its name does not end with a NUL; names have at most " +
                     std::to_string(sizeof(entry.name) - 1) + " bytes");
  }
  if (length == 0) return bad_table(label + " has no name");
  // A name that is not valid is not repeated: it may hold anything, terminal escapes too.
  if (!is_function_name({entry.name, length})) {
    return bad_table(
        label +
        ": its name must begin with a letter or '_' and consist of letters, digits, '_', '.', ':' "
        "and '-'");
  }
  return std::string(entry.name, length);
}

// `entry` is an export or import; `index` is its position in the table.
Result<Function> read_function(const glint_abi_function& entry, uint32_t index) {
  std::string label = "function table entry " + std::to_string(index);
  if (entry.kind != GLINT_ABI_EXPORT && entry.kind != GLINT_ABI_IMPORT) {
    return bad_table(label + " has the unknown kind " + std::to_string(entry.kind));
  }
  Function function;
  function.kind = entry.kind == GLINT_ABI_EXPORT ? Function::Kind::kExport : Function::Kind::kImport;
  function.index = index;
  GLINT_TRY_ASSIGN(name, read_name(entry, label));
  function.name = std::move(name);
  label += " (" + function.name + ")";
  if (entry.result >= GLINT_ABI_TYPE_COUNT) {
    return bad_table(label + " has a result of the unknown type " + std::to_string(entry.result));
  }
  function.result = static_cast<glint_abi_type>(entry.result);
  if (entry.param_count > GLINT_ABI_MAX_PARAMS) {
    return bad_table(label + " has " + std::to_string(entry.param_count) + " parameters; " +
                     std::to_string(GLINT_ABI_MAX_PARAMS) + " are allowed");
  }
  for (size_t i = 0; i < GLINT_ABI_MAX_PARAMS; ++i) {
    const uint8_t type = entry.params[i];
    const std::string parameter = label + ": parameter " + std::to_string(i + 1);
    if (i >= entry.param_count) {
      if (type != 0) return bad_table(parameter + " has a type, but is beyond the parameter count");
      continue;
    }
    if (type == GLINT_ABI_VOID) return bad_table(parameter + " is void, which is for results only");
    if (type >= GLINT_ABI_TYPE_COUNT) {
      return bad_table(parameter + " has the unknown type " + std::to_string(type));
    }
    function.params.push_back(static_cast<glint_abi_type>(type));
  }
  if (std::any_of(std::begin(entry.reserved), std::end(entry.reserved),
                  [](uint8_t byte) { return byte != 0; })) {
    return bad_table(label + " sets reserved bytes, which must be zero");
  }
  return function;
}

// An export is named once. An import may be declared by several source files, if they agree. An export and
// an import may have the same name: they are looked up in different places.
Result<void> check_names(std::span<const Function> functions) {
  std::map<std::pair<Function::Kind, std::string_view>, const Function*> seen;
  for (const Function& function : functions) {
    const auto [place, is_new] = seen.try_emplace({function.kind, function.name}, &function);
    if (is_new) continue;
    const Function& first = *place->second;
    const std::string both =
        "function table entries " + std::to_string(first.index) + " and " + std::to_string(function.index);
    if (function.kind == Function::Kind::kExport) {
      return bad_table(both + " both export " + function.name);
    }
    if (!function.same_signature(first)) {
      return bad_table(both + " both import " + function.name + ", but as " + signature_text(first) +
                       " and as " + signature_text(function));
    }
  }
  return {};
}

}  // namespace

Result<std::vector<Function>> read_functions(Bytes file, const Headers& headers,
                                             std::span<const Segment> segments, uint64_t base) {
  GLINT_TRY_ASSIGN(note, find_note(file, headers, base));
  std::vector<Function> functions;
  if (!note) return functions;
  GLINT_TRY_ASSIGN(table, table_bytes(file, *note, segments));
  for (uint32_t index = 0; index < table.size() / sizeof(glint_abi_function); ++index) {
    const auto entry = load<glint_abi_function>(table, index * sizeof(glint_abi_function));
    if (entry.kind == GLINT_ABI_PADDING) continue;
    GLINT_TRY_ASSIGN(function, read_function(entry, index));
    functions.push_back(std::move(function));
  }
  GLINT_TRY(check_names(functions));
  return functions;
}

}  // namespace glint::core::elf
