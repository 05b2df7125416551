// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace glint::core {

Result<size_t> read_at(int fd, std::span<std::byte> to, uint64_t offset, const std::string& what) {
  size_t done = 0;
  while (done < to.size()) {
    const ssize_t got = ::pread(fd, to.data() + done, to.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(what, errno);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

Result<void> write_at(int fd, std::span<const std::byte> bytes, uint64_t offset, const std::string& what) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return system_error(what, written < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return {};
}

// A file system that knows no holes says that all is data (lseek(2), SEEK_DATA).
Result<Extent> next_data(int fd, uint64_t begin, uint64_t end, const std::string& what) {
  if (begin >= end) return Extent{end, end};
  const off_t data = ::lseek(fd, static_cast<off_t>(begin), SEEK_DATA);
  if (data < 0 && errno == ENXIO) return Extent{end, end};  // only a hole is left
  if (data < 0) return system_error(what, errno);
  if (static_cast<uint64_t>(data) >= end) return Extent{end, end};
  const off_t hole = ::lseek(fd, data, SEEK_HOLE);
  if (hole < 0) return system_error(what, errno);
  // Somebody may make holes meanwhile; an extent of nothing would be found again and again.
  return Extent{static_cast<uint64_t>(data),
                std::clamp(static_cast<uint64_t>(hole), static_cast<uint64_t>(data) + 1, end)};
}

Result<NewFile> NewFile::create(std::string path) {
  std::string temporary = path + ".XXXXXX";
  Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) {
    return system_error(path, errno, "a new file is made in the same directory: is it there and writable?");
  }
  return NewFile(std::move(fd), std::move(path), std::move(temporary));
}

NewFile::NewFile(NewFile&& other) noexcept
    : fd_(std::move(other.fd_)),
      path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})) {}

NewFile::~NewFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<void> NewFile::put_in_place(unsigned mode) {
  if (::fchmod(fd_.get(), mode) != 0 || ::fsync(fd_.get()) != 0) return system_error(path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return system_error(path_, errno);
  temporary_.clear();
  // The name, too, must outlast a crash. Not every file system can: the file is whole in any case.
  const size_t slash = path_.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : slash == 0 ? "/" : path_.substr(0, slash);
  const Fd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened) static_cast<void>(::fsync(opened.get()));
  return {};
}

}  // namespace glint::core
