/* Responses and what they are, in the order of RFC 9112's rules. '@' is not part of a response: it
 * stands where the answer is known, to the byte; without it that is the end. */
#ifndef PK_TESTS_UNIT_HTTP1_CASES_H
#define PK_TESTS_UNIT_HTTP1_CASES_H

#include "load/http1.h"

typedef struct http1_case {
    const char *name, *text;
    size_t bytes;
    pk_http1_step step;
    pk_load_error_class error;
    unsigned status;
    uint64_t body;
    bool keep_alive, suspicious;
    bool is_head, is_connect; /* the request */
    bool closes;              /* the answer is known when the connection ends behind the text */
} http1_case;

/* clang-format off */
#define KEEP(s, b) .step = PK_HTTP1_DONE, .status = (s), .body = (b), .keep_alive = true
#define LAST(s, b) .step = PK_HTTP1_DONE, .status = (s), .body = (b)
#define SUSPECT(s, b) LAST(s, b), .suspicious = true
#define BROKEN(e, s, b) .step = PK_HTTP1_ERROR, .error = PK_LOAD_E_##e, .status = (s), .body = (b)
#define WRONG BROKEN(MALFORMED, 0, 0)
#define WRONG_BODY(b) BROKEN(MALFORMED, 200, b)
#define CUT(b) BROKEN(TRUNCATED, 200, b), .closes = true
#define AT_CLOSE(b) LAST(200, b), .closes = true

#define OK "HTTP/1.1 200 OK\r\n"
#define OK10 "HTTP/1.0 200 OK\r\n"
#define FIVE "Content-Length: 5\r\n"
#define LENGTH(value) OK "Content-Length:" value "\r\n\r\n"
#define CODED(value) OK "Transfer-Encoding:" value "\r\n\r\n"
#define CHUNKED CODED(" chunked")
#define ENDING "5\r\nhello\r\n0\r\n\r\n"
#define CONNECTION(value) "Connection:" value "\r\n" FIVE "\r\nhello"
#define ROW(name, text, ...) {name, text, sizeof(text) - 1, __VA_ARGS__}

