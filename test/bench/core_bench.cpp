// What the core does for each session or each value. `make bench ONLY=core`.
#include <benchmark/benchmark.h>

#include "core/hex.hpp"
#include "core/migrations.hpp"
#include "core/shape.hpp"

namespace {

using namespace discovery::core;

// A shape of as many tables as given, of about the size of a real one's.
std::string shape_text(int tables) {
    std::string text;
    for (int table = 0; table < tables; ++table) {
        std::string name = "table_" + std::to_string(table);
        text += "table " + name + ": permanent\n";
        for (int column = 0; column < 12; ++column)
            text += "column " + name + ".column_" + std::to_string(column) +
                    ": character varying(255) NOT NULL DEFAULT ''\n";
        for (int index = 0; index < 5; ++index) {
            std::string its_name = "ix_" + name + "_" + std::to_string(index);
            text += "index " + name + "." + its_name + ": CREATE INDEX " + its_name + " ON " + name +
                    " USING btree (column_1)\n";
        }
    }
    return text;
}

std::string script_text(int versions) {
    std::string text = "\\echo planted\n";
    for (int version = 0; version < versions; ++version) {
        std::string from = "1." + std::to_string(version), to = "1." + std::to_string(version + 1);
        for (const auto &way : {from + " -> " + to, to + " -> " + from}) {
            text += "\n/* step " + way + ": planted\n\n";
            for (int line = 0; line < 50; ++line) text += "ALTER TABLE @store@.sources ALTER COLUMN a SET DEFAULT 1;\n";
            text += "*/\n";
        }
    }
    return text;
}

void hex_of_a_digest(benchmark::State &state) {
    std::uint8_t digest[32] = {0xab};
    char digits[64];
    for (auto _ : state) {
        benchmark::DoNotOptimize(digest);
        to_hex(digest, sizeof digest, digits);
        benchmark::DoNotOptimize(digits);
    }
}
BENCHMARK(hex_of_a_digest);

void parse_a_shape(benchmark::State &state) {
    std::string text = shape_text(static_cast<int>(state.range(0)));
    for (auto _ : state) benchmark::DoNotOptimize(parse_shape(text));
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(parse_a_shape)->Arg(4)->Arg(64);

void compare_two_shapes(benchmark::State &state) {
    Shape is = *parse_shape(shape_text(static_cast<int>(state.range(0)))), should_be = is;
    for (std::size_t i = 0; i < should_be.size(); i += 7) should_be[i].definition += " changed";
    is.erase(is.begin() + 1);
    for (auto _ : state) benchmark::DoNotOptimize(compare(is, should_be));
    state.SetComplexityN(state.range(0));
}
BENCHMARK(compare_two_shapes)->RangeMultiplier(4)->Range(4, 256)->Complexity();

void mark_a_definition(benchmark::State &state) {
    std::string definition =
        "CREATE TRIGGER t AFTER INSERT ON \"My Store\".sources REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION functions.count_sources()";
    const Namespace namespaces[] = {{"\"My Store\"", std::string(store_mark), {"notebooks", "sources"}},
                                    {"functions", std::string(extension_mark), {"count_sources"}}};
    for (auto _ : state) benchmark::DoNotOptimize(mark_schemas(definition, namespaces));
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * definition.size()));
}
BENCHMARK(mark_a_definition);

void read_the_migrations(benchmark::State &state) {
    std::string script = script_text(static_cast<int>(state.range(0))), shape = shape_text(4);
    const File files[] = {{"discovery--1.0.sql", script}, {"discovery--1.0.shape", shape}};
    for (auto _ : state) benchmark::DoNotOptimize(read_migrations(files));
    state.SetComplexityN(state.range(0));
}
BENCHMARK(read_the_migrations)->RangeMultiplier(4)->Range(2, 128)->Complexity();

void place_the_schemas(benchmark::State &state) {
    std::string script = script_text(20);
    for (auto _ : state) benchmark::DoNotOptimize(place_schemas(script, "\"My Store\"", "functions"));
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * script.size()));
}
BENCHMARK(place_the_schemas);

}  // namespace
