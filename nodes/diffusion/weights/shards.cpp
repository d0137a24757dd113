#include "weights/shards.hpp"

#include "weights/json_fields.hpp"
#include "weights/mapped_file.hpp"
#include "weights/merged.hpp"
#include "weights/quoted.hpp"

#include <refrain/diffusion/error.hpp>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace refrain::diffusion {
namespace {

bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find_first_of(std::string_view("/\\\0", 3)) == name.npos;
}

}  // namespace

std::shared_ptr<const WeightSource> open_shards(const std::filesystem::path& index) {
  const MappedFile file(index);
  const auto fail = [&](const std::string& what) { throw ModelError("model_config", file.name() + ": " + what); };
  const std::string_view json(reinterpret_cast<const char*>(file.data()), file.size());
  const auto files_of_tensors = read_json_fields(json, file.name(), "weight_map");
  if (files_of_tensors.empty()) fail("it lists no tensors under 'weight_map'; download it again");

  std::map<std::string, std::shared_ptr<const WeightSource>, std::less<>> shards;
  for (const auto& [tensor, name] : files_of_tensors) {
    auto place = shards.find(name);
    if (place == shards.end()) {
      if (!is_plain_name(name)) {
        fail("the file " + in_quotes(name) + " would not be in its folder; get it from another source");
      }
      const std::filesystem::path path = index.parent_path() / name;
      if (std::filesystem::is_directory(path)) fail(in_quotes(name) + " is a folder; download it again");
      place = shards.emplace(name, open_weights(path)).first;
    }
    if (!place->second->tensors().contains(tensor)) {
      fail("the tensor " + in_quotes(tensor) + " is not in " + in_quotes(name) + "; download both again");
    }
  }
  std::vector<std::pair<std::string, std::shared_ptr<const WeightSource>>> parts;
  for (const auto& [name, source] : shards) parts.emplace_back("", source);
  return merged_weights(file.name(), parts, {});
}

}  // namespace refrain::diffusion
