#include "steps.hpp"

#include "content_hash.hpp"
#include "session.hpp"
#include "settings.hpp"

namespace discovery {
namespace {

const char *text_of(core::Version version) {
    return in_core([&] { return version.text(); })->c_str();
}

// One statement of a script; its failure is told with the place of it.
void run_statement(const char *statement, const char *script, int number) {
    MemoryContext context = CurrentMemoryContext;
    PG_TRY();
    {
        int result = SPI_execute(statement, false, 0);
        if (result < 0) elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(context);
        ErrorData *cause = CopyErrorData();
        FlushErrorState();
        ereport(ERROR, errcode(cause->sqlerrcode), errmsg("%s failed at statement %d", script, number),
                cause->detail ? errdetail("%s\n%s", cause->message, cause->detail) : errdetail("%s", cause->message),
                cause->hint ? errhint("%s", cause->hint) : 0, errcontext("SQL statement \"%s\"", statement));
    }
    PG_END_TRY();
}

// All statements of a script of ours, with the schemas put in.
void run_script(const std::string &sql, Oid schema, const char *script) {
    const char *store = quoted_schema(schema);
    const char *extension = quoted_schema(read_extension().schema);
    const char *placed = in_core([&] { return core::place_schemas(sql, store, extension); })->c_str();
    int number = 0;
    ListCell *cell;
    foreach (cell, pg_parse_query(placed)) {
        auto *statement = lfirst_node(RawStmt, cell);
        const char *start = placed + statement->stmt_location;
        size_t length = statement->stmt_len > 0 ? static_cast<size_t>(statement->stmt_len) : strlen(start);
        run_statement(to_cstring({start, length}), script, ++number);
    }
}

// Writes the version of the store, and a line of its history.
void note(Oid schema, core::Version from, core::Version to, const char *direction, const char *description,
          TimestampTz start, const char *checksum) {
    const char *store = quoted_schema(schema);
    const char *alter = psprintf("ALTER TABLE %s.discovery_migrations ALTER COLUMN version SET DEFAULT '%s'", store,
                                 text_of(to));
    run_statement(alter, "recording the version", 1);
    Argument previous = text_argument(text_of(from));
    previous.is_null = from.is_base();
    Argument step = text_argument(checksum ? checksum : "");
    step.is_null = checksum == nullptr;
    query(psprintf("INSERT INTO %s.discovery_migrations"
                   " (version, previous_version, direction, description, duration, checksum)"
                   " VALUES ($1, $2, $3, $4, clock_timestamp() - $5, $6)",
                   store),
          {text_argument(text_of(to)), previous, text_argument(direction), text_argument(description),
           {TIMESTAMPTZOID, TimestampTzGetDatum(start)}, step},
          false);
}

// Compares the live store with a release; raises 42P17 with what is missing or different.
void check_shape(const core::Migrations *migrations, Oid schema, const core::Step *step) {
    if (!settings::verify_steps) return;
    const core::Release *release = migrations->release(step->to);
    const core::Shape *is = read_shape(schema);
    auto *differences = in_core([&] {
        return core::list(core::violations(core::compare(*is, release ? release->shape : core::Shape{})));
    });
    if (release == nullptr || !differences->empty())
        ereport(ERROR, errcode(ERRCODE_INVALID_TABLE_DEFINITION),
                errmsg("the step from version %s to %s leaves another shape than that of version %s",
                       text_of(step->from), text_of(step->to), text_of(step->to)),
                errdetail("%s", release ? differences->c_str() : "The shape of this version is not known."));
}

void run_step(const core::Migrations *migrations, Oid schema, Oid owner, const core::Step *step) {
    const char *name = psprintf("step %s -> %s", text_of(step->from), text_of(step->to));
    refuse_data_loss(migrations, schema, owner, step->from, step->to, psprintf("%s would lose data", name));

    TimestampTz start = GetCurrentTimestamp();
    SPI_connect();
    Session session = enter_as(owner);
    if (step->from.is_base()) run_script(migrations->record_sql, schema, name);
    run_script(step->sql, schema, name);
    if (!step->to.is_base())
        note(schema, step->from, step->to, step->from.is_base() ? "install" : step->is_up() ? "upgrade" : "downgrade",
             step->description.c_str(), start, text_to_cstring(sha256_hex(step->sql)));
    leave(session);
    SPI_finish();
    if (!step->to.is_base()) check_shape(migrations, schema, step);
}

}  // namespace

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

void refuse_data_loss(const core::Migrations *migrations, Oid schema, Oid owner, core::Version from,
                      core::Version to, const char *refused) {
    if (settings::allow_data_loss || from.is_base()) return;
    auto *losses = in_core([&] {
        const core::Release *before = migrations->release(from), *after = migrations->release(to);
        return core::losses(before ? before->shape : core::Shape{}, after ? after->shape : core::Shape{});
    });
    const char *store = quoted_schema(schema);
    StringInfoData found;
    initStringInfo(&found);
    SPI_connect();
    Session session = enter_as(owner);
    for (const core::Loss &loss : *losses) {
        // The history goes with its store; it is no data of the user's.
        if (loss.table == record_table || !OidIsValid(get_relname_relid(loss.table.c_str(), schema))) continue;
        const char *table = psprintf("%s.%s", store, quote_identifier(loss.table.c_str()));
        const char *column = loss.column.empty() ? "*" : quote_identifier(loss.column.c_str());
        run_statement(psprintf("LOCK TABLE %s IN ACCESS EXCLUSIVE MODE", table), refused, 1);
        query(psprintf("SELECT count(%s) FROM %s", column, table));
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
                errdetail("%s", found.data),
                errhint("Make a backup; then SET discovery.allow_data_loss = on."));
    SPI_finish();
}

}  // namespace discovery
