// Keeps the debts of a transaction by subtransaction.
#include "core/owed.hpp"

namespace discovery::core {

OwedCounts::Level &OwedCounts::level_at(int depth) {
    if (levels_.empty() || levels_.back().depth < depth) levels_.push_back({depth, false, {}, UINT32_MAX});
    return levels_.back();
}

std::size_t OwedCounts::first_unpaid() const {
    std::size_t first = levels_.size();
    while (first > 0) {
        --first;
        if (levels_[first].has_paid) break;
    }
    return first;
}

void OwedCounts::add(int level, const Counted &counted, const Change &change, std::uint32_t command) {
    Level &here = level_at(level);
    here.debts[counted] += change;
    here.oldest = std::min(here.oldest, command);
}

Debts OwedCounts::pay(int level) {
    Debts all;
    for (std::size_t i = first_unpaid(); i < levels_.size(); ++i)
        for (const auto &[counted, change] : levels_[i].debts) all[counted] += change;
    Level &here = level_at(level);
    here.debts.clear();
    here.oldest = UINT32_MAX;
    here.has_paid = true;
    return all;
}

void OwedCounts::release(int level) noexcept {
    if (levels_.empty() || levels_.back().depth < level) return;
    if (levels_.size() == 1 || levels_[levels_.size() - 2].depth < level - 1) {
        levels_.back().depth = level - 1;
        return;
    }
    Level &child = levels_.back(), &parent = levels_[levels_.size() - 2];
    if (child.has_paid) {
        child.depth = level - 1;
        std::swap(child, parent);
    } else {
        // No node is made: those that the parent has not are moved, the others are added to its own.
        parent.debts.merge(child.debts);
        for (const auto &[counted, change] : child.debts) parent.debts.find(counted)->second += change;
        parent.oldest = std::min(parent.oldest, child.oldest);
    }
    levels_.pop_back();
}

void OwedCounts::roll_back(int level) noexcept {
    while (!levels_.empty() && levels_.back().depth >= level) levels_.pop_back();
}

std::uint32_t OwedCounts::oldest() const {
    std::uint32_t oldest = UINT32_MAX;
    for (std::size_t i = first_unpaid(); i < levels_.size(); ++i) oldest = std::min(oldest, levels_[i].oldest);
    return oldest;
}

}  // namespace discovery::core
