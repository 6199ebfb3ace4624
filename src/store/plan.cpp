// discovery_plan(): lists what an upgrade or a downgrade would run, and what each statement does to
// the tables. It runs nothing.
#include "server/arguments.hpp"
#include "server/result.hpp"
#include "store/analysis.hpp"
#include "store/current_store.hpp"
#include "store/preparation.hpp"
#include "store/store.hpp"

#include "core/target.hpp"

namespace discovery {
namespace {

void put_step(FunctionCallInfo fcinfo, const core::Migrations *migrations, const Store &store, const core::Step *step) {
    const core::Release *before = migrations->release(step->from);
    const core::Shape *shape = before ? &before->shape : in_core([] { return core::Shape{}; });
    int number = 0;
    ListCell *cell;
    foreach (cell, statements_of_step(migrations, store, step)) {
        CHECK_FOR_INTERRUPTS();
        auto *statement = static_cast<Statement *>(lfirst(cell));
        Analysis analysis = analyze(statement->tree, *shape);
        // What a preparation has made is no data of the user's.
        bool can_lose_data = analysis.can_lose_data && statement->number != 0;
        Datum values[] = {to_text(name_of(step)),  Int32GetDatum(++number),   to_text(statement->text),
                          to_text(analysis.locks), to_text(analysis.effects), BoolGetDatum(can_lose_data)};
        bool nulls[] = {false, false, false, analysis.locks[0] == '\0', analysis.effects[0] == '\0', false};
        put_row(fcinfo, values, nulls);
    }
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_plan) {
    require_argument(fcinfo, 0, "target");
    std::string_view target = *view_argument(fcinfo, 0);
    Store store = require_store(name_argument(fcinfo, 1));
    begin_result(fcinfo);
    const core::Migrations *migrations = shipped_migrations();
    core::Version to = *in_core([&] { return core::resolve_target(*migrations, store.version, target); });
    auto *path = in_core([&] { return core::find_path(*migrations, store.version, to); });
    for (const core::Step *step : *path) put_step(fcinfo, migrations, store, step);
    return Datum{};
}
