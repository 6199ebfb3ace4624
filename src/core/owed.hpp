// The changes of counts that a transaction has made and not written yet.
#pragma once

#include <vector>

#include "core/tally.hpp"

namespace discovery::core {

/// A notebook, and the table that it is in. Counts are written in this order.
struct Counted {
    std::uint32_t table;
    Uuid notebook;

    auto operator<=>(const Counted &) const = default;
};

using Debts = std::map<Counted, Change>;

/// The debts of a transaction, one level for each subtransaction that made any. A subtransaction that
/// is rolled back takes with it what it added, and what it paid is owed again.
class OwedCounts {
public:
    /// Adds a change to what is owed. `level` is the nesting level of the subtransaction, 1 for the
    /// transaction itself; `command` is the number of the command that owes it.
    void add(int level, const Counted &counted, const Change &change, std::uint32_t command);

    /// Returns all that is owed, which is paid from then on.
    Debts pay(int level);

    /// The subtransaction ends, and its debts become its parent's; or it is rolled back. They do not
    /// throw, as PostgreSQL can no longer handle an error there.
    void release(int level) noexcept;
    void roll_back(int level) noexcept;

    bool is_empty() const { return oldest() == UINT32_MAX; }
    /// The first command that owes something, UINT32_MAX if nothing is owed.
    std::uint32_t oldest() const;

private:
    struct Level {
        int depth;
        bool has_paid = false;  // the debts of all outer levels
        Debts debts;
        std::uint32_t oldest = UINT32_MAX;
    };
    Level &level_at(int depth);
    /// The first of the levels, up to the innermost, whose debts are not paid.
    std::size_t first_unpaid() const;

    std::vector<Level> levels_;  // from the outermost; those without debts are left out
};

}  // namespace discovery::core
