// discovery_prepare_upgrade() and discovery_cancel_upgrade(), which give the statements of a preparation, and
// discovery_run_ahead(), which these statements call.
#include "server/arguments.hpp"
#include "server/progress.hpp"
#include "server/result.hpp"
#include "server/session.hpp"
#include "server/subtransaction.hpp"
#include "store/citus.hpp"
#include "store/current_store.hpp"
#include "store/preparation.hpp"
#include "store/shape.hpp"
#include "store/store.hpp"

extern "C" {
#include "access/relation.h"
#include "storage/bufmgr.h"
#include "tcop/utility.h"
#include "utils/snapmgr.h"
}

#include "core/target.hpp"

namespace discovery {
namespace {

// Errors: 0A000 the tables of the store are distributed by Citus.
void refuse_distributed(const Store &store) {
    if (node_of(store) != nullptr)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("cannot prepare an upgrade of the store in schema \"%s\" because Citus distributes it",
                       get_namespace_name(store.schema)),
                errhint("Upgrade it without a preparation."));
}

// Errors: 42P17 the store does not have the shape of its version, which the step relies on.
void require_shape(const core::Migrations *migrations, const Store &store) {
    const core::Release *release = migrations->release(store.version);
    if (release == nullptr) return;
    const core::Shape *is = without_preparation(migrations, store, read_shape(store.schema));
    auto *differences = in_core([&] { return core::list(core::violations(core::compare(*is, release->shape))); });
    if (differences->empty()) return;
    ereport(ERROR, errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
            errmsg("the store in schema \"%s\" does not have the shape of version %s", get_namespace_name(store.schema),
                   text_of(store.version)),
            errdetail("%s", differences->c_str()),
            errhint("Use discovery_check() to list what was changed by hand and the statements that repair it."));
}

// The step that a preparation of an upgrade to `target` prepares; null if there is nothing to upgrade.
const core::Step *step_to_prepare(const core::Migrations *migrations, const Store &store, std::string_view target) {
    core::Version to = *in_core([&] { return core::resolve_upgrade(*migrations, store.version, target); });
    if (to == store.version) return nullptr;
    auto *path = in_core([&] { return core::find_path(*migrations, store.version, to); });
    const core::Step *step = path->front();
    if (path->size() > 1)
        ereport(NOTICE, errmsg("only the step to version %s can be prepared now", text_of(step->to)),
                errhint("Upgrade to it, then prepare the next one."));
    return step;
}

void put_tasks(FunctionCallInfo fcinfo, const List *tasks) {
    ListCell *cell;
    foreach (cell, tasks) {
        auto *task = static_cast<const PreparatoryTask *>(lfirst(cell));
        if (task->is_done) continue;
        Datum values[] = {Int32GetDatum(task->number), to_text(task->statement), to_text(task->effect)};
        bool nulls[] = {false, false, false};
        put_row(fcinfo, values, nulls);
    }
}

[[noreturn]] void refuse_not_begun(const Store &store, const core::Step *step) {
    const char *schema = get_namespace_name(store.schema);
    bool is_begun = store.version == step->from && has_preparation(store);
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            is_begun
                ? errmsg("the preparation of the store in schema \"%s\" for version %s has to begin again", schema,
                         text_of(step->to))
                : errmsg("the store in schema \"%s\" is not being prepared for version %s", schema, text_of(step->to)),
            is_begun ? errdetail("Its triggers are not in place, or somebody has written past them or altered the"
                                 " tables.")
                     : 0,
            errhint("Run the statements that this gives: SELECT statement FROM %s.discovery_prepare_upgrade(%s, %s);",
                    quoted_schema(read_extension().schema), quote_literal_cstr(text_of(step->to)),
                    quote_literal_cstr(schema)));
}

// The error message where the tables and columns of a preparation have data.
const char *refused_cancel(const core::Step *step) {
    return psprintf("canceling the upgrade to version %s would lose data", text_of(step->to));
}

