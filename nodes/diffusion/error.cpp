#include <refrain/diffusion/error.hpp>

#include <utility>

namespace refrain::diffusion {

Error::Error(std::string code, const std::string& what) : std::runtime_error(what), code_(std::move(code)) {}
Error::~Error() = default;
ModelError::~ModelError() = default;
ShapeError::~ShapeError() = default;
Interrupted::Interrupted() : Error("interrupted", "stopped by the caller") {}
Interrupted::~Interrupted() = default;

}  // namespace refrain::diffusion
