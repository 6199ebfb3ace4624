// The store that the data functions use: the first store in the caller's search_path.
#pragma once

#include "store/catalog.hpp"

namespace discovery {

/// The caller's store.
/// Errors: 42P01 no store in search_path; 42P17 only incomplete stores; 55000 its version is not
/// that of the extension (the hint says how to upgrade).
Store current_store();

/// Whether the caller works on the store as its owner: a superuser who is not the owner does. In
/// every statement on a table, code of the table's owner may run: triggers, policies, expressions of
/// indexes. It must not run as a superuser.
bool works_as_owner(const Store &store);

/// For act_as_owner(): what a caller that is the owner leaves to its commit is its own.
inline Deferred deferred_of_caller(const Store &store) {
    return store.owner == GetUserId() ? Deferred::allowed : Deferred::forbidden;
}

/// hold_table() for all tables that the store's version has, and for those of a later version, up to `latest`, that a
/// preparation may have made and that are there.
void hold_tables(const Store &store, core::Version latest = {});

/// Calls `body`, with the caller's privileges or, if works_as_owner(), with those of the store's
/// owner in a security-restricted operation. Returns what `body` returns.
/// Errors: 55000 a table that would be used with the owner's privileges is not the owner's.
template <class Body>
auto with_rights(const Store &store, Body body) {
    bool as_owner = works_as_owner(store);
    if (as_owner) hold_tables(store);
    Session session = as_owner ? act_as_owner(store, Deferred::forbidden) : Session{};
    auto result = body();
    if (as_owner) leave(session);
    return result;
}

}  // namespace discovery
