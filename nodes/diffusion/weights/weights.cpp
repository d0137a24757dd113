#include <refrain/diffusion/weights.hpp>

#include <refrain/diffusion/error.hpp>

#include <sstream>
#include <utility>

namespace refrain::diffusion {

WeightSource::~WeightSource() = default;
void WeightSource::give_back(std::string_view) const {}
void WeightSource::read_ahead() const {}

/// Written while a model's modules are made, by one thread; only read afterwards.
struct Weights::Forms {
  std::shared_ptr<const void> owner;  ///< also that of the forms below
  std::map<std::string, std::shared_ptr<void>> made;
};

struct Weights::Below {
  std::shared_ptr<const Forms> forms;
  std::set<std::string, std::less<>> changed;
};

Weights::Weights(std::shared_ptr<const WeightSource> source, Placement placement, std::string prefix)
    : source_(std::move(source)), placement_(placement), prefix_(std::move(prefix)), forms_(std::make_shared<Forms>()) {
  forms_->owner = std::make_shared<char>();
  if (placement_.device.is_cpu() && placement_.dtype == at::kHalf) {
    throw ModelError("dtype_unsupported",
                     "computing in fp16 on the CPU is not supported: choose fp32 or bf16 (a file "
                     "that holds fp16 loads with either)");
  }
}

Weights Weights::operator/(std::string_view child) const {
  Weights inner = *this;
  inner.prefix_ = path(child);
  return inner;
}
Weights Weights::operator/(int child) const { return *this / std::to_string(child); }

std::string Weights::path(std::string_view leaf) const {
  return prefix_.empty() ? std::string(leaf) : prefix_ + "." + std::string(leaf);
}

bool Weights::has(std::string_view leaf) const { return source_->tensors().contains(path(leaf)); }

std::vector<std::int64_t> Weights::shape(std::string_view leaf) const {
  const auto place = source_->tensors().find(path(leaf));
  return place == source_->tensors().end() ? std::vector<std::int64_t>{} : place->second.shape;
}

void Weights::check(std::string_view leaf, at::IntArrayRef shape) const {
  const std::string name = path(leaf);
  const auto place = source_->tensors().find(name);
  std::ostringstream wanted;
  wanted << shape;
  if (place == source_->tensors().end()) {
    throw ModelError("weight_missing", source_->name() + " lacks the tensor '" + name + "' of shape " + wanted.str() +
                                           "; the file is incomplete or of another kind of model");
  }
  if (at::IntArrayRef(place->second.shape) != shape) {
    std::ostringstream found;
    found << at::IntArrayRef(place->second.shape);
    throw ModelError("weight_shape", source_->name() + ": tensor '" + name + "' has the shape " + found.str() +
                                         " where the model needs " + wanted.str());
  }
}

at::Tensor Weights::raw(std::string_view leaf, at::IntArrayRef shape) const {
  check(leaf, shape);
  return source_->tensor(path(leaf));
}

at::Tensor Weights::get(std::string_view leaf, at::IntArrayRef shape) const {
  const at::Tensor stored = raw(leaf, shape);
  at::Tensor placed = stored.to(placement_.device, placement_.dtype);
  if (!placed.is_same(stored)) give_back(leaf);
  return placed;
}

at::Tensor Weights::keep(std::string_view leaf, at::IntArrayRef shape) const {
  return form(leaf, "plain", [&] { return get(leaf, shape); });
}

at::Tensor Weights::form(std::string_view leaf, std::string_view form, const std::function<at::Tensor()>& make) const {
  return *std::static_pointer_cast<at::Tensor>(share(leaf, form, [&] { return std::make_shared<at::Tensor>(make()); }));
}

std::shared_ptr<void> Weights::share(std::string_view leaf, std::string_view form,
                                     const std::function<std::shared_ptr<void>()>& make) const {
  const std::string name = path(leaf);
  const std::string key = name + "|" + std::string(form);
  std::shared_ptr<void> made;
  if (below_ && !below_->changed.contains(name)) {
    const auto there = below_->forms->made.find(key);
    if (there != below_->forms->made.end()) made = there->second;
  }
  if (!made) made = make();
  forms_->made[key] = made;
  return made;
}

Weights Weights::over(std::shared_ptr<const WeightSource> source, std::set<std::string, std::less<>> changed) const {
  Weights upper = of(std::move(source));
  upper.forms_ = std::make_shared<Forms>();
  upper.forms_->owner = forms_->owner;
  upper.below_ = std::make_shared<const Below>(Below{forms_, std::move(changed)});
  return upper;
}

Weights Weights::alone() const {
  Weights same = *this;
  same.below_ = nullptr;
  return same;
}

Weights Weights::of(std::shared_ptr<const WeightSource> source) const {
  Weights other = *this;
  other.source_ = std::move(source);
  return other;
}

const void* Weights::owner() const { return forms_->owner.get(); }

void Weights::give_back(std::string_view leaf) const { source_->give_back(path(leaf)); }

}  // namespace refrain::diffusion
