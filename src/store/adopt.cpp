// Adopts existing tables: those of Alembic, of a store whose extension was dropped, or of a
// detached store.
#include "server/queries.hpp"
#include "server/session.hpp"
#include "server/settings.hpp"
#include "server/transaction.hpp"
#include "store/shape.hpp"
#include "store/store.hpp"

extern "C" {
#include "catalog/pg_database.h"
#include "catalog/pg_namespace.h"
#include "utils/acl.h"
}

#include "core/repair.hpp"

namespace discovery {
namespace {

constexpr const char *store_tables[] = {"notebooks", "sources", record_table};

// The record of the store that was adopted last, and the transaction that did it.
struct {
    Oid record;
    LocalTransactionId transaction;
} adopted;

const char *schema_name(Oid schema) { return get_namespace_name(schema); }

const char *role_name(Oid role) { return GetUserNameFromId(role, false); }

// The adopting role acts as the owner of the tables, now and in every later step, so it must have
// the owner's privileges. A superuser has them for every role, so an attacker could have prepared
// the tables for it (as in CVE-2022-2625). Therefore the owner must be the caller, or the owner of
// the schema or the database, unless the session sets discovery.adopt_foreign.
void require_right_to_adopt(Oid schema, Oid owner, Oid caller) {
    if (!has_privs_of_role(caller, owner))
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("must be owner of the tables in schema \"%s\"", schema_name(schema)),
                errdetail("They belong to \"%s\".", role_name(owner)),
                errhint("Have a member of role \"%s\" create the store, or choose another schema.", role_name(owner)));
    if (owner == caller || owner == owner_of_schema(schema) || owner == owner_of_database()) return;
    if (settings::adopt_foreign && is_set_in_session("discovery.adopt_foreign")) return;
    ereport(
        ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
        errmsg("the tables in schema \"%s\" belong to another role", schema_name(schema)),
        errdetail(
            "Their owner \"%s\" is neither \"%s\", who creates the store, nor the owner of the schema or the database.",
            role_name(owner), role_name(caller)),
        errhint("Check that the tables are what you expect, then SET discovery.adopt_foreign = on."));
}

// The way from tables of another shape to a store.
const char *hint_to_alter(Oid schema, bool is_new) {
    const char *functions = quoted_schema(read_extension().schema);
    const char *literal = quote_literal_cstr(schema_name(schema));
    const char *check = psprintf("SELECT object, kind, fix FROM %s.discovery_check(%s);", functions, literal);
    if (is_new)
        return psprintf(
            "Alter the tables, then create the store. This gives the statements: %s"
            " Or choose another schema.",
            check);
    // The functions are gone again when this error is raised.
    return psprintf(
        "Create the extension without a store: SET discovery.create_store = off. Then alter the tables; this"
        " gives the statements: %s Then: SELECT %s.discovery_create_store(%s); Or choose another schema.",
        check, functions, literal);
}

// Finds the newest release whose shape the tables have.
// Errors: 42P17, with all differences from the nearest release.
const core::Release *recognize(const core::Migrations *migrations, Oid schema, const core::Shape *is, bool is_new) {
    const core::Release *nearest = nearest_release(migrations, is);
    const char *differences = "";
    if (nearest != nullptr) {
        const core::Shape *should_be = without_record(&nearest->shape);
        differences = in_core([&] { return core::list(core::violations(core::compare(*is, *should_be))); })->c_str();
        if (differences[0] == '\0') return nearest;
    }
    ereport(ERROR, errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
            errmsg("the tables in schema \"%s\" do not match any version of discovery", schema_name(schema)),
            nearest
                ? errdetail("They differ from version %s, the nearest, in:\n%s", text_of(nearest->version), differences)
                : 0,
            errhint("%s", hint_to_alter(schema, is_new)));
}

// The release that the record names.
// Errors: 0A000 if this library does not know it.
const core::Release *require_release(const core::Migrations *migrations, const Store &store) {
    const char *version = text_of(store.version);
    const core::Release *release = migrations->release(store.version);
    if (release == nullptr)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("the store in schema \"%s\" has version %s, which this release of discovery does not know",
                       schema_name(store.schema), version),
                errhint("Install a release of discovery that has version %s on this server.", version));
    return release;
}

