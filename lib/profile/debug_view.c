#include "profile/debug_view.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>

#define INFO 0 /* its place in `wanted` */
#define BLOCK_BYTES 16384u
#define STEP_BYTES 65536u /* .debug_info is read by so many at least */
#define DEFLATE_MAX 1032u /* no byte becomes more (zlib's technical details) */
#define ALIGN 16u
#define MOST_BYTES ((uint64_t)1 << 40)

static const char *const wanted[] = {".debug_info",     ".debug_abbrev", ".debug_str",
                                     ".debug_line_str", ".debug_ranges", ".debug_rnglists",
                                     ".debug_addr",     ".debug_types",  ".debug_str_offsets"};
#define N_WANTED (sizeof wanted / sizeof *wanted)

/* One section: where it is in the file, and how much of it we have. */
typedef struct source {
    uint64_t at, left; /* of the file, not read yet; left 0 and bytes 0: no such section */
    uint64_t bytes, done;
    uint64_t place; /* in the view */
    bool packed, broken;
    z_stream z;
    unsigned char block[BLOCK_BYTES]; /* packed bytes at hand */
} source;

struct pk_debug_view {
    const pk_elf_image *image;
    unsigned char *memory; /* MAP_FAILED: none */
    uint64_t bytes;
    uint64_t names, headers; /* where the names of sections are, and their headers */
    Elf *elf;
    source *info;
    source sources[N_WANTED];
};

/* ---- sections of the file ---- */

static bool take_section(pk_debug_view *v, Elf_Scn *section, const GElf_Shdr *header, size_t i) {
    source *s = &v->sources[i];
    if (s->bytes > 0 || header->sh_type == SHT_NOBITS) return true;
    s->at = header->sh_offset;
    s->left = s->bytes = header->sh_size;
    if (!(header->sh_flags & SHF_COMPRESSED)) return s->bytes < MOST_BYTES;
    GElf_Chdr packed;
    if (!gelf_getchdr(section, &packed) || packed.ch_type != ELFCOMPRESS_ZLIB ||
        s->left < sizeof(Elf64_Chdr))
        return false;
    s->at += sizeof(Elf64_Chdr);
    s->left -= sizeof(Elf64_Chdr);
    s->bytes = packed.ch_size;
    s->packed = true;
    return s->bytes < MOST_BYTES && s->bytes / DEFLATE_MAX <= s->left;
}

/* False: it is a file for libdw itself. */
static bool find_sections(pk_debug_view *v, Elf *elf) {
    size_t names;
    if (elf_getshdrstrndx(elf, &names) != 0) return false;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
        GElf_Shdr header;
        const char *name = NULL;
        if (gelf_getshdr(section, &header)) name = elf_strptr(elf, names, header.sh_name);
        if (!name) continue;
        if (strcmp(name, ".gnu_debugaltlink") == 0 || strcmp(name, ".debug_sup") == 0) return false;
        for (size_t i = 0; i < N_WANTED; i++)
            if (strcmp(name, wanted[i]) == 0 && !take_section(v, section, &header, i)) return false;
    }
    return v->info->bytes > 0;
}

static bool is_of_our_kind(const GElf_Ehdr *header) {
    const unsigned char order =
        __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    return header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == order &&
           header->e_type != ET_REL;
}

/* ---- their bytes ---- */

static bool refill(const pk_debug_view *v, source *s) {
    uint64_t n = s->left < sizeof s->block ? s->left : sizeof s->block;
    if (n == 0 || !pk_elf_image_read(v->image, s->at, s->block, (size_t)n)) return false;
    s->at += n;
    s->left -= n;
    s->z.next_in = s->block;
    s->z.avail_in = (uInt)n;
    return true;
}

static bool unpack(const pk_debug_view *v, source *s, uint64_t end) {
    while (s->done < end) {
        if (s->z.avail_in == 0 && !refill(v, s)) return false;
        uInt room = end - s->done < 1u << 30 ? (uInt)(end - s->done) : 1u << 30;
        s->z.next_out = v->memory + s->place + s->done;
        s->z.avail_out = room;
        int state = inflate(&s->z, Z_NO_FLUSH);
        s->done += room - s->z.avail_out;
        if (state == Z_STREAM_END && s->done < end) return false;
        if (state != Z_STREAM_END && state != Z_OK) return false;
    }
    return true;
}

static bool copy(const pk_debug_view *v, source *s, uint64_t end) {
    uint64_t n = end - s->done;
    if (!pk_elf_image_read(v->image, s->at, v->memory + s->place + s->done, (size_t)n))
        return false;
    s->at += n;
    s->done = end;
    return true;
}

