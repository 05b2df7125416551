// SPDX-License-Identifier: Apache-2.0
#include "arch/x86_64/system_pages.hpp"

#include <array>
#include <cstring>

#include "base/checked.hpp"
#include "glint_guest/abi.h"

namespace glint::core {
namespace {

constexpr unsigned kVectors = 32;     // those the processor defines; gates above are not there: #GP
constexpr uint64_t kStubStride = 16;  // bytes
constexpr uint16_t kKernelCode = 0x08, kKernelData = 0x10, kSysretBase = 0x18, kUserData = 0x20,
                   kUserCode = 0x28,
                   kTssSelector =
                       0x30;  // sysret takes SS from base + 8 and CS from base + 16 (SDM vol. 2, SYSRET)
constexpr uint16_t kRing3 = 3;

// Offsets in the descriptor page.
constexpr uint64_t kGdtOffset = 0, kGdtSize = 64;
constexpr uint64_t kTssOffset = 0x100, kTssSize = 104;  // SDM vol. 3, 7.7
constexpr uint64_t kIdtOffset = 0x400, kGateSize = 16, kIdtSize = kVectors * kGateSize;
// The I/O bitmap has a bit for each port up to the highest we open; ports behind the TSS limit are closed.
// One more byte of ones must follow (SDM vol. 1, 19.5.2).
constexpr uint64_t kBitmapSize = GLINT_EXIT_PORT / 8 + 1 + 1;
constexpr uint64_t kTssLimit = kTssSize + kBitmapSize;  // last byte included

void put(std::span<std::byte> page, uint64_t offset, const void* data, size_t size) {
  std::memcpy(page.data() + offset, data, size);
}
template <class T>
void put(std::span<std::byte> page, uint64_t offset, T value) {
  put(page, offset, &value, sizeof value);
}

// Segment descriptors, accessed bit preset so that loading one writes nothing (SDM vol. 3, 3.4.5).
constexpr uint64_t kCode64 = 0x00af9b000000ffff, kData = 0x00cf93000000ffff;
constexpr uint64_t kDplUser = 0x3ull << 45;

void write_gdt(std::span<std::byte> page, uint64_t tss_gva) {
  put(page, kGdtOffset + kKernelCode, kCode64);
  put(page, kGdtOffset + kKernelData, kData);
  put(page, kGdtOffset + kUserData, kData | kDplUser);
  put(page, kGdtOffset + kUserCode, kCode64 | kDplUser);
  // A busy 64-bit TSS; two entries wide.
  const uint64_t low = kTssLimit | (tss_gva & 0xffffff) << 16 | 0x8bull << 40 | (tss_gva >> 24 & 0xff) << 56;
  put(page, kGdtOffset + kTssSelector, low);
  put(page, kGdtOffset + kTssSelector + 8, tss_gva >> 32);
}

void write_tss(std::span<std::byte> page, uint64_t stack_top_gva) {
  put(page, kTssOffset + 4, stack_top_gva);  // RSP0
  put(page, kTssOffset + 0x24,
      stack_top_gva);  // IST1: exceptions in ring 0 never trust the guest's stack pointer
  put(page, kTssOffset + 0x66, static_cast<uint16_t>(kTssSize));  // I/O bitmap, right behind
  std::array<uint8_t, kBitmapSize> bitmap;
  bitmap.fill(0xff);
  // `out %eax` covers four ports, and each must be open.
  for (unsigned port = GLINT_EXIT_PORT; port < GLINT_EXIT_PORT + 4; ++port) {
    bitmap[port / 8] = static_cast<uint8_t>(bitmap[port / 8] & ~(1u << port % 8));
  }
  put(page, kTssOffset + kTssSize, bitmap.data(), bitmap.size());
}

void write_idt(std::span<std::byte> page, uint64_t stubs_gva) {
  constexpr uint64_t kInterruptGate = 0x8e;
  constexpr uint64_t kIst = 1;
  for (unsigned vector = 0; vector < kVectors; ++vector) {
    const uint64_t handler = stubs_gva + vector * kStubStride;
    // int3 and into are instructions of ring 3; any other `int n` is a general protection fault.
    const uint64_t dpl = vector == 3 || vector == 4 ? 3 : 0;
    const uint64_t low = (handler & 0xffff) | static_cast<uint64_t>(kKernelCode) << 16 | kIst << 32 |
                         (kInterruptGate | dpl << 5) << 40 | (handler >> 16 & 0xffff) << 48;
    put(page, kIdtOffset + vector * kGateSize, low);
    put(page, kIdtOffset + vector * kGateSize + 8, handler >> 32);
  }
}

// Where a stub stands tells the host the vector; each is one instruction, since ring 0 may be emulated at 5
// µs apiece.
void write_stubs(std::span<std::byte> page) {
  constexpr std::array<uint8_t, 5> kStub = {0xe7, GLINT_FAULT_PORT,  // out %eax, $GLINT_FAULT_PORT
                                            0xf4,                    // hlt: never reached
                                            0xeb, 0xfd};             // jmp back to it
  for (unsigned vector = 0; vector < kVectors; ++vector) {
    put(page, vector * kStubStride, kStub.data(), kStub.size());
  }
}

bool pushes_error_code(uint32_t vector) {
  return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 ||
         vector == 30;
}

}  // namespace

void write_system_pages(std::span<std::byte> pages, uint64_t gva) {
  write_stubs(pages.subspan(kExceptionStubsOffset, kPageSize));
  auto descriptors = pages.subspan(kDescriptorsOffset, kPageSize);
  write_gdt(descriptors, gva + kDescriptorsOffset + kTssOffset);
  write_tss(descriptors, gva + kExceptionStackOffset + kPageSize);
  write_idt(descriptors, gva + kExceptionStubsOffset);
}

SystemRegisters system_registers(uint64_t page_table_gpa, uint64_t system_gva, uint64_t syscall_gva,
                                 PortAccess port_access) {
  SystemRegisters s;
  s.page_table_gpa = page_table_gpa;
  s.gdt_gva = system_gva + kDescriptorsOffset + kGdtOffset;
  s.gdt_limit = kGdtSize - 1;
  s.idt_gva = system_gva + kDescriptorsOffset + kIdtOffset;
  s.idt_limit = kIdtSize - 1;
  s.tss_gva = system_gva + kDescriptorsOffset + kTssOffset;
  s.tss_limit = kTssLimit;
  s.syscall_gva = syscall_gva;
  s.kernel_code = kKernelCode;
  s.kernel_data = kKernelData;
  s.user_code = kUserCode | kRing3;
  s.user_data = kUserData | kRing3;
  s.tss = kTssSelector;
  s.sysret_base = kSysretBase | kRing3;
  s.port_access = port_access;
  return s;
}

std::optional<ExceptionFrame> read_exception_frame(const Registers& registers,
                                                   std::span<const std::byte> stack, uint64_t system_gva) {
  const uint64_t stubs = system_gva + kExceptionStubsOffset;
  if (registers.rip < stubs || registers.rip >= stubs + kVectors * kStubStride) return std::nullopt;
  ExceptionFrame frame;
  frame.vector = static_cast<uint32_t>((registers.rip - stubs) / kStubStride);

  const uint64_t words = pushes_error_code(frame.vector) ? 6 : 5;
  const uint64_t stack_gva = system_gva + kExceptionStackOffset;
  if (registers.rsp < stack_gva || !in_range(registers.rsp - stack_gva, words * 8, stack.size()))
    return std::nullopt;
  std::array<uint64_t, 6> pushed{};
  std::memcpy(pushed.data() + (6 - words), stack.data() + (registers.rsp - stack_gva), words * 8);
  frame.error_code = pushed[0];
  frame.rip = pushed[1];
  frame.cs = static_cast<uint16_t>(pushed[2]);
  frame.rflags = pushed[3];
  frame.rsp = pushed[4];
  return frame;
}

}  // namespace glint::core
