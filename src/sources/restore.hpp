// Undoes soft deletes.
#pragma once

#include "store/catalog.hpp"

extern "C" {
#include "utils/tuplestore.h"
}

namespace discovery {

/// Where the outcomes go, and their columns: id, outcome.
struct Outcomes {
    Tuplestorestate *rows;
    TupleDesc columns;
};

/// Restores the sources that a deletion has soft-deleted, as restore_sources() does.
/// Errors: those of restore_sources().
void restore_sources(const Outcomes &result, const Store &store, Datum deletion, bool keep_deleted);

}  // namespace discovery
