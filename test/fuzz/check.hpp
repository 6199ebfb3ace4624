// Helpers of the fuzzers. CHECK() aborts if its condition is false, so that the fuzzer saves the
// input. The functions split an input into texts.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#define CHECK(promise)                                                                 \
    do {                                                                               \
        if (!(promise)) {                                                              \
            std::fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #promise); \
            std::abort();                                                              \
        }                                                                              \
    } while (false)

/// Ends each part of an input that consists of several texts (RECORD SEPARATOR in ASCII).
constexpr char separator = '\x1e';

inline std::string_view as_text(const std::uint8_t *data, std::size_t size) {
    return {reinterpret_cast<const char *>(data), size};
}

/// Removes the first part from `rest` and returns it, without `end`.
inline std::string_view take_part(std::string_view &rest, char end = separator) {
    auto part = rest.substr(0, rest.find(end));
    rest.remove_prefix(part.size() < rest.size() ? part.size() + 1 : rest.size());
    return part;
}
