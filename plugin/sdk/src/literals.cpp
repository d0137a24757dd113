#include <refrain/errors.hpp>
#include <refrain/literals.hpp>

#include "frame_access.hpp"

namespace refrain {

using detail::choice_path;
using detail::find_slot;
using detail::quoted;

const Value* Literals::find(std::string_view name) const {
  const Slot* slot = find_slot(frame_, name);
  return slot && !slot->values.empty() && slot->values[0] ? &slot->values[0] : nullptr;
}

std::filesystem::path Literals::path(const Choice& port) const {
  const std::string* name = (*this)[port];
  if (!name)
    throw NodeError("linked_input", "input " + quoted(port.name) + " is linked: its value is known only when it runs");
  return choice_path(host(), port, *name);
}

void Literals::add_problem(std::string_view name, std::string_view why) {
  if (problems_) problems_->push_back(std::string(name) + " - " + std::string(why));
}

}  // namespace refrain
