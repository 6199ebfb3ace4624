// add_source(): adds a source, or finds the existing source with the same content.
#include "server/arguments.hpp"
#include "server/queries.hpp"
#include "server/result.hpp"
#include "server/subtransaction.hpp"
#include "sources/hash.hpp"
#include "sources/own_columns.hpp"
#include "sources/soft_delete.hpp"
#include "sources/triggers.hpp"

extern "C" {
#include "access/detoast.h"
#include "mb/pg_wchar.h"
#include "tcop/utility.h"
#include "utils/array.h"
}

#include "core/source.hpp"

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

// The number of attempts before add_source() gives up. An attempt fails only if another session
// commits a row with the same content, or removes one, between our SELECT and our write.
constexpr int most_attempts = 100;

// The queries repeat the predicates of the partial indexes, so that a generic plan can use them.
constexpr const char *find_live = R"sql(
SELECT source.id, source.name FROM @store@.sources AS source
WHERE source.notebook_id OPERATOR(pg_catalog.=) $1 AND source.content_hash OPERATOR(pg_catalog.=) $2
  AND source.deleted_at IS NULL AND source.content_hash OPERATOR(pg_catalog.<>) ''::pg_catalog.text)sql";
constexpr const char *live_index = "ix_sources_notebook_hash";

constexpr const char *find_deleted = R"sql(
SELECT source.id FROM @store@.sources AS source
WHERE source.notebook_id OPERATOR(pg_catalog.=) $1 AND source.content_hash OPERATOR(pg_catalog.=) $2
  AND source.deleted_at IS NOT NULL AND source.content_hash OPERATOR(pg_catalog.<>) ''::pg_catalog.text
ORDER BY source.deleted_at USING OPERATOR(pg_catalog.>), source.id LIMIT 1)sql";
constexpr const char *deleted_index = "ix_sources_deleted_hash";

// The two writes, in the pieces between which a statement names the user's own columns.
constexpr const char *insert = R"sql(
INSERT INTO @store@.sources
    (notebook_id, name, source_type, extracted_text, content_hash, file_type, url, file_path, file_size,
     source_metadata)sql";
constexpr const char *inserted =
    "$1, $2, $3, coalesce($4, ''), $5, $6, $7, $8, $9, coalesce($10, '{}'::pg_catalog.json)";
constexpr const char *unless_there = R"sql(
ON CONFLICT (notebook_id, content_hash)
    WHERE deleted_at IS NULL AND content_hash OPERATOR(pg_catalog.<>) ''::pg_catalog.text
    DO NOTHING
RETURNING id)sql";

constexpr const char *restore = R"sql(
UPDATE @store@.sources AS source
SET deleted_at = NULL, name = $2, source_type = $3, extracted_text = coalesce($4, source.extracted_text),
    file_type = CASE WHEN $3 OPERATOR(pg_catalog.=) 'file'::pg_catalog.text THEN coalesce($5, source.file_type) END,
    url = coalesce($6, source.url),
    file_path = coalesce($7, source.file_path), file_size = coalesce($8, source.file_size),
    source_metadata = coalesce($9, source.source_metadata))sql";
constexpr const char *if_deleted = R"sql(
WHERE source.id OPERATOR(pg_catalog.=) $1 AND pg_catalog.num_nonnulls(source.deleted_at) OPERATOR(pg_catalog.=) 1
RETURNING source.id)sql";

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
    if (own == nullptr) return psprintf("%s%s", set, if_deleted);
    return psprintf("%s%s\nFROM pg_catalog.jsonb_to_record($10) AS given (%s)%s", set, own->assignments,
                    own->definitions, if_deleted);
}

// The values of the source to write.
struct NewSource {
    Argument notebook_id, name, source_type, extracted_text, content_hash, file_type, url, file_path, file_size,
        metadata, columns;
    const OwnColumns *own;  // the user's own columns, or null if none are given
    bool has_identity;      // content_hash is not empty
    bool error_on_duplicate, add_beside_deleted;
};

