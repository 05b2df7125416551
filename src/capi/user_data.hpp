// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "glint/base.h"

namespace glint::capi {

// The embedder's data of one callback. Whoever holds it last calls `destroy`, so it runs exactly once
// whatever happens on the way, exceptions included.
class UserData {
 public:
  UserData(void* data, glint_destroy destroy) : data_(data), destroy_(destroy) {}
  UserData(UserData&& other) noexcept
      : data_(other.data_), destroy_(std::exchange(other.destroy_, nullptr)) {}
  UserData& operator=(UserData&&) = delete;
  ~UserData() {
    if (destroy_ != nullptr) destroy_(data_);
  }

  void* get() const { return data_; }

 private:
  void* data_;
  glint_destroy destroy_;
};

}  // namespace glint::capi
