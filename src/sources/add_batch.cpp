// add_sources(): adds a batch of sources. It does with each what add_source() does, but reads and writes many with
// one statement. It writes in the order of the hashes, so that two batches never wait for each other in a circle.
#include "server/arguments.hpp"
#include "server/result.hpp"
#include "sources/add.hpp"
#include "sources/json_source.hpp"
#include "sources/uuid.hpp"
#include "store/current_store.hpp"

extern "C" {
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/jsonb.h"
}

#include <algorithm>
#include <map>
#include <numeric>

namespace discovery {
namespace {

enum { arg_notebook_id, arg_sources, arg_on_duplicate, arg_on_deleted };

// A source of the batch.
struct Element {
    NewSource source;
    std::string_view hash;
    int first;            // the element with this hash that comes first in the batch
    core::Uuid id;        // of the source with the content, once there is an outcome
    const char *outcome;  // null until it has one
};

struct Batch {
    Store store;
    Conflict conflict;
    Argument notebook_id;
    Element *elements;
    int count;
    const std::vector<int> *order;  // of the elements that are first, by hash; those without a hash at the end
};

// Reads and checks all elements.
// Errors: 22023, with every violation of every element in DETAIL; those of make_source(), with the number of
// the element as context.
void read_elements(Batch &batch, Jsonb *sources) {
    if (!JB_ROOT_IS_ARRAY(sources) || JB_ROOT_IS_SCALAR(sources))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("sources must be a JSON array of objects"));
    batch.count = static_cast<int>(JB_ROOT_COUNT(sources));
    batch.elements =
        static_cast<Element *>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Element) * (batch.count + 1)));
    auto *given = static_cast<GivenSource *>(
        MemoryContextAllocHuge(CurrentMemoryContext, sizeof(GivenSource) * (batch.count + 1)));
    constexpr int most_faults = 100;
    int count_of_faults = 0;
    StringInfoData faults;
    initStringInfo(&faults);
    for (int number = 0; number < batch.count; ++number) {
        CHECK_FOR_INTERRUPTS();
        JsonbValue *element = getIthJsonbValueFromContainer(&sources->root, static_cast<uint32>(number));
        auto *broken = in_core([] { return Violations{}; });
        if (element->type != jbvBinary || !JsonContainerIsObject(element->val.binary.data)) {
            in_core([&] { broken->push_back("It must be a JSON object."); });
        } else {
            given[number] = read_source(element->val.binary.data, batch.notebook_id, *broken);
            const Violations *more = violations_of(given[number], batch.conflict);
            in_core([&] { broken->insert(broken->end(), more->begin(), more->end()); });
        }
        for (const std::string &sentence : *broken)
            if (++count_of_faults <= most_faults)
                appendStringInfo(&faults, "%sSource %d: %s", faults.len > 0 ? "\n" : "", number + 1, sentence.c_str());
    }
    if (count_of_faults > most_faults) appendStringInfo(&faults, "\nThere are %d more.", count_of_faults - most_faults);
    if (faults.len > 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid sources"),
                errdetail("%s", faults.data));
    ErrorContextCallback context{
        error_context_stack, [](void *number) { errcontext("source %d", *static_cast<int *>(number) + 1); }, nullptr};
    int number = 0;
    context.arg = &number;
    error_context_stack = &context;
    for (; number < batch.count; ++number) {
        NewSource source = make_source(given[number], batch.store);
        batch.elements[number] = {source, view_of(DatumGetTextPP(source.content_hash.value)), number, {}, nullptr};
    }
    error_context_stack = context.previous;
}

