#include "profile/cfi.h"

#include "profile/cfi_cursor.h"

/* ---- encoded pointers: the low half says how it is written, the high half what it is added to */

enum { POINTER_OMIT = 0xff, POINTER_INDIRECT = 0x80 };

static uint64_t pointer_value(cursor *c, uint8_t encoding) {
    switch (encoding & 0x0f) {
    case 0x00:
        return unsigned_bytes(c, 8);
    case 0x01:
        return uleb(c);
    case 0x02:
        return unsigned_bytes(c, 2);
    case 0x03:
        return unsigned_bytes(c, 4);
    case 0x04:
        return unsigned_bytes(c, 8);
    case 0x09:
        return (uint64_t)sleb(c);
    case 0x0a:
        return (uint64_t)signed_bytes(c, 2);
    case 0x0b:
        return (uint64_t)signed_bytes(c, 4);
    case 0x0c:
        return (uint64_t)signed_bytes(c, 8);
    default:
        c->failed = true;
        return 0;
    }
}

static uint64_t pointer(cursor *c, uint8_t encoding, const pk_cfi_section *section) {
    uint64_t base = 0, here = c->address;
    if (encoding == POINTER_OMIT) return 0;
    switch (encoding & 0x70) {
    case 0x00:
        break;
    case 0x10:
        base = here;
        break;
    case 0x20:
        base = section->text_address;
        break;
    case 0x30:
        base = section->data_address;
        break;
    default:
        c->failed = true; /* relative to a function, aligned: not in .eh_frame */
    }
    uint64_t value = pointer_value(c, encoding);
    return value ? base + value : 0;
}

/* ---- entries ---- */

typedef struct cie {
    uint64_t code_factor;
    int64_t data_factor;
    uint8_t return_register, pointer_encoding;
    bool signal_frame, augmented;
    const uint8_t *instructions, *end;
} cie;

/* The length of an entry, and the cursor on its body. False: a terminator, or nothing is left. */
static bool entry(const pk_cfi_section *section, size_t offset, cursor *c, size_t *next) {
    if (offset >= section->n_bytes) return false;
    *c = (cursor){section->bytes + offset, section->bytes + section->n_bytes,
                  section->address + offset, false};
    uint64_t length = unsigned_bytes(c, 4);
    if (length == 0xffffffff) length = unsigned_bytes(c, 8);
    if (c->failed || length == 0 || length > (uint64_t)(c->end - c->at)) return false;
    c->end = c->at + length;
    *next = (size_t)(c->end - section->bytes);
    return true;
}

static void parse_augmentation(cursor *c, const char *letters, const pk_cfi_section *section,
                               cie *into) {
    if (*letters != 'z') {
        c->failed |= *letters != 0; /* without a length nothing unknown can be passed over */
        return;
    }
    into->augmented = true;
    uint64_t bytes = uleb(c);
    const uint8_t *end = bytes <= (uint64_t)(c->end - c->at) ? c->at + bytes : NULL;
    if (!end) c->failed = true;
    bool known = true;
    for (letters++; *letters && known && !c->failed; letters++) {
        switch (*letters) {
        case 'R':
            into->pointer_encoding = byte(c);
            break;
        case 'P': {
            uint8_t encoding = byte(c);
            (void)pointer(c, encoding & 0x7f, section);
            break;
        }
        case 'L':
            (void)byte(c);
            break;
        case 'S':
            into->signal_frame = true;
            break;
        case 'B':
            break; /* AArch64: return addresses are signed with key B */
        default:
            known = false;
        }
    }
    if (!c->failed) (void)take(c, (size_t)(end - c->at));
}

static bool parse_cie(const pk_cfi_section *section, size_t offset, cie *into) {
    cursor c;
    size_t next;
    *into = (cie){0};
    if (!entry(section, offset, &c, &next) || unsigned_bytes(&c, 4) != 0) return false;
    uint8_t version = byte(&c);
    const uint8_t *letters = c.at;
    const uint8_t *nul = c.failed ? NULL : memchr(letters, 0, (size_t)(c.end - letters));
    if (!nul || (version != 1 && version != 3)) return false;
    (void)take(&c, (size_t)(nul - letters) + 1);
    into->code_factor = uleb(&c);
    into->data_factor = sleb(&c);
    into->return_register = (uint8_t)(version == 1 ? byte(&c) : uleb(&c));
    parse_augmentation(&c, (const char *)letters, section, into);
    into->instructions = c.at;
    into->end = c.end;
    return !c.failed && into->return_register < PK_CFI_REGISTERS;
}

