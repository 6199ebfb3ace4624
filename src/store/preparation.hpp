// The preparation of a step: what of it has run ahead on a store, and what the step still has to run.
//
// A preparation adds the step's columns and tables, and its triggers by way of discovery_prepared(). They
// keep from then on, for all new rows, what the step needs. Rows that are there are then brought into line
// in batches, and indexes are built concurrently. The table discovery_preparation has a row for each
// statement that runs in batches, and one for the installation (number 0), with a proof: the identity of the
// triggers, tables and columns that the work relies on. Where the proof no longer matches, the work counts
// for nothing, and the step does it again under its lock.
#pragma once

#include "store/step_script.hpp"

namespace discovery {

inline constexpr const char *preparation_table = "discovery_preparation";

struct Preparation {
    bool is_begun;      // the store has the table
    bool is_known;      // false: it is locked, and reading it would have waited
    const char *proof;  // as of now
    bool is_installed;  // the triggers are those of the installation, and nobody has written past them
    List *done;         // of int: the statements whose batches are done
};

/// Whether the schema of the store has the table of a preparation.
bool has_preparation(const Store &store);

/// Reads the preparation of the step. If `waits` is false, does not wait for a lock.
Preparation read_preparation(const Store &store, const core::Step *step, bool waits = true);

/// Raises 55000 for a store that is prepared for an upgrade: "cannot `action`".
void refuse_prepared(const Store &store, const char *action);

/// Returns the statements that the step has to run on the store: all of them, or those that its preparation
/// leaves. A list of Statement.
List *statements_of_step(const core::Migrations *migrations, const Store &store, const core::Step *step);

/// A piece of the work that can be done before the step.
struct PreparatoryTask {
    int number;             // from 1
    const char *statement;  // to be run outside a transaction
    const char *effect;
    bool is_done;
};
/// Returns the tasks of a step, in their order: a list of PreparatoryTask. If `waits` is false, does not wait
/// for a lock, and returns NIL if it would have to.
List *preparatory_tasks(const core::Migrations *migrations, const Store &store, const core::Step *step,
                        bool waits = true);

/// Adds to the store what runs ahead at once, and writes the proof. The tables must be locked. Inside
/// SPI_connect(), as the owner of the store.
void install_preparation(const Store &store, const core::Step *step);

/// The tables and columns that install_preparation() has added, the last one first: what a user had before stays.
/// The same holds.
const std::vector<core::Loss> *made_by_preparation(const Store &store, const core::Step *step);

/// Drops what install_preparation() has added. The same holds.
void remove_preparation(const Store &store, const core::Step *step);

/// Returns the statements that undo the preparation, as PreparatoryTask.
List *undoing_tasks(const core::Migrations *migrations, const Store &store, const core::Step *step);

/// Returns the shape of the store without what its preparation has put there.
const core::Shape *without_preparation(const core::Migrations *migrations, const Store &store,
                                       const core::Shape *shape);

/// Runs a batch: `statement` as a statement of the preparation, whose rows the triggers leave as they are.
void run_in_batch(const Statement *statement);

/// Whether the trigger that is being called belongs to such a statement itself, not to one that a trigger
/// of a user runs meanwhile.
bool is_in_batch();

/// The step that leads from the version of the store to the next one, or null.
const core::Step *next_step(const core::Migrations *migrations, const Store &store);

/// "1.0 -> 1.1"
const char *name_of(const core::Step *step);

}  // namespace discovery
