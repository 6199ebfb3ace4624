// The counts of the notebooks: source_count is the number of their live sources, output_count that of their
// outputs. The triggers on sources and outputs maintain them with the privileges of the tables' owner.
#pragma once

#include "store/catalog.hpp"
#include "sources/triggers.hpp"

#include "core/owed.hpp"
#include "core/tally.hpp"

namespace discovery {

/// A column of notebooks, and the rows that it counts: those of a table that meet a condition on `counted`.
struct Count {
    const char *column, *table, *condition;
    std::int64_t core::Change::*change;
};
inline constexpr Count source_count{"source_count", "sources", " AND counted.deleted_at IS NULL",
                                    &core::Change::sources};
inline constexpr Count output_count{"output_count", "outputs", "", &core::Change::outputs};

/// Adds the net changes of a statement to the counts of the notebooks that the table `counted` refers to. They are
/// written at the end of the transaction, or before it reads them (owed_counts.hpp). If code of users runs
/// when a notebook is updated, or with discovery.counts = 'statement', they are written at once.
/// Errors: 42704 no foreign key to notebooks; 55000 the tables have different owners.
void add_to_counts(Relation counted, const core::Tally &tally);

/// A row of `notebooks` with this id and these counts is gone, or has another id now. Its sources and outputs
/// are counted until they have gone, too: the counts are owed to the row that has the id next, which begins
/// with 0.
void owe_counts_of(Relation notebooks, const core::Uuid &id, const core::Change &counts);

/// Writes the debts, each notebook once, in their order, as the owners of the tables. What is owed to
/// notebooks that do not exist stays owed.
void write_counts(const core::Debts &debts);

/// Sets a count to 0 in all notebooks that the table `counted` refers to, and forgets what is owed to it, after
/// TRUNCATE.
/// Errors: those of add_to_counts(); 40001 another transaction has counted rows since the snapshot, which TRUNCATE has
/// removed, too.
void clear_counts(Relation counted, const Count &count);

/// Corrects a count where it is wrong in the store, and returns the number of corrected rows. Other sessions may
/// write at the same time: each notebook is locked before its sources are counted. Call it inside
/// SPI_connect(), as the owner of the store.
int64 repair_counts(const Store &store, const Count &count);

/// Whether the current update of the row `id` of `notebooks` comes from this file, be it in another
/// session, so that the trigger must keep its counts. A trigger that `takes` this is the last to be told so.
bool is_counting(FunctionCallInfo trigger, Relation notebooks, const Value &id, bool takes = true);

}  // namespace discovery
