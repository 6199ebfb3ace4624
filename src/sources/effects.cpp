// What the unfinished statements of this backend have done to a store's tables so far.
#include "sources/effects.hpp"

#include "server/statement.hpp"

namespace discovery {
namespace {

// By table
OfStatement<std::map<Oid, Effects>> pending;

Oid table_of(FunctionCallInfo fcinfo) {
    return RelationGetRelid(reinterpret_cast<TriggerData *>(fcinfo->context)->tg_relation);
}

}  // namespace

Effects &effects_here(FunctionCallInfo fcinfo) {
    std::map<Oid, Effects> &here = pending.at(fcinfo);
    Effects *effects;
    in_core([&] { effects = &here[table_of(fcinfo)]; });
    return *effects;
}

Effects *take_effects(FunctionCallInfo fcinfo) {
    std::map<Oid, Effects> *here = pending.find(fcinfo);
    if (here == nullptr) return nullptr;
    auto found = here->find(table_of(fcinfo));
    if (found == here->end()) return nullptr;
    Effects *taken = in_core([&] { return std::move(found->second); });
    here->erase(found);
    return taken;
}

}  // namespace discovery
