// What a statement does to tables, read from its parse tree.
#pragma once

#include "server/guard.hpp"

#include "core/shape.hpp"

extern "C" {
#include "nodes/nodes.h"
}

namespace discovery {

/// What a statement does to the tables of a store.
struct Analysis {
    const char *locks;    // "sources: AccessExclusiveLock, ..."; empty if it locks no table
    const char *effects;  // "scans sources, ..."; empty if it does nothing of this kind
    bool can_lose_data;
};

/// Analyzes a statement without running it. `shape` is that of the store before the step: nobody can
/// wait for a lock on a table that the step makes.
Analysis analyze(Node *statement, const core::Shape &shape);

}  // namespace discovery
