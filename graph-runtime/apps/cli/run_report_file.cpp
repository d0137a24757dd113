#include "run_report_file.hpp"

#include <refrain/context.hpp>
#include <refrain/errors.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "version.hpp"

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
  const std::string part = name_ + ".part";
  std::FILE* file = std::fopen(part.c_str(), "wb");
  const bool written = file != nullptr && std::fwrite(json.data(), 1, json.size(), file) == json.size();
  const bool closed = file != nullptr && std::fclose(file) == 0;
  if (!written || !closed || std::rename(part.c_str(), name_.c_str()) != 0) {
    const int problem = errno;
    std::remove(part.c_str());
    throw Error("report_unwritable", fmt::format("cannot write the report {}: {}", name_, std::strerror(problem)));
  }
}

}  // namespace refrain::cli
