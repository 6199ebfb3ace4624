// What a fuzzer promises: a broken promise ends it, with the input kept.
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

/// The parts of an input that is several texts end with this: RECORD SEPARATOR.
constexpr char separator = '\x1e';

inline std::string_view as_text(const std::uint8_t *data, std::size_t size) {
    return {reinterpret_cast<const char *>(data), size};
}

/// Takes the first part off `rest`.
inline std::string_view take_part(std::string_view &rest, char end = separator) {
    auto part = rest.substr(0, rest.find(end));
    rest.remove_prefix(part.size() < rest.size() ? part.size() + 1 : rest.size());
    return part;
}
