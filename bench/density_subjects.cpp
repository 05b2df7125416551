// SPDX-License-Identifier: Apache-2.0
// Ten thousand sandboxes of one snapshot, and what they do to the program that has them.
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "subjects.hpp"

namespace glint::bench {
namespace {

constexpr unsigned kThreads = 4;
constexpr unsigned kTeachers = 5;
constexpr const char* kCount = "count = (count or 0) + 1; return count";

// A thousand of ten thousand.
unsigned tenth() { return crowd_size() / 10; }

// A number of KiB out of /proc.
double kib(const char* file, const std::string& name) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + ":")) return std::strtod(line.c_str() + name.size() + 1, nullptr);
  }
  throw std::runtime_error(std::string(file) + " says nothing of " + name);
}

double open_files() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<double>(std::distance(begin(files), end(files)));
}

// What this process has, and the machine, in KiB.
struct Memory {
  double anonymous = kib("/proc/self/status", "RssAnon");
  double tables = kib("/proc/self/status", "VmPTE");
  double available = kib("/proc/meminfo", "MemAvailable");
  double files = open_files();
};

class Crowd {
 public:
  Crowd() {
    host_.add("lookup", [](std::string_view name) { return std::string(name); });
    host_.add("write_log", [](std::string_view) {});
    Sandbox first(engine_.load(GLINT_BENCH_LUA), host_);
    first.call("run", std::string_view("words = {} for i = 1, 1000 do words[i] = 'word ' .. i end"));
    snapshot_.emplace(first.snapshot());
    learn();
    sandboxes_.reserve(crowd_size());
    created_us_.reserve(crowd_size());
  }

  void create_all() {
    for (unsigned i = 0; i < crowd_size(); ++i) {
      const Stopwatch watch;
      Sandbox& sandbox = sandboxes_.emplace_back(*snapshot_, host_);
      expect(sandbox, 1);
      created_us_.push_back(watch.us());
    }
    calls_.assign(crowd_size(), 1);
  }

  uint64_t vms() const { return engine_.counters().vms_live; }

  // What a sandbox' call writes to, of which nothing was copied in advance; in KiB.
  double own_kib() const { return own_kib_; }

  double created_us(unsigned first) const {
    const auto begin = created_us_.begin() + first;
    return median({begin, begin + tenth()});
  }

  // Each thread has a quarter of them: a sandbox is used by one thread at a time.
  void call_at_random() {
    std::atomic<bool> wrong{false};
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < kThreads; ++t) {
      threads.emplace_back([this, t, &wrong] {
        std::mt19937 random(t);
        for (unsigned i = 0; i < crowd_size() / 2; ++i) {
          const size_t which = random() % (crowd_size() / kThreads) * kThreads + t;
          const Expected<std::string> got =
              sandboxes_[which].try_call<std::string>("run", std::string_view(kCount));
          if (!got || *got != std::to_string(++calls_[which])) wrong = true;
        }
      });
    }
    threads.clear();
    if (wrong) throw std::runtime_error("a sandbox gave a wrong result");
  }

 private:
  // The first ones that go show what is copied in advance for all that come: of them, a crowd must not have
  // much more than it needs.
  void learn() {
    for (unsigned i = 0; i < kTeachers; ++i) {
      Sandbox sandbox(*snapshot_, host_);
      expect(sandbox, 1);
      if (i != 0) continue;
      sandbox.restore();  // says how many pages are its own
      own_kib_ = static_cast<double>(sandbox.counters().restored_pages) * 4;
    }
  }

  static void expect(Sandbox& sandbox, unsigned count) {
    if (sandbox.call<std::string>("run", std::string_view(kCount)) != std::to_string(count)) {
      throw std::runtime_error("a new sandbox gave a wrong result");
    }
  }

  const Engine engine_;
  HostFunctions host_;
  std::optional<Snapshot> snapshot_;
  std::vector<Sandbox> sandboxes_;
  std::vector<unsigned> calls_;  // of each, so far
  std::vector<double> created_us_;
  double own_kib_ = 0;
};

class TenThousandSubject final : public Subject {
 public:
  Batch run_batch() override {
    Crowd crowd;
    const Memory before;
    const uint64_t vms_before = crowd.vms();
    crowd.create_all();
    const Memory after;
    const auto vms = static_cast<double>(crowd.vms() - vms_before);
    Batch batch;
    batch.memory.own_kib = crowd.own_kib();
    crowd.call_at_random();
    batch.operations = crowd_size();
    batch.us = crowd.created_us(crowd_size() - tenth());
    batch.floor_us = crowd.created_us(0);
    const auto each = [&](double Memory::* what) { return (after.*what - before.*what) / crowd_size(); };
    batch.memory.user_kib = each(&Memory::anonymous);
    batch.memory.tables_kib = each(&Memory::tables);
    batch.memory.machine_kib = -each(&Memory::available);
    batch.memory.sandboxes = crowd_size();
    batch.memory.files = after.files - before.files - 2 * vms;  // a VM's, and its vCPU's
    return batch;
  }
};

// An event of the host program that has nothing to do with any sandbox, before there is one and while there
// are ten thousand.
class UnrelatedSubject final : public Subject {
 public:
  explicit UnrelatedSubject(void (*event)()) : event_(event) {}

  Batch run_batch() override {
    Batch batch;
    batch.operations = kEvents;
    batch.floor_us = measure();
    Crowd crowd;
    crowd.create_all();
    batch.us = measure();
    return batch;
  }

 private:
  static constexpr unsigned kEvents = 1'000;

  double measure() const {
    std::vector<double> samples;
    for (unsigned i = 0; i < kEvents; ++i) {
      const Stopwatch watch;
      event_();
      samples.push_back(watch.us());
    }
    return median(std::move(samples));
  }

  void (*const event_)();
};

void map_and_unmap() {
  constexpr size_t kPage = 4096;
  void* page = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw std::runtime_error("mmap failed");
  *static_cast<volatile char*>(page) = 1;
  ::munmap(page, kPage);
}

void start_and_end_thread() {
  std::thread([] {}).join();
}

}  // namespace

std::unique_ptr<Subject> ten_thousand() { return std::make_unique<TenThousandSubject>(); }
std::unique_ptr<Subject> unrelated_munmap() { return std::make_unique<UnrelatedSubject>(map_and_unmap); }
std::unique_ptr<Subject> unrelated_thread() {
  return std::make_unique<UnrelatedSubject>(start_and_end_thread);
}

}  // namespace glint::bench