// Warns of the user's own triggers and rules, because no version knows what they do to rows.
void warn_of_code(Oid schema, const core::Shape *is, const core::Shape *should_be) {
    auto *extras = in_core([&] {
        auto all = core::compare(*is, *should_be);
        std::erase_if(all, [](const core::Difference &difference) {
            std::string_view relation = difference.is.relation();
            bool is_code = difference.is.kind == "trigger" || difference.is.kind == "rule";
            return difference.kind != core::Difference::Kind::extra || !is_code ||
                   std::find(std::begin(store_tables), std::end(store_tables), relation) == std::end(store_tables);
        });
        return core::list(all);
    });
    if (!extras->empty())
        ereport(WARNING,
                errmsg("the tables in schema \"%s\" have triggers or rules that do not belong to the store",
                       schema_name(schema)),
                errdetail("%s", extras->c_str()));
}

// The revision in alembic_version, if the owner of the tables has such a table; else null.
const char *alembic_revision(Oid schema, Oid owner) {
    Oid table = get_relname_relid("alembic_version", schema);
    if (!OidIsValid(table) || why_no_plain_table(table) != nullptr || owner_of(table) != owner ||
        get_attnum(table, "version_num") == InvalidAttrNumber)
        return nullptr;
    Store store{};
    store.schema = schema;
    store.owner = owner;
    hold_table(store, "alembic_version", AccessShareLock);
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

// Adopts a store that has a record. Its tables must have the shape of the recorded version.
void take_over(const core::Migrations *migrations, const Store &store, bool is_new) {
    adopted.record = store.record;
    adopted.transaction = this_transaction();
    const core::Release *release = require_release(migrations, store);
    if (!store.is_complete()) refuse_incomplete(store);
    const std::vector<std::string> *lost = lost_functions(migrations, store);
    if (is_new && lost->empty())
        ereport(ERROR, errcode(ERRCODE_DUPLICATE_TABLE),
                errmsg("schema \"%s\" already has a store", schema_name(store.schema)),
                errdetail("Its version is %s.", text_of(store.version)));
    // The script of an older version does not have these functions yet. A later script repairs the
    // store.
    if (!lost->empty() && store.version > read_extension().version) return;
    if (!lost->empty()) reattach(migrations, store, lost);
    const core::Shape *is = read_shape(store.schema);
    auto *differences = in_core([&] { return core::list(core::violations(core::compare(*is, release->shape))); });
    if (!differences->empty())
        ereport(ERROR, errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                errmsg("the store in schema \"%s\" does not match version %s", schema_name(store.schema),
                       text_of(store.version)),
                errdetail("%s", differences->c_str()), errhint("%s", hint_to_alter(store.schema, is_new)));
    warn_of_code(store.schema, is, &release->shape);
}

}  // namespace

const core::Release *nearest_release(const core::Migrations *migrations, const core::Shape *is) {
    const core::Release *nearest = nullptr;
    size_t fewest = 0;
    for (size_t i = migrations->releases.size(); i-- > 0;) {
        const core::Release *release = &migrations->releases[i];
        const core::Shape *should_be = without_record(&release->shape);
        size_t count = *in_core([&] { return core::violations(core::compare(*is, *should_be)).size(); });
        if (nearest == nullptr || count < fewest) {
            nearest = release;
            fewest = count;
        }
    }
    return nearest;
}

bool can_reattach(const core::Migrations *migrations, const Store &store) {
    const core::Release *release = migrations->release(store.version);
    if (release == nullptr) return false;
    const core::Shape *is = read_shape(store.schema);
    return *in_core([&] {
        auto differences = core::violations(core::compare(*is, release->shape));
        return core::repair_lost_functions(differences).size() == differences.size();
    });
}

Oid owner_of_tables(Oid schema) {
    Oid owner = InvalidOid;
    const char *first = nullptr;
    for (const char *name : store_tables) {
        Oid table = get_relname_relid(name, schema);
        const char *why = nullptr;
        if (OidIsValid(table))
            why = why_no_plain_table(table);
        else if (SearchSysCacheExists2(TYPENAMENSP, CStringGetDatum(name), ObjectIdGetDatum(schema)))
            why = "is a type";
        if (why != nullptr)
            ereport(ERROR, errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("\"%s.%s\" %s and cannot be part of a store", schema_name(schema), name, why),
                    errhint("Rename it, or choose another schema."));
        if (!OidIsValid(table)) continue;
        Oid its_owner = owner_of(table);
        if (first == nullptr) {
            first = name;
            owner = its_owner;
        } else if (owner != its_owner) {
            ereport(ERROR, errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                    errmsg("the tables in schema \"%s\" have different owners", schema_name(schema)),
                    errdetail("Table \"%s\" belongs to \"%s\", table \"%s\" to \"%s\".", first, role_name(owner), name,
                              role_name(its_owner)),
                    errhint("Use ALTER TABLE ... OWNER TO."));
        }
    }
    return owner;
}

