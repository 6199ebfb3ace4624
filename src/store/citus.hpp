// Citus: stores whose schema it keeps on another server (schema-based sharding).
#pragma once

#include "store/catalog.hpp"

namespace discovery {

/// Whether the database has Citus.
bool has_citus();

/// Whether Citus has opened this session, to do a part of another session's work on this server.
bool is_session_of_citus();

/// Whether Citus distributes the schema, and so keeps its tables on one of its servers.
bool is_distributed(Oid schema);

/// The server that has the tables of the store, as host:port; null if Citus does not distribute the store.
const char *node_of(const Store &store);

/// Creates the schema if it is missing, and has Citus distribute it. Returns the schema.
/// Errors: 0A000 the database has no Citus, or the schema is that of the extension; 55000 this is not the
/// coordinator; those of require_triggers(); 42P07 the schema has a store already, which is not distributed.
Oid distribute_schema(const char *name);

/// Checks that all servers let triggers run in a distributed schema.
/// Errors: 55000, with the statements that allow it.
void require_triggers();

}  // namespace discovery
