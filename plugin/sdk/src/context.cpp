#include <refrain/context.hpp>

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <limits>

#include "frame_access.hpp"

namespace refrain {

namespace {

using detail::choice_path;
using detail::find_slot;
using detail::quoted;

const char* folder_name(Folder folder) {
  switch (folder) {
    case Folder::input: return "input";
    case Folder::temp: return "temp";
    case Folder::output: break;
  }
  return "output";
}

}  // namespace

std::span<const Value> Context::all(std::string_view name) const {
  const Slot* slot = find_slot(frame_, name);
  return slot ? slot->values : std::span<const Value>{};
}

std::span<const Value> Context::checked_list(std::string_view name, const Type& type) const {
  const std::span<const Value> values = all(name);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] && values[i].type() == type) continue;
    const std::string got = values[i] ? std::string(values[i].type().name) : "nothing";
    const bool layout = values[i] && values[i].type().name == type.name;
    throw NodeError(layout ? "wrong_layout" : "wrong_type",
                    "input " + quoted(name) + ", item " + std::to_string(i) + ": expected " + std::string(type.name) +
                        ", got " + got +
                        (layout ? " of another layout; build both libraries against the same header" : ""));
  }
  return values;
}

const Value* Context::find(std::string_view name) const {
  const std::span<const Value> values = all(name);
  return values.empty() || !values[0] ? nullptr : &values[0];
}

const Value& Context::one(std::string_view name) const {
  if (const Value* value = find(name)) return *value;
  const Input* input = frame_.schema ? frame_.schema->find_input(name) : nullptr;
  const char* why = !input        ? "it is not in the node's schema; add the port there"
                    : input->lazy ? "it is lazy and needs() did not ask for it"
                                  : "nothing is connected";
  throw NodeError("missing_input", "input " + quoted(name) + " has no value: " + why);
}

int Context::narrow(std::string_view name, std::int64_t value) {
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
    throw NodeError("out_of_range",
                    "input " + quoted(name) + ": " + std::to_string(value) + " does not fit into 32 bits");
  }
  return static_cast<int>(value);
}

void Context::blame(std::string_view name, const Error& error) {
  throw NodeError(error.code(), "input " + quoted(name) + ": " + error.what());
}

std::vector<Value>& Context::output(std::string_view name) const {
  if (frame_.schema && frame_.outputs) {
    const std::vector<Output>& ports = frame_.schema->outputs;
    for (std::size_t i = 0; i < ports.size() && i < frame_.outputs->size(); ++i) {
      if (ports[i].name == name) return (*frame_.outputs)[i];
    }
  }
  throw NodeError("no_such_output", "output " + quoted(name) + " is not in the node's schema; add the port there");
}

void Context::put(std::string_view name, Value value) {
  std::vector<Value>& values = output(name);
  values.clear();
  values.push_back(std::move(value));
}
void Context::append(std::string_view name, Value value) { output(name).push_back(std::move(value)); }
void Context::clear(std::string_view name) { output(name).clear(); }

std::filesystem::path Context::path(const Choice& port) const { return choice_path(host(), port, (*this)[port]); }

void Context::progress(std::int64_t done, std::int64_t of) {
  frame_.host->progress(done, of);
  check();
}
void Context::check() const {
  if (frame_.host->cancelled()) throw Cancelled();
}
void Context::log(LogLevel level, std::string_view line) { frame_.host->log(level, line); }

void Context::show(const SavedImage& image, std::string_view key) {
  show_json(key, "{\"filename\": " + json_quote(image.file) + ", \"subfolder\": " + json_quote(image.subfolder) +
                     ", \"type\": \"" + folder_name(image.folder) + "\"}");
}

void Context::show_json(std::string_view key, std::string json) {
  if (!frame_.ui) return;
  auto record = std::find_if(frame_.ui->begin(), frame_.ui->end(), [&](const UiRecord& r) { return r.key == key; });
  if (record == frame_.ui->end()) record = frame_.ui->insert(record, {std::string(key), {}});
  record->items.push_back(std::move(json));
}

void Context::report(std::string key, std::string json) {
  if (frame_.report) frame_.report->push_back({std::move(key), std::move(json)});
}

at::Generator Context::generator(std::uint64_t seed) const { return at::detail::createCPUGenerator(seed); }

}  // namespace refrain
