// Tests that slices cover a value of any size in order and without gaps.
#include "core/slices.hpp"

#include <gtest/gtest.h>

namespace discovery::core {
namespace {

class SlicesOfSize : public testing::TestWithParam<std::size_t> {};

TEST_P(SlicesOfSize, CoverTheValueInOrderWithoutGaps) {
    std::size_t size = GetParam(), end = 0, count = 0;
    for (Slice slice : Slices{size}) {
        EXPECT_EQ(slice.offset, end);
        EXPECT_GT(slice.length, 0u);
        EXPECT_LE(slice.length, slice_size);
        // Only the last one may be short: many small slices would be slow.
        if (slice.offset + slice.length < size) {
            EXPECT_EQ(slice.length, slice_size);
        }
        end = slice.offset + slice.length;
        ++count;
    }
    EXPECT_EQ(end, size);
    EXPECT_EQ(count, (size + slice_size - 1) / slice_size);
}

INSTANTIATE_TEST_SUITE_P(Sizes, SlicesOfSize,
                         testing::Values(0, 1, 2, slice_size - 1, slice_size, slice_size + 1, 2 * slice_size,
                                         3 * slice_size - 1,
                                         // the largest value that PostgreSQL can hold
                                         (std::size_t{1} << 30) - 1));

}  // namespace
}  // namespace discovery::core
