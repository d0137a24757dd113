#include "plugins/open_library.hpp"

#include <refrain/errors.hpp>

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>

#include <dlfcn.h>

#include <string>

namespace refrain {

const abi::Record& open_library(const std::filesystem::path& file) {
  // Values and nodes of a library outlive every handle to it; RTLD_NODELETE, which Boost has no name for, keeps it.
  const auto mode = static_cast<boost::dll::load_mode::type>(static_cast<unsigned>(boost::dll::load_mode::rtld_now) |
                                                             static_cast<unsigned>(boost::dll::load_mode::rtld_local) |
                                                             static_cast<unsigned>(RTLD_NODELETE));
  try {
    // The throwing overloads keep dlerror's text, the others turn it into "Bad file descriptor".
    boost::dll::shared_library library(std::filesystem::absolute(file), mode);
    return library.get<const abi::Record>("refrain_plugin_v1");
  } catch (const std::exception& error) {
    throw PluginError("cannot_load", std::string("the dynamic linker refused it: ") + error.what());
  }
}

}  // namespace refrain