// Adds what runs ahead at once, or removes it again.
void install_or_remove(const core::Migrations *migrations, const char *schema, const core::Step *step, bool installs) {
    Oid namespace_id = require_store(schema).schema;
    lock_schema(namespace_id);
    Store store = require_store(schema);
    if (store.version != step->from || (!installs && !has_preparation(store))) refuse_not_begun(store, step);
    if (installs) require_shape(migrations, store);
    SPI_connect();
    Session session = enter_as(store.owner);
    hide_notices();
    lock_tables(migrations, store);
    if (installs && !read_preparation(store, step).is_installed) install_preparation(store, step);
    if (!installs) {
        refuse_losses(store, *made_by_preparation(store, step), refused_cancel(step));
        remove_preparation(store, step);
    }
    leave(session);
    SPI_finish();
}

// How far the batches of a statement have come.
struct Position {
    const char *text;  // the last id, or the next page; null at the start
    bool is_done;
};

// A range of the table, and where the next one begins.
struct Batch {
    const std::string *range;
    Position next;
    const char *first_id, *last_id;
};

Batch next_pages(const Store &store, const char *table, const Position &position, int size) {
    Relation relation = relation_open(get_relname_relid(table, store.schema), RowExclusiveLock);
    BlockNumber pages = RelationGetNumberOfBlocks(relation);
    relation_close(relation, NoLock);
    auto first = position.text ? static_cast<BlockNumber>(strtoul(position.text, nullptr, 10)) : 0;
    BlockNumber last = first + static_cast<BlockNumber>(size) - 1;
    return {in_core([&] { return core::batch_of_pages(first, last); }),
            {psprintf("%u", last + 1), last + 1 >= pages},
            nullptr,
            nullptr};
}

Batch next_ids(const Store &store, const char *table, const Position &position, int size) {
    const char *first = position.text ? position.text : "00000000-0000-0000-0000-000000000000";
    const char *last = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    bool is_last = query(psprintf("SELECT id FROM %s.%s WHERE id > $1::uuid ORDER BY id OFFSET %d LIMIT 1",
                                  quoted_schema(store.schema), quoted(table), size - 1),
                         {text_argument(first)}) == 0;
    if (!is_last) last = result_text(0, 0);
    return {in_core([&] { return core::batch_of_ids(first, last); }), {last, is_last}, first, last};
}

// Checks that the statements before this one have run: each relies on what the others have done.
// Errors: 55000.
void require_earlier(const core::Step *step, const List *statements, const Preparation &preparation, int number) {
    ListCell *cell;
    foreach (cell, statements) {
        auto *statement = static_cast<Statement *>(lfirst(cell));
        if (statement->number == number) return;
        if (statement->ahead->is_in_batches() && !list_member_int(preparation.done, statement->number))
            ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("statement %d of the step to version %s must run ahead before statement %d",
                           statement->number, text_of(step->to), number));
    }
}

// Holds the tables that the statements of the step name.
// Errors: 55000 one of them is not a plain table of the store's owner.
void hold_tables(const core::Migrations *migrations, const Store &store, const core::Step *step) {
    hold_table(store, "sources", RowExclusiveLock);
    const core::Release *after = migrations->release(step->to);
    if (after == nullptr) return;
    for (const core::Object &object : after->shape)
        if (object.kind == "table" && OidIsValid(get_relname_relid(object.name.c_str(), store.schema)))
            hold_table(store, object.name.c_str(), RowExclusiveLock);
}

// Runs `statements`, which may not call in_core(), in a subtransaction, in which no lock is waited for long.
// Returns the error, or null.
template <class Statements>
ErrorData *error_of_batch(Statements statements) {
    return error_of([&] {
        pin("lock_timeout", "200ms");
        statements();
    });
}

