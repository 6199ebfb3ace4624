// Runs the steps of the migrations, and writes the record of a store.
#include "store/steps.hpp"

#include "server/queries.hpp"
#include "server/session.hpp"
#include "server/settings.hpp"
#include "server/sha256.hpp"
#include "store/shape.hpp"

extern "C" {
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
}

namespace discovery {
namespace {

// Locks the tables of the release in the order in which writers lock them. They must be plain
// tables of the store's owner, because the owner of the schema can put other objects in their
// place.
// Errors: 42P17.
void lock_tables(const Store &store, const core::Release *release) {
    if (release == nullptr) return;
    auto *names = in_core([&] {
        std::vector<std::string> names{"sources", "notebooks"};
        for (const core::Object &object : release->shape)
            if (object.kind == "table" && object.name != "sources" && object.name != "notebooks")
                names.push_back(object.name);
        return names;
    });
    for (const std::string &name : *names) {
        Oid table = get_relname_relid(name.c_str(), store.schema);
        if (OidIsValid(table))
            lock_or_explain(psprintf("table \"%s\"", name.c_str()), "Another session is using the table.",
                            [&] { LockRelationOid(table, AccessExclusiveLock); });
        bool is_there = OidIsValid(table) && get_relname_relid(name.c_str(), store.schema) == table;
        const char *why = is_there ? why_no_plain_table(table) : "is missing";
        if (why == nullptr && owner_of(table) != store.owner) why = "does not belong to the owner of the store";
        if (why != nullptr)
            ereport(ERROR, errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                    errmsg("the store in schema \"%s\" is not complete", get_namespace_name(store.schema)),
                    errdetail("\"%s\" %s.", name.c_str(), why));
    }
}

// Runs one statement of a script. If it fails, the error names the script and the statement.
void run_statement(const char *statement, const char *script, int number) {
    MemoryContext context = CurrentMemoryContext;
    PG_TRY();
    {
        int result = SPI_execute(statement, false, 0);
        if (result < 0) elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
        // A step reports to the user with a SELECT of two columns: message and hint.
        for (uint64 row = 0; result == SPI_OK_SELECT && row < SPI_processed; ++row)
            ereport(WARNING, errmsg("%s", result_text(row, 0)), errhint("%s", result_text(row, 1)));
    }
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
                hint ? errhint("%s", hint) : 0, errcontext("SQL statement \"%s\"", statement));
    }
    PG_END_TRY();
}

// Runs all statements of a script, with the schemas filled in.
void run_script(const std::string &sql, Oid schema, const char *script) {
    const char *store = quoted_schema(schema);
    const char *extension = quoted_schema(read_extension().schema);
    const char *placed = place_step(sql, store, extension);
    List *statements = pg_parse_query(placed);
    for (int number = 0; number < list_length(statements); ++number)
        run_statement(text_of_statement(placed, statements, number), script, number + 1);
}

