// Reads the preparation of a step, and says what is left to do ahead of the step and in it.
#include "store/preparation.hpp"

#include "server/queries.hpp"
#include "server/session.hpp"
#include "store/analysis.hpp"
#include "store/shape.hpp"

extern "C" {
#include "storage/lmgr.h"
#include "utils/fmgrprotos.h"
}

namespace discovery {
namespace {

// Identifies the triggers of a preparation, and the files and columns of their tables. Another trigger,
// another file (ALTER TABLE can rewrite rows without triggers) or another column changes it; so does a
// parent table that was added or removed, through which rows can be written. $1 is the schema of the store,
// $2 the function of the triggers.
constexpr const char *proof_query = R"sql(
WITH own_trigger AS (
    SELECT t.* , t.xmin AS made_by FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = $1 AND t.tgfoid = to_regprocedure($2)
), line AS (
    SELECT concat_ws(' ', 'trigger', oid, made_by, tgenabled::text) AS line FROM own_trigger
    UNION ALL
    SELECT concat_ws(' ', 'file', c.oid, c.relfilenode) FROM pg_class c WHERE c.oid IN (SELECT tgrelid FROM own_trigger)
    UNION ALL
    SELECT concat_ws(' ', 'column', a.attrelid, a.attnum, a.xmin) FROM pg_attribute a
    WHERE a.attrelid IN (SELECT tgrelid FROM own_trigger) AND a.attnum > 0
    UNION ALL
    SELECT concat_ws(' ', 'parent', i.inhparent) FROM pg_inherits i
    WHERE i.inhrelid IN (SELECT tgrelid FROM own_trigger)
)
SELECT coalesce(encode(sha256(string_agg(line, E'\n' ORDER BY line)::bytea), 'hex'), '') FROM line)sql";

const char *functions() { return quoted_schema(read_extension().schema); }

// "schema.name", quoted, in the schema of the store.
const char *in_schema(const Store &store, const char *name) {
    return psprintf("%s.%s", quoted_schema(store.schema), quoted(name));
}

// Whether the table of an ALTER TABLE has all columns that the statement adds, and it adds some.
bool has_columns(const Store &store, const AlterTableStmt *statement) {
    Oid table = get_relname_relid(statement->relation->relname, store.schema);
    ListCell *cell;
    foreach (cell, statement->cmds) {
        auto *command = lfirst_node(AlterTableCmd, cell);
        if (command->subtype != AT_AddColumn ||
            get_attnum(table, reinterpret_cast<ColumnDef *>(command->def)->colname) == InvalidAttrNumber)
            return false;
    }
    return true;
}

// Whether the table or the columns that the statement adds are there.
bool is_added(const Store &store, const Statement *statement) {
    if (IsA(statement->tree, CreateStmt))
        return OidIsValid(find_table(store.schema, name_of_new(statement), store.owner));
    return IsA(statement->tree, AlterTableStmt) &&
           has_columns(store, reinterpret_cast<const AlterTableStmt *>(statement->tree));
}

// Whether the statement does nothing but add columns.
bool adds_columns(const Statement *statement) {
    if (!IsA(statement->tree, AlterTableStmt)) return false;
    ListCell *cell;
    foreach (cell, reinterpret_cast<const AlterTableStmt *>(statement->tree)->cmds)
        if (lfirst_node(AlterTableCmd, cell)->subtype != AT_AddColumn) return false;
    return true;
}

bool is_index(const Statement *statement) { return IsA(statement->tree, IndexStmt); }

// Whether the statement creates an index unless there is one of its name, and there is.
bool has_index(const Store &store, const Statement *statement) {
    auto *index = reinterpret_cast<const IndexStmt *>(statement->tree);
    return index->if_not_exists && OidIsValid(get_relname_relid(index->idxname, store.schema));
}

// What a preparation has added has rows of its own in its table, under this name: tables, and columns as
// "table.column".
const char *made_by(const core::Step *step) { return psprintf("%s made", name_of(step)); }

// The tables and columns that the statement would add and that are not there: a list of names, "table" or
// "table.column", quoted.
List *missing_parts(const Store &store, const Statement *statement) {
    List *missing = NIL;
    if (IsA(statement->tree, CreateStmt)) {
        const char *name = name_of_new(statement);
        if (!OidIsValid(get_relname_relid(name, store.schema)))
            missing = lappend(missing, const_cast<char *>(quoted(name)));
    }
    if (!IsA(statement->tree, AlterTableStmt)) return missing;
    auto *alter = reinterpret_cast<const AlterTableStmt *>(statement->tree);
    Oid table = get_relname_relid(alter->relation->relname, store.schema);
    ListCell *cell;
    foreach (cell, alter->cmds) {
        auto *command = lfirst_node(AlterTableCmd, cell);
        if (command->subtype != AT_AddColumn) continue;
        const char *column = reinterpret_cast<ColumnDef *>(command->def)->colname;
        if (get_attnum(table, column) == InvalidAttrNumber)
            missing = lappend(missing, psprintf("%s.%s", quoted(alter->relation->relname), quoted(column)));
    }
    return missing;
}

// The prepared index of a statement: its name, and whether it is there and can be renamed.
struct PreparedIndex {
    const char *name;
    bool exists;
    bool is_ready;
};
PreparedIndex prepared_index(const core::Migrations *migrations, const Store &store, const core::Step *step,
                             const core::Shape &is, const Statement *statement) {
    const char *index = name_of_new(statement);
    const char *name = in_core([&] { return core::prepared_name(index, step->to); })->c_str();
    bool exists = OidIsValid(get_relname_relid(name, store.schema));
    const core::Release *after = migrations->release(step->to);
    const core::Object *there = find_index(is, name), *wanted = after ? find_index(after->shape, index) : nullptr;
    bool is_ready = there != nullptr && wanted != nullptr &&
                    *in_core([&] { return core::is_prepared_index(*there, *wanted, step->to); });
    return {name, exists, is_ready};
}

// Whether the owner of the store has the table of a preparation in its schema.
bool has_table(const Store &store) { return OidIsValid(find_table(store.schema, preparation_table, store.owner)); }

// The triggers of a preparation, as statements that drop them.
List *drops_of_triggers(const Store &store) {
    MemoryContext caller = CurrentMemoryContext;
    List *drops = NIL;
    SPI_connect();
    Session session = enter();
    uint64 rows = query(
        "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE c.relnamespace = $1 AND c.relowner = $2 AND t.tgfoid = to_regprocedure($3) ORDER BY 2, 1",
        {oid_argument(store.schema), oid_argument(store.owner),
         text_argument(psprintf("%s.discovery_prepared()", functions()))});
    for (uint64 row = 0; row < rows; ++row) {
        const char *name = quoted(result_text(row, 0)), *table = in_schema(store, result_text(row, 1));
        MemoryContext inner = MemoryContextSwitchTo(caller);
        drops = lappend(drops, psprintf("DROP TRIGGER %s ON %s", name, table));
        MemoryContextSwitchTo(inner);
    }
    leave(session);
    SPI_finish();
    return drops;
}

PreparatoryTask *task(List *before, const char *statement, const char *effect, bool is_done, bool is_next = true) {
    auto *added = static_cast<PreparatoryTask *>(palloc(sizeof(PreparatoryTask)));
    int last = before == NIL ? 0 : static_cast<PreparatoryTask *>(llast(before))->number;
    *added = {is_next ? last + 1 : last, statement, effect, is_done};
    return added;
}

// Errors: 55006 another session is building the index.
void refuse_being_built(const Store &store, const char *index) {
    SPI_connect();
    Session session = enter();
    bool is_built = query("SELECT FROM pg_stat_progress_create_index WHERE index_relid = $1",
                          {oid_argument(get_relname_relid(index, store.schema))}) > 0;
    leave(session);
    SPI_finish();
    if (is_built)
        ereport(ERROR, errcode(ERRCODE_OBJECT_IN_USE), errmsg("index \"%s\" is being built by another session", index),
                errhint("Wait until it is built: only one session should prepare an upgrade."));
}

// A call of discovery_run_ahead(), with the exact types of its arguments.
const char *call(const Store &store, const core::Step *step, int number) {
    return psprintf("CALL %s.discovery_run_ahead(%s::pg_catalog.text, %d, %s::pg_catalog.name)", functions(),
                    quote_literal_cstr(text_of(step->to)), number,
                    quote_literal_cstr(get_namespace_name(store.schema)));
}

// Whether the preparation runs a statement at the moment.
bool is_batch_under_way;

}  // namespace

