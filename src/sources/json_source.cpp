// Reads a source from a JSON object.
#include "sources/json_source.hpp"

#include "core/encoded.hpp"

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/numeric.h"
}

namespace discovery {
namespace {

enum class Type { text, bytes, number, json, object };

constexpr struct {
    std::string_view name;
    Argument GivenSource::*value;
    Type type;
    Oid oid;
} keys[] = {{"name", &GivenSource::name, Type::text, TEXTOID},
            {"source_type", &GivenSource::source_type, Type::text, TEXTOID},
            {"content", &GivenSource::content, Type::bytes, BYTEAOID},
            {"extracted_text", &GivenSource::extracted_text, Type::text, TEXTOID},
            {"content_hash", &GivenSource::content_hash, Type::text, TEXTOID},
            {"file_type", &GivenSource::file_type, Type::text, TEXTOID},
            {"url", &GivenSource::url, Type::text, TEXTOID},
            {"file_path", &GivenSource::file_path, Type::text, TEXTOID},
            {"file_size", &GivenSource::file_size, Type::number, INT8OID},
            {"source_metadata", &GivenSource::metadata, Type::json, JSONOID},
            {"columns", &GivenSource::columns, Type::object, JSONBOID}};

std::string_view text_of(const JsonbValue &value) {
    return {value.val.string.val, static_cast<size_t>(value.val.string.len)};
}

// The bytes that a string stands for.
Datum decode(std::string_view text) {
    if (text.starts_with("\\x")) return DirectFunctionCall1(byteain, CStringGetDatum(to_cstring(text)));
    return DirectFunctionCall2(binary_decode, to_text(text), to_text("base64"));
}

// A whole number of the type bigint, or nothing.
std::optional<int64> whole_number(const JsonbValue &value) {
    Datum number = NumericGetDatum(value.val.numeric);
    bool is_whole = DatumGetBool(
        DirectFunctionCall2(numeric_eq, number, DirectFunctionCall2(numeric_trunc, number, Int32GetDatum(0))));
    Datum most = DirectFunctionCall1(int8_numeric, Int64GetDatum(PG_INT64_MAX));
    Datum size = DirectFunctionCall1(numeric_abs, number);
    if (!is_whole || !DatumGetBool(DirectFunctionCall2(numeric_le, size, most))) return std::nullopt;
    return DatumGetInt64(DirectFunctionCall1(numeric_int8, number));
}

// Converts a value; returns what it must be if it is something else, else null.
const char *convert(const JsonbValue &value, Type type, Datum *result) {
    switch (type) {
        case Type::text:
            if (value.type != jbvString) return "must be a string";
            *result = to_text(text_of(value));
            return nullptr;
        case Type::bytes:
            if (value.type != jbvString || !(core::is_hex_bytea(text_of(value)) || core::is_base64(text_of(value))))
                return "must be a string of base64, or of \\x and hex digits";
            *result = decode(text_of(value));
            return nullptr;
        case Type::number: {
            std::optional<int64> number = value.type == jbvNumeric ? whole_number(value) : std::nullopt;
            if (!number) return "must be a whole number";
            *result = Int64GetDatum(*number);
            return nullptr;
        }
        case Type::json:
        case Type::object: {
            JsonbValue copy = value;
            Jsonb *jsonb = JsonbValueToJsonb(&copy);
            if (type == Type::object && !JB_ROOT_IS_OBJECT(jsonb)) return "must be an object";
            if (type == Type::object) {
                *result = JsonbPGetDatum(jsonb);
            } else {
                const char *text = JsonbToCString(nullptr, &jsonb->root, VARSIZE(jsonb));
                *result = DirectFunctionCall1(json_in, CStringGetDatum(text));
            }
            return nullptr;
        }
    }
    return nullptr;
}

}  // namespace

GivenSource read_source(JsonbContainer *object, const Argument &notebook_id, Violations &broken) {
    GivenSource given;
    given.notebook_id = notebook_id;
    for (const auto &key : keys) given.*key.value = {key.oid, Datum{}, true};
    JsonbIterator *iterator = JsonbIteratorInit(object);
    JsonbValue name, value;
    for (JsonbIteratorToken token; (token = JsonbIteratorNext(&iterator, &name, true)) != WJB_DONE;) {
        if (token != WJB_KEY) continue;
        JsonbIteratorNext(&iterator, &value, true);
        const auto *key =
            std::find_if(std::begin(keys), std::end(keys), [&](const auto &one) { return one.name == text_of(name); });
        const char *fault = nullptr;
        if (key == std::end(keys)) {
            fault = "is not a key of a source";
        } else if (value.type != jbvNull) {
            Argument &argument = given.*key->value;
            fault = convert(value, key->type, &argument.value);
            argument.is_null = fault != nullptr;
        }
        if (fault == nullptr) continue;
        // A name of any length can be given.
        std::string_view key_name = text_of(name);
        key_name = key_name.substr(
            0, static_cast<size_t>(pg_mbcliplen(key_name.data(), static_cast<int>(key_name.size()), NAMEDATALEN - 1)));
        in_core([&] { broken.push_back("\"" + std::string(key_name) + "\" " + fault + "."); });
    }
    return given;
}

}  // namespace discovery