// Reads the arguments and checks all rules at once.
// Errors: 22023, with every violation in DETAIL; those of read_own_columns().
NewSource read_arguments(FunctionCallInfo fcinfo, const Store &store) {
    core::SourceDraft draft;
    draft.has_notebook = !PG_ARGISNULL(arg_notebook_id);
    draft.name = view_argument(fcinfo, arg_name);
    if (draft.name) {
        draft.name = core::trim(*draft.name);
        draft.name_characters = pg_mbstrlen_with_len(draft.name->data(), static_cast<int>(draft.name->size()));
    }
    draft.source_type = view_argument(fcinfo, arg_source_type);
    draft.file_type = view_argument(fcinfo, arg_file_type);
    draft.url = view_argument(fcinfo, arg_url);
    draft.content_hash = view_argument(fcinfo, arg_content_hash);
    if (draft.content_hash)
        draft.hash_characters =
            pg_mbstrlen_with_len(draft.content_hash->data(), static_cast<int>(draft.content_hash->size()));
    if (!PG_ARGISNULL(arg_file_size)) draft.file_size = PG_GETARG_INT64(arg_file_size);
    if (!PG_ARGISNULL(arg_content)) {
        Datum content = PG_GETARG_DATUM(arg_content);
        draft.hash_of_content = view_of(sha256_hex_of_bytes(content));
        draft.size_of_content = static_cast<int64>(toast_raw_datum_size(content) - VARHDRSZ);
    }
    draft.on_duplicate = view_argument(fcinfo, arg_on_duplicate).value_or("");
    draft.on_deleted = view_argument(fcinfo, arg_on_deleted).value_or("");
    auto *broken = in_core([&] {
        std::string lines;
        for (const std::string &sentence : core::violations(draft)) lines += (lines.empty() ? "" : "\n") + sentence;
        return lines;
    });
    if (!broken->empty())
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid source"),
                errdetail("%s", broken->c_str()));

    NewSource source;
    source.notebook_id = argument(fcinfo, arg_notebook_id, UUIDOID);
    source.name = text_argument(*draft.name);
    source.source_type = argument(fcinfo, arg_source_type, TEXTOID);
    source.extracted_text = argument(fcinfo, arg_extracted_text, TEXTOID);
    source.file_type = argument(fcinfo, arg_file_type, TEXTOID);
    source.url = argument(fcinfo, arg_url, TEXTOID);
    source.file_path = argument(fcinfo, arg_file_path, TEXTOID);
    source.metadata = argument(fcinfo, arg_source_metadata, JSONOID);
    source.file_size = argument(fcinfo, arg_file_size, INT8OID);
    source.columns = argument(fcinfo, arg_columns, JSONBOID);
    source.own = source.columns.is_null ? nullptr : read_own_columns(store, source.columns.value);
    if (draft.size_of_content) source.file_size = {INT8OID, Int64GetDatum(*draft.size_of_content)};
    // The hash comes from the content, else from the client, else from the text, as in the row
    // trigger.
    std::string_view hash;
    if (draft.hash_of_content)
        hash = *draft.hash_of_content;
    else if (draft.content_hash && !draft.content_hash->empty())
        hash = *in_core([&] { return core::fold_hash(*draft.content_hash); });
    else if (draft.source_type != "file" && !PG_ARGISNULL(arg_extracted_text) &&
             toast_raw_datum_size(PG_GETARG_DATUM(arg_extracted_text)) > VARHDRSZ)
        hash = view_of(sha256_hex_of_text(PG_GETARG_DATUM(arg_extracted_text)));
    source.content_hash = text_argument(hash);
    source.has_identity = !hash.empty();
    source.error_on_duplicate = draft.on_duplicate == "error";
    source.add_beside_deleted = draft.on_deleted == "add";
    return source;
}