void run_in_batch(const Statement *statement) {
    is_batch_under_way = true;
    PG_TRY();
    { run_and_tell(statement); }
    PG_FINALLY();
    { is_batch_under_way = false; }
    PG_END_TRY();
}

bool is_in_batch() { return is_batch_under_way && DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, Datum{})) == 1; }

const core::Step *next_step(const core::Migrations *migrations, const Store &store) {
    for (const core::Step &step : migrations->steps)
        if (step.is_up() && step.from == store.version) return &step;
    return nullptr;
}

const char *name_of(const core::Step *step) {
    return in_core([&] { return step->from.text() + " -> " + step->to.text(); })->c_str();
}

bool has_preparation(const Store &store) {
    return has_table(store) || (OidIsValid(store.sources) && drops_of_triggers(store) != NIL);
}

Preparation read_preparation(const Store &store, const core::Step *step, bool waits) {
    Preparation found{false, true, "", false, NIL};
    if (!has_preparation(store)) return found;
    found.is_begun = true;
    if (!has_table(store)) return found;
    Oid table = get_relname_relid(preparation_table, store.schema);
    if (!waits && !ConditionalLockRelationOid(table, AccessShareLock)) {
        found.is_known = false;
        return found;
    }
    hold_table(store, preparation_table, AccessShareLock);
    const char *of_step = name_of(step);
    MemoryContext caller = CurrentMemoryContext;
    SPI_connect();
    Session session = enter_as(store.owner);
    query(proof_query, {oid_argument(store.schema), text_argument(psprintf("%s.discovery_prepared()", functions()))});
    found.proof = MemoryContextStrdup(caller, result_text(0, 0));
    uint64 rows = query(psprintf("SELECT statement, is_done FROM %s WHERE step = $1 AND proof = $2 ORDER BY 1",
                                 in_schema(store, preparation_table)),
                        {text_argument(of_step), text_argument(found.proof)});
    for (uint64 row = 0; row < rows; ++row) {
        bool is_null;
        int number = DatumGetInt32(result_datum(row, 0, INT4OID, &is_null));
        bool is_done = DatumGetBool(result_datum(row, 1, BOOLOID, &is_null));
        MemoryContext inner = MemoryContextSwitchTo(caller);
        if (number == 0) found.is_installed = true;
        if (is_done) found.done = lappend_int(found.done, number);
        MemoryContextSwitchTo(inner);
    }
    leave(session);
    SPI_finish();
    return found;
}

