// SPDX-License-Identifier: Apache-2.0
// Writes the seeds of fuzz/corpus/elf: `make_elf_corpus DIRECTORY`. Each reaches another part of the reader.

#include <cstdio>
#include <fstream>
#include <string>

#include "elf_builder.hpp"

namespace {

using glint::test::ElfBuilder;
using glint::test::ElfFile;
using glint::test::sample_elf;

bool write(const std::string& directory, const std::string& name, const ElfFile& file) {
  std::ofstream out(directory + "/" + name, std::ios::binary);
  // char may alias any bytes.
  out.write(reinterpret_cast<const char*>(file.bytes.data()),
            static_cast<std::streamsize>(file.bytes.size()));
  out.close();
  if (!out) std::fprintf(stderr, "cannot write %s/%s\n", directory.c_str(), name.c_str());
  return out.good();
}

ElfFile dynamic(int64_t tag) {
  ElfBuilder builder = sample_elf();
  builder.type = ET_DYN;
  builder.extra.resize(1);
  const Elf64_Dyn entries[2] = {{tag, {1}}, {DT_NULL, {0}}};
  const auto bytes = std::as_bytes(std::span(entries));
  builder.extra_bytes.assign(bytes.begin(), bytes.end());
  builder.extra[0].p_type = PT_DYNAMIC;
  builder.extra[0].p_offset = builder.extra_offset();
  builder.extra[0].p_filesz = builder.extra[0].p_memsz = sizeof(entries);
  return builder.build();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_elf_corpus DIRECTORY\n");
    return 2;
  }
  const std::string directory = argv[1];
  bool good = write(directory, "static", sample_elf().build());

  ElfBuilder pie = sample_elf();
  pie.type = ET_DYN;
  good &= write(directory, "static-pie", pie.build());

  ElfBuilder aligned = sample_elf();
  aligned.note_alignment = 8;
  good &= write(directory, "note-aligned-to-8", aligned.build());

  ElfBuilder plain;
  plain.with_note = plain.with_sections = false;
  good &= write(directory, "no-note-no-sections", plain.build());

  good &= write(directory, "dynamic-relocations-only", dynamic(DT_RELA));
  good &= write(directory, "dynamic-needed", dynamic(DT_NEEDED));

  ElfFile bad = sample_elf().build();
  bad.edit_program(ElfBuilder::kData, [](Elf64_Phdr& header) { header.p_flags |= PF_X; });
  good &= write(directory, "writable-and-executable", bad);
  return good ? 0 : 1;
}
