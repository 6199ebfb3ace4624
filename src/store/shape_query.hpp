// The queries that read the shape of a store. read_shape() runs them with enter()'s settings.
#pragma once

namespace discovery {

// One row per object: kind, name, definition (see core/shape.hpp), the table of the expressions in the
// definition, and these expressions as they are printed in it. $1 is the schema, $2 the code of the
// compression that @compression@ stands for.
//
// What a user may tune without changing the store has a kind of its own (core::is_tuning()). NOT NULL
// constraints have names since PostgreSQL 18; they are part of their column. Privileges are not read.
inline constexpr const char *shape_query = R"sql(
WITH relation AS (
    SELECT c.oid, quote_ident(c.relname) AS name, c.relkind, c.relpersistence, c.relispartition, c.reloptions,
           c.reltoastrelid, c.relowner, c.relreplident, c.relrowsecurity, c.relforcerowsecurity,
           (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
            FROM pg_inherits i WHERE i.inhrelid = c.oid) AS parents
    FROM pg_class c
    WHERE c.relnamespace = $1 AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
), owner AS (
    SELECT relowner AS id FROM relation WHERE name IN ('discovery_migrations', 'notebooks') ORDER BY name LIMIT 1
), owned AS (
    SELECT r.oid,
           CASE WHEN r.relowner <> (SELECT id FROM owner)
                THEN ' OWNER ' || quote_ident(pg_get_userbyid(r.relowner))
                     || ' INSTEAD OF ' || quote_ident(pg_get_userbyid((SELECT id FROM owner))) ELSE '' END AS by_other
    FROM relation r
), own_type AS (
    SELECT t.oid, t.typname, t.typtype, t.typrelid, t.typbasetype, t.typtypmod, t.typcollation, t.typdefault,
        t.typnotnull
    FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE t.typnamespace = $1 AND (t.typtype IN ('e', 'd') OR (t.typtype = 'c' AND c.relkind = 'c'))
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
), own_sequence AS (
    SELECT c.oid, quote_ident(c.relname) AS name, s.*
    FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid
    WHERE c.relnamespace = $1
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'i'))
), own_function AS (
    SELECT p.oid, quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name, p.prokind
    FROM pg_proc p
    WHERE p.pronamespace = $1 AND p.prokind <> 'a'
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
), attribute AS (
    SELECT r.oid AS relation, r.name || '.' || quote_ident(a.attname) AS name, r.name AS table_name, a.*
    FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE r.relkind IN ('r', 'p', 'f')
), identity AS (
    -- The options of the sequence behind an identity column that are not the default ones.
    SELECT d.refobjid AS relation, d.refobjsubid AS number,
           concat_ws(' ',
               CASE WHEN c.relname <> left(t.relname || '_' || a.attname || '_seq', 63)
                    THEN 'SEQUENCE NAME ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname) END,
               CASE WHEN s.seqstart <> CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END
                    THEN 'START WITH ' || s.seqstart END,
               CASE WHEN s.seqincrement <> 1 THEN 'INCREMENT BY ' || s.seqincrement END,
               CASE WHEN s.seqmin <> CASE WHEN s.seqincrement > 0 THEN 1 ELSE type.low END
                    THEN 'MINVALUE ' || s.seqmin END,
               CASE WHEN s.seqmax <> CASE WHEN s.seqincrement > 0 THEN type.high ELSE -1 END
                    THEN 'MAXVALUE ' || s.seqmax END,
               CASE WHEN s.seqcache <> 1 THEN 'CACHE ' || s.seqcache END,
               CASE WHEN s.seqcycle THEN 'CYCLE' END) AS options
    FROM pg_depend d
    JOIN relation r ON r.oid = d.refobjid
    JOIN pg_class t ON t.oid = r.oid
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.refobjsubid
    JOIN pg_sequence s ON s.seqrelid = d.objid
    JOIN pg_class c ON c.oid = s.seqrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (
        SELECT CASE format_type(s.seqtypid, NULL) WHEN 'smallint' THEN -32768 WHEN 'integer' THEN -2147483648
                                                  ELSE -9223372036854775808 END::bigint AS low,
               CASE format_type(s.seqtypid, NULL) WHEN 'smallint' THEN 32767 WHEN 'integer' THEN 2147483647
                                                  ELSE 9223372036854775807 END::bigint AS high) AS type
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i'
), own_constraint AS (
    SELECT r.name || '.' || quote_ident(c.conname) AS name, c.*,
           -- The triggers that enforce it; a superuser can switch them off.
           (SELECT min(t.tgenabled) FILTER (WHERE t.tgenabled <> 'O') FROM pg_trigger t
            WHERE t.tgconstraint = c.oid AND t.tgisinternal) AS off
    FROM relation r JOIN pg_constraint c ON c.conrelid = r.oid AND c.contype IN ('p', 'u', 'f', 'c', 'x')
), own_index AS (
    SELECT r.name || '.' || quote_ident(c.relname) AS name, r.oid AS relation, c.relname, c.reloptions, i.*,
           EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = r.oid AND k.conindid = i.indexrelid
                                                 AND k.contype IN ('p', 'u', 'x')) AS is_of_constraint
    FROM relation r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class c ON c.oid = i.indexrelid
), own_trigger AS (
    SELECT r.name || '.' || quote_ident(t.tgname) AS name, t.*
    FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
), object AS (
    SELECT 'table' AS kind, r.name,
           CASE WHEN r.relispartition THEN 'partition of ' || r.parents || ' '
                WHEN r.parents IS NOT NULL THEN 'inheritance child of ' || r.parents || ' '
                WHEN r.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = r.oid) THEN
                    'inheritance parent '
                ELSE '' END
           || CASE r.relpersistence WHEN 'p' THEN 'permanent' WHEN 'u' THEN 'unlogged' ELSE 'temporary' END
           || CASE r.relkind WHEN 'p' THEN ' partitioned' WHEN 'f' THEN ' foreign' ELSE '' END || o.by_other AS
               definition,
           r.oid AS relation, NULL::text[] AS expressions
    FROM relation r JOIN owned o ON o.oid = r.oid WHERE r.relkind IN ('r', 'p', 'f')
    UNION ALL
    SELECT CASE r.relkind WHEN 'v' THEN 'view' ELSE 'matview' END, r.name,
           coalesce('WITH (' || array_to_string(r.reloptions, ', ') || ') ', '')
           || 'AS ' || rtrim(ltrim(pg_get_viewdef(r.oid)), ' ;') || o.by_other,
           NULL, CASE WHEN pg_get_viewdef(r.oid) LIKE '%ARRAY[%' THEN ARRAY[rtrim(ltrim(pg_get_viewdef(r.oid)),
               ' ;')] END
    FROM relation r JOIN owned o ON o.oid = r.oid WHERE r.relkind IN ('v', 'm')
    UNION ALL
    SELECT 'column', a.name,
           format_type(a.atttypid, a.atttypmod)
           || coalesce((SELECT ' COLLATE ' || CASE WHEN l.collnamespace = 'pg_catalog'::regnamespace THEN ''
                                                   ELSE quote_ident(n.nspname) || '.' END || quote_ident(l.collname)
                        FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace, pg_type t
                        WHERE l.oid = a.attcollation AND t.oid = a.atttypid AND t.typcollation <> a.attcollation), '')
           || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
           || CASE WHEN a.attnotnull AND EXISTS (SELECT FROM pg_constraint n
                         WHERE n.conrelid = a.attrelid AND n.contype = 'n' AND n.conkey = ARRAY[a.attnum] AND NOT
                             n.convalidated)
                   THEN ' NOT VALID' ELSE '' END
           || CASE a.attidentity WHEN 'a' THEN ' GENERATED ALWAYS AS IDENTITY'
                                 WHEN 'd' THEN ' GENERATED BY DEFAULT AS IDENTITY' ELSE '' END
           || coalesce(' (' || nullif(i.options, '') || ')', '')
           || CASE WHEN d.oid IS NULL THEN ''
                   WHEN a.attgenerated = '' THEN ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)
                   ELSE ' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ')'
                        || CASE a.attgenerated WHEN 's' THEN ' STORED' ELSE ' VIRTUAL' END END,
           a.relation, ARRAY[pg_get_expr(d.adbin, d.adrelid)]
    FROM attribute a
    LEFT JOIN pg_attrdef d ON d.adrelid = a.relation AND d.adnum = a.attnum
    LEFT JOIN identity i ON i.relation = a.relation AND i.number = a.attnum
    UNION ALL
    SELECT 'constraint', c.name,
           pg_get_constraintdef(c.oid)
           || CASE c.off WHEN 'D' THEN ' DISABLED' WHEN 'R' THEN ' ENABLED REPLICA' WHEN 'A' THEN ' ENABLED ALWAYS'
               ELSE '' END,
           c.conrelid, ARRAY[pg_get_expr(c.conbin, c.conrelid)]
    FROM own_constraint c
    UNION ALL
    SELECT 'index', i.name,
           pg_get_indexdef(i.indexrelid)
           || CASE WHEN i.indisvalid AND i.indisready AND i.indislive THEN '' ELSE ' INVALID' END,
           i.relation,
           ARRAY[pg_get_expr(i.indpred, i.relation)]
           || ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, false) FROM generate_series(1, i.indnkeyatts) k
                    WHERE i.indkey[k - 1] = 0)
    FROM own_index i WHERE NOT i.is_of_constraint
    UNION ALL
    SELECT 'trigger', t.name,
           pg_get_triggerdef(t.oid)
           || CASE t.tgenabled WHEN 'O' THEN '' WHEN 'D' THEN ' DISABLED' WHEN 'R' THEN ' ENABLED REPLICA'
                               ELSE ' ENABLED ALWAYS' END,
           t.tgrelid,
           CASE WHEN pg_get_triggerdef(t.oid) LIKE '% WHEN (%ARRAY[%'
                THEN ARRAY[substring(pg_get_triggerdef(t.oid) FROM ' WHEN \((.*)\) EXECUTE FUNCTION ')] END
    FROM own_trigger t
    UNION ALL
    SELECT 'rule', r.name || '.' || quote_ident(w.rulename),
           rtrim(pg_get_ruledef(w.oid), ';')
           || CASE w.ev_enabled WHEN 'O' THEN '' WHEN 'D' THEN ' DISABLED' WHEN 'R' THEN ' ENABLED REPLICA'
                                ELSE ' ENABLED ALWAYS' END, NULL, NULL
    FROM relation r JOIN pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
    UNION ALL
    SELECT 'comment', r.name || coalesce('.' || quote_ident(a.attname), ''), d.description, NULL, NULL
    FROM relation r
    JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = r.oid
    LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.objsubid AND d.objsubid > 0
    -- What else is in the schema and may belong to the tables
    UNION ALL
    SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, quote_ident(t.typname),
           CASE t.typtype
           WHEN 'e' THEN 'AS ENUM (' || coalesce((SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY
               e.enumsortorder)
                                                  FROM pg_enum e WHERE e.enumtypid = t.oid), '') || ')'
           WHEN 'c' THEN 'AS (' || coalesce((SELECT string_agg(quote_ident(a.attname) || ' ' ||
               format_type(a.atttypid, a.atttypmod)
                                                           || CASE WHEN l.oid IS NULL THEN '' ELSE ' COLLATE ' ||
                                                            quote_ident(l.collname) END,
                                                           ', ' ORDER BY a.attnum)
                                             FROM pg_attribute a JOIN pg_type own ON own.oid = a.atttypid
                                             LEFT JOIN pg_collation l ON l.oid = a.attcollation AND l.oid <>
                                                 own.typcollation
                                             WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT
                                                 a.attisdropped), '') || ')'
           ELSE 'AS ' || format_type(t.typbasetype, t.typtypmod)
                || coalesce((SELECT ' COLLATE ' || quote_ident(l.collname) FROM pg_collation l, pg_type b
                             WHERE l.oid = t.typcollation AND b.oid = t.typbasetype AND b.typcollation <> l.oid), '')
                || CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END || coalesce(' DEFAULT ' || t.typdefault, '')
                || coalesce((SELECT string_agg(' CONSTRAINT ' || quote_ident(k.conname) || ' ' ||
                    pg_get_constraintdef(k.oid), ''
                                               ORDER BY k.conname)
                             FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'), '') END, NULL, NULL
    FROM own_type t
    UNION ALL
    SELECT 'sequence', s.name,
           'AS ' || format_type(s.seqtypid, NULL) || ' START WITH ' || s.seqstart || ' INCREMENT BY ' ||
               s.seqincrement
           || ' MINVALUE ' || s.seqmin || ' MAXVALUE ' || s.seqmax || ' CACHE ' || s.seqcache
           || CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END, NULL, NULL
    FROM own_sequence s
    UNION ALL
    SELECT 'ownership', s.name, '@store@.' || a.name, NULL, NULL
    FROM own_sequence s
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.refclassid = 'pg_class'::regclass
                    AND d.deptype = 'a'
    JOIN attribute a ON a.relation = d.refobjid AND a.attnum = d.refobjsubid
    UNION ALL
    SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, p.name, pg_get_functiondef(p.oid), NULL, NULL
    FROM own_function p
    -- What a user may tune
    UNION ALL
    SELECT 'order', a.table_name, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), NULL, NULL
    FROM attribute a GROUP BY 2
    UNION ALL
    SELECT 'storage', a.name, s.word || ' INSTEAD OF ' || d.word, NULL, NULL
    FROM attribute a JOIN pg_type t ON t.oid = a.atttypid AND t.typstorage <> a.attstorage
    JOIN (VALUES ('p', 'PLAIN'), ('e', 'EXTERNAL'), ('x', 'EXTENDED'), ('m', 'MAIN')) s (code, word) ON s.code =
        a.attstorage
    JOIN (VALUES ('p', 'PLAIN'), ('e', 'EXTERNAL'), ('x', 'EXTENDED'), ('m', 'MAIN')) d (code, word) ON d.code =
        t.typstorage
    UNION ALL
    SELECT 'compression', a.name,
           CASE WHEN a.attcompression = $2 THEN '@compression@' WHEN a.attcompression = 'l' THEN 'lz4' ELSE 'pglz'
               END, NULL, NULL
    FROM attribute a WHERE a.attcompression <> ''
    UNION ALL
    SELECT 'target', a.name, a.attstattarget::text, NULL, NULL
    FROM attribute a WHERE a.attstattarget >= 0
    UNION ALL
    SELECT 'sampling', a.name,
           (SELECT string_agg(quote_ident(option_name) || '=' || quote_literal(option_value), ', ')
            FROM pg_options_to_table(a.attoptions) WHERE option_name <> 'pg_attver'), NULL, NULL
    -- Some servers note pg_attver there by themselves, for every column (ATTRIBUTE_VERSION_ATTOPTION);
    -- no user sets it, and pg_dump leaves it out.
    FROM attribute a WHERE EXISTS (SELECT FROM pg_options_to_table(a.attoptions) WHERE option_name <> 'pg_attver')
    UNION ALL
    SELECT 'options', r.name,
           (SELECT string_agg(o.prefix || quote_ident(option_name) || '=' || quote_literal(option_value), ', ')
            FROM (SELECT '' AS prefix, * FROM pg_options_to_table(r.reloptions)
                  UNION ALL SELECT 'toast.', o.* FROM pg_class t, pg_options_to_table(t.reloptions) o WHERE t.oid =
                      r.reltoastrelid) o), NULL, NULL
    FROM relation r
    WHERE r.relkind IN ('r', 'p')
      AND (r.reloptions IS NOT NULL OR EXISTS (SELECT FROM pg_class t WHERE t.oid = r.reltoastrelid AND
          t.reloptions IS NOT NULL))
    UNION ALL
    SELECT 'parameters', i.name,
           (SELECT string_agg(quote_ident(option_name) || '=' || quote_literal(option_value), ', ') FROM
               pg_options_to_table(i.reloptions)), NULL, NULL
    FROM own_index i WHERE i.is_of_constraint AND i.reloptions IS NOT NULL
    UNION ALL
    SELECT 'cluster', split.name, split.part, NULL, NULL
    FROM own_index i CROSS JOIN LATERAL (SELECT quote_ident(c.relname) AS name, quote_ident(i.relname) AS part
                                         FROM pg_class c WHERE c.oid = i.relation) AS split
    WHERE i.indisclustered
    UNION ALL
    SELECT 'replication', r.name,
           CASE r.relreplident WHEN 'n' THEN 'NOTHING' WHEN 'f' THEN 'FULL'
                ELSE 'USING INDEX ' || coalesce((SELECT quote_ident(i.relname) FROM own_index i
                                                 WHERE i.relation = r.oid AND i.indisreplident), '""') END, NULL, NULL
    FROM relation r WHERE r.relkind IN ('r', 'p') AND r.relreplident <> 'd'
    UNION ALL
    SELECT 'security', r.name,
           concat_ws(', ', CASE WHEN r.relrowsecurity THEN 'ENABLE ROW LEVEL SECURITY' END,
                           CASE WHEN r.relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY' END), NULL, NULL
    FROM relation r WHERE r.relrowsecurity OR r.relforcerowsecurity
    UNION ALL
    SELECT 'policy', r.name || '.' || quote_ident(p.polname),
           CASE WHEN p.polpermissive THEN '' ELSE 'AS RESTRICTIVE ' END
           || CASE p.polcmd WHEN 'r' THEN 'FOR SELECT ' WHEN 'a' THEN 'FOR INSERT ' WHEN 'w' THEN 'FOR UPDATE '
                            WHEN 'd' THEN 'FOR DELETE ' ELSE '' END
           || 'TO ' || (SELECT string_agg(CASE role WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(role))
               END, ', ')
                        FROM unnest(p.polroles) role)
           || coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
           || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', ''), NULL, NULL
    FROM relation r JOIN pg_policy p ON p.polrelid = r.oid
    UNION ALL
    SELECT 'statistics', r.name || '.' || quote_ident(s.stxname), pg_get_statisticsobjdef(s.oid), NULL, NULL
    FROM relation r JOIN pg_statistic_ext s ON s.stxrelid = r.oid AND s.stxnamespace = $1
    UNION ALL
    SELECT d.kind, d.name, d.description, NULL, NULL FROM (
        SELECT 'comment-constraint' AS kind, c.name, obj_description(c.oid, 'pg_constraint') FROM own_constraint c
        UNION ALL SELECT 'comment-index', i.name, obj_description(i.indexrelid, 'pg_class') FROM own_index i
        UNION ALL SELECT 'comment-trigger', t.name, obj_description(t.oid, 'pg_trigger') FROM own_trigger t
        UNION ALL SELECT 'comment-rule', r.name || '.' || quote_ident(w.rulename), obj_description(w.oid,
            'pg_rewrite')
            FROM relation r JOIN pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
        UNION ALL SELECT 'comment-policy', r.name || '.' || quote_ident(p.polname), obj_description(p.oid,
            'pg_policy')
            FROM relation r JOIN pg_policy p ON p.polrelid = r.oid
        UNION ALL SELECT 'comment-statistics', r.name || '.' || quote_ident(s.stxname), obj_description(s.oid,
            'pg_statistic_ext')
            FROM relation r JOIN pg_statistic_ext s ON s.stxrelid = r.oid AND s.stxnamespace = $1
        UNION ALL SELECT CASE t.typtype WHEN 'd' THEN 'comment-domain' ELSE 'comment-type' END,
            quote_ident(t.typname),
                         obj_description(t.oid, 'pg_type') FROM own_type t
        UNION ALL SELECT 'comment-sequence', s.name, obj_description(s.oid, 'pg_class') FROM own_sequence s
        UNION ALL SELECT CASE p.prokind WHEN 'p' THEN 'comment-procedure' ELSE 'comment-function' END, p.name,
                         obj_description(p.oid, 'pg_proc') FROM own_function p
    ) AS d (kind, name, description) WHERE d.description IS NOT NULL
)
SELECT kind, name, definition, relation, expressions FROM object)sql";

