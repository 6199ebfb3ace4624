// discovery_run_step(), which ALTER EXTENSION discovery UPDATE calls, and discovery_upgrade(),
// discovery_downgrade() and discovery_stamp().
#include "server/arguments.hpp"
#include "server/session.hpp"
#include "store/current_store.hpp"
#include "store/preparation.hpp"
#include "store/shape.hpp"
#include "store/store.hpp"

extern "C" {
#include "catalog/pg_extension.h"
#include "tcop/utility.h"
#include "utils/acl.h"
}

#include "core/target.hpp"

namespace discovery {
namespace {

// A list of the stores of this database, except that in the schema `except`, whose version is above
// `version`. Null if there are none.
const char *stores_above(core::Version version, Oid except) {
    StringInfoData names;
    initStringInfo(&names);
    ListCell *cell;
    foreach (cell, schemas_with_record()) {
        Store store;
        if (lfirst_oid(cell) == except || !find_store(lfirst_oid(cell), &store) || store.version <= version) continue;
        appendStringInfo(&names, "%sThe store in schema \"%s\" has version %s.", names.len > 0 ? "\n" : "",
                         get_namespace_name(store.schema), text_of(store.version));
    }
    return names.len > 0 ? names.data : nullptr;
}

// Returns the store that the argument names, after checking that the caller may migrate it. It
// locks the extension, because the migration may have to update it, so only one migration runs in
// the database. The schema is locked later, in the order in which ALTER EXTENSION in another
// session locks it.
Store begin_migration(FunctionCallInfo fcinfo, int schema_argument, const char *function) {
    PreventCommandIfReadOnly(function);
    Store store = require_store(name_argument(fcinfo, schema_argument));
    require_ownership(store, GetUserId());
    lock_object(ExtensionRelationId, read_extension().id);
    // The previous holder of the lock may have migrated it.
    return require_store(get_namespace_name(store.schema));
}

// Locks the schema against other migrations and reads the store again.
Store lock_store(const Store &store) {
    lock_schema(store.schema);
    return require_store(get_namespace_name(store.schema));
}

std::string_view target_argument(FunctionCallInfo fcinfo) {
    require_argument(fcinfo, 0, "target");
    return *view_argument(fcinfo, 0);
}

// Updates the extension with the caller's privileges.
void alter_extension(core::Version to) {
    Extension extension = read_extension();
    if (!has_privs_of_role(GetUserId(), extension.owner))
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("must be owner of extension discovery"),
                errdetail("The extension has version %s, and a store cannot be newer than the extension.",
                          text_of(extension.version)),
                errhint("Role \"%s\" owns the extension and can update it: ALTER EXTENSION discovery UPDATE TO '%s';",
                        GetUserNameFromId(extension.owner, false), text_of(to)));
    SPI_connect();
    int result = SPI_execute(psprintf("ALTER EXTENSION discovery UPDATE TO '%s'", text_of(to)), false, 0);
    if (result < 0) elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
    SPI_finish();
}

Datum version_now(Oid schema) {
    Store store = require_store(get_namespace_name(schema));
    return to_text(text_of(store.version));
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_upgrade) {
    std::string_view target = target_argument(fcinfo);
    Store store = begin_migration(fcinfo, 1, "discovery_upgrade()");
    const core::Migrations *migrations = shipped_migrations();
    core::Version to = *in_core([&] { return core::resolve_upgrade(*migrations, store.version, target); });
    if (!store.is_complete()) refuse_incomplete(store);
    if (store.version == to)
        ereport(NOTICE, errmsg("the store in schema \"%s\" already has version %s", get_namespace_name(store.schema),
                               text_of(to)));
    // Update the functions first, because the steps of a version use them.
    if (read_extension().version < to) alter_extension(to);
    store = lock_store(store);
    if (store.version < to) run_steps(migrations, store.schema, store.owner, store.version, to);
    PG_RETURN_DATUM(version_now(store.schema));
}

DISCOVERY_FUNCTION(discovery_downgrade) {
    std::string_view target = target_argument(fcinfo);
    Store store = begin_migration(fcinfo, 1, "discovery_downgrade()");
    const core::Migrations *migrations = shipped_migrations();
    core::Version to = *in_core([&] { return core::resolve_downgrade(*migrations, store.version, target); });
    refuse_prepared(store, "downgrade");
    if (to.is_base()) {
        drop_store(migrations, lock_store(store));
        PG_RETURN_TEXT_P(cstring_to_text("base"));
    }
    Extension extension = read_extension();
    // The extension is downgraded too, unless the caller owns only the store.
    if (store.schema == extension.schema && to < extension.version && has_privs_of_role(GetUserId(), extension.owner))
        alter_extension(to);
    store = lock_store(store);
    if (to < store.version) run_steps(migrations, store.schema, store.owner, store.version, to);
    PG_RETURN_DATUM(version_now(store.schema));
}

DISCOVERY_FUNCTION(discovery_stamp) {
    std::string_view target = target_argument(fcinfo);
    Store store = begin_migration(fcinfo, 1, "discovery_stamp()");
    const core::Migrations *migrations = shipped_migrations();
    core::Version to = *in_core([&] { return core::parse_version(target); });
    const core::Release *release = migrations->release(to);
    if (release == nullptr)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("version \"%s\" does not exist", text_of(to)),
                errhint("The newest version is %s.", text_of(migrations->newest())));
    store = lock_store(store);
    refuse_prepared(store, "stamp a version");
    const core::Shape *is = without_record(read_shape(store.schema)), *should_be = without_record(&release->shape);
    auto *differences = in_core([&] { return core::list(core::violations(core::compare(*is, *should_be))); });
    if (!differences->empty())
        ereport(ERROR, errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                errmsg("the store in schema \"%s\" does not have the shape of version %s",
                       get_namespace_name(store.schema), text_of(to)),
                errdetail("%s", differences->c_str()));
    if (store.version != to) stamp(store.schema, store.owner, store.version, to);
    PG_RETURN_DATUM(version_now(store.schema));
}

