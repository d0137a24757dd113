#include "prepared_conditions.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/resize.hpp>

#include <algorithm>
#include <cmath>

#include "inpaint_channels.hpp"

namespace refrain::diffusion {

namespace {

constexpr std::int64_t kFade = 8;          // cells over which an area's inner border fades
constexpr std::int64_t kSmallestSide = 8;  // of the rectangle around a mask

std::string text(const Rectangle& area) {
  return std::to_string(area.width) + " x " + std::to_string(area.height) + " cells at " + std::to_string(area.x) +
         ", " + std::to_string(area.y);
}

Rectangle in_cells(const Area& area, std::int64_t h, std::int64_t w) {
  if (!area.shares) {
    return {static_cast<std::int64_t>(area.height), static_cast<std::int64_t>(area.width),
            static_cast<std::int64_t>(area.y), static_cast<std::int64_t>(area.x)};
  }
  const auto cells = [](double share, std::int64_t side) {
    return static_cast<std::int64_t>(std::nearbyint(share * static_cast<double>(side)));
  };
  return {std::max<std::int64_t>(cells(area.height, h), 1), std::max<std::int64_t>(cells(area.width, w), 1),
          cells(area.y, h), cells(area.x, w)};
}

/// The rectangle around what is not 0 in a mask [M, h, w].
Rectangle around(const at::Tensor& mask) {
  const at::Tensor used = mask.abs().amax({0}).nonzero();
  if (used.numel() == 0) return {kSmallestSide, kSmallestSide, 0, 0};  // it changes nothing, so as little as possible
  const at::Tensor first = std::get<0>(used.min(0)), last = std::get<0>(used.max(0));
  const auto at = [](const at::Tensor& point, int axis) { return point[axis].item<std::int64_t>(); };
  return {std::max(kSmallestSide, at(last, 0) - at(first, 0) + 1),
          std::max(kSmallestSide, at(last, 1) - at(first, 1) + 1), at(first, 0), at(first, 1)};
}

/// Within h x w; throws ShapeError where nothing is left.
Rectangle cut(Rectangle area, std::int64_t h, std::int64_t w) {
  const Rectangle asked = area;
  area.height = std::min(h - area.y, area.height);
  area.width = std::min(w - area.x, area.width);
  if (area.height < 1 || area.width < 1 || area.y < 0 || area.x < 0) {
    throw ShapeError("bad_area", "a conditioning's area, " + text(asked) + ", lies outside of the latent of " +
                                     std::to_string(w) + " x " + std::to_string(h) + " cells");
  }
  return area;
}

/// [1, 1, h, w] of an area: 1, fading towards those of its borders that are not the latent's.
at::Tensor faded(const Rectangle& area, std::int64_t h, std::int64_t w) {
  at::Tensor weight = at::ones({1, 1, area.height, area.width});
  const auto fade = [&](int axis, std::int64_t length, std::int64_t offset, std::int64_t side) {
    const std::int64_t reach = std::min(kFade, length / 4);
    for (std::int64_t i = 0; i < reach; ++i) {
      const double share = 1.0 / static_cast<double>(reach) * static_cast<double>(i + 1);
      if (offset != 0) weight.select(axis, i).mul_(share);
      if (offset + length < side) weight.select(axis, length - 1 - i).mul_(share);
    }
  };
  fade(2, area.height, area.y, h);
  fade(3, area.width, area.x, w);
  return weight;
}

/// Whether `inner` lies within `outer`.
bool inside(const Rectangle& inner, const Rectangle& outer) {
  return inner.y >= outer.y && inner.x >= outer.x && inner.y + inner.height <= outer.y + outer.height &&
         inner.x + inner.width <= outer.x + outer.width;
}

/// Of `others` the one that says something about all of `area`: the smallest such area, else one without an area.
const PreparedCondition* smallest_around(const std::vector<PreparedCondition>& others, const Rectangle& area) {
  const PreparedCondition* found = nullptr;
  for (const PreparedCondition& other : others) {
    if (!other.area) {
      if (found == nullptr) found = &other;
    } else if (inside(area, *other.area)) {
      const bool smaller = found == nullptr || !found->area ||
                           found->area->height * found->area->width > other.area->height * other.area->width;
      if (smaller) found = &other;
    }
  }
  return found;
}

/// Gives every condition of `side` that has an area a partner of equal area among `others`.
void add_partners(const std::vector<PreparedCondition>& side, std::vector<PreparedCondition>& others) {
  for (const PreparedCondition& condition : side) {
    if (!condition.area) continue;
    const PreparedCondition* model = smallest_around(others, *condition.area);
    if (model == nullptr || model->area == condition.area) continue;
    PreparedCondition partner = condition;
    partner.context = model->context;
    partner.further_channels = model->further_channels;
    others.push_back(std::move(partner));
  }
}

class Preparation {
 public:
  Preparation(const Model& model, const at::Tensor& latent, const at::Tensor& noise_mask)
      : model_(model), latent_(latent), noise_mask_(noise_mask), h_(latent.size(2)), w_(latent.size(3)) {}

