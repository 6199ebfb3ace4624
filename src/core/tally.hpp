// Adds up, row by row, the changes that a statement makes to the counts of notebooks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

#include "core/uuid.hpp"

namespace discovery::core {

/// The change of one notebook.
struct Change {
    std::int64_t sources = 0;         // net change of the number of live sources
    std::int64_t outputs = 0;         // net change of the number of outputs
    std::int64_t newest = INT64_MIN;  // newest timestamp of the rows; INT64_MIN if no row has one
    bool is_free = false;             // whether a row's change did not make the foreign key lock the notebook

    Change &operator+=(const Change &other) {
        sources += other.sources;
        outputs += other.outputs;
        newest = std::max(newest, other.newest);
        is_free = is_free || other.is_free;
        return *this;
    }
    bool is_none() const { return sources == 0 && outputs == 0; }
};

/// Net changes by notebook. Iterates in the order of IDs, in which every statement locks notebooks.
class Tally {
public:
    Tally() = default;
    Tally(Tally &&) = default;  // in a copy, last_ would point into the map of the original

    /// Adds the change of one row.
    void add(const Uuid &notebook, const Change &change) {
        // Consecutive rows usually belong to the same notebook.
        if (last_ == nullptr || last_->first != notebook) last_ = &*changes_.try_emplace(notebook).first;
        last_->second += change;
    }

    std::size_t size() const { return changes_.size(); }
    auto begin() const { return changes_.begin(); }
    auto end() const { return changes_.end(); }

private:
    std::map<Uuid, Change> changes_;
    std::pair<const Uuid, Change> *last_ = nullptr;
};

}  // namespace discovery::core