// Finds which elements have the content of an earlier one, and the order in which the others are written.
// Errors: 23505 an element has the content of an earlier one, and that is to be an error.
void sort_elements(Batch &batch) {
    batch.order = in_core([&] {
        std::map<std::string_view, int> firsts;
        std::vector<int> order;
        for (int number = 0; number < batch.count; ++number) {
            Element &element = batch.elements[number];
            if (!element.hash.empty()) element.first = firsts.emplace(element.hash, number).first->second;
            if (element.first == number) order.push_back(number);
        }
        std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
            std::string_view one = batch.elements[a].hash, other = batch.elements[b].hash;
            return one.empty() != other.empty() ? other.empty() : one < other;
        });
        return order;
    });
    for (int number = 0; number < batch.count; ++number)
        if (batch.elements[number].first != number && batch.conflict.on_duplicate == "error")
            ereport(ERROR, errcode(ERRCODE_UNIQUE_VIOLATION),
                    errmsg("source %d: an identical source already exists in the batch", number + 1),
                    errdetail("It has the content of source %d.", batch.elements[number].first + 1));
}

// The hashes of the elements that have no outcome yet, and the numbers of these elements.
using Pending = std::map<std::string_view, int>;
const Pending *pending_of(const Batch &batch) {
    return in_core([&] {
        Pending pending;
        for (int number : *batch.order) {
            const Element &element = batch.elements[number];
            if (element.outcome == nullptr && !element.hash.empty()) pending.emplace(element.hash, number);
        }
        return pending;
    });
}

Argument hashes_of(const Pending &pending) {
    auto *values = static_cast<Datum *>(palloc_extended(sizeof(Datum) * (pending.size() + 1), MCXT_ALLOC_HUGE));
    int count = 0;
    for (const auto &[hash, number] : pending) values[count++] = to_text(hash);
    return {TEXTARRAYOID, PointerGetDatum(construct_array(values, count, TEXTOID, -1, false, TYPALIGN_INT))};
}

// Looks for sources with the content of pending elements, and calls take(number, row) for each row of (hash, id,
// name) that is found. `condition` may be followed by an order.
template <class Take>
void look(const Batch &batch, const Pending &pending, const char *condition, const char *index, Take take) {
    if (pending.empty()) return;
    const char *sql = placed(psprintf("SELECT source.content_hash::pg_catalog.text, source.id, source.name"
                                      " FROM @store@.sources AS source"
                                      " WHERE source.notebook_id OPERATOR(pg_catalog.=) $1"
                                      " AND source.content_hash OPERATOR(pg_catalog.=) ANY ($2) AND %s",
                                      condition),
                             batch.store);
    uint64 rows = run_saved(sql, {batch.notebook_id, hashes_of(pending)}, index);
    for (uint64 row = 0; row < rows; ++row) {
        auto found = pending.find(std::string_view(result_text(row, 0)));
        if (found != pending.end()) take(found->second, row);
    }
}

core::Uuid id_of(uint64 row) {
    bool is_null;
    return to_uuid(result_datum(row, 1, UUIDOID, &is_null));
}

// Gives the elements whose content a live source has its id.
void find_duplicates(Batch &batch) {
    look(batch, *pending_of(batch), is_live, live_index, [&](int number, uint64 row) {
        if (batch.conflict.on_duplicate == "error")
            raise_duplicate(batch.store, number + 1, result_text(row, 1), result_text(row, 2));
        batch.elements[number].id = id_of(row);
        batch.elements[number].outcome = "duplicate";
    });
}

// The soft-deleted source with the content of an element, the one that was deleted last; by element.
using Deleted = std::map<int, core::Uuid>;
const Deleted *find_deleted(const Batch &batch) {
    auto *deleted = in_core([] { return Deleted{}; });
    if (batch.conflict.on_deleted == "add") return deleted;
    const char *last_first =
        psprintf("%s ORDER BY source.deleted_at USING OPERATOR(pg_catalog.>), source.id", is_deleted);
    look(batch, *pending_of(batch), last_first, deleted_index, [&](int number, uint64 row) {
        core::Uuid id = id_of(row);
        in_core([&] { deleted->emplace(number, id); });
    });
    return deleted;
}

