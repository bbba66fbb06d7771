#include "serve/media_type.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

// clang-format off
static const struct suffix_type { const char *suffix, *type; } types[] = {
    {"avif", "image/avif"},                      {"bin", "application/octet-stream"},
    {"bmp", "image/bmp"},                        {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},          {"gif", "image/gif"},
    {"gz", "application/gzip"},                  {"htm", "text/html; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},        {"ico", "image/vnd.microsoft.icon"},
    {"jpeg", "image/jpeg"},                      {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},    {"json", "application/json"},
    {"map", "application/json"},                 {"md", "text/markdown; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},   {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},                        {"ogg", "audio/ogg"},
    {"otf", "font/otf"},                         {"pdf", "application/pdf"},
    {"png", "image/png"},                        {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},                {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},        {"wasm", "application/wasm"},
    {"wav", "audio/wav"},                        {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"}, {"webp", "image/webp"},
    {"woff", "font/woff"},                       {"woff2", "font/woff2"},
    {"xhtml", "application/xhtml+xml"},          {"xml", "text/xml; charset=utf-8"},
    {"yaml", "application/yaml"},                {"yml", "application/yaml"},
    {"zip", "application/zip"},                  {"zst", "application/zstd"},
};
// clang-format on

const char *pk_media_type(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(dot + 1, types[i].suffix) == 0) return types[i].type;
    return "application/octet-stream";
}
