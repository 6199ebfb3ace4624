// The shape of a live store, as the catalogs have it.
#pragma once

#include "store/catalog.hpp"

#include "core/shape.hpp"

namespace discovery {

/// All tables and views in the schema, but those of extensions.
core::Shape *read_shape(Oid schema);

}  // namespace discovery
