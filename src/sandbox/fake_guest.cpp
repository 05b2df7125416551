// SPDX-License-Identifier: Apache-2.0
#include "sandbox/fake_guest.hpp"

#include <cstring>
#include <span>
#include <vector>

#include "base/checked.hpp"
#include "glint_guest/abi.h"
#include "hypervisor/fake/fake.hpp"

namespace glint::core {
namespace {

// How an export answers.
struct Behaviour {
  bool spins = false;
  bool echoes = false;  // the first argument has the type of the result
  bool forwards = false;
  uint32_t import = 0;  // forwards: what it calls
  glint_abi_type result = GLINT_ABI_VOID;
};

std::vector<Behaviour> plan_behaviours(const Program& program) {
  std::vector<Behaviour> by_index;
  for (const Function& function : program.functions) {
    if (by_index.size() <= function.index) by_index.resize(function.index + 1);
    Behaviour& behaviour = by_index[function.index];
    behaviour.spins = function.name == "spin";
    behaviour.result = function.result;
    behaviour.echoes = !function.params.empty() && function.params[0] == function.result;
    for (const Function& import : program.functions) {
      if (import.kind != Function::Kind::kImport || import.name != "host_" + function.name) continue;
      behaviour.forwards = import.same_signature(function);
      behaviour.import = import.index;
    }
  }
  return by_index;
}

// One stretch of the guest: what stands in the transfer area is what its libos and SDK would have put there.
class Stretch {
 public:
  Stretch(FakeVcpu& vcpu, uint64_t transfer_gpa)
      : vcpu_(vcpu), area_(vcpu.memory(transfer_gpa, GLINT_TRANSFER_INITIAL)) {
    std::memcpy(&header_, area_.data(), sizeof header_);
  }

  Exit run(const std::vector<Behaviour>& behaviours) {
    switch (vcpu_.registers.rax) {
      case kStart:
        vcpu_.registers.rax = kWaitsForCall;
        return leave(GLINT_EXIT_READY);
      case kWaitsForCall:
        return begin_call(behaviours[header_.function]);
      default:
        vcpu_.registers.rax = kWaitsForCall;
        return end_host_call();
    }
  }

 private:
  // What rax says between two runs, so that it stays with the sandbox when that is parked.
  enum Where : uint64_t { kStart, kWaitsForCall, kWaitsForHost };

  Exit begin_call(const Behaviour& behaviour) {
    if (behaviour.spins) return vcpu_.run_until_kicked();
    if (behaviour.forwards) {
      vcpu_.registers.rax = kWaitsForHost;
      header_.exit_function = behaviour.import;
      header_.exit_count = header_.count;
      header_.exit_frame = header_.frame;
      header_.exit_reply = reply();
      return leave(GLINT_EXIT_HOST_CALL);
    }
    header_.exit_frame = header_.frame;
    if (!behaviour.echoes) write_nothing(behaviour.result);
    return leave(GLINT_EXIT_RESULT);
  }

  // In the place of the arguments, which nobody needs any more.
  void write_nothing(glint_abi_type type) {
    const bool has_payload = type == GLINT_ABI_STRING || type == GLINT_ABI_BYTES;
    const glint_abi_value value{static_cast<uint32_t>(type), 0, has_payload ? GLINT_TRANSFER_PAYLOAD : 0};
    std::memcpy(area_.data() + GLINT_TRANSFER_PAYLOAD, &value, sizeof value);
  }

  Exit end_host_call() {
    header_.exit_frame = reply();
    header_.exit_code = header_.host_code;
    return leave(header_.host_status == GLINT_HOST_OK ? GLINT_EXIT_RESULT : GLINT_EXIT_ERROR);
  }

  Exit leave(glint_abi_exit kind) {
    header_.exit_kind = kind;
    constexpr size_t kBegin = offsetof(glint_abi_header, exit_kind);
    std::memcpy(area_.data() + kBegin, reinterpret_cast<const std::byte*>(&header_) + kBegin,
                sizeof header_ - kBegin);
    return exit_by_port(GLINT_EXIT_PORT);
  }

  // Behind the call's frame, which the host call's arguments are.
  uint64_t reply() const { return align_up(header_.call_end, GLINT_TRANSFER_ALIGN); }

  FakeVcpu& vcpu_;
  std::span<std::byte> area_;
  glint_abi_header header_{};
};

}  // namespace

std::shared_ptr<Hypervisor> make_fake_guest(const Program& program, uint64_t transfer_gpa) {
  return std::make_shared<FakeHypervisor>(
      [behaviours = plan_behaviours(program), transfer_gpa](FakeVcpu& vcpu) -> Result<Exit> {
        return Stretch(vcpu, transfer_gpa).run(behaviours);
      });
}

}  // namespace glint::core
