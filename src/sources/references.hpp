// The foreign keys by which other tables refer to rows of a store that are about to be deleted.
#pragma once

#include "server/queries.hpp"
#include "store/current_store.hpp"

namespace discovery {

struct Reference {
    const char *keys;  // a query for what the key refers to; null if it has a column of arrays
    const char *condition, *lock, *table;
    char action;  // c: deletes the rows, n and d: changes them
    const char *name;
    Oid relation;
    int columns;
    const char *only;    // before the name of the table
    bool has_one_owner;  // all its partitions are its owner's

    /// Whether it deletes or changes rows of the user's.
    bool loses_rows() const { return action == 'c' || action == 'n' || action == 'd'; }
};

/// Lives until SPI_finish().
struct References {
    SPITupleTable *found;
    uint64 count;

    Reference operator[](uint64 number) const;
};

/// The foreign keys of users to rows that go with a row of `table`: to the row itself, and if it is a notebook, to all
/// that is in it. The keys by which sources and outputs belong to their notebook are none of these.
/// Errors: 55000 one of the tables is not the owner's.
References find_references(const Store &store, const char *table, Datum id);

/// The number of rows by which the key refers to what goes with the row, and that do not go with it; -1 where the owner
/// of the store may not read all of the user's table, or one of its partitions is of another owner, and for a key of
/// arrays. They are counted as the owner of that table: code in its indexes runs where a query is planned.
int64 count_references(const Store &store, const Reference &reference, Datum id);

}  // namespace discovery
