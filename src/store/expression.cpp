// Reads and prints expressions by PostgreSQL's parser.
#include "store/expression.hpp"

extern "C" {
#include "access/table.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "parser/analyze.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "tcop/tcopprot.h"
#include "utils/ruleutils.h"
}

namespace discovery {
namespace {

const char *query_again(const char *text) {
    List *statements = pg_parse_query(text);
    Query *query = parse_analyze_fixedparams(linitial_node(RawStmt, statements), text, nullptr, 0, nullptr);
    // As in the definition, without the blank at the start.
    return pg_get_querydef(query, false) + strlen(" ");
}

}  // namespace

const char *printed_again(Oid relation, const char *text) {
    if (!OidIsValid(relation)) return query_again(text);
    const char *statement = psprintf("SELECT %s", text);
    auto *select = castNode(SelectStmt, linitial_node(RawStmt, pg_parse_query(statement))->stmt);
    Node *raw = linitial_node(ResTarget, select->targetList)->val;
    Relation table = table_open(relation, AccessShareLock);
    ParseState *state = make_parsestate(nullptr);
    state->p_sourcetext = statement;
    addNSItemToQuery(state, addRangeTableEntryForRelation(state, table, AccessShareLock, nullptr, false, true), true,
                     true, true);
    Node *expression = transformExpr(state, raw, EXPR_KIND_OTHER);
    assign_expr_collations(state, expression);
    const char *again =
        deparse_expression(expression, deparse_context_for(RelationGetRelationName(table), relation), false, false);
    free_parsestate(state);
    table_close(table, AccessShareLock);
    return again;
}

}  // namespace discovery
