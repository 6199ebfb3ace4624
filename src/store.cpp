// Makes, adopts and drops stores: discovery_install_store() for the script of
// CREATE EXTENSION, discovery_create_store(), discovery_drop_store().
#include "session.hpp"
#include "settings.hpp"
#include "steps.hpp"

namespace discovery {
namespace {

constexpr const char *store_tables[] = {"notebooks", "sources"};

const char *schema_name(Oid schema) { return get_namespace_name(schema); }

const char *role_name(Oid role) { return GetUserNameFromId(role, false); }

Oid schema_owner(Oid schema) {
    HeapTuple tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for schema %u", schema);
    Oid owner = reinterpret_cast<Form_pg_namespace>(GETSTRUCT(tuple))->nspowner;
    ReleaseSysCache(tuple);
    return owner;
}

Oid database_owner() {
    HeapTuple tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for database %u", MyDatabaseId);
    Oid owner = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple))->datdba;
    ReleaseSysCache(tuple);
    return owner;
}

// Whether a SET of this session, not of a database's or role's settings, made
// the value that is in force.
bool is_set_in_session(const char *setting) {
    SPI_connect();
    Session session = enter();
    uint64 rows = query("SELECT FROM pg_settings WHERE name = $1 AND source = 'session'", {text_argument(setting)});
    leave(session);
    SPI_finish();
    return rows > 0;
}

// pg_dump's output sets row_security first, whatever its format.
bool is_restoring() { return is_set_in_session("row_security"); }

// One at a time in a schema; and the schema stays.
void lock_schema(Oid schema) { LockDatabaseObject(NamespaceRelationId, schema, 0, ShareUpdateExclusiveLock); }

void require_right_to_create(Oid schema, Oid role) {
    if (object_aclcheck(NamespaceRelationId, schema, role, ACL_CREATE) != ACLCHECK_OK)
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("permission denied for schema %s", schema_name(schema)),
                errdetail("Role \"%s\", which is to own the store, may not create tables there.", role_name(role)),
                errhint("GRANT CREATE ON SCHEMA %s TO %s;", quoted_schema(schema), quote_identifier(role_name(role))));
}

// The owner of the tables of a store in the schema; InvalidOid where there are none.
Oid require_plain_tables_of_one_owner(Oid schema) {
    Oid owner = InvalidOid;
    const char *first = nullptr;
    for (const char *name : {store_tables[0], store_tables[1], record_table}) {
        Oid table = get_relname_relid(name, schema);
        if (!OidIsValid(table)) continue;
        if (const char *why = why_no_plain_table(table))
            ereport(ERROR, errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("\"%s.%s\" %s and cannot be part of a store", schema_name(schema), name, why),
                    errhint("Rename it, or choose another schema."));
        Oid its_owner = owner_of(table);
        if (first == nullptr) {
            first = name;
            owner = its_owner;
        } else if (owner != its_owner) {
            ereport(ERROR, errcode(ERRCODE_INVALID_TABLE_DEFINITION),
                    errmsg("the tables in schema \"%s\" do not belong to one owner", schema_name(schema)),
                    errdetail("Table \"%s\" belongs to \"%s\", table \"%s\" to \"%s\".", first, role_name(owner), name,
                              role_name(its_owner)),
                    errhint("Use ALTER TABLE ... OWNER TO."));
        }
    }
    return owner;
}

// Tables can be planted where someone privileged will make a store (the pattern
// of CVE-2022-2625).
void require_trusted_owner(Oid schema, Oid owner, Oid caller) {
    if (owner == caller || owner == schema_owner(schema) || owner == database_owner()) return;
    if (settings::adopt_foreign && is_set_in_session("discovery.adopt_foreign")) return;
    ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
            errmsg("the tables in schema \"%s\" belong to another role", schema_name(schema)),
            errdetail("Their owner \"%s\" is neither \"%s\", who makes the store, nor the owner of the schema or the database.",
                      role_name(owner), role_name(caller)),
            errhint("Make sure that they are what you expect; then SET discovery.adopt_foreign = on."));
}

// A shape of tables that have no record is compared without one.
const core::Shape *without_record(const core::Shape *shape) {
    return in_core([&] {
        core::Shape rest = *shape;
        std::erase_if(rest, [](const core::Object &object) { return object.relation() == record_table; });
        return rest;
    });
}

