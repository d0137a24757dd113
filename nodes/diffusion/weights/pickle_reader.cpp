#include "weights/pickle_reader.hpp"

#include "weights/torch_globals.hpp"

#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace refrain::diffusion::pickle {
namespace {

enum Opcode : std::uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kEmptyList = ']',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kDict = 'd',
  kEmptyDict = '}',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kList = 'l',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kProto = 0x80,
  kNewObj = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kLong4 = 0x8b,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinBytes8 = 0x8e,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kNewObjEx = 0x92,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
  kByteArray8 = 0x96,
};

constexpr int kNewestProtocol = 5;

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, std::size_t at, Values& values) : bytes_(bytes), at_(at), values_(values) {}

  Ref read() {
    for (;;) {
      const auto opcode = number<std::uint8_t>();
      if (opcode == kStop) break;
      if (!step_literal(opcode) && !step_text(opcode) && !step_container(opcode) && !step_memo(opcode) &&
          !step_object(opcode)) {
        throw ModelError("model_file_unsupported",
                         values_.file() + ": its pickle uses the opcode " + std::to_string(opcode) + " at byte " +
                             std::to_string(at_ - 1) +
                             ", which torch.save doesn't write; save it again with torch.save");
      }
    }
    const Ref result = pop();
    if (!stack_.empty() || !marks_.empty()) damaged("it ends with values left over");
    return result;
  }
  std::size_t end() const { return at_; }

 private:
  [[noreturn]] void damaged(const std::string& what) const {
    throw ModelError("model_file_damaged", values_.file() + ": its pickle is damaged at byte " + std::to_string(at_) +
                                               ": " + what + "; download it again");
  }

  std::string_view take(std::uint64_t length) {
    if (length > bytes_.size() - at_) damaged("it ends in the middle");
    const std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + at_, length);
    at_ += length;
    return text;
  }
  template <class T>
  T number() {
    T value{};
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string_view line() {
    const char* begin = reinterpret_cast<const char*>(bytes_.data()) + at_;
    const void* end = std::memchr(begin, '\n', bytes_.size() - at_);
    if (end == nullptr) damaged("a name without an end");
    const std::string_view text = take(static_cast<std::size_t>(static_cast<const char*>(end) - begin));
    ++at_;
    return text;
  }

  // The stack. Below the latest mark nothing can be taken.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  void push(Ref ref) {
    if (stack_.size() == highest_) {
      values_.charge(3 * sizeof(Ref));
      ++highest_;
    }
    stack_.push_back(ref);
  }
  Ref pop() {
    const Ref ref = top();
    stack_.pop_back();
    return ref;
  }
  Ref top() const {
    if (stack_.size() <= floor()) damaged("a value is missing");
    return stack_.back();
  }
  std::vector<Ref> pop_last(std::size_t count) {
    if (stack_.size() - floor() < count) damaged("a value is missing");
    std::vector<Ref> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
  }
  std::vector<Ref> pop_to_mark() {
    if (marks_.empty()) damaged("a mark is missing");
    std::vector<Ref> items = pop_last(stack_.size() - marks_.back());
    marks_.pop_back();
    return items;
  }

  void push_integer(std::int64_t number, Kind kind = Kind::integer) {
    Value value;
    value.kind = kind;
    value.integer = number;
    push(values_.add(value));
  }
  void push_text(std::string_view text) {
    Value value;
    value.kind = Kind::text;
    value.text = text;
    push(values_.add(value));
  }
  void push_long(std::string_view digits) {
    if (digits.size() <= sizeof(std::int64_t)) {
      std::int64_t number = !digits.empty() && static_cast<signed char>(digits.back()) < 0 ? -1 : 0;
      std::memcpy(&number, digits.data(), digits.size());
      return push_integer(number);
    }
    Value value;
    value.kind = Kind::big_integer;
    value.text = digits;
    push(values_.add(value));
  }
  void push_real() {
    auto bits = number<std::uint64_t>();
    bits = __builtin_bswap64(bits);
    Value value;
    value.kind = Kind::real;
    value.real = std::bit_cast<double>(bits);
    push(values_.add(value));
  }

  bool step_literal(std::uint8_t opcode) {
    switch (opcode) {
      case kProto:
        if (number<std::uint8_t>() > kNewestProtocol) damaged("a protocol newer than 5");
        return true;
      case kFrame: number<std::uint64_t>(); return true;
      case kNone: push(values_.add({})); return true;
      case kNewTrue: push_integer(1, Kind::boolean); return true;
      case kNewFalse: push_integer(0, Kind::boolean); return true;
      case kBinInt: push_integer(number<std::int32_t>()); return true;
      case kBinInt1: push_integer(number<std::uint8_t>()); return true;
      case kBinInt2: push_integer(number<std::uint16_t>()); return true;
      case kLong1: push_long(take(number<std::uint8_t>())); return true;
      case kLong4: push_long(take(number<std::uint32_t>())); return true;
      case kBinFloat: push_real(); return true;
      default: return false;
    }
  }

  bool step_text(std::uint8_t opcode) {
    switch (opcode) {
      case kShortBinUnicode:
      case kShortBinString:
      case kShortBinBytes: push_text(take(number<std::uint8_t>())); return true;
      case kBinUnicode:
      case kBinString:
      case kBinBytes: push_text(take(number<std::uint32_t>())); return true;
      case kBinUnicode8:
      case kBinBytes8:
      case kByteArray8: push_text(take(number<std::uint64_t>())); return true;
      default: return false;
    }
  }

  bool step_container(std::uint8_t opcode) {
    switch (opcode) {
      case kMark:
        values_.charge(3 * sizeof(std::size_t));
        marks_.push_back(stack_.size());
        return true;
      case kEmptyTuple: push(values_.add_container(Kind::tuple)); return true;
      case kTuple1: push(values_.add_container(Kind::tuple, pop_last(1))); return true;
      case kTuple2: push(values_.add_container(Kind::tuple, pop_last(2))); return true;
      case kTuple3: push(values_.add_container(Kind::tuple, pop_last(3))); return true;
      case kTuple:
      case kFrozenSet: push(values_.add_container(Kind::tuple, pop_to_mark())); return true;
      case kEmptyList:
      case kEmptySet: push(values_.add_container(Kind::list)); return true;
      case kList: push(values_.add_container(Kind::list, pop_to_mark())); return true;
      case kEmptyDict: push(values_.add_container(Kind::dict)); return true;
      case kDict: {
        const std::vector<Ref> items = pop_to_mark();
        push(values_.add_container(Kind::dict));
        extend(Kind::dict, items);
        return true;
      }
      case kAppend: extend(Kind::list, pop_last(1)); return true;
      case kAppends:
      case kAddItems: extend(Kind::list, pop_to_mark()); return true;
      case kSetItem: extend(Kind::dict, pop_last(2)); return true;
      case kSetItems: extend(Kind::dict, pop_to_mark()); return true;
      default: return false;
    }
  }

  /// Puts items into the container on the stack. Opaque values take anything and keep nothing.
  void extend(Kind kind, const std::vector<Ref>& items) {
    const Ref container = top();
    if (kind == Kind::dict && items.size() % 2 != 0) damaged("a key without a value");
    if (values_.is(container, Kind::opaque)) return;
    if (!values_.is(container, kind)) damaged("items for something that holds none");
    for (const Ref item : items) values_.append(container, item);
  }

  bool step_memo(std::uint8_t opcode) {
    switch (opcode) {
      case kBinPut: keep(number<std::uint8_t>()); return true;
      case kLongBinPut: keep(number<std::uint32_t>()); return true;
      case kMemoize: keep(static_cast<std::uint32_t>(memo_.size())); return true;
      case kBinGet: recall(number<std::uint8_t>()); return true;
      case kLongBinGet: recall(number<std::uint32_t>()); return true;
      case kPop: pop_any(); return true;
      case kPopMark: pop_to_mark(); return true;
      case kDup: push(top()); return true;
      default: return false;
    }
  }
  /// A mark is a value on Python's stack.
  void pop_any() {
    if (!marks_.empty() && stack_.size() == marks_.back()) {
      marks_.pop_back();
    } else {
      pop();
    }
  }
  void keep(std::uint32_t id) {
    constexpr std::size_t kEntryBytes = 64;  // of the table, while it grows
    const Ref ref = top();
    if (!memo_.contains(id)) values_.charge(kEntryBytes);
    memo_[id] = ref;
  }
  void recall(std::uint32_t id) {
    const auto place = memo_.find(id);
    if (place == memo_.end()) damaged("it refers to a value that it doesn't have");
    push(place->second);
  }

  bool step_object(std::uint8_t opcode) {
    switch (opcode) {
      case kGlobal: {
        const std::string_view module = line();
        push(values_.add_global(module, line()));
        return true;
      }
      case kStackGlobal: {
        const Ref name = pop();
        const Ref module = pop();
        if (!values_.is(name, Kind::text) || !values_.is(module, Kind::text)) damaged("a name that is no text");
        push(values_.add_global(values_[module].text, values_[name].text));
        return true;
      }
      case kReduce:
      case kNewObj: {
        const Ref arguments = pop();
        push(apply(values_, pop(), arguments));
        return true;
      }
      case kNewObjEx: {
        pop();  // named arguments
        const Ref arguments = pop();
        push(apply(values_, pop(), arguments));
        return true;
      }
      case kBuild:
        pop();  // the state of an object; that of an ordered dict is no part of its items
        top();
        return true;
      case kBinPersId: push(resolve_persistent_id(values_, pop())); return true;
      default: return false;
    }
  }

  std::span<const std::byte> bytes_;
  std::size_t at_;
  Values& values_;
  std::vector<Ref> stack_;
  std::vector<std::size_t> marks_;
  std::size_t highest_ = 0;  // the stack has been
  std::unordered_map<std::uint32_t, Ref> memo_;
};

}  // namespace

Ref read_pickle(std::span<const std::byte> bytes, std::size_t& at, Values& values) {
  Reader reader(bytes, at, values);
  const Ref root = reader.read();
  at = reader.end();
  return root;
}

}  // namespace refrain::diffusion::pickle
