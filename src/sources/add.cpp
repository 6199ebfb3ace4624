// add_source(): adds a source, or finds the existing source with the same content.
#include "server/arguments.hpp"
#include "server/queries.hpp"
#include "server/result.hpp"
#include "server/subtransaction.hpp"
#include "sources/add.hpp"
#include "sources/own_write.hpp"
#include "sources/probe.hpp"
#include "sources/soft_delete.hpp"

extern "C" {
#include "tcop/utility.h"
#include "utils/array.h"
}

namespace discovery {
namespace {

// Argument numbers of add_source().
enum {
    arg_notebook_id,
    arg_name,
    arg_source_type,
    arg_content,
    arg_extracted_text,
    arg_content_hash,
    arg_file_type,
    arg_url,
    arg_file_path,
    arg_file_size,
    arg_source_metadata,
    arg_on_duplicate,
    arg_on_deleted,
    arg_columns
};

const char *find_live(const Store &store) {
    return placed(psprintf("SELECT source.id, source.name FROM @store@.sources AS source"
                           " WHERE source.notebook_id OPERATOR(pg_catalog.=) $1"
                           " AND source.content_hash OPERATOR(pg_catalog.=) $2 AND %s",
                           is_live),
                  store);
}

const char *find_deleted(const Store &store) {
    return placed(psprintf("SELECT source.id FROM @store@.sources AS source"
                           " WHERE source.notebook_id OPERATOR(pg_catalog.=) $1"
                           " AND source.content_hash OPERATOR(pg_catalog.=) $2 AND %s"
                           " ORDER BY source.deleted_at USING OPERATOR(pg_catalog.>), source.id LIMIT 1",
                           is_deleted),
                  store);
}

// The two writes, in the pieces between which a statement names the user's own columns.
constexpr const char *insert = R"sql(
INSERT INTO @store@.sources
    (notebook_id, name, source_type, extracted_text, content_hash, file_type, url, file_path, file_size,
     source_metadata)sql";
constexpr const char *inserted =
    "$1, $2, $3, coalesce($4, ''), $5, $6, $7, $8, $9, coalesce($10, '{}'::pg_catalog.json)";
constexpr const char *restore = R"sql(
UPDATE @store@.sources AS source
SET deleted_at = NULL, name = $2, source_type = $3, extracted_text = coalesce($4, source.extracted_text),
    file_type = CASE WHEN $3 OPERATOR(pg_catalog.=) 'file'::pg_catalog.text THEN coalesce($5, source.file_type) END,
    url = coalesce($6, source.url),
    file_path = coalesce($7, source.file_path), file_size = coalesce($8, source.file_size),
    source_metadata = coalesce($9, source.source_metadata))sql";

// Which row it restores: the hash is that of the content that add_source() is called with, whatever the text.
const char *if_deleted(const Store &store) {
    return placed(psprintf("\nWHERE source.id OPERATOR(pg_catalog.=) $1"
                           " AND pg_catalog.num_nonnulls(source.deleted_at) OPERATOR(pg_catalog.=) 1 AND %s"
                           "\nRETURNING source.id",
                           restores_row),
                  store);
}

// The statement that inserts the source. `own` is null if the caller gives no columns of its own.
// Names of columns are put in after the schema, because a name may contain the schema's mark.
const char *insertion(const Store &store, const OwnColumns *own) {
    const char *into = placed(insert, store);
    if (own == nullptr) return psprintf("%s)\nVALUES (%s)%s", into, inserted, unless_there);
    return psprintf("%s%s)\nSELECT %s%s\nFROM pg_catalog.jsonb_to_record($11) AS given (%s)%s", into, own->names,
                    inserted, own->values, own->definitions, unless_there);
}

// The statement that restores the source $1.
const char *restoration(const Store &store, const OwnColumns *own) {
    const char *set = placed(restore, store);
    if (own == nullptr) return psprintf("%s%s", set, if_deleted(store));
    return psprintf("%s%s\nFROM pg_catalog.jsonb_to_record($10) AS given (%s)%s", set, own->assignments,
                    own->definitions, if_deleted(store));
}

GivenSource given_by(FunctionCallInfo fcinfo) {
    return {argument(fcinfo, arg_notebook_id, UUIDOID),     argument(fcinfo, arg_name, TEXTOID),
            argument(fcinfo, arg_source_type, TEXTOID),     argument(fcinfo, arg_content, BYTEAOID),
            argument(fcinfo, arg_extracted_text, TEXTOID),  argument(fcinfo, arg_content_hash, TEXTOID),
            argument(fcinfo, arg_file_type, TEXTOID),       argument(fcinfo, arg_url, TEXTOID),
            argument(fcinfo, arg_file_path, TEXTOID),       argument(fcinfo, arg_file_size, INT8OID),
            argument(fcinfo, arg_source_metadata, JSONOID), argument(fcinfo, arg_columns, JSONBOID)};
}

// Reads the arguments and checks all rules at once.
// Errors: 22023, with every violation in DETAIL; those of make_source().
NewSource read_arguments(FunctionCallInfo fcinfo, const Store &store, const Conflict &conflict) {
    GivenSource given = given_by(fcinfo);
    const Violations *broken = violations_of(given, conflict);
    if (!broken->empty()) {
        const char *lines = in_core([&] {
                                std::string all;
                                for (const std::string &sentence : *broken) all += (all.empty() ? "" : "\n") + sentence;
                                return all;
                            })->c_str();
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid source"), errdetail("%s", lines));
    }
    return make_source(given, store);
}

}  // namespace

