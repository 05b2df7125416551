// SPDX-License-Identifier: Apache-2.0
//
// A guest may end in an exit of which more parts are due. Neither the sandbox that rested meanwhile nor a new
// one on the same VM may notice.

#include "kvm/fixture.hpp"

namespace glint::test {
namespace {

class SplitExits : public KvmTest {
 protected:
  std::shared_ptr<Image> load_splits(const std::shared_ptr<Engine>& from) {
    return load_image(from, "splits");
  }
};

TEST_F(SplitExits, TheNextSandboxOnTheVmDoesNotNoticeThem) {
  auto own_engine = make_engine(1);
  auto image = load_splits(own_engine);
  auto resting = make_sandbox(image);
  int64_t expected = 0;
  ASSERT_TRUE(gave(call<int64_t>(*resting, "counter"), ++expected));
  for (const char* function : {"wide_store", "wide_load", "straddling_store", "string_store", "string_out"}) {
    SCOPED_TRACE(function);
    auto attacker = make_sandbox(image);
    EXPECT_FALSE(call_void(*attacker, function));
    EXPECT_EQ(attacker->state(), Sandbox::State::kPoisoned);
    auto fresh = make_sandbox(image);
    EXPECT_TRUE(gave(call<int64_t>(*fresh, "counter"), int64_t{1}));
    EXPECT_TRUE(gave(call<int64_t>(*resting, "counter"), ++expected));
  }
}

}  // namespace
}  // namespace glint::test