void refuse_prepared(const Store &store, const char *action) {
    if (!has_preparation(store)) return;
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("cannot %s because the store in schema \"%s\" is prepared for an upgrade", action,
                   get_namespace_name(store.schema)),
            errhint("Upgrade it, or run the statements that this gives first: SELECT statement FROM"
                    " %s.discovery_cancel_upgrade(%s);",
                    functions(), quote_literal_cstr(get_namespace_name(store.schema))));
}

List *statements_of_step(const core::Migrations *migrations, const Store &store, const core::Step *step) {
    List *all = read_statements(step->sql, store.schema), *left = NIL;
    bool is_of_store = step->is_up() && step->from == store.version && OidIsValid(store.schema);
    Preparation preparation{};
    if (is_of_store && !step->from.is_base()) preparation = read_preparation(store, step);
    const core::Shape *is = nullptr;
    if (preparation.is_begun) {
        is = read_shape(store.schema);
        ListCell *drop;
        foreach (drop, drops_of_triggers(store))
            left = lappend(left, make_statement(static_cast<char *>(lfirst(drop))));
        if (has_table(store))
            left = lappend(left, make_statement(psprintf("DROP TABLE %s", in_schema(store, preparation_table))));
    }
    ListCell *cell;
    foreach (cell, all) {
        auto *statement = static_cast<Statement *>(lfirst(cell));
        if (statement->ahead->when == core::Ahead::When::only_ahead) continue;
        if (preparation.is_begun && statement->ahead->when == core::Ahead::When::ahead) {
            if (is_added(store, statement)) continue;
            if (adds_columns(statement)) {
                const char *text = statement->text;
                statement->text = in_core([&] { return core::unless_there(text); })->c_str();
            }
            if (statement->ahead->is_in_batches() && preparation.is_installed &&
                list_member_int(preparation.done, statement->number))
                continue;
            if (is_index(statement) && !has_index(store, statement)) {
                PreparedIndex index = prepared_index(migrations, store, step, *is, statement);
                const char *name = in_schema(store, index.name);
                if (index.is_ready) {
                    left = lappend(left, make_statement(psprintf("ALTER INDEX %s RENAME TO %s", name,
                                                                 quoted(name_of_new(statement)))));
                    continue;
                }
                if (index.exists) left = lappend(left, make_statement(psprintf("DROP INDEX %s", name)));
            }
        }
        left = lappend(left, statement);
    }
    return left;
}

