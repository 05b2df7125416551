// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace glint::cli {

// The whole content of a file; "-" is standard input. Throws glint::Error.
std::vector<std::byte> read_file(const std::string& path);

// Makes or replaces a file. Throws glint::Error.
void write_file(const std::string& path, std::span<const std::byte> content);

// Writes all of `text` to a file descriptor. 0, or errno.
int write_all(int fd, std::string_view text) noexcept;

}  // namespace glint::cli
