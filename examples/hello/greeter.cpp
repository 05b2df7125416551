// SPDX-License-Identifier: Apache-2.0
// A guest in C++: text in, text out, and a question to the host on the way, which may fail.
#include <glint_guest.h>

#include <string>
#include <string_view>

GLINT_IMPORT(glint_string, title_of, (glint_string name))

GLINT_EXPORT(glint_string, greet, (glint_string name)) {
  // The SDK reads the result after this function has returned, so the text cannot be a local variable.
  static std::string greeting;
  greeting = "Hello, ";
  const std::string_view title = title_of(name);
  if (const glint_error* error = glint_host_error()) {
    greeting.append("stranger (").append(error->text).append("): ");
  } else {
    greeting.append(title).append(" ");
  }
  greeting.append(name).append("!");
  return glint_string_of(greeting);
}
