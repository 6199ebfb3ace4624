// What the catalogs say of the extension and of its stores. Reading only: no
// right on a store is needed, no row of it is read, nothing of its owner runs.
#pragma once

#include "server/guard.hpp"

#include "core/version.hpp"

namespace discovery {

inline constexpr const char *record_table = "discovery_migrations";

/// The extension in this database.
struct Extension {
    Oid id;
    Oid owner;
    Oid schema;
    core::Version version;
};
Extension read_extension();

/// Waits for a transaction that has altered the extension to end. Of the minor
/// releases only newer ones lock it in ALTER EXTENSION; with the others, who does
/// not wait fails with "tuple concurrently updated".
void wait_for_alter_extension();

/// A store: its record, and the tables it belongs to.
struct Store {
    Oid schema;
    Oid owner;
    Oid record;
    Oid notebooks;  // InvalidOid where there is no such plain table of the owner's
    Oid sources;
    core::Version version;

    bool is_complete() const { return OidIsValid(notebooks) && OidIsValid(sources); }
};

/// Whether the schema has a record of a store: a plain table
/// discovery_migrations whose column version has a version for a default.
bool find_store(Oid schema, Store *store);

/// The schemas, as a list of OIDs, that have a table of the record's name; by
/// name. find_store() tells whether it is one.
List *schemas_with_record();

/// The store in the schema of that name; of null, the first complete one in
/// search_path. Errors: 3F000 no such schema, 42P01 no store.
Store require_store(const char *schema);

/// The owner of a table or view; InvalidOid if it is gone.
Oid owner_of(Oid relation);

/// Why the relation cannot be a table of a store ("is a view"); null if it can.
const char *why_no_plain_table(Oid relation);

/// Locks a table of the store until the transaction ends, and makes sure that it is
/// a plain table of the store's owner. Before anything is read or written under
/// that name with the owner's rights: whoever owns the schema may have put another
/// table or a view there, whose code would run with them. Errors: 55000.
void hold_table(const Store &store, const char *name, LOCKMODE mode);

/// The quoted name of a schema.
const char *quoted_schema(Oid schema);

/// `sql` with @store@ replaced by the quoted schema, in CurrentMemoryContext.
const char *placed(const char *sql, const Store &store);

/// A version in words, in CurrentMemoryContext.
const char *text_of(core::Version version);

}  // namespace discovery
