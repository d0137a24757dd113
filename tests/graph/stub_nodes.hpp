#pragma once
// Node types without work behind them: the schemas that the tests of the graph need.

#include <refrain/host.hpp>

#include <memory>
#include <string>
#include <vector>

#include "graph/workflow_graph.hpp"
#include "planning/validator.hpp"
#include "plugins/registry.hpp"

namespace refrain::test {

/// Core nodes of ComfyUI with their names, inputs and ranges, and a few odd ones for the corners.
const Registry& stub_registry();

/// A host with two checkpoints, 25 "loras" and an empty folder "vae".
class StubHost final : public Host {
 public:
  Choices files_in(std::string_view folder) const override;
  std::filesystem::path find_file(std::string_view folder, std::string_view name) const override;
  std::filesystem::path data_file(std::string_view name) const override;
  std::filesystem::path directory(Folder which) const override;
  bool cancelled() const override { return false; }
  void progress(std::int64_t, std::int64_t) override {}
  void log(LogLevel, std::string_view) override {}
  c10::Device device() const override { return c10::Device(c10::DeviceType::CPU); }
  c10::ScalarType dtype() const override { return c10::ScalarType::Float; }
  void defer(std::function<void()> work) override { work(); }
  void require_memory(std::uint64_t, std::string_view) const override {}
};

/// Parses and validates `text` under the name "test.json".
ValidationResult validate_text(std::string_view text);

/// The types of the diagnostics, in order.
std::vector<std::string> types_of(const ValidationResult& result);

}  // namespace refrain::test
