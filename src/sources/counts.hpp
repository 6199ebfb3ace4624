// notebooks.source_count: the number of live sources. The triggers on sources maintain it with the
// privileges of the table's owner.
#pragma once

#include "store/catalog.hpp"
#include "sources/triggers.hpp"

#include "core/owed.hpp"
#include "core/tally.hpp"

namespace discovery {

/// Adds the net changes of a statement to the counts of the notebooks that `sources` refers to. They are
/// written at the end of the transaction, or before it reads them (owed_counts.hpp). If code of users runs
/// when a notebook is updated, or with discovery.counts = 'statement', they are written at once.
/// Errors: 42704 no foreign key to notebooks; 55000 the tables have different owners.
void add_to_counts(Relation sources, const core::Tally &tally);

/// A row of `notebooks` with this id and count is gone, or has another id now. Its sources are counted
/// until they have gone, too: the count is owed to the row that has the id next, which begins with 0.
void owe_count_of(Relation notebooks, const core::Uuid &id, int count);

/// Writes the debts, each notebook once, in their order, as the owners of the tables. What is owed to
/// notebooks that do not exist stays owed.
void write_counts(const core::Debts &debts);

/// Sets every count of the notebooks that `sources` refers to to 0, after TRUNCATE. Same errors as
/// add_to_counts().
void clear_counts(Relation sources);

/// Corrects wrong counts of the store and returns the number of corrected rows. Other sessions may
/// write at the same time: each notebook is locked before its sources are counted. Call it inside
/// SPI_connect(), as the owner of the store.
int64 repair_counts(const Store &store);

/// Whether the current update of the row `id` of `notebooks` comes from this file, be it in another
/// session, so that the trigger must keep its source_count. Returns true once for each such update.
bool is_counting(FunctionCallInfo trigger, Relation notebooks, const Value &id);

}  // namespace discovery
