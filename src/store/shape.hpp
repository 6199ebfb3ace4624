// The shape of a live store, as the catalogs describe it.
#pragma once

#include "store/catalog.hpp"

#include "core/alteration.hpp"
#include "core/shape.hpp"

namespace discovery {

/// Reads all tables and views in the schema that do not belong to an extension, with what stands on
/// them, and the types, sequences and functions there, in CurrentMemoryContext. Expressions are
/// written as PostgreSQL prints them after a dump and a restore, so that two spellings that mean the
/// same are one.
/// With `marks_all`, @store@ also stands before the types, sequences and functions of the schema, which
/// no version has: a migration needs that. Otherwise they keep the name of the schema, so that a user
/// sees that a function there is not PostgreSQL's of the same name.
/// Errors: 40001 an object was changed concurrently, also at several attempts.
core::Shape *read_shape(Oid schema, bool marks_all = false);

/// Reads what the relations in the schema need that is no part of the shape (an extension, an object in
/// another schema), and what elsewhere needs them.
const std::vector<core::Surrounding> *read_surroundings(Oid schema);

/// The value of @compression@. The available methods depend on the server.
std::string_view best_compression();

}  // namespace discovery
