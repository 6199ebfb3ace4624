// Reads the catalogs about the extension and its stores. This needs no privilege on a store, reads
// no row of it, and runs no code of its owner.
#pragma once

#include "server/session.hpp"

#include "core/version.hpp"

namespace discovery {

inline constexpr const char *record_table = "discovery_migrations";

/// The extension in the current database.
struct Extension {
    Oid id;
    Oid owner;
    Oid schema;
    core::Version version;
};
/// Reads the extension's row.
/// Errors: 42704 the database does not have the extension.
Extension read_extension();

/// Waits for the end of a transaction that has altered the extension. Only newer minor releases of
/// PostgreSQL lock the extension in ALTER EXTENSION. In the others, a session that does not wait
/// fails with "tuple concurrently updated".
void wait_for_alter_extension();

/// A store: its record and its tables.
struct Store {
    Oid schema;
    Oid owner;
    Oid record;
    Oid notebooks;  // InvalidOid if the owner has no such plain table
    Oid sources;
    core::Version version;
    Oid functions;  // the schema of the extension, for current_store() alone; else InvalidOid

    bool is_complete() const { return OidIsValid(notebooks) && OidIsValid(sources); }
};

/// Whether the schema has the record of a store, and if so, sets `store`. A record is a plain table
/// discovery_migrations with a version as the default of its column version.
bool find_store(Oid schema, Store *store);

/// The schemas that have a table with the name of the record, as a list of OIDs in the order of
/// their names. find_store() decides whether the table is a record.
List *schemas_with_record();

/// The store in the schema with that name. If the name is null: the first complete store in
/// search_path. With `takes_incomplete`, the first incomplete one if there is no other.
/// Errors: 3F000 no such schema; 42P01 no store; 42P17 search_path has only incomplete stores.
Store require_store(const char *schema, bool takes_incomplete = false);

/// Raises 42P17 for a store that is not complete: says which tables are missing, and what to do.
[[noreturn]] void refuse_incomplete(const Store &store);

/// The owner of a relation, or InvalidOid if it does not exist.
Oid owner_of(Oid relation);

/// Why the relation cannot be a table of a store ("is a view"); null if it can.
const char *why_no_plain_table(Oid relation);

/// Why the relation is not a plain table of that owner ("is missing", ...); null if it is.
const char *why_not_of(Oid table, Oid owner);

/// The plain table with that name and owner, or InvalidOid.
Oid find_table(Oid schema, const char *name, Oid owner);

/// The owner of the schema, and of the current database.
Oid owner_of_schema(Oid schema);
Oid owner_of_database();

/// Prevents the schema from being renamed or dropped until the transaction ends. ALTER SCHEMA ...
/// RENAME locks only the schema, not its tables: without this lock, a name with this schema in it may
/// mean another table in the next statement. Nobody renames the schema without the rights of `owner`,
/// with which the names are used; InvalidOid trusts no owner of the schema.
/// Errors: 3F000 the schema no longer exists.
void hold_schema(Oid schema, Oid owner);

/// Locks a table of the store, and its schema, until the transaction ends, and checks that it is a
/// plain table of the store's owner. Until then its qualified name means this table. Call it before
/// reading or writing the table with the owner's privileges: the owner of the schema may have put
/// another table or a view in its place, whose code would run with these privileges.
/// Returns the table. Errors: 55000.
Oid hold_table(const Store &store, const char *name, LOCKMODE mode);

/// The quoted name of the table, with its schema, after both are locked: it means this table until the transaction
/// ends, for statements that run as `role`. Errors: 42P01 the table no longer exists.
const char *hold_name(Oid table, Oid role, LOCKMODE mode);

/// The search_path for code of `owner` that runs on behalf of other roles: the schema, if nobody but
/// `owner` can create objects in it, and pg_temp last; otherwise only pg_catalog and pg_temp.
const char *safe_search_path(Oid schema, Oid owner);

/// act_as() for the owner of the store, with safe_search_path().
Session act_as_owner(const Store &store, Deferred deferred);

/// The quoted name of a schema.
const char *quoted_schema(Oid schema);

/// `sql` with @store@ replaced by the quoted schema, and @functions@ by that of the extension, in
/// CurrentMemoryContext.
const char *placed(const char *sql, const Store &store);

/// A version as text, in CurrentMemoryContext.
const char *text_of(core::Version version);

}  // namespace discovery
