// The state of a store, and the next step of its owner.
#pragma once

#include <string>

#include "core/version.hpp"

namespace discovery::core {

/// The facts that determine the state.
struct StoreFacts {
    std::string schema;     // of the store, not quoted
    std::string functions;  // the schema of the extension, quoted if SQL requires it
    Version store;          // base if the schema has no record
    bool is_complete;       // the tables exist
    bool is_guarded;        // what its guarantees rest on is there and in force
    bool can_reattach;      // only what DROP EXTENSION ... CASCADE removes is missing
    Version extension;      // of the extension in this database
    Version newest;         // the newest version that the library knows
    int done = 0;           // of the tasks of a preparation
    int tasks = 0;          // 0 if the store is not being prepared for an upgrade
};

struct StoreState {
    std::string state;      // current, behind, "preparing, 4 of 9", prepared, ahead, missing, detached, damaged
    std::string next_step;  // a sentence with the command, or "nothing"
};

/// Returns the state of the store and the next step of its owner.
StoreState judge(const StoreFacts &facts);

}  // namespace discovery::core
