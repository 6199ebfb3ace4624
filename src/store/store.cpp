// Creates and drops stores: discovery_install_store(), which the script of CREATE EXTENSION calls,
// discovery_create_store() and discovery_drop_store().
#include "store/store.hpp"

#include "server/arguments.hpp"
#include "server/queries.hpp"
#include "server/session.hpp"
#include "server/settings.hpp"
#include "store/citus.hpp"
#include "store/current_store.hpp"
#include "store/preparation.hpp"

extern "C" {
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "commands/extension.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/acl.h"
}

#if PG_VERSION_NUM < 160000
static AclResult object_aclcheck([[maybe_unused]] Oid catalog, Oid object, Oid role, AclMode mode) {
    Assert(catalog == NamespaceRelationId);
    return pg_namespace_aclcheck(object, role, mode);
}
#endif

namespace discovery {
namespace {

const char *schema_name(Oid schema) { return get_namespace_name(schema); }

// The output of pg_dump sets row_security first, in every format.
bool is_restoring() { return is_set_in_session("row_security"); }

// Checks that the schema can have a store, regardless of privileges.
// Errors: 3F000.
void require_usable(Oid schema) {
    const char *why = nullptr;
    if (IsCatalogNamespace(schema) || IsToastNamespace(schema))
        why = "It is a system schema.";
    else if (isAnyTempNamespace(schema))
        why = "It is a schema for temporary objects.";
    // The steps use the name inside dollar-quoted literals.
    else if (strchr(schema_name(schema), '$') != nullptr)
        why = "Its name contains a dollar sign.";
    if (why != nullptr)
        ereport(ERROR, errcode(ERRCODE_INVALID_SCHEMA_NAME),
                errmsg("schema \"%s\" cannot have a store", schema_name(schema)), errdetail("%s", why));
}

// Creates a store of version `target` for `caller`, or adopts existing tables.
void establish(Oid schema, Oid caller, core::Version target, bool is_new) {
    require_usable(schema);
    if (is_distributed(schema)) require_triggers();
    lock_schema(schema);
    const core::Migrations *migrations = shipped_migrations();
    Oid owner = owner_of_tables(schema);
    if (OidIsValid(owner)) {
        adopt(migrations, schema, owner, caller, is_new);
    } else {
        require_right_to_create(schema, caller);
        run_steps(migrations, schema, caller, core::Version{}, target);
    }
}

// The schema in which an unqualified CREATE TABLE would create its table.
Oid current_schema() {
    ListCell *cell;
    foreach (cell, fetch_search_path(false))
        if (!isTempNamespace(lfirst_oid(cell))) return lfirst_oid(cell);
    ereport(ERROR, errcode(ERRCODE_UNDEFINED_SCHEMA), errmsg("no schema has been selected to create in"));
}

}  // namespace

void require_script(const Extension &extension, const char *function) {
    if (!creating_extension || CurrentExtensionObject != extension.id)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("%s() can only be called from an SQL script executed by CREATE EXTENSION or ALTER EXTENSION",
                       function));
}

void lock_object(Oid catalog, Oid object) {
    const char *schema = catalog == NamespaceRelationId ? schema_name(object) : nullptr;
    Session session = enter();
    // A session that waits for a schema blocks others that create tables there, so limit the wait.
    // A session that waits for the extension blocks nobody else's tables.
    if (schema != nullptr) limit_lock_waits();
    lock_or_explain(schema ? psprintf("schema \"%s\"", schema) : "extension \"discovery\"",
                    "Another session is creating, dropping or changing a store there.", [&] {
                        // Also wait before taking the lock: a session that has altered the
                        // extension may request this lock next.
                        if (catalog == ExtensionRelationId) wait_for_alter_extension();
                        LockDatabaseObject(catalog, object, 0, ShareUpdateExclusiveLock);
                        if (catalog == ExtensionRelationId) wait_for_alter_extension();
                    });
    leave(session);
}

