// sql/discovery--*.sql and *.shape are compiled in, and not read from the
// server's share directory: so a backend has always the steps that belong to
// its library, wherever the server finds extensions (extension_control_path).
#include "store/scripts.hpp"

namespace discovery {
namespace {

constexpr core::File files[] = {
#include "store/scripts.inc"
};

}  // namespace

const core::Migrations *shipped_migrations() {
    return in_core([] { return core::read_migrations(files); });
}

}  // namespace discovery
