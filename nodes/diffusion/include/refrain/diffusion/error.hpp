#pragma once
#include <stdexcept>
#include <string>

namespace refrain::diffusion {

/// Base of the method's errors: what happened, where, the remedy, and a code that stays the same between releases.
class Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& what);
  ~Error() override;  // key function: one vtable and one typeinfo, in librefrain_diffusion.so
  const std::string& code() const noexcept { return code_; }

 private:
  std::string code_;
};

/// A model file is missing, damaged, of an unknown family, or can't serve what is asked of it.
class ModelError : public Error {
 public:
  using Error::Error;
  ~ModelError() override;
};

/// A tensor has the wrong shape, dtype or device.
class ShapeError : public Error {
 public:
  using Error::Error;
  ~ShapeError() override;
};

/// The caller asked to stop.
class Interrupted : public Error {
 public:
  Interrupted();
  ~Interrupted() override;
};

}  // namespace refrain::diffusion
