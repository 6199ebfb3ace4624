// Determines the state of a store and the next step of its owner.
#include "core/state.hpp"

namespace discovery::core {
namespace {

std::string literal(const std::string &text) {
    std::string quoted = "'";
    for (char c : text) {
        if (c == '\'') quoted += c;
        quoted += c;
    }
    return quoted + "'";
}

}  // namespace

StoreState judge(const StoreFacts &facts) {
    if (facts.store.is_base())
        return {"missing",
                "create a store: SELECT " + facts.functions + ".discovery_create_store(" + literal(facts.schema) + ")"};
    if (!facts.is_complete)
        return {"missing", "check its tables: SELECT * FROM " + facts.functions + ".discovery_check(" +
                               literal(facts.schema) + ")"};
    if (!facts.is_guarded && facts.store == facts.extension && !facts.can_reattach)
        return {"damaged", "repair its tables with the statements of: SELECT object, fix FROM " + facts.functions +
                               ".discovery_check(" + literal(facts.schema) + ")"};
    if (!facts.is_guarded && facts.store == facts.extension)
        return {"detached",
                "reattach it: SELECT " + facts.functions + ".discovery_create_store(" + literal(facts.schema) + ")"};
    if (facts.store > facts.extension) {
        if (facts.newest >= facts.store)
            return {"ahead", "update the extension: ALTER EXTENSION discovery UPDATE TO '" + facts.store.text() + "'"};
        return {"ahead", "install a release of discovery that has version " + facts.store.text() + " on this server"};
    }
    if (facts.done < facts.tasks)
        return {"preparing, " + std::to_string(facts.done) + " of " + std::to_string(facts.tasks),
                "continue with the statements of: SELECT statement FROM " + facts.functions +
                    ".discovery_prepare_upgrade('head', " + literal(facts.schema) + ")"};
    if (facts.tasks > 0)
        return {"prepared", "upgrade the store: SELECT " + facts.functions + ".discovery_upgrade('head', " +
                                literal(facts.schema) + ")"};
    if (facts.store < facts.extension)
        return {"behind", "upgrade the store: SELECT " + facts.functions + ".discovery_upgrade('head', " +
                              literal(facts.schema) + ")"};
    if (facts.extension < facts.newest)
        return {"current", "version " + facts.newest.text() + " is available: ALTER EXTENSION discovery UPDATE"};
    return {"current", "nothing"};
}

}  // namespace discovery::core
