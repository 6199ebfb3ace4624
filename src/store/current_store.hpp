// The store that the data functions use: the first store in the caller's search_path.
#pragma once

#include "store/catalog.hpp"

namespace discovery {

/// The caller's store.
/// Errors: 42P01 no store in search_path; 42P17 only incomplete stores; 55000 its version is not
/// that of the extension (the hint says how to upgrade).
Store current_store();

}  // namespace discovery