/* *is_cie: nothing is wrong, but it is no function's entry. */
static bool parse_fde(const pk_cfi_section *section, size_t offset, size_t *next, pk_cfi_fde *fde,
                      bool *is_cie) {
    cursor c;
    *is_cie = false;
    if (!entry(section, offset, &c, next)) return false;
    size_t here = (size_t)(c.at - section->bytes);
    uint64_t back = unsigned_bytes(&c, 4);
    if (back == 0) {
        *is_cie = !c.failed;
        return false;
    }
    cie common;
    if (c.failed || back > here || !parse_cie(section, here - (size_t)back, &common)) return false;
    fde->begin = pointer(&c, common.pointer_encoding & 0x7f, section);
    fde->end = fde->begin + pointer_value(&c, common.pointer_encoding & 0x0f);
    if (common.augmented) (void)take(&c, (size_t)uleb(&c));
    fde->instructions = c.at;
    fde->instructions_end = c.end;
    fde->initial = common.instructions;
    fde->initial_end = common.end;
    fde->code_factor = common.code_factor;
    fde->data_factor = common.data_factor;
    fde->return_register = common.return_register;
    fde->signal_frame = common.signal_frame;
    return !c.failed && fde->end >= fde->begin;
}

bool pk_cfi_next(const pk_cfi_section *section, size_t *offset, pk_cfi_fde *fde) {
    bool is_cie = true;
    while (is_cie) {
        size_t next = *offset;
        if (parse_fde(section, *offset, &next, fde, &is_cie)) {
            *offset = next;
            return true;
        }
        if (is_cie) *offset = next;
    }
    return false;
}

/* .eh_frame_hdr: version 1, three encodings, where .eh_frame is, how many pairs, pairs of
 * (function, entry) sorted by function. The linkers write pairs of 32-bit offsets from the header
 * (0x3b). */
static bool find_in_table(const pk_cfi_section *section, const uint8_t *header, size_t n,
                          uint64_t address, uint64_t pc, size_t *offset) {
    cursor c = {header, header + n, address, false};
    uint8_t version = byte(&c), frame = byte(&c), count = byte(&c), table = byte(&c);
    if (version != 1 || table != 0x3b || count == POINTER_OMIT) return false;
    pk_cfi_section bases = *section;
    bases.data_address = address;
    (void)pointer(&c, frame, &bases);
    uint64_t pairs = pointer(&c, count, &bases);
    if (c.failed || pairs == 0 || pairs > (uint64_t)(c.end - c.at) / 8) return false;
    uint64_t low = 0, high = pairs; /* the last pair whose function is not behind pc */
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        int32_t function;
        memcpy(&function, c.at + middle * 8, sizeof function);
        if (address + (uint64_t)(int64_t)function <= pc) low = middle;
        else high = middle;
    }
    int32_t fde;
    memcpy(&fde, c.at + low * 8 + 4, sizeof fde);
    *offset = (size_t)(address + (uint64_t)(int64_t)fde - section->address);
    return *offset < section->n_bytes;
}

bool pk_cfi_find(const pk_cfi_section *section, const uint8_t *header, size_t header_bytes,
                 uint64_t header_address, uint64_t pc, pk_cfi_fde *fde) {
    size_t offset = 0, next;
    bool is_cie;
    if (header && find_in_table(section, header, header_bytes, header_address, pc, &offset))
        return parse_fde(section, offset, &next, fde, &is_cie) && fde->begin <= pc && pc < fde->end;
    for (offset = 0; pk_cfi_next(section, &offset, fde);)
        if (fde->begin <= pc && pc < fde->end) return true;
    return false;
}
