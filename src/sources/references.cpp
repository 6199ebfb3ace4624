// Finds the foreign keys of users, and counts the rows that refer by them.
#include "sources/references.hpp"

extern "C" {
#include "utils/acl.h"
#include "utils/rls.h"
}

namespace discovery {
namespace {

// Foreign keys of users to rows that go with the row $1 of the table $3, in the schema $2. A query for what they refer
// to, an array for each column of the key, with which the next one counts the rows that refer to it; a query that locks
// what they refer to, the table, what its key does (c: deletes its rows, n and d: changes them), its name, the table's
// oid.
constexpr const char *references_query = R"sql(
SELECT CASE WHEN NOT pairs.have_arrays
            THEN format('SELECT %s FROM %s AS gone WHERE gone.%I = $1', pairs.keys, k.confrelid::regclass,
                        goes_with.name) END,
       format('AS referring WHERE EXISTS (SELECT FROM unnest(%s) AS gone (%s) WHERE %s)', pairs.parameters,
              pairs.names, pairs.condition),
       format('SELECT FROM %s AS gone WHERE gone.%I OPERATOR(pg_catalog.=) $1 FOR UPDATE', k.confrelid::regclass,
              goes_with.name),
       k.conrelid::regclass::text, k.confdeltype::text, k.conname, k.conrelid, cardinality(k.conkey)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.confrelid,
LATERAL (SELECT CASE c.relname WHEN $3 THEN 'id' ELSE 'notebook_id' END) AS goes_with (name),
LATERAL (SELECT string_agg(format('array_agg(gone.%I)', b.attname), ', ' ORDER BY number),
                string_agg(format('$%s', number), ', ' ORDER BY number),
                string_agg(format('k%s', number), ', ' ORDER BY number),
                -- The operator is the key's, as in its own checks: citext has one of its own.
                string_agg(format('gone.k%s OPERATOR(%I.%s) referring.%I', number, n.nspname, o.oprname, a.attname),
                           ' AND ' ORDER BY number),
                -- An array of arrays is none of its elements.
                bool_or(t.typcategory = 'A')
         FROM unnest(k.conkey, k.confkey, k.conpfeqop) WITH ORDINALITY AS pair (own, other, operator, number)
         JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.own
         JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = pair.other
         JOIN pg_type t ON t.oid = b.atttypid
         JOIN pg_operator o ON o.oid = pair.operator JOIN pg_namespace n ON n.oid = o.oprnamespace)
    AS pairs (keys, parameters, names, condition, have_arrays)
WHERE k.contype = 'f' AND k.conparentid = 0 AND c.relnamespace = $2
  AND c.relname IN ('notebooks', 'sources', 'outputs') AND (c.relname = $3 OR $3 = 'notebooks')
  AND NOT (k.conrelid IN (SELECT oid FROM pg_class WHERE relnamespace = $2 AND relname IN ('sources', 'outputs'))
           AND c.relname = 'notebooks' AND k.confdeltype = 'c')
ORDER BY 4, 6)sql";

}  // namespace

Reference References::operator[](uint64 number) const {
    HeapTuple row = found->vals[number];
    TupleDesc columns = found->tupdesc;
    auto text = [&](int column) { return SPI_getvalue(row, columns, column); };
    bool is_null;
    return {text(1),
            text(2),
            text(3),
            text(4),
            text(5)[0],
            text(6),
            DatumGetObjectId(SPI_getbinval(row, columns, 7, &is_null)),
            DatumGetInt32(SPI_getbinval(row, columns, 8, &is_null))};
}

References find_references(const Store &store, const char *table, Datum id) {
    // Row security of a table that somebody else put in the place of one of these would run as the owner.
    for (const char *held : {"notebooks", "sources", "outputs"}) hold_table(store, held, AccessShareLock);
    Session session = enter_as(store.owner);
    uint64 count = query(references_query, {uuid_argument(id), oid_argument(store.schema), text_argument(table)});
    leave(session);
    return {SPI_tuptable, count};
}

int64 count_references(const Store &store, const Reference &reference, Datum id) {
    // Until it is read, nobody puts a view in its place or gives it row security.
    const char *name = hold_name(reference.relation, store.owner, AccessShareLock);
    Session session = enter_as(store.owner);
    bool may_read = reference.keys != nullptr &&
                    pg_class_aclcheck(reference.relation, store.owner, ACL_SELECT) == ACLCHECK_OK &&
                    check_enable_rls(reference.relation, InvalidOid, true) != RLS_ENABLED;
    if (may_read) query(reference.keys, {uuid_argument(id)}, false);
    leave(session);
    if (!may_read) return -1;
    const char *sql = psprintf("SELECT count(*) FROM %s %s", name, reference.condition);
    Argument keys[INDEX_MAX_KEYS];
    for (int column = 0; column < reference.columns; ++column) {
        keys[column].value = result_datum(0, column, &keys[column].is_null);
        keys[column].type = SPI_gettypeid(SPI_tuptable->tupdesc, column + 1);
    }
    if (keys[0].is_null) return 0;
    session = act_as(owner_of(reference.relation), "pg_catalog, pg_temp", Deferred::forbidden);
    query(sql, std::span<const Argument>(keys, static_cast<size_t>(reference.columns)), false);
    leave(session);
    bool is_null;
    return DatumGetInt64(result_datum(0, 0, &is_null));
}

}  // namespace discovery