List *preparatory_tasks(const core::Migrations *migrations, const Store &store, const core::Step *step, bool waits) {
    Preparation preparation = read_preparation(store, step, waits);
    if (!preparation.is_known) return NIL;
    const core::Release *before = migrations->release(step->from);
    const core::Shape *shape = read_shape(store.schema), &shape_before = before ? before->shape : *shape;
    List *tasks = NIL;
    tasks = lappend(tasks, task(tasks, call(store, step, 0),
                                psprintf("adds columns, tables and triggers of version %s; locks the tables of the"
                                         " store for a moment",
                                         text_of(step->to)),
                                preparation.is_installed));
    ListCell *cell;
    foreach (cell, read_statements(step->sql, store.schema)) {
        auto *statement = static_cast<Statement *>(lfirst(cell));
        if (statement->ahead->when != core::Ahead::When::ahead) continue;
        const char *effects = analyze(statement->tree, shape_before).effects;
        if (statement->ahead->is_in_batches()) {
            bool is_done = preparation.is_installed && list_member_int(preparation.done, statement->number);
            tasks = lappend(tasks, task(tasks, call(store, step, statement->number),
                                        psprintf("%s, in batches that commit", effects), is_done));
        } else if (is_index(statement) && !has_index(store, statement)) {
            PreparedIndex index = prepared_index(migrations, store, step, *shape, statement);
            bool is_in_the_way = index.exists && !index.is_ready;
            if (is_in_the_way && waits) refuse_being_built(store, index.name);
            if (is_in_the_way)
                tasks = lappend(tasks, task(tasks, psprintf("DROP INDEX CONCURRENTLY %s", in_schema(store, index.name)),
                                            "drops an index whose build has failed", false));
            const char *text = statement->text, *name = quoted(index.name);
            const char *build = in_core([&] { return core::prepared_index(text, name); })->c_str();
            tasks = lappend(tasks, task(tasks, build, psprintf("%s, beside readers and writers", effects),
                                        index.is_ready, !is_in_the_way));
        }
    }
    return tasks;
}

void install_preparation(const Store &store, const core::Step *step) {
    bool is_begun = has_preparation(store), has_its_table = has_table(store);
    const char *table = in_schema(store, preparation_table);
    ListCell *cell;
    foreach (cell, drops_of_triggers(store)) query(static_cast<char *>(lfirst(cell)), {}, false);
    if (has_its_table) {
        query(psprintf("DELETE FROM %s WHERE step <> $1", table), {text_argument(made_by(step))}, false);
    } else {
        query(psprintf("CREATE TABLE %s (step text NOT NULL, statement integer NOT NULL, proof text NOT NULL,"
                       " position text, is_done boolean NOT NULL DEFAULT false, PRIMARY KEY (step, statement))",
                       table),
              {}, false);
        query(psprintf("COMMENT ON TABLE %s IS 'preparation of an upgrade of the discovery store'", table), {}, false);
    }
    foreach (cell, read_statements(step->sql, store.schema)) {
        auto *statement = static_cast<Statement *>(lfirst(cell));
        if (statement->ahead->when == core::Ahead::When::step || statement->ahead->is_in_batches() ||
            is_index(statement) || (is_begun && is_added(store, statement)))
            continue;
        const char *text = statement->text;
        if (is_begun && adds_columns(statement)) text = in_core([&] { return core::unless_there(text); })->c_str();
        if (IsA(statement->tree, CreateTrigStmt)) text = in_core([&] { return core::prepared_trigger(text); })->c_str();
        List *made = missing_parts(store, statement);
        query(text, {}, false);
        ListCell *part;
        foreach (part, made)
            query(psprintf("INSERT INTO %s (step, statement, proof, is_done) SELECT $1, count(*), $2, true FROM %s"
                           " WHERE step = $1",
                           table, table),
                  {text_argument(made_by(step)), text_argument(static_cast<char *>(lfirst(part)))}, false);
    }
    Preparation now = read_preparation(store, step);
    query(psprintf("INSERT INTO %s (step, statement, proof, is_done) VALUES ($1, 0, $2, true)", table),
          {text_argument(name_of(step)), text_argument(now.proof)}, false);
}

