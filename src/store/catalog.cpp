// Reads the catalogs about the extension and its stores.
#include "store/catalog.hpp"

#include "server/queries.hpp"
#include "server/session.hpp"

#include "core/shape.hpp"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "nodes/primnodes.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"
}

namespace discovery {
namespace {

// The string in a column's default, or null if the default is not a plain string.
const char *default_string(Oid relation, const char *column) {
    AttrNumber number = get_attnum(relation, column);
    if (number == InvalidAttrNumber || get_atttype(relation, number) != TEXTOID) return nullptr;

    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], Anum_pg_attrdef_adrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
    ScanKeyInit(&keys[1], Anum_pg_attrdef_adnum, BTEqualStrategyNumber, F_INT2EQ, Int16GetDatum(number));
    Relation defaults = table_open(AttrDefaultRelationId, AccessShareLock);
    SysScanDesc scan = systable_beginscan(defaults, AttrDefaultIndexId, true, nullptr, 2, keys);
    const char *found = nullptr;
    HeapTuple tuple = systable_getnext(scan);
    if (HeapTupleIsValid(tuple)) {
        bool is_null;
        Datum tree = heap_getattr(tuple, Anum_pg_attrdef_adbin, RelationGetDescr(defaults), &is_null);
        auto *constant = is_null ? nullptr : static_cast<Const *>(stringToNode(TextDatumGetCString(tree)));
        if (constant != nullptr && IsA(constant, Const) && constant->consttype == TEXTOID && !constant->constisnull)
            found = TextDatumGetCString(constant->constvalue);
    }
    systable_endscan(scan);
    table_close(defaults, AccessShareLock);
    return found;
}

// Locks the row of the schema in pg_namespace against a change of its name, until the transaction ends:
// in some minor releases, ALTER SCHEMA ... RENAME takes no lock on the schema, but it writes the row. A
// lock on a row allows changes of its other columns, such as GRANT makes. Returns false if another
// transaction has changed the row meanwhile.
bool lock_schema_row(Oid schema) {
    AcceptInvalidationMessages();
    Relation relation = table_open(NamespaceRelationId, RowShareLock);
    HeapTuple row = SearchSysCacheCopy1(NAMESPACEOID, ObjectIdGetDatum(schema));
    TM_Result result = TM_Deleted;
    if (HeapTupleIsValid(row)) {
        Buffer buffer;
        TM_FailureData failure;
        result = heap_lock_tuple(relation, row, GetCurrentCommandId(true), LockTupleKeyShare, LockWaitBlock, false,
                                 &buffer, &failure);
        ReleaseBuffer(buffer);
    }
    table_close(relation, NoLock);
    return result != TM_Updated;
}

}  // namespace

const char *why_not_of(Oid table, Oid owner) {
    const char *why = OidIsValid(table) ? why_no_plain_table(table) : "is missing";
    return why == nullptr && owner_of(table) != owner ? "does not belong to the owner of the store" : why;
}

Oid find_table(Oid schema, const char *name, Oid owner) {
    Oid table = get_relname_relid(name, schema);
    return why_not_of(table, owner) == nullptr ? table : InvalidOid;
}

void refuse_incomplete(const Store &store) {
    StringInfoData what;
    initStringInfo(&what);
    for (const char *name : {"notebooks", "sources"})
        if (const char *why = why_not_of(get_relname_relid(name, store.schema), store.owner))
            appendStringInfo(&what, "%s\"%s\" %s.", what.len > 0 ? " " : "", name, why);
    const char *functions = quoted_schema(read_extension().schema);
    const char *literal = quote_literal_cstr(get_namespace_name(store.schema));
    ereport(ERROR, errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
            errmsg("the store in schema \"%s\" is not complete", get_namespace_name(store.schema)),
            errdetail("%s", what.data),
            errhint("Take back what was done to the tables, restore them from a backup, or make what is missing,"
                    " empty, with the statements that this gives: SELECT object, fix FROM %s.discovery_check(%s);",
                    functions, literal));
}

Extension read_extension() {
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum("discovery"));
    Relation extensions = table_open(ExtensionRelationId, AccessShareLock);
    SysScanDesc scan = systable_beginscan(extensions, ExtensionNameIndexId, true, nullptr, 1, &key);
    HeapTuple tuple = systable_getnext(scan);
    if (!HeapTupleIsValid(tuple))
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("extension \"discovery\" does not exist"));
    auto *form = reinterpret_cast<Form_pg_extension>(GETSTRUCT(tuple));
    bool is_null;
    Datum version = heap_getattr(tuple, Anum_pg_extension_extversion, RelationGetDescr(extensions), &is_null);
    const char *literal = TextDatumGetCString(version);
    Extension extension{form->oid, form->extowner, form->extnamespace, {}};
    systable_endscan(scan);
    table_close(extensions, AccessShareLock);
    extension.version = *in_core([&] { return core::parse_version(literal); });
    return extension;
}

