// Runs the steps of the migrations, and writes the record of a store.
#include "store/steps.hpp"

#include "server/progress.hpp"
#include "server/queries.hpp"
#include "server/session.hpp"
#include "server/settings.hpp"
#include "server/sha256.hpp"
#include "server/subtransaction.hpp"
#include "store/preparation.hpp"
#include "store/shape.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
}

#include <algorithm>

namespace discovery {
namespace {
// Runs one statement of a script. If it fails, the error names the script and the statement.
void run_statement(const Statement *statement, const char *script, int number) {
    MemoryContext context = CurrentMemoryContext;
    PG_TRY();
    { run_and_tell(statement); }
    PG_CATCH();
    {
        MemoryContextSwitchTo(context);
        ErrorData *cause = CopyErrorData();
        // A cancel request or a timeout is not a failure of the statement.
        if (cause->sqlerrcode == ERRCODE_QUERY_CANCELED || cause->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
            PG_RE_THROW();
        FlushErrorState();
        // The server's own hint, to use CASCADE, is only useful to the author of the statement.
        const char *hint = cause->sqlerrcode == ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST
                               ? "Drop the dependent objects first, and make them again afterwards."
                               : cause->hint;
        ereport(ERROR, errcode(cause->sqlerrcode), errmsg("%s failed at statement %d", script, number),
                cause->detail ? errdetail("%s\n%s", cause->message, cause->detail) : errdetail("%s", cause->message),
                hint ? errhint("%s", hint) : 0, errcontext("SQL statement \"%s\"", statement->text));
    }
    PG_END_TRY();
}

// Whether the statement would replace a comment of the user's: a comment on a table, view or column
// that the release before the step does not have.
bool replaces_comment(const Node *statement, Oid schema, const core::Release *before) {
    auto *comment = reinterpret_cast<const CommentStmt *>(statement);
    if (!IsA(comment, CommentStmt)) return false;
    bool is_column = comment->objtype == OBJECT_COLUMN;
    if (!is_column && comment->objtype != OBJECT_TABLE && comment->objtype != OBJECT_VIEW) return false;
    auto *names = castNode(List, comment->object);
    const char *column = is_column ? strVal(llast(names)) : nullptr;
    const char *table = strVal(list_nth(names, list_length(names) - (is_column ? 2 : 1)));
    Oid relation = get_relname_relid(table, schema);
    AttrNumber number = is_column ? get_attnum(relation, column) : 0;
    const char *present = GetComment(relation, RelationRelationId, number);
    if (present == nullptr) return false;
    table = quote_identifier(table);
    const char *name = is_column ? psprintf("%s.%s", table, quote_identifier(column)) : table;
    return before == nullptr ||
           std::none_of(before->shape.begin(), before->shape.end(), [&](const core::Object &object) {
               return object.kind == "comment" && object.name == name && object.definition == present;
           });
}

// Runs statements as parts of a script. `before` is the release that the script starts from, or null.
void run_statements(List *statements, Oid schema, const char *script, const core::Release *before = nullptr) {
    int count = list_length(statements);
    for (int number = 1; number <= count; ++number) {
        auto *statement = static_cast<const Statement *>(list_nth(statements, number - 1));
        if (replaces_comment(statement->tree, schema, before)) continue;
        as_part(psprintf("%s: statement %d of %d", script, number, count), first_line(statement->text),
                [&] { run_statement(statement, script, number); });
    }
}

// Runs all statements of a script that is not a step.
void run_script(const std::string &sql, Oid schema, const char *script) {
    run_statements(read_statements(sql, schema), schema, script);
}

// Writes the version of the store, and adds a row to its history.
void note(Oid schema, core::Version from, core::Version to, const char *direction, const char *description,
          TimestampTz start, const char *checksum) {
    const char *store = quoted_schema(schema);
    const char *alter =
        psprintf("ALTER TABLE %s.discovery_migrations ALTER COLUMN version SET DEFAULT '%s'", store, text_of(to));
    run_statement(make_statement(alter), "recording the version", 1);
    query(psprintf("INSERT INTO %s.discovery_migrations"
                   " (version, previous_version, direction, description, duration, checksum)"
                   " VALUES ($1, $2, $3, $4, clock_timestamp() - $5, $6)",
                   store),
          {text_argument(text_of(to)),
           text_argument(from.is_base() ? nullptr : text_of(from)),
           text_argument(direction),
           text_argument(description),
           {TIMESTAMPTZOID, TimestampTzGetDatum(start)},
           text_argument(checksum)},
          false);
}

// Compares the live store with the release that the step leads to.
// Errors: 42P17, with what is missing or different.
void check_shape(const core::Migrations *migrations, Oid schema, const core::Step *step) {
    if (!settings::verify_steps) return;
    const core::Release *release = migrations->release(step->to);
    const core::Shape *is = read_shape(schema);
    auto *differences = in_core(
        [&] { return core::list(core::violations(core::compare(*is, release ? release->shape : core::Shape{}))); });
    if (release == nullptr || !differences->empty())
        ereport(ERROR, errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                errmsg("the step from version %s to %s did not produce the shape of version %s", text_of(step->from),
                       text_of(step->to), text_of(step->to)),
                errdetail("%s", release ? differences->c_str() : "The shape of this version is not known."),
                errhint("Use discovery_check() to list what was changed by hand and the statements that repair it."));
}

// Locks all tables or none, again and again until lock_timeout: a session that waits behind us waits only
// for one try. deadlock_timeout is shorter than a try: a session that waits for an autovacuum makes it give
// way only then.
// Errors: 55P03.
void lock_in_tries(const Store &store, const std::vector<std::string> &names) {
    constexpr int try_ms = 100, deadlock_ms = 25, most_pauses = 5;
    const int limit_ms = LockTimeout;
    const TimestampTz start = GetCurrentTimestamp();
    for (int attempt = 1;; ++attempt) {
        const char *volatile table = "";
        ErrorData *error = error_of([&] {
            pin("lock_timeout", psprintf("%dms", Min(try_ms, limit_ms)));
            pin("deadlock_timeout", psprintf("%dms", deadlock_ms));
            for (const std::string &name : names) {
                table = name.c_str();
                Oid relation = get_relname_relid(table, store.schema);
                if (OidIsValid(relation)) LockRelationOid(relation, AccessExclusiveLock);
            }
        });
        if (error == nullptr) return;
        if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE && error->sqlerrcode != ERRCODE_T_R_DEADLOCK_DETECTED)
            ReThrowError(error);
        const int pause_ms = try_ms * Min(attempt, most_pauses);
        if (TimestampDifferenceExceeds(start, GetCurrentTimestamp(), Max(limit_ms - pause_ms, 0)))
            ereport(ERROR, errcode(ERRCODE_LOCK_NOT_AVAILABLE),
                    errmsg("could not lock table \"%s\" within lock_timeout", table),
                    errdetail("Another session is using the table."),
                    errhint("Try again later, or SET lock_timeout to wait longer."));
        pause(pause_ms);
    }
}

// Whether the store was made in this transaction: others cannot have written to it.
bool is_made_now(Oid schema) {
    Oid sources = get_relname_relid("sources", schema);
    Relation relation = OidIsValid(sources) ? try_relation_open(sources, AccessShareLock) : nullptr;
    if (relation == nullptr) return false;
    bool is_new = relation->rd_createSubid != InvalidSubTransactionId;
    relation_close(relation, NoLock);
    return is_new;
}

// The columns that the statements add to tables, as "table.column".
const std::set<std::string, std::less<>> *added_columns(const List *statements) {
    auto *added = in_core([] { return std::set<std::string, std::less<>>{}; });
    ListCell *cell;
    foreach (cell, statements) {
        auto *alter = reinterpret_cast<AlterTableStmt *>(static_cast<Statement *>(lfirst(cell))->tree);
        if (!IsA(alter, AlterTableStmt)) continue;
        ListCell *part;
        foreach (part, alter->cmds) {
            auto *command = lfirst_node(AlterTableCmd, part);
            if (command->subtype != AT_AddColumn) continue;
            const char *name = psprintf("%s.%s", quoted(alter->relation->relname),
                                        quoted(reinterpret_cast<ColumnDef *>(command->def)->colname));
            in_core([&] { added->insert(name); });
        }
    }
    return added;
}

// Errors: 42P17 the schema has tables or columns with names of those that the step adds, and another shape.
void refuse_conflicts(const core::Migrations *migrations, Oid schema, const core::Step *step, const List *statements) {
    const core::Release *before = migrations->release(step->from), *after = migrations->release(step->to);
    if (!step->is_up() || before == nullptr || after == nullptr || !settings::verify_steps) return;
    const core::Shape *is = read_shape(schema);
    const auto *added = added_columns(statements);
    auto *differences = in_core([&] { return core::list(core::conflicts(*is, before->shape, after->shape, *added)); });
    if (differences->empty()) return;
    ereport(ERROR, errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
            errmsg("step %s cannot use what schema \"%s\" has already", name_of(step), get_namespace_name(schema)),
            errdetail("%s", differences->c_str()),
            errhint("Rename these tables and columns, or give them the expected shape, and try again."));
}

void run_step(const core::Migrations *migrations, Oid schema, Oid owner, const core::Step *step) {
    const char *name = psprintf("step %s", name_of(step));
    Store store{};
    if (!step->from.is_base() && find_store(schema, &store))
        refuse_data_loss(migrations, store, step->to, psprintf("%s would lose data", name));

    TimestampTz start = GetCurrentTimestamp();
    SPI_connect();
    Session session = enter_as(owner);
    hide_notices();
    if (step->from.is_base()) run_script(migrations->record_sql, schema, name);
    store.schema = schema;
    List *statements = statements_of_step(migrations, store, step);
    refuse_conflicts(migrations, schema, step, statements);
    run_statements(statements, schema, name, migrations->release(step->from));
    if (!step->to.is_base())
        note(schema, step->from, step->to,
             step->from.is_base() ? "install"
             : step->is_up()      ? "upgrade"
                                  : "downgrade",
             step->description.c_str(), start, step_checksum(step));
    leave(session);
    SPI_finish();
    if (!step->to.is_base()) check_shape(migrations, schema, step);
}

}  // namespace

void lock_tables(const core::Migrations *migrations, const Store &store, bool upgrades) {
    const core::Release *release = migrations->release(store.version);
    if (release == nullptr) return;
    auto *names = in_core([&] {
        std::vector<std::string> all{"sources", "notebooks"};
        for (const core::Object &object : release->shape)
            if (object.kind == "table" && object.name != "sources" && object.name != "notebooks")
                all.push_back(object.name);
        return all;
    });
    const core::Step *step = has_preparation(store) ? next_step(migrations, store) : nullptr;
    if (step != nullptr && OidIsValid(get_relname_relid(preparation_table, store.schema)))
        in_core([&] { names->push_back(preparation_table); });
    const core::Version last = upgrades ? migrations->newest() : step ? step->to : store.version;
    for (const core::Release &later : migrations->releases) {
        if (later.version <= store.version || later.version > last) continue;
        bool is_prepared = step != nullptr && later.version == step->to;
        for (const core::Object &object : later.shape) {
            if (object.kind != "table" || std::find(names->begin(), names->end(), object.name) != names->end())
                continue;
            const char *name = object.name.c_str();
            Oid table =
                is_prepared ? get_relname_relid(name, store.schema) : find_table(store.schema, name, store.owner);
            if (OidIsValid(table)) in_core([&] { names->push_back(object.name); });
        }
    }
    lock_in_tries(store, *names);
    for (const std::string &name : *names) {
        if (const char *why = why_not_of(get_relname_relid(name.c_str(), store.schema), store.owner))
            ereport(ERROR, errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                    errmsg("the store in schema \"%s\" is not complete", get_namespace_name(store.schema)),
                    errdetail("\"%s\" %s.", name.c_str(), why));
    }
}

const char *step_checksum(const core::Step *step) { return text_to_cstring(sha256_hex(step->sql)); }

void stamp(Oid schema, Oid owner, core::Version from, core::Version to) {
    TimestampTz start = GetCurrentTimestamp();
    Store store{};
    store.schema = schema;
    store.owner = owner;
    hold_table(store, record_table, AccessExclusiveLock);
    SPI_connect();
    Session session = enter_as(owner);
    note(schema, from, to, "stamp", "recorded without running steps", start, nullptr);
    leave(session);
    SPI_finish();
}

void record_adoption(const core::Migrations *migrations, Oid schema, Oid owner, core::Version version,
                     const char *description) {
    TimestampTz start = GetCurrentTimestamp();
    SPI_connect();
    Session session = enter_as(owner);
    run_script(migrations->record_sql, schema, "adoption");
    note(schema, {}, version, "adopt", description, start, nullptr);
    leave(session);
    SPI_finish();
}

void run_steps(const core::Migrations *migrations, Oid schema, Oid owner, core::Version from, core::Version to) {
    auto *path = in_core([&] { return core::find_path(*migrations, from, to); });
    if (!from.is_base() && from < to && !is_made_now(schema)) require_read_committed("upgrade a store");
    for (const core::Step *step : *path) run_step(migrations, schema, owner, step);
}

namespace {

// Whether a step on the path renames the table or column, so that it keeps its data.
bool is_renamed(const std::vector<const core::Step *> *path, const Store &store, const core::Loss &loss) {
    bool is_table = loss.column.empty();
    for (const core::Step *step : *path) {
        ListCell *cell;
        foreach (cell, read_statements(step->sql, store.schema)) {
            auto *rename = reinterpret_cast<RenameStmt *>(static_cast<Statement *>(lfirst(cell))->tree);
            if (!IsA(rename, RenameStmt) || rename->renameType != (is_table ? OBJECT_TABLE : OBJECT_COLUMN)) continue;
            if (loss.table == quoted(rename->relation->relname) && (is_table || loss.column == quoted(rename->subname)))
                return true;
        }
    }
    return false;
}

// A query for the number of values that a user has given to the column: neither NULL nor its default.
const char *count_of_values(const char *table, const char *column) {
    bool has_default = query(
                           "SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d"
                           " JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum"
                           " WHERE a.attrelid = $1::regclass AND quote_ident(a.attname) = $2 AND a.attgenerated = ''",
                           {text_argument(table), text_argument(column)}) > 0;
    if (!has_default) return psprintf("SELECT count(%s) FROM %s", column, table);
    return psprintf("SELECT count(*) FROM %s WHERE %s::text <> (%s)::text", table, column, result_text(0, 0));
}

}  // namespace

void refuse_data_loss(const core::Migrations *migrations, const Store &store, core::Version to, const char *refused) {
    const core::Release *before = migrations->release(store.version), *after = migrations->release(to);
    auto *path = in_core([&] { return core::find_path(*migrations, store.version, to); });
    auto *losses = in_core([&] {
        auto all = core::losses(before ? before->shape : core::Shape{}, after ? after->shape : core::Shape{});
        // The history is dropped with its store, and is not user data.
        std::erase_if(all, [](const core::Loss &loss) { return loss.table == record_table; });
        return all;
    });
    SPI_connect();
    Session session = enter_as(store.owner);
    lock_tables(migrations, store, store.version < to);
    auto *lost = in_core([] { return std::vector<core::Loss>{}; });
    for (const core::Loss &loss : *losses) {
        bool is_kept = is_renamed(path, store, loss);
        if (!is_kept) in_core([&] { lost->push_back(loss); });
    }
    refuse_losses(store, *lost, refused);
    leave(session);
    SPI_finish();
}

void refuse_losses(const Store &store, const std::vector<core::Loss> &losses, const char *refused) {
    if (settings::allow_data_loss) return;
    StringInfoData found;
    initStringInfo(&found);
    for (const core::Loss &loss : losses) {
        const char *table = psprintf("%s.%s", quoted_schema(store.schema), loss.table.c_str());
        query(loss.column.empty() ? psprintf("SELECT count(*) FROM %s", table)
                                  : count_of_values(table, loss.column.c_str()));
        const char *count = result_text(0, 0);
        if (strcmp(count, "0") == 0) continue;
        if (found.len > 0) appendStringInfoChar(&found, '\n');
        if (loss.column.empty())
            appendStringInfo(&found, "Table \"%s\" has rows: %s.", loss.table.c_str(), count);
        else
            appendStringInfo(&found, "Column \"%s\" of table \"%s\" has values: %s.", loss.column.c_str(),
                             loss.table.c_str(), count);
    }
    if (found.len > 0)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("%s", refused),
                errdetail("%s", found.data), errhint("Make a backup, then SET discovery.allow_data_loss = on."));
}

}  // namespace discovery