DISCOVERY_FUNCTION(discovery_run_step) {
    Extension extension = read_extension();
    require_script(extension, "discovery_run_step");
    const char *from_text = text_to_cstring(PG_GETARG_TEXT_PP(0)), *to_text = text_to_cstring(PG_GETARG_TEXT_PP(1));
    core::Version from = *in_core([&] { return core::parse_version(from_text); });
    core::Version to = *in_core([&] { return core::parse_version(to_text); });
    const core::Migrations *migrations = shipped_migrations();

    if (to < from)
        if (const char *stores = stores_above(to, extension.schema))
            ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("cannot downgrade the extension to version %s because some stores have a newer version",
                           to_text),
                    errdetail("%s", stores), errhint("Downgrade them first with discovery_downgrade()."));

    lock_schema(extension.schema);
    Store store;
    if (!find_store(extension.schema, &store)) PG_RETURN_VOID();
    // A store that lost its functions to DROP EXTENSION ... CASCADE gets them again.
    if (store.version == to && to > from && has_privs_of_role(extension.owner, store.owner)) {
        const std::vector<std::string> *lost = lost_functions(migrations, store);
        if (!lost->empty()) reattach(migrations, store, lost);
        PG_RETURN_VOID();
    }
    // Skip a store that this transaction has adopted, and a store that its owner has migrated to
    // another version.
    if (store.version != from || was_adopted_now(store)) PG_RETURN_VOID();
    if (!has_privs_of_role(extension.owner, store.owner)) {
        const char *functions = quoted_schema(extension.schema);
        const char *literal = quote_literal_cstr(get_namespace_name(store.schema));
        if (to < from)
            ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("cannot downgrade the extension to version %s because some stores have a newer version",
                           to_text),
                    errdetail("The store in schema \"%s\" has version %s, and belongs to \"%s\".",
                              get_namespace_name(store.schema), from_text, GetUserNameFromId(store.owner, false)),
                    errhint("Its owner can downgrade it first: SELECT %s.discovery_downgrade('%s', %s);", functions,
                            to_text, literal));
        ereport(WARNING,
                errmsg("the store in schema \"%s\" remains at version %s because it belongs to \"%s\"",
                       get_namespace_name(store.schema), from_text, GetUserNameFromId(store.owner, false)),
                errhint("Its owner can upgrade it: SELECT %s.discovery_upgrade('head', %s);", functions, literal));
        PG_RETURN_VOID();
    }
    run_steps(migrations, store.schema, store.owner, from, to);
    PG_RETURN_VOID();
}
