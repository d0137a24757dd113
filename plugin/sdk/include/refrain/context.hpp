#pragma once
// What one call of a node sees and gives.

#include <refrain/errors.hpp>
#include <refrain/frame.hpp>
#include <refrain/list_view.hpp>
#include <refrain/ports.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace at {
struct Generator;  // <ATen/core/Generator.h>, for those who draw random numbers
}

namespace refrain {

/// One call of a node: its inputs, its outputs and the runtime's services. Lives as long as the call.
class REFRAIN_API Context {
 public:
  explicit Context(Frame& frame) : frame_(frame) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// The value at a port, for as long as the call. Payloads: `const T&`; optional ports: `const T*`, null when not
  /// connected; list ports: a ListView<T>; In<Any>: the Value as it is. Throws NodeError `missing_input` for an input
  /// without a value, `wrong_type` and `wrong_layout` naming the input.
  template <class T>
  decltype(auto) operator[](const In<T>& port) const {
    using Port = detail::Unwrap<T>;
    using Payload = typename Port::type;
    if constexpr (Port::list && std::is_same_v<Payload, Any>) {
      return all(port.name);
    } else if constexpr (Port::list) {
      return ListView<Payload>(checked_list(port.name, TypeOf<Payload>::get()));
    } else if constexpr (Port::optional && std::is_same_v<Payload, Any>) {
      return find(port.name);
    } else if constexpr (Port::optional) {
      return find_as<Payload>(port.name);
    } else if constexpr (std::is_same_v<Payload, Any>) {
      return one(port.name);
    } else {
      return as<Payload>(port.name);
    }
  }
  /// The value of a parameter: the literal, or what came over the link. The runtime fills in the default.
  template <class T>
  decltype(auto) operator[](const Param<T>& port) const {
    if constexpr (std::is_same_v<T, int>) {
      return narrow(port.name, as<std::int64_t>(port.name));
    } else {
      return as<T>(port.name);
    }
  }
  const std::string& operator[](const Choice& port) const { return as<std::string>(port.name); }
  template <class T>
  const T& operator[](const Hidden<T>&) const {
    return as<T>(T::kTypeName);
  }

  /// A payload to keep beyond the call.
  template <class T>
  std::shared_ptr<const T> share(const In<T>& port) const {
    as<T>(port.name);
    return one(port.name).template share<T>();
  }
  /// The file that a Choice over FilesIn names. Throws what Host::find_file throws.
  std::filesystem::path path(const Choice& port) const;
  /// All inputs as they came, undeclared links among them.
  std::span<const Slot> inputs() const { return frame_.inputs; }

  /// Gives an output. A second call replaces the first.
  template <class T>
  requires(!std::is_abstract_v<T>) void set(const Out<T>& port, std::type_identity_t<T> value) {
    put(port.name, Value::make<T>(std::move(value)));
  }
  /// Gives an object that is shared already, or of a derived class.
  template <class T>
  void set(const Out<T>& port, std::shared_ptr<const std::type_identity_t<T>> value) {
    put(port.name, Value::of<T>(std::move(value)));
  }
  void set(const Out<Any>& port, const Value& value) { put(port.name, value); }
  /// Gives all values of a list output.
  template <class T>
  void set(const Out<List<T>>& port, std::vector<std::type_identity_t<T>> values) {
    clear(port.name);
    for (auto&& value : values) append(port.name, Value::make<T>(std::move(value)));
  }
  /// Adds one value to a list output.
  template <class T>
  requires(!std::is_abstract_v<T>) void add(const Out<List<T>>& port, std::type_identity_t<T> value) {
    append(port.name, Value::make<T>(std::move(value)));
  }
  template <class T>
  void add(const Out<List<T>>& port, std::shared_ptr<const std::type_identity_t<T>> value) {
    append(port.name, Value::of<T>(std::move(value)));
  }
  void add(const Out<List<Any>>& port, const Value& value) { append(port.name, value); }

  /// Tells how far the node is; throws Cancelled when somebody asked to stop.
  void progress(std::int64_t done, std::int64_t of);
  /// Throws Cancelled when somebody asked to stop.
  void check() const;
  class Steps;
  /// for (auto step : ctx.steps(20)): counts from 0, tells the progress after each, throws Cancelled before each.
  Steps steps(std::int64_t count);

  void log(std::string_view line) { log(LogLevel::info, line); }
  void log(LogLevel level, std::string_view line);
  /// Tells of a saved file, below `key` of the node's ui record.
  void show(const SavedImage& image, std::string_view key = "images");
  /// Shows a text.
  void show_text(std::string_view text) { show_json("text", json_quote(text)); }
  /// Adds JSON text to the list `key` of the node's ui record.
  void show_json(std::string_view key, std::string json);
  /// Attaches a structured record to the run's report.
  void report(std::string key, std::string json);

  /// Where and in which type the networks of the run compute.
  c10::Device device() const { return frame_.host->device(); }
  c10::ScalarType dtype() const { return frame_.host->dtype(); }
  /// A generator on the CPU in the state of torch.manual_seed(seed). Include <ATen/core/Generator.h> to use it.
  at::Generator generator(std::uint64_t seed) const;
  /// Hands over work that nobody downstream waits for, such as writing a file. It must not use this context.
  void later(std::function<void()> work) { frame_.host->defer(std::move(work)); }
  /// Before a large allocation: throws NodeError `out_of_memory` when there is no room for it.
  void require_memory(std::uint64_t bytes, std::string_view what) const { frame_.host->require_memory(bytes, what); }
  Host& host() const { return *frame_.host; }

 private:
  template <class P>
  const P& as(std::string_view name) const {
    const Value& value = one(name);
    try {
      return value.as<P>();
    } catch (const Error& error) {
      blame(name, error);
    }
  }
  template <class P>
  const P* find_as(std::string_view name) const {
    return find(name) ? &as<P>(name) : nullptr;
  }
  std::span<const Value> all(std::string_view name) const;
  std::span<const Value> checked_list(std::string_view name, const Type& type) const;
  const Value* find(std::string_view name) const;
  const Value& one(std::string_view name) const;
  static int narrow(std::string_view name, std::int64_t value);
  [[noreturn]] static void blame(std::string_view name, const Error& error);
  std::vector<Value>& output(std::string_view name) const;
  void put(std::string_view name, Value value);
  void append(std::string_view name, Value value);
  void clear(std::string_view name);

  Frame& frame_;
};

class Context::Steps {
 public:
  class Iterator {
   public:
    Iterator(Context* context, std::int64_t at, std::int64_t count) : context_(context), at_(at), count_(count) {}
    std::int64_t operator*() const { return at_; }
    Iterator& operator++() {
      context_->progress(++at_, count_);
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    Context* context_;
    std::int64_t at_;
    std::int64_t count_;
  };

  Steps(Context& context, std::int64_t count) : context_(context), count_(count < 0 ? 0 : count) {}
  Iterator begin() const {
    context_.check();
    return {&context_, 0, count_};
  }
  Iterator end() const { return {&context_, count_, count_}; }

 private:
  Context& context_;
  std::int64_t count_;
};
inline Context::Steps Context::steps(std::int64_t count) { return {*this, count}; }

}  // namespace refrain
