// Reads the rows of discovery_migrations, the record of a store.
#pragma once

#include "store/catalog.hpp"

namespace discovery {

/// Whether the caller may read the rows of the record.
bool may_read_record(const Store &store);

/// Begins reading the record for a caller who may. Anybody may look at the store of anybody else: so
/// that no code of its owner runs as the caller, such as a function in an index on the record, this
/// changes the current user to the owner, in a security-restricted operation. It stays the caller
/// where row security applies to him, which it does not to a superuser. Ended by leave().
/// Errors: 55000 the record is not a plain table of the store's owner.
Session enter_record(const Store &store);

}  // namespace discovery
