// Creates, adopts and repairs stores.
#pragma once

#include "store/steps.hpp"

namespace discovery {

/// Raises 0A000 unless a script of this extension is running. `function` is the name for the
/// message.
void require_script(const Extension &extension, const char *function);

/// Locks a catalog object until the transaction ends, so that only one session works on it and
/// nobody drops it.
/// Errors: 55P03 another session holds the lock for too long.
void lock_object(Oid catalog, Oid object);

/// The same for a schema.
/// Errors: also 3F000 if the schema no longer exists once the lock is taken.
void lock_schema(Oid schema);

/// Drops the tables of a store, step by step. The caller must have locked the schema.
/// Errors: 42P17 the store is not complete; 55000 it has rows and discovery.allow_data_loss is off.
void drop_store(const core::Migrations *migrations, const Store &store);

/// Raises 42501 unless the role has the privileges of the store's owner.
void require_ownership(const Store &store, Oid role);

/// Raises 42501, with the necessary GRANT as the hint, unless the role may create tables in the
/// schema.
void require_right_to_create(Oid schema, Oid role);

/// Whether a SET in this session made the current value, not a setting of the database or role.
bool is_set_in_session(const char *setting);

/// The owner of the relations in the schema that have the names of a store's tables, or InvalidOid
/// if there are none.
/// Errors: 42809 one is not a plain table; 42P17 they have different owners.
Oid owner_of_tables(Oid schema);

/// The release whose shape has the fewest differences from the tables `is`, the newest of several; null
/// if there is no release.
const core::Release *nearest_release(const core::Migrations *migrations, const core::Shape *is);

/// Whether the store matches its version once the triggers and defaults that it lost with the functions
/// of the extension are put back.
bool can_reattach(const core::Migrations *migrations, const Store &store);

/// Adopts the tables of `owner` in the schema for `caller`, without changing them. If there is a
/// record, the tables must have the shape of its version, and lost functions are attached again. If
/// there is none, the tables must have the shape of some release, and a record is created.
/// Errors: 42501 the caller may not adopt them; 42P17 the shape does not match; 0A000 the recorded
/// version is unknown; 42P07 `is_new` is set but the store is already complete.
void adopt(const core::Migrations *migrations, Oid schema, Oid owner, Oid caller, bool is_new);

/// The shape without the record, which differs from version to version.
const core::Shape *without_record(const core::Shape *shape);

/// Whether this transaction has adopted the store.
bool was_adopted_now(const Store &store);

/// Whether all that the store's guarantees rest on is there and in force (core::is_guarded). It does
/// not print definitions, so it waits for no lock.
bool is_guarded(const core::Migrations *migrations, const Store &store);

/// The statements that recreate what DROP EXTENSION ... CASCADE dropped from a store. Empty if
/// nothing is missing.
const std::vector<std::string> *lost_functions(const core::Migrations *migrations, const Store &store);

/// Runs these statements as the store's owner, and repairs the counts.
void reattach(const core::Migrations *migrations, const Store &store, const std::vector<std::string> *statements);

}  // namespace discovery