// The newest release whose shape the tables have. Errors: 42P17, with all
// differences from the release that comes nearest.
const core::Release *recognize(const core::Migrations *migrations, Oid schema, const core::Shape *is) {
    const core::Release *nearest = nullptr;
    const char *differences = nullptr;
    size_t fewest = 0;
    for (size_t i = migrations->releases.size(); i-- > 0;) {
        const core::Release *release = &migrations->releases[i];
        const core::Shape *should_be = without_record(&release->shape);
        auto *found = in_core([&] { return core::violations(core::compare(*is, *should_be)); });
        if (found->empty()) return release;
        if (nearest == nullptr || found->size() < fewest) {
            nearest = release;
            fewest = found->size();
            differences = in_core([&] { return core::list(*found); })->c_str();
        }
    }
    ereport(ERROR, errcode(ERRCODE_INVALID_TABLE_DEFINITION),
            errmsg("the tables in schema \"%s\" are not those of any version of discovery", schema_name(schema)),
            nearest ? errdetail("From version %s, which comes nearest, they differ in:\n%s",
                                in_core([&] { return nearest->version.text(); })->c_str(), differences)
                    : 0,
            errhint("Alter the tables, or choose another schema."));
}

// The store has its record; what that says must be so.
void require_recorded_shape(const core::Migrations *migrations, const Store &store, const core::Shape *is) {
    const char *version = in_core([&] { return store.version.text(); })->c_str();
    const core::Release *release = migrations->release(store.version);
    if (release == nullptr)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("the store in schema \"%s\" has version %s, which this discovery does not know",
                       schema_name(store.schema), version),
                errhint("Install a discovery that has version %s on this server.", version));
    auto *differences = in_core([&] { return core::list(core::violations(core::compare(*is, release->shape))); });
    if (!differences->empty())
        ereport(ERROR, errcode(ERRCODE_INVALID_TABLE_DEFINITION),
                errmsg("the store in schema \"%s\" is not what version %s should be", schema_name(store.schema), version),
                errdetail("%s", differences->c_str()), errhint("Alter the tables, or choose another schema."));
}

// What the user's own triggers and rules do to rows, no version of ours knows.
void warn_of_code(Oid schema, const core::Shape *is, const core::Shape *should_be) {
    auto *extras = in_core([&] {
        auto all = core::compare(*is, *should_be);
        std::erase_if(all, [](const core::Difference &difference) {
            std::string_view relation = difference.is.relation();
            bool is_code = difference.is.kind == "trigger" || difference.is.kind == "rule";
            return difference.kind != core::Difference::Kind::extra || !is_code ||
                   (relation != store_tables[0] && relation != store_tables[1] && relation != record_table);
        });
        return core::list(all);
    });
    if (!extras->empty())
        ereport(WARNING, errmsg("the tables in schema \"%s\" have triggers or rules that are not the store's", schema_name(schema)),
                errdetail("%s", extras->c_str()));
}

// "revision 913390ba554c of Alembic", if the tables' owner has a table that says so.
const char *alembic_revision(Oid schema, Oid owner) {
    Oid table = get_relname_relid("alembic_version", schema);
    if (!OidIsValid(table) || why_no_plain_table(table) != nullptr || owner_of(table) != owner ||
        get_attnum(table, "version_num") == InvalidAttrNumber)
        return nullptr;
    MemoryContext caller = CurrentMemoryContext;
    SPI_connect();
    Session session = enter_as(owner);
    query(psprintf("SELECT string_agg(version_num::text, ', ') FROM %s.alembic_version", quoted_schema(schema)));
    const char *revision = result_text(0, 0);
    if (revision != nullptr) revision = MemoryContextStrdup(caller, revision);
    leave(session);
    SPI_finish();
    return revision;
}

