// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace glint::core {

// One question to the CPUID instruction, and its answer.
struct CpuidQuery {
  uint32_t leaf = 0, subleaf = 0;
};
struct CpuidAnswer {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

// What has to be asked for CpuFeatures::of().
inline constexpr std::array<CpuidQuery, 8> kFeatureQueries = {
    {{0, 0}, {1, 0}, {7, 0}, {7, 1}, {0xd, 0}, {0xd, 1}, {0x80000000, 0}, {0x80000001, 0}}};

// The extensions of x86-64 that programs look for by CPUID and then use: those that add instructions or
// registers. Hints about speed are not among them: a program that follows one is slow elsewhere, not wrong.
class CpuFeatures {
 public:
  using Words = std::array<uint64_t, 2>;

  CpuFeatures() = default;
  explicit CpuFeatures(const Words& words) : words_(words) {}

  // The answers to kFeatureQueries, in that order.
  static CpuFeatures of(std::span<const CpuidAnswer, kFeatureQueries.size()> answers);

  // Bit n of the words is feature n: numbers of our own, which stand in files and so never change.
  const Words& words() const { return words_; }

  bool empty() const { return words_ == Words{}; }
  CpuFeatures without(const CpuFeatures& others) const {
    return CpuFeatures({words_[0] & ~others.words_[0], words_[1] & ~others.words_[1]});
  }
  // "AVX2, BMI2": a number that this version does not know is "feature 99".
  std::string names() const;

  bool operator==(const CpuFeatures&) const = default;

 private:
  Words words_{};
};

}  // namespace glint::core
