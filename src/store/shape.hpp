// The shape of a live store, as the catalogs describe it.
#pragma once

#include "store/catalog.hpp"

#include "core/shape.hpp"

namespace discovery {

/// Reads all tables and views in the schema that do not belong to an extension, in
/// CurrentMemoryContext.
/// Errors: 40001 an object was changed concurrently.
core::Shape *read_shape(Oid schema);

}  // namespace discovery
