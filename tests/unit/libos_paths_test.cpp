// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "paths.h"

namespace {

std::string normalized(const std::string& path) {
  char out[PATH_SIZE];
  const int64_t length = path_normalize(path.c_str(), out, sizeof out);
  return length < 0 ? "too long" : std::string(out, static_cast<size_t>(length));
}

TEST(LibosPaths, NormalizesByText) {
  EXPECT_EQ(normalized("/data/hello.txt"), "/data/hello.txt");
  EXPECT_EQ(normalized("data/hello.txt"), "/data/hello.txt");
  EXPECT_EQ(normalized("./data//./hello.txt/"), "/data/hello.txt");
  EXPECT_EQ(normalized("/a/b/../c"), "/a/c");
  EXPECT_EQ(normalized("/a/../../.."), "/");
  EXPECT_EQ(normalized(""), "/");
  EXPECT_EQ(normalized("/"), "/");
  EXPECT_EQ(normalized("..a/.b/..."), "/..a/.b/...");
}

TEST(LibosPaths, KeepsWithinItsBuffer) {
  char out[8] = "#######";
  EXPECT_EQ(path_normalize("/abcdef", out, 8), 7);
  EXPECT_STREQ(out, "/abcdef");
  EXPECT_EQ(path_normalize("/abcdefg", out, 8), -1);
  EXPECT_EQ(path_normalize("/a/b/c/d", out, 8), -1);
  EXPECT_EQ(path_normalize("/abcdefg/../x", out, 8), -1) << "also a part that is dropped later";
  EXPECT_EQ(normalized("/" + std::string(PATH_SIZE - 2, 'a')).size(), PATH_SIZE - 1);
  EXPECT_EQ(normalized("/" + std::string(PATH_SIZE - 1, 'a')), "too long");
}

TEST(LibosPaths, TellsWhatLiesBelowADirectory) {
  EXPECT_TRUE(path_is_below("/a/b", "/", 1));
  EXPECT_TRUE(path_is_below("/a/b", "/a", 2));
  EXPECT_FALSE(path_is_below("/ab/c", "/a", 2));
  EXPECT_FALSE(path_is_below("/a", "/a", 2));
  EXPECT_FALSE(path_is_below("/a", "/a/b/c", 6));
}

}  // namespace
