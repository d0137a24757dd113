#pragma once
// What a comparison has measured.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "compare/picture.hpp"

namespace refrain::cli {

/// One evaluation of the U-Net, as a sampling record tells it.
struct ActionTaken {
  int step = 0;
  int stage = 0;
  double sigma = 0;
  std::string action;  ///< "full", "deep(0)", "encoder_reused", "nothing"
  std::string why;     ///< empty: the record does not say
  double milliseconds = 0;
};

/// What the samplers of one run told about themselves, added up.
struct SamplingCost {
  double milliseconds = 0;    ///< inside the nodes that sample
  double macs = 0;            ///< 0: not told
  double macs_uncached = 0;   ///< had every evaluation been full
  double ideal_by_costs = 0;  ///< speed-up if every kind of evaluation took its median time; 0: not told
  double kept_bytes = 0;      ///< of tensors kept between evaluations, at most; 0: none, or not told
  std::string policy;         ///< in the policy's own words
  std::vector<ActionTaken> actions;
};

/// Reads a record of the kind "sampling" and adds it. Members that it does not have count as not told.
void add_sampling_record(SamplingCost& cost, const std::string& json);

/// How far one run is from the first workflow's on the same seed.
struct RunError {
  double psnr = std::numeric_limits<double>::infinity();  ///< dB; infinite for equal pictures
  double ssim = 1;
  double latent_relative_l2 = 0;
  double latent_max_abs = 0;
};

/// One seed of one entry.
struct SeedRun {
  std::uint64_t seed = 0;
  SamplingCost cost;
  double whole_milliseconds = 0;  ///< of everything that ran, decoding included
  std::vector<Picture> pictures;  ///< of the batch
  at::Tensor latent;              ///< undefined where no sampler gave one
  RunError error;
};

/// Median and range over the seeds.
struct Spread {
  double median = 0, least = 0, most = 0;
};
Spread spread_of(std::vector<double> values);

/// One of the workflows that are compared.
struct Entry {
  std::string label;       ///< "UniformCache:interval=5,depth=0", "default", "default, 22 steps"
  std::string mark;        ///< "R" for the first, then "1", "2"; of the plain sampler at equal time "1\u2032"
  std::string workflow;    ///< the file
  std::string policy;      ///< as given; empty: the workflow as it is
  std::int64_t steps = 0;  ///< 0: unknown
  std::optional<std::size_t> equal_time_to;  ///< index of the entry whose time it has; else it is no plain sampler
  std::vector<SeedRun> runs;

  Spread over_seeds(double (*figure)(const SeedRun&)) const;
  double milliseconds() const;
};

double sampling_time(const SeedRun& run);
double psnr_of(const SeedRun& run);
double ssim_of(const SeedRun& run);
double latent_error_of(const SeedRun& run);
double latent_max_of(const SeedRun& run);
double macs_of(const SeedRun& run);

struct Comparison {
  std::vector<std::uint64_t> seeds;
  std::vector<Entry> entries;  ///< the first is what the others are compared with
  std::string device;
  std::string dtype;
  int threads = 0;
  std::string processor;
  std::string began;         ///< date and time, UTC
  double whole_seconds = 0;  ///< of the whole comparison

  /// Of the first entry's time over this one's.
  double speed_up(const Entry& entry) const;
  /// The speed-up that the executed multiply-accumulates would give; 0: not told.
  static double ideal_by_macs(const Entry& entry);
  /// The plain sampler beside entry `index`, or nothing.
  const Entry* equal_time(std::size_t index) const;
};

/// A sentence that says so when the reference's own time varied so much from seed to seed that times say little; else
/// empty.
std::string unsteady_times(const Comparison& comparison);

/// Fills in every run's error against the first entry's run of the same seed. Throws ValidationError (other_size) when
/// pictures or latents have another shape than the first's.
void measure_errors(Comparison& comparison);

}  // namespace refrain::cli