[[noreturn]] void raise_duplicate(const Store &store, const char *id, const char *name) {
    ereport(ERROR, errcode(ERRCODE_UNIQUE_VIOLATION), errmsg("an identical source already exists in the notebook"),
            id ? errdetail("The existing source is %s, \"%s\".", id, name)
               : errdetail("You do not have permission to see that source."),
            err_generic_string(PG_DIAG_SCHEMA_NAME, get_namespace_name(store.schema)),
            err_generic_string(PG_DIAG_TABLE_NAME, "sources"), err_generic_string(PG_DIAG_CONSTRAINT_NAME, live_index));
}

enum class Attempt {
    done,
    found_no_row,       // the source to restore is live by now, or we may not update it
    found_a_duplicate,  // the duplicate is not visible to us
};

// Restores a soft-deleted source. If another session has added a duplicate meanwhile, the update is
// rolled back.
Attempt try_restore(const Store &store, const NewSource &source, Datum id) {
    const char *sql = restoration(store, source.own);
    Datum notebook = source.notebook_id.value;
    lock_notebooks(
        store, {UUIDARRAYOID, PointerGetDatum(construct_array(&notebook, 1, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR))});
    uint64 restored = 0;
    bool is_free = unless_duplicate(
        [&] {
            const KeptHash outer = keep_hash_of(DatumGetUUIDP(id));
            PG_TRY();
            {
                restored = run_saved(
                    sql, {uuid_argument(id), source.name, source.source_type, source.extracted_text, source.file_type,
                          source.url, source.file_path, source.file_size, source.metadata, source.columns});
            }
            PG_FINALLY();
            { stop_keeping_hash(outer); }
            PG_END_TRY();
        },
        "The notebook has a soft-deleted source with this content, and restoring it requires the UPDATE privilege."
        " Use on_deleted => 'add' to add a new source instead.");
    return !is_free ? Attempt::found_a_duplicate : restored > 0 ? Attempt::done : Attempt::found_no_row;
}

void put_outcome(FunctionCallInfo fcinfo, Datum id, const char *outcome) {
    Datum values[] = {id, to_text(outcome)};
    bool nulls[] = {false, false};
    put_row(fcinfo, values, nulls);
}

// Makes one attempt. It fails if another session was faster.
Attempt try_add(FunctionCallInfo fcinfo, const Store &store, const NewSource &source) {
    bool is_null;
    if (source.has_identity) {
        if (run_saved(placed(find_live, store), {source.notebook_id, source.content_hash}, live_index) > 0) {
            if (source.error_on_duplicate) raise_duplicate(store, result_text(0, 0), result_text(0, 1));
            put_outcome(fcinfo, result_datum(0, 0, &is_null), "duplicate");
            return Attempt::done;
        }
        if (!source.add_beside_deleted &&
            run_saved(placed(find_deleted, store), {source.notebook_id, source.content_hash}, deleted_index) > 0) {
            Datum id = result_datum(0, 0, &is_null);
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
    put_outcome(fcinfo, result_datum(0, 0, &is_null), "added");
    return Attempt::done;
}

void add(FunctionCallInfo fcinfo, const Store &store, const NewSource &source) {
    SPI_connect();
    int attempts = 0;
    bool has_duplicate = false;
    for (Attempt attempt; (attempt = try_add(fcinfo, store, source)) != Attempt::done;) {
        CHECK_FOR_INTERRUPTS();
        has_duplicate = has_duplicate || attempt == Attempt::found_a_duplicate;
        if (++attempts < most_attempts) continue;
        // Row security hides a duplicate that conflicts every time but is never found.
        if (has_duplicate) raise_duplicate(store, nullptr, nullptr);
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("cannot restore the soft-deleted source with this content"),
                errdetail("Row-level security or a trigger prevents the update."),
                errhint("Use on_deleted => 'add' to leave it deleted and add a new source."));
    }
    SPI_finish();
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_add_source) {
    PreventCommandIfReadOnly("add_source()");
    Store store = current_store();
    NewSource source = read_arguments(fcinfo, store);
    begin_result(fcinfo);
    with_rights(store, [&] {
        add(fcinfo, store, source);
        return true;
    });
    return Datum{};
}