void lock_schema(Oid schema) {
    const char *name = schema_name(schema);
    lock_object(NamespaceRelationId, schema);
    if (schema_name(schema) == nullptr)
        ereport(
            ERROR, errcode(ERRCODE_UNDEFINED_SCHEMA),
            name ? errmsg("schema \"%s\" does not exist", name) : errmsg("schema with OID %u does not exist", schema));
    hold_schema(schema, InvalidOid);
}

void require_ownership(const Store &store, Oid role) {
    if (!has_privs_of_role(role, store.owner))
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("must be owner of the store in schema \"%s\"", schema_name(store.schema)));
}

void drop_store(const core::Migrations *migrations, const Store &store) {
    const char *schema = schema_name(store.schema);
    if (!store.is_complete())
        ereport(ERROR, errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                errmsg("the store in schema \"%s\" is not complete", schema),
                errdetail(
                    "A store needs plain tables \"notebooks\" and \"sources\" that belong to the owner of its record."),
                errhint("Use DROP TABLE to drop the tables that are left, the record discovery_migrations too."));
    refuse_prepared(store, "drop the store");
    refuse_data_loss(migrations, store, core::Version{},
                     psprintf("cannot drop the store in schema \"%s\" because it has data", schema));
    run_steps(migrations, store.schema, store.owner, store.version, core::Version{});
}

void require_right_to_create(Oid schema, Oid role) {
    if (object_aclcheck(NamespaceRelationId, schema, role, ACL_CREATE) == ACLCHECK_OK) return;
    const char *name = GetUserNameFromId(role, false);
    ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
            errmsg("permission denied for schema %s", schema_name(schema)),
            errdetail("Role \"%s\", the owner of the store, must be able to create tables there.", name),
            errhint("GRANT CREATE ON SCHEMA %s TO %s;", quoted_schema(schema), quoted(name)));
}

bool is_set_in_session(const char *setting) {
    SPI_connect();
    Session session = enter();
    uint64 rows = query("SELECT FROM pg_settings WHERE name = $1 AND source = 'session'", {text_argument(setting)});
    leave(session);
    SPI_finish();
    return rows > 0;
}

}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_install_store) {
    Extension extension = read_extension();
    require_script(extension, "discovery_install_store");
    // Citus creates the extension on each of its servers, where clients reach only distributed stores.
    if (settings::create_store == CREATE_STORE_OFF || is_session_of_citus()) PG_RETURN_VOID();
    if (settings::create_store == CREATE_STORE_AUTO && is_restoring()) {
        ereport(WARNING, errmsg("did not create a store because a dump is apparently being restored"),
                errdetail("This session has set row_security, as the output of pg_dump does."),
                errhint("If no dump is being restored, run: SELECT %s.discovery_create_store(%s);",
                        quoted_schema(extension.schema), quote_literal_cstr(schema_name(extension.schema))));
        PG_RETURN_VOID();
    }
    establish(extension.schema, extension.owner, extension.version, false);
    PG_RETURN_VOID();
}

DISCOVERY_FUNCTION(discovery_create_store) {
    PreventCommandIfReadOnly("discovery_create_store()");
    const char *name = name_argument(fcinfo, 0);
    require_argument(fcinfo, 1, "distributed");
    bool distributes = PG_GETARG_BOOL(1);
    if (name == nullptr) name = schema_name(current_schema());
    Oid schema = distributes ? distribute_schema(name) : get_namespace_oid(name, false);
    establish(schema, GetUserId(), read_extension().version, true);
    Store store = require_store(schema_name(schema));
    PG_RETURN_DATUM(to_text(text_of(store.version)));
}

DISCOVERY_FUNCTION(discovery_drop_store) {
    PreventCommandIfReadOnly("discovery_drop_store()");
    Store store = require_store(name_argument(fcinfo, 0));
    require_ownership(store, GetUserId());
    lock_schema(store.schema);
    drop_store(shipped_migrations(), require_store(schema_name(store.schema)));
    PG_RETURN_VOID();
}
