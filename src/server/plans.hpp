// Keeps the plans of the extension's own statements in the backend.
#pragma once

#include "server/guard.hpp"

namespace discovery {

/// A plan in use. It stays until release_plan(), which must be called after an error too.
struct SavedPlan {
    const char *sql;
    SPIPlanPtr plan;
    uint64 last_used;  // on a clock that counts uses
    int users;         // calls under way; a trigger of the user may run the same statement again
};

/// Returns the plan of a statement, planned unless it has a valid plan. A backend keeps the plans it
/// used last, up to a number that does not depend on how many stores it works on, and drops those
/// whose tables are gone. `index`: the only index to use for the table that has it, or null. Call it
/// inside SPI_connect().
SavedPlan *hold_plan(const char *sql, const Oid *types, int count, const char *index);
void release_plan(SavedPlan *plan);

/// Installs the planner hook for `index`. Call once, when the library is loaded.
void watch_planning();

}  // namespace discovery
