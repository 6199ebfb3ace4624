// notebooks.source_count: the number of live sources, kept by the triggers of
// sources under the identity of their owner.
#pragma once

#include "store/catalog.hpp"
#include "sources/triggers.hpp"

#include "core/tally.hpp"

namespace discovery {

/// Adds the net changes to the notebooks that the trigger's table refers to:
/// one update a notebook, in the order of ids, and none where the net is zero.
/// Inside SPI_connect(), as the owner of the table.
void add_to_counts(Relation sources, const core::Tally &tally);

/// Sets every count of those notebooks to 0, after TRUNCATE.
void clear_counts(Relation sources);

/// Sets wrong counts of the store right and returns how many there were, also
/// while others write: each notebook is locked before its sources are counted.
/// Inside SPI_connect(), as the owner of the store.
int64 repair_counts(const Store &store);

/// Whether the update of this row of `notebooks` is one that counts, so that
/// its source_count stands. True once for each.
bool is_counting(Relation notebooks, const Value &id);

}  // namespace discovery
