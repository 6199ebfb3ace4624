// Our own statements, through SPI. All of this is called inside SPI_connect().
#pragma once

#include <initializer_list>

#include "server/guard.hpp"

namespace discovery {

/// An argument of a statement.
struct Argument {
    Oid type;
    Datum value;
    bool is_null = false;
};
Argument oid_argument(Oid value);
Argument uuid_argument(Datum value);
Argument text_argument(std::string_view value);
/// A text that may be null; null is NULL.
Argument text_argument(const char *value);

/// Runs a statement of ours, inside enter(); returns the number of rows, which
/// are in SPI_tuptable, or go to `rows`. One that only reads sees all that is committed, whatever
/// the isolation level (so its function cannot be PARALLEL SAFE).
uint64 query(const char *sql, std::initializer_list<Argument> arguments = {}, bool read_only = true,
             Tuplestorestate *rows = nullptr);

/// The same for what runs once a row or a statement of the user's: planned once
/// a backend, under the search_path there is, so every name and operator in it
/// must be qualified. Sees what the isolation level lets it see. `index`: the one
/// to go by, where its table has it.
uint64 run_saved(const char *sql, std::initializer_list<Argument> arguments, const char *index = nullptr,
                 Tuplestorestate *rows = nullptr);

/// Once, when the library is loaded: for run_saved()'s `index`.
void watch_planning();

/// A column of a result's row, both from 0; null where it is NULL.
const char *result_text(uint64 row, int column);
Datum result_datum(uint64 row, int column, bool *is_null);

}  // namespace discovery
