// The store that the functions about data work on: the one that comes first in the caller's
// search_path.
#pragma once

#include "store/catalog.hpp"

namespace discovery {

/// The caller's store. Errors: 42P01 none in search_path; 55000 it is not of the
/// extension's version, which is named with the way to bring it up.
Store current_store();

}  // namespace discovery
