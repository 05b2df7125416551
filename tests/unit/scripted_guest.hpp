// SPDX-License-Identifier: Apache-2.0
#pragma once

// A scripted guest on the fake hypervisor: each entry of the vCPU plays the next step of the script.

#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "elf_builder.hpp"
#include "hypervisor/fake/fake.hpp"
#include "sandbox/engine.hpp"
#include "sandbox/image.hpp"
#include "sandbox/sandbox.hpp"
#include "transfer/frame.hpp"

namespace glint::test {

using namespace glint::core;

// The transfer area as the guest sees it.
class GuestView {
 public:
  GuestView(FakeVcpu& the_vcpu, const Layout& the_layout) : vcpu(the_vcpu), layout(the_layout) {}

  glint_abi_header header() const {
    glint_abi_header h{};
    std::memcpy(&h, bytes().data(), sizeof h);
    return h;
  }
  std::span<std::byte> bytes() const { return vcpu.memory(layout.transfer_gpa, GLINT_TRANSFER_INITIAL); }
  std::byte* window() const { return vcpu.memory(layout.window_gpa, layout.window_size).data(); }
  template <class T>
  void put(size_t offset, T value) const {
    std::memcpy(bytes().data() + offset, &value, sizeof value);
  }
  void put_value(uint64_t offset, uint32_t type, uint64_t bits, uint32_t length = 0) const {
    put(offset, glint_abi_value{type, length, bits});
  }
  glint_abi_value value(uint64_t offset) const {
    glint_abi_value v{};
    std::memcpy(&v, bytes().data() + offset, sizeof v);
    return v;
  }
  std::string text(uint64_t offset, uint64_t length) const {
    return {reinterpret_cast<const char*>(bytes().data()) + offset, length};
  }
  // Appends a text record.
  void print(uint32_t kind, std::string_view text) const {
    uint32_t size = header().text_size;
    const uint64_t at = GLINT_TRANSFER_TEXT + size;
    put(at, glint_abi_text_record{kind, static_cast<uint32_t>(text.size())});
    std::memcpy(bytes().data() + at + sizeof(glint_abi_text_record), text.data(), text.size());
    size += static_cast<uint32_t>(sizeof(glint_abi_text_record) + (text.size() + 7) / 8 * 8);
    put(offsetof(glint_abi_header, text_size), size);
  }
  // Leaves as the libos does.
  Exit leave(uint32_t kind) const {
    put(offsetof(glint_abi_header, exit_kind), kind);
    return exit_by_port(GLINT_EXIT_PORT);
  }

  FakeVcpu& vcpu;
  const Layout& layout;
};

using Step = std::function<Result<Exit>(GuestView&)>;

#define GLINT_SET(view, field, value_) \
  (view).put(offsetof(glint_abi_header, field), static_cast<decltype(glint_abi_header::field)>(value_))

// Steps that are often wanted.
inline Step ready() {
  return [](GuestView& g) { return g.leave(GLINT_EXIT_READY); };
}
inline constexpr uint64_t kGuestFrame = 0x8000;  // where the scripted guest puts its values
inline Step result(uint32_t type, uint64_t bits, uint32_t length = 0) {
  return [=](GuestView& g) {
    g.put_value(kGuestFrame, type, bits, length);
    GLINT_SET(g, exit_frame, kGuestFrame);
    return g.leave(GLINT_EXIT_RESULT);
  };
}
inline Step interrupted() {
  return [](GuestView&) { return exit_of_kind(Exit::Kind::kInterrupted); };
}
// Calls import `function` with one value.
inline Step host_call(uint32_t function, glint_abi_value argument, uint64_t reply = kGuestFrame + 0x1000) {
  return [=](GuestView& g) {
    g.put(kGuestFrame, argument);
    GLINT_SET(g, exit_function, function);
    GLINT_SET(g, exit_count, 1);
    GLINT_SET(g, exit_frame, kGuestFrame);
    GLINT_SET(g, exit_reply, reply);
    return g.leave(GLINT_EXIT_HOST_CALL);
  };
}

// An engine, an image and a script.
class ScriptedMachine {
 public:
  // Indices of the functions below.
  static constexpr uint32_t kAdd = 0, kProgress = 1, kGreet = 2, kFlag = 3, kAsk = 4, kNothing = 5;

