// SPDX-License-Identifier: Apache-2.0
#include "arch/x86_64/cpu_features.hpp"

#include <string_view>

namespace glint::core {
namespace {

// Places in kFeatureQueries.
enum Query : size_t { kLeaf0, kLeaf1, kLeaf7, kLeaf7_1, kLeafD, kLeafD_1, kExtended0, kExtended1 };

struct Feature {
  Query query;
  uint32_t CpuidAnswer::* word;
  uint32_t bit;
  std::string_view name;
};

// SDM vol. 2, CPUID; APM vol. 3, appendix E. A feature's number is its place here: add at the end only. What
// every x86-64 processor has is left out.
constexpr Feature kFeatures[] = {
    {kLeaf1, &CpuidAnswer::ecx, 0, "SSE3"},
    {kLeaf1, &CpuidAnswer::ecx, 1, "PCLMULQDQ"},
    {kLeaf1, &CpuidAnswer::ecx, 9, "SSSE3"},
    {kLeaf1, &CpuidAnswer::ecx, 12, "FMA"},
    {kLeaf1, &CpuidAnswer::ecx, 13, "CMPXCHG16B"},
    {kLeaf1, &CpuidAnswer::ecx, 19, "SSE4.1"},
    {kLeaf1, &CpuidAnswer::ecx, 20, "SSE4.2"},
    {kLeaf1, &CpuidAnswer::ecx, 22, "MOVBE"},
    {kLeaf1, &CpuidAnswer::ecx, 23, "POPCNT"},
    {kLeaf1, &CpuidAnswer::ecx, 25, "AES"},
    {kLeaf1, &CpuidAnswer::ecx, 26, "XSAVE"},
    {kLeaf1, &CpuidAnswer::ecx, 27, "OSXSAVE"},
    {kLeaf1, &CpuidAnswer::ecx, 28, "AVX"},
    {kLeaf1, &CpuidAnswer::ecx, 29, "F16C"},
    {kLeaf1, &CpuidAnswer::ecx, 30, "RDRAND"},
    {kLeaf7, &CpuidAnswer::ebx, 0, "FSGSBASE"},
    {kLeaf7, &CpuidAnswer::ebx, 3, "BMI1"},
    {kLeaf7, &CpuidAnswer::ebx, 4, "HLE"},
    {kLeaf7, &CpuidAnswer::ebx, 5, "AVX2"},
    {kLeaf7, &CpuidAnswer::ebx, 8, "BMI2"},
    {kLeaf7, &CpuidAnswer::ebx, 11, "RTM"},
    {kLeaf7, &CpuidAnswer::ebx, 16, "AVX512F"},
    {kLeaf7, &CpuidAnswer::ebx, 17, "AVX512DQ"},
    {kLeaf7, &CpuidAnswer::ebx, 18, "RDSEED"},
    {kLeaf7, &CpuidAnswer::ebx, 19, "ADX"},
    {kLeaf7, &CpuidAnswer::ebx, 21, "AVX512_IFMA"},
    {kLeaf7, &CpuidAnswer::ebx, 23, "CLFLUSHOPT"},
    {kLeaf7, &CpuidAnswer::ebx, 24, "CLWB"},
    {kLeaf7, &CpuidAnswer::ebx, 26, "AVX512PF"},
    {kLeaf7, &CpuidAnswer::ebx, 27, "AVX512ER"},
    {kLeaf7, &CpuidAnswer::ebx, 28, "AVX512CD"},
    {kLeaf7, &CpuidAnswer::ebx, 29, "SHA"},
    {kLeaf7, &CpuidAnswer::ebx, 30, "AVX512BW"},
    {kLeaf7, &CpuidAnswer::ebx, 31, "AVX512VL"},
    {kLeaf7, &CpuidAnswer::ecx, 0, "PREFETCHWT1"},
    {kLeaf7, &CpuidAnswer::ecx, 1, "AVX512_VBMI"},
    {kLeaf7, &CpuidAnswer::ecx, 4, "OSPKE"},
    {kLeaf7, &CpuidAnswer::ecx, 5, "WAITPKG"},
    {kLeaf7, &CpuidAnswer::ecx, 6, "AVX512_VBMI2"},
    {kLeaf7, &CpuidAnswer::ecx, 7, "SHSTK"},
    {kLeaf7, &CpuidAnswer::ecx, 8, "GFNI"},
    {kLeaf7, &CpuidAnswer::ecx, 9, "VAES"},
    {kLeaf7, &CpuidAnswer::ecx, 10, "VPCLMULQDQ"},
    {kLeaf7, &CpuidAnswer::ecx, 11, "AVX512_VNNI"},
    {kLeaf7, &CpuidAnswer::ecx, 12, "AVX512_BITALG"},
    {kLeaf7, &CpuidAnswer::ecx, 14, "AVX512_VPOPCNTDQ"},
    {kLeaf7, &CpuidAnswer::ecx, 22, "RDPID"},
    {kLeaf7, &CpuidAnswer::ecx, 25, "CLDEMOTE"},
    {kLeaf7, &CpuidAnswer::ecx, 27, "MOVDIRI"},
    {kLeaf7, &CpuidAnswer::ecx, 28, "MOVDIR64B"},
    {kLeaf7, &CpuidAnswer::edx, 2, "AVX512_4VNNIW"},
    {kLeaf7, &CpuidAnswer::edx, 3, "AVX512_4FMAPS"},
    {kLeaf7, &CpuidAnswer::edx, 5, "UINTR"},
    {kLeaf7, &CpuidAnswer::edx, 8, "AVX512_VP2INTERSECT"},
    {kLeaf7, &CpuidAnswer::edx, 14, "SERIALIZE"},
    {kLeaf7, &CpuidAnswer::edx, 20, "IBT"},
    {kLeaf7, &CpuidAnswer::edx, 22, "AMX-BF16"},
    {kLeaf7, &CpuidAnswer::edx, 23, "AVX512_FP16"},
    {kLeaf7, &CpuidAnswer::edx, 24, "AMX-TILE"},
    {kLeaf7, &CpuidAnswer::edx, 25, "AMX-INT8"},
    {kLeaf7_1, &CpuidAnswer::eax, 0, "SHA512"},
    {kLeaf7_1, &CpuidAnswer::eax, 1, "SM3"},
    {kLeaf7_1, &CpuidAnswer::eax, 2, "SM4"},
    {kLeaf7_1, &CpuidAnswer::eax, 3, "RAO-INT"},
    {kLeaf7_1, &CpuidAnswer::eax, 4, "AVX-VNNI"},
    {kLeaf7_1, &CpuidAnswer::eax, 5, "AVX512_BF16"},
    {kLeaf7_1, &CpuidAnswer::eax, 7, "CMPCCXADD"},
    {kLeaf7_1, &CpuidAnswer::eax, 21, "AMX-FP16"},
    {kLeaf7_1, &CpuidAnswer::eax, 23, "AVX-IFMA"},
    {kLeaf7_1, &CpuidAnswer::edx, 4, "AVX-VNNI-INT8"},
    {kLeaf7_1, &CpuidAnswer::edx, 5, "AVX-NE-CONVERT"},
    {kLeaf7_1, &CpuidAnswer::edx, 8, "AMX-COMPLEX"},
    {kLeaf7_1, &CpuidAnswer::edx, 10, "AVX-VNNI-INT16"},
    {kLeaf7_1, &CpuidAnswer::edx, 14, "PREFETCHI"},
    {kLeafD_1, &CpuidAnswer::eax, 0, "XSAVEOPT"},
    {kLeafD_1, &CpuidAnswer::eax, 1, "XSAVEC"},
    {kLeafD_1, &CpuidAnswer::eax, 2, "XGETBV1"},
    {kExtended1, &CpuidAnswer::ecx, 0, "LAHF64"},
    {kExtended1, &CpuidAnswer::ecx, 5, "LZCNT"},
    {kExtended1, &CpuidAnswer::ecx, 6, "SSE4A"},
    {kExtended1, &CpuidAnswer::ecx, 8, "PREFETCHW"},
    {kExtended1, &CpuidAnswer::ecx, 11, "XOP"},
    {kExtended1, &CpuidAnswer::ecx, 16, "FMA4"},
    {kExtended1, &CpuidAnswer::ecx, 21, "TBM"},
    {kExtended1, &CpuidAnswer::ecx, 29, "MONITORX"},
    {kExtended1, &CpuidAnswer::edx, 27, "RDTSCP"},
    {kExtended1, &CpuidAnswer::edx, 30, "3DNOWEXT"},
    {kExtended1, &CpuidAnswer::edx, 31, "3DNOW"},
};
constexpr size_t kFeatureCount = std::size(kFeatures);
static_assert(kFeatureCount <= 128, "CpuFeatures::Words holds no more");

// A processor answers for leaves that it does not have with those of another one.
bool has_leaf(std::span<const CpuidAnswer, kFeatureQueries.size()> answers, Query query) {
  switch (query) {
    case kLeaf7_1:
      return answers[kLeaf0].eax >= 7 && answers[kLeaf7].eax >= 1;
    case kExtended1:
      return answers[kExtended0].eax >= kFeatureQueries[query].leaf && (answers[kExtended0].eax >> 31) != 0;
    default:
      return answers[kLeaf0].eax >= kFeatureQueries[query].leaf;
  }
}

}  // namespace

CpuFeatures CpuFeatures::of(std::span<const CpuidAnswer, kFeatureQueries.size()> answers) {
  Words words{};
  for (size_t i = 0; i < kFeatureCount; ++i) {
    const Feature& feature = kFeatures[i];
    if (!has_leaf(answers, feature.query)) continue;
    const uint64_t has = answers[feature.query].*feature.word >> feature.bit & 1;
    words[i / 64] |= has << i % 64;
  }
  return CpuFeatures(words);
}

std::string CpuFeatures::names() const {
  std::string text;
  for (size_t i = 0; i < 64 * words_.size(); ++i) {
    if ((words_[i / 64] >> i % 64 & 1) == 0) continue;
    if (!text.empty()) text += ", ";
    text += i < kFeatureCount ? std::string(kFeatures[i].name) : "feature " + std::to_string(i);
  }
  return text;
}

}  // namespace glint::core
