#include "ops/group_norm.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/silu.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

// One body, compiled for several instruction sets; the loader of programs picks.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__SANITIZE_ADDRESS__)
#define REFRAIN_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define REFRAIN_CLONES
#endif
#define REFRAIN_INLINE inline __attribute__((always_inline))

namespace refrain::diffusion {
namespace {

constexpr std::int64_t kChunk = 1 << 14;  // values that one thread takes at once: SiLU finds them in the caches

/// Pixels of a tensor, a row of channels each, that are worked on at once.
struct Chunks {
  std::int64_t pixels, channels, length, number;

  Chunks(std::int64_t pixels, std::int64_t channels)
      : pixels(pixels),
        channels(channels),
        length(std::max<std::int64_t>(1, kChunk / channels)),
        number((pixels + length - 1) / length) {}
  std::int64_t size(std::int64_t chunk) const { return std::min(length, pixels - chunk * length); }
};

/// What a channel's values in a chunk have for a mean, and the sum of squares of what they are off it.
struct Moments {
  std::vector<double> means, squares;  // [sample, chunk, channel]
};

/// Sums over the pixels of what each channel is off its first value, and of the squares: of sums of the values
/// themselves nothing is left where those lie close together.
template <class T>
REFRAIN_INLINE void add_up_body(const T* x, std::int64_t pixels, std::int64_t channels, float* pivots, float* sums,
                                float* squares) {
  for (std::int64_t c = 0; c < channels; ++c) {
    pivots[c] = static_cast<float>(x[c]);
    sums[c] = squares[c] = 0;
  }
  for (std::int64_t p = 1; p < pixels; ++p) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float off = static_cast<float>(x[p * channels + c]) - pivots[c];
      sums[c] += off;
      squares[c] += off * off;
    }
  }
}

template <class T>
REFRAIN_INLINE void scale_body(const T* x, T* y, std::int64_t pixels, std::int64_t channels, const float* mean,
                               const float* factor, const float* bias) {
  for (std::int64_t p = 0; p < pixels; ++p) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::int64_t i = p * channels + c;
      y[i] = static_cast<T>((static_cast<float>(x[i]) - mean[c]) * factor[c] + bias[c]);
    }
  }
}

REFRAIN_CLONES void add_up(const float* x, std::int64_t pixels, std::int64_t channels, float* pivots, float* sums,
                           float* squares) {
  add_up_body(x, pixels, channels, pivots, sums, squares);
}

REFRAIN_CLONES void add_up(const at::BFloat16* x, std::int64_t pixels, std::int64_t channels, float* pivots,
                           float* sums, float* squares) {
  add_up_body(x, pixels, channels, pivots, sums, squares);
}

REFRAIN_CLONES void scale(const float* x, float* y, std::int64_t pixels, std::int64_t channels, const float* mean,
                          const float* factor, const float* bias) {
  scale_body(x, y, pixels, channels, mean, factor, bias);
}

REFRAIN_CLONES void scale(const at::BFloat16* x, at::BFloat16* y, std::int64_t pixels, std::int64_t channels,
                          const float* mean, const float* factor, const float* bias) {
  scale_body(x, y, pixels, channels, mean, factor, bias);
}

/// Of one sample: y = (x - mean) * factor + bias for each channel.
struct Normalisation {
  std::vector<float> mean, factor, bias;

  explicit Normalisation(std::size_t channels) : mean(channels), factor(channels), bias(channels) {}
};

/// Puts the moments of chunks and channels together. Updating Formulae and a Pairwise Algorithm for Computing Sample
/// Variances. Chan, Golub, LeVeque. 1979.
Normalisation combined(const Moments& moments, const Chunks& chunks, std::int64_t sample, std::int64_t groups,
                       const std::vector<float>& weight, const std::vector<float>& bias, double eps) {
  const std::int64_t width = chunks.channels / groups;
  Normalisation result(weight.size());
  const double count = static_cast<double>(chunks.pixels * width);
  for (std::int64_t group = 0; group < groups; ++group) {
    const auto over_all = [&](const auto& value) {
      double sum = 0;
      for (std::int64_t chunk = 0; chunk < chunks.number; ++chunk) {
        const std::int64_t row = (sample * chunks.number + chunk) * chunks.channels;
        for (std::int64_t c = group * width; c < (group + 1) * width; ++c) {
          sum += value(static_cast<std::size_t>(row + c), static_cast<double>(chunks.size(chunk)));
        }
      }
      return sum;
    };
    const double mean = over_all([&](std::size_t i, double size) { return size * moments.means[i]; }) / count;
    const double squares = over_all([&](std::size_t i, double size) {
      const double off = moments.means[i] - mean;
      return moments.squares[i] + size * off * off;
    });
    const double deviation = std::sqrt(squares / count + eps);
    const auto rounded = static_cast<float>(mean);
    for (auto c = static_cast<std::size_t>(group * width); c < static_cast<std::size_t>((group + 1) * width); ++c) {
      const double factor = weight[c] / deviation;
      result.mean[c] = rounded;
      result.factor[c] = static_cast<float>(factor);
      result.bias[c] = static_cast<float>(bias[c] + (rounded - mean) * factor);
    }
  }
  return result;
}