// What the objects in the schema need that is not in the shape, and what needs them: the name of the
// relation, and a sentence. $1 is the schema.
inline constexpr const char *surroundings_query = R"sql(
WITH relation AS (
    SELECT c.oid, quote_ident(c.relname) AS name FROM pg_class c
    WHERE c.relnamespace = $1 AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
), part AS (
    SELECT 'pg_class'::regclass AS class, oid, name FROM relation
    UNION ALL SELECT 'pg_class'::regclass, i.indexrelid, r.name FROM relation r JOIN pg_index i ON i.indrelid = r.oid
    UNION ALL SELECT 'pg_constraint'::regclass, k.oid, r.name FROM relation r JOIN pg_constraint k ON k.conrelid =
        r.oid
    UNION ALL SELECT 'pg_attrdef'::regclass, d.oid, r.name FROM relation r JOIN pg_attrdef d ON d.adrelid = r.oid
    UNION ALL SELECT 'pg_trigger'::regclass, t.oid, r.name FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid
        AND NOT t.tgisinternal
    UNION ALL SELECT 'pg_rewrite'::regclass, w.oid, r.name FROM relation r JOIN pg_rewrite w ON w.ev_class = r.oid
    UNION ALL SELECT 'pg_policy'::regclass, p.oid, r.name FROM relation r JOIN pg_policy p ON p.polrelid = r.oid
    UNION ALL SELECT 'pg_statistic_ext'::regclass, s.oid, r.name FROM relation r JOIN pg_statistic_ext s ON
        s.stxrelid = r.oid
), known AS (
    SELECT class, oid FROM part
    UNION ALL SELECT 'pg_class'::regclass, c.oid FROM pg_class c WHERE c.relnamespace = $1
    UNION ALL SELECT 'pg_type'::regclass, t.oid FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
              WHERE t.typnamespace = $1 AND t.typtype IN ('e', 'd', 'c')
    UNION ALL SELECT 'pg_type'::regclass, t.typarray FROM pg_type t WHERE t.typnamespace = $1 AND t.typtype IN
        ('e', 'd', 'c')
    UNION ALL SELECT 'pg_proc'::regclass, p.oid FROM pg_proc p WHERE p.pronamespace = $1 AND p.prokind <> 'a'
), needed AS (
    SELECT DISTINCT p.name, d.refclassid, d.refobjid
    FROM part p JOIN pg_depend d ON d.classid = p.class AND d.objid = p.oid AND d.deptype IN ('n', 'a')
    WHERE d.refclassid NOT IN ('pg_namespace'::regclass, 'pg_extension'::regclass)
      AND NOT EXISTS (SELECT FROM known k WHERE k.class = d.refclassid AND k.oid = d.refobjid)
)
SELECT DISTINCT n.name,
       'needs ' || CASE WHEN e.extname IS NOT NULL THEN 'the extension ' || quote_ident(e.extname)
                        ELSE (SELECT i.type || ' ' || i.identity FROM pg_identify_object(n.refclassid, n.refobjid,
                            0) i) END
