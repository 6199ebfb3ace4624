// Reads the shape of a live store from the catalogs.
#include "store/shape.hpp"

#include "server/queries.hpp"
#include "server/session.hpp"
#include "server/subtransaction.hpp"
#include "store/expression.hpp"
#include "store/shape_query.hpp"

#include "core/tokens.hpp"

extern "C" {
#include "utils/array.h"
}

namespace discovery {
namespace {

// Beside a DROP that commits meanwhile, PostgreSQL's functions that print definitions fail with an
// internal error or return NULL. With a newer snapshot the object is no longer there.
constexpr int most_attempts = 10;

struct Row {
    const char *kind, *name, *definition;
};

// Replaces the expressions in the definition by the ones that PostgreSQL prints after it has read
// them: what a dump and its restore would make of them. Returns false if an object is gone.
bool read_again(Row *row, Oid relation, const ArrayType *expressions) {
    Datum *values;
    bool *nulls;
    int count;
    deconstruct_array(const_cast<ArrayType *>(expressions), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
    for (int i = 0; i < count; ++i) {
        if (nulls[i]) continue;
        const char *expression = TextDatumGetCString(values[i]), *again = nullptr;
        bool is_condition = strcmp(row->kind, "trigger") == 0;
        ErrorData *error = error_of([&] {
            again = is_condition ? condition_again(relation, expression) : printed_again(relation, expression);
        });
        if (error != nullptr && error->sqlerrcode == ERRCODE_INTERNAL_ERROR) return false;
        // What cannot be read by itself remains as it is.
        if (error != nullptr || strcmp(expression, again) == 0) continue;
        const char *definition = row->definition;
        row->definition = in_core([&] {
                              std::string text = definition;
                              auto at = text.find(expression);
                              if (at != text.npos) text.replace(at, strlen(expression), again);
                              return text;
                          })->c_str();
    }
    return true;
}

// Reads the rows of shape_query into an array. Returns false if an object is gone.
bool read_rows(Oid schema, Row **rows, uint64 *count) {
    ErrorData *error = error_of([&] {
        Argument compression = text_argument(best_compression() == "lz4" ? "l" : "p");
        *count = query(shape_query, {oid_argument(schema), compression});
    });
    if (error != nullptr && error->sqlerrcode != ERRCODE_INTERNAL_ERROR) ReThrowError(error);
    if (error != nullptr) return false;
    *rows = static_cast<Row *>(palloc((*count + 1) * sizeof(Row)));
    SPITupleTable *table = SPI_tuptable;
    for (uint64 i = 0; i < *count; ++i) {
        CHECK_FOR_INTERRUPTS();
        SPI_tuptable = table;
        Row *row = &(*rows)[i];
        *row = {result_text(i, 0), result_text(i, 1), result_text(i, 2)};
        if (row->definition == nullptr) return false;
        bool is_null, no_relation;
        Oid relation = DatumGetObjectId(result_datum(i, 3, OIDOID, &no_relation));
        Datum expressions = result_datum(i, 4, TEXTARRAYOID, &is_null);
        if (!is_null && !read_again(row, no_relation ? InvalidOid : relation, DatumGetArrayTypeP(expressions)))
            return false;
    }
    return true;
}

}  // namespace

std::string_view best_compression() {
#ifdef USE_LZ4
    return "lz4";
#else
    return "pglz";
#endif
}

core::Shape *read_shape(Oid schema, bool marks_all) {
    core::Shape *shape = in_core([] { return core::Shape{}; });
    auto *namespaces = in_core([] { return std::vector<core::Namespace>(3); });
    const char *store = quoted_schema(schema), *extension = quoted_schema(read_extension().schema);
    in_core([&] {
        (*namespaces)[0] = {store, std::string(core::store_mark), {}};
        (*namespaces)[1] = {store, std::string(core::store_mark), {}, true};
        (*namespaces)[2] = {extension, std::string(core::extension_mark), {}, true};
    });
    SPI_connect();
    Session session = enter();
    set_time_zone();
    uint64 count = query(names_query, {oid_argument(schema)});
    for (uint64 row = 0; row < count; ++row) {
        const char *of = result_text(row, 0), *name = result_text(row, 1);
        if (!marks_all && (strcmp(of, "other") == 0 || strcmp(of, "function") == 0)) continue;
        int which = strcmp(of, "extension") == 0 ? 2 : strcmp(of, "function") == 0 ? 1 : 0;
        in_core([&] { (*namespaces)[which].names.insert(name); });
    }
    Row *rows = nullptr;
    for (int attempt = 1; !read_rows(schema, &rows, &count); ++attempt)
        if (attempt == most_attempts)
            ereport(ERROR, errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                    errmsg("the objects in schema %s were changed concurrently", store),
                    errhint("Try again in a new transaction."));
    for (uint64 i = 0; i < count; ++i) {
        const Row &row = rows[i];
        in_core([&] {
            core::Object object{row.kind, row.name, row.definition};
            if (!core::is_text(object))
                object.definition = core::mark_schemas(core::on_one_line(object.definition), *namespaces);
            shape->push_back(std::move(object));
        });
    }
    leave(session);
    SPI_finish();
    in_core([&] { core::sort(*shape); });
    return shape;
}

const std::vector<core::Surrounding> *read_surroundings(Oid schema) {
    auto *found = in_core([] { return std::vector<core::Surrounding>{}; });
    SPI_connect();
    Session session = enter();
    uint64 count = query(surroundings_query, {oid_argument(schema)});
    for (uint64 row = 0; row < count; ++row) {
        const char *relation = result_text(row, 0), *what = result_text(row, 1);
        if (what != nullptr) in_core([&] { found->push_back({relation, what}); });
    }
    leave(session);
    SPI_finish();
    return found;
}

}  // namespace discovery
