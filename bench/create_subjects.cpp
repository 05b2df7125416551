// SPDX-License-Identifier: Apache-2.0
// Sandboxes from nothing to their first result.
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "floor.h"
#include "subjects.hpp"

namespace glint::bench {
namespace {

constexpr unsigned kCreations = 3;  // in a batch

struct Guest {
  const char* file;
  void (*first_result)(Sandbox& sandbox);  // calls, and throws if the result is wrong
};

void call_hello(Sandbox& sandbox) {
  if (sandbox.call<int64_t>("hello") != 42) throw std::runtime_error("hello: wrong result");
}

void run_lua(Sandbox& sandbox) {
  if (sandbox.call<std::string>("run", std::string_view("return 6 * 7")) != "42") {
    throw std::runtime_error("lua: wrong result");
  }
}

constexpr Guest kHello{GLINT_BENCH_HELLO, call_hello};
constexpr Guest kLua{GLINT_BENCH_LUA, run_lua};

struct Creation {
  double us = 0;
  bool disturbed = false;
  double free_us = 0;
  Counts counts;
};

class CreateSubject final : public Subject {
 public:
  CreateSubject(const Guest& guest, bool shell_free) : guest_(guest), shell_free_(shell_free) {
    // What the Lua guest imports; the hello guest imports nothing.
    host_.add("lookup", [](std::string_view name) { return std::string(name); });
    host_.add("write_log", [](std::string_view) {});
    pages_ = count_pages();
  }

  Batch run_batch() override {
    Batch batch;
    batch.operations = kCreations;
    std::vector<double> floors;
    std::vector<double> times;
    std::vector<double> frees;
    for (auto* samples : {&floors, &times, &frees}) samples->reserve(kCreations);
    for (unsigned i = 0; i < kCreations; ++i) {
      floors.push_back(floor_create_us(1, pages_));  // while this process has no other VM
      batch.disturbed += glint_floor_disturbed();
      Creation creation = create();
      for (int attempt = 1; creation.disturbed && attempt < GLINT_FLOOR_ATTEMPTS; ++attempt)
        creation = create();
      batch.disturbed += creation.disturbed ? 1 : 0;
      times.push_back(creation.us);
      frees.push_back(creation.free_us);
      add(batch.total, creation.counts);
    }
    batch.us = median(std::move(times));
    batch.free_us = median(std::move(frees));
    batch.floor_us = median(std::move(floors));
    return batch;
  }

 private:
  // A new image each time: VMs belong to images, and end with them.
  Creation create() const {
    const Image image = engine_.load(guest_.file);
    if (shell_free_) measure(image);
    return measure(image);
  }

  Creation measure(const Image& image) const {
    Creation creation;
    const unsigned faults_before = page_faults();
    glint_floor_watch watch;
    glint_floor_start(&watch);
    auto sandbox = std::make_unique<Sandbox>(image, host_);
    guest_.first_result(*sandbox);
    creation.us = glint_floor_stop(&watch, &creation.disturbed);
    creation.counts = difference(sandbox->counters(), SandboxCounters{});
    creation.counts.page_faults = page_faults() - faults_before;
    const Stopwatch free_watch;
    sandbox.reset();
    creation.free_us = free_watch.us();
    return creation;
  }

  // How many pages the floor shall touch: as many page faults as the first creation takes.
  unsigned count_pages() const {
    std::vector<double> faults;
    faults.reserve(kCreations);
    for (unsigned i = 0; i < kCreations; ++i)
      faults.push_back(measure(engine_.load(guest_.file)).counts.page_faults);
    return static_cast<unsigned>(std::lround(median(std::move(faults))));
  }

  const Guest guest_;
  const bool shell_free_;
  const Engine engine_;  // holds no VM by itself
  HostFunctions host_;
  unsigned pages_ = 0;
};

}  // namespace

std::unique_ptr<Subject> create_hello_first() { return std::make_unique<CreateSubject>(kHello, false); }
std::unique_ptr<Subject> create_hello_shell_free() { return std::make_unique<CreateSubject>(kHello, true); }
std::unique_ptr<Subject> create_lua_first() { return std::make_unique<CreateSubject>(kLua, false); }
std::unique_ptr<Subject> create_lua_shell_free() { return std::make_unique<CreateSubject>(kLua, true); }

}  // namespace glint::bench
