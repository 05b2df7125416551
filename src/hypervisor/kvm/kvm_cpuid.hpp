// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/kvm.h>

#include <cstddef>
#include <vector>

#include "base/result.hpp"

namespace glint::core {

// The CPUID table that every vCPU gets: a struct kvm_cpuid2 with its entries behind it.
class CpuidTable {
 public:
  static Result<CpuidTable> supported(int kvm_fd);

  // For KVM_SET_CPUID2, which does not write to it.
  kvm_cpuid2* get() const;

  bool has_xsave() const { return has_xsave_; }
  bool has_fsgsbase() const { return has_fsgsbase_; }
  bool has_umip() const { return has_umip_; }
  uint64_t xcr0() const {
    return xcr0_;
  }  // state components a guest may use; 0 when KVM does not let it set XCR0
  // State components that KVM_SET_XSAVE takes, whether or not a guest may set XCR0.
  uint64_t vector_components() const { return vector_components_; }

 private:
  // uint64_t so that the struct inside is aligned.
  std::vector<uint64_t> storage_;
  bool has_xsave_ = false, has_fsgsbase_ = false, has_umip_ = false;
  uint64_t xcr0_ = 0, vector_components_ = 0;
};

}  // namespace glint::core
