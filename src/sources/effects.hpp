// What the unfinished statements of this backend have done to a store's tables so far: the triggers of
// the rows add it up, the trigger of the statement takes it.
#pragma once

#include <map>

#include "sources/uuid.hpp"

#include "core/tally.hpp"

extern "C" {
#include "commands/trigger.h"
}

namespace discovery {

/// The numbers of rows that a deletion has deleted.
struct Deleted {
    int64 sources = 0, notebooks = 0, outputs = 0;
};

struct Effects {
    core::Tally tally;                      // by notebook
    std::map<core::Uuid, Deleted> deleted;  // by deletion
    std::vector<std::string> lost_files;    // paths that no longer are a source's
};

/// The effects on the trigger's table of the statement that calls the trigger; each has its own, as a
/// user's trigger may run another statement in the middle of one. Makes them if there are none.
Effects &effects_here(FunctionCallInfo fcinfo);

/// Takes the same away, into CurrentMemoryContext, if there are any, else returns null: for the triggers that
/// fire from here on they do not exist.
Effects *take_effects(FunctionCallInfo fcinfo);

}  // namespace discovery
