// The boundary between PostgreSQL, which raises errors with longjmp, and C++, which uses exceptions
// and destructors.
//
// Every SQL function is defined with DISCOVERY_FUNCTION. If an exception leaves the function's
// body, the wrapper raises a PostgreSQL error after the catch block has ended. in_core() creates
// the values of the core that have destructors, and gives them to a memory context. The context
// destroys them after an error or at the end of the statement. No such object is therefore on the
// stack while PostgreSQL code runs. Two rules follow for src/server, src/store and src/sources:
//   - Local variables outside in_core() are trivially destructible.
//   - in_core() is not called between PG_TRY and PG_END_TRY: an exception would leave the block
//     without restoring PostgreSQL's exception stack.
#pragma once

#include "server/pg.hpp"

#include "core/error.hpp"

namespace discovery {

using EntryPoint = Datum (*)(FunctionCallInfo);

/// Calls `body` and returns its result. Raises an exception that it throws as a PostgreSQL error: a
/// core::Error with the SQLSTATE of its kind (core/error.hpp), std::bad_alloc as 53200, any other
/// exception as XX000.
Datum guarded(EntryPoint body, FunctionCallInfo fcinfo);

/// The same for the body of a hook or a callback.
void guarded(void (*body)(void *), void *argument = nullptr);

namespace detail {

template <class T>
struct Owned {
    MemoryContextCallback callback;
    T value;
};

template <class T>
struct unwrap_result {
    using type = T;
};
template <class T>
struct unwrap_result<core::Result<T>> {
    using type = T;
};

template <class T>
T &&value_or_throw(T &&value) {
    return std::forward<T>(value);
}
template <class T>
T value_or_throw(core::Result<T> &&result) {
    if (!result) throw std::move(result.error());
    return std::move(*result);
}

}  // namespace detail

/// Runs `compute`, which must not call PostgreSQL. Returns a pointer to its value, or nothing if
/// `compute` returns void. CurrentMemoryContext owns and destroys the value. An exception, or the
/// core::Error of a Result, propagates to guarded().
template <class Compute>
auto in_core(Compute compute) {
    using T = typename detail::unwrap_result<decltype(compute())>::type;
    if constexpr (std::is_void_v<T>) {
        compute();
    } else {
        auto *owned = static_cast<detail::Owned<T> *>(palloc(sizeof(detail::Owned<T>)));
        new (&owned->value) T(detail::value_or_throw(compute()));
        owned->callback.func = [](void *value) { static_cast<T *>(value)->~T(); };
        owned->callback.arg = &owned->value;
        MemoryContextRegisterResetCallback(CurrentMemoryContext, &owned->callback);
        return &owned->value;
    }
}

/// Returns a null-terminated copy of `text` in CurrentMemoryContext.
inline char *to_cstring(std::string_view text) { return pnstrdup(text.data(), text.size()); }

/// Returns `text` as a Datum of type text, in CurrentMemoryContext.
inline Datum to_text(std::string_view text) {
    return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}

/// Returns the bytes of a text, which must not be toasted. The result points into it.
inline std::string_view view_of(const text *value) { return {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)}; }

}  // namespace discovery

/// Defines an SQL function in language C: DISCOVERY_FUNCTION(symbol) { ... fcinfo ... }
#define DISCOVERY_FUNCTION(symbol)                                                                  \
    extern "C" {                                                                                    \
    PG_FUNCTION_INFO_V1(symbol);                                                                    \
    }                                                                                               \
    static Datum symbol##_body(FunctionCallInfo fcinfo);                                            \
    extern "C" Datum symbol(PG_FUNCTION_ARGS) { return discovery::guarded(symbol##_body, fcinfo); } \
    static Datum symbol##_body([[maybe_unused]] FunctionCallInfo fcinfo)
