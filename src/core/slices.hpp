// A long value, taken slice by slice: so that it need not be in memory whole,
// and that the work on it can be stopped between two slices.
#pragma once

#include <algorithm>
#include <cstddef>

namespace discovery::core {

/// A megabyte: under a millisecond of SHA-256, and enough that the cost of a
/// slice itself is not seen.
inline constexpr std::size_t slice_size = std::size_t{1} << 20;

struct Slice {
    std::size_t offset;
    std::size_t length;
};

/// `for (Slice slice : Slices{size})` visits [0, size) in order, without gaps;
/// nothing if size is 0.
struct Slices {
    struct Iterator {
        std::size_t offset;
        std::size_t size;

        Slice operator*() const { return {offset, std::min(slice_size, size - offset)}; }
        Iterator &operator++() {
            offset += std::min(slice_size, size - offset);
            return *this;
        }
        bool operator!=(const Iterator &other) const { return offset != other.offset; }
    };

    std::size_t size;

    Iterator begin() const { return {0, size}; }
    Iterator end() const { return {size, size}; }
};

}  // namespace discovery::core
