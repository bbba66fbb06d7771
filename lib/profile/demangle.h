/* Readable names of C++ (Itanium ABI) and Rust (legacy and v0) symbols, through libiberty. A build
 * without it keeps the mangled ones. */
#ifndef PK_PROFILE_DEMANGLE_H
#define PK_PROFILE_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "profile/names.h"

/* Longer names are cut here, "..." then stands for the rest. */
#define PK_DEMANGLED_MAX 4096u

/* Appends the readable form of `symbol`, without parameters and what it returns, as perf and
 * inferno show it; what is not mangled, or not by one of these, as it is. Rust's hashes and LLVM's
 * ".llvm.123" go; clones keep their ending (".cold" as "[clone .cold]");
 * "@plt" and "@@VERSION" stay. libiberty refuses C++ names of more than 1024 bytes, since it would
 * need a deep stack for them. */
void pk_demangle(const char *symbol, pk_strbuf *out);
bool pk_can_demangle(void);

/* Remembers what it has done, so that each symbol is demangled once. */
typedef struct pk_demangler pk_demangler;

/* The readable names go into *names, which must outlive it; limit_bytes bounds the mangled ones.
 * NULL: out of memory. */
pk_demangler *pk_demangler_new(pk_names *names, size_t limit_bytes);
void pk_demangler_free(pk_demangler *demangler);
/* The number of the readable name. PK_NAME_NONE: out of memory or over a limit. */
uint32_t pk_demangler_name(pk_demangler *demangler, const char *symbol) PK_MUST_CHECK;

#endif
