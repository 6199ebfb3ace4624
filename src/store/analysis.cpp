// Reads from the parse tree of a statement what it does to tables. It runs nothing.
#include "store/analysis.hpp"

extern "C" {
#include "commands/tablecmds.h"
#include "nodes/nodeFuncs.h"
#include "storage/lock.h"
}

namespace discovery {
namespace {

struct TableLock {
    const char *table;
    LOCKMODE mode;
};

// What one statement does.
struct Effects {
    List *locks;  // of TableLock, on existing and new tables
    StringInfoData words;
    bool can_lose_data;
    const core::Shape *shape;  // before the step
};

void lock(Effects *effects, const char *table, LOCKMODE mode) {
    ListCell *cell;
    foreach (cell, effects->locks) {
        auto *known = static_cast<TableLock *>(lfirst(cell));
        if (strcmp(known->table, table) != 0) continue;
        known->mode = Max(known->mode, mode);
        return;
    }
    auto *added = static_cast<TableLock *>(palloc(sizeof(TableLock)));
    *added = {table, mode};
    effects->locks = lappend(effects->locks, added);
}

void say(Effects *effects, const char *words, const char *table) {
    const char *sentence = psprintf("%s %s", words, table);
    if (strstr(effects->words.data, sentence) != nullptr) return;
    appendStringInfo(&effects->words, "%s%s", effects->words.len > 0 ? ", " : "", sentence);
}

// The table of an index in the shape, or null if the index is new.
const char *table_of_index(const core::Shape *shape, const char *index) {
    for (const core::Object &object : *shape)
        if (object.kind == "index" && object.name.size() > strlen(index) && object.name.ends_with(index) &&
            object.name[object.name.size() - strlen(index) - 1] == '.')
            return to_cstring(object.relation());
    return nullptr;
}

// Locks the tables that the foreign keys of a table refer to.
void lock_referenced(Effects *effects, const char *table, LOCKMODE mode) {
    constexpr std::string_view mark = "REFERENCES @store@.";
    for (const core::Object &object : *effects->shape) {
        if (object.kind != "constraint" || object.relation() != table) continue;
        auto at = object.definition.find(mark);
        if (at == std::string::npos) continue;
        std::string_view rest = std::string_view(object.definition).substr(at + mark.size());
        lock(effects, to_cstring(rest.substr(0, rest.find('('))), mode);
    }
}

// Collects the tables that a query names. A name without a schema is that of a WITH query.
bool read_walker(Node *node, void *context) {
    if (node == nullptr) return false;
    auto *effects = static_cast<Effects *>(context);
    auto write = [&](RangeVar *target, const char *words) {
        lock(effects, target->relname, RowExclusiveLock);
        say(effects, words, target->relname);
    };
    if (IsA(node, RangeVar)) {
        auto *table = reinterpret_cast<RangeVar *>(node);
        if (table->schemaname != nullptr) lock(effects, table->relname, AccessShareLock);
    } else if (IsA(node, UpdateStmt)) {
        write(reinterpret_cast<UpdateStmt *>(node)->relation, "updates rows of");
    } else if (IsA(node, InsertStmt)) {
        write(reinterpret_cast<InsertStmt *>(node)->relation, "inserts rows into");
    } else if (IsA(node, DeleteStmt)) {
        write(reinterpret_cast<DeleteStmt *>(node)->relation, "deletes rows of");
        effects->can_lose_data = true;
    }
#if PG_VERSION_NUM >= 160000
    return raw_expression_tree_walker(node, read_walker, context);
#else
    return raw_expression_tree_walker(node, reinterpret_cast<bool (*)()>(reinterpret_cast<void *>(read_walker)),
                                      context);
#endif
}

// Whether a new column with this default needs a rewrite of the table. A constant does not, and
// neither does now(), which is the same for all rows.
bool is_volatile_default(Node *expression) {
    if (expression == nullptr || IsA(expression, A_Const)) return false;
    if (IsA(expression, TypeCast)) return is_volatile_default(reinterpret_cast<TypeCast *>(expression)->arg);
    if (!IsA(expression, FuncCall)) return true;
    return strcmp(strVal(llast(reinterpret_cast<FuncCall *>(expression)->funcname)), "now") != 0;
}

void alter_table(Effects *effects, AlterTableStmt *statement) {
    const char *table = statement->relation->relname;
    lock(effects, table, AlterTableGetLockLevel(statement->cmds));
    ListCell *cell;
    foreach (cell, statement->cmds) {
        auto *command = lfirst_node(AlterTableCmd, cell);
        switch (command->subtype) {
            case AT_AddColumn: {
                ListCell *part;
                foreach (part, reinterpret_cast<ColumnDef *>(command->def)->constraints) {
                    auto *constraint = lfirst_node(Constraint, part);
                    if (constraint->contype == CONSTR_DEFAULT && is_volatile_default(constraint->raw_expr))
                        say(effects, "rewrites", table);
                }
                break;
            }
            case AT_AlterColumnType:
                say(effects, "may rewrite", table);
                break;
            case AT_SetNotNull:
                say(effects, "scans", table);
                break;
            case AT_AddConstraint: {
                auto *constraint = reinterpret_cast<Constraint *>(command->def);
                if (!constraint->skip_validation) say(effects, "scans", table);
                if (constraint->contype == CONSTR_FOREIGN)
                    lock(effects, constraint->pktable->relname, ShareRowExclusiveLock);
                break;
            }
            case AT_DropColumn:
                say(effects, psprintf("drops column %s of", command->name), table);
                effects->can_lose_data = true;
                break;
            default:
                break;
        }
    }
}

void drop(Effects *effects, DropStmt *statement) {
    ListCell *cell;
    foreach (cell, statement->objects) {
        auto *name = static_cast<List *>(lfirst(cell));
        const char *last = strVal(llast(name));
        switch (statement->removeType) {
            case OBJECT_TABLE:
                lock(effects, last, AccessExclusiveLock);
                lock_referenced(effects, last, AccessExclusiveLock);
                say(effects, "drops", last);
                effects->can_lose_data = true;
                break;
            case OBJECT_INDEX:
                if (const char *table = table_of_index(effects->shape, last)) lock(effects, table, AccessExclusiveLock);
                break;
            case OBJECT_TRIGGER:
                lock(effects, strVal(list_nth(name, list_length(name) - 2)), AccessExclusiveLock);
                break;
            default:
                break;
        }
    }
}

void create_table(Effects *effects, CreateStmt *statement) {
    ListCell *cell;
    foreach (cell, statement->tableElts) {
        if (!IsA(lfirst(cell), Constraint)) continue;
        auto *constraint = lfirst_node(Constraint, cell);
        if (constraint->contype == CONSTR_FOREIGN) lock(effects, constraint->pktable->relname, ShareRowExclusiveLock);
    }
}

void analyze(Effects *effects, Node *statement) {
    switch (nodeTag(statement)) {
        case T_LockStmt: {
            auto *locking = reinterpret_cast<LockStmt *>(statement);
            ListCell *cell;
            foreach (cell, locking->relations) lock(effects, lfirst_node(RangeVar, cell)->relname, locking->mode);
            break;
        }
        case T_AlterTableStmt:
            alter_table(effects, reinterpret_cast<AlterTableStmt *>(statement));
            break;
        case T_RenameStmt:
            if (auto *table = reinterpret_cast<RenameStmt *>(statement)->relation)
                lock(effects, table->relname, AccessExclusiveLock);
            break;
        case T_DropStmt:
            drop(effects, reinterpret_cast<DropStmt *>(statement));
            break;
        case T_CreateStmt:
            create_table(effects, reinterpret_cast<CreateStmt *>(statement));
            break;
        case T_IndexStmt: {
            const char *table = reinterpret_cast<IndexStmt *>(statement)->relation->relname;
            lock(effects, table, ShareLock);
            say(effects, "scans", table);
            break;
        }
        case T_CreateTrigStmt:
            lock(effects, reinterpret_cast<CreateTrigStmt *>(statement)->relation->relname, ShareRowExclusiveLock);
            break;
        case T_CreatePolicyStmt:
            lock(effects, reinterpret_cast<CreatePolicyStmt *>(statement)->table->relname, AccessExclusiveLock);
            break;
        case T_ViewStmt:
            read_walker(reinterpret_cast<ViewStmt *>(statement)->query, effects);
            break;
        case T_CommentStmt: {
            auto *comment = reinterpret_cast<CommentStmt *>(statement);
            auto *name = reinterpret_cast<List *>(comment->object);
            if (comment->objtype == OBJECT_TABLE)
                lock(effects, strVal(llast(name)), ShareUpdateExclusiveLock);
            else if (comment->objtype == OBJECT_COLUMN)
                lock(effects, strVal(list_nth(name, list_length(name) - 2)), ShareUpdateExclusiveLock);
            break;
        }
        default:
            read_walker(statement, effects);
    }
}

// The locks on tables that exist before the step. Nobody can wait for a lock on a new table.
const char *list_locks(const Effects *effects) {
    StringInfoData list;
    initStringInfo(&list);
    ListCell *cell;
    foreach (cell, effects->locks) {
        auto *one = static_cast<TableLock *>(lfirst(cell));
        for (const core::Object &object : *effects->shape)
            if (object.kind == "table" && object.name == one->table)
                appendStringInfo(&list, "%s%s: %s", list.len > 0 ? ", " : "", one->table,
                                 GetLockmodeName(DEFAULT_LOCKMETHOD, one->mode));
    }
    return list.data;
}

}  // namespace

Analysis analyze(Node *statement, const core::Shape &shape) {
    Effects effects{NIL, {}, false, &shape};
    initStringInfo(&effects.words);
    analyze(&effects, statement);
    return {list_locks(&effects), effects.words.data, effects.can_lose_data};
}

}  // namespace discovery