  /// Areas as they were asked for; weigh() cuts them to size.
  std::vector<PreparedCondition> prepare(const std::vector<Condition>& conditions) const {
    std::vector<PreparedCondition> prepared;
    for (const Condition& condition : conditions) prepared.push_back(prepare(condition));
    return prepared;
  }

  void weigh(std::vector<PreparedCondition>& conditions) const {
    for (PreparedCondition& condition : conditions) {
      if (condition.area) condition.area = cut(*condition.area, h_, w_);
      if (condition.weight.defined()) {
        if (condition.area) condition.weight = condition.area->of(condition.weight);
        condition.weight = condition.weight * condition.strength;
      } else if (condition.area) {
        condition.weight = (faded(*condition.area, h_, w_) * condition.strength).to(latent_.device());
      }
    }
  }

 private:
  PreparedCondition prepare(const Condition& condition) const {
    const at::Tensor& tokens = condition.cross_attention;
    if (!tokens.defined() || tokens.dim() != 3 || tokens.size(0) < 1 || tokens.size(1) < 1) {
      throw ShapeError("bad_conditioning", "a conditioning's tokens are not of the form [1, T, D]");
    }
    PreparedCondition prepared;
    prepared.context = tokens;
    prepared.strength = condition.strength;
    if (condition.area) prepared.area = in_cells(*condition.area, h_, w_);
    if (condition.mask.defined()) {
      const at::Tensor mask = fitted(condition.mask);
      if (condition.area_from_mask) prepared.area = around(mask);
      prepared.weight = for_all_pictures(mask * condition.mask_strength).unsqueeze(1);
    }
    if (condition.start_percent > 0) prepared.start_sigma = model_.schedule->percent_to_sigma(condition.start_percent);
    if (condition.end_percent < 1) prepared.end_sigma = model_.schedule->percent_to_sigma(condition.end_percent);
    prepared.further_channels = inpaint_channels(model_, condition, latent_, noise_mask_);
    return prepared;
  }

  /// A mask [M, H, W] or [H, W] in the latent's cells.
  at::Tensor fitted(const at::Tensor& mask) const {
    if (mask.dim() != 2 && mask.dim() != 3) throw ShapeError("bad_mask", "a conditioning's mask is not [N, H, W]");
    at::Tensor values = (mask.dim() == 2 ? mask.unsqueeze(0) : mask).to(latent_.device(), at::kFloat);
    if (values.size(1) == h_ && values.size(2) == w_) return values;
    return resized(values.unsqueeze(1), w_, h_, Resampling::bilinear).squeeze(1);
  }

  at::Tensor for_all_pictures(const at::Tensor& mask) const {
    const std::int64_t pictures = latent_.size(0);
    const at::Tensor first = mask.narrow(0, 0, std::min(mask.size(0), pictures));
    if (first.size(0) == 1) return first;
    if (pictures % first.size(0) != 0) {
      throw ShapeError("bad_mask", "a conditioning has " + std::to_string(first.size(0)) + " masks for " +
                                       std::to_string(pictures) + " pictures; give one, or one for each");
    }
    return first.repeat({pictures / first.size(0), 1, 1});
  }

  const Model& model_;
  const at::Tensor& latent_;
  const at::Tensor& noise_mask_;
  std::int64_t h_, w_;
};

}  // namespace

PreparedConditions prepare_conditions(const Model& model, const std::vector<Condition>& positive,
                                      const std::vector<Condition>& negative, const at::Tensor& latent,
                                      const at::Tensor& noise_mask) {
  const Preparation preparation(model, latent, noise_mask);
  PreparedConditions prepared{preparation.prepare(positive), preparation.prepare(negative)};
  add_partners(prepared.positive, prepared.negative);
  add_partners(prepared.negative, prepared.positive);
  preparation.weigh(prepared.positive);
  preparation.weigh(prepared.negative);
  return prepared;
}

}  // namespace refrain::diffusion