static const http1_case cases[] = {
    /* 1. The status line. */
    ROW("a plain answer", OK FIVE "\r\nhello", KEEP(200, 5)),
    ROW("a reason may be empty", "HTTP/1.1 200 \r\n" FIVE "\r\nhello", KEEP(200, 5)),
    ROW("a reason and its blank may be missing", "HTTP/1.1 200\r\n" FIVE "\r\nhello", KEEP(200, 5)),
    ROW("a reason may hold any text", "HTTP/1.1 200 \t\xe2\x82\xac \x01: \x7f\r\n" FIVE "\r\nhello", KEEP(200, 5)),
    ROW("lines may end in LF alone", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", KEEP(200, 5)),
    ROW("an answer without a reason may end in LF alone", "HTTP/1.1 204\n\n", KEEP(204, 0)),
    ROW("LF and CRLF may be mixed", "HTTP/1.1 200 OK\n" FIVE "X: y\n\r\nhello", KEEP(200, 5)),
    ROW("LF may end the last field, CRLF the head", OK "Content-Length: 5\n\r\nhello", KEEP(200, 5)),
    ROW("CRLF may end the last field, LF the head", OK FIVE "\nhello", KEEP(200, 5)),
    ROW("version 1.7 is read as 1.1", "HTTP/1.7 200 OK\r\n" FIVE "\r\nhello", KEEP(200, 5)),
    ROW("status 599 is the highest", "HTTP/1.1 599 ?\r\n" FIVE "\r\nhello", KEEP(599, 5)),
    ROW("status 500 has a body", "HTTP/1.1 500 Oh\r\n" FIVE "\r\nhello", KEEP(500, 5)),
    ROW("status 205 has the body it says", "HTTP/1.1 205 Reset\r\n" FIVE "\r\nhello", KEEP(205, 5)),
    ROW("status 600 is wrong", "HTTP/1.1 6@00 No\r\n\r\n", WRONG),
    ROW("status 099 is wrong", "HTTP/1.1 0@99 No\r\n\r\n", WRONG),
    ROW("a status of two digits is wrong", "HTTP/1.1 20 @OK\r\n\r\n", WRONG),
    ROW("a status of two digits without a reason is wrong", "HTTP/1.1 20\r@\n\r\n", WRONG),
    ROW("a status of four digits is wrong", "HTTP/1.1 2000@ OK\r\n\r\n", WRONG),
    ROW("a status in letters is wrong", "HTTP/1.1 O@K\r\n\r\n", WRONG),
    ROW("a status with a letter is wrong", "HTTP/1.1 2x@0 OK\r\n\r\n", WRONG),
    ROW("a status line of one letter is wrong", "H\n@\n", WRONG),
    ROW("a tab behind the status is wrong", "HTTP/1.1 200\t@OK\r\n\r\n", WRONG),
    ROW("two blanks before the status are wrong", "HTTP/1.1  @200 OK\r\n\r\n", WRONG),
    ROW("a tab before the status is wrong", "HTTP/1.1\t@200 OK\r\n\r\n", WRONG),
    ROW("no status at all is wrong", "HTTP/1.1\r@\n\r\n", WRONG),
    ROW("a minor version of two digits is wrong", "HTTP/1.10@ 200 OK\r\n\r\n", WRONG),
    ROW("a minor version that is no digit is wrong", "HTTP/1.x@ 200 OK\r\n\r\n", WRONG),
    ROW("version 2.0 is wrong", "HTTP/2@.0 200 OK\r\n\r\n", WRONG),
    ROW("version 2 is wrong", "HTTP/2@ 200 OK\r\n\r\n", WRONG),
    ROW("version 0.9 is wrong", "HTTP/0@.9 200 OK\r\n\r\n", WRONG),
    ROW("http in lower case is wrong", "h@ttp/1.1 200 OK\r\n\r\n", WRONG),
    ROW("a blank before the status line is wrong", " @HTTP/1.1 200 OK\r\n\r\n", WRONG),
    ROW("an empty line before the status line is wrong", "\r@\nHTTP/1.1 200 OK\r\n\r\n", WRONG),
    ROW("an LF before the status line is wrong", "\n@HTTP/1.1 200 OK\r\n\r\n", WRONG),
    ROW("CR without LF in the status line is wrong", "HTTP/1.1 200 O\rK@\r\n\r\n", WRONG),
    ROW("CR without LF behind the status is wrong", "HTTP/1.1 200\r @OK\r\n\r\n", WRONG),
    ROW("NUL in the reason is wrong", "HTTP/1.1 200 O\0@K\r\n\r\n", WRONG),
    ROW("NUL behind the status is wrong", "HTTP/1.1 200\0@\r\n\r\n", WRONG),

    /* 2. Fields. */
    ROW("names compare without case", OK "cOnTENT-leNGth: 5\r\n\r\nhello", KEEP(200, 5)),
    ROW("a value needs no blank", LENGTH("5") "hello", KEEP(200, 5)),
    ROW("blanks around a value are none of it", LENGTH(" \t  5\t ") "hello", KEEP(200, 5)),
    ROW("a name may be any token", OK "!#$%&'*+-.^_`|~09AZaz: x\r\n" FIVE "\r\nhello", KEEP(200, 5)),
    ROW("a value may be any text", OK "X: \x01\xff\x80: (\"\x7f\t\r\n" FIVE "\r\nhello", KEEP(200, 5)),
    ROW("a value may be empty", OK "X:\r\nY: \r\n" FIVE "Z:\r\n\r\nhello", KEEP(200, 5)),
    ROW("a longer name is another one", OK "Content-Lengths: 9\r\nX-Content-Length: 9\r\n" FIVE "\r\nhello", KEEP(200, 5)),
    ROW("a shorter name is another one", OK "Content-Lengt: 9\r\n" FIVE "\r\nhello", KEEP(200, 5)),
    ROW("a name of the same length is another one", OK "Content-Langth: 9\r\nConnexion: close\r\nTransfer-Encodung: chunked\r\n" FIVE "\r\nhello", KEEP(200, 5)),
    ROW("a name with another mark is another one", OK "Content_Length: 9\r\nContent\x7e""Length: 9\r\n" FIVE "\r\nhello", KEEP(200, 5)),
    ROW("a name like it in a value is none", OK "X: Content-Length: 9\r\n" FIVE "\r\nhello", KEEP(200, 5)),
    ROW("a field without a name is wrong", OK ":@ x\r\n\r\n", WRONG),
    ROW("a blank before the colon is wrong", OK "Content-Length @: 5\r\n\r\nhello", WRONG),
    ROW("a tab before the colon is wrong", OK "Content-Length\t@: 5\r\n\r\nhello", WRONG),
    ROW("a line without a colon is wrong", OK FIVE "nonsense\r@\n\r\nhello", WRONG),
    ROW("a line without a colon, ended by LF, is wrong", OK FIVE "nonsense\n@\r\nhello", WRONG),
    ROW("a name with a parenthesis is wrong", OK "X(@: y\r\n\r\n", WRONG),
    ROW("a name with a slash is wrong", OK "/@: y\r\n\r\n", WRONG),
    ROW("a name with a byte above 127 is wrong", OK "X\xc3@\xa4: y\r\n\r\n", WRONG),
    ROW("a name with DEL is wrong", OK "X\x7f@: y\r\n\r\n", WRONG),
    ROW("NUL in a name is wrong", OK "X\0@Y: z\r\n\r\n", WRONG),
    ROW("NUL in a value is wrong", OK FIVE "X: a\0@b\r\n\r\nhello", WRONG),
    ROW("NUL before the end of the head is wrong", OK FIVE "\0@\r\nhello", WRONG),
    ROW("CR without LF in a value is wrong", OK FIVE "X: a\rb@\r\n\r\nhello", WRONG),
    ROW("CR CR LF is wrong", OK FIVE "X: a\r\r@\n\r\nhello", WRONG),
    ROW("CR without LF in the empty line is wrong", OK FIVE "\rh@ello", WRONG),
    ROW("a status line among the fields is wrong", OK "HTTP/@1.1 200 OK\r\n\r\n", WRONG),
    ROW("a folded field is one field", OK "X: a\r\n b\r\n\tc\r\n" FIVE "\r\nhello", KEEP(200, 5)),
    ROW("lines may be folded at LF", OK "X: a\n b\n" FIVE "\r\nhello", KEEP(200, 5)),
    ROW("a value may stand on its folded line", LENGTH("\r\n 5") "hello", KEEP(200, 5)),
    ROW("a folded line is no field", OK "X: a\r\n Content-Length: 5\r\n\r\nhello", AT_CLOSE(5)),
    ROW("a folded line of blanks is no end", OK FIVE "X: a\r\n \t \r\nY: b\r\n\r\nhello", KEEP(200, 5)),
    ROW("a head may end in a folded line", OK FIVE "X: a\r\n b\r\n\r\nhello", KEEP(200, 5)),
    ROW("a folded length is joined by a blank", LENGTH(" 1\r\n 3") , WRONG_BODY(0)),
    ROW("folded codings are joined", CODED(" gzip,\r\n\tchunked") ENDING, KEEP(200, 5)),
    ROW("folded connection words are joined", OK CONNECTION(" x,\r\n close\r\n ,y"), LAST(200, 5)),
    ROW("NUL in a folded line is wrong", OK FIVE "X: a\r\n \0@\r\n\r\nhello", WRONG),
    ROW("a folded line behind the status line is wrong", OK " @X: y\r\n\r\n", WRONG),
    ROW("a tab behind the status line is wrong", OK "\t@X: y\r\n\r\n", WRONG),

    /* 3. Interim answers. */
    ROW("100 is skipped", "HTTP/1.1 100 Continue\r\n\r\n" OK FIVE "\r\nhello", KEEP(200, 5)),
    ROW("103 before 200 is skipped", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK FIVE "\r\nhello", KEEP(200, 5)),
    ROW("several interim answers are skipped", "HTTP/1.1 100\n\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 199 ?\r\n\r\n" OK FIVE "\r\nhello", KEEP(200, 5)),
    ROW("the fields of an interim answer mean nothing", "HTTP/1.1 103 E\r\nConnection: close\r\nContent-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n" OK FIVE "\r\nhello", KEEP(200, 5)),
    ROW("the version of an interim answer means nothing", "HTTP/1.0 100 C\r\n\r\n" OK FIVE "\r\nhello", KEEP(200, 5)),
    ROW("an interim answer has no body", "HTTP/1.1 103 E\r\nContent-Length: 5\r\n\r\nh@ello", WRONG),
    ROW("an interim answer keeps the rules too", "HTTP/1.1 103 E\r\nX @: y\r\n\r\n", WRONG),
    ROW("what follows an interim answer keeps the rules", "HTTP/1.1 100 C\r\n\r\nHTTX@", WRONG),
    ROW("interim before the answer to HEAD", "HTTP/1.1 103 E\r\n\r\n" OK FIVE "\r\n", KEEP(200, 0), .is_head = true),
    ROW("interim before the answer to CONNECT", "HTTP/1.1 103 E\r\n\r\n" OK FIVE "\r\n", LAST(200, 0), .is_connect = true),
    ROW("101 is wrong when nobody asked", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n@", WRONG),
    ROW("101 behind 100 is wrong", "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 101 S\r\n\r\n@", WRONG),

    /* 4. No body, whatever the fields say. */
    ROW("HEAD with a length has no body", OK "Content-Length: 100\r\n\r\n", KEEP(200, 0), .is_head = true),
    ROW("HEAD, chunked, has no body", CHUNKED, KEEP(200, 0), .is_head = true),
    ROW("HEAD without a length does not wait for the close", OK "\r\n", KEEP(200, 0), .is_head = true),
    ROW("HEAD and close", OK "Connection: close\r\n\r\n", LAST(200, 0), .is_head = true),
    ROW("HEAD in 1.0", OK10 FIVE "\r\n", LAST(200, 0), .is_head = true),
    ROW("HEAD with a wrong length", LENGTH(" x"), KEEP(200, 0), .is_head = true),
    ROW("HEAD with both is not suspicious", OK FIVE "Transfer-Encoding: chunked\r\n\r\n", KEEP(200, 0), .is_head = true),
    ROW("HEAD with an error status", "HTTP/1.1 404 No\r\n" FIVE "\r\n", KEEP(404, 0), .is_head = true),
    ROW("204 without a length has no body", "HTTP/1.1 204 No Content\r\n\r\n", KEEP(204, 0)),
    ROW("204 with a length has no body", "HTTP/1.1 204 No Content\r\n" FIVE "\r\n", KEEP(204, 0)),
    ROW("204, chunked, has no body", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", KEEP(204, 0)),
    ROW("304 with a length of 100 has no body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n", KEEP(304, 0)),
    ROW("304 without a length has no body", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n", KEEP(304, 0)),
    ROW("304 and close", "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n", LAST(304, 0)),
    ROW("304 with lengths that differ", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1, 2\r\n\r\n", KEEP(304, 0)),

    /* 5. CONNECT. */
    ROW("CONNECT ends at its head", OK "Content-Length: 100\r\n\r\n", LAST(200, 0), .is_connect = true),
    ROW("CONNECT, chunked, ends at its head", CHUNKED, LAST(200, 0), .is_connect = true),
    ROW("CONNECT with 299 ends at its head", "HTTP/1.1 299 ?\r\n\r\n", LAST(299, 0), .is_connect = true),
    ROW("CONNECT that is refused has a body", "HTTP/1.1 407 Who\r\n" FIVE "\r\nhello", KEEP(407, 5), .is_connect = true),
    ROW("CONNECT that is redirected has a body", "HTTP/1.1 300 ?\r\n" FIVE "\r\nhello", KEEP(300, 5), .is_connect = true),

    /* 6. Transfer-Encoding. */
    ROW("chunked", CHUNKED ENDING, KEEP(200, 5)),
    ROW("chunked without case", CODED(" cHUNKed") ENDING, KEEP(200, 5)),
    ROW("chunked without a blank", CODED("chunked") ENDING, KEEP(200, 5)),
    ROW("chunked with blanks around it", CODED("\t chunked \t") ENDING, KEEP(200, 5)),
    ROW("chunked behind another coding", CODED(" gzip, chunked") ENDING, KEEP(200, 5)),
    ROW("chunked behind another field of codings", OK "Transfer-Encoding: gzip\r\nX: y\r\ntransfer-encoding: chunked\r\n\r\n" ENDING, KEEP(200, 5)),
    ROW("empty elements are no codings", CODED(" , gzip,, chunked ,") ENDING, KEEP(200, 5)),
    ROW("chunked and a length are suspicious", OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" ENDING, SUSPECT(200, 5)),
    ROW("chunked and a length, the other way round", OK "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" ENDING, SUSPECT(200, 5)),
    ROW("chunked and a wrong length are suspicious", OK "Content-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n" ENDING, SUSPECT(200, 5)),
    ROW("chunked in 1.0 is suspicious", OK10 "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" ENDING, SUSPECT(200, 5)),
    ROW("chunked and close", OK "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" ENDING, LAST(200, 5)),
    ROW("another coding ends at the close", CODED(" gzip") "hello", AT_CLOSE(5)),
    ROW("another coding behind chunked ends at the close", CODED(" chunked, gzip") "hello", AT_CLOSE(5)),
    ROW("a field of codings behind chunked ends at the close", OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\nhello", AT_CLOSE(5)),
    ROW("chunked twice ends at the close", CODED(" chunked, chunked") "hello", AT_CLOSE(5)),
    ROW("chunked twice in two fields ends at the close", OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\nhello", AT_CLOSE(5)),
    ROW("chunked with a parameter is another coding", CODED(" chunked;q=1") "hello", AT_CLOSE(5)),
    ROW("a word that ends in chunked is another coding", CODED(" xchunked") "hello", AT_CLOSE(5)),
    ROW("a word that begins with chunked is another coding", CODED(" chunkedx") "hello", AT_CLOSE(5)),
    ROW("identity ends at the close", CODED(" identity") "hello", AT_CLOSE(5)),
    ROW("a coding without a word ends at the close", CODED("") "hello", AT_CLOSE(5)),
    ROW("another coding and a length end at the close", OK "Content-Length: 3\r\nTransfer-Encoding: gzip\r\n\r\nhello", SUSPECT(200, 5), .closes = true),

    /* 7. Content-Length. */
    ROW("a length of 0", LENGTH(" 0"), KEEP(200, 0)),
    ROW("a length with zeros in front", LENGTH(" 0005") "hello", KEEP(200, 5)),
    ROW("several equal lengths", OK FIVE FIVE FIVE "\r\nhello", KEEP(200, 5)),
    ROW("a list of equal lengths", LENGTH(" 5, 5 ,5") "hello", KEEP(200, 5)),
    ROW("lengths are equal as numbers", LENGTH(" 5, 05") "hello", KEEP(200, 5)),
    ROW("lengths that differ are wrong", OK FIVE "Content-Length: 6\r\n\r\n@hello", WRONG_BODY(0)),
    ROW("lengths that differ with an equal one behind are wrong", OK FIVE "Content-Length: 6\r\n" FIVE "\r\n@hello", WRONG_BODY(0)),
    ROW("a list of lengths that differ is wrong", LENGTH(" 5, 6") "@hello", WRONG_BODY(0)),
    ROW("a length with a plus is wrong", LENGTH(" +5") "@hello", WRONG_BODY(0)),
    ROW("a length with a minus is wrong", LENGTH(" -5") "@hello", WRONG_BODY(0)),
    ROW("a length of minus 0 is wrong", LENGTH(" -0") "@", WRONG_BODY(0)),
    ROW("a length in hex is wrong", LENGTH(" 0x5") "@hello", WRONG_BODY(0)),
    ROW("a length with a point is wrong", LENGTH(" 5.0") "@hello", WRONG_BODY(0)),
    ROW("a length of two numbers is wrong", LENGTH(" 5 5") "@hello", WRONG_BODY(0)),
    ROW("a length with a semicolon is wrong", LENGTH(" 5;") "@hello", WRONG_BODY(0)),
    ROW("a length in quotes is wrong", LENGTH(" \"5\"") "@hello", WRONG_BODY(0)),
    ROW("an empty length is wrong", LENGTH(" ") "@hello", WRONG_BODY(0)),
    ROW("an empty length beside a good one is wrong", OK FIVE "Content-Length:\r\n\r\n@hello", WRONG_BODY(0)),
    ROW("a list with an empty length is wrong", LENGTH(" 5,") "@hello", WRONG_BODY(0)),
    ROW("a list with an empty length in front is wrong", LENGTH(" ,5") "@hello", WRONG_BODY(0)),
    ROW("a list of nothing is wrong", LENGTH(" ,") "@", WRONG_BODY(0)),
    ROW("a length of 2^63 is wrong", LENGTH(" 9223372036854775808") "@hello", WRONG_BODY(0)),
    ROW("a length of 2^64 + 5 is wrong", LENGTH(" 18446744073709551621") "@hello", WRONG_BODY(0)),
    ROW("a length of 30 digits is wrong", LENGTH(" 123456789012345678901234567890") "@hello", WRONG_BODY(0)),
    ROW("a length of 2^63 - 1 is right", LENGTH(" 9223372036854775807") "hello", CUT(5)),
    ROW("a body cut at 5 of 100", LENGTH(" 100") "hello", CUT(5)),
    ROW("a body cut before its first byte", LENGTH(" 100"), CUT(0)),
    ROW("a body may hold anything", LENGTH(" 12") "\r\n\r\n\0HTTP/1.", KEEP(200, 12)),

    /* 8. Until the close. */
    ROW("a body without a length ends at the close", OK "\r\nhello", AT_CLOSE(5)),
    ROW("a body without a length may be empty", OK "\r\n", AT_CLOSE(0)),
    ROW("a body without a length is never kept alive", OK "Connection: keep-alive\r\n\r\nhello", AT_CLOSE(5)),
    ROW("a body without a length in 1.0", OK10 "Connection: keep-alive\r\n\r\nhello", AT_CLOSE(5)),
    ROW("a body without a length may hold a head", OK "\r\n" OK FIVE "\r\n", AT_CLOSE(38)),

    /* 9. Chunks. */
    ROW("an empty chunked body", CHUNKED "0\r\n\r\n", KEEP(200, 0)),
    ROW("several chunks", CHUNKED "5\r\nhello\r\n1\r\n \r\nB\r\nworld, hell\r\nb\r\nworld, hell\r\n0\r\n\r\n", KEEP(200, 28)),
    ROW("sizes may have zeros in front", CHUNKED "0005\r\nhello\r\n000\r\n\r\n", KEEP(200, 5)),
    ROW("sizes may have 16 digits", CHUNKED "0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", KEEP(200, 5)),
    ROW("sizes of 17 digits are wrong", CHUNKED "00000000000000005@\r\nhello\r\n0\r\n\r\n", WRONG_BODY(0)),
    ROW("sizes of 2^63 are wrong", CHUNKED "8000000000000000@\r\nhello", WRONG_BODY(0)),
    ROW("sizes of 2^64 - 1 are wrong", CHUNKED "ffffffffffffffff@\r\nhello", WRONG_BODY(0)),
    ROW("sizes of 2^63 - 1 are right", CHUNKED "7fffffffFFFFFFFF\r\nhello", CUT(5)),
    ROW("an extension is skipped", CHUNKED "5;a=b;c=\"d;e\"\r\nhello\r\n0;x\r\n\r\n", KEEP(200, 5)),
    ROW("an empty extension is skipped", CHUNKED "5;\r\nhello\r\n0;;\r\n\r\n", KEEP(200, 5)),
    ROW("an extension may be any text", CHUNKED "5;\t\xff\x01 5\r\nhello\r\n0\r\n\r\n", KEEP(200, 5)),
    ROW("blanks behind a size are skipped", CHUNKED "5 \t \r\nhello\r\n0 \r\n\r\n", KEEP(200, 5)),
    ROW("blanks before an extension are skipped", CHUNKED "5 ;a\r\nhello\r\n0\t;b\r\n\r\n", KEEP(200, 5)),
    ROW("LF ends all lines of chunks", CHUNKED "5\nhello\n0\n\n", KEEP(200, 5)),
    ROW("LF ends a line with an extension", CHUNKED "5;x\nhello\r\n0 \n\r\n", KEEP(200, 5)),
    ROW("data may look like the end", CHUNKED "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", KEEP(200, 7)),
    ROW("an empty size is wrong", CHUNKED "\r@\nhello", WRONG_BODY(0)),
    ROW("an empty size, ended by LF, is wrong", CHUNKED "\n@hello", WRONG_BODY(0)),
    ROW("an extension without a size is wrong", CHUNKED ";@x\r\nhello", WRONG_BODY(0)),
    ROW("a blank before a size is wrong", CHUNKED " @5\r\nhello", WRONG_BODY(0)),
    ROW("a size that is no hex is wrong", CHUNKED "g@\r\nhello", WRONG_BODY(0)),
    ROW("a size that is no hex behind its first digit is wrong", CHUNKED "5g@\r\nhello", WRONG_BODY(0)),
    ROW("a size with a minus is wrong", CHUNKED "-@5\r\nhello", WRONG_BODY(0)),
    ROW("a size with 0x is wrong", CHUNKED "0x@5\r\nhello", WRONG_BODY(0)),
    ROW("two sizes are wrong", CHUNKED "5 5@\r\nhello", WRONG_BODY(0)),
    ROW("text behind a size is wrong", CHUNKED "5 x@\r\nhello", WRONG_BODY(0)),
    ROW("NUL behind a size is wrong", CHUNKED "5\0@\r\nhello", WRONG_BODY(0)),
    ROW("NUL in an extension is wrong", CHUNKED "5;x\0@\r\nhello", WRONG_BODY(0)),
    ROW("CR without LF behind a size is wrong", CHUNKED "5\rh@ello", WRONG_BODY(0)),
    ROW("CR CR LF behind a size is wrong", CHUNKED "5\r\r@\nhello", WRONG_BODY(0)),
    ROW("CR without LF in an extension is wrong", CHUNKED "5;a\rb@\r\nhello", WRONG_BODY(0)),
    ROW("data longer than its size is wrong", CHUNKED "5\r\nhelloo@\r\n0\r\n\r\n", WRONG_BODY(5)),
    ROW("data shorter than its size is wrong", CHUNKED "5\r\nhel\r\n0@\r\n\r\n", WRONG_BODY(5)),
    ROW("a size right behind the data is wrong", CHUNKED "5\r\nhello0@\r\n\r\n", WRONG_BODY(5)),
    ROW("CR without LF behind data is wrong", CHUNKED "5\r\nhello\r0@\r\n\r\n", WRONG_BODY(5)),
    ROW("CR CR LF behind data is wrong", CHUNKED "5\r\nhello\r\r@\n0\r\n\r\n", WRONG_BODY(5)),
    ROW("a second empty line behind data is wrong", CHUNKED "5\r\nhello\r\n\r@\n0\r\n\r\n", WRONG_BODY(5)),
    ROW("a trailer is skipped", CHUNKED "5\r\nhello\r\n0\r\nExpires: never\r\nX: y\r\n\r\n", KEEP(200, 5)),
    ROW("a trailer may have folded lines and LF", CHUNKED "5\r\nhello\r\n0\r\nX: a\n b\n\tc\nY:\n\n", KEEP(200, 5)),
    ROW("a trailer changes nothing", CHUNKED "5\r\nhello\r\n0\r\nContent-Length: 9\r\nConnection: close\r\nTransfer-Encoding: gzip\r\n\r\n", KEEP(200, 5)),
    ROW("chunked with an extension and a trailer", CHUNKED "5;a=1\r\nhello\r\n0;b\r\nX: y\r\n\r\n", KEEP(200, 5)),
    ROW("a trailer without a colon is wrong", CHUNKED "0\r\nX\r@\n\r\n", WRONG_BODY(0)),
    ROW("a trailer without a name is wrong", CHUNKED "0\r\n:@\r\n\r\n", WRONG_BODY(0)),
    ROW("a trailer that begins folded is wrong", CHUNKED "0\r\n @X: y\r\n\r\n", WRONG_BODY(0)),
    ROW("NUL in a trailer is wrong", CHUNKED "0\r\nX: \0@\r\n\r\n", WRONG_BODY(0)),
    ROW("CR without LF in a trailer is wrong", CHUNKED "0\r\nX: y\rz@\r\n\r\n", WRONG_BODY(0)),
    ROW("CR without LF in the last line is wrong", CHUNKED "0\r\n\rH@", WRONG_BODY(0)),
    ROW("chunks cut before the first size", CHUNKED, CUT(0)),
    ROW("chunks cut in a size", CHUNKED "1", CUT(0)),
    ROW("chunks cut in an extension", CHUNKED "5;x", CUT(0)),
    ROW("chunks cut behind a size", CHUNKED "5\r", CUT(0)),
    ROW("chunks cut before data", CHUNKED "5\r\n", CUT(0)),
    ROW("chunks cut in data", CHUNKED "5\r\nhel", CUT(3)),
    ROW("chunks cut behind data", CHUNKED "5\r\nhello", CUT(5)),
    ROW("chunks cut at the line end behind data", CHUNKED "5\r\nhello\r", CUT(5)),
    ROW("chunks cut before the last one", CHUNKED "5\r\nhello\r\n", CUT(5)),
    ROW("chunks cut before the last empty line", CHUNKED "5\r\nhello\r\n0\r\n", CUT(5)),
    ROW("chunks cut in the last empty line", CHUNKED "5\r\nhello\r\n0\r\n\r", CUT(5)),
    ROW("chunks cut in a trailer", CHUNKED "5\r\nhello\r\n0\r\nX: y\r\n", CUT(5)),

    /* 10. Keep-alive. */
    ROW("1.1 with close", OK CONNECTION(" close"), LAST(200, 5)),
    ROW("1.1 with close without case", OK CONNECTION(" CLosE"), LAST(200, 5)),
    ROW("1.1 with close in a list", OK CONNECTION(" upgrade ,\tclose\t, x"), LAST(200, 5)),
    ROW("1.1 with close in a second field", OK "Connection: keep-alive\r\n" CONNECTION("close"), LAST(200, 5)),
    ROW("1.1 with close in a first field", OK "Connection: close\r\n" CONNECTION("keep-alive"), LAST(200, 5)),
    ROW("1.1 with keep-alive", OK CONNECTION(" keep-alive"), KEEP(200, 5)),
    ROW("1.1 with words like close", OK CONNECTION(" closed, x-close, clos, \"close\", close x"), KEEP(200, 5)),
    ROW("1.1 with an empty list", OK CONNECTION(""), KEEP(200, 5)),
    ROW("1.1 with Proxy-Connection: close", OK "Proxy-" CONNECTION(" close"), KEEP(200, 5)),
    ROW("1.0 alone closes", OK10 FIVE "\r\nhello", LAST(200, 5)),
    ROW("1.0 with keep-alive", OK10 CONNECTION(" keep-alive"), KEEP(200, 5)),
    ROW("1.0 with keep-alive without case in a list", OK10 CONNECTION("x,Keep-Alive"), KEEP(200, 5)),
    ROW("1.0 with both", OK10 CONNECTION(" keep-alive, close"), LAST(200, 5)),
    ROW("1.0 with a word like keep-alive", OK10 CONNECTION(" keep-alives, keep_alive, keep"), LAST(200, 5)),
    ROW("1.0 with Proxy-Connection: keep-alive", OK10 "Proxy-" CONNECTION(" keep-alive"), LAST(200, 5)),

    /* 11. Bytes behind the end are not taken. */
    ROW("bytes behind a length", OK FIVE "\r\nhello@!", KEEP(200, 5)),
    ROW("bytes behind a length of 0", LENGTH(" 0") "@hello", KEEP(200, 0)),
    ROW("a second answer behind the first", OK FIVE "\r\nhello@" OK FIVE "\r\nhello", KEEP(200, 5)),
    ROW("bytes behind chunks", CHUNKED ENDING "@\r\n", KEEP(200, 5)),
    ROW("a body behind the answer to HEAD", OK FIVE "\r\n@hello", KEEP(200, 0), .is_head = true),
    ROW("a body behind 204", "HTTP/1.1 204 No\r\n" FIVE "\r\n@hello", KEEP(204, 0)),
    ROW("a body behind 304", "HTTP/1.1 304 No\r\n" FIVE "\r\n@hello", KEEP(304, 0)),
    ROW("a tunnel behind CONNECT", OK "\r\n@\x16\x03\x01", LAST(200, 0), .is_connect = true),

    /* The end of the connection, and what is no HTTP. */
    ROW("a close instead of an answer", "", BROKEN(EMPTY, 0, 0), .closes = true),
    ROW("a close behind one byte", "H", BROKEN(RESET, 0, 0), .closes = true),
    ROW("a close in the status line", "HTTP/1.1 20", BROKEN(RESET, 0, 0), .closes = true),
    ROW("a close behind the status line", OK, BROKEN(RESET, 0, 0), .closes = true),
    ROW("a close in a name", OK "Content-", BROKEN(RESET, 0, 0), .closes = true),
    ROW("a close in a value", OK "Content-Length: 5", BROKEN(RESET, 0, 0), .closes = true),
    ROW("a close before the empty line", OK FIVE, BROKEN(RESET, 0, 0), .closes = true),
    ROW("a close in the empty line", OK FIVE "\r", BROKEN(RESET, 0, 0), .closes = true),
    ROW("a close behind an interim answer", "HTTP/1.1 100 C\r\n\r\n", BROKEN(RESET, 0, 0), .closes = true),
    ROW("a close in the head behind an interim answer", "HTTP/1.1 100 C\r\n\r\nHTTP", BROKEN(RESET, 0, 0), .closes = true),
    ROW("text instead of HTTP", "I@ am not a web server\r\n\r\n", WRONG),
    ROW("HTML without a head", "<@html>\r\n\r\n</html>", WRONG),
    ROW("another protocol's greeting", "S@SH-2.0-OpenSSH_9.2\r\n", WRONG),
    ROW("a TLS record", "\x16@\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", WRONG),
    ROW("an HTTP/2 frame", "\0@\0\x12\x04\0\0\0\0\0", WRONG),
    ROW("a request instead of a response", "G@ET / HTTP/1.1\r\nHost: x\r\n\r\n", WRONG),
};
/* clang-format on */

enum { N_CASES = sizeof cases / sizeof cases[0] };

#endif
