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
        return {"missing", "make a store: SELECT " + facts.functions + ".discovery_create_store(" +
                               literal(facts.schema) + ")"};
    if (!facts.is_complete)
        return {"missing", "see what became of its tables: SELECT * FROM " + facts.functions + ".discovery_check(" +
                               literal(facts.schema) + ")"};
    if (facts.is_cut_loose && facts.store == facts.extension)
        return {"cut loose", "put its triggers back: SELECT " + facts.functions + ".discovery_create_store(" +
                                 literal(facts.schema) + ")"};
    if (facts.store > facts.extension) {
        if (facts.newest >= facts.store)
            return {"ahead", "bring up the extension: ALTER EXTENSION discovery UPDATE TO '" + facts.store.text() + "'"};
        return {"ahead", "install a discovery that has version " + facts.store.text() + " on this server"};
    }
    if (facts.store < facts.extension)
        return {"behind", "bring up the store: SELECT " + facts.functions + ".discovery_upgrade('head', " +
                              literal(facts.schema) + ")"};
    if (facts.extension < facts.newest)
        return {"current", "version " + facts.newest.text() + " is there: ALTER EXTENSION discovery UPDATE"};
    return {"current", "nothing"};
}

}  // namespace discovery::core
