// Runs the steps of the migrations on a store, as its owner. The caller must have checked that it
// may act as the owner.
#pragma once

#include "store/catalog.hpp"
#include "store/scripts.hpp"

namespace discovery {

/// Creates the record in a schema that has the tables of a store but no record, and adds the
/// adoption to the history. Nothing else in the schema changes.
void record_adoption(const core::Migrations *migrations, Oid schema, Oid owner, core::Version version,
                     const char *description);

/// Migrates the store in `schema`, owned by `owner`, from one version to another, step by step. The
/// version `base` means no store. Each step is added to the history, and the shape is checked after
/// it.
/// Errors: 25001 an upgrade above READ COMMITTED, whose snapshot may be older than what others have
/// committed; 22023 there is no path; 55000 rows or values would be lost and discovery.allow_data_loss
/// is off; 42P17 the resulting shape is not that of the release. A statement that fails keeps its
/// own SQLSTATE.
void run_steps(const core::Migrations *migrations, Oid schema, Oid owner, core::Version from, core::Version to);

/// Writes another version into the record without running a step.
void stamp(Oid schema, Oid owner, core::Version from, core::Version to);

/// Locks the tables that the store's version has, in the order in which writers reach them, and those of
/// a preparation, and checks that they are plain tables of the store's owner. For an upgrade it also locks what its
/// owner has already of the tables of later versions. It takes all locks or none, in short tries until
/// lock_timeout, which must be set: others wait for the time of a try at most.
/// Errors: 42P17 one is missing or is something else; 55P03 another session uses one.
void lock_tables(const core::Migrations *migrations, const Store &store, bool upgrades = false);

/// SHA-256 of a step's text in its script, as 64 hex digits.
const char *step_checksum(const core::Step *step);

/// Locks the tables of the store and checks that a migration to version `to` loses no data, that
/// is, no rows and no values other than NULL. `refused` is the error message.
/// Errors: 42P17 a table is not a plain table of the store's owner; 55000 data would be lost and
/// discovery.allow_data_loss is off.
void refuse_data_loss(const core::Migrations *migrations, const Store &store, core::Version to, const char *refused);

/// The same for given losses. The tables must be locked. Inside SPI_connect(), as the owner of the store.
void refuse_losses(const Store &store, const std::vector<core::Loss> &losses, const char *refused);

}  // namespace discovery
