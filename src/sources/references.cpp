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
// what they refer to; the rest is as in Reference.
constexpr const char *references_query = R"sql(
SELECT CASE WHEN NOT pairs.have_arrays
            THEN format('SELECT %s FROM %s AS gone WHERE gone.%I = $1', pairs.keys, k.confrelid::regclass,
                        goes_with.name) END,
       format('AS referring WHERE EXISTS (SELECT FROM unnest(%s) AS gone (%s) WHERE %s)%s', pairs.parameters,
              pairs.names, pairs.condition,
              -- What is in the notebook goes with it, but may go with a value that the key has changed before.
              CASE WHEN is_ours AND $3 = 'notebooks'
                        AND (k.confdeltype NOT IN ('n', 'd') OR c.relname <> 'notebooks')
                   THEN format(' AND referring.notebook_id IS DISTINCT FROM $%s', cardinality(k.conkey) + 1) END),
       format('SELECT FROM %s AS gone WHERE gone.%I OPERATOR(pg_catalog.=) $1 FOR UPDATE', k.confrelid::regclass,
              goes_with.name),
       k.conrelid::regclass::text, k.confdeltype::text, k.conname, k.conrelid, cardinality(k.conkey),
       -- A key is for the rows of the table itself, or of its partitions.
       CASE r.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END,
       (SELECT bool_and(p.relowner = r.relowner) FROM pg_class p
        WHERE p.oid = r.oid OR p.oid IN (SELECT relid FROM pg_partition_tree(r.oid)))
FROM pg_constraint k JOIN pg_class c ON c.oid = k.confrelid JOIN pg_class r ON r.oid = k.conrelid,
LATERAL (SELECT r.relnamespace = $2 AND r.relname IN ('sources', 'outputs')) AS place (is_ours),
LATERAL (SELECT CASE c.relname WHEN $3 THEN 'id' ELSE 'notebook_id' END) AS goes_with (name),
LATERAL (SELECT string_agg(format('array_agg(gone.%I)', b.attname), ', ' ORDER BY number),
                string_agg(format('$%s', number), ', ' ORDER BY number),
                string_agg(format('k%s', number), ', ' ORDER BY number),
                -- The operator is the key's, as in its own checks: citext has one of its own. So is the collation.
                string_agg(format('gone.k%s%s OPERATOR(%I.%s) referring.%I', number,
                                  (SELECT format(' COLLATE %I.%I', s.nspname, l.collname)
                                   FROM pg_collation l JOIN pg_namespace s ON s.oid = l.collnamespace
                                   WHERE l.oid = b.attcollation),
                                  n.nspname, o.oprname, a.attname), ' AND ' ORDER BY number),
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
  AND NOT (is_ours AND c.relname = 'notebooks' AND k.confdeltype = 'c'
           AND k.conkey = ARRAY[(SELECT attnum FROM pg_attribute
                                 WHERE attrelid = r.oid AND attname = 'notebook_id' AND NOT attisdropped)])
ORDER BY 4, 6)sql";

}  // namespace

Reference References::operator[](uint64 number) const {
    auto text = [&](int column) { return SPI_getvalue(found->vals[number], found->tupdesc, column); };
    bool is_null;
    return {text(1),
            text(2),
            text(3),
            text(4),
            text(5)[0],
            text(6),
            DatumGetObjectId(result_datum(found, number, 6, OIDOID, &is_null)),
            DatumGetInt32(result_datum(found, number, 7, INT4OID, &is_null)),
            text(9),
            DatumGetBool(result_datum(found, number, 9, BOOLOID, &is_null))};
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
    bool may_read = reference.keys != nullptr && reference.has_one_owner &&
                    pg_class_aclcheck(reference.relation, store.owner, ACL_SELECT) == ACLCHECK_OK &&
                    pg_class_aclcheck(reference.relation, owner_of(reference.relation), ACL_SELECT) == ACLCHECK_OK &&
                    check_enable_rls(reference.relation, InvalidOid, true) != RLS_ENABLED;
    if (may_read) query(reference.keys, {uuid_argument(id)}, false);
    leave(session);
    if (!may_read) return -1;
    const char *sql = psprintf("SELECT count(*) FROM %s%s %s", reference.only, name, reference.condition);
    Argument keys[INDEX_MAX_KEYS + 1];
    for (int column = 0; column < reference.columns; ++column) {
        keys[column].type = SPI_gettypeid(SPI_tuptable->tupdesc, column + 1);
        keys[column].value = result_datum(0, column, keys[column].type, &keys[column].is_null);
    }
    if (keys[0].is_null) return 0;
    keys[reference.columns] = uuid_argument(id);
    session = act_as(owner_of(reference.relation), "pg_catalog, pg_temp", Deferred::forbidden);
    query(sql, std::span<const Argument>(keys, static_cast<size_t>(reference.columns + 1)), false);
    leave(session);
    bool is_null;
    return DatumGetInt64(result_datum(0, 0, INT8OID, &is_null));
}

}  // namespace discovery
