// discovery_run_step(): what ALTER EXTENSION discovery UPDATE does to stores.
#include "queries.hpp"
#include "session.hpp"
#include "store.hpp"

namespace discovery {
namespace {

// The other stores of this database that are above a version, named.
const char *stores_above(core::Version version, Oid except) {
    StringInfoData names;
    initStringInfo(&names);
    ListCell *cell;
    foreach (cell, schemas_with_record()) {
        Store store;
        if (lfirst_oid(cell) == except || !find_store(lfirst_oid(cell), &store) || store.version <= version) continue;
        appendStringInfo(&names, "%sThe store in schema \"%s\" has version %s.", names.len > 0 ? "\n" : "",
                         get_namespace_name(store.schema), in_core([&] { return store.version.text(); })->c_str());
    }
    return names.len > 0 ? names.data : nullptr;
}

}  // namespace
}  // namespace discovery

using namespace discovery;

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
                    errmsg("cannot take the extension down to version %s because there are stores above it", to_text),
                    errdetail("%s", stores), errhint("Take them down first, with discovery_downgrade()."));

    lock_schema(extension.schema);
    Store store;
    if (!find_store(extension.schema, &store)) PG_RETURN_VOID();
    // The functions that a store lost by DROP EXTENSION … CASCADE are there again.
    if (store.version == to && to > from && has_privs_of_role(extension.owner, store.owner)) {
        const std::vector<std::string> *lost = lost_functions(migrations, store);
        if (!lost->empty()) mend(store, lost);
        PG_RETURN_VOID();
    }
    // One that was adopted just now stays as it was found; so does one that its
    // owner took elsewhere.
    if (store.version != from || was_adopted_now(store)) PG_RETURN_VOID();
    if (!has_privs_of_role(extension.owner, store.owner)) {
        if (to < from) require_ownership(store, extension.owner);
        ereport(WARNING,
                errmsg("the store in schema \"%s\" stays at version %s, because it belongs to \"%s\"",
                       get_namespace_name(store.schema), from_text, GetUserNameFromId(store.owner, false)),
                errhint("Its owner can bring it up: SELECT %s.discovery_upgrade();", quoted_schema(extension.schema)));
        PG_RETURN_VOID();
    }
    run_steps(migrations, store.schema, store.owner, from, to);
    PG_RETURN_VOID();
}
