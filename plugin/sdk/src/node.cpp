#include <refrain/node.hpp>

namespace refrain {

Node::~Node() = default;
Needs Node::needs(const Context&) const { return {}; }
void Node::validate(Literals&) const {}
Fingerprint Node::fingerprint(const Literals&) const { return std::string(); }

}  // namespace refrain
