// Making, adopting and repairing stores.
#pragma once

#include "store/steps.hpp"

namespace discovery {

/// Raises 0A000 unless a script of this extension is running.
void require_script(const Extension &extension, const char *function);

/// One at a time with an object of the catalogs, which stays.
void lock_object(Oid catalog, Oid object);

/// One at a time in a schema; and the schema stays. Errors: 3F000 if it is gone
/// once the lock is there.
void lock_schema(Oid schema);

/// Drops the tables of a store, step by step; the schema is locked. Errors: 55000
/// while it has rows, unless discovery.allow_data_loss is on.
void drop_store(const core::Migrations *migrations, const Store &store);

/// Raises 42501 unless the role may act for the owner of the store.
void require_ownership(const Store &store, Oid role);

/// Raises 42501, with the GRANT that helps, unless the role may create tables.
void require_right_to_create(Oid schema, Oid role);

/// Whether a SET of this session, not the settings of a database or role, made
/// the value in force.
bool is_set_in_session(const char *setting);

/// The owner of what stands in the schema under the names of a store's tables;
/// InvalidOid if nothing does. Errors: 42809 if it is anything but plain tables,
/// 42P17 if they are not of one owner.
Oid owner_of_tables(Oid schema);

/// Takes over the tables of `owner` in the schema, for `caller`: with a record,
/// after a look whether they are what it says; without, after finding the
/// release they have the shape of. Changes nothing in them. `is_new` raises
/// 42P07 if there is nothing to do.
void adopt(const core::Migrations *migrations, Oid schema, Oid owner, Oid caller, bool is_new);

/// The shape but for the record, which differs from version to version.
const core::Shape *without_record(const core::Shape *shape);

/// Whether the store was adopted in this transaction.
bool was_adopted_now(const Store &store);

/// Whether DROP EXTENSION … CASCADE took something from the store. Prints no
/// definitions, so it waits for no lock.
bool is_detached(const core::Migrations *migrations, const Store &store);

/// What DROP EXTENSION … CASCADE took from a store: the statements that put it
/// back; empty if nothing is missing.
const std::vector<std::string> *lost_functions(const core::Migrations *migrations, const Store &store);

/// Puts it back, and repairs the counts.
void reattach(const Store &store, const std::vector<std::string> *statements);

}  // namespace discovery