static bool reach(const pk_debug_view *v, source *s, uint64_t end) {
    if (end > s->bytes) end = s->bytes;
    if (s->done >= end) return true;
    if (!s->broken) s->broken = s->packed ? !unpack(v, s, end) : !copy(v, s, end);
    return !s->broken;
}

/* ---- the view ---- */

static void lay_out(pk_debug_view *v) {
    uint64_t at = sizeof(Elf64_Ehdr);
    for (size_t i = 0; i < N_WANTED; i++) {
        at += -at % ALIGN;
        v->sources[i].place = at;
        at += v->sources[i].bytes;
    }
    v->names = at;
    for (size_t i = 0; i < N_WANTED; i++) at += strlen(wanted[i]) + 1;
    at += 1; /* the empty name */
    v->headers = at + -at % ALIGN;
    v->bytes = v->headers + (N_WANTED + 2) * sizeof(Elf64_Shdr);
}

/* Sections: none, the wanted ones (those that are not there are empty), their names. */
static void write_headers(pk_debug_view *v, const GElf_Ehdr *from) {
    Elf64_Ehdr header = {.e_type = from->e_type,
                         .e_machine = from->e_machine,
                         .e_version = EV_CURRENT,
                         .e_flags = from->e_flags,
                         .e_ehsize = sizeof header,
                         .e_shoff = v->headers,
                         .e_shentsize = sizeof(Elf64_Shdr),
                         .e_shnum = N_WANTED + 2,
                         .e_shstrndx = N_WANTED + 1};
    memcpy(header.e_ident, from->e_ident, sizeof header.e_ident);
    memcpy(v->memory, &header, sizeof header);
    Elf64_Shdr sections[N_WANTED + 2] = {0};
    uint64_t name = 1;
    for (size_t i = 0; i < N_WANTED; i++) {
        const source *s = &v->sources[i];
        sections[i + 1] = (Elf64_Shdr){.sh_name = (Elf64_Word)name,
                                       .sh_type = s->bytes > 0 ? SHT_PROGBITS : SHT_NOBITS,
                                       .sh_offset = s->place,
                                       .sh_size = s->bytes,
                                       .sh_addralign = 1};
        memcpy(v->memory + v->names + name, wanted[i], strlen(wanted[i]) + 1);
        name += strlen(wanted[i]) + 1;
    }
    sections[N_WANTED + 1] = (Elf64_Shdr){
        .sh_type = SHT_STRTAB, .sh_offset = v->names, .sh_size = name, .sh_addralign = 1};
    memcpy(v->memory + v->headers, sections, sizeof sections);
}

static bool fill(pk_debug_view *v) {
    for (size_t i = 0; i < N_WANTED; i++) {
        source *s = &v->sources[i];
        if (s->packed && inflateInit(&s->z) != Z_OK) {
            s->packed = false; /* nothing to end */
            return false;
        }
        if (i != INFO && !reach(v, s, s->bytes)) return false;
    }
    return true;
}

static bool make(pk_debug_view *v) {
    Elf *elf = pk_elf_image_elf(v->image);
    GElf_Ehdr header;
    if (!gelf_getehdr(elf, &header) || !is_of_our_kind(&header) || !find_sections(v, elf))
        return false;
    lay_out(v);
    /* What is not reached is never touched, and takes no memory. */
    v->memory = mmap(NULL, v->bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (v->memory == MAP_FAILED || !fill(v)) return false;
    write_headers(v, &header);
    v->elf = elf_memory((char *)v->memory, v->bytes);
    return v->elf != NULL;
}

pk_debug_view *pk_debug_view_open(const pk_elf_image *image) {
    pk_debug_view *v = calloc(1, sizeof *v);
    if (!v) return NULL;
    v->image = image;
    v->memory = MAP_FAILED;
    v->info = &v->sources[INFO];
    if (make(v)) return v;
    pk_debug_view_free(v);
    return NULL;
}

void pk_debug_view_free(pk_debug_view *view) {
    if (!view) return;
    if (view->elf) elf_end(view->elf);
    for (size_t i = 0; i < N_WANTED; i++)
        if (view->sources[i].packed) inflateEnd(&view->sources[i].z);
    if (view->memory != MAP_FAILED) munmap(view->memory, view->bytes);
    free(view);
}

struct Elf *pk_debug_view_elf(const pk_debug_view *view) {
    return view->elf;
}

bool pk_debug_view_reach(pk_debug_view *view, uint64_t offset) {
    source *s = view->info;
    if (offset <= s->done) return true;
    uint64_t step = s->done + STEP_BYTES;
    if (offset < step && reach(view, s, step)) return true;
    return reach(view, s, offset);
}
