#include "execution/exception_boundary.hpp"

#include <c10/util/Exception.h>
#include <cxxabi.h>
#include <refrain/errors.hpp>

#include <cstdlib>
#include <memory>
#include <new>
#include <string_view>
#include <typeinfo>

#include "execution/text.hpp"

namespace refrain {

namespace {

constexpr std::size_t kLongestMessage = 2000;

std::string class_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(::abi::__cxa_demangle(type.name(), nullptr, nullptr, &status),
                                                        std::free);
  std::string name = status == 0 ? readable.get() : type.name();
  constexpr std::string_view kOurs = "refrain::";
  if (name.starts_with(kOurs)) name.erase(0, kOurs.size());
  return name;
}

/// Torch reports a failed allocation on the CPU as a plain c10::Error (c10/core/impl/alloc_cpu.cpp).
bool is_failed_allocation(const c10::Error& error, std::string_view message) {
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
         message.find("DefaultCPUAllocator: ") != std::string_view::npos;
}

CaughtException describe_torch(const c10::Error& error) {
  const std::string_view message = error.what_without_backtrace();
  const bool memory = is_failed_allocation(error, message);
  return {false, memory ? kOutOfMemory : "node_failed", class_name(typeid(error)), cut(message, kLongestMessage)};
}

}  // namespace

CaughtException describe_current_exception() {
  try {
    throw;
  } catch (const Cancelled& cancelled) {
    return {true, cancelled.code(), "Cancelled", cancelled.what()};
  } catch (const Error& error) {
    return {false, error.code(), class_name(typeid(error)), cut(error.what(), kLongestMessage)};
  } catch (const c10::Error& error) {
    return describe_torch(error);
  } catch (const std::bad_alloc& error) {
    return {false, kOutOfMemory, class_name(typeid(error)),
            "The system gave no more memory. Use a smaller picture or batch, or close other programs."};
  } catch (const std::exception& error) {
    return {false, "node_failed", class_name(typeid(error)), cut(error.what(), kLongestMessage)};
  } catch (...) {
    const std::type_info* type = ::abi::__cxa_current_exception_type();
    const std::string name = type ? class_name(*type) : "unknown";
    return {false, "node_failed", name,
            "The node threw an object of type '" + name + "', which is no exception class."};
  }
}

CaughtException describe_exception(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (...) {
    return describe_current_exception();
  }
}

}  // namespace refrain
