#include <refrain/errors.hpp>

namespace refrain {

Error::Error(std::string code, const std::string& what) : std::runtime_error(what), code_(std::move(code)) {}
Error::~Error() = default;
WorkflowError::~WorkflowError() = default;
ValidationError::~ValidationError() = default;
PluginError::~PluginError() = default;
NodeError::~NodeError() = default;
Cancelled::Cancelled() : Error("cancelled", "cancelled") {}
Cancelled::~Cancelled() = default;

}  // namespace refrain