// An array of one value of each of these elements.
Argument array_of(const Batch &batch, const int *numbers, int count, Argument NewSource::*value, Oid type, Oid array) {
    auto *values = static_cast<Datum *>(palloc(sizeof(Datum) * count));
    auto *nulls = static_cast<bool *>(palloc(sizeof(bool) * count));
    for (int i = 0; i < count; ++i) {
        const Argument &argument = batch.elements[numbers[i]].source.*value;
        values[i] = argument.value;
        nulls[i] = argument.is_null;
    }
    int16 length;
    bool by_value;
    char alignment;
    get_typlenbyvalalign(type, &length, &by_value, &alignment);
    int lower_bound = 1;
    return {array, PointerGetDatum(
                       construct_md_array(values, nulls, 1, &count, &lower_bound, type, length, by_value, alignment))};
}

// Raises an error where it cannot be told which elements were inserted.
[[noreturn]] void refuse_changed(const Batch &batch) {
    ereport(ERROR, errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
            errmsg("cannot tell which sources of the batch were added"),
            errdetail("A trigger or rule on the table of sources leaves out rows or changes their content_hash."),
            errhint("Use add_source() for each of them."), err_generic_string(PG_DIAG_TABLE_NAME, "sources"),
            err_generic_string(PG_DIAG_SCHEMA_NAME, get_namespace_name(batch.store.schema)));
}

// Inserts elements that name the same columns of the user's. Those whose content is there meanwhile get no outcome.
void insert(Batch &batch, const int *numbers, int count) {
    const OwnColumns *own = batch.elements[numbers[0]].source.own;
    const char *into = placed(
        "INSERT INTO @store@.sources (notebook_id, name, source_type, extracted_text, content_hash, file_type, url,"
        " file_path, file_size, source_metadata",
        batch.store);
    const char *sql = psprintf(
        "%s%s) SELECT $1, batch.name, batch.source_type, coalesce(batch.extracted_text, ''),"
        " batch.content_hash, batch.file_type, batch.url, batch.file_path, batch.file_size,"
        " coalesce(batch.source_metadata, '{}'::pg_catalog.json)%s"
        " FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5),"
        " pg_catalog.unnest($6), pg_catalog.unnest($7), pg_catalog.unnest($8), pg_catalog.unnest($9),"
        " pg_catalog.unnest($10), pg_catalog.unnest($11)) AS batch (name, source_type,"
        " extracted_text, content_hash, file_type, url, file_path, file_size, source_metadata, columns)%s%s%s%s,"
        " content_hash::pg_catalog.text",
        into, own ? own->names : "", own ? own->values : "",
        own ? " CROSS JOIN LATERAL pg_catalog.jsonb_to_record(batch.columns) AS given (" : "",
        own ? own->definitions : "", own ? ")" : "", unless_there);
    auto values = [&](Argument NewSource::*value, Oid type, Oid array) {
        return array_of(batch, numbers, count, value, type, array);
    };
    // Not by a saved plan: Citus can distribute this statement only if it knows the values.
    uint64 rows = query(
        sql,
        {batch.notebook_id, values(&NewSource::name, TEXTOID, TEXTARRAYOID),
         values(&NewSource::source_type, TEXTOID, TEXTARRAYOID),
         values(&NewSource::extracted_text, TEXTOID, TEXTARRAYOID),
         values(&NewSource::content_hash, TEXTOID, TEXTARRAYOID), values(&NewSource::file_type, TEXTOID, TEXTARRAYOID),
         values(&NewSource::url, TEXTOID, TEXTARRAYOID), values(&NewSource::file_path, TEXTOID, TEXTARRAYOID),
         values(&NewSource::file_size, INT8OID, INT8ARRAYOID), values(&NewSource::metadata, JSONOID, JSONARRAYOID),
         values(&NewSource::columns, JSONBOID, JSONBARRAYOID)},
        false);
    // The rows come in the order of the elements. Where some are left out, the hash tells which.
    bool is_whole = rows == static_cast<uint64>(count);
    int next = 0;
    for (uint64 row = 0; row < rows; ++row) {
        bool is_null;
        std::string_view hash(result_text(row, 1));
        while (!is_whole && next < count && batch.elements[numbers[next]].hash != hash) ++next;
        if (next == count || (!is_whole && hash.empty())) refuse_changed(batch);
        Element &element = batch.elements[numbers[next++]];
        element.id = to_uuid(result_datum(row, 0, UUIDOID, &is_null));
        element.outcome = "added";
    }
}

