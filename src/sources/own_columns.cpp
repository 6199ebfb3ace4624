// Values for the columns that a user has added to sources.
#include "sources/own_columns.hpp"

extern "C" {
#include "access/table.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
}

#include <algorithm>

namespace discovery {
namespace {

// The columns of the store itself, but created_by, which only the client knows. A test compares the list with the
// table.
constexpr std::string_view columns_of_store[] = {
    "id",         "notebook_id", "name",         "source_type",    "file_type",       "url",
    "file_path",  "file_size",   "content_hash", "extracted_text", "source_metadata", "created_at",
    "updated_at", "deleted_at",  "deletion_id",  "hold_reason"};

bool is_of_store(std::string_view name) {
    return std::find(std::begin(columns_of_store), std::end(columns_of_store), name) != std::end(columns_of_store);
}

Form_pg_attribute find_column(Relation sources, const char *name) {
    TupleDesc descriptor = RelationGetDescr(sources);
    for (int number = 0; number < descriptor->natts; ++number) {
        Form_pg_attribute attribute = TupleDescAttr(descriptor, number);
        if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), name) == 0) return attribute;
    }
    ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
            errmsg("column \"%s\" of relation \"%s\" does not exist", name, RelationGetRelationName(sources)),
            errtable(sources));
}

void require_writable(Relation sources, Form_pg_attribute attribute) {
    const char *name = NameStr(attribute->attname);
    if (is_of_store(name))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("columns must not contain \"%s\"", name),
                errdetail("This column belongs to the store."),
                errhint("Give only columns that you have added to \"%s\".", RelationGetRelationName(sources)),
                errtablecol(sources, attribute->attnum));
    bool is_identity = attribute->attidentity == ATTRIBUTE_IDENTITY_ALWAYS;
    if (is_identity || attribute->attgenerated != '\0')
        ereport(ERROR, errcode(ERRCODE_GENERATED_ALWAYS), errmsg("columns must not contain \"%s\"", name),
                is_identity ? errdetail("Column \"%s\" is an identity column defined as GENERATED ALWAYS.", name)
                            : errdetail("Column \"%s\" is a generated column.", name),
                errtablecol(sources, attribute->attnum));
}

}  // namespace

const OwnColumns *read_own_columns(const Store &store, Datum columns) {
    Jsonb *object = DatumGetJsonbP(columns);
    if (!JB_ROOT_IS_OBJECT(object))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("columns must be a JSON object"));
    if (JB_ROOT_COUNT(object) == 0) return nullptr;

    StringInfoData names, values, assignments, definitions;
    for (StringInfo part : {&names, &values, &assignments, &definitions}) initStringInfo(part);
    Relation sources = table_open(store.sources, AccessShareLock);
    JsonbIterator *iterator = JsonbIteratorInit(&object->root);
    JsonbValue entry;
    for (JsonbIteratorToken token; (token = JsonbIteratorNext(&iterator, &entry, true)) != WJB_DONE;) {
        if (token != WJB_KEY) continue;
        Form_pg_attribute attribute =
            find_column(sources, pnstrdup(entry.val.string.val, static_cast<Size>(entry.val.string.len)));
        require_writable(sources, attribute);
        const char *name = quote_identifier(NameStr(attribute->attname));
        const char *type = format_type_extended(attribute->atttypid, attribute->atttypmod,
                                                FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
        appendStringInfo(&names, ", %s", name);
        appendStringInfo(&values, ", given.%s", name);
        appendStringInfo(&assignments, ", %s = given.%s", name, name);
        // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): initStringInfo() sets it
        appendStringInfo(&definitions, "%s%s %s", definitions.len > 0 ? ", " : "", name, type);
    }
    table_close(sources, NoLock);
    auto *own = static_cast<OwnColumns *>(palloc(sizeof(OwnColumns)));
    *own = {names.data, values.data, assignments.data, definitions.data};
    return own;
}

}  // namespace discovery
