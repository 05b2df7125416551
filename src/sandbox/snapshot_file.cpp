// SPDX-License-Identifier: Apache-2.0
#include "sandbox/snapshot_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.hpp"
#include "sandbox/snapshot_format.hpp"
#include "sandbox/snapshot_pages.hpp"
#include "sandbox/snapshot_state.hpp"
#include "shell/shell_pool.hpp"

namespace glint::core {
namespace {

// A mapping shows what becomes of its file. Who shortens it while a sandbox has it makes the next access to a
// page that is gone a SIGBUS, which ends the host; who writes to it changes guests, and only them. No seal,
// lock or lease of Linux keeps others from that without their help, or a signal handler of ours. So only this
// user and root may be able to, who could end this process anyway; a file that anybody else could write to is
// copied.
bool others_may_write(const struct stat& status) {
  return (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 || (status.st_uid != ::geteuid() && status.st_uid != 0);
}

struct OpenFile {
  Fd fd;
  struct stat status{};
};

Result<OpenFile> open_file(const std::string& path) {
  OpenFile file;
  // Without O_NONBLOCK, opening a FIFO waits for its writer.
  file.fd = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.fd) return system_error("opening it", errno, "name a snapshot's file that can be read");
  if (::fstat(file.fd.get(), &file.status) != 0) return system_error("fstat", errno);
  if (S_ISREG(file.status.st_mode)) return file;
  return error(GLINT_E_SNAPSHOT_FORMAT,
               std::string(S_ISDIR(file.status.st_mode) ? "this is a directory" : "this is no regular file") +
                   "; name a file that a snapshot was saved to");
}

Result<SnapshotHead> read_head(const OpenFile& file) {
  constexpr const char* kWhat = "reading it";
  const auto file_size = static_cast<uint64_t>(file.status.st_size);
  std::vector<std::byte> bytes(kSnapshotHeaderSize);
  GLINT_TRY_ASSIGN(begin_size, read_at(file.fd.get(), bytes, 0, kWhat));
  GLINT_TRY_ASSIGN(head_size, snapshot_head_size(std::span(bytes).first(begin_size), file_size));
  bytes.resize(head_size);
  GLINT_TRY_ASSIGN(got, read_at(file.fd.get(), bytes, 0, kWhat));
  if (got != head_size) return error(GLINT_E_SNAPSHOT_TRUNCATED, "it became shorter while it was read");
  return read_snapshot_head(bytes, file_size);
}

Result<void> check_machine(const SnapshotHead& head, const Engine& engine) {
  constexpr const char* kAdvice =
      "; load it on a machine like the one that it was taken on, or take and save it on one like this";
  if (head.backend != engine.backend_name()) {
    return error(GLINT_E_SNAPSHOT_MACHINE, "the snapshot was taken on backend '" + head.backend +
                                               "', this engine runs guests on '" + engine.backend_name() +
                                               "'" + kAdvice);
  }
  const CpuFeatures missing = head.features.without(engine.traits().features);
  if (missing.empty()) return {};
  return error(
      GLINT_E_SNAPSHOT_MACHINE,
      "the snapshot's guest saw a processor with what guests here do not have: " + missing.names() + kAdvice);
}

uint64_t loadable_components(const Engine& engine) {
  // The fake's registers are memory.
  return engine.hypervisor() == nullptr ? ~uint64_t{0} : engine.hypervisor()->info().vector_components;
}

// Somebody wrote to it while it was checked: what was seen may not be what is there.
Result<void> check_unchanged(int fd, const struct stat& before) {
  struct stat now{};
  if (::fstat(fd, &now) != 0) return system_error("fstat", errno);
  const bool same = now.st_size == before.st_size && now.st_mtim.tv_sec == before.st_mtim.tv_sec &&
                    now.st_mtim.tv_nsec == before.st_mtim.tv_nsec;
  if (same) return {};
  return error(
      GLINT_E_SNAPSHOT_CORRUPT,
      "the file was written to while it was loaded: replace such a file by renaming another one over "
      "it, and never write to it in place");
}

Result<std::shared_ptr<const Snapshot>> load(std::shared_ptr<Image> image, const std::string& path) {
  const Engine& engine = *image->engine();
  GLINT_TRY_ASSIGN(file, open_file(path));
  GLINT_TRY_ASSIGN(head, read_head(file));
  GLINT_TRY_ASSIGN(identity, image->identity());
  GLINT_TRY(check_same_image(head.image, head.functions, identity, image->program().functions));
  GLINT_TRY(check_machine(head, engine));
  Snapshot snapshot;
  GLINT_TRY_ASSIGN(state, from_portable(head.state, image->layout(), XsaveLayout::of_machine(),
                                        loadable_components(engine)));
  snapshot.frozen.state = std::move(state);
  // Another one for the memory, which may keep it.
  Fd mapped(::fcntl(file.fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!mapped) return system_error("duplicating a file descriptor", errno);
  GLINT_TRY_ASSIGN(memory, read_pages(std::move(mapped), head.memory_offset, head.image.memory_size,
                                      head.runs, !others_may_write(file.status)));
  GLINT_TRY(check_unchanged(file.fd.get(), file.status));
  snapshot.frozen.memory = std::move(memory);
  snapshot.time_epoch = head.time_epoch;
  snapshot.image = std::move(image);
  return std::make_shared<const Snapshot>(std::move(snapshot));
}

}  // namespace

Result<void> save_snapshot(const Snapshot& snapshot, const std::string& path) {
  if (path.empty()) return error(GLINT_E_INVALID_ARGUMENT, "a snapshot's file needs a name");
  const WindowMemory& memory = *snapshot.frozen.memory;
  const Engine& engine = *snapshot.image->engine();
  SnapshotHead head;
  GLINT_TRY_ASSIGN(identity, snapshot.image->identity());
  head.image = std::move(identity);
  head.functions = snapshot.image->program().functions;
  head.backend = engine.backend_name();
  head.features = engine.traits().features;
  head.state = to_portable(snapshot.frozen.state, XsaveLayout::of_machine());
  head.time_epoch = snapshot.time_epoch;
  head.runs = page_runs(memory);

  GLINT_TRY_ASSIGN(file, NewFile::create(path));
  // Its size does not depend on the checksums, which are known when the pages are written.
  const uint64_t memory_offset = memory_offset_behind(write_snapshot_head(head).size());
  if (::ftruncate(file.fd(), static_cast<off_t>(memory_offset + memory.size())) != 0) {
    return system_error(path, errno);
  }
  GLINT_TRY(write_pages(memory, file.fd(), memory_offset, head.runs));
  GLINT_TRY(write_at(file.fd(), write_snapshot_head(head), 0, path));
  return file.put_in_place(S_IRUSR);
}

Result<std::shared_ptr<const Snapshot>> load_snapshot(std::shared_ptr<Image> image, const std::string& path) {
  if (!image->engine()->runs_guests()) {
    return error(GLINT_E_NO_HYPERVISOR, "this engine has no hypervisor: it can inspect images, not run them");
  }
  auto loaded = load(std::move(image), path);
  if (loaded) return loaded;
  Error failed = std::move(loaded).error();
  failed.message = path + ": " + failed.message;
  return failed;
}

}  // namespace glint::core
