// Runs the extension's own statements through SPI. The caller must have called SPI_connect().
#pragma once

#include <initializer_list>
#include <span>

#include "server/guard.hpp"

extern "C" {
#include "executor/spi.h"
#include "utils/tuplestore.h"
}

namespace discovery {

/// Where the rows of a statement go, and the columns that whoever reads them expects.
struct Rows {
    Tuplestorestate *store = nullptr;
    TupleDesc columns = nullptr;
};

/// An argument of a statement. `value` is not used if `is_null` is true.
struct Argument {
    Oid type;
    Datum value;
    bool is_null = false;
};
Argument oid_argument(Oid value);
Argument uuid_argument(Datum value);
Argument text_argument(std::string_view value);
/// A null pointer becomes NULL.
Argument text_argument(const char *value);

/// Runs a statement between enter() and leave(). Returns the number of rows. The rows go to `rows`,
/// or to SPI_tuptable if there is none. A statement with `read_only` sees all committed changes
/// regardless of the isolation level, so the function that runs it cannot be PARALLEL SAFE.
/// Errors: 42804 a column of `rows` has another type than expected: somebody has altered the table.
uint64 query(const char *sql, std::span<const Argument> arguments, bool read_only = true, const Rows &rows = {});
inline uint64 query(const char *sql, std::initializer_list<Argument> arguments = {}, bool read_only = true,
                    const Rows &rows = {}) {
    return query(sql, std::span(arguments.begin(), arguments.size()), read_only, rows);
}

/// Like query(), for statements that run once per row or statement of the user. The statement is
/// planned once per backend and search_path, so it must qualify every name and operator. It sees
/// what the isolation level allows. If its table has the index `index`, the plan
/// uses only this index for the table.
uint64 run_saved(const char *sql, std::initializer_list<Argument> arguments, const char *index = nullptr,
                 const Rows &rows = {});

/// Return a column of a row in SPI_tuptable. Rows and columns are numbered from 0. result_text()
/// returns null for NULL. The value of result_datum() has the type that the caller will read, also if somebody has
/// altered the table.
/// Errors: XX000 there is no such row; 42804 the column has another type.
const char *result_text(uint64 row, int column);
Datum result_datum(uint64 row, int column, Oid type, bool *is_null);

/// The same for rows that are no longer in SPI_tuptable.
Datum result_datum(const SPITupleTable *rows, uint64 row, int column, Oid type, bool *is_null);

}  // namespace discovery
