// SPDX-License-Identifier: Apache-2.0
#include "files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "glint/glint.hpp"

namespace glint::cli {
namespace {

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ > STDERR_FILENO) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

Error file_error(std::string_view doing, const std::string& path, int error) {
  return Error(GLINT_E_SYSTEM, std::string(doing) + " " + path + ": " + std::strerror(error));
}

}  // namespace

std::vector<std::byte> read_file(const std::string& path) {
  const File file(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd() < 0) throw file_error("cannot open", path, errno);
  std::vector<std::byte> content;
  constexpr size_t kChunk = 65536;
  for (;;) {
    const size_t size = content.size();
    content.resize(size + kChunk);
    const ssize_t count = ::read(file.fd(), content.data() + size, kChunk);
    const int error = errno;
    content.resize(size + (count > 0 ? static_cast<size_t>(count) : 0));
    if (count == 0) return content;
    if (count < 0 && error != EINTR) throw file_error("cannot read", path, error);
  }
}

void write_file(const std::string& path, std::span<const std::byte> content) {
  const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.fd() < 0) throw file_error("cannot make", path, errno);
  // Bytes may be looked at as characters.
  const int error =
      write_all(file.fd(), std::string_view(reinterpret_cast<const char*>(content.data()), content.size()));
  if (error != 0) throw file_error("cannot write", path, error);
}

int write_all(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno != EINTR) return errno;
    if (count > 0) text.remove_prefix(static_cast<size_t>(count));
  }
  return 0;
}

}  // namespace glint::cli