// Runs a statement on the next batch. `is_left` becomes false after the last one. Returns the error of a
// batch that failed, or null.
// Errors: 55000 the preparation has to begin again.
ErrorData *run_batch(const core::Migrations *migrations, const Store &store, const core::Step *step,
                     const List *statements, int number, int size, bool *is_left) {
    Preparation preparation = read_preparation(store, step);
    if (!preparation.is_installed) refuse_not_begun(store, step);
    hold_tables(migrations, store, step);
    require_earlier(step, statements, preparation, number);
    const char *schema = quoted_schema(store.schema);
    const char *work = psprintf("%s.%s", schema, preparation_table);
    Argument of_step = text_argument(name_of(step)), of_statement{INT4OID, Int32GetDatum(number)};
    // The row is locked: of two sessions that run the same statement, each does the next batch in turn.
    Position position{};
    ErrorData *error = error_of_batch([&] {
        query(psprintf("INSERT INTO %s AS known (step, statement, proof) VALUES ($1, $2, $3)"
                       " ON CONFLICT (step, statement) DO UPDATE"
                       " SET proof = excluded.proof, position = NULL, is_done = false"
                       " WHERE known.proof <> excluded.proof",
                       work),
              {of_step, of_statement, text_argument(preparation.proof)}, false);
        query(psprintf("SELECT position, is_done::text FROM %s WHERE step = $1 AND statement = $2 FOR UPDATE", work),
              {of_step, of_statement}, false);
        position = {result_text(0, 0), strcmp(result_text(0, 1), "true") == 0};
    });
    *is_left = !position.is_done;
    if (error != nullptr || position.is_done) return error;

    const core::Ahead *ahead = static_cast<Statement *>(list_nth(statements, number - 1))->ahead;
    const char *table = ahead->table.c_str();
    bool locks = ahead->batch == core::Ahead::Batch::locked_ids;
    Batch batch = ahead->batch == core::Ahead::Batch::pages ? next_pages(store, table, position, size)
                                                            : next_ids(store, table, position, size);
    auto *statement =
        static_cast<Statement *>(list_nth(read_statements(step->sql, store.schema, *batch.range), number - 1));
    const char *lock = psprintf(
        "SELECT FROM %s.%s WHERE id BETWEEN $1::uuid AND $2::uuid ORDER BY id"
        " FOR NO KEY UPDATE",
        schema, quoted(table));
    const char *part = psprintf("step %s: statement %d, batch from %s", name_of(step), number,
                                position.text ? position.text : "the start");
    auto run = [&] { run_in_batch(statement); };
    error = error_of_batch([&] {
        if (locks) query(lock, {text_argument(batch.first_id), text_argument(batch.last_id)}, false);
        as_part(part, first_line(statement->text), run);
        query(psprintf("UPDATE %s SET position = $3, is_done = $4 WHERE step = $1 AND statement = $2", work),
              {of_step, of_statement, text_argument(batch.next.text), {BOOLOID, BoolGetDatum(batch.next.is_done)}},
              false);
    });
    *is_left = error != nullptr || !batch.next.is_done;
    return error;
}

