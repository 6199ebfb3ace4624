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

const char *condition_again(Oid relation, const char *text) {
    const char *table =
        quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation));
    char *query = pstrdup(query_again(psprintf("SELECT %s AS x FROM %s old, %s new", text, table, table)));
    // What stands between "SELECT " and the last " AS x".
    char *end = nullptr;
    for (char *at = strstr(query, " AS x"); at != nullptr; at = strstr(at + 1, " AS x")) end = at;
    if (end == nullptr) return text;
    *end = '\0';
    return query + strlen("SELECT ");
}

}  // namespace discovery
