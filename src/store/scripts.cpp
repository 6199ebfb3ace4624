// sql/discovery--*.sql and *.shape are compiled into the library. They are not read from the
// server's share directory, so that a backend always has the steps that match its library, wherever
// the server looks for extensions (extension_control_path).
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
