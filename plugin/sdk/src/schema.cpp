#include <refrain/host.hpp>
#include <refrain/schema.hpp>

#include <algorithm>

namespace refrain {

namespace {

/// A limit that the type has anyway counts as not given, but for two types: ComfyUI states the whole range of a seed,
/// and an int is stored as 64 bits, of which validation must refuse those that don't fit.
template <class T, class Stored = T>
void set_number(Input& input, const Param<T>& port) {
  constexpr bool kAlwaysLimited = std::is_same_v<T, std::uint64_t> || std::is_same_v<T, int>;
  input.value = Stored{port.value};
  if (kAlwaysLimited || port.range.min != std::numeric_limits<T>::lowest()) input.min = Stored{port.range.min};
  if (kAlwaysLimited || port.range.max != std::numeric_limits<T>::max()) input.max = Stored{port.range.max};
  if (port.range.step != 0) input.step = Stored{port.range.step};
  if (port.range.round != 0) input.round = Stored{port.range.round};
  input.widget = true;
}

bool is_widget_type(std::string_view name) {
  return name == "FLOAT" || name == "INT" || name == "BOOLEAN" || name == "STRING";
}

}  // namespace

Input::Input(const char* name, const char* help, Type type, bool optional, bool lazy, bool list)
    : name(name), help(help), type(type), accepts(type.name), optional(optional), lazy(lazy), list(list) {
  if (is_widget_type(type.name)) force_input();  // else an editor would draw a widget for it
}
Input::Input(Type hidden_type) : name(hidden_type.name), type(hidden_type), accepts(hidden_type.name), hidden(true) {}

Input::Input(const Param<double>& port) : Input(port.name, port.help, TypeOf<double>::get(), false, false, false) {
  options.clear();
  set_number(*this, port);
}
Input::Input(const Param<std::int64_t>& port)
    : Input(port.name, port.help, TypeOf<std::int64_t>::get(), false, false, false) {
  options.clear();
  set_number(*this, port);
}
Input::Input(const Param<std::uint64_t>& port)
    : Input(port.name, port.help, TypeOf<std::uint64_t>::get(), false, false, false) {
  options.clear();
  set_number(*this, port);
}
Input::Input(const Param<int>& port) : Input(port.name, port.help, TypeOf<std::int64_t>::get(), false, false, false) {
  options.clear();
  set_number<int, std::int64_t>(*this, port);
}
Input::Input(const Param<bool>& port) : Input(port.name, port.help, TypeOf<bool>::get(), false, false, false) {
  options.clear();
  value = port.value;
  widget = true;
}
Input::Input(const Param<std::string>& port)
    : Input(port.name, port.help, TypeOf<std::string>::get(), false, false, false) {
  options.clear();
  value = std::string(port.value);
  multiline = port.text == Text::multiline;
  widget = true;
}
Input::Input(const Choice& port) : Input(port.name, port.help, {"COMBO", 1, sizeof(std::string)}, false, false, false) {
  choices.fixed.assign(port.fixed.begin(), port.fixed.begin() + static_cast<std::ptrdiff_t>(port.count));
  choices.computed = port.computed;
  if (port.folder) choices.folder = port.folder;
  choice = true;
  widget = true;
}
Input::Input(const Input&) = default;
Input::Input(Input&&) noexcept = default;
Input& Input::operator=(const Input&) = default;
Input& Input::operator=(Input&&) noexcept = default;
Input::~Input() = default;

Choices Input::list_choices(const Host& host) const {
  if (choices.computed) return choices.computed(host);
  if (!choices.folder.empty()) return host.files_in(choices.folder);
  return choices.fixed;
}

const OptionValue* Input::find_option(std::string_view key) const {
  const auto found = std::find_if(options.begin(), options.end(), [&](const auto& o) { return o.first == key; });
  return found == options.end() ? nullptr : &found->second;
}

Input& Input::option(std::string key, OptionValue value) {
  const auto found = std::find_if(options.begin(), options.end(), [&](const auto& o) { return o.first == key; });
  if (found != options.end()) {
    found->second = std::move(value);
  } else {
    options.emplace_back(std::move(key), std::move(value));
  }
  return *this;
}

Input& Input::make_optional() {
  optional = true;
  return *this;
}
Input& Input::default_to(std::string choice) {
  value = std::move(choice);
  return *this;
}
Input& Input::accept(std::string type_names) {
  accepts = std::move(type_names);
  return *this;
}
Input& Input::check_in_node() {
  checked_by_node = true;
  return *this;
}

Schema::Schema() = default;
Schema::Schema(const char* name, const char* category, const char* help, std::initializer_list<Input> inputs,
               std::initializer_list<Output> outputs, Role role)
    : name(name), category(category), help(help), inputs(inputs), outputs(outputs), role(role) {}
Schema::Schema(const Schema&) = default;
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(const Schema&) = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

Schema& Schema::titled(std::string shown_name) {
  display_name = std::move(shown_name);
  return *this;
}
Schema& Schema::mark_deprecated() {
  deprecated = true;
  return *this;
}
Schema& Schema::mark_experimental() {
  experimental = true;
  return *this;
}
Schema& Schema::mark_not_idempotent() {
  idempotent = false;
  return *this;
}

const Input* Schema::find_input(std::string_view name) const {
  const auto found = std::find_if(inputs.begin(), inputs.end(), [&](const Input& in) { return in.name == name; });
  return found == inputs.end() ? nullptr : &*found;
}
const Output* Schema::find_output(std::string_view name) const {
  const auto found = std::find_if(outputs.begin(), outputs.end(), [&](const Output& out) { return out.name == name; });
  return found == outputs.end() ? nullptr : &*found;
}
bool Schema::takes_lists() const {
  return std::any_of(inputs.begin(), inputs.end(), [](const Input& in) { return in.list; });
}

}  // namespace refrain