// Writes the version of the store, and adds a row to its history.
void note(Oid schema, core::Version from, core::Version to, const char *direction, const char *description,
          TimestampTz start, const char *checksum) {
    const char *store = quoted_schema(schema);
    const char *alter =
        psprintf("ALTER TABLE %s.discovery_migrations ALTER COLUMN version SET DEFAULT '%s'", store, text_of(to));
    run_statement(alter, "recording the version", 1);
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

void run_step(const core::Migrations *migrations, Oid schema, Oid owner, const core::Step *step) {
    const char *name = psprintf("step %s -> %s", text_of(step->from), text_of(step->to));
    Store store;
    if (!step->from.is_base() && find_store(schema, &store))
        refuse_data_loss(migrations, store, step->to, psprintf("%s would lose data", name));

    TimestampTz start = GetCurrentTimestamp();
    SPI_connect();
    Session session = enter_as(owner);
    if (step->from.is_base()) run_script(migrations->record_sql, schema, name);
    run_script(step->sql, schema, name);
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

const char *place_step(const std::string &sql, const char *store, const char *extension) {
    return in_core([&] {
               const core::Mark values[] = {{core::store_mark, store},
                                            {core::extension_mark, extension},
                                            {core::compression_mark, best_compression()}};
               return core::place_marks(sql, values);
           })
        ->c_str();
}

const char *text_of_statement(const char *script, const List *statements, int number) {
    auto end_of = [&](int which) {
        auto *statement = static_cast<const RawStmt *>(list_nth(statements, which));
        return statement->stmt_len > 0 ? static_cast<size_t>(statement->stmt_location + statement->stmt_len)
                                       : strlen(script);
    };
    // Do not use stmt_location: up to PostgreSQL 17 it is before the comment, since 18 after it.
    size_t begin = number == 0 ? 0 : end_of(number - 1) + strlen(";");
    const char *start = script + begin;
    size_t length = end_of(number) - begin;
    while (length > 0 && (*start == ' ' || *start == '\n')) {
        ++start;
        --length;
    }
    return to_cstring({start, length});
}

const char *step_checksum(const core::Step *step) { return text_to_cstring(sha256_hex(step->sql)); }

void stamp(Oid schema, Oid owner, core::Version from, core::Version to) {
    TimestampTz start = GetCurrentTimestamp();
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
    for (const core::Step *step : *path) run_step(migrations, schema, owner, step);
}

namespace {

// Whether a step on the path renames the table or column, so that it keeps its data.
bool is_renamed(const std::vector<const core::Step *> *path, const Store &store, const core::Loss &loss) {
    bool is_table = loss.column.empty();
    for (const core::Step *step : *path) {
        ListCell *cell;
        foreach (cell, pg_parse_query(place_step(step->sql, quoted_schema(store.schema),
                                                 quoted_schema(read_extension().schema)))) {
            auto *rename = reinterpret_cast<RenameStmt *>(lfirst_node(RawStmt, cell)->stmt);
            if (!IsA(rename, RenameStmt) || rename->renameType != (is_table ? OBJECT_TABLE : OBJECT_COLUMN)) continue;
            if (loss.table == quoted(rename->relation->relname) && (is_table || loss.column == quoted(rename->subname)))
                return true;
        }
    }
    return false;
}

}  // namespace

void refuse_data_loss(const core::Migrations *migrations, const Store &store, core::Version to, const char *refused) {
    const core::Release *before = migrations->release(store.version), *after = migrations->release(to);
    auto *losses = in_core(
        [&] { return core::losses(before ? before->shape : core::Shape{}, after ? after->shape : core::Shape{}); });
    auto *path = in_core([&] { return core::find_path(*migrations, store.version, to); });
    StringInfoData found;
    initStringInfo(&found);
    SPI_connect();
    Session session = enter_as(store.owner);
    lock_tables(store, before);
    for (const core::Loss &loss : *losses) {
        // The history is dropped with its store, and is not user data.
        if (settings::allow_data_loss || loss.table == record_table || is_renamed(path, store, loss)) continue;
        query(psprintf("SELECT count(%s) FROM %s.%s", loss.column.empty() ? "*" : loss.column.c_str(),
                       quoted_schema(store.schema), loss.table.c_str()));
        const char *count = result_text(0, 0);
        if (strcmp(count, "0") == 0) continue;
        if (found.len > 0) appendStringInfoChar(&found, '\n');
        if (loss.column.empty())
            appendStringInfo(&found, "Table \"%s\" has rows: %s.", loss.table.c_str(), count);
        else
            appendStringInfo(&found, "Column \"%s\" of table \"%s\" has values: %s.", loss.column.c_str(),
                             loss.table.c_str(), count);
    }
    leave(session);
    if (found.len > 0)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("%s", refused),
                errdetail("%s", found.data), errhint("Make a backup, then SET discovery.allow_data_loss = on."));
    SPI_finish();
}

}  // namespace discovery