  explicit ScriptedMachine(uint32_t max_shells = 2, const MachineTraits& traits = {},
                           const LayoutOptions& options = {}) {
    hypervisor = std::make_shared<FakeHypervisor>([this](FakeVcpu& vcpu) { return play(vcpu); });
    engine = Engine::with_hypervisor(hypervisor, traits, max_shells);
    ElfBuilder elf;
    elf.functions = {
        elf_function(GLINT_ABI_EXPORT, "add", GLINT_ABI_I64, {GLINT_ABI_I64, GLINT_ABI_I64}),
        elf_function(GLINT_ABI_IMPORT, "progress", GLINT_ABI_VOID, {GLINT_ABI_U32}),
        elf_function(GLINT_ABI_EXPORT, "greet", GLINT_ABI_STRING, {GLINT_ABI_STRING}),
        elf_function(GLINT_ABI_EXPORT, "flag", GLINT_ABI_BOOL, {}),
        elf_function(GLINT_ABI_IMPORT, "ask", GLINT_ABI_STRING, {GLINT_ABI_STRING}),
        elf_function(GLINT_ABI_EXPORT, "nothing", GLINT_ABI_VOID, {}),
    };
    elf.symbols = {{"crash", 0, 16}};
    image = Image::load(engine, elf.build().bytes, options).value();
    functions = std::make_shared<HostFunctions>();
    add_host("progress", GLINT_ABI_VOID, {GLINT_ABI_U32}, [this](HostCall& call) {
      progress.push_back(static_cast<uint32_t>(call.arguments()[0].bits));
      return on_progress ? on_progress(call) : GLINT_OK;
    });
    add_host("ask", GLINT_ABI_STRING, {GLINT_ABI_STRING},
             [this](HostCall& call) { return on_ask ? on_ask(call) : GLINT_OK; });
  }

  std::unique_ptr<Sandbox> sandbox(SandboxOptions options = {}) {
    return std::move(Sandbox::create(image, functions, std::move(options))).value();
  }

  Result<Value> call(Sandbox& s, uint32_t function, std::vector<Value> arguments = {}) {
    return s.call(function, arguments);
  }
  Result<Value> call_add(Sandbox& s, int64_t a = 1, int64_t b = 2) {
    return call(s, kAdd,
                {Value::scalar(GLINT_ABI_I64, static_cast<uint64_t>(a)),
                 Value::scalar(GLINT_ABI_I64, static_cast<uint64_t>(b))});
  }

  std::deque<Step> script;
  std::function<int32_t(HostCall&)> on_progress, on_ask;
  std::vector<uint32_t> progress;
  uint64_t runs = 0;
  std::shared_ptr<FakeHypervisor> hypervisor;
  std::shared_ptr<Engine> engine;
  std::shared_ptr<Image> image;
  std::shared_ptr<HostFunctions> functions;

 private:
  void add_host(const char* name, glint_abi_type type, std::vector<glint_abi_type> params,
                HostFunctions::Callback callback) {
    auto added = functions->add(name, type, std::move(params), std::move(callback));
    if (!added) throw std::runtime_error(added.error().message);
  }

  Result<Exit> play(FakeVcpu& vcpu) {
    ++runs;
    if (script.empty()) return error(GLINT_E_INTERNAL, "the script has ended");
    Step step = std::move(script.front());
    script.pop_front();
    GuestView view(vcpu, image->layout());
    return step(view);
  }
};

inline Value text_value(std::string_view text) {
  return Value::of_bytes(GLINT_ABI_STRING, std::as_bytes(std::span(text.data(), text.size())));
}
inline std::string text_of(const Value& value) {
  return {reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()};
}

}  // namespace glint::test
