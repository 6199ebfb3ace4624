// Tests UUIDs of version 7 against RFC 9562: the layout of section 5.7, and the order that section
// 6.2 requires within one generator.
#include "core/uuid.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace discovery::core {
namespace {

using Random = std::array<std::uint8_t, uuid_random_bytes>;

constexpr Random zeros{};
constexpr Random ones{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

std::uint64_t milliseconds_of(const Uuid &uuid) {
    std::uint64_t milliseconds = 0;
    for (int i = 0; i < 6; ++i) milliseconds = milliseconds << 8 | uuid[i];
    return milliseconds;
}

int version_of(const Uuid &uuid) { return uuid[6] >> 4; }
int variant_of(const Uuid &uuid) { return uuid[8] >> 6; }
int counter_of(const Uuid &uuid) { return (uuid[6] & 0x0f) << 8 | uuid[7]; }

TEST(UuidV7, HasTheTimeInMillisecondsFirst) {
    UuidSequence sequence;
    // The example of RFC 9562, appendix A.6.
    Uuid uuid = sequence.next(0x017F22E279B0, zeros.data());
    EXPECT_EQ(milliseconds_of(uuid), 0x017F22E279B0u);
}

TEST(UuidV7, UsesAll48BitsOfTheTime) {
    UuidSequence sequence;
    std::uint64_t last = (std::uint64_t{1} << 48) - 1;
    EXPECT_EQ(milliseconds_of(sequence.next(last, ones.data())), last);
}

TEST(UuidV7, HasVersionAndVariantWhateverTheRandomBits) {
    for (const Random &random : {zeros, ones}) {
        UuidSequence sequence;
        Uuid uuid = sequence.next(1, random.data());
        EXPECT_EQ(version_of(uuid), 7);
        EXPECT_EQ(variant_of(uuid), 0b10);
    }
}

TEST(UuidV7, TakesItsLast62BitsFromTheRandomBytes) {
    UuidSequence sequence;
    Random random{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0, 0};
    Uuid uuid = sequence.next(1, random.data());
    EXPECT_EQ(uuid[8], 0x81);  // the variant's two bits, and six of the first byte
    EXPECT_TRUE(std::equal(uuid.begin() + 9, uuid.end(), random.begin() + 1));
    Uuid all = sequence.next(2, ones.data());
    EXPECT_TRUE(std::all_of(all.begin() + 9, all.end(), [](std::uint8_t byte) { return byte == 0xff; }));
    EXPECT_EQ(all[8], 0xbf);
}

TEST(UuidV7, StartsTheCounterInItsLowerHalfSoThatThereIsRoom) {
    std::set<int> starts;
    for (int high = 0; high < 256; ++high) {
        Random random = zeros;
        random[8] = static_cast<std::uint8_t>(high);
        random[9] = static_cast<std::uint8_t>(255 - high);
        UuidSequence sequence;
        int counter = counter_of(sequence.next(1, random.data()));
        EXPECT_LT(counter, 1 << 11);
        starts.insert(counter);
    }
    EXPECT_GT(starts.size(), 100u);  // it is random, too
}

TEST(UuidV7, CountsInsideOneMillisecond) {
    UuidSequence sequence;
    // The random bits fall, the UUIDs rise all the same.
    Uuid before = sequence.next(1000, ones.data());
    for (int i = 0; i < 100; ++i) {
        Uuid after = sequence.next(1000, zeros.data());
        EXPECT_LT(before, after);
        EXPECT_EQ(milliseconds_of(after), 1000u);
        EXPECT_EQ(counter_of(after), counter_of(before) + 1);
        before = after;
    }
}

TEST(UuidV7, RisesWhenTheClockStepsBack) {
    UuidSequence sequence;
    Uuid before = sequence.next(5000, ones.data());
    for (std::uint64_t clock : {std::uint64_t{4999}, std::uint64_t{1}, std::uint64_t{0}, std::uint64_t{5000}}) {
        Uuid after = sequence.next(clock, zeros.data());
        EXPECT_LT(before, after) << clock;
        EXPECT_EQ(milliseconds_of(after), 5000u) << clock;
        before = after;
    }
    EXPECT_EQ(milliseconds_of(sequence.next(5001, zeros.data())), 5001u);
}

TEST(UuidV7, BorrowsTheNextMillisecondWhenTheCounterIsFull) {
    UuidSequence sequence;
    Uuid before = sequence.next(7, zeros.data());
    EXPECT_EQ(counter_of(before), 0);
    for (int i = 1; i < 1 << 12; ++i) {
        Uuid after = sequence.next(7, zeros.data());
        ASSERT_LT(before, after);
        before = after;
    }
    EXPECT_EQ(milliseconds_of(before), 7u);
    EXPECT_EQ(counter_of(before), (1 << 12) - 1);

    Uuid borrowed = sequence.next(7, zeros.data());
    EXPECT_LT(before, borrowed);
    EXPECT_EQ(milliseconds_of(borrowed), 8u);
    EXPECT_EQ(version_of(borrowed), 7);
    EXPECT_EQ(variant_of(borrowed), 0b10);

    // The clock reaches the borrowed millisecond: no step back.
    Uuid after = sequence.next(8, zeros.data());
    EXPECT_LT(borrowed, after);
    EXPECT_LT(after, sequence.next(9, zeros.data()));
}

TEST(UuidV7, RisesThroughFourTimesWhatTheCounterHolds) {
    UuidSequence sequence;
    Uuid before = sequence.next(1, ones.data());
    for (int i = 0; i < 4 << 12; ++i) {
        Uuid after = sequence.next(1, i % 2 ? zeros.data() : ones.data());
        ASSERT_LT(before, after) << i;
        ASSERT_EQ(version_of(after), 7) << i;
        before = after;
    }
    EXPECT_LE(milliseconds_of(before), 1u + 5);
}

TEST(UuidV7, FirstOfAMillisecondStandsBetweenItsNeighbours) {
    UuidSequence sequence;
    Uuid before = sequence.next(41, ones.data());
    for (int i = 0; i < 100; ++i) before = sequence.next(41, ones.data());
    Uuid first = first_uuid_of(42);
    Uuid after = sequence.next(42, zeros.data());
    EXPECT_LT(before, first);
    EXPECT_LE(first, after);
    EXPECT_EQ(version_of(first), 7);
    EXPECT_EQ(variant_of(first), 0b10);
    EXPECT_EQ(milliseconds_of(first), 42u);
}

}  // namespace
}  // namespace discovery::core
