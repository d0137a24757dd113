#include "compare/metrics.hpp"

#include <array>
#include <cmath>
#include <limits>

namespace refrain::cli {
namespace {

constexpr int kWindow = 11;
constexpr double kSigma = 1.5;
constexpr double kC1 = (0.01 * 255) * (0.01 * 255);
constexpr double kC2 = (0.03 * 255) * (0.03 * 255);

std::array<double, kWindow> gaussian() {
  std::array<double, kWindow> weights{};
  double sum = 0;
  for (int i = 0; i < kWindow; ++i) {
    const double x = i - kWindow / 2;
    sum += weights[static_cast<std::size_t>(i)] = std::exp(-x * x / (2 * kSigma * kSigma));
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// One channel as numbers.
struct Plane {
  int width = 0;
  int height = 0;
  std::vector<double> values;

  Plane(int w, int h) : width(w), height(h), values(static_cast<std::size_t>(w) * static_cast<std::size_t>(h)) {}
  double& at(int x, int y) {
    return values[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
  }
  double at(int x, int y) const {
    return values[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
  }
};

Plane channel_of(const Picture& picture, std::size_t channel) {
  Plane plane(picture.width, picture.height);
  for (std::size_t i = 0; i < plane.values.size(); ++i) plane.values[i] = picture.rgb[i * 3 + channel];
  return plane;
}

Plane product(const Plane& a, const Plane& b) {
  Plane result(a.width, a.height);
  for (std::size_t i = 0; i < result.values.size(); ++i) result.values[i] = a.values[i] * b.values[i];
  return result;
}

/// The window's weighted mean at every place where it lies inside; the window is separable.
Plane smoothed(const Plane& plane) {
  const std::array<double, kWindow> weights = gaussian();
  Plane rows(plane.width - kWindow + 1, plane.height);
  for (int y = 0; y < rows.height; ++y) {
    for (int x = 0; x < rows.width; ++x) {
      for (int k = 0; k < kWindow; ++k) rows.at(x, y) += weights[static_cast<std::size_t>(k)] * plane.at(x + k, y);
    }
  }
  Plane result(rows.width, plane.height - kWindow + 1);
  for (int y = 0; y < result.height; ++y) {
    for (int k = 0; k < kWindow; ++k) {
      for (int x = 0; x < result.width; ++x)
        result.at(x, y) += weights[static_cast<std::size_t>(k)] * rows.at(x, y + k);
    }
  }
  return result;
}

double ssim_of_channel(const Plane& a, const Plane& b) {
  const Plane mean_a = smoothed(a), mean_b = smoothed(b);
  const Plane square_a = smoothed(product(a, a)), square_b = smoothed(product(b, b)), cross = smoothed(product(a, b));
  double sum = 0;
  for (std::size_t i = 0; i < mean_a.values.size(); ++i) {
    const double mu_a = mean_a.values[i], mu_b = mean_b.values[i];
    const double var_a = square_a.values[i] - mu_a * mu_a, var_b = square_b.values[i] - mu_b * mu_b;
    const double covariance = cross.values[i] - mu_a * mu_b;
    sum +=
        (2 * mu_a * mu_b + kC1) * (2 * covariance + kC2) / ((mu_a * mu_a + mu_b * mu_b + kC1) * (var_a + var_b + kC2));
  }
  return sum / static_cast<double>(mean_a.values.size());
}

}  // namespace

double psnr(const Picture& a, const Picture& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) {
    const double difference = static_cast<double>(a.rgb[i]) - static_cast<double>(b.rgb[i]);
    sum += difference * difference;
  }
  return sum == 0 ? std::numeric_limits<double>::infinity()
                  : 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.rgb.size()) / sum);
}

double ssim(const Picture& a, const Picture& b) {
  if (a.width < kWindow || a.height < kWindow) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    sum += ssim_of_channel(channel_of(a, channel), channel_of(b, channel));
  }
  return sum / 3;
}

TensorError tensor_error(const at::Tensor& x, const at::Tensor& reference) {
  const at::Tensor a = x.to(at::kCPU, at::kFloat).contiguous(), b = reference.to(at::kCPU, at::kFloat).contiguous();
  const float* p = a.const_data_ptr<float>();
  const float* r = b.const_data_ptr<float>();
  double difference = 0, norm = 0;
  TensorError error;
  for (std::int64_t i = 0; i < b.numel(); ++i) {
    const double d = static_cast<double>(p[i]) - static_cast<double>(r[i]);
    difference += d * d;
    norm += static_cast<double>(r[i]) * static_cast<double>(r[i]);
    error.max_abs = std::max(error.max_abs, std::abs(d));
  }
  error.relative_l2 = norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
  return error;
}

}  // namespace refrain::cli
