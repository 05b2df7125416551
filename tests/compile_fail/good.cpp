// SPDX-License-Identifier: Apache-2.0
// What the other files get wrong, done right: without this, they might be refused for another reason.
#include <glint/glint.hpp>
#include <string>
#include <string_view>

int64_t good(glint::Sandbox& sandbox, glint::HostFunctions& host, uint32_t& out) {
  host.add("f", [&out](uint32_t value, const std::string& text, std::string_view) { out = value + text[0]; });
  const auto text = sandbox.call<std::string>("name", 'c' - 'a', "text");
  const glint::Result view = sandbox.call_view("name");
  return sandbox.function<int64_t(int64_t)>("g")(static_cast<int64_t>(text.size()));
}
