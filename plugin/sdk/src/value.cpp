#include <refrain/errors.hpp>
#include <refrain/value.hpp>

namespace refrain {

namespace {

std::string layout_of(const Type& type) {
  return "layout " + std::to_string(type.layout) + " of " + std::to_string(type.size) + " bytes";
}

}  // namespace

const void* Value::checked(const Type& wanted) const {
  if (!object_) throw Error("no_value", "expected " + std::string(wanted.name) + ", got nothing");
  if (type_ == wanted) return object_.get();
  if (type_.name != wanted.name) {
    throw Error("wrong_type", "expected " + std::string(wanted.name) + ", got " + std::string(type_.name));
  }
  throw Error("wrong_layout", std::string(wanted.name) + " is " + layout_of(wanted) +
                                  " to the library that reads it and " + layout_of(type_) +
                                  " to the one that made it; build both against the same header");
}

}  // namespace refrain
