#include "hostile_files.hpp"
#include "torch_files.hpp"

#include <cstdint>

namespace refrain::diffusion::testing {
namespace {

using Files = std::vector<std::string>;

const std::vector<std::string> kStorage{"12345678"};

std::string file(const Pickle& pickle) { return torch_zip(pickle.end(), kStorage); }
/// A file whose pickle has these bytes behind its protocol.
std::string raw(std::string_view bytes) { return torch_zip("\x80\x02" + std::string(bytes), kStorage); }
/// {"w": a call of `name` with these arguments}.
std::string call(std::string_view module, std::string_view name, const Pickle& arguments) {
  Pickle pickle;
  pickle.raw("}").text("w").global(module, name).raw(arguments.end().substr(2));
  std::string bytes = pickle.end();
  return torch_zip(bytes.substr(0, bytes.size() - 2) + "Rs.", kStorage);
}

Files opcodes() {
  Files files;
  // Those of protocols 0 and 1, of extensions and of buffers, and bytes that are none.
  for (const char opcode : {'I', 'L', 'F', 'S', 'V', 'P', 'i', 'o', 'p', 'g', '\x82', '\x83', '\x84', '\x97', '\x98',
                            '\x99', '\xff', '\0', '\n'}) {
    files.push_back(raw(std::string("}") + opcode + "1\n1\n."));
  }
  for (const char protocol : {'\x06', '\x7f', '\xff'}) {
    files.push_back(torch_zip(std::string("\x80") + protocol + "}.", kStorage));
  }
  return files;
}

Files stack() {
  Files files;
  for (const char* bytes :
       {".",     "0.",    "1.",    "2.",    "t.",    "u.",     "e.",    "a.",    "s.",  "R.",    "b.",
        "Q.",    "\x81.", "\x85.", "\x86.", "\x87.", "\x92.",  "\x93.", "\x94.", "}(.", "}}.",   "(}.",
        "(NNu.", "}(Nu.", "}N.",   "]Ns.",  "}Na.",  "N(NNu.", "NNa.",  "](e.(", "(1.", "N(0N.", "(0("}) {
    files.push_back(raw(bytes));
  }
  return files;
}

Files memo() {
  Files files;
  for (const std::string& bytes :
       {std::string("h\x00.", 3), std::string("}q\x01h\x02.", 6), std::string("j\xff\xff\xff\xff.", 6),
        std::string("q\x00.", 3), std::string("r\x00\x00\x00\x00.", 6),
        std::string("}r\xff\xff\xff\xff", 6) + "j\xfe\xff\xff\xff.", std::string("}\x94h\x01.", 5),
        std::string("(q\x00.", 4), std::string("h", 1), std::string("}q", 2), std::string("}q\x00h\x00.", 6),
        std::string("}r\x01\x00", 4)}) {
    files.push_back(raw(bytes));
  }
  return files;
}

Files texts() {
  Files files;
  for (const std::string& bytes :
       {std::string("X\xff\xff\xff\xff."),
        std::string("X\x05\x00\x00\x00"
                    "ab.",
                    8),
        std::string("U\xff"
                    "ab."),
        std::string("T\xff\xff\xff\x7f."), std::string("\x8d\xff\xff\xff\xff\xff\xff\xff\xff."),
        std::string("\x8e\xff\xff\xff\xff\xff\xff\xff\x7f."), std::string("\x96\x00\x00\x00\x00\x01\x00\x00\x00.", 10),
        std::string("B\xff\xff\xff\xff."),
        std::string("C\x09"
                    "ab."),
        std::string("\x8c\x09"
                    "ab."),
        std::string("\x8a\x09"
                    "ab."),
        std::string("\x8b\xff\xff\xff\xff."), std::string("G\x01."), std::string("J\x01."), std::string("cos."),
        std::string("cos\nsystem.")}) {
    files.push_back(raw(bytes));
  }
  return files;
}

Files truncations() {
  Files files;
  const std::string whole = Pickle().raw("}").text("w").floats("0", 2).raw("s").end();
  for (std::size_t size = 0; size < whole.size(); size += 5) {
    files.push_back(torch_zip(whole.substr(0, size), kStorage));
    // with an end, so that what is left of the stack is at fault
    files.push_back(torch_zip(whole.substr(0, size) + ".", kStorage));
  }
  return files;
}

Files arguments() {
  Files files;
  const char* const utils = "torch._utils";
  const auto arguments_of = [](const auto& fill) {
    Pickle pickle;
    pickle.mark();
    fill(pickle);
    return pickle.raw("t");
  };
  const auto add = [&](const auto& fill) {
    for (const char* name : {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"}) {
      files.push_back(call(utils, name, arguments_of(fill)));
    }
  };
  add([](Pickle&) {});
  add([](Pickle& p) { p.storage("Float", "0", 2); });
  add([](Pickle& p) { p.storage("Float", "0", 2).integer(0).integers({2}); });
  add([](Pickle& p) { p.integer(0).integer(0).integers({2}).integers({1}); });
  add([](Pickle& p) { p.storage("Float", "0", 2).text("0").integers({2}).integers({1}); });
  add([](Pickle& p) { p.storage("Float", "0", 2).integer(0).integer(2).integer(1); });
  add([](Pickle& p) { p.storage("Float", "0", 2).integer(0).raw("}").raw("}"); });
  add([](Pickle& p) { p.storage("Untyped", "0", 8).integer(0).integers({2}).integers({1}); });
  files.push_back(call(utils, "_rebuild_tensor_v2", Pickle().raw("]")));
  files.push_back(call(utils, "_rebuild_tensor_v2", Pickle().raw("}")));
  files.push_back(call("collections", "OrderedDict", Pickle().raw("(K\x01t")));
  files.push_back(call("collections", "OrderedDict", Pickle().raw("(](K\x01et")));
  files.push_back(call("collections", "OrderedDict", Pickle().raw("N")));
  files.push_back(call("torch._tensor", "_rebuild_from_type_v2", Pickle().raw(")")));
  files.push_back(call("torch._tensor", "_rebuild_from_type_v2", Pickle().raw("(NNNt")));
  return files;
}

Files persistent_ids() {
  Files files;
  const auto add = [&](Pickle pickle) { files.push_back(file(pickle.raw("Q"))); };
  add(Pickle().raw("N"));
  add(Pickle().raw(")"));
  add(Pickle().text("storage"));
  add(Pickle().mark().text("storage").raw("t"));
  add(Pickle().mark().text("module").raw("t"));
  add(Pickle().mark().text("file").global("torch", "FloatStorage").text("0").text("cpu").integer(2).raw("t"));
  add(Pickle().mark().text("storage").text("FloatStorage").text("0").text("cpu").integer(2).raw("t"));
  add(Pickle().mark().text("storage").global("torch", "FloatStorage").integer(0).text("cpu").integer(2).raw("t"));
  add(Pickle().mark().text("storage").global("torch", "FloatStorage").text("0").text("cpu").text("2").raw("t"));
  add(Pickle().mark().text("storage").global("torch", "FloatStorage").text("0").text("cpu").integer(-2).raw("t"));
  add(Pickle().mark().text("storage").global("torch", "FloatStorage").text("0").text("cpu").raw("t"));
  add(Pickle().mark().text("storage").global("torch", "FloatStorage").text("0").text("cpu").integer(2).raw("Kt"));
  add(Pickle().mark().text("storage").global("torch", "FloatStorage").text("0").text("cpu").integer(2).raw("]t"));
  for (const auto& [begin, length] : {std::pair(-1, 2), std::pair(0, 3), std::pair(2, 1), std::pair(0, -1)}) {
    add(Pickle()
            .mark()
            .text("storage")
            .global("torch", "FloatStorage")
            .text("0")
            .text("cpu")
            .integer(2)
            .mark()
            .text("v")
            .integer(begin)
            .integer(length)
            .raw("tt"));
  }
  return files;
}

/// Programs in a pickle's clothes: nothing of them runs, and there are no weights.
Files programs() {
  Files files;
  for (const auto& [module, name] :
       {std::pair("os", "system"), std::pair("posix", "system"), std::pair("builtins", "eval"),
        std::pair("builtins", "exec"), std::pair("subprocess", "Popen"), std::pair("builtins", "getattr"),
        std::pair("torch.hub", "load"), std::pair("torch", "load"), std::pair("runpy", "run_path"),
        std::pair("torch.storage", "_load_from_bytes"), std::pair("operator", "attrgetter")}) {
    files.push_back(call(module, name, Pickle().mark().text("touch /refrain-was-here").raw("t")));
    files.push_back(file(Pickle().global(module, name).mark().text("touch /refrain-was-here").raw("t\x81")));
    files.push_back(file(Pickle().text(module).text(name).raw("\x93)R}b")));
  }
  return files;
}

Files cycles() {
  Files files;
  files.push_back(
      raw("]q\x01h\x01"
          "a."));
  files.push_back(raw("}q\x01h\x01h\x01s."));
  files.push_back(
      raw("]q\x01(h\x01h\x01h\x01"
          "e."));
  const auto self = [](std::string_view key) { return Pickle().raw("}q\x01").text(key).raw("h\x01s"); };
  for (const char* key : {"state_dict", "model", "module", "params", "model_ema", "x"})
    files.push_back(file(self(key)));
  // Two dicts that hold each other; a dict of many that hold it; a tensor's size that holds itself.
  files.push_back(
      file(Pickle().raw("}q\x01").text("a").raw("}q\x02").text("b").raw("h\x01ssh\x02").text("c").raw("h\x02s0")));
  Pickle many;
  many.raw("}q\x01(");
  for (int i = 0; i < 1000; ++i) many.text(std::to_string(i)).raw("h\x01");
  files.push_back(file(many.raw("u")));
  files.push_back(call("torch._utils", "_rebuild_tensor_v2",
                       Pickle()
                           .mark()
                           .storage("Float", "0", 2)
                           .integer(0)
                           .raw("]q\x01h\x01"
                                "a")
                           .raw("h\x01t")));
  // A function that rebuilds by means of itself.
  Pickle nested;
  nested.mark().global("torch._tensor", "_rebuild_from_type_v2").raw("q\x01N(h\x01N(h\x01N(h\x01N(h\x01N)NtNtNtNtNt");
  files.push_back(call("torch._tensor", "_rebuild_from_type_v2", nested));
  return files;
}

/// Pickles that describe as much as they can in as little space.
Files many_objects() {
  constexpr std::size_t kSize = 4'000'000;
  Files files;
  const auto add = [&](std::string_view begin, std::string_view part, std::string_view end) {
    std::string bytes(begin);
    while (bytes.size() < kSize) bytes += part;
    files.push_back(raw(bytes + std::string(end)));
  };
  add("(", "}", "t.");
  add("(", "]", "t.");
  add("(", ")", "t.");
  add("(", "N", "t.");
  add("", "(", ".");
  add("", "}\x85", ".");
  add("N", "2\x86", ".");
  add("(", "cos\nsystem\n)R", "t.");
  add("]q\x01(", "h\x01", "e.");
  add("]q\x01",
      "h\x01"
      "a",
      ".");
  add("(", "X", "t.");
  add("N", "\x94", ".");
  std::string memo;
  for (std::uint32_t i = 0; memo.size() < kSize; ++i) memo += "r" + little_endian(i);
  files.push_back(raw("N" + memo + "."));
  std::string storages = "(";
  while (storages.size() < kSize) storages += Pickle().storage("Float", "0", 2).end().substr(2, 40);
  files.push_back(raw(storages));
  return files;
}

/// Many names for the same few bytes.
Files many_tensors() {
  Files files;
  for (const std::int64_t elements : {1, 2}) {
    for (const int count : {20'000, 100'000}) {
      for (const int length : {5, 40}) {
        Pickle pickle;
        pickle.raw("}q\x01").text("first").floats("0", 2).raw("q\x02s(");
        if (elements == 1) pickle.tensor("Float", "0", 2, {1}, {1}).raw("q\x02");
        if (elements == 1) pickle.raw("0");
        for (int i = 0; i < count; ++i) {
          std::string name = std::to_string(i);
          name.resize(static_cast<std::size_t>(length), 'x');
          pickle.text(name + std::to_string(i)).raw("h\x02");
        }
        files.push_back(file(pickle.raw("u")));
      }
    }
  }
  // Long names, put together from those of dicts inside dicts.
  for (const std::size_t length : {50'000UL, 400'000UL}) {
    Pickle pickle;
    pickle.raw("}").text("first").floats("0", 2).raw("s").text(std::string(length, 'x')).raw("}(");
    for (int i = 0; i < 500; ++i) pickle.text(std::to_string(i)).floats("0", 2);
    files.push_back(file(pickle.raw("us")));
  }
  return files;
}

}  // namespace

std::vector<HostileClass> hostile_pickles() {
  return {{"PickleOpcodes", opcodes},
          {"PickleStack", stack},
          {"PickleMemo", memo},
          {"PickleTexts", texts},
          {"PickleTruncations", truncations},
          {"PickleArguments", arguments},
          {"PicklePersistentIds", persistent_ids},
          {"PicklePrograms", programs},
          {"PickleCycles", cycles},
          {"PickleManyObjects", many_objects},
          {"PickleManyTensors", many_tensors}};
}

}  // namespace refrain::diffusion::testing