void wait_for_alter_extension() {
    Relation extensions = table_open(ExtensionRelationId, AccessShareLock);
    TransactionId other;
    do {
        ScanKeyData key;
        ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum("discovery"));
        // A dirty snapshot returns the row before its change is committed, with the transaction of
        // the change.
        SnapshotData dirty;
        InitDirtySnapshot(dirty);
        SysScanDesc scan = systable_beginscan(extensions, ExtensionNameIndexId, true, &dirty, 1, &key);
        HeapTuple tuple = systable_getnext(scan);
        other = !HeapTupleIsValid(tuple)           ? InvalidTransactionId
                : TransactionIdIsValid(dirty.xmin) ? dirty.xmin
                                                   : dirty.xmax;
        systable_endscan(scan);
        if (TransactionIdIsValid(other)) XactLockTableWait(other, nullptr, nullptr, XLTW_None);
    } while (TransactionIdIsValid(other));
    table_close(extensions, AccessShareLock);
    AcceptInvalidationMessages();
}

Oid owner_of(Oid relation) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple)) return InvalidOid;
    Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    return owner;
}

const char *why_no_plain_table(Oid relation) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple)) return "does not exist";
    auto *form = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
    const char *why = nullptr;
    switch (form->relkind) {
        case RELKIND_RELATION:
            if (form->relispartition)
                why = "is a partition";
            else if (form->relpersistence == RELPERSISTENCE_UNLOGGED)
                why = "is an unlogged table";
            else if (form->relpersistence == RELPERSISTENCE_TEMP)
                why = "is a temporary table";
            else if (has_superclass(relation))
                why = "is an inheritance child";
            else if (form->relhassubclass && has_subclass(relation) &&
                     find_inheritance_children(relation, NoLock) != NIL)
                why = "is an inheritance parent";
            break;
        case RELKIND_PARTITIONED_TABLE:
            why = "is a partitioned table";
            break;
        case RELKIND_VIEW:
            why = "is a view";
            break;
        case RELKIND_MATVIEW:
            why = "is a materialized view";
            break;
        case RELKIND_FOREIGN_TABLE:
            why = "is a foreign table";
            break;
        case RELKIND_SEQUENCE:
            why = "is a sequence";
            break;
        case RELKIND_INDEX:
        case RELKIND_PARTITIONED_INDEX:
            why = "is an index";
            break;
        default:
            why = "is a composite type";
    }
    ReleaseSysCache(tuple);
    return why;
}

Oid owner_of_schema(Oid schema) {
    HeapTuple tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
    if (!HeapTupleIsValid(tuple)) return InvalidOid;
    Oid owner = reinterpret_cast<Form_pg_namespace>(GETSTRUCT(tuple))->nspowner;
    ReleaseSysCache(tuple);
    return owner;
}

Oid owner_of_database() {
    HeapTuple tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for database %u", MyDatabaseId);
    Oid owner = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple))->datdba;
    ReleaseSysCache(tuple);
    return owner;
}

void hold_schema(Oid schema, Oid owner) {
    LockDatabaseObject(NamespaceRelationId, schema, 0, AccessShareLock);
    Oid renamer = owner_of_schema(schema);
    if (renamer == ROLE_PG_DATABASE_OWNER) renamer = owner_of_database();
    bool is_trusted = OidIsValid(owner) && OidIsValid(renamer) && has_privs_of_role(renamer, owner);
    // Nothing is written during recovery, so no statement there does its work after a rename.
    while (!is_trusted && !RecoveryInProgress() && !lock_schema_row(schema)) CHECK_FOR_INTERRUPTS();
    if (get_namespace_name(schema) == nullptr)
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_SCHEMA), errmsg("schema with OID %u does not exist", schema));
}

Oid hold_table(const Store &store, const char *name, LOCKMODE mode) {
    hold_schema(store.schema, store.owner);
    Oid table = get_relname_relid(name, store.schema);
    if (OidIsValid(table)) {
        LockRelationOid(table, mode);  // and processes the invalidations of what others did to it
        if (get_relname_relid(name, store.schema) != table) table = InvalidOid;
    }
    if (const char *why = why_not_of(table, store.owner))
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("the store in schema \"%s\" is not complete", get_namespace_name(store.schema)),
                errdetail("\"%s\" %s.", name, why));
    return table;
}

const char *hold_name(Oid table, Oid role, LOCKMODE mode) {
    LockRelationOid(table, mode);
    Oid schema = get_rel_namespace(table);
    if (!OidIsValid(schema))
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE), errmsg("table with OID %u does not exist", table));
    hold_schema(schema, role);
    return quote_qualified_identifier(get_namespace_name(schema), get_rel_name(table));
}

