#include "hostile_files.hpp"
#include "torch_files.hpp"

#include <cstdint>
#include <cstring>

namespace refrain::diffusion::testing {
namespace {

using Files = std::vector<std::string>;

constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kLocatorBytes = 20;
constexpr std::size_t kRecordBytes = 56;

std::string sound_pickle() { return Pickle().raw("}").text("w").floats("0", 2).raw("s").end(); }
std::vector<ZipPart> sound_parts() { return {{"m/data.pkl", sound_pickle()}, {"m/data/0", "12345678"}}; }

/// `bytes` with a number written over what stands at `at`.
template <class T>
std::string changed(std::string bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof(T));
  return bytes;
}

/// Where the directory's entry number `index` begins.
std::size_t directory_entry(const std::string& bytes, int index) {
  std::size_t at = bytes.find("PK\x01\x02");
  for (int i = 0; i < index; ++i) at = bytes.find("PK\x01\x02", at + 1);
  return at;
}

Files directories() {
  Files files;
  const std::string plain = zip_archive(sound_parts(), false);
  const std::size_t end = plain.size() - kEndBytes;
  for (const std::uint16_t count : {0, 1, 3, 0xFFFF}) files.push_back(changed(plain, end + 10, count));
  for (const std::uint32_t size : {0U, 1U, 0xFFFFFFFFU}) files.push_back(changed(plain, end + 12, size));
  for (const std::uint32_t place : {0U, 1U, 0xFFFFFFF0U}) files.push_back(changed(plain, end + 16, place));
  files.push_back(changed(plain, end + 4, std::uint16_t{1}));
  files.push_back(changed(plain, end + 20, std::uint16_t{1}));
  const std::string large = zip_archive(sound_parts());
  const std::size_t record = large.size() - kEndBytes - kLocatorBytes - kRecordBytes;
  const std::size_t locator = large.size() - kEndBytes - kLocatorBytes;
  for (const std::uint64_t number :
       {std::uint64_t{0}, std::uint64_t{1} << 32U, ~std::uint64_t{0}, ~std::uint64_t{0} / 46}) {
    for (const std::size_t field : {32, 40, 48}) files.push_back(changed(large, record + field, number));
    files.push_back(changed(large, locator + 8, number));
  }
  files.push_back(changed(large, record, std::uint32_t{0}));
  return files;
}

Files entry_headers() {
  Files files;
  const std::string sound = zip_archive(sound_parts(), false);
  for (const int index : {0, 1}) {
    const std::size_t at = directory_entry(sound, index);
    for (const std::size_t field : {0, 20, 24}) files.push_back(changed(sound, at + field, std::uint32_t{0x7FFFFFFF}));
    for (const std::size_t field : {28, 30, 32}) files.push_back(changed(sound, at + field, std::uint16_t{0xFFFF}));
    for (const std::uint32_t place : {1U, 0x7FFFFFFFU, 0xFFFFFFFEU}) {
      files.push_back(changed(sound, at + 42, place));
    }
  }
  for (const std::size_t field : {0, 18, 22}) files.push_back(changed(sound, field, std::uint32_t{0x7FFFFFFF}));
  for (const std::size_t field : {8, 26, 28}) files.push_back(changed(sound, field, std::uint16_t{0xFFFF}));
  files.push_back(changed(sound, 30, 'x'));
  const std::string large = zip_archive(sound_parts());
  const std::size_t extra = directory_entry(large, 1) - 12;
  files.push_back(changed(large, extra, std::uint16_t{2}));
  files.push_back(changed(large, extra + 2, std::uint16_t{7}));
  files.push_back(changed(large, extra + 2, std::uint16_t{0xFFFF}));
  files.push_back(changed(large, extra + 4, ~std::uint64_t{0}));
  return files;
}

Files entry_overlaps() {
  Files files;
  // The second entry lies in the first one's data; or both are the same.
  for (std::size_t before = 0; before < 10; ++before) {
    const std::string inner = "PK\x03\x04" + std::string(22, '\0') + little_endian(std::uint16_t{8}) +
                              little_endian(std::uint16_t{0}) + "m/data/0" + "12345678";
    std::vector<ZipPart> parts = sound_parts();
    parts.insert(parts.begin() + 1, {"m/x", std::string(before, ' ') + inner});
    std::string bytes = zip_archive(parts, false);
    const std::size_t at = bytes.find(inner, parts[0].data.size());
    files.push_back(changed(bytes, directory_entry(bytes, 2) + 42, static_cast<std::uint32_t>(at)));
  }
  std::string same =
      zip_archive({{"m/data.pkl", sound_pickle()}, {"m/data/0", "12345678"}, {"m/data/0", "12345678"}}, false);
  const auto place = static_cast<std::uint32_t>(same.find("m/data/0") - 30);
  files.push_back(changed(same, directory_entry(same, 2) + 42, place));
  return files;
}

Files bombs() {
  Files files;
  for (const std::size_t size : {100'000UL, 1'000'000UL, 20'000'000UL}) {
    const std::string zeros(size, '\0');
    const std::string pickle =
        Pickle().raw("}").text("w").floats("0", static_cast<std::int64_t>(size / 4)).raw("s").end();
    files.push_back(zip_archive({{"m/data.pkl", pickle}, deflated("m/data/0", zeros)}));
    files.push_back(zip_archive({deflated("m/data.pkl", zeros)}));
    files.push_back(zip_archive({{"m/data.pkl", sound_pickle()}, {"m/data/0", "12345678"}, deflated("m/x", zeros)}));
  }
  // Sizes that are not those of the data.
  for (const std::uint64_t size : {1ULL, 99ULL, 101ULL, 150ULL, 0xFFFFFFFFULL}) {
    ZipPart part = deflated("m/data/0", std::string(100, 'x'));
    part.size = size;
    const std::string pickle = Pickle().raw("}").text("w").floats("0", 25).raw("s").end();
    files.push_back(zip_archive({{"m/data.pkl", pickle}, part}));
  }
  std::vector<ZipPart> many{{"m/data.pkl", sound_pickle()}, {"m/data/0", "12345678"}};
  for (int i = 0; i < 100; ++i) many.push_back(deflated("m/" + std::to_string(i), std::string(10'000, 'x')));
  files.push_back(zip_archive(many));
  return files;
}

Files compressed_data() {
  Files files;
  std::string text;
  for (int i = 0; i < 50; ++i) text += std::to_string(i * 7919);
  text.resize(text.size() / 4 * 4);
  const std::string pickle =
      Pickle().raw("}").text("w").floats("0", static_cast<std::int64_t>(text.size() / 4)).raw("s").end();
  const ZipPart sound = deflated("m/data/0", text);
  for (std::size_t at = 0; at < 20; ++at) {
    ZipPart part = sound;
    part.data[at * part.data.size() / 20] ^= '\x41';
    files.push_back(zip_archive({{"m/data.pkl", pickle}, part}));
  }
  ZipPart part = sound;
  part.crc = 0;
  files.push_back(zip_archive({{"m/data.pkl", pickle}, part}));
  part = sound;
  part.data += "more";
  files.push_back(zip_archive({{"m/data.pkl", pickle}, part}));
  part = sound;
  part.data.resize(part.data.size() / 2);
  files.push_back(zip_archive({{"m/data.pkl", pickle}, part}));
  return files;
}

Files methods() {
  Files files;
  for (const std::uint16_t method : {1, 6, 9, 12, 14, 93, 95, 99, 0xFFFF}) {
    std::vector<ZipPart> parts = sound_parts();
    parts[1].method = method;
    files.push_back(zip_archive(parts));
  }
  for (const std::uint16_t flags : {1, 1 << 6, 1 << 13, 9}) {
    std::vector<ZipPart> parts = sound_parts();
    parts[1].flags = flags;
    files.push_back(zip_archive(parts));
  }
  return files;
}

Files names() {
  const std::string pickle = sound_pickle();
  const ZipPart data{"m/data/0", "12345678"};
  return {zip_archive({}),
          zip_archive({data}),
          zip_archive({{"m/data.pkl", pickle}}),
          zip_archive({{"m/n/data.pkl", pickle}, data}),
          zip_archive({{"m/xdata.pkl", pickle}, data}),
          zip_archive({{"m/data.pkl", pickle}, {"n/data.pkl", pickle}, data}),
          zip_archive({{"m/data.pkl", pickle}, {"data.pkl", pickle}, data}),
          zip_archive({{"m/data.pkl", pickle}, {"m/data.pkl", pickle}, data}),
          zip_archive({{"m/data.pkl", pickle}, data, data}),
          zip_archive({{"m/data.pkl", pickle}, {"n/data/0", "12345678"}}),
          zip_archive({{"m/data.pkl", pickle}, {"m/data/1", "12345678"}}),
          zip_archive({{"m/data.pkl", pickle}, {"m/data/00", "12345678"}}),
          zip_archive({{"m/data.pkl", pickle}, data, {"m/constants.pkl", "N."}}),
          zip_archive({{"m/data.pkl", pickle}, data, {"m/byteorder", "middle"}}),
          zip_archive({{"m/data.pkl", pickle}, data, {"m/byteorder", ""}})};
}

Files archive_truncations() {
  Files files;
  for (const bool large : {false, true}) {
    const std::string whole = zip_archive(sound_parts(), large);
    for (std::size_t size = 1; size < whole.size(); size += 11) files.push_back(whole.substr(0, size));
    files.push_back(whole + "x");
    files.push_back(whole.substr(4));
  }
  return files;
}

}  // namespace

std::vector<HostileClass> hostile_archives() {
  return {{"ArchiveDirectories", directories},
          {"ArchiveEntryHeaders", entry_headers},
          {"ArchiveOverlaps", entry_overlaps},
          {"ArchiveBombs", bombs},
          {"ArchiveCompressedData", compressed_data},
          {"ArchiveMethods", methods},
          {"ArchiveNames", names},
          {"ArchiveTruncations", archive_truncations}};
}

}  // namespace refrain::diffusion::testing