const std::vector<core::Loss> *made_by_preparation(const Store &store, const core::Step *step) {
    auto *made = in_core([] { return std::vector<core::Loss>{}; });
    if (!has_table(store)) return made;
    uint64 rows = query(psprintf("SELECT coalesce(part[1], proof), coalesce(part[2], '') FROM %s,"
                                 " regexp_match(proof, '^(\\w+|\".*\")\\.(\\w+|\".*\")$') AS part"
                                 " WHERE step = $1 ORDER BY statement DESC",
                                 in_schema(store, preparation_table)),
                        {text_argument(made_by(step))});
    for (uint64 row = 0; row < rows; ++row) {
        const char *table = result_text(row, 0), *column = result_text(row, 1);
        in_core([&] { made->push_back({table, column}); });
    }
    return made;
}

void remove_preparation(const Store &store, const core::Step *step) {
    List *drops = drops_of_triggers(store);
    for (const core::Loss &made : *made_by_preparation(store, step)) {
        const char *table = psprintf("%s.%s", quoted_schema(store.schema), made.table.c_str());
        drops = lappend(drops, made.column.empty() ? psprintf("DROP TABLE IF EXISTS %s", table)
                                                   : psprintf("ALTER TABLE IF EXISTS %s DROP COLUMN IF EXISTS %s",
                                                              table, made.column.c_str()));
    }
    if (has_table(store)) drops = lappend(drops, psprintf("DROP TABLE %s", in_schema(store, preparation_table)));
    ListCell *cell;
    foreach (cell, drops) query(static_cast<char *>(lfirst(cell)), {}, false);
}

List *undoing_tasks(const core::Migrations *migrations, const Store &store, const core::Step *step) {
    List *tasks = NIL;
    const core::Shape *shape = read_shape(store.schema);
    ListCell *cell;
    foreach (cell, read_statements(step->sql, store.schema)) {
        auto *statement = static_cast<Statement *>(lfirst(cell));
        if (statement->ahead->when != core::Ahead::When::ahead || !is_index(statement)) continue;
        PreparedIndex index = prepared_index(migrations, store, step, *shape, statement);
        if (index.exists)
            tasks = lappend(tasks, task(tasks, psprintf("DROP INDEX CONCURRENTLY %s", in_schema(store, index.name)),
                                        "drops an index, beside readers and writers", false));
    }
    if (has_preparation(store))
        tasks = lappend(tasks, task(tasks, call(store, step, -1),
                                    psprintf("drops columns, tables and triggers of version %s; locks the tables of"
                                             " the store for a moment",
                                             text_of(step->to)),
                                    false));
    return tasks;
}

const core::Shape *without_preparation(const core::Migrations *migrations, const Store &store,
                                       const core::Shape *shape) {
    const core::Step *step = has_preparation(store) ? next_step(migrations, store) : nullptr;
    if (step == nullptr) return shape;
    const core::Release *before = migrations->release(step->from), *after = migrations->release(step->to);
    if (before == nullptr || after == nullptr) return shape;
    return in_core([&] { return core::without_preparation(*shape, before->shape, after->shape, step->to); });
}

}  // namespace discovery
