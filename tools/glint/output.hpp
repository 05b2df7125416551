// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "glint/glint.hpp"

namespace glint::cli {

using Json = nlohmann::ordered_json;  // people read it, too

// Writes to standard output; throws glint::Error when that fails.
void print(std::string_view text);
void print_json(const Json& object);

// Writes one line, "glint: …", to standard error. What cannot be printed safely is escaped.
void complain(std::string_view line);

// Writes a line of a report to standard error, as it is.
void report_line(std::string_view line);

// Writes what a guest printed to standard output (1) or standard error (2), as it is. 0, or errno. The lines
// above begin on a line of their own also when the guest has not ended its last one.
int write_guest_text(int stream, std::string_view text) noexcept;

// `text` on one line, with control characters as \n, \x1b …: names and messages come from guests, and must
// not command the user's terminal.
std::string printable(std::string_view text);

// The same between quotes, and cut when it is long.
std::string quote(std::string_view text);

// 0x1f
std::string hex(uint64_t value);

// 64 MiB, 4 KiB, 123 bytes
std::string human_size(uint64_t bytes);

// A value for a person, on one line: 3, "text", 12 bytes.
std::string describe(const glint_value& value);
std::string describe_all(const glint_value* values, size_t count);  // (3, "text")

// A value in full: strings and bytes raw, numbers in the shortest form that reads back as the same number.
std::string plain(const glint_value& value);

// Bytes as hex:00ff…, as they can be given as an argument.
std::string hex_bytes(std::string_view bytes);

// A value for programs: bytes as {"size": …, "base64": …}; numbers that JSON lacks as "nan", "inf", "-inf".
Json json_of(const glint_value& value);
Json json_of(const Error& error);

// The string or bytes of a value.
std::string_view payload_of(const glint_value& value);

}  // namespace glint::cli