const char *safe_search_path(Oid schema, Oid owner) {
    HeapTuple tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
    if (!HeapTupleIsValid(tuple)) return "pg_catalog, pg_temp";
    auto *form = reinterpret_cast<Form_pg_namespace>(GETSTRUCT(tuple));
    Oid schema_owner = form->nspowner;
    bool is_safe = schema_owner == owner || (schema_owner == ROLE_PG_DATABASE_OWNER && owner_of_database() == owner);
    bool has_no_acl;
    Datum datum = SysCacheGetAttr(NAMESPACEOID, tuple, Anum_pg_namespace_nspacl, &has_no_acl);
    if (is_safe && !has_no_acl) {
        Acl *acl = DatumGetAclPCopy(datum);
        const AclItem *items = ACL_DAT(acl);
        for (int number = 0; number < ACL_NUM(acl); ++number)
            if ((ACLITEM_GET_PRIVS(items[number]) & ACL_CREATE) != 0 && items[number].ai_grantee != owner &&
                items[number].ai_grantee != schema_owner)
                is_safe = false;
    }
    const char *path =
        is_safe ? psprintf("%s, pg_temp", quote_identifier(NameStr(form->nspname))) : "pg_catalog, pg_temp";
    ReleaseSysCache(tuple);
    return path;
}

Session act_as_owner(const Store &store, Deferred deferred) {
    return act_as(store.owner, safe_search_path(store.schema, store.owner), deferred);
}

bool find_store(Oid schema, Store *store) {
    Oid record = get_relname_relid(record_table, schema);
    if (!OidIsValid(record) || why_no_plain_table(record) != nullptr) return false;
    const char *literal = default_string(record, "version");
    if (literal == nullptr) return false;
    auto *version = in_core([&] {
        auto parsed = core::parse_version(literal);
        return parsed ? *parsed : core::Version{};
    });
    if (version->is_base()) return false;
    Oid owner = owner_of(record);
    *store = {schema,   owner,     record, find_table(schema, "notebooks", owner), find_table(schema, "sources", owner),
              *version, InvalidOid};
    return true;
}

List *schemas_with_record() {
    MemoryContext caller = CurrentMemoryContext;
    List *schemas = NIL;
    SPI_connect();
    Session session = enter();
    uint64 rows = query(
        "SELECT n.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relname = $1 AND c.relkind = 'r' ORDER BY n.nspname",
        {text_argument(record_table)});
    MemoryContext inner = MemoryContextSwitchTo(caller);
    for (uint64 row = 0; row < rows; ++row) schemas = lappend_oid(schemas, atooid(result_text(row, 0)));
    MemoryContextSwitchTo(inner);
    leave(session);
    SPI_finish();
    return schemas;
}

Store require_store(const char *schema, bool takes_incomplete) {
    Store store, incomplete{};
    if (schema == nullptr) {
        ListCell *cell;
        foreach (cell, fetch_search_path(false)) {
            if (!find_store(lfirst_oid(cell), &store)) continue;
            if (store.is_complete()) return store;
            if (!OidIsValid(incomplete.record)) incomplete = store;
        }
        if (OidIsValid(incomplete.record) && takes_incomplete) return incomplete;
        if (OidIsValid(incomplete.record)) refuse_incomplete(incomplete);
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE), errmsg("there is no store in search_path"),
                errhint("Name its schema, or create one with discovery_create_store()."));
    }
    if (!find_store(get_namespace_oid(schema, false), &store))
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE), errmsg("there is no store in schema \"%s\"", schema),
                errhint("Use discovery_create_store() to create one."));
    return store;
}

const char *quoted_schema(Oid schema) { return quoted(get_namespace_name(schema)); }

const char *placed(const char *sql, const Store &store) {
    const char *schema = quoted_schema(store.schema), *functions = nullptr;
    std::string_view rest = sql;
    StringInfoData result;
    initStringInfo(&result);
    for (size_t found; (found = rest.find('@')) != rest.npos;) {
        appendBinaryStringInfo(&result, rest.data(), static_cast<int>(found));
        rest.remove_prefix(found);
        if (rest.starts_with(core::store_mark)) {
            appendStringInfoString(&result, schema);
            rest.remove_prefix(core::store_mark.size());
        } else if (rest.starts_with(core::extension_mark)) {
            if (functions == nullptr)
                functions = quoted_schema(OidIsValid(store.functions) ? store.functions : read_extension().schema);
            appendStringInfoString(&result, functions);
            rest.remove_prefix(core::extension_mark.size());
        } else {
            appendStringInfoChar(&result, '@');
            rest.remove_prefix(1);
        }
    }
    appendBinaryStringInfo(&result, rest.data(), static_cast<int>(rest.size()));
    return result.data;
}

const char *text_of(core::Version version) {
    return in_core([&] { return version.text(); })->c_str();
}

}  // namespace discovery
