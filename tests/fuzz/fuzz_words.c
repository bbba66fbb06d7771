/* Command lines split without a shell: the words, quoted again, split into the same words. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/process.h"
#include "base/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* '...' around all but the quotes themselves, which stand as \'. */
static void add_quoted(pk_strbuf *out, const char *word) {
    pk_strbuf_add_char(out, '\'');
    for (; *word; word++)
        if (*word == '\'') pk_strbuf_add_str(out, "'\\''");
        else pk_strbuf_add_char(out, *word);
    pk_strbuf_add_str(out, "' ");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    char *text = malloc(bytes + 1);
    assert(text);
    memcpy(text, data, bytes);
    text[bytes] = '\0';
    pk_err err = {0};
    char **words = pk_words_split(text, &err);
    if (!words) {
        assert(err.kind == PK_E_USAGE && err.what[0] && err.fix[0]);
        assert(strpbrk(text, "'\"\\"));
        free(text);
        return 0;
    }
    pk_strbuf quoted;
    pk_strbuf_init(&quoted, 8 * bytes + 8);
    size_t total = 0;
    for (char **word = words; *word; word++) {
        add_quoted(&quoted, *word);
        total += strlen(*word);
    }
    assert(total <= strlen(text) && pk_strbuf_ok(&quoted));
    char **again = pk_words_split(quoted.data, &err);
    assert(again);
    size_t i = 0;
    for (; words[i]; i++) assert(again[i] && strcmp(words[i], again[i]) == 0);
    assert(!again[i]);
    free(again);
    free(words);
    pk_strbuf_fini(&quoted);
    free(text);
    return 0;
}