FROM needed n
LEFT JOIN pg_depend m ON m.classid = n.refclassid AND m.objid = n.refobjid AND m.deptype = 'e'
LEFT JOIN pg_extension e ON m.refclassid = 'pg_extension'::regclass AND e.oid = m.refobjid
WHERE e.extname IS DISTINCT FROM 'discovery'
UNION
-- What a shape has no word for
SELECT r.name, 'has a statistics target of ' || a.attstattarget || ' for column ' || a.attnum || ' of index '
               || quote_ident(c.relname)
FROM relation r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attstattarget >= 0
WHERE i.indexprs IS NOT NULL
UNION
SELECT r.name, 'has the constraint ' || quote_ident(k.conname) || ', a NOT NULL with a name of its own'
FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype = 'n'
JOIN pg_class c ON c.oid = r.oid JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = k.conkey[1]
WHERE length(c.relname || a.attname) < 50
  AND NOT starts_with(k.conname, c.relname || '_' || a.attname || '_not_null')
UNION
SELECT DISTINCT r.name, 'is used by ' || (SELECT i.type || ' ' || i.identity FROM pg_identify_object(u.class,
    u.oid, 0) i)
FROM relation r
CROSS JOIN LATERAL (
    SELECT 'pg_class'::regclass AS class, k.conrelid AS oid FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        WHERE k.confrelid = r.oid AND c.relnamespace <> $1
    UNION SELECT 'pg_class'::regclass, w.ev_class FROM pg_depend d JOIN pg_rewrite w ON w.oid = d.objid
        JOIN pg_class c ON c.oid = w.ev_class
        WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid
          AND c.relnamespace <> $1
    UNION SELECT 'pg_class'::regclass, h.inhrelid FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
        WHERE h.inhparent = r.oid AND c.relnamespace <> $1
    UNION SELECT 'pg_publication'::regclass, b.prpubid FROM pg_publication_rel b WHERE b.prrelid = r.oid
    UNION SELECT 'pg_publication'::regclass, b.pnpubid FROM pg_publication_namespace b WHERE b.pnnspid = $1
) AS u
ORDER BY 1, 2)sql";

