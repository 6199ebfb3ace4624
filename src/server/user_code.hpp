// Finds code of users that runs inside a statement: functions that are neither built in nor of this
// extension.
#pragma once

#include "server/guard.hpp"

extern "C" {
#include "nodes/plannodes.h"
}

namespace discovery {

/// The functions of users that a plan calls. A stable or immutable one reads with the snapshot of the
/// statement, a volatile one takes a snapshot of its own.
enum class UserFunctions { none, only_volatile, some_stable };
UserFunctions user_functions_of(const PlannedStmt *plan);

/// The code of users that writing to a table runs: triggers that are enabled, rules, domains, functions in
/// constraints, indexes and generated columns, and what may be deferred of unique constraints and of
/// foreign keys to other columns than the primary key.
struct UserCode {
    bool runs_on_update;   // some of it runs at an UPDATE that leaves the primary key as it is
    bool shares_snapshot;  // some of it reads with the snapshot of the statement
};
/// Reads it from the catalogs, once until one of them changes. The caller has locked the table.
UserCode user_code_of(Oid table);

/// Call once, when the library is loaded.
void watch_user_code();

}  // namespace discovery
