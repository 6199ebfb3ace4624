// The border between PostgreSQL, whose errors are longjmps, and C++, whose
// errors are exceptions and destructors.
//
// Every function that PostgreSQL calls is a DISCOVERY_FUNCTION: an exception
// that reaches its end becomes a PostgreSQL error, after the catch is over.
// Values of the core that have destructors are made by in_core(), which gives
// them to a memory context: when PostgreSQL longjmps, or the statement ends,
// the context destroys them. So no such object is ever on the stack while
// PostgreSQL code runs. Two rules follow for everything in src/*.cpp:
//   - local variables are trivially destructible, but inside in_core();
//   - in_core() is not called between PG_TRY and PG_END_TRY, for an exception
//     would leave PG_TRY without restoring PostgreSQL's handler.
#pragma once

#include "server/pg.hpp"

#include "core/error.hpp"

namespace discovery {

using EntryPoint = Datum (*)(FunctionCallInfo);

/// Calls `body`; raises what it throws as a PostgreSQL error.
Datum guarded(EntryPoint body, FunctionCallInfo fcinfo);

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

/// Runs `compute`, which must be pure C++, and returns a pointer to its value,
/// which CurrentMemoryContext owns and destroys (or nothing, if it returns
/// void). A core::Error in a Result, and any exception, reaches the entry guard.
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

/// A copy of `text` in CurrentMemoryContext, for PostgreSQL's functions.
inline char *to_cstring(std::string_view text) { return pnstrdup(text.data(), text.size()); }

inline Datum to_text(std::string_view text) {
    return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}

/// The bytes of a text that is not toasted.
inline std::string_view view_of(const text *value) { return {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)}; }

}  // namespace discovery

/// Defines a C-language SQL function:  DISCOVERY_FUNCTION(symbol) { … fcinfo … }
#define DISCOVERY_FUNCTION(symbol)                                                                  \
    extern "C" {                                                                                    \
    PG_FUNCTION_INFO_V1(symbol);                                                                    \
    }                                                                                               \
    static Datum symbol##_body(FunctionCallInfo fcinfo);                                            \
    extern "C" Datum symbol(PG_FUNCTION_ARGS) { return discovery::guarded(symbol##_body, fcinfo); } \
    static Datum symbol##_body([[maybe_unused]] FunctionCallInfo fcinfo)