void raise_duplicate(const Store &store, int number, const char *id, const char *name) {
    ereport(ERROR, errcode(ERRCODE_UNIQUE_VIOLATION),
            number == 0 ? errmsg("an identical source already exists in the notebook")
                        : errmsg("source %d: an identical source already exists in the notebook", number),
            id ? errdetail("The existing source is %s, \"%s\".", id, name)
               : errdetail("You do not have permission to see that source."),
            err_generic_string(PG_DIAG_SCHEMA_NAME, get_namespace_name(store.schema)),
            err_generic_string(PG_DIAG_TABLE_NAME, "sources"), err_generic_string(PG_DIAG_CONSTRAINT_NAME, live_index));
}

void raise_prevented(const Store &store, int number, bool has_duplicate) {
    // Row security hides a duplicate that conflicts every time but is never found.
    if (has_duplicate) raise_duplicate(store, number, nullptr, nullptr);
    ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
            number == 0 ? errmsg("cannot restore the soft-deleted source with this content")
                        : errmsg("source %d: cannot restore the soft-deleted source with this content", number),
            errdetail("Row-level security or a trigger prevents the update."),
            errhint("Use on_deleted => 'add' to leave it deleted and add a new source."));
}

Attempt try_restore(const Store &store, const NewSource &source, Datum id) {
    const char *sql = restoration(store, source.own);
    Datum notebook = source.notebook_id.value;
    lock_notebooks(
        store, {UUIDARRAYOID, PointerGetDatum(construct_array(&notebook, 1, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR))});
    uint64 restored = 0;
    bool is_free = unless_duplicate(
        [&] {
            restored = run_saved(
                sql, {uuid_argument(id), source.name, source.source_type, source.extracted_text, source.file_type,
                      source.url, source.file_path, source.file_size, source.metadata, source.columns});
        },
        "The notebook has a soft-deleted source with this content, and restoring it requires the UPDATE privilege."
        " Use on_deleted => 'add' to add a new source instead.");
    return !is_free ? Attempt::found_a_duplicate : restored > 0 ? Attempt::done : Attempt::found_no_row;
}

namespace {

void put_outcome(FunctionCallInfo fcinfo, Datum id, const char *outcome) {
    Datum values[] = {id, to_text(outcome)};
    bool nulls[] = {false, false};
    put_row(fcinfo, values, nulls);
}

// Makes one attempt. It fails if another session was faster.
Attempt try_add(FunctionCallInfo fcinfo, const Store &store, const NewSource &source, const Conflict &conflict) {
    bool is_null;
    if (source.has_identity) {
        auto look = [&](const char *index, const char *(*statement)(const Store &)) {
            return !is_absent(store, index, source.notebook_id, source.content_hash) &&
                   run_saved(statement(store), {source.notebook_id, source.content_hash}, index) > 0;
        };
        if (look(live_index, find_live)) {
            if (conflict.on_duplicate == "error") raise_duplicate(store, 0, result_text(0, 0), result_text(0, 1));
            put_outcome(fcinfo, result_datum(0, 0, UUIDOID, &is_null), "duplicate");
            return Attempt::done;
        }
        if (conflict.on_deleted != "add" && look(deleted_index, find_deleted)) {
            Datum id = result_datum(0, 0, UUIDOID, &is_null);
            Attempt attempt = try_restore(store, source, id);
            if (attempt == Attempt::done) put_outcome(fcinfo, id, "restored");
            // Above READ COMMITTED, the duplicate may be outside our snapshot, so no query can find
            // it. The INSERT below then raises 40001.
            if (attempt != Attempt::found_a_duplicate || !IsolationUsesXactSnapshot()) return attempt;
        }
    }
    if (run_saved(
            insertion(store, source.own),
            {source.notebook_id, source.name, source.source_type, source.extracted_text, source.content_hash,
             source.file_type, source.url, source.file_path, source.file_size, source.metadata, source.columns}) == 0)
        return Attempt::found_a_duplicate;
    put_outcome(fcinfo, result_datum(0, 0, UUIDOID, &is_null), "added");
    return Attempt::done;
}

void add(FunctionCallInfo fcinfo, const Store &store, const NewSource &source, const Conflict &conflict) {
    SPI_connect();
    int attempts = 0;
    bool has_duplicate = false;
    for (Attempt attempt; (attempt = try_add(fcinfo, store, source, conflict)) != Attempt::done;) {
        CHECK_FOR_INTERRUPTS();
        has_duplicate = has_duplicate || attempt == Attempt::found_a_duplicate;
        if (++attempts == most_attempts) raise_prevented(store, 0, has_duplicate);
    }
    SPI_finish();
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_add_source) {
    PreventCommandIfReadOnly("add_source()");
    Store store = current_store();
    Conflict conflict{view_argument(fcinfo, arg_on_duplicate).value_or(""),
                      view_argument(fcinfo, arg_on_deleted).value_or("")};
    NewSource source = read_arguments(fcinfo, store, conflict);
    begin_result(fcinfo);
    with_rights(store, [&] {
        add(fcinfo, store, source, conflict);
        return true;
    });
    return Datum{};
}