// What has a name in the store's schema, and the functions of the extension: 'relation' for tables and
// views, 'function' for the functions in the schema, 'other' for the rest there, and 'extension'.
inline constexpr const char *names_query = R"sql(
SELECT 'relation', quote_ident(c.relname) FROM pg_class c
    WHERE c.relnamespace = $1 AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
UNION ALL
SELECT 'other', quote_ident(c.relname) FROM pg_class c WHERE c.relnamespace = $1 AND c.relkind = 'S'
UNION ALL
SELECT 'other', quote_ident(t.typname) FROM pg_type t
    WHERE t.typnamespace = $1 AND (t.typtype IN ('e', 'd', 'r', 'm', 'b') AND t.typcategory <> 'A'
                                   OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
UNION ALL
SELECT 'other', quote_ident(s.stxname) FROM pg_statistic_ext s WHERE s.stxnamespace = $1
UNION ALL
SELECT 'other', quote_ident(l.collname) FROM pg_collation l WHERE l.collnamespace = $1
UNION ALL
SELECT 'other', quote_ident(t.cfgname) FROM pg_ts_config t WHERE t.cfgnamespace = $1
UNION ALL
SELECT 'function', quote_ident(p.proname) FROM pg_proc p
    WHERE p.pronamespace = $1
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND
          d.deptype = 'e')
UNION ALL
SELECT 'extension', quote_ident(p.proname) FROM pg_proc p
    JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'discovery'
    WHERE p.pronamespace = e.extnamespace)sql";

}  // namespace discovery
