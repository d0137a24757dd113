#include "hostile_files.hpp"
#include "torch_files.hpp"

#include <cstdint>
#include <limits>

namespace refrain::diffusion::testing {
namespace {

using Files = std::vector<std::string>;

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
const std::vector<std::string> kStorage{"12345678"};  // two float32

Pickle one_tensor(const std::vector<std::int64_t>& sizes, const std::vector<std::int64_t>& strides,
                  std::int64_t offset = 0, const char* type = "Float", std::int64_t elements = 2) {
  return Pickle().raw("}").text("w").tensor(type, "0", elements, sizes, strides, offset).raw("s");
}

void add(Files& files, const Pickle& pickle, std::int64_t elements = 2) {
  files.push_back(torch_zip(pickle.end(), kStorage));
  files.push_back(torch_legacy(pickle.end(), kStorage, {elements}));
}

Files strided() {
  Files files;
  add(files, one_tensor({3}, {1}));
  add(files, one_tensor({2}, {2}));
  add(files, one_tensor({2}, {-1}));
  add(files, one_tensor({2}, {-1}, 1));
  add(files, one_tensor({1'000'000'000}, {0}));
  add(files, one_tensor({2, 2}, {1, 0}));
  add(files, one_tensor({2, 2}, {1, 1}));
  add(files, one_tensor({2}, {kHuge}));
  add(files, one_tensor({kHuge}, {kHuge}));
  add(files, one_tensor({2}, {}));
  add(files, one_tensor({}, {1}));
  add(files, one_tensor({1, 2}, {2}));
  return files;
}

Files tensor_shapes() {
  Files files;
  for (const std::vector<std::int64_t>& sizes : {std::vector<std::int64_t>{-1},
                                                 {-2, -1},
                                                 {kHuge},
                                                 {kHuge, 2},
                                                 {std::int64_t{1} << 32U, std::int64_t{1} << 32U},
                                                 {std::int64_t{1} << 62U, 4},
                                                 {2, 2},
                                                 {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}) {
    add(files, one_tensor(sizes, std::vector<std::int64_t>(sizes.size(), 1)));
  }
  return files;
}

Files tensor_offsets() {
  Files files;
  for (const std::int64_t offset :
       {std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, std::int64_t{-1}, std::int64_t{-4}, kHuge, kHuge / 4 + 1,
        -kHuge - 1, std::int64_t{1} << 62U, std::int64_t{1} << 61U}) {
    add(files, one_tensor({2}, {1}, offset));
  }
  return files;
}

Files storage_sizes() {
  Files files;
  for (const std::int64_t elements : {std::int64_t{0}, std::int64_t{1}, std::int64_t{3}, kHuge, kHuge / 4,
                                      std::int64_t{1} << 62U, std::int64_t{-1}}) {
    add(files, one_tensor({1}, {1}, 0, "Float", elements));
  }
  for (const char* type : {"Half", "Double", "Byte", "Long"}) add(files, one_tensor({1}, {1}, 0, type));
  // Two tensors that disagree about their storage.
  add(files, Pickle().raw("}(").text("a").floats("0", 2).text("b").tensor("Half", "0", 2, {2}, {1}).raw("u"));
  add(files, Pickle().raw("}(").text("a").floats("0", 2).text("b").floats("1", 2).raw("u"));
  return files;
}

Files storage_types() {
  Files files;
  for (const char* type : {"QInt8", "QUInt8", "ComplexFloat", "ComplexDouble", "Float32", "float", "", "Typed"}) {
    add(files, one_tensor({1}, {1}, 0, type));
  }
  add(files, Pickle().raw("}(").text("a").floats("0", 2).text("a").floats("0", 2).raw("u"));
  add(files,
      Pickle().raw("}(").text("a").raw("}").text("b").floats("0", 2).raw("s").text("a.b").floats("0", 2).raw("u"));
  return files;
}

Files legacy_pickles() {
  Files files;
  const std::string magic = Pickle().raw("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19").end();
  const std::string protocol = Pickle().integer(1001).end();
  const std::string system = Pickle().raw("}").end();
  const std::string object = one_tensor({2}, {1}).end();
  const std::string keys = Pickle().raw("]").text("0").raw("a").end();
  const std::string data = little_endian(std::int64_t{2}) + "12345678";
  const auto add_file = [&](const std::string& bytes) { files.push_back(bytes); };
  add_file(Pickle().integer(1).end() + protocol + system + object + keys + data);
  add_file(Pickle()
               .raw("\x8a\x0a"
                    "abcdefghij")
               .end() +
           protocol + system + object + keys + data);
  add_file(magic + Pickle().integer(1000).end() + system + object + keys + data);
  add_file(magic + Pickle().raw("N").end() + system + object + keys + data);
  add_file(magic + protocol + object + keys + data);
  add_file(magic + protocol + system + object + data);
  add_file(magic + protocol + system + object + Pickle().raw("N").end() + data);
  add_file(magic + protocol + system + object + Pickle().raw("]").end());
  add_file(magic + protocol + system + object +
           Pickle()
               .raw("]K\x01"
                    "a")
               .end() +
           data);
  add_file(magic + protocol + system + object + Pickle().raw("]").text("1").raw("a").end() + data);
  add_file(magic + protocol + system + object + Pickle().raw("](").text("0").text("0").raw("e").end() + data + data);
  add_file(magic + protocol + system + Pickle().raw("N").end() + keys + data);
  add_file(magic);
  add_file(magic + protocol);
  add_file(magic + protocol + system);
  add_file(magic + protocol + system + object);
  add_file(magic + protocol + system + object + keys);
  return files;
}

Files legacy_storages() {
  Files files;
  const std::string object = one_tensor({2}, {1}).end();
  for (const std::int64_t count :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{3}, std::int64_t{-1}, kHuge, kHuge / 4}) {
    files.push_back(torch_legacy(object, kStorage, {count}));
  }
  const std::string sound = torch_legacy(object, kStorage, {2});
  for (const std::size_t missing : {1, 4, 8, 9, 15, 16}) files.push_back(sound.substr(0, sound.size() - missing));
  for (const std::size_t more : {1, 8, 4096}) files.push_back(sound + std::string(more, '\0'));
  return files;
}

}  // namespace

std::vector<HostileClass> hostile_storages() {
  return {{"StridedStorages", strided},       {"TensorShapes", tensor_shapes}, {"TensorOffsets", tensor_offsets},
          {"StorageSizes", storage_sizes},    {"StorageTypes", storage_types}, {"LegacyPickles", legacy_pickles},
          {"LegacyStorages", legacy_storages}};
}

}  // namespace refrain::diffusion::testing