// Runs a statement of the step in batches of about a tenth of a second, each in a transaction of its own, with
// short pauses between them. A batch that meets a lock gives up its own locks and tries again.
void run_batches(const core::Migrations *migrations, const char *schema, const core::Step *step, const List *statements,
                 int number) {
    constexpr double long_ms = 100, short_ms = 50;
    constexpr int most_tries = 300, largest = 10000;
    int size = 16, tries = 0;
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "discovery batches", ALLOCSET_DEFAULT_SIZES);
    SPI_connect_ext(SPI_OPT_NONATOMIC);
    for (;;) {
        MemoryContext procedure = MemoryContextSwitchTo(memory);
        require_read_committed("prepare an upgrade");
        Store store = require_store(schema);
        require_ownership(store, GetUserId());
        if (store.version != step->from || !has_preparation(store)) refuse_not_begun(store, step);
        const TimestampTz start = GetCurrentTimestamp();
        PushActiveSnapshot(GetTransactionSnapshot());
        Session session = enter_as(store.owner);
        pin("enable_seqscan", "off");
        pin("jit", "off");
        bool is_left;
        ErrorData *error = run_batch(migrations, store, step, statements, number, size, &is_left);
        leave(session);
        PopActiveSnapshot();
        double taken = static_cast<double>(GetCurrentTimestamp() - start) / 1000;
        if (error != nullptr) {
            bool is_lock =
                error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE || error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED;
            if (!is_lock || ++tries == most_tries) ReThrowError(error);
            size = Max(size / 2, 1);
        } else {
            tries = 0;
            size = taken < short_ms ? Min(size + size / 2 + 1, largest) : taken > long_ms ? Max(size / 2, 1) : size;
        }
        MemoryContextSwitchTo(procedure);
        MemoryContextReset(memory);
        SPI_commit();
        if (!is_left) break;
        pause(static_cast<long>(Min(taken, long_ms) / 8));
    }
    SPI_finish();
    MemoryContextDelete(memory);
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_prepare_upgrade) {
    require_argument(fcinfo, 0, "target");
    Store store = require_store(name_argument(fcinfo, 1));
    require_ownership(store, GetUserId());
    refuse_distributed(store);
    begin_result(fcinfo);
    const core::Migrations *migrations = shipped_migrations();
    const core::Step *step = step_to_prepare(migrations, store, *view_argument(fcinfo, 0));
    if (step == nullptr) return Datum{};
    require_shape(migrations, store);
    put_tasks(fcinfo, preparatory_tasks(migrations, store, step));
    return Datum{};
}

DISCOVERY_FUNCTION(discovery_cancel_upgrade) {
    Store store = require_store(name_argument(fcinfo, 0));
    require_ownership(store, GetUserId());
    begin_result(fcinfo);
    const core::Migrations *migrations = shipped_migrations();
    const core::Step *step = next_step(migrations, store);
    if (step == nullptr) return Datum{};
    if (has_preparation(store)) {
        // Before the statements drop the first index.
        SPI_connect();
        Session session = enter_as(store.owner);
        hold_tables(store, step->to);
        refuse_losses(store, *made_by_preparation(store, step), refused_cancel(step));
        leave(session);
        SPI_finish();
    }
    put_tasks(fcinfo, undoing_tasks(migrations, store, step));
    return Datum{};
}

DISCOVERY_FUNCTION(discovery_run_ahead) {
    for (int number = 0; number < 3; ++number)
        require_argument(fcinfo, number, number == 0 ? "target" : number == 1 ? "number" : "schema");
    auto *context = reinterpret_cast<CallContext *>(fcinfo->context);
    if (context == nullptr || !IsA(context, CallContext) || context->atomic)
        ereport(ERROR, errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                errmsg("%s cannot run inside a transaction block", "discovery_run_ahead()"));
    PreventCommandIfReadOnly("discovery_run_ahead()");
    const char *schema = name_argument(fcinfo, 2);
    int number = PG_GETARG_INT32(1);
    Store store = require_store(schema);
    require_ownership(store, GetUserId());
    refuse_distributed(store);
    const core::Migrations *migrations = shipped_migrations();
    const core::Step *step = step_to_prepare(migrations, store, *view_argument(fcinfo, 0));
    if (step == nullptr) return Datum{};
    if (number == 0 || number == -1) {
        install_or_remove(migrations, schema, step, number == 0);
        return Datum{};
    }
    List *statements = read_statements(step->sql, store.schema);
    auto *statement = number > 0 && number <= list_length(statements)
                          ? static_cast<Statement *>(list_nth(statements, number - 1))
                          : nullptr;
    if (statement == nullptr || !statement->ahead->is_in_batches())
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("statement %d of the step to version %s does not run in batches", number, text_of(step->to)));
    run_batches(migrations, schema, step, statements, number);
    return Datum{};
}
