// Values for the columns that a user has added to sources.
#pragma once

#include "server/queries.hpp"
#include "store/store.hpp"

namespace discovery {

/// The pieces of a statement that writes such columns. `given` is the alias of their values in it.
struct OwnColumns {
    const char *names;        // `, "created_by", rating`
    const char *values;       // `, given."created_by", given.rating`
    const char *assignments;  // `, "created_by" = given."created_by", rating = given.rating`
    const char *definitions;  // `"created_by" character varying(255), rating integer`: for jsonb_to_record()
};

/// Reads which columns a jsonb object names. Returns null if it names none.
/// Errors: 22023 it is not an object, or it names a column of the store itself; 42703 sources has no
/// such column; 428C9 the column is generated.
const OwnColumns *read_own_columns(const Store &store, Datum columns);

}  // namespace discovery
