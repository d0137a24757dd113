#pragma once
// The file that --report asks for.

#include <refrain/runtime.hpp>

#include <string>

namespace refrain::cli {

/// {"refrain": version, "runs": [{"workflow": name, "report": {...}}]}: one entry for each workflow that was run.
class ReportFile {
 public:
  /// `name`: a file, "-" for standard output, empty for none.
  explicit ReportFile(std::string name) : name_(std::move(name)) {}

  bool to_stdout() const { return name_ == "-"; }
  void add(const std::string& source, const RunReport& report);
  /// Writes all at once: a file appears whole or not at all. Throws Error (file_unwritable).
  void write() const;

 private:
  std::string name_;
  std::string runs_;
};

}  // namespace refrain::cli