std::vector<float> floats_of(const at::Tensor& vector) {
  const at::Tensor floats = vector.to(at::kFloat).contiguous();
  return {floats.const_data_ptr<float>(), floats.const_data_ptr<float>() + floats.numel()};
}

template <class T>
void normalise(const at::Tensor& from, const at::Tensor& to, std::int64_t groups, const at::Tensor& weight,
               const at::Tensor& bias, double eps, Activation activation) {
  const std::int64_t samples = from.size(0), channels = from.size(1);
  const Chunks chunks(from.size(2) * from.size(3), channels);
  const T* x = from.const_data_ptr<T>();
  T* y = to.data_ptr<T>();
  const auto first = [&](std::int64_t sample, std::int64_t chunk) {
    return (sample * chunks.pixels + chunk * chunks.length) * channels;
  };
  const std::int64_t all = samples * chunks.number;
  const auto width = static_cast<std::size_t>(channels);
  Moments moments{std::vector<double>(static_cast<std::size_t>(all) * width),
                  std::vector<double>(static_cast<std::size_t>(all) * width)};
  at::parallel_for(0, all, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> pivots(width), sums(width), squares(width);
    for (std::int64_t n = begin; n < end; ++n) {
      const std::int64_t sample = n / chunks.number, chunk = n % chunks.number;
      add_up(x + first(sample, chunk), chunks.size(chunk), channels, pivots.data(), sums.data(), squares.data());
      const auto size = static_cast<double>(chunks.size(chunk));
      for (std::size_t c = 0; c < width; ++c) {
        const std::size_t i = static_cast<std::size_t>(n) * width + c;
        const double mean = sums[c] / size;  // off the pivot
        moments.means[i] = pivots[c] + mean;
        moments.squares[i] = std::max(0.0, squares[c] - size * mean * mean);
      }
    }
  });
  const std::vector<float> weights = floats_of(weight), biases = floats_of(bias);
  std::vector<Normalisation> norms;
  norms.reserve(static_cast<std::size_t>(samples));
  for (std::int64_t n = 0; n < samples; ++n) {
    norms.push_back(combined(moments, chunks, n, groups, weights, biases, eps));
  }
  at::parallel_for(0, all, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      const std::int64_t sample = n / chunks.number, chunk = n % chunks.number;
      const Normalisation& norm = norms[static_cast<std::size_t>(sample)];
      const std::int64_t at = first(sample, chunk), pixels = chunks.size(chunk);
      scale(x + at, y + at, pixels, channels, norm.mean.data(), norm.factor.data(), norm.bias.data());
      if (activation == Activation::silu) {
        at::Tensor made = at::from_blob(y + at, {pixels * channels}, to.options());
        at::silu_(made);
      }
    }
  });
}

bool lies_by_pixel(const at::Tensor& x) {
  const bool known = x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16;
  return x.is_cpu() && known && x.dim() == 4 && x.numel() > 0 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

at::Tensor group_norm(const at::Tensor& x, std::int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                      double eps, Activation activation) {
  if (!lies_by_pixel(x)) {
    at::Tensor y = at::group_norm(x, groups, weight, bias, eps);
    return activation == Activation::silu ? at::silu_(y) : y;
  }
  at::Tensor y = at::empty_like(x, at::MemoryFormat::ChannelsLast);
  const auto body = x.scalar_type() == at::kFloat ? normalise<float> : normalise<at::BFloat16>;
  body(x, y, groups, weight, bias, eps, activation);
  return y;
}

}  // namespace refrain::diffusion
