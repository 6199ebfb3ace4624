// notebooks.source_count: the number of live sources. The triggers on sources maintain it with the
// privileges of the table's owner.
#pragma once

#include "store/catalog.hpp"
#include "sources/triggers.hpp"

#include "core/tally.hpp"

namespace discovery {

/// Adds the net changes to the counts of the notebooks that `sources` refers to. It updates each
/// notebook once, in the order of ids, and skips notebooks whose net change is zero. Call it inside
/// SPI_connect(), as the owner of the table.
/// Errors: 42704 no foreign key to notebooks; 55000 the tables have different owners.
void add_to_counts(FunctionCallInfo fcinfo, Relation sources, const core::Tally &tally);

/// Counts the sources of these notebooks, whose ids are new to them: sources may refer to them already,
/// and a count that came along is of others. Inside SPI_connect(), as the owner of the table.
void count_anew(Relation notebooks, const std::set<core::Uuid> &ids);

/// Sets every count of these notebooks to 0, after TRUNCATE. Same conditions and errors as
/// add_to_counts().
void clear_counts(Relation sources);

/// Corrects wrong counts of the store and returns the number of corrected rows. Other sessions may
/// write at the same time: each notebook is locked before its sources are counted. Call it inside
/// SPI_connect(), as the owner of the store.
int64 repair_counts(const Store &store);

/// Whether the current update of the row `id` of `notebooks` comes from this file, so that the
/// trigger must keep its source_count. Returns true once for each such update.
bool is_counting(Relation notebooks, const Value &id);

}  // namespace discovery
