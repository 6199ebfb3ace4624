// Reads the statements of a step.
#include "store/step_script.hpp"

#include "server/queries.hpp"
#include "store/shape.hpp"

#include "core/definition.hpp"

extern "C" {
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/snapmgr.h"
}

namespace discovery {
namespace {

// The text of one statement of a parsed script, with the comment before it. `number` starts at 0.
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

// Runs CREATE TABLE as if a client had sent it: Citus makes a table of a distributed schema a table of that
// tenant only then.
void create_table(const Statement *statement) {
    auto *plan = makeNode(PlannedStmt);
    plan->commandType = CMD_UTILITY;
    plan->canSetTag = true;
    plan->utilityStmt = static_cast<Node *>(copyObjectImpl(statement->tree));
    plan->stmt_location = -1;  // the whole text
    PushActiveSnapshot(GetTransactionSnapshot());
    ProcessUtility(plan, statement->text, false, PROCESS_UTILITY_TOPLEVEL, nullptr, nullptr, None_Receiver, nullptr);
    PopActiveSnapshot();
    CommandCounterIncrement();
}

}  // namespace

List *read_statements(const std::string &sql, Oid schema, std::string_view batch) {
    const char *store = quoted_schema(schema), *extension = quoted_schema(read_extension().schema);
    const char *script = in_core([&] {
                             const core::Mark values[] = {{core::store_mark, store},
                                                          {core::extension_mark, extension},
                                                          {core::compression_mark, best_compression()},
                                                          {core::batch_mark, batch}};
                             return core::place_marks(sql, values);
                         })->c_str();
    List *trees = pg_parse_query(script), *statements = NIL;
    for (int number = 0; number < list_length(trees); ++number) {
        const char *text = text_of_statement(script, trees, number);
        auto *statement = static_cast<Statement *>(palloc(sizeof(Statement)));
        const core::Ahead *ahead = in_core([&] { return core::read_ahead(text); });
        text = in_core([&] { return core::without_mark(text); })->c_str();
        *statement = {number + 1, text, static_cast<RawStmt *>(list_nth(trees, number))->stmt, ahead};
        statements = lappend(statements, statement);
    }
    return statements;
}

Statement *make_statement(const char *text) {
    auto *statement = static_cast<Statement *>(palloc(sizeof(Statement)));
    *statement = {0, text, linitial_node(RawStmt, pg_parse_query(text))->stmt, in_core([] { return core::Ahead{}; })};
    return statement;
}

void run_and_tell(const Statement *statement) {
    if (IsA(statement->tree, CreateStmt)) {
        create_table(statement);
        return;
    }
    int result = SPI_execute(statement->text, false, 0);
    if (result < 0) elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
    for (uint64 row = 0; result == SPI_OK_SELECT && row < SPI_processed; ++row)
        ereport(WARNING, errmsg("%s", result_text(row, 0)), errhint("%s", result_text(row, 1)));
}

const char *name_of_new(const Statement *statement) {
    if (IsA(statement->tree, IndexStmt)) return reinterpret_cast<IndexStmt *>(statement->tree)->idxname;
    if (IsA(statement->tree, CreateStmt)) return reinterpret_cast<CreateStmt *>(statement->tree)->relation->relname;
    if (IsA(statement->tree, CreateTrigStmt)) return reinterpret_cast<CreateTrigStmt *>(statement->tree)->trigname;
    return nullptr;
}

const core::Object *find_index(const core::Shape &shape, const char *name) {
    const char *quoted_name = quoted(name);
    for (const core::Object &object : shape)
        if (object.kind == "index" && object.name.size() == object.relation().size() + 1 + strlen(quoted_name) &&
            object.name.ends_with(quoted_name))
            return &object;
    return nullptr;
}

}  // namespace discovery
