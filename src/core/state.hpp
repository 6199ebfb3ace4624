// The state of a store, and what its owner should do next.
#pragma once

#include <string>

#include "core/version.hpp"

namespace discovery::core {

struct StoreFacts {
    std::string schema;     // of the store, unquoted
    std::string functions;  // the schema of the extension, quoted as SQL needs it
    Version store;          // base where there is no record
    bool is_complete;       // the tables are there
    bool is_detached;       // what called the functions of the extension is not
    Version extension;
    Version newest;  // that the library knows
};

struct StoreState {
    std::string state;      // current, behind, ahead, missing, detached
    std::string next_step;  // in words, with the command
};

StoreState judge(const StoreFacts &facts);

}  // namespace discovery::core
