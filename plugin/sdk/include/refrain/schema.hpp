#pragma once
// What a node type is, with the C++ types of its ports forgotten: everything that ComfyUI's /object_info says of it.

#include <refrain/ports.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace refrain {

/// JSON as text, where an option is more than a number, a switch or a word.
struct JsonText {
  std::string text;
};

/// A number, switch or text of a schema. Each number keeps its exact kind: a uint64 limit never passes through a
/// double.
using Literal = std::variant<std::monostate, double, std::int64_t, std::uint64_t, bool, std::string>;
using OptionValue = std::variant<bool, double, std::int64_t, std::uint64_t, std::string, JsonText>;

/// Where the choices of a combo come from; exactly one of the three is set.
struct ChoiceSource {
  Choices fixed;
  Choices (*computed)(const Host&) = nullptr;
  std::string folder;
};

/// One input of a node. Made from a port; the setters below add what an editor wants to know:
///   {model, Input{seed}.control_after_generate(), steps}
class REFRAIN_API Input {
 public:
  std::string name;               ///< of a hidden input: its type's name, "PROMPT"
  std::string help;               ///< the tooltip; empty: none
  Type type;                      ///< COMBO for a choice
  std::string accepts;            ///< type names that a link may have, separated by commas; usually type.name
  bool optional = false;          ///< need not be given
  bool lazy = false;              ///< computed only when needs() asks for it
  bool list = false;              ///< takes all values at once
  bool hidden = false;            ///< filled in by the runtime
  bool widget = false;            ///< takes a literal (a parameter or a choice); else a link only
  bool choice = false;            ///< a combo, see `choices`
  bool multiline = false;         ///< a text of several lines
  bool checked_by_node = false;   ///< neither limits nor choices are checked: the node's validate() does it
  Literal value;                  ///< the default, of the port's exact kind; monostate: none
  Literal min, max, step, round;  ///< of the same kind as the default; monostate: not given. round may be `false`
  ChoiceSource choices;
  std::vector<std::pair<std::string, OptionValue>> options;  ///< further ones, under ComfyUI's names, in order

  template <class T>
  Input(const In<T>& port)
      : Input(port.name, port.help, TypeOf<typename detail::Unwrap<T>::type>::get(), detail::Unwrap<T>::optional,
              detail::Unwrap<T>::lazy, detail::Unwrap<T>::list) {}
  template <class T>
  Input(const Hidden<T>&) : Input(TypeOf<T>::get()) {}
  Input(const Param<double>& port);
  Input(const Param<std::int64_t>& port);
  Input(const Param<std::uint64_t>& port);
  Input(const Param<int>& port);
  Input(const Param<bool>& port);
  Input(const Param<std::string>& port);
  Input(const Choice& port);
  Input(const Input&);
  Input(Input&&) noexcept;
  Input& operator=(const Input&);
  Input& operator=(Input&&) noexcept;
  ~Input();

  /// The choices of a combo at this moment: as written, from the node's function, or the files of its folder.
  Choices list_choices(const Host& host) const;
  /// The further option of that name, or null.
  const OptionValue* find_option(std::string_view key) const;

  /// Sets an option of /object_info by ComfyUI's name, replacing an earlier one.
  Input& option(std::string key, OptionValue value);
  /// Literals of type std::string would turn into bool without this.
  Input& option(std::string key, const char* value) { return option(std::move(key), OptionValue{std::string(value)}); }
  /// A parameter that stands in the optional section: it has its default when it is not given.
  Input& make_optional();
  /// The default of a choice, where it is not the first.
  Input& default_to(std::string choice);
  /// A link of any of these types: "IMAGE,MASK". For In<Any>.
  Input& accept(std::string type_names);
  /// Limits and choices are left to the node's validate().
  Input& check_in_node();
  Input& control_after_generate() { return option("control_after_generate", true); }
  Input& dynamic_prompts() { return option("dynamicPrompts", true); }
  Input& force_input() { return option("forceInput", true); }
  Input& image_upload() { return option("image_upload", true); }
  Input& placeholder(const char* text) { return option("placeholder", text); }
  Input& labels(const char* on, const char* off) { return option("label_on", on).option("label_off", off); }
  Input& display(const char* widget) { return option("display", widget); }

 private:
  Input(const char* name, const char* help, Type type, bool optional, bool lazy, bool list);
  explicit Input(Type hidden_type);
};

/// One output of a node.
struct Output {
  std::string name;
  std::string help;
  Type type;
  bool list = false;

  template <class T>
  Output(const Out<T>& port)
      : name(port.name),
        help(port.help),
        type(TypeOf<typename detail::Unwrap<T>::type>::get()),
        list(detail::Unwrap<T>::list) {}
};

/// Whether a node runs for its own sake.
enum class Role : std::uint8_t { ordinary, output };

/// A node type. The setters return the schema, so that one expression can say it all:
///   return Schema{"KSampler", "sampling", "...", {model, seed}, {latent}}.titled("KSampler");
class REFRAIN_API Schema {
 public:
  std::string name;             ///< ComfyUI's class_type
  std::string category;         ///< path in an editor's menu, "image/adjust"
  std::string help;             ///< the description
  std::string display_name;     ///< empty: the name
  std::vector<Input> inputs;    ///< in the order in which editors show them
  std::vector<Output> outputs;  ///< in the order of the slots
  Role role = Role::ordinary;
  bool deprecated = false;
  bool experimental = false;
  bool idempotent = true;  ///< false: two nodes with the same inputs don't share a result

  Schema();
  Schema(const char* name, const char* category, const char* help, std::initializer_list<Input> inputs,
         std::initializer_list<Output> outputs, Role role = Role::ordinary);
  Schema(const Schema&);
  Schema(Schema&&) noexcept;
  Schema& operator=(const Schema&);
  Schema& operator=(Schema&&) noexcept;
  ~Schema();

  Schema& titled(std::string shown_name);
  Schema& mark_deprecated();
  Schema& mark_experimental();
  Schema& mark_not_idempotent();

  /// The input or output of that name, or null.
  const Input* find_input(std::string_view name) const;
  const Output* find_output(std::string_view name) const;
  /// One of the inputs takes all values at once; the node then gets lists at all of them.
  bool takes_lists() const;
};

}  // namespace refrain
