#include "weights/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace refrain::diffusion {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int release() { return std::exchange(number_, -1); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

[[noreturn]] void fail(const std::string& name, const char* code, const std::string& what) {
  throw ModelError(code, name + ": " + what);
}

std::string reason(int error) { return std::generic_category().message(error); }

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& file) : name_(file.string()) {
  // A FIFO would block on open and a folder can't be mapped: neither is waited for.
  Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.number() < 0) {
    if (errno == ENOENT) fail(name_, "model_file_missing", "there is no such file; check the name and the folder");
    fail(name_, "model_file_unreadable", "can't be opened (" + reason(errno) + "); check its permissions");
  }
  struct stat status {};
  if (::fstat(descriptor.number(), &status) != 0) fail(name_, "model_file_unreadable", reason(errno));
  if (!S_ISREG(status.st_mode)) {
    fail(name_, "model_file_unreadable", "is not a regular file; give the path of a model file");
  }
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) fail(name_, "model_file_damaged", "is empty; download it again");
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor.number(), 0);
  if (address == MAP_FAILED) fail(name_, "model_file_unreadable", "can't be mapped (" + reason(errno) + ")");
  data_ = static_cast<const std::byte*>(address);
  descriptor_ = descriptor.release();
}

MappedFile::~MappedFile() {
  reader_ = {};  // waits for its end
  ::munmap(const_cast<std::byte*>(data_), size_);
  ::close(descriptor_);
}

void MappedFile::give_back(std::size_t offset, std::size_t length) const {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(data_ + offset) + page - 1) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(data_ + offset + length) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

void MappedFile::read_ahead(std::vector<FilePart> parts) const {
  std::call_once(reading_, [&] {
    std::ranges::sort(parts, {}, [](const FilePart& part) { return std::pair(part.late, part.offset); });
    reader_ = std::jthread([descriptor = descriptor_, parts = std::move(parts)](const std::stop_token& stop) {
      // The kernel reads further ahead for a reader in sequence than for page faults or madvise. This one copies
      // nothing.
      const Descriptor nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
      constexpr std::size_t kStep = std::size_t{1} << 20U;
      std::size_t at = 0;
      bool late = false;
      for (const FilePart& part : parts) {
        if (part.late && !late) at = 0;
        late = part.late;
        const std::size_t end = part.offset + part.bytes;
        for (at = std::max(at, part.offset); at < end;) {
          const std::size_t wanted = std::min(kStep, end - at);
          auto from = static_cast<off_t>(at);
          const ssize_t count = ::sendfile(nowhere.number(), descriptor, &from, wanted);
          // Whoever needs what can't be read will say so.
          if (count <= 0 || stop.stop_requested()) return;
          at += static_cast<std::size_t>(count);
        }
      }
    });
  });
}

}  // namespace refrain::diffusion
