#pragma once
// The values of a list input as a range.

#include <refrain/value.hpp>

#include <cstddef>
#include <iterator>
#include <span>

namespace refrain {

/// All values of a list input, in order; lives as long as the call.
template <class T>
class ListView {
 public:
  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::forward_iterator_tag;
    Iterator() = default;
    explicit Iterator(const Value* at) : at_(at) {}
    const T& operator*() const { return at_->template as<T>(); }
    Iterator& operator++() { return ++at_, *this; }
    Iterator operator++(int) { return Iterator(at_++); }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const Value* at_ = nullptr;
  };

  explicit ListView(std::span<const Value> values) : values_(values) {}
  std::size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }
  const T& operator[](std::size_t i) const { return values_[i].template as<T>(); }
  Iterator begin() const { return Iterator(values_.data()); }
  Iterator end() const { return Iterator(values_.data() + values_.size()); }

 private:
  std::span<const Value> values_;
};

}  // namespace refrain
