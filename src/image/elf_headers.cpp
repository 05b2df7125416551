// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "image/elf_internal.hpp"

namespace glint::core::elf {
namespace {

// "aarch64" for EM_AARCH64, or "machine 1234".
std::string machine_name(uint16_t machine) {
  switch (machine) {
    case EM_386:
      return "32-bit x86";
    case EM_MIPS:
      return "mips";
    case EM_PPC:
      return "powerpc";
    case EM_PPC64:
      return "powerpc64";
    case EM_S390:
      return "s390x";
    case EM_ARM:
      return "arm";
    case EM_SPARCV9:
      return "sparc64";
    case EM_AARCH64:
      return "aarch64";
    case EM_RISCV:
      return "riscv";
    case EM_BPF:
      return "bpf";
    case EM_LOONGARCH:
      return "loongarch";
    default:
      return "machine " + std::to_string(machine);
  }
}

Error cut_header(Bytes file) {
  return error(GLINT_E_IMAGE_TRUNCATED, "the file ends within its ELF header, after " +
                                            std::to_string(file.size()) + " of " +
                                            std::to_string(sizeof(Elf64_Ehdr)) + " bytes");
}

Result<void> check_identity(Bytes file) {
  if (file.empty()) return error(GLINT_E_IMAGE_NOT_ELF, "not an ELF program: the file is empty");
  if (file.size() < SELFMAG || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0) {
    return error(GLINT_E_IMAGE_NOT_ELF,
                 "not an ELF program: the file does not begin with the bytes 7f 45 4c 46");
  }
  if (file.size() < EI_NIDENT) return cut_header(file);
  const auto identity = [file](size_t i) { return std::to_integer<unsigned>(file[i]); };
  if (identity(EI_CLASS) == ELFCLASS32) {
    return error(GLINT_E_IMAGE_CLASS, "a 32-bit program; build it for x86-64 (without -m32)");
  }
  if (identity(EI_CLASS) != ELFCLASS64) {
    return error(GLINT_E_IMAGE_CLASS, "unknown ELF class " + std::to_string(identity(EI_CLASS)) +
                                          "; a 64-bit program (class 2) is needed");
  }
  if (identity(EI_DATA) == ELFDATA2MSB) {
    return error(GLINT_E_IMAGE_CLASS, "a big-endian program; build it for x86-64");
  }
  if (identity(EI_DATA) != ELFDATA2LSB) {
    return error(GLINT_E_IMAGE_CLASS, "unknown byte order " + std::to_string(identity(EI_DATA)) +
                                          "; a little-endian program (1) is needed");
  }
  if (identity(EI_VERSION) != EV_CURRENT) {
    return error(GLINT_E_IMAGE_NOT_ELF, "unknown ELF version " + std::to_string(identity(EI_VERSION)) +
                                            "; only version 1 is defined");
  }
  return {};
}

Result<void> check_kind(const Elf64_Ehdr& header) {
  if (header.e_machine != EM_X86_64) {
    return error(GLINT_E_IMAGE_MACHINE,
                 "a program for " + machine_name(header.e_machine) + "; build it for x86-64");
  }
  switch (header.e_type) {
    case ET_EXEC:
    case ET_DYN:
      return {};
    case ET_REL:
      return error(GLINT_E_IMAGE_KIND, "an object file, not a program; link it with -static");
    case ET_CORE:
      return error(GLINT_E_IMAGE_KIND, "a core dump, not a program");
    default:
      return error(GLINT_E_IMAGE_KIND,
                   "an ELF file of the unknown type " + std::to_string(header.e_type) + ", not a program");
  }
}

Result<std::vector<Elf64_Phdr>> read_program_headers(Bytes file, const Elf64_Ehdr& header) {
  if (header.e_phnum == 0) {
    return error(GLINT_E_IMAGE_SEGMENTS, "the file has no program headers: there is nothing to load");
  }
  if (header.e_phentsize != sizeof(Elf64_Phdr)) {
    return error(GLINT_E_IMAGE_SEGMENTS, "a program header of " + std::to_string(header.e_phentsize) +
                                             " bytes; ELF64 defines " + std::to_string(sizeof(Elf64_Phdr)));
  }
  const uint64_t size = uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
  if (!in_range(header.e_phoff, size, file.size())) {
    return error(GLINT_E_IMAGE_TRUNCATED, "the program header table (" + std::to_string(size) +
                                              " bytes at offset " + hex(header.e_phoff) +
                                              ") goes beyond the end of the file (" + hex(file.size()) + ")");
  }
  std::vector<Elf64_Phdr> headers(header.e_phnum);
  std::memcpy(headers.data(), file.data() + header.e_phoff, size);
  return headers;
}

// " (it asks for /lib64/ld-linux-x86-64.so.2)", or nothing if that is not plain text.
std::string interpreter_text(Bytes file, const Elf64_Phdr& header) {
  constexpr uint64_t kLongestPath = 255;
  if (header.p_filesz < 2 || header.p_filesz > kLongestPath) return {};
  if (!in_range(header.p_offset, header.p_filesz, file.size())) return {};
  std::string path;
  for (const std::byte byte : file.subspan(header.p_offset, header.p_filesz - 1)) {
    const char c = std::to_integer<char>(byte);
    if (c <= ' ' || c > '~') return {};
    path += c;
  }
  return " (it asks for " + path + ")";
}

Result<bool> needs_libraries(Bytes file, size_t index, const Elf64_Phdr& header) {
  if (!in_range(header.p_offset, header.p_filesz, file.size())) {
    return error(GLINT_E_IMAGE_TRUNCATED, "the dynamic section (" + segment_label(index) +
                                              ") goes beyond the end of the file (" + hex(file.size()) + ")");
  }
  const Bytes section = file.subspan(header.p_offset, header.p_filesz);
  for (uint64_t at = 0; in_range(at, sizeof(Elf64_Dyn), section.size()); at += sizeof(Elf64_Dyn)) {
    const auto entry = load<Elf64_Dyn>(section, at);
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_NEEDED) return true;
  }
  return false;
}

// A static PIE has a dynamic section too, for its own relocations; what it lacks is an interpreter and
// libraries.
Result<void> refuse_dynamic(Bytes file, std::span<const Elf64_Phdr> headers) {
  constexpr const char* kAdvice = "; link it with -static or -static-pie";
  bool seen = false;
  for (size_t i = 0; i < headers.size(); ++i) {
    if (headers[i].p_type == PT_INTERP) {
      return error(GLINT_E_IMAGE_DYNAMIC, "a dynamically linked program" +
                                              interpreter_text(file, headers[i]) +
                                              ": a guest has no dynamic linker" + kAdvice);
    }
    if (headers[i].p_type != PT_DYNAMIC) continue;
    // The specification allows one at most; that also keeps the work linear in the file's size.
    if (std::exchange(seen, true)) {
      return error(GLINT_E_IMAGE_SEGMENTS,
                   segment_label(i) + " is a second dynamic section; a program has one at most");
    }
    GLINT_TRY_ASSIGN(needed, needs_libraries(file, i, headers[i]));
    if (needed) {
      return error(
          GLINT_E_IMAGE_DYNAMIC,
          std::string("a dynamically linked program: it needs shared libraries, and a guest has none") +
              kAdvice);
    }
  }
  return {};
}

}  // namespace

Result<Headers> read_headers(Bytes file) {
  GLINT_TRY(check_identity(file));
  if (file.size() < sizeof(Elf64_Ehdr)) return cut_header(file);
  Headers headers;
  headers.file = load<Elf64_Ehdr>(file, 0);
  GLINT_TRY(check_kind(headers.file));
  GLINT_TRY_ASSIGN(programs, read_program_headers(file, headers.file));
  headers.programs = std::move(programs);
  GLINT_TRY(refuse_dynamic(file, headers.programs));
  return headers;
}

}  // namespace glint::core::elf