// Takes over what stands in the schema, changing nothing in it but for the record.
void adopt(const core::Migrations *migrations, Oid schema, Oid owner, Oid caller, bool may_be_store) {
    require_trusted_owner(schema, owner, caller);
    const core::Shape *is = read_shape(schema);
    Store store;
    if (find_store(schema, &store)) {
        if (!may_be_store)
            ereport(ERROR, errcode(ERRCODE_DUPLICATE_TABLE),
                    errmsg("schema \"%s\" has a store already", schema_name(schema)),
                    errdetail("Its version is %s.", in_core([&] { return store.version.text(); })->c_str()));
        require_recorded_shape(migrations, store, is);
        warn_of_code(schema, is, &migrations->release(store.version)->shape);
        return;
    }
    if (OidIsValid(get_relname_relid(record_table, schema)))
        ereport(ERROR, errcode(ERRCODE_INVALID_TABLE_DEFINITION),
                errmsg("table \"%s.%s\" is not the record of a store", schema_name(schema), record_table),
                errdetail("Its column \"version\" has no version for a default."),
                errhint("Rename it, or choose another schema."));
    const core::Release *release = recognize(migrations, schema, is);
    require_right_to_create(schema, owner);
    const char *revision = alembic_revision(schema, owner);
    record_adoption(migrations, schema, owner, release->version,
                    revision ? psprintf("tables of Alembic revision %s", revision) : "tables that were there");
    warn_of_code(schema, is, &release->shape);
}

// Makes a store of version `target` for `caller`, or adopts the tables there.
void establish(const core::Migrations *migrations, Oid schema, Oid caller, core::Version target, bool may_be_store) {
    lock_schema(schema);
    Oid owner = require_plain_tables_of_one_owner(schema);
    if (OidIsValid(owner)) {
        adopt(migrations, schema, owner, caller, may_be_store);
    } else {
        require_right_to_create(schema, caller);
        run_steps(migrations, schema, caller, core::Version{}, target);
    }
}

const char *name_argument(FunctionCallInfo fcinfo, int number) {
    return PG_ARGISNULL(number) ? nullptr : NameStr(*PG_GETARG_NAME(number));
}

// The schema where an unqualified CREATE TABLE would make its table.
Oid current_schema() {
    ListCell *cell;
    foreach (cell, fetch_search_path(false))
        if (!isTempNamespace(lfirst_oid(cell))) return lfirst_oid(cell);
    ereport(ERROR, errcode(ERRCODE_UNDEFINED_SCHEMA), errmsg("no schema has been selected to create in"));
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_install_store) {
    Extension extension = read_extension();
    if (!creating_extension || CurrentExtensionObject != extension.id)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("discovery_install_store() can only be called from an SQL script executed by CREATE EXTENSION"));
    if (settings::create_store == CREATE_STORE_OFF) PG_RETURN_VOID();
    if (settings::create_store == CREATE_STORE_AUTO && is_restoring()) {
        ereport(WARNING, errmsg("no store was made, because a dump seems to be restored, which brings its own"),
                errdetail("The setting row_security was changed in this session, as pg_dump's output does."),
                errhint("If there is no dump: SELECT %s.discovery_create_store(%s);", quoted_schema(extension.schema),
                        quote_literal_cstr(schema_name(extension.schema))));
        PG_RETURN_VOID();
    }
    const core::Migrations *migrations = shipped_migrations();
    establish(migrations, extension.schema, extension.owner, extension.version, true);
    PG_RETURN_VOID();
}

DISCOVERY_FUNCTION(discovery_create_store) {
    PreventCommandIfReadOnly("discovery_create_store()");
    const char *name = name_argument(fcinfo, 0);
    Oid schema = name ? get_namespace_oid(name, false) : current_schema();
    const core::Migrations *migrations = shipped_migrations();
    establish(migrations, schema, GetUserId(), read_extension().version, false);
    Store store = require_store(schema_name(schema));
    PG_RETURN_DATUM(to_text(*in_core([&] { return store.version.text(); })));
}

DISCOVERY_FUNCTION(discovery_drop_store) {
    PreventCommandIfReadOnly("discovery_drop_store()");
    Store store = require_store(name_argument(fcinfo, 0));
    const char *schema = schema_name(store.schema);
    lock_schema(store.schema);
    store = require_store(schema);
    if (!has_privs_of_role(GetUserId(), store.owner))
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("must be owner of the store in schema \"%s\"", schema));
    const core::Migrations *migrations = shipped_migrations();
    refuse_data_loss(migrations, store.schema, store.owner, store.version, core::Version{},
                     psprintf("cannot drop the store in schema \"%s\" because it has data", schema));
    run_steps(migrations, store.schema, store.owner, store.version, core::Version{});
    PG_RETURN_VOID();
}
