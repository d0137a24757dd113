#pragma once
// Memory that is really there: asked before a large allocation, so that it is refused instead of killed half-way.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace refrain {

/// Bytes that this process can still take without swapping: the least of the machine's MemAvailable, the room below
/// each control group's limit (v2 and v1; its file cache counts as room) and the room below RLIMIT_AS. Empty where none
/// is known.
std::optional<std::uint64_t> available_memory();

/// Throws NodeError `out_of_memory` when `bytes` exceed available_memory(). `purpose` says what they are for: "a
/// tensor".
void require_available_memory(std::uint64_t bytes, std::string_view purpose);
/// Throws that error; `where`: "memory", "memory on cuda:0".
[[noreturn]] void throw_out_of_memory(std::uint64_t bytes, std::uint64_t available, std::string_view purpose,
                                      const char* where);

/// Puts a check before torch's CPU allocator: requests of 64 MiB and more go through require_available_memory().
/// Does its work once in a process; threads may call it at any time.
void install_memory_guard();

/// The process's peak resident set in bytes since the start or the last reset_peak_resident(); 0 when unknown.
std::uint64_t peak_resident();
/// Makes the current resident set the new peak; without effect where the kernel does not allow it.
void reset_peak_resident();

}  // namespace refrain
