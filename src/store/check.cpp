// discovery_check(): lists how a live store differs from its version. discovery_autogenerate():
// returns the differences as the statements of a migration.
#include "server/arguments.hpp"
#include "server/queries.hpp"
#include "server/result.hpp"
#include "server/session.hpp"
#include "store/current_store.hpp"
#include "store/preparation.hpp"
#include "store/record.hpp"
#include "store/shape.hpp"
#include "store/store.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "utils/acl.h"
}

#include "core/alteration.hpp"
#include "core/repair.hpp"

namespace discovery {
namespace {

const core::Release *require_release(const core::Migrations *migrations, const Store &store) {
    const core::Release *release = migrations->release(store.version);
    if (release == nullptr)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("the store in schema \"%s\" has version %s, which this release of discovery does not know",
                       get_namespace_name(store.schema), text_of(store.version)));
    return release;
}

// Whether the schema has tables that a store could adopt, and no record.
bool has_tables_only(Oid schema) {
    return OidIsValid(schema) && !OidIsValid(get_relname_relid(record_table, schema)) &&
           (OidIsValid(get_relname_relid("notebooks", schema)) || OidIsValid(get_relname_relid("sources", schema)));
}

// Sets a text value from a string; an empty string is NULL.
void set_text(Datum *value, bool *is_null, const std::string &content) {
    *is_null = content.empty();
    if (!*is_null) *value = to_text(content);
}

void put_difference(FunctionCallInfo fcinfo, const core::Difference &difference, const core::Shape &is,
                    const core::Shape &should_be, const char *store, const char *functions) {
    const core::Object &object = difference.object();
    const char *kind = difference.kind == core::Difference::Kind::missing     ? "missing"
                       : difference.kind == core::Difference::Kind::different ? "different"
                                                                              : "extra";
    Datum values[5] = {};
    bool nulls[5] = {};
    values[0] = to_text(*in_core([&] { return object.kind + " " + object.name; }));
    values[1] = to_text(kind);
    set_text(&values[2], &nulls[2], *in_core([&] { return core::unmarked(difference.is).definition; }));
    set_text(&values[3], &nulls[3], *in_core([&] { return core::unmarked(difference.should_be).definition; }));
    set_text(&values[4], &nulls[4],
             *in_core([&] { return core::place_schemas(core::repair(difference, is, should_be), store, functions); }));
    put_row(fcinfo, values, nulls);
}

// Puts the steps whose checksum in the history differs from that of the installed step.
void put_other_steps(FunctionCallInfo fcinfo, const core::Migrations *migrations, const Store &store) {
    if (!may_read_record(store)) return;
    MemoryContext caller = CurrentMemoryContext;
    SPI_connect();
    Session session = enter_record(store);
    uint64 rows =
        query(placed("SELECT DISTINCT ON (coalesce(previous_version, 'base'), version)"
                     " coalesce(previous_version, 'base'), version, checksum"
                     " FROM @store@.discovery_migrations WHERE checksum IS NOT NULL"
                     " ORDER BY coalesce(previous_version, 'base'), version, applied_at DESC",
                     store));
    for (uint64 row = 0; row < rows; ++row) {
        const char *from = result_text(row, 0), *to = result_text(row, 1), *applied = result_text(row, 2);
        for (const core::Step &step : migrations->steps) {
            bool is_it = *in_core([&] { return step.from.text() == from && step.to.text() == to; });
            if (!is_it) continue;
            const char *installed = step_checksum(&step);
            if (strcmp(installed, applied) == 0) continue;
            MemoryContext inner = MemoryContextSwitchTo(caller);
            Datum values[5] = {to_text(psprintf("step %s -> %s", from, to)), to_text("different"), to_text(applied),
                               to_text(installed), Datum{}};
            bool nulls[5] = {false, false, false, false, true};
            put_row(fcinfo, values, nulls);
            MemoryContextSwitchTo(inner);
        }
    }
    leave(session);
    SPI_finish();
}

// Whether the object belongs to a table of the store. Other tables of the user are ignored.
bool is_of_store(const core::Object &object, const core::Shape &should_be) {
    return std::any_of(should_be.begin(), should_be.end(),
                       [&](const core::Object &other) { return other.relation() == object.relation(); });
}

void put_migration(FunctionCallInfo fcinfo, const char *direction, const std::vector<core::Repair> &statements) {
    for (const core::Repair &statement : statements) {
        Datum values[3] = {to_text(direction)};
        bool nulls[3] = {};
        set_text(&values[1], &nulls[1], statement.statement);
        set_text(&values[2], &nulls[2], statement.comment);
        put_row(fcinfo, values, nulls);
    }
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_check) {
    begin_result(fcinfo);
    const core::Migrations *migrations = shipped_migrations();
    const char *name = name_argument(fcinfo, 0);
    Store store;
    Oid schema = name ? get_namespace_oid(name, false) : InvalidOid;
    bool has_store = !has_tables_only(schema);
    if (has_store) {
        store = require_store(name, true);
        schema = store.schema;
    }
    const core::Shape *all = read_shape(schema);
    const core::Shape &is = has_store ? *without_preparation(migrations, store, all) : *all;
    const core::Release *release =
        has_store ? require_release(migrations, store) : nearest_release(migrations, without_record(&is));
    const core::Shape &should_be = has_store ? release->shape : *without_record(&release->shape);
    const char *quoted = quoted_schema(schema), *functions = quoted_schema(read_extension().schema);
    auto *differences = in_core([&] {
        auto all = core::compare(is, should_be);
        std::erase_if(all, [&](const core::Difference &one) { return !is_of_store(one.object(), should_be); });
        return all;
    });
    for (const core::Difference &difference : *differences)
        put_difference(fcinfo, difference, is, should_be, quoted, functions);
    if (has_store) put_other_steps(fcinfo, migrations, store);
    return Datum{};
}

DISCOVERY_FUNCTION(discovery_autogenerate) {
    begin_result(fcinfo);
    Store store = require_store(name_argument(fcinfo, 0), true);
    refuse_prepared(store, "derive a migration");
    const core::Migrations *migrations = shipped_migrations();
    const core::Shape &version = *without_record(&require_release(migrations, store)->shape);
    const core::Shape &whole = *without_record(read_shape(store.schema, true));
    const std::vector<core::Surrounding> &surroundings = *read_surroundings(store.schema);
    const auto *migration = in_core([&] { return core::migration(version, whole, surroundings); });
    put_migration(fcinfo, "up", migration->up);
    put_migration(fcinfo, "down", migration->down);
    return Datum{};
}
