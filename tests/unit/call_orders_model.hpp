// SPDX-License-Identifier: Apache-2.0
#pragma once

// Cases of a call, of stops that come to it, and the model that says what must come of them.

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "sandbox/sandbox.hpp"

namespace glint::test::orders {

using namespace glint::core;
using State = Sandbox::State;

// What the guest does in one run of the vCPU. kSignal: nothing, as a signal that is not ours has come.
enum class Do {
  kSignal,
  kText,
  kHostCall,
  kGrow,
  kInput,
  kReady,
  kResult,
  kError,
  kProgramEnd,
  kFault,
  kLost
};

constexpr std::array kMiddles = {Do::kSignal, Do::kText, Do::kHostCall, Do::kGrow, Do::kInput};
constexpr std::array kEnds = {Do::kResult, Do::kError, Do::kProgramEnd, Do::kFault, Do::kLost};

// Ends print, too: so there is a callback between the last exit and the return of the call. The text of a VM
// that gave up is lost with it.
constexpr bool prints(Do what) {
  return what == Do::kText || what == Do::kResult || what == Do::kError || what == Do::kProgramEnd ||
         what == Do::kFault;
}
constexpr bool has_callback(Do what) { return prints(what) || what == Do::kHostCall || what == Do::kInput; }

// Where a stop comes: while the guest works in a run, in the callback that the host then makes for it, …
struct Place {
  enum Where { kBeforeCall, kRun, kCallback, kAfterCall, kNextCall } where = kBeforeCall;
  size_t step = 0;  // kRun, kCallback: the index of what the guest does
  bool operator==(const Place&) const = default;
};

enum class Stop { kInterrupt, kDeadline };
struct Stopping {
  Place place;
  Stop stop;
};

struct Case {
  std::vector<Do> steps;  // with those of the start-up, if the sandbox is new
  bool is_new = false;
  std::vector<Stopping> stops{};  // by place

  bool has(Stop stop) const {
    return std::any_of(stops.begin(), stops.end(), [&](const Stopping& s) { return s.stop == stop; });
  }
};

inline std::vector<Place> places_of(const Case& c) {
  std::vector<Place> places = {{Place::kBeforeCall}};
  for (size_t i = 0; i < c.steps.size(); ++i) {
    places.push_back({Place::kRun, i});
    if (has_callback(c.steps[i])) places.push_back({Place::kCallback, i});
  }
  places.push_back({Place::kAfterCall});
  places.push_back({Place::kNextCall});
  return places;
}

inline std::string describe(const Case& c) {
  static constexpr const char* kSteps[] = {"signal", "text",  "host call",   "grow",  "input",  "ready",
                                           "result", "error", "program end", "fault", "VM lost"};
  static constexpr const char* kWhere[] = {"before the call", "run", "callback", "after the call",
                                           "the next call"};
  std::string text = c.is_new ? "new sandbox:" : "ready sandbox:";
  for (const Do step : c.steps) text += std::string(" ") + kSteps[static_cast<size_t>(step)] + ",";
  for (const auto& [place, stop] : c.stops) {
    text += std::string(stop == Stop::kInterrupt ? " interrupt in " : " deadline in ") + kWhere[place.where] +
            " " + std::to_string(place.step);
  }
  return text;
}

// What can be seen of a call.
struct Ending {
  glint_status code = GLINT_OK;
  State state = State::kReady;
  uint64_t runs = 0, texts = 0, host_calls = 0, inputs = 0;
  std::vector<uint32_t> told{};  // what each raise returned
  bool operator==(const Ending&) const = default;
};

inline std::string describe(const Ending& e) {
  std::string text = "code " + std::to_string(e.code) + ", state " +
                     std::to_string(static_cast<uint32_t>(e.state)) + ", runs " + std::to_string(e.runs) +
                     ", texts " + std::to_string(e.texts) + ", host calls " + std::to_string(e.host_calls) +
                     ", inputs " + std::to_string(e.inputs) + ", told";
  for (const uint32_t told : e.told) text += " " + std::to_string(told);
  return text;
}

// The model: docs/interrupts.md in code, without threads, words or kicks.
class Model {
 public:
  explicit Model(const Case& c) : case_(c) { end_.state = c.is_new ? State::kNew : State::kReady; }

  Ending run() {
    // An interrupt that is raised before the call is older than every deadline of it.
    under_way_ = false;
    come_to({Place::kBeforeCall});
    under_way_ = true;
    play();
    under_way_ = false;
    come_to({Place::kAfterCall});
    if (end_.state == State::kNew || end_.state == State::kReady) come_to({Place::kNextCall});
    return end_;
  }

 private:
  void come_to(Place place) {
    for (const auto& [where, stop] : case_.stops) {
      if (where != place) continue;
      const bool reaches = under_way_ && reason_ == GLINT_OK;
      if (stop == Stop::kInterrupt) end_.told.push_back(reaches ? 1 : 0);
      const auto reason = stop == Stop::kInterrupt ? GLINT_E_INTERRUPTED : GLINT_E_DEADLINE;
      const bool waits = place.where == Place::kBeforeCall && reason_ != GLINT_E_INTERRUPTED;
      if (reaches || waits) reason_ = reason;
    }
  }

  // Ends the call if it is to end; `ran`: since the sandbox last rested.
  bool is_stopped(bool ran) {
    if (reason_ == GLINT_OK) return false;
    end_.code = reason_;
    if (ran) end_.state = State::kPoisoned;
    return true;
  }

  void play() {
    bool ran = false;
    for (size_t i = 0; i < case_.steps.size(); ++i) {
      if (is_stopped(ran)) return;
      const Do what = case_.steps[i];
      ++end_.runs;
      ran = true;
      come_to({Place::kRun, i});
      if (what == Do::kHostCall || what == Do::kInput) {
        if (is_stopped(ran)) return;
        ++(what == Do::kInput ? end_.inputs : end_.host_calls);
      }
      if (prints(what)) ++end_.texts;
      if (has_callback(what)) come_to({Place::kCallback, i});
      if (what == Do::kReady) {
        end_.state = State::kReady;
        ran = false;
      }
      finish(what);
    }
  }

  void finish(Do what) {
    if (what == Do::kError) end_.code = GLINT_E_GUEST_ERROR;
    if (what == Do::kProgramEnd) {
      end_.code = GLINT_E_ENDED;
      end_.state = State::kEnded;
    }
    if (what == Do::kFault || what == Do::kLost) {
      end_.code = what == Do::kFault ? GLINT_E_GUEST_FAULT : GLINT_E_HYPERVISOR;
      end_.state = State::kPoisoned;
    }
  }

  const Case& case_;
  Ending end_;
  glint_status reason_ = GLINT_OK;
  bool under_way_ = false;
};

}  // namespace glint::test::orders
