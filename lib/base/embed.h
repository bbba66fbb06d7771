/* Files embedded in the executable, by the assembler's .incbin.
 * In one .c file:  PK_EMBED(pk_bash_script, "completions/perfkit.bash");
 * elsewhere:       PK_EMBEDDED(pk_bash_script);  then pk_embed_data(pk_bash_script), _bytes(..).
 * Paths are relative to the source tree; the Makefile makes the object depend on the file. */
#ifndef PK_BASE_EMBED_H
#define PK_BASE_EMBED_H

#include <stddef.h>
#include <stdint.h>

#define PK_EMBEDDED(name)                                                         \
    extern const char name##_embed_begin[] __attribute__((visibility("hidden"))); \
    extern const char name##_embed_end[] __attribute__((visibility("hidden")))

/* The trailing NUL is not part of the data; it makes text usable as a C string. */
#define PK_EMBED(name, path)                                                                  \
    __asm__(".pushsection .rodata\n.balign 16\n.global " #name "_embed_begin\n.hidden " #name \
            "_embed_begin\n" #name "_embed_begin:\n.incbin \"" path "\"\n.global " #name      \
            "_embed_end\n.hidden " #name "_embed_end\n" #name                                 \
            "_embed_end:\n.byte 0\n.popsection");                                             \
    PK_EMBEDDED(name)

#define pk_embed_data(name) (name##_embed_begin)
/* As numbers: to the compiler the two ends are two objects, whose difference C does not define. */
#define pk_embed_bytes(name) ((size_t)((uintptr_t)name##_embed_end - (uintptr_t)name##_embed_begin))

#endif
