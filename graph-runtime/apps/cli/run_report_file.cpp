#include "run_report_file.hpp"

#include <refrain/context.hpp>

#include <fmt/format.h>

#include <cstdio>

#include "version.hpp"
#include "whole_file.hpp"

namespace refrain::cli {

void ReportFile::add(const std::string& source, const RunReport& report) {
  if (!name_.empty()) {
    runs_ += fmt::format("{}{{\"workflow\": {}, \"report\": {}}}", runs_.empty() ? "" : ",\n", json_quote(source),
                         report.json());
  }
}

void ReportFile::write() const {
  if (name_.empty()) {
    return;
  }
  const std::string json = fmt::format("{{\"refrain\": \"{}\", \"runs\": [\n{}\n]}}\n", kVersion, runs_);
  if (to_stdout()) {
    fmt::print("{}", json);
    std::fflush(stdout);
    return;
  }
  write_whole_file(name_, json);
}

}  // namespace refrain::cli