bool has_same_columns(const Element &a, const Element &b) {
    const OwnColumns *one = a.source.own, *other = b.source.own;
    return one == nullptr || other == nullptr ? one == other : strcmp(one->definitions, other->definitions) == 0;
}

// Writes the elements that have no outcome, in their order. An element for which another session was faster has
// none afterwards. Returns whether one of them has met a duplicate that it cannot see.
bool write(Batch &batch) {
    find_duplicates(batch);
    const Deleted &deleted = *find_deleted(batch);
    auto *left = in_core([&] {
        std::vector<int> numbers;
        for (int number : *batch.order)
            if (batch.elements[number].outcome == nullptr) numbers.push_back(number);
        return numbers;
    });
    bool has_duplicate = false;
    for (size_t begin = 0; begin < left->size();) {
        CHECK_FOR_INTERRUPTS();
        Element &element = batch.elements[(*left)[begin]];
        auto restored = deleted.find((*left)[begin]);
        if (restored != deleted.end()) {
            Attempt attempt = try_restore(batch.store, element.source, to_datum(restored->second));
            has_duplicate = has_duplicate || attempt == Attempt::found_a_duplicate;
            if (attempt == Attempt::done) {
                element.id = restored->second;
                element.outcome = "restored";
            }
            // Above READ COMMITTED, no query can find the duplicate; the INSERT raises 40001.
            if (attempt != Attempt::found_a_duplicate || !IsolationUsesXactSnapshot()) {
                ++begin;
                continue;
            }
        }
        size_t end = begin + 1;
        while (end < left->size() && !deleted.contains((*left)[end]) &&
               element.hash.empty() == batch.elements[(*left)[end]].hash.empty() &&
               has_same_columns(element, batch.elements[(*left)[end]]))
            ++end;
        insert(batch, left->data() + begin, static_cast<int>(end - begin));
        for (; begin < end; ++begin) has_duplicate = has_duplicate || batch.elements[(*left)[begin]].outcome == nullptr;
    }
    return has_duplicate;
}

// The first element without an outcome; -1 if all have one.
int first_without_outcome(const Batch &batch) {
    for (int number : *batch.order)
        if (batch.elements[number].outcome == nullptr) return number;
    return -1;
}

void add(Batch &batch) {
    SPI_connect();
    bool has_duplicate = false;
    int attempts = 0;
    do {
        has_duplicate = write(batch) || has_duplicate;
        int left = first_without_outcome(batch);
        if (left < 0) break;
        if (++attempts == most_attempts) raise_prevented(batch.store, left + 1, has_duplicate);
    } while (true);
    SPI_finish();
}

void put_outcomes(FunctionCallInfo fcinfo, const Batch &batch) {
    for (int number = 0; number < batch.count; ++number) {
        const Element &element = batch.elements[number], &first = batch.elements[element.first];
        Datum values[] = {Int32GetDatum(number + 1), to_datum(first.id),
                          to_text(element.first == number ? element.outcome : "duplicate")};
        bool nulls[] = {false, false, false};
        put_row(fcinfo, values, nulls);
    }
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_add_sources) {
    PreventCommandIfReadOnly("add_sources()");
    require_argument(fcinfo, arg_sources, "sources");
    Batch batch{
        current_store(),
        {view_argument(fcinfo, arg_on_duplicate).value_or(""), view_argument(fcinfo, arg_on_deleted).value_or("")},
        argument(fcinfo, arg_notebook_id, UUIDOID),
        nullptr,
        0,
        nullptr};
    begin_result(fcinfo);
    read_elements(batch, PG_GETARG_JSONB_P(arg_sources));
    sort_elements(batch);
    with_rights(batch.store, [&] {
        add(batch);
        return true;
    });
    put_outcomes(fcinfo, batch);
    return Datum{};
}
