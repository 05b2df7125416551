// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "hypervisor/hypervisor.hpp"

namespace glint::core {

// The supervisor pages of a guest, contiguous at GLINT_GVA_SYSTEM:
//   page 0  exception stack   read, write    one per VM; holds the frame of the last exception
//   page 1  exception stubs   read, execute
//   page 2  GDT, TSS, IDT     read
// Ring 0 runs nothing but the stubs, and the few instructions of the libos' system-call entry.
inline constexpr uint64_t kSystemPagesSize = 0x3000;
inline constexpr uint64_t kExceptionStackOffset = 0;
inline constexpr uint64_t kExceptionStubsOffset = 4096;
inline constexpr uint64_t kDescriptorsOffset = 8192;

// Fills the three pages, which lie at guest virtual address `gva`.
void write_system_pages(std::span<std::byte> pages, uint64_t gva);

// The system registers that go with these pages.
SystemRegisters system_registers(uint64_t page_table_gpa, uint64_t system_gva, uint64_t syscall_gva,
                                 PortAccess port_access);

// What the processor pushed when the guest faulted (SDM vol. 3, 6.14.2).
struct ExceptionFrame {
  uint32_t vector = 0;
  uint64_t error_code = 0;
  uint64_t rip = 0, rflags = 0, rsp = 0;
  uint16_t cs = 0;
};

// The exception whose stub the vCPU stopped in, read from the exception stack; empty when rip is not in a
// stub or rsp does not point to where a frame can be. `stack` is the host's view of page 0.
std::optional<ExceptionFrame> read_exception_frame(const Registers& registers,
                                                   std::span<const std::byte> stack, uint64_t system_gva);

}  // namespace glint::core