void adopt(const core::Migrations *migrations, Oid schema, Oid owner, Oid caller, bool is_new) {
    require_right_to_adopt(schema, owner, caller);
    Store store;
    if (find_store(schema, &store)) {
        take_over(migrations, store, is_new);
        return;
    }
    if (OidIsValid(get_relname_relid(record_table, schema)))
        ereport(ERROR, errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                errmsg("table \"%s.%s\" is not the record of a store", schema_name(schema), record_table),
                errdetail("The default of its column \"version\" is not a version."),
                errhint("Rename it, or choose another schema."));
    const core::Shape *is = read_shape(schema);
    const core::Release *release = recognize(migrations, schema, is, is_new);
    require_right_to_create(schema, owner);
    const char *revision = alembic_revision(schema, owner);
    record_adoption(migrations, schema, owner, release->version,
                    revision ? psprintf("tables of Alembic revision %s", revision) : "tables that were there");
    warn_of_code(schema, is, &release->shape);
    adopted.record = get_relname_relid(record_table, schema);
    adopted.transaction = this_transaction();
}

const core::Shape *without_record(const core::Shape *shape) {
    return in_core([&] {
        core::Shape rest = *shape;
        std::erase_if(rest, [](const core::Object &object) { return object.relation() == record_table; });
        return rest;
    });
}

bool was_adopted_now(const Store &store) {
    return adopted.record == store.record && adopted.transaction == this_transaction();
}

bool is_guarded(const core::Migrations *migrations, const Store &store) {
    const core::Release *release = migrations->release(store.version);
    if (release == nullptr) return true;
    auto *there = in_core([] { return std::set<std::string, std::less<>>{}; });
    SPI_connect();
    Session session = enter();
    uint64 rows = query(R"sql(
        WITH relation AS (
            SELECT oid, quote_ident(relname) AS name, relowner FROM pg_class
            WHERE relnamespace = $1 AND relkind = 'r')
        SELECT 'table ' || r.name FROM relation r WHERE r.relowner = $2
        UNION ALL
        SELECT 'trigger ' || r.name || '.' || quote_ident(t.tgname)
        FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE t.tgenabled = 'O'
        UNION ALL
        SELECT 'constraint ' || r.name || '.' || quote_ident(c.conname)
        FROM relation r JOIN pg_constraint c ON c.conrelid = r.oid
        WHERE c.convalidated
          AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = c.oid AND t.tgenabled <> 'O')
        UNION ALL
        SELECT 'index ' || r.name || '.' || quote_ident(c.relname)
        FROM relation r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indisunique AND i.indisvalid AND i.indisready AND i.indislive
        UNION ALL
        SELECT 'column ' || r.name || '.' || quote_ident(a.attname)
        FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid WHERE a.atthasdef)sql",
                        {oid_argument(store.schema), oid_argument(store.owner)});
    for (uint64 row = 0; row < rows; ++row) {
        const char *name = result_text(row, 0);
        in_core([&] { there->insert(name); });
    }
    leave(session);
    SPI_finish();
    return *in_core([&] { return core::is_guarded(release->shape, *there); });
}

const std::vector<std::string> *lost_functions(const core::Migrations *migrations, const Store &store) {
    const core::Release *release = migrations->release(store.version);
    const core::Shape *is = read_shape(store.schema);
    return in_core(
        [&] { return core::repair_lost_functions(core::compare(*is, release ? release->shape : core::Shape{})); });
}

void reattach(const core::Migrations *migrations, const Store &store, const std::vector<std::string> *statements) {
    const char *schema = quoted_schema(store.schema), *functions = quoted_schema(read_extension().schema);
    SPI_connect();
    Session session = enter_as(store.owner);
    lock_tables(migrations, store);
    for (const std::string &statement : *statements)
        query(in_core([&] { return core::place_schemas(statement, schema, functions); })->c_str(), {}, false);
    // They work on the first store in search_path.
    set_search_path(psprintf("%s, pg_temp", schema));
    query(psprintf("SELECT %s.repair_source_counts()", functions), {}, false);
    if (store.version >= core::Version{1, 2}) query(psprintf("SELECT %s.repair_output_counts()", functions), {}, false);
    leave(session);
    SPI_finish();
}

}  // namespace discovery
