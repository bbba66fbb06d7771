#include "profile/elf_image.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptors.h"

/* Pages are at least and at most so large where Linux runs. */
#define PAGE_MIN 4096u
#define PAGE_MAX 65536u
#define BUILD_ID_MAX 64

struct pk_elf_image {
    char *path;
    int fd;     /* -1: from memory */
    void *copy; /* NULL: from a file */
    size_t copy_bytes;
    Elf *elf;
};

static pk_elf_image *image_new(const char *path, pk_err *err) {
    pk_elf_image *image = calloc(1, sizeof *image);
    char *copy = strdup(path);
    if (!image || !copy) {
        pk_fail(err, PK_E_LIMIT, path, "not enough memory to read it");
        free(copy);
        free(image);
        return NULL;
    }
    image->path = copy;
    image->fd = -1;
    return image;
}

static bool accept_elf(pk_elf_image *image, pk_err *err) {
    GElf_Ehdr header;
    if (image->elf && elf_kind(image->elf) == ELF_K_ELF && gelf_getehdr(image->elf, &header))
        return true;
    pk_fail(err, PK_E_INPUT, image->path, "is no ELF file");
    pk_fix(err, "name an executable, a shared library or a file with their debug information");
    return false;
}

static bool open_regular(pk_elf_image *image, pk_err *err) {
    /* A path out of a recording may be anything: a FIFO must not hold us up. */
    do image->fd = open(image->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    /* A recording may be of more files than may be open at first. */
    while (image->fd < 0 && errno == EMFILE && pk_descriptors_raise(NULL));
    struct stat st;
    if (image->fd < 0 || fstat(image->fd, &st) != 0) {
        pk_fail(err, PK_E_SYS, image->path, "cannot be read");
        return false;
    }
    if (S_ISREG(st.st_mode)) return true;
    pk_fail(err, PK_E_INPUT, image->path, "is no regular file");
    pk_fix(err, "name an executable, a shared library or a file with their debug information");
    return false;
}

pk_elf_image *pk_elf_image_open(const char *path, pk_err *err) {
    pk_elf_image *image = image_new(path, err);
    if (!image) return NULL;
    elf_version(EV_CURRENT);
    /* Read rather than mapped: a file that is cut short while we look would be a SIGBUS. */
    if (open_regular(image, err)) {
        image->elf = elf_begin(image->fd, ELF_C_READ, NULL);
        if (accept_elf(image, err)) return image;
    }
    pk_elf_image_free(image);
    return NULL;
}

pk_elf_image *pk_elf_image_copy(const void *data, size_t bytes, const char *name, pk_err *err) {
    pk_elf_image *image = image_new(name, err);
    if (!image) return NULL;
    elf_version(EV_CURRENT);
    image->copy = malloc(bytes ? bytes : 1);
    if (!image->copy) {
        pk_fail(err, PK_E_LIMIT, name, "not enough memory to read it");
    } else {
        memcpy(image->copy, data, bytes);
        image->copy_bytes = bytes;
        image->elf = elf_memory(image->copy, bytes);
        if (accept_elf(image, err)) return image;
    }
    pk_elf_image_free(image);
    return NULL;
}

void pk_elf_image_free(pk_elf_image *image) {
    if (!image) return;
    if (image->elf) elf_end(image->elf);
    if (image->fd >= 0) close(image->fd);
    free(image->copy);
    free(image->path);
    free(image);
}

const char *pk_elf_image_path(const pk_elf_image *image) {
    return image->path;
}

struct Elf *pk_elf_image_elf(const pk_elf_image *image) {
    return image->elf;
}

/* Is the offset in the segment's bytes, or in the pages that hold them? */
static bool covers(const GElf_Phdr *segment, uint64_t offset, bool whole_pages) {
    uint64_t begin = segment->p_offset, end;
    if (__builtin_add_overflow(begin, segment->p_filesz, &end)) return false;
    if (whole_pages) {
        uint64_t page = segment->p_align < PAGE_MIN   ? PAGE_MIN
                        : segment->p_align > PAGE_MAX ? PAGE_MAX
                                                      : segment->p_align;
        begin -= begin % page;
        uint64_t rest = end % page;
        if (rest > 0 && __builtin_add_overflow(end, page - rest, &end)) return false;
    }
    return offset >= begin && offset < end;
}

bool pk_elf_image_vaddr(const pk_elf_image *image, uint64_t offset, uint64_t *vaddr) {
    static const struct {
        bool executable, whole_pages;
    } preference[] = {{true, false}, {true, true}, {false, false}, {false, true}};
    size_t n = 0;
    if (elf_getphdrnum(image->elf, &n) != 0) return false;
    for (size_t p = 0; p < sizeof preference / sizeof *preference; p++)
        for (size_t i = 0; i < n && i < INT32_MAX; i++) {
            GElf_Phdr segment;
            if (!gelf_getphdr(image->elf, (int)i, &segment) || segment.p_type != PT_LOAD) continue;
            if (preference[p].executable && !(segment.p_flags & PF_X)) continue;
            if (!covers(&segment, offset, preference[p].whole_pages)) continue;
            *vaddr = offset - segment.p_offset + segment.p_vaddr;
            return true;
        }
    return false;
}

bool pk_elf_image_read(const pk_elf_image *image, uint64_t offset, void *out, size_t bytes) {
    if (!image->copy)
        return offset <= INT64_MAX && pread(image->fd, out, bytes, (off_t)offset) == (ssize_t)bytes;
    if (offset > image->copy_bytes || bytes > image->copy_bytes - offset) return false;
    memcpy(out, (const char *)image->copy + offset, bytes);
    return true;
}

const uint8_t *pk_elf_image_build_id(const pk_elf_image *image, size_t *bytes) {
    const void *id = NULL;
    ssize_t n = dwelf_elf_gnu_build_id(image->elf, &id);
    if (n <= 0 || n > BUILD_ID_MAX) return NULL;
    *bytes = (size_t)n;
    return id;
}

bool pk_elf_image_same_build(const pk_elf_image *a, const pk_elf_image *b) {
    size_t a_bytes = 0, b_bytes = 0;
    const uint8_t *a_id = pk_elf_image_build_id(a, &a_bytes);
    const uint8_t *b_id = pk_elf_image_build_id(b, &b_bytes);
    return a_id && b_id && a_bytes == b_bytes && memcmp(a_id, b_id, a_bytes) == 0;
}

const char *pk_elf_image_debug_link(const pk_elf_image *image, uint32_t *crc) {
    GElf_Word stored = 0;
    const char *name = dwelf_elf_gnu_debuglink(image->elf, &stored);
    if (!name || !*name) return NULL;
    *crc = stored;
    return name;
}

bool pk_elf_image_has_section(const pk_elf_image *image, const char *name) {
    size_t names;
    if (elf_getshdrstrndx(image->elf, &names) != 0) return false;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(image->elf, section));) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header)) continue;
        const char *found = elf_strptr(image->elf, names, header.sh_name);
        if (found && strcmp(found, name) == 0)
            return header.sh_type != SHT_NOBITS && header.sh_size > 0;
    }
    return false;
}
