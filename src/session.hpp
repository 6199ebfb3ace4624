// Whose rights a piece of work has, and with which settings; and queries of
// ours inside it.
#pragma once

#include <initializer_list>

#include "guard.hpp"

namespace discovery {

/// What leave() puts back. An error needs no leave(): the abort of the
/// (sub)transaction restores the same state.
struct Session {
    Oid user;
    int security_context;
    int settings_level;
    bool creating_extension;
    Oid extension;
};

/// Pins search_path to pg_catalog and what else changes how our own queries
/// are read and how PostgreSQL prints objects. Keeps the identity.
Session enter();

/// The same as another role, for DDL and data of a store: nothing of that role
/// outlives the session or sees more rights than its own, its row security does
/// not hide rows from it, and what is created is no member of an extension. A
/// lock is waited for 5 s where lock_timeout says for ever.
Session enter_as(Oid role);

void leave(const Session &session);

/// An argument of a query.
struct Argument {
    Oid type;
    Datum value;
    bool is_null = false;
};
Argument oid_argument(Oid value);
Argument text_argument(std::string_view value);

/// Runs one of our own queries, inside SPI_connect() and enter(); returns the
/// number of rows. The rows are in SPI_tuptable. One that only reads sees all
/// that is committed, whatever the isolation level (so its function cannot be
/// PARALLEL SAFE).
uint64 query(const char *sql, std::initializer_list<Argument> arguments = {}, bool read_only = true);

/// A column of a result's row, both from 0; null where it is NULL.
const char *result_text(uint64 row, int column);

}  // namespace discovery
