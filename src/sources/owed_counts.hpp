// The counts that this transaction has changed and not written yet. They are written once, in one order:
// at its end, or before it reads or writes the notebooks.
#pragma once

#include "sources/uuid.hpp"

#include "core/owed.hpp"

namespace discovery {

/// Adds to what is owed to the count of a notebook.
void owe_count(const core::Counted &counted, const core::Change &change);

/// The same for the changes of one statement, which only snapshots that are taken after it see.
void owe_counts(const core::Debts &debts);

/// Writes all that is owed, as the owners of the tables.
/// Errors: 40001, 40P01, 55P03 and 57014, as for an UPDATE of the notebooks.
void write_owed_counts();

/// Forgets what is still owed to one of the counts in this table after write_owed_counts(): the rows are gone.
void forget_owed_counts(Oid notebooks, std::int64_t core::Change::*count);

/// Prepares a statement that is about to start with a snapshot of command number `snapshot`. If it
/// `reads` counts that are owed since before the snapshot, writes what is owed. Returns the number of
/// the command with which its snapshot sees the counts that were owed before it: `snapshot`, or a later
/// one. If nothing else was changed meanwhile, it sees nothing else.
CommandId settle_counts(CommandId snapshot, bool reads);

/// Whether this transaction has owed anything, and whether it has to the notebooks in this table.
bool is_anything_owed();
bool has_owed(Oid notebooks);

/// Call once, when the library is loaded.
void watch_transactions();

}  // namespace discovery
